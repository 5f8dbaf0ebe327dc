/* SPDX-License-Identifier: MIT */
/* report.c: the figures of all reports, and the table. */
#include "audit.h"

#include <errno.h>

static int by_value(const void *a, const void *b)
{
    const go_duration x = *(const go_duration *)a, y = *(const go_duration *)b;
    return (x > y) - (x < y);
}

void report_make(struct report *r, const struct crawl *c, const struct findings *f)
{
    *r = (struct report){ .crawl = c, .findings = f };
    go_duration *times = must_have(calloc(c->pages.count + 1, sizeof *times));
    size_t n = 0;
    for (size_t i = 0; i < c->pages.count; i++) {
        const struct visit *v = &c->pages.item[i]->visit;
        r->unvisited += !v->done;
        r->bytes += v->size;
        if (v->done && v->error == 0) {
            times[n++] = v->total;
        }
    }
    for (size_t i = 0; i < f->count; i++) {
        r->of_kind[f->item[i].kind]++;
    }
    if (n > 0) {
        qsort(times, n, sizeof *times, by_value);
        r->median = times[n / 2];
        r->p95 = times[n * 95 / 100];
        r->slowest = times[n - 1];
    }
    free(times);
}

/* ---- the table ------------------------------------------------------------------------------ */

static int widest_url(const struct report *r, size_t most)
{
    size_t width = 8;
    for (size_t i = 0; i < r->findings->count; i++) {
        size_t n = strlen(url_short(r->crawl->site, r->findings->item[i].page->url));
        width = n > width ? n : width;
    }
    return (int)(width > most ? most : width);
}

static void write_findings(const struct report *r, FILE *out)
{
    int width = widest_url(r, 48);
    for (size_t i = 0; i < r->findings->count; i++) {
        const struct finding *f = &r->findings->item[i];
        fprintf(out, "%-17s  %-*s  %s\n", kind_name(f->kind), width,
                url_short(f->page->site, f->page->url), f->detail);
    }
}

static void write_pages(const struct report *r, FILE *out)
{
    char time[32], size[32];
    fprintf(out, "%6s  %8s  %9s  %5s  %s\n", "status", "time", "size", "tries", "page");
    for (size_t i = 0; i < r->crawl->pages.count; i++) {
        const struct page *p = r->crawl->pages.item[i];
        const struct visit *v = &p->visit;
        const char *title = v->title != NULL ? v->title : "";
        fprintf(out, "%6d  %8s  %9s  %5d  %s%s%s\n", v->status,
                show_duration(v->total, time, sizeof time), show_size(v->size, size, sizeof size),
                v->attempts, url_short(p->site, p->url), title[0] != '\0' ? "  " : "", title);
    }
    fputc('\n', out);
}

static void write_sum(const struct report *r, FILE *out)
{
    const char *before = "";
    fprintf(out, "\n%zu findings", r->findings->count);
    for (int k = 0; k < KIND_COUNT; k++) {
        if (r->of_kind[k] > 0) {
            fprintf(out, "%s%zu %s", before[0] == '\0' ? ": " : before, r->of_kind[k],
                    kind_name((enum kind)k));
            before = ", ";
        }
    }
    fputc('\n', out);
}

void table_write(const struct report *r, FILE *out)
{
    const struct crawl *c = r->crawl;
    char took[32], size[32], median[32], p95[32], slowest[32];
    if (c->o->all) {
        write_pages(r, out);
    }
    write_findings(r, out);
    write_sum(r, out);
    fprintf(out, "%s: %zu pages in %s, %s, %d at a time\n", c->site, c->visited,
            show_duration(c->took, took, sizeof took), show_size(r->bytes, size, sizeof size),
            c->o->workers);
    fprintf(out, "answers: half of them within %s, 95 %% within %s, the slowest %s\n",
            show_duration(r->median, median, sizeof median), show_duration(r->p95, p95, sizeof p95),
            show_duration(r->slowest, slowest, sizeof slowest));
    if (c->end != 0) {
        fprintf(out, "ended early, %s: %zu known pages not visited\n",
                c->end == -ETIMEDOUT ? "by its deadline" : "on request", r->unvisited);
    }
}
