/* SPDX-License-Identifier: MIT */
/* listen.c: listeners and accept.
 *
 * accept(2) hands over errors of the network that concern one connection only, and those that mean
 * "not now": no descriptors, no memory. A server that ended its loop at them would be gone after a
 * burst; one that tries again at once would burn a processor while the connection stays in the
 * queue. So accept waits, 5 ms at first and twice as long each time up to a second, in a manner
 * that the close can end: on the listener's side for writing, which no event ever ends, with a
 * deadline of its own.
 *
 * The listener's deadline is one of reading and would not be seen there. So it is noted as well,
 * and who sets it ends a wait of that kind, which begins by the note, under the same mutex.
 */
#include "net/internal.h"
#include <gort/time.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACK_OFF_MIN (5 * GO_MS)
#define BACK_OFF_MAX GO_SEC

struct go_listener {
    struct goi_sock sock;
    go_mutex mu;
    go_time deadline;   /* [l:mu] and with it the one for writing */
};

static void destroy(go_listener *l)
{
    goi_sock_fini(&l->sock);
    free(l);
}

int go_listen(const char *network, const char *address, go_listener **out)
{
    char *path;
    *out = NULL;
    int fd = goi_bind(network, SOCK_STREAM, address, &path);
    if (fd < 0) {
        return fd;
    }
    go_listener *l = calloc(1, sizeof *l);
    int r = l != NULL ? goi_sock_init(&l->sock, fd) : -ENOMEM;
    if (r != 0) {
        free(path);
        free(l);
        close(fd);
        return r;
    }
    l->sock.unlink = path;
    l->deadline = GO_FOREVER;
    *out = l;
    return 0;
}

/* Errors of a connection that is gone again, or of its network (accept(2)). */
static bool of_one_connection(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
        return true;
    default:
        return false;
    }
}

static bool not_now(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* 0 after *delay, which is doubled, or at the listener's deadline; or -ECANCELED. */
static int back_off(go_listener *l, go_duration *delay)
{
    go_watch *w = l->sock.watch;
    go_mutex_lock(&l->mu);
    go_time end = go_now() + *delay;
    int r = go_watch_set_deadline(w, GO_WRITE, end < l->deadline ? end : l->deadline);
    go_mutex_unlock(&l->mu);
    while (r == 0) { /* ends with the deadline */
        go_mark mark;
        r = go_watch_try(w, GO_WRITE, &mark);
        if (r >= 0) {
            r = go_watch_wait(w, GO_WRITE, mark);
        }
    }
    *delay = 2 * *delay < BACK_OFF_MAX ? 2 * *delay : BACK_OFF_MAX;
    return r == -ETIMEDOUT ? 0 : r;
}

/* A connection, or what accept(2) says, as a negative number. */
static int accept_one(struct goi_sock *s, go_conn **out)
{
    int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd >= 0 ? goi_conn_make(fd, out) : -errno;
}

static int accept_any(go_listener *l, go_conn **out)
{
    struct goi_sock *s = &l->sock;
    go_duration delay = BACK_OFF_MIN;
    for (;;) { /* ends with a connection, the close, or the deadline */
        go_mark mark;
        int r = go_watch_try(s->watch, GO_READ, &mark);
        if (r > 0) {
            r = accept_one(s, out);
            if (r == 0) {
                return 0;
            }
            if (of_one_connection(-r)) {
                continue;
            }
            if (not_now(-r)) {
                r = back_off(l, &delay);
            } else if (r == -EAGAIN) {
                r = go_watch_wait(s->watch, GO_READ, mark);
            }
        }
        if (r < 0) {
            return r;
        }
    }
}

int go_accept(go_listener *l, go_conn **out)
{
    *out = NULL;
    int r = go_watch_begin(l->sock.watch);
    if (r != 0) {
        return r;
    }
    r = accept_any(l, out);
    if (go_watch_end(l->sock.watch)) {
        destroy(l);
    }
    return r;
}

int go_listener_close(go_listener *l)
{
    int r = go_watch_close(l->sock.watch);
    if (r > 0) {
        destroy(l);
    }
    return r < 0 ? r : 0;
}

int go_listener_set_deadline(go_listener *l, go_time t)
{
    go_mutex_lock(&l->mu);
    int r = go_watch_set_deadline(l->sock.watch, GO_READ, t);
    l->deadline = t;
    r = r == 0 ? go_watch_set_deadline(l->sock.watch, GO_WRITE, go_now()) : r;
    go_mutex_unlock(&l->mu);
    return r;
}

const char *go_listener_addr(go_listener *l) { return goi_sock_local(&l->sock); }

int go_listener_fd(go_listener *l) { return l->sock.fd; }
