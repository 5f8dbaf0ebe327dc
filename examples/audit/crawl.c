/* SPDX-License-Identifier: MIT */
/* crawl.c: who visits what, and when all is done.
 *
 *                      jobs                    results
 *     coordinator  ------------>  workers  ------------->  coordinator
 *                  struct page *           struct page *
 *
 * The coordinator alone knows all pages. It offers the next one to whichever worker is free and, in
 * the same select, takes back those that have been visited, whose links become new pages. When
 * there is none left to offer and none under way it closes jobs; that ends the workers; and when
 * the last of them has ended, results is closed, which ends the coordinator. An early end (Ctrl-C,
 * the deadline) takes the same way: no more is offered, what is under way comes back soon. */
#define _GNU_SOURCE 1 /* tdestroy */
#include "audit.h"

#include <errno.h>
#include <gort/short.h>
#include <search.h>

struct team {
    struct crawl *c;
    chan(struct page *) jobs, results;
    size_t next;            /* the first page that no worker has had */
    size_t flying;          /* pages with workers now */
};

/* ---- pages ---------------------------------------------------------------------------------- */

static int page_order(const void *a, const void *b)
{
    const struct page *x = a, *y = b;
    return strcmp(x->url, y->url);
}

/* The page of that url, which is taken over; a new one is visited in its turn. */
static struct page *page_of(struct crawl *c, char *url, int from, int depth)
{
    struct page key = { .url = url };
    struct page **found = tfind(&key, &c->pages.by_url, page_order);
    if (found != NULL) {
        free(url);
        (*found)->from |= from;
        return *found;
    }
    struct pages *all = &c->pages;
    struct page *p = must_have(calloc(1, sizeof *p));
    char *origin = url_origin(url);
    p->url = url;
    p->site = c->site;
    p->index = all->count;
    p->from = from;
    p->depth = depth;
    p->local = strcmp(origin, c->site) == 0;
    p->route = p->local ? routes_find(c->routes, url_path(url)) : NULL;
    free(origin);
    must_have(tsearch(p, &all->by_url, page_order));
    all->item = grow(all->item, all->count, &all->room, sizeof(struct page *));
    all->item[all->count++] = p;
    return p;
}

static void page_free(struct page *p)
{
    struct visit *v = &p->visit;
    free(v->error_text);
    free(v->first_target);
    free(v->title);
    free(v->type);
    strings_free(&v->links);
    strings_free(&v->malformed);
    free(p->targets);
    free(p->url);
    free(p);
}

static void nothing(void *arg)
{
    (void)arg;
}

void crawl_free(struct crawl *c)
{
    tdestroy(c->pages.by_url, nothing);
    for (size_t i = 0; i < c->pages.count; i++) {
        page_free(c->pages.item[i]);
    }
    free(c->pages.item);
    hosts_free(&c->fetcher.hosts);
    free(c->site);
}

/* The links of a page that has been visited: pages, each once. */
static void add_targets(struct crawl *c, struct page *p)
{
    struct strings *links = &p->visit.links;
    size_t room = 0;
    for (size_t i = 0; i < links->count; i++) {
        char *origin = url_origin(links->item[i]);
        bool local = strcmp(origin, c->site) == 0;
        free(origin);
        if (!local && !c->o->external) {
            free(links->item[i]);
            continue;
        }
        struct page *to = page_of(c, links->item[i], FROM_LINK, p->depth + 1);
        size_t j = 0;
        while (j < p->target_count && p->targets[j] != to) {
            j++;
        }
        if (j == p->target_count) {
            p->targets = grow(p->targets, j, &room, sizeof(struct page *));
            p->targets[p->target_count++] = to;
        }
    }
    links->count = 0; /* their urls are the pages' now */
}

/* ---- the team ------------------------------------------------------------------------------- */

static void worker(struct team *t, int lane)
{
    chan_for(page, t->jobs) {
        fetch_page(&t->c->fetcher, page, lane);
        chan_send(t->results, page);
    }
}

static void close_when_done(go_waitgroup *workers, send_chan(struct page *) results)
{
    wg_wait(workers);
    chan_close(results);
}

static void take_back(struct team *t, struct page *p)
{
    struct crawl *c = t->c;
    const struct visit *v = &p->visit;
    t->flying--;
    c->visited += v->done;
    c->failed += v->done && (v->error != 0 || v->loop || v->status >= 400);
    add_targets(c, p);
}

static void coordinate(struct team *t)
{
    struct crawl *c = t->c;
    struct page *back = NULL;
    go_ticker *tick = must_have(go_ticker_make(100 * GO_MS));
    recv_chan(char) stop = ctx_done(c->fetcher.ctx);
    bool ended = false;
    while (!ended && (t->next < c->pages.count || t->flying > 0)) {
        /* Without a page to offer the channel is NULL, and its case is never ready. */
        bool more = t->next < c->pages.count;
        struct page *offer = more ? c->pages.item[t->next] : NULL;
        chan(struct page *) jobs = more ? t->jobs : NULL;
        switch (chan_select(send(taken, jobs, offer), recv(came, t->results, &back),
                            recv(ticked, ticker_c(tick)), recv(stopped, stop))) {
        case taken:
            t->next++;
            t->flying++;
            break;
        case came:
            take_back(t, back);
            break;
        case ticked:
            progress_show(c, t->flying);
            break;
        case stopped:
            ended = true;
            break;
        }
    }
    chan_close(t->jobs);
    chan_for(page, t->results) {
        take_back(t, page);
    }
    ticker_free(tick);
    progress_clear();
}

static void add_seeds(struct crawl *c, const struct strings *sitemap)
{
    c->site = url_origin(sitemap->item[0]);
    for (size_t i = 0; i < sitemap->count; i++) {
        page_of(c, copy(sitemap->item[i]), FROM_SITEMAP, 0);
    }
    for (size_t i = 0; i < c->routes->count; i++) {
        const char *path = c->routes->item[i].path;
        char *url = NULL;
        if (path[strlen(path) - 1] != '*' && url_resolve(c->site, path, &url) == REF_PAGE) {
            page_of(c, url, FROM_ROUTES, 0);
        }
    }
}

void crawl(struct crawl *c, const struct strings *sitemap)
{
    struct team t = { .c = c };
    go_waitgroup workers = { 0 };
    t.jobs = chan_make(struct page *);
    t.results = chan_make(struct page *, c->o->workers);
    c->fetcher.start = go_now();
    add_seeds(c, sitemap);
    for (int i = 0; i < c->o->workers; i++) {
        wg_go(&workers, worker, &t, i);
    }
    go(close_when_done, &workers, t.results);
    coordinate(&t);
    c->took = go_since(c->fetcher.start);
    c->end = ctx_err(c->fetcher.ctx);
    if (c->end == 0 && c->visited < c->pages.count) {
        c->end = -ETIMEDOUT; /* what was left would not have had its turn before the deadline */
    }
    chan_free(t.jobs);
    chan_free(t.results);
}
