/* SPDX-License-Identifier: MIT */
/* check.c: what is to be said about the pages that were visited. Nothing here waits. */
#include "audit.h"

#include <errno.h>
#include <strings.h>

#define KIND_ROW(id, name, weight, text) { name, text, weight },
static const struct {
    const char *name, *text;
    int weight;
} kinds[] = { KINDS(KIND_ROW) };

const char *kind_name(enum kind k)
{
    return kinds[k].name;
}

const char *kind_text(enum kind k)
{
    return kinds[k].text;
}

int kind_weight(enum kind k)
{
    return kinds[k].weight;
}

static void add(struct findings *out, enum kind kind, const struct page *p, char *detail)
{
    out->item = grow(out->item, out->count, &out->room, sizeof *out->item);
    out->item[out->count++] = (struct finding){ kind, p, detail };
}

/* ---- single pages --------------------------------------------------------------------------- */

/* A page that answered as it should, itself and not another in its place. */
static bool is_sound(const struct page *p)
{
    const struct visit *v = &p->visit;
    return v->done && v->error == 0 && v->hops == 0 && v->status == 200;
}

static bool is_broken(const struct page *p)
{
    const struct visit *v = &p->visit;
    bool expected = p->route != NULL && p->route->status == v->first_status;
    return v->done && !expected &&
           ((v->error != 0 && v->error != -EFBIG) || v->loop || v->status >= 400);
}

/* "404 Not Found". */
static char *status_words(int status)
{
    const char *text = go_http_status_text(status);
    return format("%d%s%s", status, text[0] != '\0' ? " " : "", text);
}

/* Why it is broken, in a few words. */
static char *what_came(const struct page *p)
{
    const struct visit *v = &p->visit;
    if (v->error == -ETIMEDOUT) {
        return copy("no answer in time");
    }
    if (v->error != 0) {
        return copy(v->error_text);
    }
    if (v->loop) {
        return format("redirects without end, the first time to %s",
                      url_short(p->site, v->first_target));
    }
    return status_words(v->status);
}

static void check_redirects(const struct page *p, struct findings *out)
{
    const struct visit *v = &p->visit;
    const struct route *r = p->route;
    bool expected = r != NULL && r->status / 100 == 3;
    const char *to = v->first_target != NULL ? url_short(p->site, v->first_target) : "";
    if (v->loop) {
        add(out, REDIRECT_LOOP, p, what_came(p));
    } else if (v->hops > 1) {
        add(out, REDIRECT_CHAIN, p, format("%d redirects, the first to %s", v->hops, to));
    } else if (v->hops == 1 && !expected && p->from & FROM_SITEMAP) {
        add(out, REDIRECT, p, format("%d to %s", v->first_status, to));
    }
    if (expected && r->to != NULL && v->hops > 0 && strcmp(to, r->to) != 0 &&
        strcmp(v->first_target, r->to) != 0) {
        add(out, REDIRECT, p, format("to %s, expected %s", to, r->to));
    }
}

static void check_content(const struct page *p, struct findings *out)
{
    const struct visit *v = &p->visit;
    const struct route *r = p->route;
    if (v->lacks) {
        add(out, CONTENT, p, format("does not contain \"%s\"", r->contains));
    }
    if (r->type != NULL && strncasecmp(v->type, r->type, strlen(r->type)) != 0) {
        add(out, CONTENT, p, format("is %s, expected %s", v->type, r->type));
    }
    if (r->title != NULL && (v->title == NULL || strcmp(v->title, r->title) != 0)) {
        add(out, CONTENT, p, format("has the title \"%s\", expected \"%s\"",
                                    v->title != NULL ? v->title : "", r->title));
    }
}

static void check_cost(const struct page *p, const struct options *o, struct findings *out)
{
    const struct visit *v = &p->visit;
    char is[32], limit[32];
    go_duration slow = p->route != NULL && p->route->max_time > 0 ? p->route->max_time : o->slow;
    int64_t large = p->route != NULL && p->route->max_size > 0 ? p->route->max_size : o->large;
    if (v->total > slow) {
        add(out, SLOW, p, format("%s, at most %s", show_duration(v->total, is, sizeof is),
                                 show_duration(slow, limit, sizeof limit)));
    }
    if (v->error == -EFBIG) {
        add(out, LARGE, p, format("more than %s, at most %s", show_size(o->limit, is, sizeof is),
                                  show_size(large, limit, sizeof limit)));
    } else if (v->size > large) {
        add(out, LARGE, p, format("%s, at most %s", show_size(v->size, is, sizeof is),
                                  show_size(large, limit, sizeof limit)));
    }
}

/* A page that the sitemap or the routes have. */
static void check_own(const struct page *p, const struct options *o, struct findings *out)
{
    const struct visit *v = &p->visit;
    const struct route *r = p->route;
    if (v->error != 0 && v->error != -EFBIG) {
        add(out, v->error == -ETIMEDOUT ? TIMEOUT : UNREACHABLE, p, what_came(p));
        return;
    }
    int status = r != NULL && r->status / 100 == 3 ? v->first_status : v->status;
    int expected = r != NULL ? r->status : 200;
    if (status != expected && !v->loop) {
        char *words = status_words(status);
        add(out, STATUS, p, format("%s, expected %d", words, expected));
        free(words);
    } else if (r != NULL && v->error == 0) {
        check_content(p, out);
    }
    check_redirects(p, out);
    check_cost(p, o, out);
    if (is_sound(p) && v->is_html && v->title == NULL) {
        add(out, NO_TITLE, p, copy("no title, or an empty one"));
    }
    if (v->attempts > 1 && v->status < 400) {
        add(out, FLAKY, p, format("answered when asked %d times", v->attempts));
    }
}

static void check_links(const struct page *p, struct findings *out)
{
    for (size_t i = 0; i < p->target_count; i++) {
        const struct page *to = p->targets[i];
        if (is_broken(to)) {
            char *why = what_came(to);
            add(out, BROKEN_LINK, p, format("%s: %s", url_short(p->site, to->url), why));
            free(why);
        }
    }
    for (size_t i = 0; i < p->visit.malformed.count; i++) {
        add(out, MALFORMED_LINK, p, format("\"%s\"", p->visit.malformed.item[i]));
    }
}

/* ---- pages among themselves ----------------------------------------------------------------- */

/* Sorted so that equals stand together, in the order of the pages among themselves. */
static int by_text(const void *a, const void *b)
{
    const struct page *x = *(struct page *const *)a, *y = *(struct page *const *)b;
    return x->visit.text != y->visit.text ? (x->visit.text < y->visit.text ? -1 : 1)
                                          : (x->index > y->index) - (x->index < y->index);
}

static int by_title(const void *a, const void *b)
{
    const struct page *x = *(struct page *const *)a, *y = *(struct page *const *)b;
    int order = strcmp(x->visit.title, y->visit.title);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* A page is a finding with the first that has the same. Who has the same words as well is no case
 * of a title given twice. */
static void check_titles(struct page **list, size_t n, struct findings *out)
{
    qsort(list, n, sizeof(struct page *), by_title);
    for (size_t i = 1, first = 0; i < n; i++) {
        const struct visit *v = &list[i]->visit, *w = &list[first]->visit;
        if (strcmp(v->title, w->title) != 0) {
            first = i;
        } else if (v->text != w->text || v->text == 0) {
            add(out, DUPLICATE_TITLE, list[i],
                format("\"%s\", as %s", v->title, url_path(list[first]->url)));
        }
    }
}

static void check_texts(struct page **list, size_t n, struct findings *out)
{
    qsort(list, n, sizeof(struct page *), by_text);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (list[i]->visit.text != list[first]->visit.text) {
            first = i;
        } else if (list[i]->visit.text != 0) {
            add(out, DUPLICATE_CONTENT, list[i], format("as %s", url_path(list[first]->url)));
        }
    }
}

static void check_duplicates(const struct crawl *c, struct findings *out)
{
    struct page **list = must_have(calloc(c->pages.count + 1, sizeof(struct page *)));
    size_t sound = 0, titled = 0;
    for (size_t i = 0; i < c->pages.count; i++) {
        struct page *p = c->pages.item[i];
        if (is_sound(p) && p->from & FROM_SITEMAP) {
            list[sound++] = p;
        }
    }
    check_texts(list, sound, out);
    for (size_t i = 0; i < sound; i++) {
        if (list[i]->visit.title != NULL) {
            list[titled++] = list[i];
        }
    }
    check_titles(list, titled, out);
    free(list);
}

static int by_page(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    size_t i = x->page->index, j = y->page->index;
    return i != j ? (i > j) - (i < j) : x->kind != y->kind ? (int)x->kind - (int)y->kind
                                                           : strcmp(x->detail, y->detail);
}

void check(const struct crawl *c, struct findings *out)
{
    *out = (struct findings){ 0 };
    for (size_t i = 0; i < c->pages.count; i++) {
        const struct page *p = c->pages.item[i];
        if (p->visit.done && p->from & (FROM_SITEMAP | FROM_ROUTES)) {
            check_own(p, c->o, out);
        }
        check_links(p, out);
    }
    check_duplicates(c, out);
    if (out->count > 0) {
        qsort(out->item, out->count, sizeof *out->item, by_page);
    }
}

void findings_free(struct findings *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->item[i].detail);
    }
    free(f->item);
}
