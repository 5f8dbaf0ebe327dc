/* SPDX-License-Identifier: MIT */
/* json.c: the report for programs. docs/AUDIT.md has the fields. */
#include "audit.h"

#include <errno.h>

static void string(FILE *out, const char *s)
{
    if (s == NULL) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    while (*s != '\0') {
        size_t n = utf8_length(s);
        if (n == 0) {
            fputs("\\ufffd", out);
            n = 1;
        } else if (*s == '"' || *s == '\\') {
            fprintf(out, "\\%c", *s);
        } else if ((unsigned char)*s < ' ') {
            fprintf(out, "\\u%04x", (unsigned)*s);
        } else {
            fwrite(s, 1, n, out);
        }
        s += n;
    }
    fputc('"', out);
}

static void field(FILE *out, const char *name, const char *value)
{
    fprintf(out, "\"%s\": ", name);
    string(out, value);
    fputs(", ", out);
}

static double ms(go_duration d)
{
    return (double)d / (double)GO_MS;
}

static void write_page(const struct page *p, FILE *out)
{
    const struct visit *v = &p->visit;
    fputs("    { ", out);
    field(out, "url", p->url);
    field(out, "title", v->title);
    field(out, "type", v->type);
    field(out, "error", v->error_text);
    field(out, "redirected_to", v->first_target);
    fprintf(out, "\"visited\": %s, \"in_sitemap\": %s, \"status\": %d, \"first_status\": %d, ",
            v->done ? "true" : "false", p->from & FROM_SITEMAP ? "true" : "false", v->status,
            v->first_status);
    fprintf(out, "\"redirects\": %d, \"attempts\": %d, \"links\": %zu, \"size\": %lld, ", v->hops,
            v->attempts, p->target_count, (long long)v->size);
    fprintf(out, "\"start_ms\": %.3f, \"first_byte_ms\": %.3f, \"total_ms\": %.3f }", ms(v->start),
            ms(v->first_byte), ms(v->total));
}

static void write_finding(const struct finding *f, FILE *out)
{
    fputs("    { ", out);
    field(out, "kind", kind_name(f->kind));
    field(out, "url", f->page->url);
    field(out, "path", url_path(f->page->url));
    fputs("\"detail\": ", out);
    string(out, f->detail);
    fputs(" }", out);
}

void json_write(const struct report *r, FILE *out)
{
    const struct crawl *c = r->crawl;
    const char *end = c->end == 0 ? "complete" : c->end == -ETIMEDOUT ? "deadline" : "interrupted";
    fputs("{\n  ", out);
    field(out, "site", c->site);
    field(out, "end", end);
    fprintf(out, "\n  \"visited\": %zu, \"unvisited\": %zu, \"bytes\": %lld,\n", c->visited,
            r->unvisited, (long long)r->bytes);
    fprintf(out, "  \"took_ms\": %.3f, \"median_ms\": %.3f, \"p95_ms\": %.3f, "
                 "\"slowest_ms\": %.3f,\n", ms(c->took), ms(r->median), ms(r->p95), ms(r->slowest));
    fputs("  \"findings\": [", out);
    for (size_t i = 0; i < r->findings->count; i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        write_finding(&r->findings->item[i], out);
    }
    fputs("\n  ],\n  \"pages\": [", out);
    for (size_t i = 0; i < c->pages.count; i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        write_page(c->pages.item[i], out);
    }
    fputs("\n  ]\n}\n", out);
}
