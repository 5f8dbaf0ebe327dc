/* SPDX-License-Identifier: MIT */
/* log.c: the access log, and errors.
 *
 * A disk that hangs must not make requests hang. So a request puts its line into a channel with
 * room for some and goes on, whatever becomes of it; a goroutine writes what has gathered. When
 * there is no room the line is dropped and counted, and the count is written as a line of its own
 * as soon as there is room again.
 *
 *   L1  Nobody but the log's goroutine waits for the descriptor. (log_main)
 *   L2  Every line is written or counted. (goi_log_request, tests/unit/http/log_test.c)
 */
#include "internal.h"

#include <gort/chan.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_BYTES = 446, LINES = 1024, BATCH = 32 << 10 };

struct line {
    uint16_t len;
    char text[LINE_BYTES];
};

struct access_log {
    int fd;
    go_chan(struct line) lines;
    go_waitgroup running;
    go_mutex mu;
    uint64_t dropped;   /* [l:mu] not reported yet */
    bool stopped;       /* [l:mu] late requests have nobody to write their lines */
};

static void write_all(int fd, const char *s, size_t n)
{
    go_blocking {
        while (n > 0) {
            ssize_t r = write(fd, s, n);
            if (r < 0 && errno == EINTR) {
                continue;
            }
            if (r <= 0) {
                break; /* there is nobody to tell */
            }
            s += r;
            n -= (size_t)r;
        }
    }
}

static size_t report_dropped(struct access_log *log, char *to, size_t room)
{
    go_mutex_lock(&log->mu);
    uint64_t n = log->dropped;
    log->dropped = 0;
    go_mutex_unlock(&log->mu);
    if (n == 0) {
        return 0;
    }
    return (size_t)snprintf(to, room, "# %llu lines dropped\n", (unsigned long long)n);
}

static void log_main(struct access_log *log)
{
    char *batch = malloc(BATCH);
    struct line *line = malloc(sizeof *line);
    while (batch != NULL && line != NULL && go_chan_recv_ok(log->lines, line)) {
        size_t n = 0;
        do {
            memcpy(batch + n, line->text, line->len);
            n += line->len;
        } while (n < BATCH - LINE_BYTES - 64 && go_chan_try_recv(log->lines, line));
        n += report_dropped(log, batch + n, 64);
        write_all(log->fd, batch, n);
    }
    if (batch != NULL) {
        write_all(log->fd, batch, report_dropped(log, batch, 64));
    }
    free(batch);
    free(line);
}

struct access_log *goi_log_start(int fd)
{
    struct access_log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        return NULL;
    }
    log->fd = fd;
    log->lines = go_chan_make(struct line, LINES);
    if (log->lines == NULL) {
        free(log);
        return NULL;
    }
    go_wg_go(&log->running, log_main, log);
    return log;
}

void goi_log_stop(struct access_log *log)
{
    if (log == NULL) {
        return;
    }
    go_mutex_lock(&log->mu);
    log->stopped = true;
    go_chan_close(log->lines);
    go_mutex_unlock(&log->mu);
    go_wg_wait(&log->running);
}

void goi_log_free(struct access_log *log)
{
    if (log != NULL) {
        go_chan_free(log->lines);
        free(log);
    }
}

static size_t put_time(char *to, size_t room)
{
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    gmtime_r(&now.tv_sec, &tm);
    return strftime(to, room, "%d/%b/%Y:%H:%M:%S +0000", &tm);
}

/* The common log format and the milliseconds it took. */
static void format(struct line *line, struct exchange *x)
{
    const struct go_http_request *req = &x->req;
    const struct head *h = &req->head;
    char when[40];
    when[put_time(when, sizeof when)] = '\0';
    const char *query = h->path_len < h->target_len ? h->target + h->path_len + 1 : NULL;
    go_duration took = goi_stream_now() - req->start;
    /* The target is what clients choose: it is cut so that the rest has room. */
    int n = snprintf(line->text, LINE_BYTES,
                     "%.60s - - [%s] \"%.20s %.*s%s%.80s HTTP/1.%d\" %d %lld %lld.%03lld\n",
                     go_conn_remote_addr(x->c->net), when, h->method,
                     h->path_len < 160 ? (int)h->path_len : 160, h->target,
                     query != NULL ? "?" : "", query != NULL ? query : "", h->minor,
                     x->res.status, (long long)x->res.written, (long long)(took / GO_MS),
                     (long long)(took / GO_US % 1000));
    line->len = (uint16_t)(n < LINE_BYTES ? n : LINE_BYTES - 1);
}

void goi_log_request(struct exchange *x)
{
    struct access_log *log = x->c->server->log;
    if (log == NULL) {
        return;
    }
    struct line line;
    format(&line, x);
    go_mutex_lock(&log->mu);
    bool sent = !log->stopped && go_chan_try_send(log->lines, line);
    log->dropped += !sent;
    go_mutex_unlock(&log->mu);
}

void goi_log_error(struct server *s, const char *format, ...)
{
    struct text t = { 0 };
    va_list args;
    va_start(args, format);
    goi_text_vprintf(&t, format, args);
    va_end(args);
    /* One line each: what clients send must not look like lines of ours. */
    for (size_t i = 0; i < t.len; i++) {
        t.data[i] = (char)((unsigned char)t.data[i] < 32 ? ' ' : t.data[i]);
    }
    goi_text_char(&t, '\n');
    if (!t.failed) {
        write_all(s->error_fd, t.data, t.len);
    }
    goi_text_free(&t);
}
