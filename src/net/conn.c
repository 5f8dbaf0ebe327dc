/* SPDX-License-Identifier: MIT */
/* conn.c: streams: reading, writing, closing.
 *
 * Every call brackets its use of the descriptor with go_watch_begin and go_watch_end, so a close in
 * the middle wakes it, and the descriptor and the memory go when the last call has returned: no
 * call can meet another file under its number.
 *
 * A read that returned less than there was room for has emptied the socket's buffer; the next one
 * parks without asking (go_watch_drained). Writes are whole and one at a time: two writers do not
 * mix their bytes. A write that was ended by an error or a deadline may have sent a part.
 *
 * SIGPIPE never: sockets are written to with MSG_NOSIGNAL. write(2) and sendfile(2) have no such
 * flag, so the signal is blocked for the thread around them and taken back (sock.c).
 */
#include "net/internal.h"
#include "stack/hibernate.h" /* style: layer because buffers may lie in stacks that hibernate */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum {
    IOV_BATCH = 32,
    COPY_BYTES = 65536,
    SENDFILE_MAX = 1 << 22, /* of one call: a slow disk shall not block the thread for long */
    NAME_BYTES = 160,
};

static void destroy(go_conn *c)
{
    goi_sock_fini(&c->sock);
    free(c);
}

static void leave(go_conn *c)
{
    if (go_watch_end(c->sock.watch)) {
        destroy(c);
    }
}

int goi_conn_make(int fd, go_conn **out)
{
    *out = NULL;
    go_conn *c = calloc(1, sizeof *c);
    int r = c != NULL ? goi_sock_init(&c->sock, fd) : -ENOMEM;
    if (r != 0) {
        free(c);
        close(fd);
        return r;
    }
    *out = c;
    return 0;
}

int go_conn_open(int fd, go_conn **out)
{
    *out = NULL;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) {
        return -errno;
    }
    go_conn *c = calloc(1, sizeof *c);
    int r = c != NULL ? goi_sock_init(&c->sock, fd) : -ENOMEM;
    if (r == 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        r = -errno;
        if (go_watch_close(c->sock.watch) == 1) { /* nobody else knows it */
            go_watch_free(c->sock.watch);
        }
    }
    if (r != 0) {
        free(c);
        return r;
    }
    *out = c;
    return 0;
}

int go_pipe(go_conn **reader, go_conn **writer)
{
    int fd[2];
    *reader = NULL;
    *writer = NULL;
    if (pipe2(fd, O_NONBLOCK | O_CLOEXEC) != 0) {
        return -errno;
    }
    int r = goi_conn_make(fd[0], reader);
    if (r != 0) {
        close(fd[1]);
        return r;
    }
    r = goi_conn_make(fd[1], writer);
    if (r != 0) {
        go_conn_close(*reader);
        *reader = NULL;
    }
    return r;
}

/* ---- reading */

static ssize_t read_once(struct goi_sock *s, void *buf, size_t n)
{
    for (;;) { /* ends with data, the end of the stream, an error, the deadline or the close */
        go_mark mark;
        int r = go_watch_try(s->watch, GO_READ, &mark);
        if (r > 0) {
            ssize_t got = s->socket ? recv(s->fd, buf, n, 0) : read(s->fd, buf, n);
            if (got >= 0) {
                if (got > 0 && (size_t)got < n && s->drains) {
                    go_watch_drained(s->watch, GO_READ, mark);
                }
                return got;
            }
            if (errno == EINTR) {
                continue;
            }
            if (errno != EAGAIN) {
                /* A terminal or a pty whose other side is gone says EIO: the end, as for Go. */
                return -errno;
            }
        }
        if (r >= 0) {
            r = go_watch_wait(s->watch, GO_READ, mark);
        }
        if (r < 0) {
            return r;
        }
    }
}

/* The kernel does not bring back a stack that hibernates. A stream has lost nothing by a call that
 * failed for it; a packet would be gone. */
static ssize_t read_some(struct goi_sock *s, void *buf, size_t n)
{
    goi_a64 *kept = s->stream ? NULL : goi_hibernate_keep(buf);
    ssize_t got = read_once(s, buf, n);
    if (got == -EFAULT && kept == NULL) {
        kept = goi_hibernate_keep(buf);
        got = kept != NULL ? read_once(s, buf, n) : got;
    }
    goi_hibernate_unkeep(kept);
    return got;
}

ssize_t go_conn_read(go_conn *c, void *buf, size_t n)
{
    int r = go_watch_begin(c->sock.watch);
    if (r != 0) {
        return r;
    }
    ssize_t got = n > 0 ? read_some(&c->sock, buf, n) : 0;
    leave(c);
    return got;
}

/* ---- writing */

static ssize_t send_once(struct goi_sock *s, const struct iovec *iov, size_t n, int flags)
{
    if (s->socket) {
        struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n};
        return n == 1 ? send(s->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL | flags)
                      : sendmsg(s->fd, &m, MSG_NOSIGNAL | flags);
    }
    struct goi_quiet q;
    goi_quiet_begin(&q);
    ssize_t sent = writev(s->fd, iov, (int)n);
    goi_quiet_end(&q, sent < 0 && errno == EPIPE);
    return sent;
}

/* After a call that failed because a buffer lies in a stack that hibernates, and sent nothing. */
static ssize_t send_kept(struct goi_sock *s, const struct iovec *iov, size_t n, int flags)
{
    goi_a64 *kept[IOV_BATCH];
    for (size_t i = 0; i < n; i++) {
        kept[i] = goi_hibernate_keep(iov[i].iov_base);
    }
    ssize_t sent = send_once(s, iov, n, flags);
    int error = errno;
    for (size_t i = 0; i < n; i++) {
        goi_hibernate_unkeep(kept[i]);
    }
    errno = error;
    return sent;
}

/* Sends all of a batch, which is used up; `more` follows. 0 or -errno. */
static ssize_t send_batch(struct goi_sock *s, struct iovec *iov, size_t n, int flags)
{
    while (n > 0) { /* ends when all is sent, or as below */
        go_mark mark;
        int r = go_watch_try(s->watch, GO_WRITE, &mark);
        if (r > 0) {
            ssize_t sent = send_once(s, iov, n, flags);
            if (sent < 0 && errno == EFAULT) {
                sent = send_kept(s, iov, n, flags);
            }
            if (sent >= 0) {
                size_t left = (size_t)sent;
                while (n > 0 && left >= iov->iov_len) { /* ends: n falls */
                    left -= iov->iov_len;
                    iov++;
                    n--;
                }
                if (n > 0) {
                    iov->iov_base = (char *)iov->iov_base + left;
                    iov->iov_len -= left;
                }
                continue;
            }
            if (errno == EINTR) {
                continue;
            }
            if (errno != EAGAIN) {
                return -errno;
            }
        }
        if (r >= 0) {
            r = go_watch_wait(s->watch, GO_WRITE, mark);
        }
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* One buffer, which mostly goes out by one call. */
static ssize_t write_one(struct goi_sock *s, const char *buf, size_t n)
{
    go_mark mark;
    ssize_t sent = -1;
    if (s->socket && go_watch_try(s->watch, GO_WRITE, &mark) > 0) {
        sent = send(s->fd, buf, n, MSG_NOSIGNAL);
        if (sent == (ssize_t)n) {
            return sent;
        }
        if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != EFAULT) {
            return -errno; /* not asked again: an error is told once */
        }
    }
    size_t done = sent > 0 ? (size_t)sent : 0;
    struct iovec rest = {.iov_base = (void *)(uintptr_t)(buf + done), .iov_len = n - done};
    ssize_t r = send_batch(s, &rest, 1, 0);
    return r < 0 ? r : (ssize_t)n;
}

ssize_t go_conn_write(go_conn *c, const void *buf, size_t n)
{
    int r = go_watch_begin(c->sock.watch);
    if (r != 0) {
        return r;
    }
    go_mutex_lock(&c->writing);
    ssize_t sent = write_one(&c->sock, buf, n);
    go_mutex_unlock(&c->writing);
    leave(c);
    return sent;
}

static ssize_t write_all(struct goi_sock *s, const struct iovec *iov, size_t n)
{
    struct iovec batch[IOV_BATCH];
    size_t total = 0;
    /* A packet is one call; larger vectors than a batch are for streams. */
    if (!s->stream && n > IOV_BATCH) {
        return -EMSGSIZE;
    }
    for (size_t at = 0; at < n;) { /* ends: at grows */
        size_t k = n - at < IOV_BATCH ? n - at : IOV_BATCH;
        for (size_t i = 0; i < k; i++) {
            batch[i] = iov[at + i];
            total += iov[at + i].iov_len;
        }
        at += k;
        ssize_t r = send_batch(s, batch, k, at < n ? MSG_MORE : 0);
        if (r < 0) {
            return r;
        }
    }
    return (ssize_t)total;
}

ssize_t go_conn_writev(go_conn *c, const struct iovec *iov, int n)
{
    if (n < 0) {
        return -EINVAL;
    }
    int r = go_watch_begin(c->sock.watch);
    if (r != 0) {
        return r;
    }
    go_mutex_lock(&c->writing);
    ssize_t sent = write_all(&c->sock, iov, (size_t)n);
    go_mutex_unlock(&c->writing);
    leave(c);
    return sent;
}

/* ---- files */

struct file { int fd; off_t *offset; size_t left; };

static ssize_t send_part(int fd, void *arg)
{
    struct file *f = arg;
    struct goi_quiet q;
    /* A copy, because the caller's may lie in a stack that hibernates, and the kernel would find
     * that out when all is sent. */
    off_t at = f->offset != NULL ? *f->offset : 0;
    size_t most = f->left < SENDFILE_MAX ? f->left : SENDFILE_MAX;
    goi_quiet_begin(&q);
    ssize_t n = sendfile(fd, f->fd, f->offset != NULL ? &at : NULL, most);
    goi_quiet_end(&q, n < 0 && errno == EPIPE);
    if (n > 0 && f->offset != NULL) {
        *f->offset = at;
    }
    return n;
}

/* For what sendfile(2) refuses: what it reads must be a file with pages. */
static ssize_t copy_file(struct goi_sock *s, struct file *f)
{
    char *buf = malloc(COPY_BYTES);
    ssize_t r = buf != NULL ? 0 : -ENOMEM;
    while (r >= 0 && f->left > 0) { /* ends: left falls, or the file ends */
        size_t want = f->left < COPY_BYTES ? f->left : COPY_BYTES;
        r = f->offset != NULL ? pread(f->fd, buf, want, *f->offset) : read(f->fd, buf, want);
        if (r == 0) {
            break;
        }
        if (r < 0) {
            r = errno == EINTR ? 0 : -errno;
            continue;
        }
        struct iovec iov = {.iov_base = buf, .iov_len = (size_t)r};
        size_t got = (size_t)r;
        r = send_batch(s, &iov, 1, 0);
        if (r == 0) {
            f->left -= got;
            if (f->offset != NULL) {
                *f->offset += (off_t)got;
            }
        }
    }
    free(buf);
    return r < 0 ? r : 0;
}

static ssize_t send_file(struct goi_sock *s, struct file *f)
{
    while (f->left > 0) { /* ends: left falls, or the file ends */
        ssize_t n = goi_sock_retry(s, GO_WRITE, send_part, f);
        if (n == -EINVAL || n == -ENOSYS) {
            return copy_file(s, f);
        }
        if (n <= 0) {
            return n;
        }
        f->left -= (size_t)n;
    }
    return 0;
}

ssize_t go_conn_sendfile(go_conn *c, int fd, off_t *offset, size_t n)
{
    int r = go_watch_begin(c->sock.watch);
    if (r != 0) {
        return r;
    }
    struct file f = {.fd = fd, .offset = offset, .left = n};
    go_mutex_lock(&c->writing);
    ssize_t error = send_file(&c->sock, &f);
    go_mutex_unlock(&c->writing);
    leave(c);
    return error < 0 ? error : (ssize_t)(n - f.left);
}

/* ---- closing */

int go_conn_close(go_conn *c)
{
    int r = go_watch_close(c->sock.watch);
    if (r > 0) {
        destroy(c);
    }
    return r < 0 ? r : 0;
}

int go_conn_close_write(go_conn *c)
{
    int r = go_watch_begin(c->sock.watch);
    if (r != 0) {
        return r;
    }
    r = shutdown(c->sock.fd, SHUT_WR) == 0 ? 0 : -errno;
    leave(c);
    return r;
}

/* ---- the rest */

int go_conn_set_deadline(go_conn *c, go_time t)
{
    return go_watch_set_deadline(c->sock.watch, GO_READ | GO_WRITE, t);
}

int go_conn_set_read_deadline(go_conn *c, go_time t)
{
    return go_watch_set_deadline(c->sock.watch, GO_READ, t);
}

int go_conn_set_write_deadline(go_conn *c, go_time t)
{
    return go_watch_set_deadline(c->sock.watch, GO_WRITE, t);
}

const char *go_conn_local_addr(go_conn *c) { return goi_sock_local(&c->sock); }

const char *go_conn_remote_addr(go_conn *c)
{
    struct goi_sock *s = &c->sock;
    char text[NAME_BYTES];
    go_mutex_lock(&s->names);
    if (s->remote == NULL) {
        go_addr a = {.length = sizeof a.storage};
        if (!s->socket || getpeername(s->fd, (struct sockaddr *)&a.storage, &a.length) != 0) {
            a.length = 0;
        }
        s->remote = strdup(go_addr_format(&a, text, sizeof text));
    }
    const char *name = s->remote;
    go_mutex_unlock(&s->names);
    return name != NULL ? name : "";
}

int go_conn_fd(go_conn *c) { return c->sock.fd; }
