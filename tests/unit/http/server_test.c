/* SPDX-License-Identifier: MIT */
/* The server from outside: requests and answers as bytes. */
#include "serve.h"

static int hello(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    return go_http_printf(res, "Hello, %s!", go_http_path_value(req, "name"));
}

/* What the request looks like to a handler. */
static int show(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    const char *q = go_http_query_value(req, "q");
    const char *cookie = go_http_cookie(req, "c");
    const char *header = go_http_header(req, "x-header");
    return go_http_printf(res, "%s|%s|%s|%s|%s|%s|%s|%s|%s|%s", go_http_method(req),
                          go_http_path(req), go_http_query(req), go_http_target(req),
                          go_http_host(req), q != NULL ? q : "-", cookie != NULL ? cookie : "-",
                          header != NULL ? header : "-", go_http_path_value(req, "rest"),
                          go_http_pattern(req));
}

static int echo(go_http_request *req, go_http_response *res, void *arg)
{
    char buf[3000];
    size_t step = arg != NULL ? *(const size_t *)arg : sizeof buf;
    for (;;) {
        ssize_t n = go_http_read(req, buf, step);
        if (n <= 0) {
            return (int)n;
        }
        if (go_http_write(res, buf, (size_t)n) < 0) {
            return -EPIPE;
        }
    }
}

static int bad(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)res;
    (void)arg;
    return -EIO;
}

static int late_bad(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_write(res, "half", 4);
    go_http_flush(res);
    return -EIO;
}

static int panics(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    if (go_http_query_value(req, "sent") != NULL) {
        go_http_write(res, "half", 4);
        go_http_flush(res);
    } else {
        go_http_write(res, "not sent yet", 12);
    }
    go_panic("out of %s", "luck");
}

static int leaves(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)res;
    (void)arg;
    go_exit();
}

static const size_t one_byte = 1;

static void start(struct served *s)
{
    serve_prepare(s);
    go_http_handle(s->mux, "GET /hello/{name}", hello, NULL);
    go_http_handle(s->mux, "/show/{rest...}", show, NULL);
    go_http_handle(s->mux, "POST /echo", echo, NULL);
    go_http_handle(s->mux, "POST /bytes", echo, (void *)(uintptr_t)&one_byte);
    go_http_handle(s->mux, "POST /ignore", hello, NULL);
    go_http_handle(s->mux, "/bad", bad, NULL);
    go_http_handle(s->mux, "/late", late_bad, NULL);
    go_http_handle(s->mux, "/panic", panics, NULL);
    go_http_handle(s->mux, "/exit", leaves, NULL);
    serve_start(s);
}

#define END "Host: a\r\nConnection: close\r\n\r\n"

TEST(server, answers_a_request)
{
    struct served s;
    start(&s);
    const char *a = talk(&s, "GET /hello/you HTTP/1.1\r\n" END);
    EXPECT_MATCH(a, "^HTTP/1.1 200 OK\r\n"
                    "Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] [A-Z][a-z][a-z] [0-9]{4} "
                    "[0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 11\r\n"
                    "Connection: close\r\n\r\nHello, you!$");
    serve_stop(&s);
    EXPECT_EQ_INT(s.result, 0);
}

TEST(server, keeps_the_connection_for_more_requests)
{
    struct served s;
    start(&s);
    go_conn *c = dial(&s);
    for (int i = 0; i < 20; i++) {
        say(c, "GET /hello/you HTTP/1.1\r\nHost: a\r\n\r\n");
        const char *a = hear(c, "Hello, you!");
        EXPECT_BEGINS(a, "HTTP/1.1 200 OK\r\n");
        EXPECT_EQ_PTR(strstr(a, "Connection"), NULL);
    }
    go_conn_close(c);
    serve_stop(&s);
}

TEST(server, old_clients_keep_it_only_when_they_ask)
{
    struct served s;
    start(&s);
    go_conn *c = dial(&s);
    say(c, "GET /hello/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_CONTAINS(hear(c, "Hello, a!"), "\r\nConnection: keep-alive\r\n");
    say(c, "GET /hello/b HTTP/1.0\r\n\r\n");
    EXPECT_CONTAINS(hear(c, NULL), "\r\nConnection: close\r\n");
    go_conn_close(c);
    serve_stop(&s);
}

TEST(server, pipelined_requests_are_answered_in_order_together)
{
    struct served s;
    struct text { char s[8000]; } *all = calloc(1, sizeof *all);
    start(&s);
    for (int i = 0; i < 100; i++) {
        snprintf(all->s + strlen(all->s), 100, "GET /hello/n%d HTTP/1.1\r\nHost: a\r\n%s\r\n", i,
                 i == 99 ? "Connection: close\r\n" : "");
    }
    const char *a = talk(&s, all->s);
    EXPECT_EQ_INT(count_of(a, "HTTP/1.1 200 OK\r\n"), 100);
    const char *at = a;
    for (int i = 0; i < 100 && at != NULL; i++) {
        char want[32];
        snprintf(want, sizeof want, "Hello, n%d!", i);
        at = strstr(at, want);
        EXPECT(at != NULL);
    }
    free(all);
    serve_stop(&s);
}

TEST(server, requests_may_come_byte_by_byte)
{
    struct served s;
    start(&s);
    go_conn *c = dial(&s);
    const char *text = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n0\r\n\r\nGET /hello/x HTTP/1.1\r\n" END;
    for (; *text != '\0'; text++) {
        EXPECT_EQ_INT(go_conn_write(c, text, 1), 1);
    }
    const char *a = hear(c, NULL);
    EXPECT_CONTAINS(a, "\r\n\r\nabcHTTP/1.1 200 OK\r\n");
    EXPECT_CONTAINS(a, "Hello, x!");
    go_conn_close(c);
    serve_stop(&s);
}

/* A head that comes again byte for byte is not parsed again: what a request has done with it, or
 * the one before it was, must not show. */
TEST(server, a_request_that_comes_again_is_answered_as_before)
{
    struct served s;
    start(&s);
    static const struct { const char *target, *answer; } all[] = {
        { "/show/a%20b/c?x=1&q=a%2Bb+c", "GET|/show/a b/c|x=1&q=a%2Bb+c|/show/a%20b/c?x=1&q=a%2Bb+c"
                                         "|a|a+b c|-|-|a b/c|/show/{rest...}" },
        { "/show/x", "GET|/show/x||/show/x|a|-|-|-|x|/show/{rest...}" },
        { "/show/y", "GET|/show/y||/show/y|a|-|-|-|y|/show/{rest...}" },
        { "/show/y?", "GET|/show/y||/show/y?|a|-|-|-|y|/show/{rest...}" },
        { "http://b/show/?q=://", "GET|/show/|q=://|http://b/show/?q=://|b|://|-|-||"
                                  "/show/{rest...}" },
    };
    go_conn *c = dial(&s);
    for (int i = 0; i < 60; i++) {
        int k = i / 3 % 5; /* three times each, and again */
        char text[400];
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", all[k].target);
        say(c, text);
        EXPECT_EQ_STR(body_of(hear(c, all[k].answer)), all[k].answer);
    }
    go_conn_close(c);
    serve_stop(&s);
}

TEST(server, a_head_that_comes_again_may_have_another_body)
{
    struct served s;
    start(&s);
    go_conn *c = dial(&s);
    for (int i = 0; i < 4; i++) {
        char text[200];
        snprintf(text, sizeof text, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n"
                                    "body %d", i);
        say(c, text);
        EXPECT_EQ_STR(body_of(hear(c, text + strlen(text) - 6)), text + strlen(text) - 6);
    }
    /* Its end may come later. */
    say(c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r");
    say(c, "\nbody 4");
    EXPECT_EQ_STR(body_of(hear(c, "body 4")), "body 4");
    go_conn_close(c);
    serve_stop(&s);
}

TEST(server, a_head_that_was_refused_is_refused_again)
{
    struct served s;
    start(&s);
    char text[1500];
    for (int i = 0; i < 6; i++) {
        EXPECT_BEGINS(talk(&s, i % 2 == 0 ? "GET /show/a%00b HTTP/1.1\r\n" END
                                          : "GET /show/a HTTP/1.1\r\nHost: b\r\n" END),
                      "HTTP/1.1 400 ");
        EXPECT_BEGINS(talk(&s, "GET /show/a HTTP/1.1\r\n" END), "HTTP/1.1 200 ");
        EXPECT_BEGINS(talk(&s, "GET /nowhere HTTP/1.1\r\n" END), "HTTP/1.1 404 ");
        EXPECT_BEGINS(talk(&s, "GET /echo HTTP/1.1\r\n" END), "HTTP/1.1 405 ");
        EXPECT_BEGINS(talk(&s, "GET /show//a HTTP/1.1\r\n" END), "HTTP/1.1 307 ");
        /* Too long to be remembered. */
        snprintf(text, sizeof text, "GET /show/b HTTP/1.1\r\nX-Header: %01000d\r\n" END, i);
        EXPECT_CONTAINS(talk(&s, text), "GET|/show/b|");
    }
    serve_stop(&s);
}

TEST(server, handlers_see_the_request)
{
    struct served s;
    start(&s);
    EXPECT_EQ_STR(body_of(talk(&s, "PUT /show/a%20b/c?x=1&q=a%2Bb+c&r HTTP/1.1\r\n"
                                   "Cookie: d=1; c=\"two\"; e=3\r\nX-HEADER:  v  \r\n" END)),
                  "PUT|/show/a b/c|x=1&q=a%2Bb+c&r|/show/a%20b/c?x=1&q=a%2Bb+c&r|a|a+b c|two|v|"
                  "a b/c|/show/{rest...}");
    EXPECT_EQ_STR(body_of(talk(&s, "GET http://b:80/show/?q HTTP/1.1\r\n" END)),
                  "GET|/show/|q|http://b:80/show/?q|b:80||-|-||/show/{rest...}");
    EXPECT_BEGINS(talk(&s, "GET /show/a%00b HTTP/1.1\r\n" END), "HTTP/1.1 400 ");
    serve_stop(&s);
}

TEST(server, bodies_are_read_with_a_length_and_in_chunks)
{
    struct served s;
    start(&s);
    EXPECT_EQ_STR(body_of(talk(&s, "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n" END "12345")),
                  "12345");
    EXPECT_EQ_STR(body_of(talk(&s, "POST /bytes HTTP/1.1\r\nContent-Length: 5\r\n" END "12345")),
                  "12345");
    EXPECT_EQ_STR(body_of(talk(&s, "POST /bytes HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END
                                   "2;x\r\n12\r\n3\r\n345\r\n0\r\nTrailer: t\r\n\r\n")), "12345");
    EXPECT_EQ_STR(body_of(talk(&s, "POST /echo HTTP/1.1\r\nContent-Length: 0\r\n" END)), "");
    EXPECT_EQ_STR(body_of(talk(&s, "POST /echo HTTP/1.1\r\n" END)), "");
    serve_stop(&s);
}

/* Larger than every buffer, each way. */
TEST(server, large_bodies_pass_in_both_directions)
{
    enum { SIZE = 700000 };
    struct served s;
    start(&s);
    char *text = malloc(SIZE + 200);
    int head = sprintf(text, "POST /echo HTTP/1.1\r\nContent-Length: %d\r\n" END, SIZE);
    for (int i = 0; i < SIZE; i++) {
        text[head + i] = (char)('a' + i % 26);
    }
    text[head + SIZE] = '\0';
    go_conn *c = dial(&s);
    go_waitgroup wg = { 0 };
    go_wg_go(&wg, say, c, text);
    const char *a = hear(c, "\r\n0\r\n\r\n");
    go_wg_wait(&wg);
    EXPECT_CONTAINS(a, "Transfer-Encoding: chunked");
    /* Taken apart here, by hand. */
    const char *at = body_of(a);
    char *joined = malloc(SIZE + 1);
    size_t n = 0;
    for (;;) {
        char *end;
        size_t size = strtoul(at, &end, 16);
        if (size == 0 || n + size > SIZE) {
            break;
        }
        memcpy(joined + n, end + 2, size);
        n += size;
        at = end + 2 + size + 2;
    }
    EXPECT_EQ_INT(n, SIZE);
    EXPECT(n == SIZE && memcmp(joined, text + head, SIZE) == 0);
    free(joined);
    free(text);
    go_conn_close(c);
    serve_stop(&s);
}

TEST(server, what_a_handler_leaves_unread_is_skipped)
{
    struct served s;
    start(&s);
    const char *a = talk(&s, "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345"
                             "POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                             "\r\n3\r\nabc\r\n0\r\n\r\nGET /hello/z HTTP/1.1\r\n" END);
    EXPECT_EQ_INT(count_of(a, "HTTP/1.1 200 OK\r\n"), 3);
    EXPECT_CONTAINS(a, "Hello, z!");
    serve_stop(&s);
}

TEST(server, a_large_unread_body_ends_the_connection)
{
    struct served s;
    start(&s);
    go_conn *c = dial(&s);
    say(c, "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n12345");
    const char *a = hear(c, NULL);
    EXPECT_EQ_INT(count_of(a, "HTTP/1.1 200 OK\r\n"), 1);
    go_conn_close(c);
    serve_stop(&s);
}

TEST(server, continue_is_said_when_the_body_is_wanted)
{
    struct served s;
    start(&s);
    go_conn *c = dial(&s);
    say(c, "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" END);
    EXPECT_EQ_STR(hear(c, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    say(c, "abc");
    EXPECT_EQ_STR(body_of(hear(c, NULL)), "abc");
    go_conn_close(c);
    /* Not wanted: the answer comes at once, and the connection ends, body or no body. */
    c = dial(&s);
    say(c, "POST /ignore HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\nHost: a\r\n\r\n");
    const char *a = hear(c, NULL);
    EXPECT_BEGINS(a, "HTTP/1.1 200 OK\r\n");
    EXPECT_CONTAINS(a, "\r\nConnection: close\r\n");
    go_conn_close(c);
    /* Sent without waiting: nothing is said. */
    EXPECT_BEGINS(talk(&s, "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\n"
                           "Content-Length: 3\r\n" END "abc"), "HTTP/1.1 200 OK\r\n");
    /* The connection goes on, since nothing is open any more. */
    EXPECT_CONTAINS(talk(&s, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                             "Content-Length: 3\r\n\r\nabcGET /hello/me HTTP/1.1\r\n" END),
                    "Hello, me!");
    serve_stop(&s);
}

TEST(server, head_is_answered_like_get_without_the_body)
{
    struct served s;
    start(&s);
    const char *a = talk(&s, "HEAD /hello/you HTTP/1.1\r\nHost: a\r\n\r\n"
                             "GET /hello/me HTTP/1.1\r\n" END);
    EXPECT_CONTAINS(a, "Content-Length: 11\r\n\r\nHTTP/1.1 200 OK\r\n");
    EXPECT_CONTAINS(a, "Hello, me!");
    serve_stop(&s);
}

TEST(server, routes_that_are_none_are_told)
{
    struct served s;
    start(&s);
    EXPECT_BEGINS(talk(&s, "GET /nowhere HTTP/1.1\r\n" END), "HTTP/1.1 404 Not Found\r\n");
    const char *a = talk(&s, "DELETE /hello/x HTTP/1.1\r\n" END);
    EXPECT_BEGINS(a, "HTTP/1.1 405 Method Not Allowed\r\n");
    EXPECT_CONTAINS(a, "\r\nAllow: GET, HEAD\r\n");
    a = talk(&s, "GET /hello/../bad/../show?x=y HTTP/1.1\r\n" END);
    EXPECT_BEGINS(a, "HTTP/1.1 307 Temporary Redirect\r\n");
    EXPECT_CONTAINS(a, "\r\nLocation: /show/?x=y\r\n");
    EXPECT_BEGINS(talk(&s, "OPTIONS * HTTP/1.1\r\n" END), "HTTP/1.1 200 OK\r\n");
    EXPECT_BEGINS(talk(&s, "CONNECT a:1 HTTP/1.1\r\n" END), "HTTP/1.1 501 ");
    serve_stop(&s);
}

TEST(server, refuses_what_it_cannot_believe_and_closes)
{
    static const struct {
        const char *status, *text;
    } table[] = {
        { "HTTP/1.1 400 ", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                           "GET /hello/x HTTP/1.1\r\n" END },
        { "HTTP/1.1 400 ", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                           "Content-Length: 2\r\n\r\nxxGET /hello/x HTTP/1.1\r\n" END },
        { "HTTP/1.1 400 ", "GET / HTTP/1.1\r\nHost : a\r\n\r\nGET /hello/x HTTP/1.1\r\n" END },
        { "HTTP/1.1 400 ", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\nGET /hello/x HTTP/1.1\r\n" END },
        { "HTTP/1.1 400 ", "\r\n\r\nGET /hello/x HTTP/1.1\r\n" END },
        { "HTTP/1.1 400 ", "nonsense\r\n\r\n" },
        { "HTTP/1.1 413 ", "POST /echo HTTP/1.1\r\nHost: a\r\n"
                           "Content-Length: 99999999999\r\n\r\n" },
        { "HTTP/1.1 501 ", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n" },
        { "HTTP/1.1 505 ", "GET / HTTP/3.0\r\nHost: a\r\n\r\n" },
    };
    struct served s;
    start(&s);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *a = talk(&s, table[i].text);
        EXPECT_BEGINS(a, table[i].status);
        EXPECT_CONTAINS(a, "\r\nConnection: close\r\n");
        EXPECT_EQ_INT(count_of(a, "HTTP/1.1 "), 1);
    }
    EXPECT_BEGINS(talk(&s, "\r\nGET /hello/x HTTP/1.1\r\n" END), "HTTP/1.1 200 OK\r\n");
    serve_stop(&s);
}

TEST(server, bad_chunks_are_an_error_of_the_body)
{
    struct served s;
    start(&s);
    const char *a = talk(&s, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "zz\r\nGET /hello/x HTTP/1.1\r\n" END);
    EXPECT_BEGINS(a, "HTTP/1.1 400 ");
    EXPECT_EQ_INT(count_of(a, "HTTP/1.1 "), 1);
    serve_stop(&s);
}

TEST(server, failing_handlers_cost_their_request_only)
{
    struct served s;
    start(&s);
    const char *a = talk(&s, "GET /bad HTTP/1.1\r\nHost: a\r\n\r\nGET /hello/x HTTP/1.1\r\n" END);
    EXPECT_BEGINS(a, "HTTP/1.1 500 ");
    EXPECT_CONTAINS(a, "Hello, x!");
    /* What has been sent cannot be taken back: it must not look complete. */
    a = talk(&s, "GET /late HTTP/1.1\r\nHost: a\r\n\r\nGET /hello/x HTTP/1.1\r\n" END);
    EXPECT_BEGINS(a, "HTTP/1.1 200 ");
    EXPECT_EQ_PTR(strstr(a, "0\r\n\r\n"), NULL);
    EXPECT_EQ_PTR(strstr(a, "Hello"), NULL);
    serve_stop(&s);
}

TEST(server, panics_are_answered_500_and_spare_the_server)
{
    struct served s;
    start(&s);
    const char *a = talk(&s, "GET /panic HTTP/1.1\r\nHost: a\r\n\r\nGET /hello/x HTTP/1.1\r\n" END);
    EXPECT_BEGINS(a, "HTTP/1.1 500 Internal Server Error\r\n");
    EXPECT_CONTAINS(a, "\r\nConnection: close\r\n");
    EXPECT_EQ_PTR(strstr(a, "not sent yet"), NULL);
    /* Answers before it are sent. */
    a = talk(&s, "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\nGET /panic HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_BEGINS(a, "HTTP/1.1 200 OK\r\n");
    EXPECT_CONTAINS(a, "Hello, x!HTTP/1.1 500 ");
    a = talk(&s, "GET /panic?sent HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ_PTR(strstr(a, "0\r\n\r\n"), NULL);
    EXPECT_EQ_STR(talk(&s, "GET /exit HTTP/1.1\r\nHost: a\r\n\r\n"), "");
    EXPECT_CONTAINS(talk(&s, "GET /hello/x HTTP/1.1\r\n" END), "Hello, x!");
    serve_stop(&s);
    EXPECT_EQ_INT(s.result, 0);
}

TEST(server, a_table_with_an_error_is_refused)
{
    struct served s;
    serve_prepare(&s);
    go_http_handle(s.mux, "/a", hello, NULL);
    go_http_handle(s.mux, "/a", hello, NULL);
    serve_start(&s);
    go_wg_wait(&s.running);
    EXPECT_EQ_INT(s.result, -EINVAL);
    serve_stop(&s);
}

TEST(server, many_connections_at_once)
{
    enum { CONNS = 50, ROUNDS = 10 };
    struct served s;
    start(&s);
    go_conn *c[CONNS];
    for (int i = 0; i < CONNS; i++) {
        c[i] = dial(&s);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CONNS; i++) {
            say(c[i], "GET /hello/you HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        for (int i = 0; i < CONNS; i++) {
            EXPECT_BEGINS(hear(c[i], "Hello, you!"), "HTTP/1.1 200 OK\r\n");
        }
    }
    for (int i = 0; i < CONNS; i++) {
        go_conn_close(c[i]);
    }
    serve_stop(&s);
}
