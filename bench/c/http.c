/* SPDX-License-Identifier: MIT */
/* http.c: an HTTP server with answers of 13 bytes and of 4 KiB; the load comes from http.sh. */
#include "bench.h"

#include <gort/http.h>
#include <stdio.h>
#include <string.h>

static char page[4096];

static int plaintext(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_set_header(res, "Content-Type", "text/plain");
    return go_http_write(res, "Hello, World!", 13) < 0 ? -1 : 0;
}

static int four_kib(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_set_header(res, "Content-Type", "text/plain");
    return go_http_write(res, page, sizeof page) < 0 ? -1 : 0;
}

/* Prints "port N" and serves until it is killed. n is not used. */
BENCH(http)
{
    go_listener *l;
    int error = go_listen("tcp", "127.0.0.1:0", &l);
    if (error < 0) {
        bench_fail("%s: cannot listen: %s", b->name, strerror(-error));
    }
    memset(page, 'x', sizeof page);
    const char *port = strrchr(listener_addr(l), ':');
    printf("port %s\n", port + 1);
    fflush(stdout);
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "GET /plaintext", plaintext, NULL);
    go_http_handle(mux, "GET /4k", four_kib, NULL);
    go_http_serve(ctx_background(), l, NULL, mux);
}
