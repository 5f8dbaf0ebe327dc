/* SPDX-License-Identifier: MIT */
/* chart.c: two pictures of time, as SVG within the HTML report. One has a lane for each worker:
 * what it did when. The other has the slowest pages, and what they waited for. Every bar says on
 * hovering what it is; colours are classes of the page's style sheet. */
#include "audit.h"

#include <errno.h>

enum { WIDTH = 960, LEFT = 60, RIGHT = 20, LANE = 16, TICKS = 10 };
enum { SLOWEST = 20, ROW = 20, NAMES = 340 };

/* A round step that divides a length into at most TICKS parts: 1, 2 or 5 times a power of ten. */
static double round_step(double length)
{
    static const double steps[] = { 2, 2.5, 2 };
    double step = 1e-3;
    for (int i = 0; length / step > TICKS; i++) {
        step *= steps[i % 3];
    }
    return step;
}

/* Vertical lines with the milliseconds they stand for. */
static void axis(FILE *out, double length, double scale, int left, int height)
{
    double step = round_step(length);
    for (int i = 0; i * step <= length; i++) {
        double x = left + i * step * scale;
        fprintf(out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"/>"
                     "<text class=\"tick\" x=\"%.1f\" y=\"%d\">%g</text>\n",
                x, x, height, x, height + 14, i * step);
    }
    fprintf(out, "<text class=\"unit\" x=\"%d\" y=\"%d\">ms</text>\n", WIDTH - 2, height + 28);
}

static const char *colour(const struct visit *v)
{
    return v->error != 0 || v->loop || v->status >= 400 ? "bad"
           : v->hops > 0 || v->attempts > 1             ? "odd"
                                                        : "good";
}

static void open_chart(FILE *out, int height, const char *label)
{
    fprintf(out, "<svg viewBox=\"0 -4 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH,
            height + 38, label);
}

static void bar(FILE *out, const char *class, double x, double y, double width, int height)
{
    fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>", class,
            x, y, width > 1 ? width : 1, height);
}

static void hover(FILE *out, const struct page *p)
{
    char time[32];
    const struct visit *v = &p->visit;
    fputs("<title>", out);
    html_text(out, url_short(p->site, p->url));
    fprintf(out, ": %d, %s", v->status, show_duration(v->total, time, sizeof time));
    if (v->attempts > 1) {
        fprintf(out, ", asked %d times", v->attempts);
    }
    fputs("</title>", out);
}

void chart_lanes(const struct report *r, FILE *out)
{
    const struct crawl *c = r->crawl;
    double length = (double)c->took / (double)GO_MS;
    double scale = (WIDTH - LEFT - RIGHT) / (length > 0 ? length : 1);
    int height = c->o->workers * LANE;
    open_chart(out, height, "what each worker did when");
    axis(out, length, scale, LEFT, height);
    for (int i = 0; i < c->o->workers; i++) {
        fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%d\">%d</text>\n", LEFT - 8,
                i * LANE + LANE - 4, i + 1);
    }
    for (size_t i = 0; i < c->pages.count; i++) {
        const struct page *p = c->pages.item[i];
        const struct visit *v = &p->visit;
        if (v->attempts > 0) {
            double from = (double)v->start / (double)GO_MS, to = (double)v->end / (double)GO_MS;
            fputs("<g>", out);
            bar(out, colour(v), LEFT + from * scale, v->lane * LANE + 2, (to - from) * scale - 0.5,
                LANE - 4);
            hover(out, p);
            fputs("</g>\n", out);
        }
    }
    fputs("</svg>\n", out);
}

static int by_total(const void *a, const void *b)
{
    const struct page *x = *(struct page *const *)a, *y = *(struct page *const *)b;
    return (x->visit.total < y->visit.total) - (x->visit.total > y->visit.total);
}

static void slow_row(const struct page *p, int row, double scale, FILE *out)
{
    const struct visit *v = &p->visit;
    char name[48], time[32];
    int y = row * ROW;
    double first = (double)v->first_byte / (double)GO_MS * scale;
    double all = (double)v->total / (double)GO_MS * scale;
    snprintf(name, sizeof name, "%s", url_short(p->site, p->url));
    fprintf(out, "<g><text class=\"name\" x=\"%d\" y=\"%d\">", NAMES - 8, y + ROW - 6);
    html_text(out, name);
    fputs("</text>", out);
    bar(out, "wait", NAMES, y + 3, first, ROW - 6);
    bar(out, colour(v), NAMES + first, y + 3, all - first, ROW - 6);
    fprintf(out, "<text class=\"time\" x=\"%.1f\" y=\"%d\">%s</text>", NAMES + all + 6, y + ROW - 6,
            show_duration(v->total, time, sizeof time));
    hover(out, p);
    fputs("</g>\n", out);
}

void chart_slowest(const struct report *r, FILE *out)
{
    const struct pages *all = &r->crawl->pages;
    struct page **list = must_have(calloc(all->count + 1, sizeof(struct page *)));
    size_t n = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (all->item[i]->visit.total > 0) {
            list[n++] = all->item[i];
        }
    }
    qsort(list, n, sizeof(struct page *), by_total);
    n = n < SLOWEST ? n : SLOWEST;
    double length = n > 0 ? (double)list[0]->visit.total / (double)GO_MS : 1;
    double scale = (WIDTH - NAMES - 80) / length;
    open_chart(out, (int)n * ROW, "the slowest pages");
    axis(out, length, scale, NAMES, (int)n * ROW);
    for (size_t i = 0; i < n; i++) {
        slow_row(list[i], (int)i, scale, out);
    }
    fputs("</svg>\n", out);
    free(list);
}
