/* SPDX-License-Identifier: MIT */
/* Bugs of Hugo, Istio, Knative Serving and Syncthing. */
#include "leaks.h"

/* ==== Hugo ==== */

/* --- 3251: unlocks an address by a lock that one holds who waits for the address */

struct h3251 { go_rwmutex mu; go_mutex url; go_waitgroup wg; bool repaired; };

static void h3251_second(struct h3251 *l)
{
    await(0);
    if (l->repaired) {
        rwmutex_lock(&l->mu); /* for as long as the address is looked up */
        rwmutex_unlock(&l->mu);
        mutex_lock(&l->url);
        mutex_unlock(&l->url);
    } else {
        rwmutex_lock(&l->mu);
        set(1);
        mutex_lock(&l->url);
        mutex_unlock(&l->url);
        rwmutex_unlock(&l->mu);
    }
    wg_done(&l->wg);
}

static void h3251_first(struct h3251 *l)
{
    mutex_lock(&l->url);
    set(0);
    if (!l->repaired) {
        await(1);
    }
    rwmutex_rlock(&l->mu);
    mutex_unlock(&l->url);
    rwmutex_runlock(&l->mu);
    wg_done(&l->wg);
}

KERNEL(hugo, 3251, 3, "resource", "waits for an address under the lock by which it is let go")
{
    struct h3251 *l = new(struct h3251);
    l->repaired = repaired;
    wg_add(&l->wg, 2);
    go(h3251_first, l);
    go(h3251_second, l);
    wg_wait(&l->wg);
}

/* --- 5379: renders content while it initialises content */

struct h5379 { go_mutex init; };

static void h5379_content(struct h5379 *p, int depth, bool repaired)
{
    bool lock = depth == 0 || !repaired;
    if (lock) {
        mutex_lock(&p->init);
    }
    if (depth < 1) {
        h5379_content(p, depth + 1, repaired);
    }
    if (lock) {
        mutex_unlock(&p->init);
    }
}

KERNEL(hugo, 5379, 1, "resource", "content that needs its own content")
{
    h5379_content(new(struct h5379), 0, repaired);
}

/* ==== Istio ==== */

/* --- 16224: sends under the lock that the reader takes before it reads */

struct i16224 { go_mutex mu; chan(int) done; };

static void i16224_write(struct i16224 *c)
{
    mutex_lock(&c->mu);
    set(0);
    chan_send(c->done, 1);
    mutex_unlock(&c->mu);
}

KERNEL(istio, 16224, 2, "mixed", "sends under the lock that the reader wants before")
{
    struct i16224 *c = new(struct i16224);
    c->done = chan_make(int);
    go(i16224_write, c);
    await(0);
    if (repaired) {
        (void)chan_recv(c->done);
    }
    mutex_lock(&c->mu);
    mutex_unlock(&c->mu);
    if (!repaired) {
        (void)chan_recv(c->done);
    }
}

/* --- 17860: the agent has ended, its workers report to it */

struct i17860 { chan(int) status; };

static void i17860_wait(struct i17860 *a)
{
    await(0);
    chan_send(a->status, 1);
}

KERNEL(istio, 17860, 1, "communication", "reports its exit to an agent that has ended")
{
    struct i17860 *a = new(struct i17860);
    a->status = chan_make(int, repaired ? 1 : 0);
    go(i17860_wait, a);
    set(0);
}

/* --- 18454: two stop one timer, and both want its value */

struct i18454 { chan(int) fired; };

static void i18454_stop(struct i18454 *w, bool repaired)
{
    if (repaired) {
        (void)chan_try_recv(w->fired, NULL);
    } else {
        (void)chan_recv(w->fired);
    }
}

KERNEL(istio, 18454, 1, "communication", "two drain a timer that has fired once")
{
    struct i18454 *w = new(struct i18454);
    w->fired = chan_make(int, 1);
    chan_send(w->fired, 1);
    go(i18454_stop, w, repaired);
    go(i18454_stop, w, repaired);
}

/* ==== Knative Serving ==== */

/* --- 2137: requests under locks that are released in another order */

struct s2137 { chan(int) active, accepted; go_mutex first, second; bool repaired; };

static void s2137_request(struct s2137 *b, int which)
{
    if (which == 1) {
        await(0);
    }
    chan_send(b->active, 1); /* there is room for one */
    if (which == 0) {
        set(0);
    }
    mutex_lock(which == 0 ? &b->first : &b->second);
    mutex_unlock(which == 0 ? &b->first : &b->second);
    (void)chan_recv(b->active);
    chan_send(b->accepted, which);
}

KERNEL(serving, 2137, 3, "mixed", "lets requests go in the order in which they did not come")
{
    struct s2137 *b = new(struct s2137);
    b->active = chan_make(int, 1);
    b->accepted = chan_make(int);
    mutex_lock(&b->first);
    mutex_lock(&b->second);
    go(s2137_request, b, 0);
    go(s2137_request, b, 1);
    await(0);
    mutex_unlock(repaired ? &b->first : &b->second);
    (void)chan_recv(b->accepted);
    mutex_unlock(repaired ? &b->second : &b->first);
    (void)chan_recv(b->accepted);
}

/* ==== Syncthing ==== */

/* --- 4829: tells of a change under the lock by which one looks at it */

struct y4829 { go_rwmutex mu; };

static void y4829_notify(struct y4829 *m)
{
    rwmutex_rlock(&m->mu);
    rwmutex_runlock(&m->mu);
}

KERNEL(syncthing, 4829, 1, "resource", "rlock inside lock, by a callback")
{
    struct y4829 *m = new(struct y4829);
    rwmutex_lock(&m->mu);
    if (repaired) {
        rwmutex_unlock(&m->mu);
        y4829_notify(m);
    } else {
        y4829_notify(m);
        rwmutex_unlock(&m->mu);
    }
}

/* --- 5795: a loop closes its connection, and waits for itself to stop */

struct y5795 { chan(int) inbox, closed, stopped; bool repaired; };

static void y5795_close(struct y5795 *c)
{
    chan_close(c->closed);
    (void)chan_recv_ok(c->stopped, NULL);
}

static void y5795_loop(struct y5795 *c)
{
    (void)chan_recv(c->inbox);
    if (c->repaired) {
        go(y5795_close, c); /* somebody else waits */
    } else {
        y5795_close(c);
    }
    chan_close(c->stopped);
}

KERNEL(syncthing, 5795, 2, "communication", "a loop waits for its own end")
{
    struct y5795 *c = new(struct y5795);
    c->repaired = repaired;
    c->inbox = chan_make(int);
    c->closed = chan_make(int);
    c->stopped = chan_make(int);
    go(y5795_loop, c);
    chan_send(c->inbox, 1);
    (void)chan_recv_ok(c->stopped, NULL);
}
