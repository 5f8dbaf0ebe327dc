/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/http.h>
#include <gort/short.h>
#include <stdio.h>
#include <string.h>

static int hello(go_http_request *req, go_http_response *res, void *arg)
{
    const char *greeting = arg;
    go_http_set_header(res, "Content-Type", "text/plain; charset=utf-8");
    return go_http_printf(res, "%s, %s!", greeting, go_http_path_value(req, "name"));
}

static int upload(go_http_request *req, go_http_response *res, void *arg)
{
    char buf[4096];
    size_t bytes = 0;
    (void)arg;
    ssize_t n = go_http_read(req, buf, sizeof buf);
    while (n > 0) {
        bytes += (size_t)n;
        n = go_http_read(req, buf, sizeof buf);
    }
    go_http_status(res, 201);
    return n < 0 ? (int)n : go_http_printf(res, "%zu bytes", bytes);
}

static void fetch(const char *base, const char *path, const char *body)
{
    char url[128];
    go_http_result r;
    snprintf(url, sizeof url, "http://%s%s", base, path);
    const go_http_call call = { .url = url, .body = body, .body_size = body ? strlen(body) : 0 };
    int err = go_http_do(NULL, &call, &r);
    printf("%d %d %s\n", err, r.status, err == 0 ? r.body : r.error);
    go_http_result_free(&r);
}

int main(void)
{
    go_listener *l;
    if (go_listen("tcp", "127.0.0.1:0", &l) < 0) {
        return 1;
    }
    char addr[64];
    snprintf(addr, sizeof addr, "%s", listener_addr(l));
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "GET /hello/{name}", hello, (void *)"Good morning");
    go_http_handle(mux, "POST /upload", upload, NULL);

    go_ctx *ctx = ctx_with_cancel(ctx_background());
    const go_http_options options = { .idle_timeout = 30 * GO_SEC };
    go_waitgroup wg = { 0 };
    wg_go(&wg, go_http_serve, ctx, l, &options, mux);
    fetch(addr, "/hello/you", NULL);
    fetch(addr, "/upload", "some text");
    ctx_cancel(ctx); /* the server answers what it has begun, and returns */
    wg_wait(&wg);
    go_http_mux_free(mux);
    ctx_free(ctx);
}
/* Output:
0 200 Good morning, you!
0 201 9 bytes
*/
