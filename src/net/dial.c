/* SPDX-License-Identifier: MIT */
/* dial.c: connecting: one address, and several at once (happy eyeballs).
 *
 * A name often has addresses of both families of which one does not work: nobody answers, and a
 * connect waits for two minutes. RFC 8305: the addresses are put in an order in which the families
 * take turns, beginning with the one that the resolver prefers; each attempt begins when the last
 * one has failed, or 300 ms after it began; the first that succeeds wins and the others end.
 *
 * Each attempt is a goroutine with a context of the race. Its result goes to a channel with room
 * for all, and the dialler stays until the last has come: nothing is left behind when it returns.
 * That does not take long, because the end of a context wakes an attempt by a deadline in the past.
 *
 * A single address needs none of that and is connected in place.
 *
 *   L1  Every attempt sends exactly one result.                     (attempt)
 *   L2  The dialler receives as many results as it made attempts.   (race)
 */
#include "net/internal.h"
#include <gort/go.h>
#include <gort/select.h>
#include <gort/time.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SELF_TRIES = 3 };
#define HEAD_START (300 * GO_MS)
#define FULL_MAX (20 * GO_MS)

struct outcome { go_conn *conn; int error; };

/* ---- one address */

struct target { const struct sockaddr *addr; socklen_t length; };

/* Asked again, connect says how the first call went. */
static ssize_t ask(int fd, void *arg)
{
    const struct target *t = arg;
    int r = connect(fd, t->addr, t->length);
    if (r != 0 && (errno == EINPROGRESS || errno == EALREADY || errno == EINTR)) {
        errno = EAGAIN;
    } else if (r != 0 && errno == EISCONN) {
        r = 0;
    }
    return r;
}

/* Waits for a connect that has begun. The connection is the result; on error fd has been closed. */
static int wait_connected(go_ctx *ctx, int fd, struct target *t, go_conn **out)
{
    struct goi_tie tie;
    int r = goi_conn_make(fd, out);
    if (r != 0) {
        return r;
    }
    r = goi_tie_begin(&tie, ctx, (*out)->sock.watch, GO_WRITE);
    if (r == 0) {
        r = (int)goi_sock_retry(&(*out)->sock, GO_WRITE, ask, t);
        goi_tie_end(&tie);
        if (r == 0) {
            r = go_conn_set_deadline(*out, GO_FOREVER);
        }
    }
    if (r != 0) {
        int ended = ctx != NULL ? go_ctx_err(ctx) : 0;
        go_conn_close(*out);
        *out = NULL;
        return ended != 0 ? ended : r;
    }
    return 0;
}

/* A free port of this machine may be picked for both ends at once: TCP then meets itself. */
static bool met_itself(int fd, const struct goi_network *net)
{
    go_addr local = {.length = sizeof local.storage};
    go_addr remote = {.length = sizeof remote.storage};
    return net->type == SOCK_STREAM && net->family != AF_UNIX &&
           getsockname(fd, (struct sockaddr *)&local.storage, &local.length) == 0 &&
           getpeername(fd, (struct sockaddr *)&remote.storage, &remote.length) == 0 &&
           local.length == remote.length &&
           memcmp(&local.storage, &remote.storage, local.length) == 0;
}

static int connect_once(go_ctx *ctx, const struct goi_network *net, const go_addr *a, go_conn **out)
{
    struct target t = {.addr = (const struct sockaddr *)&a->storage, .length = a->length};
    int fd = goi_socket(net, a->storage.ss_family);
    *out = NULL;
    if (fd < 0) {
        return fd;
    }
    if (connect(fd, t.addr, t.length) == 0) {
        return goi_conn_make(fd, out);
    }
    int error = errno;
    if (error != EINPROGRESS && error != EINTR) {
        close(fd);
        return -error;
    }
    return wait_connected(ctx, fd, &t, out);
}

static int connect_one(go_ctx *ctx, const struct goi_network *net, const go_addr *a, go_conn **out)
{
    go_duration delay = GO_MS;
    for (int i = 0;;) { /* ends as below, or with the context */
        int r = ctx != NULL ? go_ctx_err(ctx) : 0;
        if (r == 0) {
            r = connect_once(ctx, net, a, out);
        }
        if (r == 0 && met_itself((*out)->sock.fd, net)) {
            go_conn_close(*out);
            *out = NULL;
            if (++i == SELF_TRIES) {
                return -ECONNREFUSED;
            }
        } else if (r == -EAGAIN && net->family == AF_UNIX) {
            /* The listener's queue is full, and a unix socket does not say when it is not. */
            go_sleep(delay);
            delay = 2 * delay < FULL_MAX ? 2 * delay : FULL_MAX;
        } else {
            return r;
        }
    }
}

/* ---- several */

struct race {
    go_ctx *ctx;
    const struct goi_network *net;
    const go_addr *order[GO_ADDRS_MAX];
    go_chan(struct outcome) results;
};

static void attempt(struct race *r, const go_addr *a)
{
    struct outcome o = {0};
    o.error = connect_one(r->ctx, r->net, a, &o.conn);
    go_chan_send(r->results, o); /* L1 */
}

/* The resolver's order, but the families take turns. */
static void interleave(const go_addrs *all, const go_addr **order)
{
    size_t next[2] = {0, 0};
    int first = all->addr[0].storage.ss_family;
    size_t n = 0;
    for (int turn = 0; n < all->count; turn = !turn) { /* ends: two turns take at least one */
        size_t *at = &next[turn];
        while (*at < all->count && (all->addr[*at].storage.ss_family == first) != (turn == 0)) {
            ++*at;
        }
        if (*at < all->count) {
            order[n++] = &all->addr[(*at)++];
        }
    }
}

/* L2. The winner's connection, or the error of the attempt that failed first. */
static int race(struct race *r, size_t count, go_conn **out)
{
    size_t started = 0;
    size_t ended = 0;
    int error = 0;
    go_time next = 0;
    while (ended < started || (*out == NULL && started < count)) { /* ends: both are bounded */
        struct outcome o;
        bool more = *out == NULL && started < count && go_ctx_err(r->ctx) == 0;
        if (more && (ended == started || go_now() >= next)) {
            go_spawn(attempt, r, r->order[started++]);
            next = go_now() + HEAD_START;
            continue;
        }
        if (!more && ended == started) {
            break;
        }
        if (go_chan_recv_until(r->results, &o, more ? next : GO_FOREVER) != 0) {
            continue;
        }
        ended++;
        if (o.conn != NULL && *out == NULL) {
            *out = o.conn;
            go_ctx_cancel(r->ctx);
        } else if (o.conn != NULL) {
            go_conn_close(o.conn);
        } else if (error == 0) {
            error = o.error;
        }
        next = 0; /* after a failure the next one need not wait */
    }
    return *out != NULL ? 0 : error;
}

int goi_dial_addrs(go_ctx *ctx, const struct goi_network *net, const go_addrs *all, go_conn **out)
{
    *out = NULL;
    if (all->count == 1) {
        return connect_one(ctx, net, &all->addr[0], out);
    }
    struct race r = {.net = net};
    r.ctx = go_ctx_with_cancel(ctx != NULL ? ctx : go_ctx_background());
    r.results = go_chan_make(struct outcome, GO_ADDRS_MAX);
    int error = -ENOMEM;
    if (r.ctx != NULL && r.results != NULL) {
        interleave(all, r.order);
        error = race(&r, all->count, out);
    }
    go_chan_free(r.results);
    go_ctx_free(r.ctx);
    int over = ctx != NULL && error != 0 ? go_ctx_err(ctx) : 0;
    return over != 0 ? over : error;
}

int go_dial(go_ctx *ctx, const char *network, const char *address, go_conn **out)
{
    const struct goi_network *net = goi_network_of(network);
    int r;
    *out = NULL;
    if (net == NULL) {
        return -EAFNOSUPPORT;
    }
    go_addrs *all = goi_resolve_new(ctx, net, address, false, &r);
    if (all != NULL) {
        r = goi_dial_addrs(ctx, net, all, out);
        free(all);
    }
    return r;
}
