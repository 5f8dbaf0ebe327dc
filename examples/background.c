/* SPDX-License-Identifier: MIT */
/* A web server whose work goes on after the response: an order is accepted at once, with 202, and
 * four workers see to it later. The queue has an end: when it is full the answer is 503. A job that
 * panics has failed, and nothing else has. Ctrl-C lets the requests under way finish, and then the
 * jobs that were accepted.
 *
 *     gort run examples/background.c -- :8080
 *     curl -X POST localhost:8080/orders/tea; curl localhost:8080/orders/1?wait=1 */
#include <gort.h>
#include <gort/http.h>
#include <gort/short.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDERS = 1000, QUEUE = 64, WORKERS = 4 };

struct order {
    char item[32];
    const char *state; /* under shop.mu */
    chan(bool) ended;  /* closed at the end */
};

static struct {
    go_mutex mu;
    int count;
    struct order order[ORDERS + 1];
    chan(int) queue;
    go_waitgroup working;
} shop;

static void set_state(struct order *o, const char *state)
{
    with_lock(&shop.mu) {
        o->state = state;
    }
}

static void make(struct order *o)
{
    if (strcmp(o->item, "trouble") == 0) {
        go_panic("there is no %s in this shop", o->item);
    }
    go_sleep(50 * GO_MS); /* stands for the work */
}

static void worker(void)
{
    chan_for(id, shop.queue) {
        struct order *o = &shop.order[id];
        set_state(o, "in work");
        set_state(o, go_try(NULL, make, o) ? "done" : "failed");
        chan_close(o->ended);
    }
}

/* Takes a number and a place in the queue; 0 when there is none. */
static int accept_order(const char *item)
{
    guard(&shop.mu);
    struct order *o = &shop.order[shop.count + 1];
    if (shop.count == ORDERS) {
        return 0;
    }
    snprintf(o->item, sizeof o->item, "%s", item);
    o->state = "accepted";
    o->ended = chan_make(bool);
    if (!chan_try_send(shop.queue, shop.count + 1)) {
        chan_free(o->ended);
        return 0;
    }
    return ++shop.count;
}

static int post_order(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    int id = accept_order(go_http_path_value(req, "item"));
    if (id == 0) {
        return go_http_error(res, 503, "too many orders");
    }
    go_http_status(res, 202);
    return go_http_printf(res, "order %d accepted\n", id);
}

static int get_order(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    const char *state = NULL;
    int id = atoi(go_http_path_value(req, "id"));
    with_lock(&shop.mu) {
        state = id >= 1 && id <= shop.count ? shop.order[id].state : NULL;
    }
    if (state == NULL) {
        return go_http_error(res, 404, "no such order");
    }
    struct order *o = &shop.order[id];
    if (go_http_query_value(req, "wait") != NULL) {
        (void)chan_recv_ctx(go_http_ctx(req), o->ended, NULL);
        with_lock(&shop.mu) {
            state = o->state;
        }
    }
    return go_http_printf(res, "order %d, %s: %s\n", id, o->item, state);
}

int main(int argc, char **argv)
{
    go_listener *l;
    int done = 0;
    int error = go_listen("tcp", argc > 1 ? argv[1] : "127.0.0.1:8080", &l);
    if (error != 0) {
        fprintf(stderr, "background: cannot listen: %s\n", strerror(-error));
        return 1;
    }
    shop.queue = chan_make(int, QUEUE);
    for (int i = 0; i < WORKERS; i++) {
        wg_go(&shop.working, worker);
    }
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "POST /orders/{item}", post_order, NULL);
    go_http_handle(mux, "GET /orders/{id}", get_order, NULL);

    go_ctx *stop = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
    printf("listening on %s\n", listener_addr(l));
    fflush(stdout);
    error = go_http_serve(stop, l, NULL, mux);
    chan_close(shop.queue); /* no request is left that could send */
    wg_wait(&shop.working);

    for (int i = 1; i <= shop.count; i++) {
        done += strcmp(shop.order[i].state, "done") == 0;
        chan_free(shop.order[i].ended);
    }
    printf("%d of %d orders done\n", done, shop.count);
    chan_free(shop.queue);
    go_http_mux_free(mux);
    ctx_free(stop);
    return error != 0;
}
