/* SPDX-License-Identifier: MIT */
/* The access log and the error log. */
#include "serve.h"

#define END "Host: a\r\nConnection: close\r\n\r\n"

static int fails(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)res;
    (void)arg;
    return -ENOSPC;
}

static int plain(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    return go_http_printf(res, "plain");
}

static void read_all(int fd, char *buf, size_t room)
{
    size_t n = 0;
    ssize_t r = 1;
    while (r > 0 && n < room - 1) {
        r = read(fd, buf + n, room - 1 - n);
        n += r > 0 ? (size_t)r : 0;
    }
    buf[n] = '\0';
}

TEST(log, a_line_per_request_and_one_per_error)
{
    struct served s;
    int access[2];
    int error[2];
    char buf[4000];
    REQUIRE(pipe(access) == 0);
    REQUIRE(pipe(error) == 0);
    serve_prepare(&s);
    s.options.access_log = access[1];
    s.options.error_log = error[1];
    go_http_handle(s.mux, "/", plain, NULL);
    go_http_handle(s.mux, "/fails", fails, NULL);
    serve_start(&s);
    talk(&s, "GET /a?b HTTP/1.1\r\n" END);
    talk(&s, "GET /fails%0aGET HTTP/1.1\r\n" END);
    talk(&s, "GET /fails HTTP/1.1\r\n" END);
    talk(&s, "nonsense\r\n\r\n");
    serve_stop(&s);
    close(access[1]);
    close(error[1]);
    read_all(access[0], buf, sizeof buf);
    EXPECT_MATCH(buf, "^127.0.0.1:[0-9]+ - - "
                      "\\[[0-3][0-9]/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} \\+0000\\] "
                      "\"GET /a\\?b HTTP/1.1\" 200 5 [0-9]+\\.[0-9]{3}\n");
    EXPECT_CONTAINS(buf, "\"GET /fails%0aGET HTTP/1.1\" 200 5 ");
    EXPECT_CONTAINS(buf, "\"GET /fails HTTP/1.1\" 500 ");
    EXPECT_CONTAINS(buf, "\"  HTTP/1.1\" 400 ");
    EXPECT_EQ_INT(count_of(buf, "\n"), 4);
    read_all(error[0], buf, sizeof buf);
    EXPECT_EQ_STR(buf, "http: GET /fails: the handler failed: No space left on device\n");
    close(access[0]);
    close(error[0]);
}

/* A pipe that nobody reads: requests are answered all the same, and what was dropped is counted. */
TEST(log, that_hangs_does_not_hold_requests)
{
    enum { REQUESTS = 3000, BATCH = 100 };
    struct served s;
    int access[2];
    static char buf[1 << 20];
    REQUIRE(pipe(access) == 0);
    fcntl(access[1], F_SETPIPE_SZ, 4096);
    serve_prepare(&s);
    s.options.access_log = access[1];
    go_http_handle(s.mux, "/", plain, NULL);
    serve_start(&s);
    go_conn *c = dial(&s);
    char *text = malloc(BATCH * 40);
    text[0] = '\0';
    for (int i = 0; i < BATCH; i++) {
        strcat(text, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (int i = 0; i < REQUESTS / BATCH; i++) {
        say(c, text);
        int n = 0;
        while (n < BATCH) {
            n += count_of(hear(c, "plain"), "HTTP/1.1 200 ");
        }
    }
    free(text);
    go_conn_close(c);
    /* Somebody reads at last: the server can end. */
    go_ctx_cancel(s.ctx);
    size_t have = 0;
    unsigned long dropped = 0;
    while (true) {
        size_t lines = (size_t)count_of(buf, "\n") - (size_t)count_of(buf, "lines dropped");
        dropped = 0; /* it may have been said several times */
        for (const char *at = strstr(buf, "# "); at != NULL; at = strstr(at + 2, "# ")) {
            dropped += strtoul(at + 2, NULL, 10);
        }
        if (lines + dropped >= REQUESTS) {
            break;
        }
        ssize_t n = read(access[0], buf + have, sizeof buf - 1 - have);
        REQUIRE(n > 0);
        have += (size_t)n;
        buf[have] = '\0';
    }
    EXPECT_UINT(dropped, >, 0);
    serve_stop(&s);
    close(access[0]);
    close(access[1]);
}
