/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/http.h>
#include <gort/short.h>
#include <stdio.h>

static int slow(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    go_sleep(20 * GO_MS);
    return go_http_printf(res, "page %s", go_http_path_value(req, "n"));
}

struct page {
    char url[64];
    go_http_result result;
};

static int fetch(go_ctx *ctx, struct page *p)
{
    return go_http_get(ctx, p->url, &p->result);
}

int main(void)
{
    go_listener *l;
    if (go_listen("tcp", "127.0.0.1:0", &l) < 0) {
        return 1;
    }
    struct page page[3];
    for (int i = 0; i < 3; i++) {
        snprintf(page[i].url, sizeof page[i].url, "http://%s/%d", listener_addr(l), i);
    }
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "/{n}", slow, NULL);
    go_ctx *serving = ctx_with_cancel(ctx_background());
    go_waitgroup wg = { 0 };
    wg_go(&wg, go_http_serve, serving, l, (const go_http_options *)NULL, mux);

    /* All pages at the same time, within five seconds; the first error ends the others. */
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 5 * GO_SEC);
    go_group g = group_with(ctx);
    for (int i = 0; i < 3; i++) {
        group_go(&g, fetch, g.ctx, &page[i]);
    }
    printf("%d\n", group_wait(&g));
    for (int i = 0; i < 3; i++) {
        printf("%d %s\n", page[i].result.status, page[i].result.body);
        go_http_result_free(&page[i].result);
    }
    go_http_close_idle();
    ctx_cancel(serving);
    wg_wait(&wg);
    go_http_mux_free(mux);
    ctx_free(ctx);
    ctx_free(serving);
}
/* Output:
0
200 page 0
200 page 1
200 page 2
*/
