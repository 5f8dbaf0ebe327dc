/* SPDX-License-Identifier: MIT */
/* Bugs of CockroachDB. */
#include "leaks.h"

/* --- 10214: two locks in two orders */

struct c10214 { go_mutex coalesced, raft; bool repaired; };

static void c10214_tick(struct c10214 *s)
{
    mutex_lock(&s->raft);
    set(1);
    if (!s->repaired) {
        await(0);
    }
    mutex_lock(&s->coalesced);
    mutex_unlock(&s->coalesced);
    mutex_unlock(&s->raft);
}

KERNEL(cockroach, 10214, 2, "resource", "AB-BA of two mutexes")
{
    struct c10214 *s = new(struct c10214);
    s->repaired = repaired;
    go(c10214_tick, s);
    mutex_lock(&s->coalesced);
    set(0);
    if (repaired) {
        mutex_unlock(&s->coalesced); /* before the other is taken */
    } else {
        await(1);
    }
    mutex_lock(&s->raft);
    mutex_unlock(&s->raft);
    if (!repaired) {
        mutex_unlock(&s->coalesced);
    }
}
IS_TOLD(cockroach, 10214)

/* --- 1055: stop waits for tasks that wait for stop */

struct c1055 { go_mutex mu; go_waitgroup drain, stop; chan(int) stopper; bool repaired; };

static void c1055_worker(struct c1055 *s)
{
    mutex_lock(&s->mu);
    wg_add(&s->drain, 1);
    mutex_unlock(&s->mu);
    set(0);
    if (s->repaired) {
        wg_done(&s->drain); /* the task ends before it waits for the stop */
    }
    (void)chan_recv(s->stopper);
    if (!s->repaired) {
        wg_done(&s->drain);
    }
    wg_done(&s->stop);
}

KERNEL(cockroach, 1055, 4, "mixed", "drain waits for tasks that wait for the stop behind it")
{
    struct c1055 *s = new(struct c1055);
    s->repaired = repaired;
    s->stopper = chan_make(int);
    for (int i = 0; i < 3; i++) {
        wg_add(&s->stop, 1);
        go(c1055_worker, s);
    }
    await_n(0, 3);
    mutex_lock(&s->mu);
    mutex_unlock(&s->mu);
    wg_wait(&s->drain);
    chan_close(s->stopper);
    wg_wait(&s->stop);
}

/* --- 10790: the receiver leaves with the context, the senders stay */

struct c10790 { chan(bool) c[3]; };

static void c10790_send(chan(bool) c) { chan_send(c, true); }

static void c10790_begin(struct c10790 *r, go_ctx *ctx)
{
    defer(ctx_free, ctx);
    for (int i = 0; i < 3; i++) {
        switch (chan_select(recv(got, r->c[i]), recv(ended, ctx_done(ctx)))) {
        case got:
            if (i == 0) {
                set(0);
                await(1);
            }
            break;
        case ended:
            return;
        }
    }
}

KERNEL(cockroach, 10790, 1, "communication", "returns with the context, and does not drain")
{
    struct c10790 *r = new(struct c10790);
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    for (int i = 0; i < 3; i++) {
        r->c[i] = chan_make(bool, repaired ? 1 : 0);
    }
    go(c10790_begin, r, ctx_ref(ctx));
    go(c10790_send, r->c[0]);
    await(0);
    ctx_cancel(ctx);
    go(c10790_send, r->c[2]); /* the second never comes: the select can only end */
    set(1);
    ctx_free(ctx);
}

/* --- 13197, 13755: who waits for a context that nobody ends */

static void c13197_await_done(go_ctx *ctx) { (void)chan_recv(ctx_done(ctx)); }

KERNEL(cockroach, 13197, 1, "communication", "a transaction and its context are not ended")
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go(c13197_await_done, ctx_ref(ctx));
    if (repaired) {
        ctx_cancel(ctx);
    }
}

struct c13755 { go_ctx *ctx; chan(int) closed; };

static void c13755_await_done(struct c13755 *rows)
{
    (void)chan_recv(ctx_done(rows->ctx));
    chan_close(rows->closed);
}

KERNEL(cockroach, 13755, 1, "communication", "the rows of a query are not closed")
{
    struct c13755 *rows = new(struct c13755);
    rows->ctx = ctx_with_cancel(ctx_background());
    rows->closed = chan_make(int);
    go(c13755_await_done, rows);
    if (repaired) {
        ctx_cancel(rows->ctx);
        (void)chan_recv_ok(rows->closed, NULL);
    }
}

/* --- 1462: the consumer has left, producers block, the stop waits for producers */

struct c1462 { chan(int) events, stopper; go_waitgroup stop; bool repaired; };

static void c1462_producer(struct c1462 *s)
{
    await(0);
    if (s->repaired) {
        switch (chan_select(send(sent, s->events, 0), recv(over, s->stopper))) {
        case sent:
        case over:
            break;
        }
    } else {
        chan_send(s->events, 0);
    }
    wg_done(&s->stop);
}

static void c1462_consumer(struct c1462 *s)
{
    (void)chan_recv_ok(s->stopper, NULL); /* of both cases this one */
    set(0);
}

KERNEL(cockroach, 1462, 2, "mixed", "events are sent after their consumer has stopped")
{
    struct c1462 *s = new(struct c1462);
    s->events = chan_make(int);
    s->stopper = chan_make(int);
    s->repaired = repaired;
    wg_add(&s->stop, 1);
    go(c1462_producer, s);
    go(c1462_consumer, s);
    chan_close(s->stopper);
    wg_wait(&s->stop);
}

/* --- 16167: a reader's lock inside the writer's */

struct c16167 { go_rwmutex mu; };

static void c16167_update(struct c16167 *e)
{
    await(0);
    rwmutex_lock(&e->mu);
    rwmutex_unlock(&e->mu);
}

KERNEL(cockroach, 16167, 2, "resource", "rlock inside lock of the same rwmutex")
{
    struct c16167 *e = new(struct c16167);
    go(c16167_update, e);
    rwmutex_lock(&e->mu);
    set(0);
    if (repaired) {
        rwmutex_unlock(&e->mu);
    }
    rwmutex_rlock(&e->mu);
    rwmutex_runlock(&e->mu);
    if (!repaired) {
        rwmutex_unlock(&e->mu);
    }
}

/* --- 18101: the reader leaves with the context, the sender does not know */

static void c18101_scatter(go_ctx *ctx, chan(bool) ready, bool repaired)
{
    for (int i = 0; i < 3; i++) {
        if (repaired) {
            switch (chan_select(send(sent, ready, true), recv(ended, ctx_done(ctx)))) {
            case sent:
                break;
            case ended:
                return;
            }
        } else {
            chan_send(ready, true);
        }
    }
}

KERNEL(cockroach, 18101, 1, "resource", "the context ends the reader, and not the sender")
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(bool) ready = chan_make(bool);
    go(c18101_scatter, ctx_ref(ctx), ready, repaired);
    (void)chan_recv(ready);
    ctx_cancel(ctx);
}

/* --- 2448: an event loop and its consumer wait for each other's channel */

struct c2448 { chan(int) events, callback; bool repaired; };

static void c2448_process(struct c2448 *s)
{
    (void)chan_recv(s->events);
    set(0);
    if (s->repaired) {
        (void)chan_recv(s->events); /* the callback comes from a goroutine of its own */
        return;
    }
    chan_send(s->callback, 1);
    (void)chan_recv(s->events);
}

static void c2448_callback(struct c2448 *s) { chan_send(s->callback, 1); }

KERNEL(cockroach, 2448, 2, "communication", "a callback waits for a loop that waits for it")
{
    struct c2448 *s = new(struct c2448);
    s->repaired = repaired;
    s->events = chan_make(int);
    s->callback = chan_make(int);
    go(c2448_process, s);
    chan_send(s->events, 1);
    await(0);
    if (repaired) {
        go(c2448_callback, s);
    }
    chan_send(s->events, 2);
    (void)chan_recv(s->callback);
}

/* --- 24808: a second suggestion into a channel of one */

KERNEL(cockroach, 24808, 1, "communication", "start sends into a channel that was full before it")
{
    chan(int) c = chan_make(int, 1);
    chan_send(c, 1);
    if (repaired) {
        (void)chan_try_send(c, 2);
    } else {
        chan_send(c, 2);
    }
}

/* --- 25456: asks whether it drains by waiting until it does */

KERNEL(cockroach, 25456, 1, "communication", "asks whether the stopper quiesces by waiting for it")
{
    chan(int) quiesce = chan_make(int);
    if (repaired) {
        (void)chan_try_recv(quiesce, NULL);
    } else {
        (void)chan_recv(quiesce);
    }
}

/* --- 35073: an outbox that fails while it starts leaves its channel open */

struct c35073 { chan(int) data; go_waitgroup wg; bool repaired; };

static void c35073_push(struct c35073 *o) { chan_send(o->data, 1); }

static void c35073_drain(struct c35073 *o)
{
    for (int i = 0; i < 18; i++) {
        (void)chan_recv(o->data);
    }
}

static void c35073_run(struct c35073 *o)
{
    if (o->repaired) {
        go(c35073_drain, o); /* who fails takes what comes, for as long as it comes */
    }
    wg_done(&o->wg);
}

KERNEL(cockroach, 35073, 2, "communication", "an outbox that failed to start does not drain")
{
    struct c35073 *o = new(struct c35073);
    o->repaired = repaired;
    o->data = chan_make(int, 16);
    for (int i = 0; i < 16; i++) {
        c35073_push(o);
    }
    go(c35073_push, o);
    wg_add(&o->wg, 1);
    go(c35073_run, o);
    wg_wait(&o->wg);
    c35073_push(o);
}

/* --- 35931: the first of two full streams stops the cancellation of the second */

KERNEL(cockroach, 35931, 1, "communication", "cancellation waits at a full stream")
{
    chan(int) left = chan_make(int, 1);
    chan(int) right = chan_make(int, 1);
    chan(int) streams[2] = {left, right};
    chan_send(left, 1);
    for (int i = 0; i < 2; i++) {
        if (repaired) {
            (void)chan_try_send(streams[i], 2);
        } else {
            chan_send(streams[i], 2);
        }
    }
}

/* --- 3710: a reader reads again while a writer waits */

struct c3710 { go_rwmutex mu; };

static void c3710_process(struct c3710 *s)
{
    await(0);
    rwmutex_lock(&s->mu);
    rwmutex_unlock(&s->mu);
}

KERNEL(cockroach, 3710, 2, "resource", "rlock twice, with a writer between")
{
    struct c3710 *s = new(struct c3710);
    go(c3710_process, s);
    rwmutex_rlock(&s->mu);
    set(0);
    if (repaired) {
        rwmutex_runlock(&s->mu);
    } else {
        await_writer(&s->mu);
    }
    rwmutex_rlock(&s->mu);
    rwmutex_runlock(&s->mu);
    if (!repaired) {
        rwmutex_runlock(&s->mu);
    }
}

/* --- 584: leaves a loop with the lock held */

struct c584 { go_mutex mu; bool closed; };

static void c584_loop(struct c584 *g, bool repaired)
{
    for (;;) {
        mutex_lock(&g->mu);
        if (g->closed) {
            if (repaired) {
                mutex_unlock(&g->mu);
            }
            break;
        }
        mutex_unlock(&g->mu);
    }
}

KERNEL(cockroach, 584, 1, "resource", "break without unlock")
{
    struct c584 *g = new(struct c584);
    g->closed = true;
    c584_loop(g, repaired);
    c584_loop(g, repaired);
}

/* --- 6181: prints under a reader's lock what takes a reader's lock */

struct c6181 { go_rwmutex mu; go_waitgroup wg; };

static void c6181_string(struct c6181 *c)
{
    rwmutex_rlock(&c->mu);
    rwmutex_runlock(&c->mu);
}

static void c6181_reader(struct c6181 *c, bool repaired)
{
    rwmutex_rlock(&c->mu);
    set(0);
    if (!repaired) {
        await_writer(&c->mu);
        c6181_string(c);
    }
    rwmutex_runlock(&c->mu);
    wg_done(&c->wg);
}

static void c6181_writer(struct c6181 *c)
{
    await(0);
    rwmutex_lock(&c->mu);
    rwmutex_unlock(&c->mu);
    wg_done(&c->wg);
}

KERNEL(cockroach, 6181, 3, "resource", "rlock twice, by what is called for a message")
{
    struct c6181 *c = new(struct c6181);
    wg_add(&c->wg, 2);
    go(c6181_reader, c, repaired);
    go(c6181_writer, c);
    wg_wait(&c->wg);
}

/* --- 7504: lease and name cache in two orders */

struct c7504 { go_mutex lease, names; };

static void c7504_acquire(struct c7504 *m)
{
    mutex_lock(&m->names);
    set(0);
    await(1);
    mutex_lock(&m->lease);
    mutex_unlock(&m->lease);
    mutex_unlock(&m->names);
}

static void c7504_release(struct c7504 *m, bool repaired)
{
    if (repaired) {
        set(1);
        mutex_lock(&m->names);
        mutex_lock(&m->lease);
    } else {
        mutex_lock(&m->lease);
        set(1);
        await(0);
        mutex_lock(&m->names);
    }
    mutex_unlock(&m->names);
    mutex_unlock(&m->lease);
}

KERNEL(cockroach, 7504, 2, "resource", "AB-BA of a lease and the cache of names")
{
    struct c7504 *m = new(struct c7504);
    go(c7504_acquire, m);
    go(c7504_release, m, repaired);
}
IS_TOLD(cockroach, 7504)

/* --- 9935: locks its log again in order to say that it failed */

struct c9935 { go_mutex mu; };

static void c9935_exit(struct c9935 *l)
{
    guard(&l->mu);
}

KERNEL(cockroach, 9935, 1, "resource", "lock twice, on the way out")
{
    struct c9935 *l = new(struct c9935);
    mutex_lock(&l->mu);
    if (repaired) {
        mutex_unlock(&l->mu);
        c9935_exit(l);
    } else {
        c9935_exit(l);
        mutex_unlock(&l->mu);
    }
}
