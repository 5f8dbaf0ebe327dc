/* SPDX-License-Identifier: MIT */
/* What handlers write, and what of it goes out. */
#include "serve.h"

#define END "Host: a\r\nConnection: close\r\n\r\n"

static struct served s;

/* Begins a server with one handler at /. */
static void start(go_http_handler *handler)
{
    serve_prepare(&s);
    go_http_handle(s.mux, "/", handler, NULL);
    serve_start(&s);
}

static const char *get(void)
{
    return talk(&s, "GET / HTTP/1.1\r\n" END);
}

static int headers(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    EXPECT_EQ_INT(go_http_set_header(res, "X-One", "1"), 0);
    EXPECT_EQ_INT(go_http_set_header(res, "x-one", "one"), 0);
    EXPECT_EQ_INT(go_http_add_header(res, "Set-Cookie", "a=1"), 0);
    EXPECT_EQ_INT(go_http_add_header(res, "Set-Cookie", "b=2"), 0);
    EXPECT_EQ_INT(go_http_set_header(res, "X-Gone", "1"), 0);
    EXPECT_EQ_INT(go_http_set_header(res, "X-Gone", NULL), 0);
    EXPECT_EQ_INT(go_http_set_header(res, "Content-Type", "text/html"), 0);
    EXPECT_EQ_INT(go_http_set_header(res, "X-Empty", ""), 0);
    EXPECT_EQ_INT(go_http_set_header(res, "Bad Name", "x"), -EINVAL);
    EXPECT_EQ_INT(go_http_set_header(res, "", "x"), -EINVAL);
    EXPECT_EQ_INT(go_http_set_header(res, "X-Bad", "a\r\nX-Smuggled: b"), -EINVAL);
    EXPECT_EQ_INT(go_http_set_header(res, "X-Bad", "a\nb"), -EINVAL);
    EXPECT_EQ_INT(go_http_set_header(res, "Content-Length", "1x"), -EINVAL);
    EXPECT_EQ_INT(go_http_set_header(res, "Transfer-Encoding", "gzip"), -EINVAL);
    char *huge = calloc(1, 10000);
    memset(huge, 'x', 9999);
    EXPECT_EQ_INT(go_http_set_header(res, "X-Huge", huge), -ENOMEM);
    free(huge);
    go_http_status(res, 201);
    EXPECT_EQ_INT(go_http_write(res, "x", 1), 1);
    EXPECT_EQ_INT(go_http_set_header(res, "X-Late", "1"), -EALREADY);
    go_http_status(res, 404);
    return 0;
}

TEST(response, headers_are_set_once_added_and_checked)
{
    start(headers);
    EXPECT_MATCH(get(), "^HTTP/1.1 201 Created\r\nDate: [^\r]*\r\n"
                        "x-one: one\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
                        "Content-Type: text/html\r\nX-Empty: \r\n"
                        "Content-Length: 1\r\nConnection: close\r\n\r\nx$");
    serve_stop(&s);
}

static int nothing(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    const char *status = go_http_query_value(req, "status");
    go_http_status(res, status != NULL ? atoi(status) : 200);
    if (go_http_query_value(req, "body") != NULL) {
        EXPECT_EQ_INT(go_http_write(res, "body", 4), 4);
    }
    return 0;
}

TEST(response, an_empty_one_has_a_length_unless_it_cannot_have_a_body)
{
    start(nothing);
    EXPECT_CONTAINS(get(), "\r\nContent-Length: 0\r\n");
    const char *a = talk(&s, "GET /?status=204&body HTTP/1.1\r\n" END);
    EXPECT_BEGINS(a, "HTTP/1.1 204 No Content\r\n");
    EXPECT_EQ_PTR(strstr(a, "Content-"), NULL);
    EXPECT_EQ_STR(body_of(a), "");
    a = talk(&s, "GET /?status=304&body HTTP/1.1\r\n" END);
    EXPECT_EQ_PTR(strstr(a, "Content-"), NULL);
    EXPECT_EQ_STR(body_of(a), "");
    EXPECT_BEGINS(talk(&s, "GET /?status=999 HTTP/1.1\r\n" END), "HTTP/1.1 500 ");
    EXPECT_BEGINS(talk(&s, "GET /?status=100 HTTP/1.1\r\n" END), "HTTP/1.1 500 ");
    EXPECT_BEGINS(talk(&s, "GET /?status=299 HTTP/1.1\r\n" END), "HTTP/1.1 299 \r\n");
    serve_stop(&s);
}

/* ?n=SIZE&step=SIZE&length: writes n bytes. */
static int many(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    const char *n = go_http_query_value(req, "n");
    const char *step = go_http_query_value(req, "step");
    size_t left = n != NULL ? (size_t)atol(n) : 0;
    size_t most = step != NULL ? (size_t)atol(step) : left;
    if (go_http_query_value(req, "length") != NULL) {
        go_http_set_header(res, "Content-Length", n);
    }
    char *buf = malloc(most + 1);
    memset(buf, 'x', most);
    while (left > 0) {
        size_t now = left < most ? left : most;
        EXPECT_EQ_INT(go_http_write(res, buf, now), now);
        if (go_http_query_value(req, "flush") != NULL) {
            EXPECT_EQ_INT(go_http_flush(res), 0);
        }
        left -= now;
    }
    free(buf);
    return 0;
}

/* The number of x in a body that must be framed rightly; -1 when it is not. */
static long framed(const char *answer)
{
    const char *body = body_of(answer);
    const char *length = strstr(answer, "\r\nContent-Length: ");
    if (length != NULL && length < body) {
        long n = atol(length + 18);
        return (long)strspn(body, "x") == n && body[n] == '\0' ? n : -1;
    }
    if (strstr(answer, "\r\nTransfer-Encoding: chunked\r\n") == NULL) {
        return (long)strspn(body, "x");
    }
    long sum = 0;
    for (;;) {
        char *end;
        long n = strtol(body, &end, 16);
        if (end == body || memcmp(end, "\r\n", 2) != 0) {
            return -1;
        }
        if (n == 0) {
            return strcmp(end, "\r\n\r\n") == 0 ? sum : -1;
        }
        if ((long)strspn(end + 2, "x") != n || memcmp(end + 2 + n, "\r\n", 2) != 0) {
            return -1;
        }
        sum += n;
        body = end + 2 + n + 2;
    }
}

TEST(response, every_size_arrives_whole_and_framed)
{
    static const int sizes[] = {
        1, 13, 4096, 16383, 16384, 16385, 20000, 24000, 24576, 25000, 32768, 65536, 200000,
    };
    static const char *const how[] = { "", "&step=1000", "&step=16384", "&step=5000&flush",
                                       "&length", "&length&step=3000" };
    start(many);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t k = 0; k < sizeof how / sizeof how[0]; k++) {
            for (int version = 0; version < 2; version++) {
                char text[200];
                snprintf(text, sizeof text, "GET /?n=%d%s HTTP/1.%d\r\n" END, sizes[i], how[k],
                         version);
                const char *a = talk(&s, text);
                long got = framed(a);
                if (got != sizes[i]) {
                    FAIL("%ld of %d bytes: %s %.300s", got, sizes[i], text, a);
                }
                bool chunked = strstr(a, "chunked") != NULL;
                if (version == 0 && chunked) {
                    FAIL("chunks for HTTP/1.0");
                }
                if (k < 3 && version == 1 && chunked != (sizes[i] > 16384)) {
                    FAIL("%d bytes%s: chunked %d", sizes[i], how[k], chunked);
                }
            }
        }
    }
    serve_stop(&s);
}

/* Answers before one in the buffer, at every size around the buffer's. */
TEST(response, pipelined_answers_of_every_size_do_not_mix)
{
    start(many);
    char *text = malloc(4000);
    for (int size = 9000; size < 18000; size += 517) {
        text[0] = '\0';
        for (int i = 0; i < 6; i++) {
            sprintf(text + strlen(text), "GET /?n=%d&step=4000 HTTP/1.1\r\nHost: a\r\n\r\n",
                    i % 2 ? size : 100 + i);
        }
        strcat(text, "GET /?n=5 HTTP/1.1\r\n" END);
        const char *a = talk(&s, text);
        EXPECT_EQ_INT(count_of(a, "HTTP/1.1 200 OK\r\n"), 7);
        long x = 0;
        for (const char *at = a; *at != '\0'; at++) {
            x += *at == 'x';
        }
        EXPECT_EQ_INT(x, 3 * size + 100 + 102 + 104 + 5 + 7 * (long)strlen("") +
                             (strstr(a, "text/plain") != NULL ? 7 : 0));
    }
    free(text);
    serve_stop(&s);
}

static int too_much(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_set_header(res, "Content-Length", "3");
    EXPECT_EQ_INT(go_http_write(res, "ab", 2), 2);
    EXPECT_EQ_INT(go_http_write(res, "cd", 2), -EFBIG);
    EXPECT_EQ_INT(go_http_write(res, "c", 1), 1);
    return 0;
}

static int too_little(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_set_header(res, "Content-Length", "9");
    go_http_write(res, "short", 5);
    return 0;
}

TEST(response, a_length_that_was_set_is_kept)
{
    start(too_much);
    EXPECT_EQ_STR(body_of(get()), "abc");
    serve_stop(&s);
    /* Less than promised: the client sees it by the connection's end. */
    start(too_little);
    go_conn *c = dial(&s);
    say(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ_STR(body_of(hear(c, NULL)), "short");
    go_conn_close(c);
    serve_stop(&s);
}

static int streams(go_http_request *req, go_http_response *res, void *arg)
{
    char b;
    (void)arg;
    go_http_printf(res, "one");
    EXPECT_EQ_INT(go_http_flush(res), 0);
    EXPECT_EQ_INT(go_http_read(req, &b, 1), 1);
    go_http_printf(res, "two");
    return 0;
}

TEST(response, what_is_flushed_arrives_before_the_rest_is_written)
{
    start(streams);
    go_conn *c = dial(&s);
    say(c, "POST / HTTP/1.1\r\nContent-Length: 1\r\n" END);
    EXPECT_CONTAINS(hear(c, "3\r\none\r\n") + 1, "Transfer-Encoding: chunked");
    say(c, "x");
    EXPECT_EQ_STR(hear(c, NULL), "0003\r\ntwo\r\n0\r\n\r\n");
    go_conn_close(c);
    serve_stop(&s);
}

static int short_ones(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    if (go_http_query_value(req, "error") != NULL) {
        return go_http_error(res, 403, "no, sir");
    }
    EXPECT_EQ_INT(go_http_redirect(res, 200, "/x"), -EINVAL);
    EXPECT_EQ_INT(go_http_redirect(res, 302, "/x\r\ny"), -EINVAL);
    return go_http_redirect(res, 302, "/else?where");
}

TEST(response, short_answers)
{
    start(short_ones);
    const char *a = talk(&s, "GET /?error HTTP/1.1\r\n" END);
    EXPECT_BEGINS(a, "HTTP/1.1 403 Forbidden\r\n");
    EXPECT_EQ_STR(body_of(a), "no, sir\n");
    a = get();
    EXPECT_BEGINS(a, "HTTP/1.1 302 Found\r\n");
    EXPECT_CONTAINS(a, "\r\nLocation: /else?where\r\n");
    EXPECT_EQ_STR(go_http_status_text(404), "Not Found");
    EXPECT_EQ_STR(go_http_status_text(799), "");
    serve_stop(&s);
}

static int closes(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_set_header(res, "Connection", "close");
    return 0;
}

TEST(response, a_handler_may_close_the_connection)
{
    start(closes);
    const char *a = talk(&s, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ_INT(count_of(a, "HTTP/1.1 200 OK"), 1);
    EXPECT_EQ_INT(count_of(a, "Connection: close"), 1);
    serve_stop(&s);
}
