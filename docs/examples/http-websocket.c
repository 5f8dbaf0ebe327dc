/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/http.h>
#include <gort/short.h>
#include <stdio.h>
#include <string.h>

static int echo(go_http_request *req, go_http_response *res, void *arg)
{
    char buf[1024];
    int kind;
    (void)arg;
    go_ws *ws = go_ws_upgrade(req, res);
    if (ws == NULL) {
        return 0; /* it has been answered */
    }
    ssize_t n = ws_read(ws, buf, sizeof buf, &kind);
    while (n >= 0 && kind != GO_WS_CLOSE) {
        printf("server: %.*s\n", (int)n, buf);
        ws_write(ws, kind, buf, (size_t)n);
        n = ws_read(ws, buf, sizeof buf, &kind);
    }
    printf("server: closed with %d\n", go_ws_close_code(ws));
    return 0;
}

int main(void)
{
    go_listener *l;
    go_conn *c;
    if (go_listen("tcp", "127.0.0.1:0", &l) < 0) {
        return 1;
    }
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "GET /echo", echo, NULL);
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go_waitgroup wg = { 0 };
    if (go_dial(ctx, "tcp", listener_addr(l), &c) < 0) {
        return 1;
    }
    wg_go(&wg, go_http_serve, ctx, l, (const go_http_options *)NULL, mux);

    /* What a browser does: the upgrade, "hi" masked with zeros, and a goodbye. */
    static const char request[] = "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    static const char frames[] = "\x81\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe8";
    char buf[512];
    ssize_t n = conn_write(c, request, sizeof request - 1);
    if (n > 0) {
        n = conn_write(c, frames, sizeof frames - 1);
    }
    while (n > 0) { /* the answers, until the server closes */
        n = conn_read(c, buf, sizeof buf);
    }
    conn_close(c);
    ctx_cancel(ctx);
    wg_wait(&wg);
    go_http_mux_free(mux);
    ctx_free(ctx);
}
/* Output:
server: hi
server: closed with 1000
*/
