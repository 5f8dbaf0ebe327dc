/* SPDX-License-Identifier: MIT */
/* server.h: a server that is fed bytes, for the fuzzer and for the driver in the suite.
 *
 * Each input is what one connection brings until it ends. What must hold for every input:
 *
 *   - the connection ends: nothing hangs;
 *   - what comes back is nothing, or begins as an answer of ours does;
 *   - the same bytes in two pieces get the same answers as in one. Only the date, and whether
 *     "100 Continue" was said, may differ.
 *
 * Memory is for the sanitizers to look after. */
#ifndef GORT_FUZZ_SERVER_H
#define GORT_FUZZ_SERVER_H
#include <fcntl.h>
#include <gort.h>
#include <gort/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FUZZ_INPUT_MAX = 1 << 16, FUZZ_OUT_MAX = 1 << 22 };

static struct {
    go_http_mux *mux;
    go_ctx *ctx;
    go_waitgroup running;
    char path[64];
    int null;
    char *out[2];
} fuzz;

/* ---- handlers ------------------------------------------------------------------------------- */

static int fuzz_echo(go_http_request *req, go_http_response *res, void *arg)
{
    const char *body;
    (void)arg;
    ssize_t n = go_http_body(req, &body);
    if (n < 0) {
        return (int)n;
    }
    go_http_query_value(req, "q");
    go_http_cookie(req, "c");
    go_http_target(req);
    return (int)(go_http_write(res, body, (size_t)n) < 0);
}

static int fuzz_show(go_http_request *req, go_http_response *res, void *arg)
{
    (void)arg;
    const char *location = go_http_query_value(req, "to");
    if (location != NULL) {
        go_http_set_header(res, "X-To", location);
    }
    return go_http_printf(res, "%s %s", go_http_method(req), go_http_path_value(req, "rest"));
}

static int fuzz_chunks(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_printf(res, "one");
    go_http_flush(res);
    return go_http_printf(res, "two");
}

static int fuzz_socket(go_http_request *req, go_http_response *res, void *arg)
{
    char buf[512];
    int kind;
    (void)arg;
    go_ws *ws = go_ws_upgrade_any(req, res);
    if (ws == NULL) {
        return 0;
    }
    ssize_t n = go_ws_read(ws, buf, sizeof buf, &kind);
    while (n >= 0 && kind != GO_WS_CLOSE) {
        go_ws_write(ws, kind & 3, buf, (size_t)n);
        n = go_ws_read(ws, buf, sizeof buf, &kind);
    }
    return 0;
}

/* ---- the server ----------------------------------------------------------------------------- */

static void fuzz_run(go_listener *l)
{
    const go_http_options options = {
        .max_header_bytes = 8192, .max_body_bytes = 16384, .error_log = fuzz.null,
    };
    if (go_http_serve(fuzz.ctx, l, &options, fuzz.mux) != 0) {
        abort();
    }
}

static void fuzz_begin(void)
{
    go_listener *l;
    fuzz.mux = go_http_mux_make();
    fuzz.ctx = go_ctx_with_cancel(go_ctx_background());
    fuzz.null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    fuzz.out[0] = malloc(FUZZ_OUT_MAX);
    fuzz.out[1] = malloc(FUZZ_OUT_MAX);
    go_http_handle(fuzz.mux, "/e", fuzz_echo, NULL);
    go_http_handle(fuzz.mux, "/s/{rest...}", fuzz_show, NULL);
    go_http_handle(fuzz.mux, "GET /c", fuzz_chunks, NULL);
    go_http_handle(fuzz.mux, "/w", fuzz_socket, NULL);
    go_http_files(fuzz.mux, "/f/", "/usr/share/zoneinfo");
    snprintf(fuzz.path, sizeof fuzz.path, "@gort-fuzz-%d", (int)getpid());
    if (go_listen("unix", fuzz.path, &l) != 0) {
        abort();
    }
    go_wg_go(&fuzz.running, fuzz_run, l);
}

static void fuzz_end(void)
{
    go_ctx_cancel(fuzz.ctx);
    go_wg_wait(&fuzz.running);
    go_http_mux_free(fuzz.mux);
    go_ctx_free(fuzz.ctx);
    close(fuzz.null);
    free(fuzz.out[0]);
    free(fuzz.out[1]);
}

/* Takes out what may differ from run to run. */
static size_t fuzz_plain(char *s, size_t n)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    static const char date[] = "\r\nDate: ";
    enum { DATE_LINE = 2 + 6 + 29 };
    size_t to = 0;
    for (size_t i = 0; i < n;) {
        if (n - i >= sizeof go_on - 1 && memcmp(s + i, go_on, sizeof go_on - 1) == 0) {
            i += sizeof go_on - 1;
        } else if (n - i >= DATE_LINE && memcmp(s + i, date, sizeof date - 1) == 0) {
            i += DATE_LINE;
        } else {
            s[to++] = s[i++];
        }
    }
    return to;
}

struct fuzz_writer {
    go_conn *c;
    const char *data;
    size_t n, split;
};

/* The input in two pieces. The server may end the connection before it has read all. */
static void fuzz_write(struct fuzz_writer *w)
{
    if (go_conn_write(w->c, w->data, w->split) >= 0) {
        if (w->split > 0 && w->split < w->n) {
            go_yield();
        }
        if (go_conn_write(w->c, w->data + w->split, w->n - w->split) >= 0) {
            go_conn_close_write(w->c);
        }
    }
}

/* One connection: what came back, in fuzz.out[which]. */
static size_t fuzz_talk(const char *data, size_t n, size_t split, int which)
{
    struct fuzz_writer w = { .data = data, .n = n, .split = split };
    go_waitgroup wg = { 0 };
    char *out = fuzz.out[which];
    size_t have = 0;
    if (go_dial(NULL, "unix", fuzz.path, &w.c) != 0) {
        abort();
    }
    go_conn_set_deadline(w.c, go_now() + 30 * GO_SEC);
    go_wg_go(&wg, fuzz_write, &w);
    for (;;) {
        ssize_t r = go_conn_read(w.c, out + have, FUZZ_OUT_MAX - have);
        if (r == -ETIMEDOUT) {
            fprintf(stderr, "fuzz: the connection hangs\n");
            abort();
        }
        if (r <= 0) {
            break;
        }
        have += (size_t)r;
    }
    go_wg_wait(&wg);
    go_conn_close(w.c);
    /* The connection's goroutine goes as well: only this one and the server's are left. What a
     * goroutine holds would be a leak to a checker that looks now. */
    while (go_count() > 2) {
        go_yield();
    }
    return fuzz_plain(out, have);
}

/* Whether all that must hold held for this input, split there. */
static bool fuzz_try(const char *data, size_t n, size_t split)
{
    size_t one = fuzz_talk(data, n, n, 0);
    if (one > 0 && (one < 9 || memcmp(fuzz.out[0], "HTTP/1.1 ", 9) != 0)) {
        fprintf(stderr, "fuzz: what is that?\n%.*s\n", (int)one, fuzz.out[0]);
        return false;
    }
    size_t two = fuzz_talk(data, n, split, 1);
    if (one != two || memcmp(fuzz.out[0], fuzz.out[1], one) != 0) {
        fprintf(stderr, "fuzz: in one piece:\n%.*s\nsplit at %zu of %zu:\n%.*s\n", (int)one,
                fuzz.out[0], split, n, (int)two, fuzz.out[1]);
        return false;
    }
    return true;
}

#endif
