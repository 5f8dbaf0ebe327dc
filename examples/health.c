/* SPDX-License-Identifier: MIT */
/* A health checker: asks many hosts, sixteen at a time, again every minute and whenever somebody
 * wants to know, and serves a page that says which are up and what is wrong with the others. One
 * that does not answer in two seconds is late, and keeps nobody else waiting.
 *
 *     gort run examples/health.c -- :8080 http://a.example/ http://b.example/ ...
 *     curl localhost:8080/          what was found last
 *     curl localhost:8080/check     asks now
 *
 * Without hosts it makes itself sixty: some have troubles. */
#include <errno.h>
#include <gort.h>
#include <gort/http.h>
#include <gort/short.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS = 60, AT_A_TIME = 16, LATE_S = 2 };

struct host {
    const char *url;
    char state[32]; /* under mu */
};

static struct host *hosts;
static int count;
static go_mutex mu;       /* of the states */
static go_mutex checking; /* one round at a time */
static go_ctx *stop;

static int check(go_ctx *ctx, struct host *h)
{
    go_http_result r;
    go_http_call call = { .method = "HEAD", .url = h->url, .timeout = LATE_S * GO_SEC };
    int error = go_http_do(ctx, &call, &r);
    with_lock(&mu) {
        if (error == -ETIMEDOUT) {
            snprintf(h->state, sizeof h->state, "late");
        } else if (error != 0) {
            snprintf(h->state, sizeof h->state, "unreachable");
        } else if (r.status >= 400) {
            snprintf(h->state, sizeof h->state, "status %d", r.status);
        } else {
            snprintf(h->state, sizeof h->state, "up");
        }
    }
    go_http_result_free(&r);
    return 0;
}

static int check_all(void)
{
    guard(&checking);
    go_group g = group_with(stop);
    group_set_limit(&g, AT_A_TIME);
    for (int i = 0; i < count; i++) {
        group_go(&g, check, g.ctx, &hosts[i]);
    }
    return group_wait(&g);
}

static void check_every(go_duration pause)
{
    go_ticker *t = go_ticker_make(pause);
    while (check_all() == 0 && ctx_err(stop) == 0) {
        (void)chan_select(recv(over, ctx_done(stop)), recv(tick, ticker_c(t)));
    }
    ticker_free(t);
}

/* The hosts that are not up, each with its state, and how many are. */
static int report(go_http_request *req, go_http_response *res, void *arg)
{
    int up = 0;
    (void)arg;
    int error = strcmp(go_http_path(req), "/check") == 0 ? check_all() : 0;
    if (error != 0) {
        return error;
    }
    guard(&mu);
    for (int i = 0; i < count; i++) {
        const char *path = strstr(hosts[i].url, "/host/");
        if (strcmp(hosts[i].state, "up") == 0) {
            up++;
        } else {
            go_http_printf(res, "%s: %s\n", path != NULL ? path : hosts[i].url, hosts[i].state);
        }
    }
    return go_http_printf(res, "%d of %d are up\n", up, count);
}

/* One of the sixty: three of twenty are not well, and a fourth refuses (its port is 1). */
static int pretend(go_http_request *req, go_http_response *res, void *arg)
{
    int i = atoi(go_http_path_value(req, "i"));
    (void)arg;
    if (i % 20 == 4) {
        (void)chan_recv_until(ctx_done(stop), NULL, go_now() + GO_MIN);
    }
    return i % 20 == 8 ? go_http_error(res, 503, NULL) :
           i % 20 == 9 ? go_http_error(res, 404, NULL) : go_http_printf(res, "well\n");
}

static void make_hosts(const char *address)
{
    for (count = 0; count < HOSTS; count++) {
        char *url = malloc(128);
        snprintf(url, 128, "http://%s/host/%d", count % 20 == 13 ? "127.0.0.1:1" : address, count);
        hosts[count].url = url;
    }
}

int main(int argc, char **argv)
{
    go_listener *l;
    int error = go_listen("tcp", argc > 1 ? argv[1] : "127.0.0.1:8080", &l);
    if (error != 0) {
        fprintf(stderr, "health: cannot listen: %s\n", strerror(-error));
        return 1;
    }
    hosts = calloc((size_t)argc + HOSTS, sizeof *hosts);
    for (int i = 2; i < argc; i++) {
        hosts[count++].url = argv[i];
    }
    if (count == 0) {
        make_hosts(listener_addr(l));
    }
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "GET /{$}", report, NULL);
    go_http_handle(mux, "GET /check", report, NULL);
    go_http_handle(mux, "GET /host/{i}", pretend, NULL);
    stop = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
    go_waitgroup background = { 0 };
    wg_go(&background, check_every, GO_MIN);
    printf("listening on %s\n", listener_addr(l));
    fflush(stdout);
    error = go_http_serve(stop, l, NULL, mux);
    wg_wait(&background);
    printf("ended\n");
    go_http_mux_free(mux);
    return error != 0;
}
