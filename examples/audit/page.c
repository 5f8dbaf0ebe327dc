/* SPDX-License-Identifier: MIT */
/* page.c: the report for readers: one HTML file that needs nothing else. */
#include "audit.h"

#include <errno.h>
#include <time.h>

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n"
    ":root { color-scheme: light dark; --ink: #1d2430; --soft: #667085; --line: #e3e7ee;\n"
    "  --ground: #fff; --tile: #f6f8fb; --good: #3b82c4; --odd: #d99a1c; --bad: #c93a3a;\n"
    "  --wait: #c3d3e5; }\n"
    "@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa4b5;\n"
    "  --line: #333b49; --ground: #161a21; --tile: #1f2530; --wait: #45566b; } }\n"
    "body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink);\n"
    "  background: var(--ground); max-width: 1000px; margin: 2em auto; padding: 0 1em; }\n"
    "h1 { font-size: 1.5em; margin-bottom: .2em; } h2 { font-size: 1.15em; margin-top: 2em; }\n"
    "p, .soft { color: var(--soft); }\n"
    ".tiles { display: flex; flex-wrap: wrap; gap: .7em; margin: 1.2em 0; }\n"
    ".tile { background: var(--tile); border-radius: 8px; padding: .6em 1em; min-width: 6.5em; }\n"
    ".tile b { display: block; font-size: 1.35em; }\n"
    "table { border-collapse: collapse; width: 100%; }\n"
    "th, td { text-align: left; padding: .3em .6em; border-bottom: 1px solid var(--line);\n"
    "  vertical-align: top; overflow-wrap: anywhere; }\n"
    "th { color: var(--soft); font-weight: 600; } .n { text-align: right; white-space: nowrap; }\n"
    ".kind { white-space: nowrap; border-left: 4px solid var(--odd); }\n"
    ".heavy .kind { border-left-color: var(--bad); } td:nth-child(2) { min-width: 11em; }\n"
    "a { color: inherit; }\n"
    "svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }\n"
    "svg text { fill: var(--soft); } .tick { text-anchor: middle; }\n"
    ".name, .unit { text-anchor: end; } .grid { stroke: var(--line); }\n"
    ".good { fill: var(--good); } .odd { fill: var(--odd); } .bad { fill: var(--bad); }\n"
    ".wait { fill: var(--wait); } g:hover rect { opacity: .6; }\n"
    ".key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .9em; }\n";

/* For the legends, where the colours are backgrounds. */
static const char head_end[] =
    ".key.good { background: var(--good); } .key.odd { background: var(--odd); }\n"
    ".key.bad { background: var(--bad); } .key.wait { background: var(--wait); }\n"
    "</style>\n<title>";

void html_text(FILE *out, const char *s)
{
    for (; *s != '\0'; s++) {
        switch (*s) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*s, out);
        }
    }
}

static void tile(FILE *out, const char *value, const char *what)
{
    fprintf(out, "<div class=\"tile\"><b>%s</b>%s</div>\n", value, what);
}

static void write_tiles(const struct report *r, FILE *out)
{
    char buf[32];
    fputs("<div class=\"tiles\">\n", out);
    snprintf(buf, sizeof buf, "%zu", r->findings->count);
    tile(out, buf, "findings");
    snprintf(buf, sizeof buf, "%zu", r->crawl->visited);
    tile(out, buf, "pages");
    tile(out, show_size(r->bytes, buf, sizeof buf), "read");
    tile(out, show_duration(r->crawl->took, buf, sizeof buf), "in all");
    tile(out, show_duration(r->median, buf, sizeof buf), "half within");
    tile(out, show_duration(r->p95, buf, sizeof buf), "95 % within");
    tile(out, show_duration(r->slowest, buf, sizeof buf), "slowest");
    fputs("</div>\n", out);
}

static void write_link(const struct page *p, FILE *out)
{
    fputs("<a href=\"", out);
    html_text(out, p->url);
    fputs("\">", out);
    html_text(out, url_short(p->site, p->url));
    fputs("</a>", out);
}

static void write_findings(const struct report *r, FILE *out)
{
    fputs("<h2>Findings</h2>\n", out);
    if (r->findings->count == 0) {
        fputs("<p>None.</p>\n", out);
        return;
    }
    fputs("<table><tr><th>kind<th>page<th>what</tr>\n", out);
    for (size_t i = 0; i < r->findings->count; i++) {
        const struct finding *f = &r->findings->item[i];
        fprintf(out, "<tr%s><td class=\"kind\" title=\"%s\">%s<td>",
                kind_weight(f->kind) > 1 ? " class=\"heavy\"" : "", kind_text(f->kind),
                kind_name(f->kind));
        write_link(f->page, out);
        fputs("<td>", out);
        html_text(out, f->detail);
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
}

static void write_charts(const struct report *r, FILE *out)
{
    fputs("<h2>What each worker did</h2>\n<p>A lane for each goroutine, a bar for each page, from "
          "its turn to its end, with waiting for the rate limit, redirects and new attempts."
          "<span class=\"key good\"></span>answered<span class=\"key odd\"></span>redirected, or "
          "asked again<span class=\"key bad\"></span>failed</p>\n", out);
    chart_lanes(r, out);
    fputs("<h2>The slowest pages</h2>\n<p>Their last request."
          "<span class=\"key wait\"></span>until the first byte<span class=\"key good\"></span>"
          "from there to the last</p>\n", out);
    chart_slowest(r, out);
}

static void write_page(const struct page *p, FILE *out)
{
    const struct visit *v = &p->visit;
    char time[32], size[32];
    fputs("<tr><td>", out);
    write_link(p, out);
    fputs("<td>", out);
    html_text(out, v->title != NULL ? v->title : v->error_text != NULL ? v->error_text : "");
    fprintf(out, "<td class=\"n\">%d<td class=\"n\">%s<td class=\"n\">%s</tr>\n", v->status,
            show_size(v->size, size, sizeof size), show_duration(v->total, time, sizeof time));
}

static void write_pages(const struct report *r, FILE *out)
{
    fputs("<h2>All pages</h2>\n<details><summary class=\"soft\">Show them</summary>\n<table>"
          "<tr><th>page<th>title<th class=\"n\">status<th class=\"n\">size<th class=\"n\">time"
          "</tr>\n", out);
    for (size_t i = 0; i < r->crawl->pages.count; i++) {
        write_page(r->crawl->pages.item[i], out);
    }
    fputs("</table></details>\n", out);
}

void html_write(const struct report *r, FILE *out)
{
    const struct crawl *c = r->crawl;
    char date[64];
    time_t now = time(NULL);
    struct tm tm;
    strftime(date, sizeof date, "%Y-%m-%d %H:%M", localtime_r(&now, &tm));
    fputs(head, out);
    fputs(head_end, out);
    fprintf(out, "Audit of ");
    html_text(out, c->site);
    fputs("</title></head><body>\n<h1>Audit of ", out);
    html_text(out, c->site);
    fprintf(out, "</h1>\n<div class=\"soft\">%s, %d pages at a time</div>\n", date, c->o->workers);
    if (c->end != 0) {
        fprintf(out, "<p><b>Ended early, %s: %zu known pages were not visited.</b></p>\n",
                c->end == -ETIMEDOUT ? "by its deadline" : "on request", r->unvisited);
    }
    write_tiles(r, out);
    write_findings(r, out);
    write_charts(r, out);
    write_pages(r, out);
    fputs("</body></html>\n", out);
}
