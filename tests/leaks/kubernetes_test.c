/* SPDX-License-Identifier: MIT */
/* Bugs of Kubernetes. */
#include "leaks.h"

/* --- 10182: a status is sent under the lock that the receiver wants next */

struct k10182 { go_mutex mu; chan(int) statuses; bool repaired; };

static void k10182_sync(struct k10182 *s)
{
    (void)chan_recv(s->statuses);
    set(1);
    await(2);
    mutex_lock(&s->mu); /* to delete what it has got */
    mutex_unlock(&s->mu);
    (void)chan_recv(s->statuses);
}

static void k10182_set(struct k10182 *s, int turn)
{
    if (turn == 1) {
        await(1);
    }
    mutex_lock(&s->mu);
    if (turn == 1) {
        set(2);
    }
    if (s->repaired) {
        mutex_unlock(&s->mu);
    }
    chan_send(s->statuses, 1);
    if (!s->repaired) {
        mutex_unlock(&s->mu);
    }
}

KERNEL(kubernetes, 10182, 2, "mixed", "sends a pod's status under the lock")
{
    struct k10182 *s = new(struct k10182);
    s->repaired = repaired;
    s->statuses = chan_make(int);
    go(k10182_sync, s);
    go(k10182_set, s, 0);
    go(k10182_set, s, 1);
}

/* --- 11298: a condition that is signalled before it is waited for */

struct k11298 { go_mutex mu; go_cond changed; bool leader; };

static void k11298_notify(struct k11298 *n, bool repaired)
{
    mutex_lock(&n->mu);
    n->leader = repaired;
    cond_signal(&n->changed);
    mutex_unlock(&n->mu);
    set(0);
}

KERNEL(kubernetes, 11298, 1, "communication", "a signal before the wait is lost")
{
    struct k11298 *n = new(struct k11298);
    go(k11298_notify, n, repaired);
    await(0);
    mutex_lock(&n->mu);
    while (!n->leader) {
        cond_wait(&n->changed, &n->mu);
    }
    mutex_unlock(&n->mu);
}

/* --- 13135: a cacher and its store in two orders */

struct k13135 { go_mutex cacher, store; };

static void k13135_start(struct k13135 *c)
{
    mutex_lock(&c->cacher);
    set(0);
    await(1);
    mutex_lock(&c->store);
    mutex_unlock(&c->store);
    mutex_unlock(&c->cacher);
}

static void k13135_event(struct k13135 *c, bool repaired)
{
    mutex_lock(&c->store);
    set(1);
    if (repaired) {
        mutex_unlock(&c->store);
    } else {
        await(0);
    }
    mutex_lock(&c->cacher);
    mutex_unlock(&c->cacher);
    if (!repaired) {
        mutex_unlock(&c->store);
    }
}

KERNEL(kubernetes, 13135, 2, "resource", "AB-BA of a cacher and its store")
{
    struct k13135 *c = new(struct k13135);
    go(k13135_start, c);
    go(k13135_event, c, repaired);
}
IS_TOLD(kubernetes, 13135)

/* --- 1321: distributes under the lock; the watcher that stops needs it */

struct k1321 { go_mutex mu; chan(int) result, stopped; bool repaired; };

static void k1321_distribute(struct k1321 *w)
{
    mutex_lock(&w->mu);
    set(0);
    if (w->repaired) {
        switch (chan_select(send(sent, w->result, 1), recv(over, w->stopped))) {
        case sent:
        case over:
            break;
        }
    } else {
        chan_send(w->result, 1);
    }
    mutex_unlock(&w->mu);
}

KERNEL(kubernetes, 1321, 2, "mixed", "sends to a watcher under the lock by which it stops")
{
    struct k1321 *w = new(struct k1321);
    w->repaired = repaired;
    w->result = chan_make(int);
    w->stopped = chan_make(int);
    go(k1321_distribute, w);
    await(0);
    if (repaired) {
        chan_close(w->stopped);
    }
    mutex_lock(&w->mu);
    mutex_unlock(&w->mu);
}

/* --- 25331: the context is cancelled, and the result has no reader */

struct k25331 { chan(int) errors, results; go_ctx *ctx; };

static void k25331_run(struct k25331 *w, bool repaired)
{
    (void)chan_recv(w->errors);
    ctx_cancel(w->ctx);
    if (repaired) {
        switch (chan_select(send(sent, w->results, 1), recv(over, ctx_done(w->ctx)))) {
        case sent:
        case over:
            break;
        }
    } else {
        chan_send(w->results, 1);
    }
}

KERNEL(kubernetes, 25331, 1, "communication", "a result is sent to a watch that was stopped")
{
    struct k25331 *w = new(struct k25331);
    w->errors = chan_make(int, 1);
    w->results = chan_make(int);
    w->ctx = ctx_with_cancel(ctx_background());
    go(k25331_run, w, repaired);
    chan_send(w->errors, 1);
}

/* --- 26980: pops under the lock into a channel whose reader wants the lock */

struct k26980 { go_mutex mu; chan(int) next; chan(int) stop; bool repaired; };

static void k26980_pop(struct k26980 *p)
{
    mutex_lock(&p->mu);
    set(0);
    if (p->repaired) {
        mutex_unlock(&p->mu);
    }
    chan_send(p->next, 1);
    if (!p->repaired) {
        mutex_unlock(&p->mu);
    }
}

KERNEL(kubernetes, 26980, 2, "mixed", "sends a notification under the lock that adds them")
{
    struct k26980 *p = new(struct k26980);
    p->repaired = repaired;
    p->next = chan_make(int);
    go(k26980_pop, p);
    await(0);
    mutex_lock(&p->mu);
    mutex_unlock(&p->mu);
    (void)chan_recv(p->next);
}

/* --- 30872: a federation controller, its store and its informer in a circle */

struct k30872 { go_mutex informer, store; bool repaired; };

static void k30872_deliver(struct k30872 *f)
{
    mutex_lock(&f->store);
    set(0);
    if (f->repaired) {
        mutex_unlock(&f->store);
        mutex_lock(&f->informer);
        mutex_unlock(&f->informer);
        return;
    }
    await(1);
    mutex_lock(&f->informer);
    mutex_unlock(&f->informer);
    mutex_unlock(&f->store);
}

static void k30872_stop(struct k30872 *f)
{
    mutex_lock(&f->informer);
    set(1);
    await(0);
    mutex_lock(&f->store);
    mutex_unlock(&f->store);
    mutex_unlock(&f->informer);
}

KERNEL(kubernetes, 30872, 2, "resource", "AB-BA of an informer and its store")
{
    struct k30872 *f = new(struct k30872);
    f->repaired = repaired;
    go(k30872_deliver, f);
    go(k30872_stop, f);
}
IS_TOLD(kubernetes, 30872)

/* --- 38669: an event that nobody sends */

KERNEL(kubernetes, 38669, 1, "communication", "waits for an event that has gone elsewhere")
{
    chan(int) input = chan_make(int, 1);
    if (repaired) {
        chan_send(input, 1);
    }
    (void)chan_recv(input);
}

/* --- 5316: a request that timed out has a handler that answers */

static void k5316_handler(chan(int) c)
{
    await(0);
    chan_send(c, 1);
}

KERNEL(kubernetes, 5316, 1, "communication", "answers a request that has timed out")
{
    chan(int) c = chan_make(int, repaired ? 1 : 0);
    go(k5316_handler, c);
    switch (chan_select(recv(answered, c), after(late, GO_MS))) {
    case answered:
    case late:
        break;
    }
    set(0);
}

/* --- 58107: waits for work under a reader's lock, with a writer in line */

struct k58107 { go_rwmutex workers; go_mutex mu; go_cond work; bool repaired, stop; };

static void k58107_process(struct k58107 *q, bool first)
{
    if (!first) {
        await(1);
    }
    if (!q->repaired) {
        rwmutex_rlock(&q->workers);
    }
    mutex_lock(&q->mu);
    if (first) {
        set(0);
    }
    while (!q->stop) {
        cond_wait(&q->work, &q->mu);
    }
    mutex_unlock(&q->mu);
    if (!q->repaired) {
        rwmutex_runlock(&q->workers);
    }
}

static void k58107_sync(struct k58107 *q)
{
    await(0);
    rwmutex_lock(&q->workers);
    rwmutex_unlock(&q->workers);
    if (q->repaired) {
        set(1);
        mutex_lock(&q->mu);
        q->stop = true;
        cond_broadcast(&q->work);
        mutex_unlock(&q->mu);
    }
}

static void k58107_tell(struct k58107 *q)
{
    await(0);
    while (rwmutex_tryrlock(&q->workers)) { /* until the writer waits */
        rwmutex_runlock(&q->workers);
        go_yield();
    }
    set(1);
}

KERNEL(kubernetes, 58107, 3, "resource", "waits on a condition under a reader's lock")
{
    struct k58107 *q = new(struct k58107);
    q->repaired = repaired;
    go(k58107_process, q, true);
    go(k58107_process, q, false);
    go(k58107_sync, q);
    if (!repaired) {
        go(k58107_tell, q);
    }
}

/* --- 62464: rlock twice, with a writer between */

struct k62464 { go_rwmutex mu; };

static void k62464_remove(struct k62464 *s)
{
    await(0);
    rwmutex_lock(&s->mu);
    rwmutex_unlock(&s->mu);
}

static void k62464_get(struct k62464 *s)
{
    rwmutex_rlock(&s->mu);
    rwmutex_runlock(&s->mu);
}

KERNEL(kubernetes, 62464, 2, "resource", "a default is read under a reader's lock")
{
    struct k62464 *s = new(struct k62464);
    go(k62464_remove, s);
    rwmutex_rlock(&s->mu);
    set(0);
    if (repaired) {
        rwmutex_runlock(&s->mu);
        k62464_get(s);
    } else {
        await_writer(&s->mu);
        k62464_get(s);
        rwmutex_runlock(&s->mu);
    }
}

/* --- 6632: writes a frame under the lock that the monitor needs to close */

struct k6632 { go_mutex mu; chan(int) reset, closed; bool repaired; };

static void k6632_monitor(struct k6632 *i)
{
    (void)chan_recv_ok(i->closed, NULL);
    await(0);
    if (i->repaired) {
        (void)chan_recv(i->reset); /* drains before it locks */
    }
    mutex_lock(&i->mu);
    mutex_unlock(&i->mu);
}

static void k6632_write(struct k6632 *i)
{
    mutex_lock(&i->mu);
    set(0);
    chan_send(i->reset, 1);
    mutex_unlock(&i->mu);
}

KERNEL(kubernetes, 6632, 2, "mixed", "sends a reset under the lock by which the monitor closes")
{
    struct k6632 *i = new(struct k6632);
    i->repaired = repaired;
    i->reset = chan_make(int);
    i->closed = chan_make(int);
    go(k6632_monitor, i);
    go(k6632_write, i);
    chan_close(i->closed);
}

/* --- 70277: a poller that ends with a channel that nobody closes */

static void k70277_poller(chan(int) ticks, chan(int) done)
{
    switch (chan_select(send(tick, ticks, 1), recv(over, done))) {
    case tick:
    case over:
        break;
    }
    chan_close(ticks);
}

KERNEL(kubernetes, 70277, 1, "communication", "done is never closed when the condition is met")
{
    chan(int) ticks = chan_make(int);
    chan(int) done = chan_make(int);
    go(k70277_poller, ticks, done);
    if (repaired) {
        chan_close(done);
    }
}
