/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/http.h>
#include <stdio.h>

static int item(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    return go_http_printf(res, "item %s\n", go_http_path_value(req, "id"));
}

static int newest(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    return go_http_printf(res, "the newest item\n");
}

int main(void)
{
    go_http_mux *mux = go_http_mux_make();
    /* For /items/newest the second is the more specific one, and wins. */
    printf("%d\n", go_http_handle(mux, "GET /items/{id}", item, NULL));
    printf("%d\n", go_http_handle(mux, "GET /items/newest", newest, NULL));
    /* For /items/newest neither of the last two is. */
    if (go_http_handle(mux, "GET /{kind}/newest", newest, NULL) == -EEXIST) {
        printf("refused\n"); /* go_http_mux_error(mux) has the reason */
    }
    go_http_mux_free(mux);
}
/* Output:
0
0
refused
*/
