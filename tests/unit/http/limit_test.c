/* SPDX-License-Identifier: MIT */
/* Limits: sizes, slow clients, the number of connections; and the end of a server. Timeouts are
 * short here and everything else is patient: what is tested is that they end what they should. */
#include "serve.h"

#define END "Host: a\r\nConnection: close\r\n\r\n"
#define SHORT (60 * GO_MS)

static int echo(go_http_request *req, go_http_response *res, void *arg)
{
    const char *body;
    (void)arg;
    ssize_t n = go_http_body(req, &body);
    return n < 0 ? (int)n : (int)(go_http_write(res, body, (size_t)n) < 0);
}

static void start(struct served *s)
{
    go_http_handle(s->mux, "/", echo, NULL);
    serve_start(s);
}

TEST(limit, large_heads_are_431_and_long_first_lines_414)
{
    struct served s;
    serve_prepare(&s);
    s.options.max_header_bytes = 2000;
    start(&s);
    char *text = calloc(1, 5000);
    strcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    memset(text + strlen(text), 'x', 1900);
    strcat(text, "\r\nConnection: close\r\n\r\n");
    EXPECT_BEGINS(talk(&s, text), "HTTP/1.1 200 ");
    strcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    memset(text + strlen(text), 'x', 3000);
    EXPECT_BEGINS(talk(&s, text), "HTTP/1.1 431 ");
    strcpy(text, "GET /");
    memset(text + 5, 'x', 3000);
    EXPECT_BEGINS(talk(&s, text), "HTTP/1.1 414 ");
    free(text);
    serve_stop(&s);
}

TEST(limit, large_bodies_are_413)
{
    struct served s;
    serve_prepare(&s);
    s.options.max_body_bytes = 10;
    start(&s);
    EXPECT_CONTAINS(talk(&s, "POST / HTTP/1.1\r\nContent-Length: 10\r\n" END "0123456789"),
                    "\r\n\r\n0123456789");
    EXPECT_BEGINS(talk(&s, "POST / HTTP/1.1\r\nContent-Length: 11\r\n" END "01234567890"),
                  "HTTP/1.1 413 ");
    EXPECT_BEGINS(talk(&s, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END
                           "8\r\n01234567\r\n3\r\n890\r\n0\r\n\r\n"), "HTTP/1.1 413 ");
    EXPECT_CONTAINS(talk(&s, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END
                             "8\r\n01234567\r\n2\r\n89\r\n0\r\n\r\n"), "\r\n\r\n0123456789");
    serve_stop(&s);
}

TEST(limit, idle_connections_are_closed)
{
    struct served s;
    serve_prepare(&s);
    s.options.idle_timeout = SHORT;
    go_http_handle(s.mux, "/", echo, NULL);
    serve_listen(&s);
    go_conn *silent = dial(&s);
    go_conn *c = dial(&s);
    say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    serve_begin(&s);
    EXPECT_EQ_STR(hear(silent, NULL), "");
    EXPECT_CONTAINS(hear(c, NULL), "\r\n\r\nx");
    go_conn_close(silent);
    go_conn_close(c);
    serve_stop(&s);
}

TEST(limit, slow_heads_are_408)
{
    struct served s;
    serve_prepare(&s);
    s.options.read_header_timeout = SHORT;
    start(&s);
    go_conn *c = dial(&s);
    say(c, "GET / HTTP/1.1\r\nHo");
    const char *a = hear(c, NULL);
    EXPECT_BEGINS(a, "HTTP/1.1 408 Request Timeout\r\n");
    go_conn_close(c);
    serve_stop(&s);
}

/* A byte now and then does not help. */
static void drip(go_conn *c, go_recv_chan(int) stop)
{
    while (go_conn_write(c, "x", 1) == 1) {
        switch (go_chan_select(recv(stopped, stop), after(next, SHORT / 6))) {
        case stopped:
            return;
        case next:
            break;
        }
    }
}

TEST(limit, dripping_clients_do_not_hold_a_connection)
{
    struct served s;
    serve_prepare(&s);
    s.options.read_header_timeout = SHORT;
    s.options.read_timeout = 2 * SHORT;
    start(&s);
    static const char *const text[] = {
        "GET / HTTP/1.1\r\nHost: a\r\nX: ",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
    };
    for (int i = 0; i < 2; i++) {
        go_conn *c = dial(&s);
        go_waitgroup wg = { 0 };
        say(c, text[i]);
        go_chan(int) stop_it = go_chan_make(int);
        go_wg_go(&wg, drip, c, stop_it);
        EXPECT_BEGINS(hear(c, NULL), "HTTP/1.1 408 Request Timeout\r\n");
        go_chan_close(stop_it);
        go_wg_wait(&wg);
        go_chan_free(stop_it);
        go_conn_close(c);
    }
    serve_stop(&s);
}

static go_chan(int) written;

static int floods(go_http_request *req, go_http_response *res, void *arg)
{
    static char buf[1 << 16];
    ssize_t r = 0;
    (void)req;
    (void)arg;
    while (r >= 0) {
        r = go_http_write(res, buf, sizeof buf);
    }
    go_chan_send(written, (int)r);
    return (int)r;
}

TEST(limit, clients_that_do_not_read_are_cut)
{
    struct served s;
    serve_prepare(&s);
    s.options.write_timeout = SHORT;
    written = go_chan_make(int, 1);
    go_http_handle(s.mux, "/", floods, NULL);
    serve_start(&s);
    go_conn *c = dial(&s);
    say(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ_INT(go_chan_recv(written), -ETIMEDOUT);
    go_conn_close(c);
    serve_stop(&s);
    go_chan_free(written);
}

static go_chan(int) entered;
static go_chan(int) allowed;

static int waits(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_chan_send(entered, 1);
    go_chan_recv(allowed);
    return go_http_printf(res, "done");
}

static void make_waits(struct served *s)
{
    entered = go_chan_make(int, 8);
    allowed = go_chan_make(int, 8);
    go_http_handle(s->mux, "/", waits, NULL);
    serve_start(s);
}

static void free_waits(void)
{
    go_chan_free(entered);
    go_chan_free(allowed);
}

TEST(limit, more_connections_than_allowed_wait_for_their_turn)
{
    struct served s;
    serve_prepare(&s);
    s.options.max_connections = 2;
    make_waits(&s);
    go_conn *c[3];
    for (int i = 0; i < 3; i++) {
        c[i] = dial(&s);
        say(c[i], "GET / HTTP/1.1\r\n" END);
    }
    go_chan_recv(entered);
    go_chan_recv(entered);
    int n = 0;
    EXPECT_EQ_INT(go_chan_recv_until(entered, &n, go_now() + SHORT), -ETIMEDOUT);
    go_chan_send(allowed, 1);
    go_chan_recv(entered);
    go_chan_send(allowed, 1);
    go_chan_send(allowed, 1);
    for (int i = 0; i < 3; i++) {
        EXPECT_CONTAINS(hear(c[i], NULL), "\r\n\r\ndone");
        go_conn_close(c[i]);
    }
    serve_stop(&s);
    free_waits();
}

/* ---- the end -------------------------------------------------------------------------------- */

TEST(drain, idle_connections_go_and_requests_under_way_are_answered)
{
    struct served s;
    serve_prepare(&s);
    make_waits(&s);
    go_conn *idle = dial(&s);
    go_conn *busy = dial(&s);
    say(busy, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    go_chan_recv(entered);
    go_ctx_cancel(s.ctx);
    EXPECT_EQ_STR(hear(idle, NULL), "");
    EXPECT_EQ_INT(go_wg_wait_until(&s.running, go_now() + SHORT), -ETIMEDOUT);
    go_chan_send(allowed, 1);
    const char *a = hear(busy, NULL);
    EXPECT_CONTAINS(a, "\r\nConnection: close\r\n\r\ndone");
    EXPECT_EQ_INT(count_of(a, "HTTP/1.1 200"), 1);
    go_wg_wait(&s.running);
    EXPECT_EQ_INT(s.result, 0);
    go_conn_close(idle);
    go_conn_close(busy);
    /* Nobody listens any more. */
    go_conn *late;
    EXPECT_EQ_INT(go_dial(NULL, "tcp", s.addr, &late), -ECONNREFUSED);
    serve_stop(&s);
    free_waits();
}

static int waits_for_context(go_http_request *req, go_http_response *res, void *arg)
{
    (void)res;
    (void)arg;
    go_ctx *ctx = go_http_ctx(req);
    EXPECT_EQ_INT(go_ctx_err(ctx), 0);
    go_chan_send(entered, 1);
    go_chan_recv(go_ctx_done(ctx));
    return -ECANCELED;
}

TEST(drain, what_takes_too_long_is_cut)
{
    struct served s;
    serve_prepare(&s);
    s.options.drain_timeout = SHORT;
    entered = go_chan_make(int, 8);
    go_http_handle(s.mux, "/ctx", waits_for_context, NULL);
    go_http_handle(s.mux, "/body", echo, NULL);
    serve_start(&s);
    go_conn *c = dial(&s);
    go_conn *d = dial(&s);
    say(c, "GET /ctx HTTP/1.1\r\nHost: a\r\n\r\n");
    say(d, "POST /body HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    hear(d, "\r\n\r\n");
    go_chan_recv(entered);
    go_ctx_cancel(s.ctx);
    go_wg_wait(&s.running);
    EXPECT_EQ_INT(s.result, -ETIMEDOUT);
    hear(c, NULL);
    hear(d, NULL);
    go_conn_close(c);
    go_conn_close(d);
    serve_stop(&s);
    go_chan_free(entered);
}

static const go_ctx_key(int) answer = 0;

static int sees_value(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    const int *v = go_ctx_value(go_http_ctx(req), answer);
    *(go_ctx **)arg = go_ctx_ref(go_http_ctx(req));
    return go_http_printf(res, "%d", v != NULL ? *v : -1);
}

TEST(drain, contexts_of_requests_have_the_values_and_end_with_them)
{
    struct served s;
    go_ctx *kept = NULL;
    serve_prepare(&s);
    go_ctx *plain = s.ctx;
    go_ctx *with_value = go_ctx_with_value(plain, answer, 42);
    s.ctx = go_ctx_with_cancel(with_value);
    go_http_handle(s.mux, "/", sees_value, &kept);
    serve_start(&s);
    EXPECT_EQ_STR(body_of(talk(&s, "GET / HTTP/1.1\r\n" END)), "42");
    go_chan_recv(go_ctx_done(kept));
    EXPECT_EQ_INT(go_ctx_err(kept), -ECANCELED);
    go_ctx_free(kept);
    serve_stop(&s);
    go_ctx_free(with_value);
    go_ctx_free(plain);
}

TEST(drain, a_context_that_has_ended_serves_nobody)
{
    struct served s;
    serve_prepare(&s);
    go_ctx_cancel(s.ctx);
    start(&s);
    go_wg_wait(&s.running);
    EXPECT_EQ_INT(s.result, 0);
    serve_stop(&s);
}
