/* SPDX-License-Identifier: MIT */
/* A page made of five services' answers: all are asked at the same time, so the page takes as long
 * as the slowest. What fails or is not there in two seconds is left out, and the rest is shown. The
 * services are in this program too, and are asked over HTTP.
 *
 *     gort run examples/fanout.c -- :8080
 *     curl localhost:8080/page/ada */
#include <errno.h>
#include <gort.h>
#include <gort/http.h>
#include <gort/short.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVICES = 5, LIMIT_S = 2 };

static const struct service {
    const char *name;
    go_duration takes;
} services[SERVICES] = {
    { "profile", 100 * GO_MS }, { "orders", 200 * GO_MS }, { "news", 300 * GO_MS },
    { "weather", 400 * GO_MS }, { "offers", 500 * GO_MS },
};

static go_ctx *stop;
static const char *self; /* where the services are */

/* One of the five. For some users it fails, or hangs. */
static int answer_service(go_http_request *req, go_http_response *res, void *arg)
{
    const struct service *s = arg;
    const char *user = go_http_path_value(req, "user");
    go_duration takes = s->takes;
    if (strcmp(user, "fail") == 0 && strcmp(s->name, "news") == 0) {
        return go_http_error(res, 500, NULL);
    }
    if (strcmp(user, "hang") == 0 && strcmp(s->name, "weather") == 0) {
        takes = GO_MIN;
    }
    (void)chan_recv_until(ctx_done(stop), NULL, go_now() + takes);
    return go_http_printf(res, "%s of %s", s->name, user);
}

struct part {
    char text[128];
    bool good;
};

static void ask(go_ctx *ctx, const struct service *s, const char *user, struct part *out)
{
    char url[256];
    go_http_result r;
    snprintf(url, sizeof url, "http://%s/service/%s/%s", self, s->name, user);
    int error = go_http_get(ctx, url, &r);
    out->good = error == 0 && r.status == 200;
    if (out->good) {
        snprintf(out->text, sizeof out->text, "%s", r.body);
    } else if (error == 0) {
        snprintf(out->text, sizeof out->text, "status %d", r.status);
    } else {
        snprintf(out->text, sizeof out->text, "%s", error == -ETIMEDOUT ? "too late" : "no answer");
    }
    go_http_result_free(&r);
}

static int answer_page(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    struct part part[SERVICES];
    go_waitgroup asking = { 0 };
    int good = 0;
    const char *user = go_http_path_value(req, "user");
    go_ctx *soon = ctx_with_timeout(go_http_ctx(req), LIMIT_S * GO_SEC);
    for (int i = 0; i < SERVICES; i++) {
        wg_go(&asking, ask, soon, &services[i], user, &part[i]);
    }
    wg_wait(&asking); /* not longer than the limit: each call has the context */
    ctx_free(soon);
    for (int i = 0; i < SERVICES; i++) {
        good += part[i].good;
    }
    go_http_set_header(res, "X-Parts", good == SERVICES ? "all" : "some");
    for (int i = 0; i < SERVICES; i++) {
        go_http_printf(res, "%s: %s\n", services[i].name, part[i].text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    char pattern[64];
    go_listener *l;
    int error = go_listen("tcp", argc > 1 ? argv[1] : "127.0.0.1:8080", &l);
    if (error != 0) {
        fprintf(stderr, "fanout: cannot listen: %s\n", strerror(-error));
        return 1;
    }
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "GET /page/{user}", answer_page, NULL);
    for (int i = 0; i < SERVICES; i++) {
        snprintf(pattern, sizeof pattern, "GET /service/%s/{user}", services[i].name);
        go_http_handle(mux, pattern, answer_service, (void *)(uintptr_t)&services[i]);
    }
    char *address = strdup(listener_addr(l)); /* the listener goes before the last request does */
    self = address;
    stop = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
    printf("listening on %s\n", self);
    fflush(stdout);
    error = go_http_serve(stop, l, NULL, mux);
    printf("ended\n");
    go_http_mux_free(mux);
    ctx_free(stop);
    free(address);
    return error != 0;
}
