/* SPDX-License-Identifier: MIT */
/* server.c: accepting, and the end of a server.
 *
 * The end has two contexts. `drain` ends first, with the caller's context or with the listener:
 * then the listener is closed, connections that wait for a request are woken and go, and each one
 * that is at work goes after its present request. `force` ends when that has taken too long: it is
 * the parent of the requests' contexts, and the sockets of those that are left are shut down, which
 * ends whatever they wait for. A handler that hears of neither keeps its memory
 * alive: the server is freed by whoever leaves last.
 *
 *   V1  A connection in the list has an open descriptor. (goi_server_unlink before the close)
 *   V2  drain has ended before idle connections are woken, so one that is not idle yet sees it
 *       before it waits. (T3 in stream.c)
 *   V3  Only the goroutine that accepts closes the listener; stop() wakes it. (go_http_serve)
 */
#include "internal.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <gort/select.h>

/* ---- exchanges ------------------------------------------------------------------------------ */

static void exchange_free(void *object)
{
    struct exchange *x = object;
    goi_text_free(&x->scratch);
    goi_text_free(&x->res.headers);
    free(x);
}

struct exchange *goi_exchange_get(struct server *s)
{
    struct exchange *x = go_pool_get(&s->exchanges);
    if (x == NULL) {
        x = malloc(sizeof *x);
        if (x != NULL) {
            /* The buffers need no zeros, and are most of it. */
            memset(x, 0, offsetof(struct exchange, req));
            memset(&x->req, 0, offsetof(struct go_http_request, match));
            memset(&x->res, 0, sizeof x->res);
            memset(&x->known, 0, offsetof(struct known_head, raw));
        }
    }
    return x;
}

void goi_exchange_put(struct server *s, struct exchange *x)
{
    /* A large answer's text is not kept for small ones. */
    if (x->scratch.cap > GOI_BODY_BUFFERED) {
        goi_text_free(&x->scratch);
    }
    go_pool_put(&s->exchanges, x);
}

/* ---- the server ----------------------------------------------------------------------------- */

static go_duration limit_time(go_duration d, go_duration otherwise)
{
    return d == 0 ? otherwise : d < 0 ? GO_FOREVER : d;
}

static int64_t limit_bytes(int64_t n, int64_t otherwise, int64_t most)
{
    n = n == 0 ? otherwise : n;
    return n < 0 || n > most ? most : n;
}

static void set_options(struct server *s, const go_http_options *options)
{
    go_http_options *o = &s->o;
    if (options != NULL) {
        *o = *options;
    }
    /* Positions in a head have 32 bits. */
    o->max_header_bytes = limit_bytes(o->max_header_bytes, 64 << 10, 1 << 30);
    o->max_body_bytes = limit_bytes(o->max_body_bytes, 16 << 20, INT64_MAX);
    o->read_header_timeout = limit_time(o->read_header_timeout, 10 * GO_SEC);
    o->read_timeout = limit_time(o->read_timeout, 5 * GO_MIN);
    o->write_timeout = limit_time(o->write_timeout, 30 * GO_SEC);
    o->idle_timeout = limit_time(o->idle_timeout, 2 * GO_MIN);
    o->drain_timeout = limit_time(o->drain_timeout, 30 * GO_SEC);
    s->error_fd = o->error_log > 0 ? o->error_log : 2;
    s->slots.size = o->max_connections > 0 ? o->max_connections : 0;
}

/* One reference less; the last one frees. Called with mu held, which is released. */
static void release_locked(struct server *s)
{
    int refs = --s->refs;
    go_mutex_unlock(&s->mu);
    if (refs > 0) {
        return;
    }
    go_pool_clear(&s->exchanges);
    goi_tls_server_free(s->tls);
    goi_log_free(s->log);
    go_http_mux_free(s->mux);
    go_ctx_free(s->drain);
    go_ctx_free(s->force);
    free(s);
}

void goi_server_unlink(struct conn *c)
{
    struct server *s = c->server;
    go_mutex_lock(&s->mu);
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        s->conns = c->next;
    }
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    go_mutex_unlock(&s->mu);
}

void goi_server_leave(struct conn *c)
{
    struct server *s = c->server;
    free(c);
    if (s->o.max_connections > 0) {
        go_sem_release(&s->slots, 1);
    }
    go_mutex_lock(&s->mu);
    s->count--;
    if (s->count == 0) {
        go_cond_broadcast(&s->empty);
    }
    release_locked(s);
}

/* ---- connections ---------------------------------------------------------------------------- */

static void start(struct server *s, go_conn *net)
{
    struct conn *c = malloc(sizeof *c);
    if (c == NULL) {
        go_conn_close(net);
        return;
    }
    memset(c, 0, offsetof(struct conn, idle_in));
    c->server = s;
    c->net = net;
    c->in = c->idle_in;
    c->in_size = sizeof c->idle_in;
    c->read_armed = c->write_armed = GO_FOREVER;
    if (s->tls != NULL) {
        c->tls = goi_tls_make(s->tls, c);
        if (c->tls == NULL) {
            go_conn_close(net);
            free(c);
            return;
        }
    }
    go_mutex_lock(&s->mu);
    c->next = s->conns;
    if (c->next != NULL) {
        c->next->prev = c;
    }
    s->conns = c;
    s->count++;
    s->refs++;
    go_mutex_unlock(&s->mu);
    go_with(GO_OPTS(.name = "http connection"), goi_conn_main, c);
}

/* Not the listener's end: the system lacks something that it may have again soon. go_accept waits
 * for most of this itself. */
static bool is_temporary(int err)
{
    return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM || err == -ENOSPC;
}

/* Accepts until the draining begins or the listener fails; its error, or 0. */
static int accept_all(struct server *s)
{
    for (;;) {
        if (s->o.max_connections > 0 && go_sem_acquire(s->drain, &s->slots, 1) < 0) {
            return 0;
        }
        if (goi_server_drains(s)) {
            return 0;
        }
        go_conn *net;
        int r = go_accept(s->listener, &net);
        if (r >= 0) {
            start(s, net);
            continue;
        }
        if (s->o.max_connections > 0) {
            go_sem_release(&s->slots, 1);
        }
        if (goi_server_drains(s)) {
            return 0;
        }
        if (!is_temporary(r)) {
            return r;
        }
        switch (go_chan_select(recv(drained, go_ctx_done(s->drain)), after(again, 50 * GO_MS))) {
        case drained:
        case again:
            break;
        }
    }
}

/* Runs once, when drain has ended. V2, V3 */
static void stop(struct server *s)
{
    go_listener_set_deadline(s->listener, 1);
    go_mutex_lock(&s->mu);
    for (struct conn *c = s->conns; c != NULL; c = c->next) {
        go_conn_set_read_deadline(c->net, 1);
    }
    go_mutex_unlock(&s->mu);
    go_wg_done(&s->stopped);
}

static bool wait_empty(struct server *s, go_time until)
{
    go_mutex_lock(&s->mu);
    while (s->count > 0 && go_cond_wait_until(&s->empty, &s->mu, until) == 0) {
    }
    bool empty = s->count == 0;
    go_mutex_unlock(&s->mu);
    return empty;
}

static int drain(struct server *s)
{
    if (wait_empty(s, goi_after_now(go_now(), s->o.drain_timeout))) {
        return 0;
    }
    go_ctx_cancel(s->force);
    go_mutex_lock(&s->mu);
    for (struct conn *c = s->conns; c != NULL; c = c->next) {
        shutdown(go_conn_fd(c->net), SHUT_RDWR);
    }
    go_mutex_unlock(&s->mu);
    /* Handlers that listen to their context or their connection end now. */
    wait_empty(s, goi_after_now(go_now(), GO_SEC));
    return -ETIMEDOUT;
}

static int prepare(struct server *s, go_ctx *ctx)
{
    struct text why = { 0 };
    if (go_http_mux_error(s->mux) != NULL) {
        goi_log_error(s, "http: %s", go_http_mux_error(s->mux));
        return -EINVAL;
    }
    if (s->o.tls_cert != NULL) {
        const char *key = s->o.tls_key != NULL ? s->o.tls_key : s->o.tls_cert;
        s->tls = goi_tls_server_make(s->o.tls_cert, key, &why);
        if (s->tls == NULL) {
            goi_log_error(s, "http: %s", why.data != NULL ? why.data : "out of memory");
            goi_text_free(&why);
            return -EINVAL;
        }
    }
    go_ctx *parent = ctx != NULL ? ctx : go_ctx_background();
    s->drain = go_ctx_with_cancel(parent);
    go_ctx *values = go_ctx_without_cancel(parent);
    s->force = values != NULL ? go_ctx_with_cancel(values) : NULL;
    go_ctx_free(values);
    return s->drain != NULL && s->force != NULL ? 0 : -ENOMEM;
}

int go_http_serve(go_ctx *ctx, go_listener *l, const go_http_options *options, go_http_mux *mux)
{
    struct server *s = calloc(1, sizeof *s);
    if (s == NULL) {
        go_listener_close(l);
        return -ENOMEM;
    }
    s->refs = 1;
    s->listener = l;
    s->mux = goi_mux_ref(mux);
    s->exchanges.free = exchange_free;
    set_options(s, options);
    int r = prepare(s, ctx);
    if (r == 0 && s->o.access_log > 0) {
        s->log = goi_log_start(s->o.access_log);
        r = s->log != NULL ? 0 : -ENOMEM;
    }
    if (r == 0) {
        go_wg_add(&s->stopped, 1);
        if (go_ctx_after_func(s->drain, stop, s) != NULL) {
            r = accept_all(s);
        } else {
            r = -ENOMEM;
            go_wg_done(&s->stopped);
        }
        go_ctx_cancel(s->drain);
        go_wg_wait(&s->stopped);
        go_listener_close(l);
        int late = drain(s);
        r = r != 0 ? r : late;
    } else {
        go_listener_close(l);
    }
    goi_log_stop(s->log);
    go_mutex_lock(&s->mu);
    release_locked(s);
    return r;
}
