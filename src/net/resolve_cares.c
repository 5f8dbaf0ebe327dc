/* SPDX-License-Identifier: MIT */
/* resolve_cares.c: names by c-ares, which says what it waits for, so that no thread is held.
 *
 * A lookup has a channel (c-ares' word for a resolver) of its own and runs in the goroutine that
 * asked. c-ares tells by a callback which of its sockets it waits for and how; they are members of
 * an epoll descriptor, and that one is watched as a connection would be. Its deadline is when
 * c-ares wants to repeat a question; the end of the context is a deadline in the past (goi_tie).
 *
 *   Q1  A channel is used by one goroutine, and no call into c-ares parks. (drive)
 *   Q2  The deadline is set before the context is looked at: a context that ends before the look is
 *       seen by it, one that ends after it finds the deadline in place and moves it. (drive)
 *   Q3  ares_destroy ends what is under way, by its callback, and closes all sockets. (finish)
 *
 * c-ares has the file hosts, the search list, a second question by TCP when an answer was cut off,
 * and the order of RFC 6724. What it has not is in resolve_conf.c.
 *
 * Rejected: one channel for all, under a lock, with a goroutine of its own. All questions would
 * leave from one port, which makes answers easier to forge; a change of resolv.conf would have to
 * be noticed; and each answer would take two switches. To make a channel is to read four files of
 * /etc, which a lookup over the network hides.
 *
 * A lookup has two descriptors, mostly; LOOKUPS of them fit into the usual limit of 1,024.
 */
#define CARES_NO_DEPRECATED /* newer ones add calls beside those of 1.18 */
#include "net/internal.h"
#include "net/resolve.h"
#include <ares.h>
#include <assert.h>
#include <gort/go.h>
#include <gort/time.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { LOOKUPS = 256, EVENTS = 8 };

const bool goi_have_cares = true;

struct query {
    ares_channel channel;
    int set;                /* the sockets, once there is one; or -1 */
    go_watch *watch;        /* of the set */
    go_addrs *out;
    bool over;              /* c-ares has said how it went */
    int error;
};

static go_once library;
static go_sem turns = {.size = LOOKUPS};

static void library_open(void) { (void)ares_library_init(ARES_LIB_INIT_ALL); }

/* ---- what c-ares calls */

static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct query *q = arg;
    struct epoll_event e = {.data.fd = fd};
    e.events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
    if (q->set < 0) {
        q->set = epoll_create1(EPOLL_CLOEXEC);
    }
    int r;
    if (!readable && !writable) {
        (void)epoll_ctl(q->set, EPOLL_CTL_DEL, fd, NULL);
        return;
    }
    r = epoll_ctl(q->set, EPOLL_CTL_MOD, fd, &e);
    if (r != 0 && errno == ENOENT) {
        r = epoll_ctl(q->set, EPOLL_CTL_ADD, fd, &e);
    }
    if (r != 0 && q->error == 0) {
        q->error = q->set < 0 ? -EMFILE : -errno;
    }
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *list)
{
    struct query *q = arg;
    (void)timeouts;
    q->over = true;
    if (status != ARES_SUCCESS) {
        q->error = status == ARES_ENOMEM ? -ENOMEM : -EHOSTUNREACH;
        return;
    }
    for (const struct ares_addrinfo_node *a = list->nodes; a != NULL; a = a->ai_next) {
        bool ip = a->ai_family == AF_INET || a->ai_family == AF_INET6;
        if (ip && q->out->count < GO_ADDRS_MAX) {
            go_addr *to = &q->out->addr[q->out->count++];
            memset(to, 0, sizeof *to);
            memcpy(&to->storage, a->ai_addr, a->ai_addrlen);
            to->length = a->ai_addrlen;
        }
    }
    q->error = q->out->count > 0 ? 0 : -EHOSTUNREACH;
    ares_freeaddrinfo(list);
}

/* ---- one lookup */

static int open_channel(struct query *q, const struct goi_dns *dns)
{
    struct ares_options o = {.timeout = dns->timeout_ms, .tries = dns->tries};
    o.sock_state_cb = on_socket;
    o.sock_state_cb_data = q;
    int r = ares_init_options(&q->channel, &o,
                              ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (r != ARES_SUCCESS) {
        q->channel = NULL;
    } else if (dns->servers != NULL) {
        r = ares_set_servers_ports_csv(q->channel, dns->servers);
    }
    return r == ARES_SUCCESS ? 0 : r == ARES_ENOMEM ? -ENOMEM : -EHOSTUNREACH;
}

/* Parks until a socket is ready: how many; 0: the deadline has passed; or an error. */
static int wait_ready(struct query *q, struct epoll_event *e)
{
    for (;;) { /* ends with an event, the deadline, or an error */
        go_mark mark;
        int r = go_watch_try(q->watch, GO_READ, &mark);
        int n = r == 1 ? epoll_wait(q->set, e, EVENTS, 0) : 0;
        if (n > 0) {
            return n;
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        if (r >= 0) {
            r = go_watch_wait(q->watch, GO_READ, mark);
        }
        if (r < 0) {
            return r == -ETIMEDOUT ? 0 : r;
        }
    }
}

static go_time repeat_at(struct query *q)
{
    struct timeval tv;
    const struct timeval *left = ares_timeout(q->channel, NULL, &tv);
    return left != NULL ? go_now() + left->tv_sec * GO_SEC + left->tv_usec * GO_US : GO_FOREVER;
}

static void process(struct query *q, const struct epoll_event *e)
{
    const uint32_t bad = EPOLLERR | EPOLLHUP;
    ares_socket_t in = (e->events & (EPOLLIN | bad)) != 0 ? e->data.fd : ARES_SOCKET_BAD;
    ares_socket_t out = (e->events & (EPOLLOUT | bad)) != 0 ? e->data.fd : ARES_SOCKET_BAD;
    ares_process_fd(q->channel, in, out);
}

static int drive(struct query *q, go_ctx *ctx)
{
    struct epoll_event e[EVENTS];
    while (!q->over && q->error == 0) { /* ends: c-ares repeats each question only so often */
        int r = go_watch_set_deadline(q->watch, GO_READ, repeat_at(q)); /* Q2 */
        if (r == 0 && ctx != NULL) {
            r = go_ctx_err(ctx);
        }
        int n = r == 0 ? wait_ready(q, e) : r;
        if (n < 0) {
            return n;
        }
        if (n == 0) {
            ares_process_fd(q->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        }
        for (int i = 0; i < n; i++) {
            process(q, &e[i]); /* c-ares leaves alone what it has closed meanwhile */
        }
    }
    return q->error;
}

/* Until the answer has come, or why it has not. */
static int wait_answer(struct query *q, go_ctx *ctx)
{
    struct goi_tie tie;
    if (q->over || q->error != 0) { /* from the file hosts, or there is nobody to ask */
        return q->error;
    }
    int r = go_watch_open(q->set, &q->watch);
    if (r == 0) {
        r = go_watch_begin(q->watch);
    }
    if (r == 0) {
        r = goi_tie_begin(&tie, ctx, q->watch, GO_READ);
    }
    if (r == 0) {
        r = drive(q, ctx);
        goi_tie_end(&tie);
    }
    return r;
}

static void finish(struct query *q)
{
    if (q->channel != NULL) {
        ares_destroy(q->channel); /* Q3 */
    }
    if (q->watch != NULL) {
        int in_use = go_watch_close(q->watch);
        bool last = go_watch_end(q->watch);
        assert(in_use == 0 && last); /* nobody else has ever seen it */
        (void)in_use;
        (void)last;
    }
    if (q->set >= 0) {
        close(q->set);
    }
    if (q->watch != NULL) {
        go_watch_free(q->watch);
    }
}

int goi_resolve_cares(go_ctx *ctx, const struct goi_dns *dns, const char *name, go_addrs *out)
{
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct query q = {.set = -1, .out = out};
    out->count = 0;
    go_once_call(&library, library_open);
    int r = go_sem_acquire(ctx, &turns, 1);
    if (r != 0) {
        return r;
    }
    r = open_channel(&q, dns);
    if (r == 0) {
        ares_getaddrinfo(q.channel, name, NULL, &hints, on_answer, &q);
        r = wait_answer(&q, ctx);
    }
    finish(&q);
    go_sem_release(&turns, 1);
    if (r != 0) {
        out->count = 0;
    }
    return r;
}
