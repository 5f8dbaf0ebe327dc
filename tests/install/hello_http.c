/* SPDX-License-Identifier: MIT */
/* A stranger's server and its client in one program, by the second library. */
#include <gort.h>
#include <gort/http.h>
#include <gort/short.h>
#include <stdio.h>

static int sum(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    return go_http_printf(res, "sum %d", 4498500) < 0 ? -1 : 0;
}

static void serve(go_ctx *ctx, go_listener *l, go_http_mux *mux, send_chan(int) ended)
{
    chan_send(ended, go_http_serve(ctx, l, NULL, mux));
}

int main(void)
{
    go_listener *l;
    if (go_listen("tcp", "127.0.0.1:0", &l) < 0) {
        return 1;
    }
    char url[64];
    snprintf(url, sizeof url, "http://%s/sum", listener_addr(l));
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "GET /sum", sum, NULL);
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(int) ended = chan_make(int, 1);
    go(serve, ctx, l, mux, ended);
    go_http_result r;
    int error = go_http_get(NULL, url, &r);
    puts(error == 0 && r.status == 200 ? r.body : "no answer");
    go_http_result_free(&r);
    ctx_cancel(ctx);
    error = chan_recv(ended);
    go_http_mux_free(mux);
    ctx_free(ctx);
    chan_free(ended);
    return error;
}
