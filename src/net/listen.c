/* SPDX-License-Identifier: MIT */
/* listen.c: listeners and accept.
 *
 * accept(2) hands over errors of the network that concern one connection only, and those that mean
 * "not now": no descriptors, no memory. A server that ended its loop at them would be gone after a
 * burst; one that tries again at once would burn a processor while the connection stays in the
 * queue. So accept waits, 5 ms at first and twice as long each time up to a second, in a manner
 * that the close can end: on the listener's side for writing, which no event ever ends, with a
 * deadline.
 */
#include "net/internal.h"
#include <gort/time.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACK_OFF_MIN (5 * GO_MS)
#define BACK_OFF_MAX GO_SEC

struct go_listener { struct goi_sock sock; };

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

/* 0 after *delay, which is doubled; or -ECANCELED. */
static int back_off(struct goi_sock *s, go_duration *delay)
{
    go_mark mark;
    int r = go_watch_set_deadline(s->watch, GO_WRITE, go_now() + *delay);
    while (r == 0) { /* ends with the deadline */
        r = go_watch_try(s->watch, GO_WRITE, &mark);
        if (r >= 0) {
            r = go_watch_wait(s->watch, GO_WRITE, mark);
        }
    }
    *delay = 2 * *delay < BACK_OFF_MAX ? 2 * *delay : BACK_OFF_MAX;
    return r == -ETIMEDOUT ? 0 : r;
}

static int accept_fd(struct goi_sock *s)
{
    go_duration delay = BACK_OFF_MIN;
    for (;;) { /* ends with a connection, the close, or the deadline */
        go_mark mark;
        int r = go_watch_try(s->watch, GO_READ, &mark);
        if (r > 0) {
            int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd >= 0) {
                return fd;
            }
            int error = errno;
            if (of_one_connection(error)) {
                continue;
            }
            if (not_now(error)) {
                r = back_off(s, &delay);
            } else {
                r = error == EAGAIN ? go_watch_wait(s->watch, GO_READ, mark) : -error;
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
    int fd = accept_fd(&l->sock);
    r = fd >= 0 ? goi_conn_make(fd, out) : fd;
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
    return go_watch_set_deadline(l->sock.watch, GO_READ, t);
}

const char *go_listener_addr(go_listener *l) { return goi_sock_local(&l->sock); }

int go_listener_fd(go_listener *l) { return l->sock.fd; }
