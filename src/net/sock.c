/* SPDX-License-Identifier: MIT */
/* sock.c: what connections, listeners and packet sockets have in common. */
#include "net/internal.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 65535 /* the kernel has its own limit */, KEEP_ALIVE_S = 15, NAME_BYTES = 160 };

static const struct goi_network networks[] = {
    {"tcp", AF_UNSPEC, SOCK_STREAM},  {"tcp4", AF_INET, SOCK_STREAM},
    {"tcp6", AF_INET6, SOCK_STREAM},  {"udp", AF_UNSPEC, SOCK_DGRAM},
    {"udp4", AF_INET, SOCK_DGRAM},    {"udp6", AF_INET6, SOCK_DGRAM},
    {"unix", AF_UNIX, SOCK_STREAM},   {"unixgram", AF_UNIX, SOCK_DGRAM},
};

const struct goi_network *goi_network_of(const char *name)
{
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        if (name != NULL && strcmp(name, networks[i].name) == 0) {
            return &networks[i];
        }
    }
    return NULL;
}

/* Does a read that gives less than was asked for say that there is no more? Of TCP. A terminal
 * gives a line, a pipe may carry packets (its reader cannot tell), and a unix socket stops where a
 * descriptor or other credentials have been passed; what lies behind it brings no new edge. */
static bool drains(const struct goi_sock *s)
{
    int protocol = 0;
    socklen_t n = sizeof protocol;
    return s->socket && s->stream &&
           getsockopt(s->fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n) == 0 &&
           protocol == IPPROTO_TCP;
}

int goi_sock_init(struct goi_sock *s, int fd)
{
    int type = 0;
    socklen_t n = sizeof type;
    memset(s, 0, sizeof *s);
    s->fd = fd;
    s->socket = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0;
    s->stream = !s->socket || type == SOCK_STREAM;
    s->drains = drains(s);
    return go_watch_open(fd, &s->watch);
}

void goi_sock_fini(struct goi_sock *s)
{
    if (s->unlink != NULL) {
        unlink(s->unlink);
    }
    close(s->fd);
    go_watch_free(s->watch);
    free(s->unlink);
    free(s->local);
    free(s->remote);
}

ssize_t goi_sock_retry(struct goi_sock *s, int event, goi_sock_call call, void *arg)
{
    for (;;) { /* ends with the call, the deadline or the close */
        go_mark mark;
        int r = go_watch_try(s->watch, event, &mark);
        if (r > 0) {
            ssize_t n = call(s->fd, arg);
            if (n >= 0 || (errno != EAGAIN && errno != EINTR)) {
                return n >= 0 ? n : -errno;
            }
            if (errno == EINTR) {
                continue;
            }
        }
        if (r >= 0) {
            r = go_watch_wait(s->watch, event, mark);
        }
        if (r < 0) {
            return r;
        }
    }
}

const char *goi_sock_local(struct goi_sock *s)
{
    char text[NAME_BYTES];
    go_mutex_lock(&s->names);
    if (s->local == NULL) {
        go_addr a = {.length = sizeof a.storage};
        if (!s->socket || getsockname(s->fd, (struct sockaddr *)&a.storage, &a.length) != 0) {
            a.length = 0;
        }
        s->local = strdup(go_addr_format(&a, text, sizeof text));
    }
    const char *name = s->local;
    go_mutex_unlock(&s->names);
    return name != NULL ? name : "";
}

/* Accepted connections inherit all of these from their listener, so they cost nothing there. */
static void set_options(int fd, const struct goi_network *net, int family)
{
    const int on = 1;
    const int seconds = KEEP_ALIVE_S;
    if (family == AF_UNIX || net->type != SOCK_STREAM) {
        return;
    }
    /* None of them is worth failing for. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

int goi_socket(const struct goi_network *net, int family)
{
    int fd = socket(family, net->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    set_options(fd, net, family);
    return fd;
}

static int bind_one(const struct goi_network *net, const go_addr *a)
{
    const struct sockaddr *sa = (const struct sockaddr *)&a->storage;
    int on = 1;
    int fd = goi_socket(net, sa->sa_family);
    if (fd < 0) {
        return fd;
    }
    if (sa->sa_family != AF_UNIX && net->type == SOCK_STREAM) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    if (sa->sa_family == AF_INET6) { /* "tcp" and "udp" take both families, "tcp6" its own */
        on = net->family == AF_INET6;
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    if (bind(fd, sa, a->length) != 0 || (net->type == SOCK_STREAM && listen(fd, BACKLOG) != 0)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

/* The path of a named unix socket, copied; NULL: none. */
static char *unix_path(const go_addr *a)
{
    const struct sockaddr_un *u = (const struct sockaddr_un *)&a->storage;
    if (u->sun_family != AF_UNIX || u->sun_path[0] == '\0') {
        return NULL;
    }
    return strndup(u->sun_path, sizeof u->sun_path);
}

int goi_bind(const char *network, int type, const char *address, char **path)
{
    const struct goi_network *net = goi_network_of(network);
    int r = 0;
    *path = NULL;
    if (net == NULL || net->type != type) {
        return -EAFNOSUPPORT;
    }
    go_addrs *all = goi_resolve_new(NULL, net, address, true, &r);
    if (all == NULL) {
        return r;
    }
    int fd = -EHOSTUNREACH;
    for (size_t i = 0; i < all->count && fd < 0 && fd != -EADDRINUSE; i++) {
        fd = bind_one(net, &all->addr[i]);
        if (fd >= 0) {
            *path = unix_path(&all->addr[i]);
        }
    }
    free(all);
    return fd;
}

void goi_quiet_begin(struct goi_quiet *q)
{
    sigset_t pipe;
    sigset_t pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigset_t before;
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    /* Pending or blocked already: it is somebody's, and stays as it is. */
    q->masked = sigismember(&before, SIGPIPE) == 0 && sigismember(&pending, SIGPIPE) == 0;
    if (!q->masked && sigismember(&before, SIGPIPE) == 0) {
        pthread_sigmask(SIG_UNBLOCK, &pipe, NULL);
    }
}

void goi_quiet_end(struct goi_quiet *q, bool broken_pipe)
{
    const struct timespec at_once = {0, 0};
    sigset_t pipe;
    if (!q->masked) {
        return;
    }
    int saved = errno;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (broken_pipe) {
        (void)sigtimedwait(&pipe, NULL, &at_once); /* ours, raised by the call in this thread */
    }
    pthread_sigmask(SIG_UNBLOCK, &pipe, NULL);
    errno = saved;
}

static void expire(struct goi_tie *t)
{
    (void)go_watch_set_deadline(t->watch, t->event, 0);
    go_wg_done(&t->called);
}

int goi_tie_begin(struct goi_tie *t, go_ctx *ctx, go_watch *w, int event)
{
    *t = (struct goi_tie){.watch = w, .event = event};
    if (ctx == NULL || go_ctx_done(ctx) == NULL) {
        return 0;
    }
    go_wg_add(&t->called, 1);
    t->after = go_ctx_after_func(ctx, expire, t);
    return t->after != NULL ? 0 : -ENOMEM;
}

void goi_tie_end(struct goi_tie *t)
{
    if (t->after != NULL && !go_ctx_after_stop(t->after)) {
        go_wg_wait(&t->called); /* it is under way, and knows the watch */
    }
}
