/* SPDX-License-Identifier: MIT */
/* http.c: an HTTP server with one short answer; the load comes from http_client. */
#include "bench.h"

#include <gort/http.h>
#include <stdio.h>
#include <string.h>

static int plaintext(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_set_header(res, "Content-Type", "text/plain");
    return go_http_write(res, "Hello, World!", 13) < 0 ? -1 : 0;
}

/* Prints "port N" and serves until it is killed. n is not used. */
BENCH(http)
{
    go_listener *l;
    int error = go_listen("tcp", "127.0.0.1:0", &l);
    if (error < 0) {
        bench_fail("%s: cannot listen: %s", b->name, strerror(-error));
    }
    const char *port = strrchr(listener_addr(l), ':');
    printf("port %s\n", port + 1);
    fflush(stdout);
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "GET /plaintext", plaintext, NULL);
    go_http_serve(ctx_background(), l, NULL, mux);
}
