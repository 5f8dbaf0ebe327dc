/* SPDX-License-Identifier: MIT */
/* serve.h: a server for tests, and raw conversations with it. */
#ifndef TEST_HTTP_SERVE_H
#define TEST_HTTP_SERVE_H
#include "harness.h"

#include <fcntl.h>
#include <gort.h>
#include <gort/http.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every wait in these tests is for something that happens; this is when they give up. */
#define PATIENCE (20 * GO_SEC)

struct served {
    go_http_mux *mux;
    go_http_options options;
    go_ctx *ctx;
    char addr[64];
    char url[80];
    int result;
    int null; /* for errors that a test provokes */
    go_waitgroup running;
    go_listener *listener;
};

static inline void serve_run(struct served *s, go_listener *l)
{
    s->result = go_http_serve(s->ctx, l, &s->options, s->mux);
}

/* Before: serve_prepare, handlers, options. */
static inline void serve_prepare(struct served *s)
{
    memset(s, 0, sizeof *s);
    s->mux = go_http_mux_make();
    s->ctx = go_ctx_with_cancel(go_ctx_background());
    s->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    s->options.error_log = s->null;
}

/* Clients may connect and speak, and are not heard before serve_begin. */
static inline void serve_listen(struct served *s)
{
    REQUIRE_EQ_INT(go_listen("tcp", "127.0.0.1:0", &s->listener), 0);
    snprintf(s->addr, sizeof s->addr, "%s", go_listener_addr(s->listener));
    snprintf(s->url, sizeof s->url, "%s://%s", s->options.tls_cert != NULL ? "https" : "http",
             s->addr);
}

static inline void serve_begin(struct served *s)
{
    go_wg_go(&s->running, serve_run, s, s->listener);
}

static inline void serve_start(struct served *s)
{
    serve_listen(s);
    serve_begin(s);
}

static inline void serve_stop(struct served *s)
{
    go_ctx_cancel(s->ctx);
    go_wg_wait(&s->running);
    go_http_mux_free(s->mux);
    go_ctx_free(s->ctx);
    close(s->null);
}

static inline go_conn *dial(const struct served *s)
{
    go_conn *c;
    REQUIRE_EQ_INT(go_dial(NULL, "tcp", s->addr, &c), 0);
    go_conn_set_deadline(c, go_now() + PATIENCE);
    return c;
}

static inline void say(go_conn *c, const char *text)
{
    ssize_t n = (ssize_t)strlen(text);
    EXPECT_EQ_INT(go_conn_write(c, text, (size_t)n), n);
}

/* What comes until the end of the stream, or until it ends in `until`. In a buffer of its own that
 * is used again by the next but three. */
static inline const char *hear(go_conn *c, const char *until)
{
    static char buffers[4][1 << 20];
    static int next;
    char *buf = buffers[next++ % 4];
    size_t n = 0;
    size_t want = until != NULL ? strlen(until) : 0;
    buf[0] = '\0';
    while (n < sizeof buffers[0] - 1) {
        ssize_t r = go_conn_read(c, buf + n, sizeof buffers[0] - 1 - n);
        if (r <= 0) {
            if (r != 0 && r != -ECONNRESET) {
                FAIL("read: %s after \"%s\"", strerror((int)-r), buf);
            }
            break;
        }
        n += (size_t)r;
        buf[n] = '\0';
        if (until != NULL && n >= want && memcmp(buf + n - want, until, want) == 0) {
            break;
        }
    }
    return buf;
}

/* One conversation: all is said, then heard until the server closes. */
static inline const char *talk(const struct served *s, const char *text)
{
    go_conn *c = dial(s);
    say(c, text);
    const char *answer = hear(c, NULL);
    go_conn_close(c);
    return answer;
}

/* The body of an answer; "" when there is none. */
static inline const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end != NULL ? end + 4 : "";
}

static inline int count_of(const char *text, const char *part)
{
    int n = 0;
    const char *at = strstr(text, part);
    while (at != NULL) {
        n++;
        at = strstr(at + strlen(part), part);
    }
    return n;
}

static inline bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

#define EXPECT_BEGINS(text, with)                                                                  \
    do {                                                                                           \
        const char *text_ = (text);                                                                \
        if (!begins(text_, with)) {                                                                \
            FAIL("\"%.300s\" does not begin with \"%s\"", text_, with);                            \
        }                                                                                          \
    } while (0)

#endif
