/* SPDX-License-Identifier: MIT */
/* A cache that is warm before the first request, and stays so: at the start forty pages that are
 * often asked for are loaded, eight at a time; every half minute those that soon are too old are
 * loaded again, while the old ones are still served. Other pages are loaded when somebody asks, and
 * only once however many ask at the same time.
 *
 *     gort run examples/warm.c -- :8080
 *     curl -i localhost:8080/page/7; curl -i localhost:8080/page/77; curl localhost:8080/stats */
#include <gort.h>
#include <gort/http.h>
#include <gort/short.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES = 1000, POPULAR = 40, AT_A_TIME = 8 };

static const go_duration fresh = GO_MIN;

static struct {
    go_rwmutex mu;
    struct page {
        char text[64];
        go_time until; /* 0: not there */
    } page[PAGES];
    int loads;
    go_single loading;
} cache;

/* A copy of the page if it is there for a while yet. */
static bool look(int n, go_duration yet, struct page *out)
{
    rwmutex_rlock(&cache.mu);
    *out = cache.page[n];
    rwmutex_runlock(&cache.mu);
    return out->until >= go_now() + yet;
}

/* What takes long. Somebody may have done it since the caller looked. */
static int load(void *arg, void **result)
{
    struct page *p = arg;
    int n = (int)(p - cache.page);
    struct page seen;
    (void)result;
    if (look(n, fresh / 2, &seen)) {
        return 0;
    }
    go_sleep(20 * GO_MS);
    rwmutex_lock(&cache.mu);
    snprintf(p->text, sizeof p->text, "this is page %d\n", n);
    p->until = go_now() + fresh;
    cache.loads++;
    rwmutex_unlock(&cache.mu);
    return 0;
}

static int refresh(int n)
{
    char key[16];
    snprintf(key, sizeof key, "%d", n);
    return single_do(&cache.loading, key, load, &cache.page[n], NULL, NULL);
}

/* Loads the popular pages that are not there, or not for long. */
static int warm(go_ctx *ctx)
{
    struct page p;
    go_group g = group_with(ctx);
    group_set_limit(&g, AT_A_TIME);
    for (int n = 0; n < POPULAR && ctx_err(ctx) == 0; n++) {
        if (!look(n, fresh / 2, &p)) {
            group_go(&g, refresh, n);
        }
    }
    return group_wait(&g);
}

static void keep_warm(go_ctx *ctx)
{
    go_ticker *t = go_ticker_make(fresh / 2);
    while (chan_recv_ctx(ctx, ticker_c(t), NULL) == 0) {
        int error = warm(ctx);
        if (error != 0) {
            fprintf(stderr, "warm: %s\n", strerror(-error));
        }
    }
    ticker_free(t);
}

static int get_page(go_http_request *req, go_http_response *res, void *arg)
{
    struct page p;
    int n = atoi(go_http_path_value(req, "n"));
    (void)arg;
    if (n < 0 || n >= PAGES) {
        return go_http_error(res, 404, "no such page");
    }
    bool hit = look(n, 0, &p);
    if (!hit) {
        int error = refresh(n);
        if (error != 0) {
            return error;
        }
        (void)look(n, 0, &p);
    }
    go_http_set_header(res, "X-Cache", hit ? "hit" : "miss");
    return go_http_printf(res, "%s", p.text);
}

static int get_stats(go_http_request *req, go_http_response *res, void *arg)
{
    int pages = 0;
    (void)req;
    (void)arg;
    rwmutex_rlock(&cache.mu);
    for (int i = 0; i < PAGES; i++) {
        pages += cache.page[i].until != 0;
    }
    int loads = cache.loads;
    rwmutex_runlock(&cache.mu);
    return go_http_printf(res, "%d pages, %d loads\n", pages, loads);
}

int main(int argc, char **argv)
{
    go_listener *l;
    int error = go_listen("tcp", argc > 1 ? argv[1] : "127.0.0.1:8080", &l);
    if (error != 0) {
        fprintf(stderr, "warm: cannot listen: %s\n", strerror(-error));
        return 1;
    }
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "GET /page/{n}", get_page, NULL);
    go_http_handle(mux, "GET /stats", get_stats, NULL);
    go_ctx *stop = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
    go_waitgroup background = { 0 };
    error = warm(stop); /* whoever connects meanwhile waits for the first accept */
    wg_go(&background, keep_warm, stop);
    printf("listening on %s\n", listener_addr(l));
    fflush(stdout);
    error |= go_http_serve(stop, l, NULL, mux);
    wg_wait(&background);
    printf("ended\n");
    go_http_mux_free(mux);
    ctx_free(stop);
    return error != 0;
}
