/* SPDX-License-Identifier: MIT */
/* stream.c: bytes in and out of a connection, plain or through TLS, with cheap deadlines.
 *
 * Every read has a deadline and nearly none passes. Setting one costs a call and the work of a
 * timer, so the one that stands in the connection is left alone as long as it is not later than the
 * one that is wanted: when it fires too early, the reader sees by the clock that his own has not
 * passed, sets that, and reads on. A connection that is never idle for two minutes sets a deadline
 * once in two minutes.
 *
 *   T1  A read gives -ETIMEDOUT only when its own deadline has passed. (raw_read_again)
 *   T2  A write that fails has written an unknown part, so it cannot be tried again: its deadline
 *       is never earlier than wanted, and up to half of the timeout later. (arm_write)
 *   T3  The draining wakes readers by a deadline in the past, after its context has ended. So a
 *       reader looks at the context after every deadline he sets, and no wake-up is lost.
 *       (goi_stream_raw_read)
 */
#include "internal.h"

#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>

go_time goi_stream_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (go_time)t.tv_sec * GO_SEC + t.tv_nsec;
}

static void arm_read(struct conn *c, go_time until)
{
    c->read_armed = until;
    go_conn_set_read_deadline(c->net, until);
}

/* A deadline has fired: whose was it? True to read on. */
static bool raw_read_again(struct conn *c, go_time until, bool idle)
{
    if (until != GO_FOREVER && go_now() >= until) {
        return false; /* T1 */
    }
    arm_read(c, until);
    return !(idle && goi_server_drains(c->server));
}

ssize_t goi_stream_raw_read(struct conn *c, char *buf, size_t n, go_time until, bool idle)
{
    if (c->read_armed > until) {
        arm_read(c, until);
    }
    if (idle && goi_server_drains(c->server)) {
        return -ECANCELED; /* T3 */
    }
    for (;;) {
        ssize_t r = go_conn_read(c->net, buf, n);
        if (r != -ETIMEDOUT) {
            return r;
        }
        if (!raw_read_again(c, until, idle)) {
            return idle && goi_server_drains(c->server) ? -ECANCELED : -ETIMEDOUT;
        }
    }
}

/* T2 */
static void arm_write(struct conn *c)
{
    go_duration timeout = c->server->o.write_timeout;
    if (timeout == GO_FOREVER) {
        return;
    }
    go_time now = goi_stream_now();
    if (c->write_armed == GO_FOREVER || c->write_armed - now < timeout) {
        c->write_armed = goi_after_now(now, timeout + timeout / 2);
        go_conn_set_write_deadline(c->net, c->write_armed);
    }
}

static int broken(struct conn *c, ssize_t r)
{
    c->broken = true;
    return (int)r;
}

/* The vectors from *at on that make up one piece; the last is cut, and *cut is how much of it. */
static int piece(struct iovec *v, int n, size_t *cut)
{
    size_t sum = 0;
    for (int i = 0; i < n; i++) {
        if (sum + v[i].iov_len > GOI_WRITE_PIECE) {
            *cut = GOI_WRITE_PIECE - sum;
            return i;
        }
        sum += v[i].iov_len;
    }
    *cut = 0;
    return n;
}

int goi_stream_raw_write(struct conn *c, struct iovec *v, int n)
{
    while (n > 0) {
        arm_write(c);
        if (n == 1 && v->iov_len <= GOI_WRITE_PIECE) {
            ssize_t r = go_conn_write(c->net, v->iov_base, v->iov_len);
            return r < 0 ? broken(c, r) : 0;
        }
        size_t cut;
        int whole = piece(v, n, &cut);
        size_t rest = cut > 0 ? v[whole].iov_len - cut : 0;
        if (cut > 0) {
            v[whole].iov_len = cut;
        }
        ssize_t r = go_conn_writev(c->net, v, whole + (cut > 0));
        if (r < 0) {
            return broken(c, r);
        }
        v += whole;
        n -= whole;
        if (cut > 0) {
            v->iov_base = (char *)v->iov_base + cut;
            v->iov_len = rest;
        }
    }
    return 0;
}

ssize_t goi_stream_read(struct conn *c, char *buf, size_t n, go_time until, bool idle)
{
    if (c->tls != NULL) {
        return goi_tls_read(c->tls, buf, n, until, idle);
    }
    return goi_stream_raw_read(c, buf, n, until, idle);
}

int goi_stream_write(struct conn *c, struct iovec *v, int n)
{
    if (c->tls == NULL) {
        return goi_stream_raw_write(c, v, n);
    }
    int r = 0;
    for (int i = 0; i < n && r == 0; i++) {
        r = goi_tls_write(c->tls, v[i].iov_base, v[i].iov_len);
    }
    return r < 0 ? broken(c, r) : 0;
}

/* Through TLS the file passes through memory. */
static int sendfile_tls(struct conn *c, int fd, int64_t offset, int64_t n)
{
    struct exchange *x = c->x;
    while (n > 0) {
        size_t want = n < GOI_BODY_BUFFERED ? (size_t)n : GOI_BODY_BUFFERED;
        ssize_t r = pread(fd, x->out, want, offset);
        if (r <= 0) {
            return broken(c, r < 0 ? -errno : -EIO);
        }
        int e = goi_tls_write(c->tls, x->out, (size_t)r);
        if (e < 0) {
            return broken(c, e);
        }
        offset += r;
        n -= r;
    }
    return 0;
}

int goi_stream_sendfile(struct conn *c, int fd, int64_t offset, int64_t n)
{
    if (c->tls != NULL) {
        return sendfile_tls(c, fd, offset, n);
    }
    off_t at = offset;
    while (n > 0) {
        arm_write(c);
        size_t want = n < GOI_WRITE_PIECE ? (size_t)n : GOI_WRITE_PIECE;
        ssize_t r = go_conn_sendfile(c->net, fd, &at, want);
        if (r <= 0) {
            return broken(c, r < 0 ? r : -EIO);
        }
        n -= r;
    }
    return 0;
}
