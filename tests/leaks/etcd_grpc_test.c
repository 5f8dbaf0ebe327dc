/* SPDX-License-Identifier: MIT */
/* Bugs of etcd and gRPC. */
#include "leaks.h"

/* ==== etcd ==== */

/* --- 10492: a lessor that grants while it expires takes its lock twice */

struct e10492 { go_mutex mu; };

static void e10492_checkpoint(struct e10492 *l)
{
    mutex_lock(&l->mu);
    mutex_unlock(&l->mu);
}

KERNEL(etcd, 10492, 1, "resource", "a callback under the lock takes the lock")
{
    struct e10492 *l = new(struct e10492);
    mutex_lock(&l->mu);
    if (repaired) {
        mutex_unlock(&l->mu);
        e10492_checkpoint(l);
    } else {
        e10492_checkpoint(l);
        mutex_unlock(&l->mu);
    }
}

/* --- 5509: a failed acquire keeps the reader's lock */

struct e5509 { go_rwmutex mu; bool closed; };

static bool e5509_acquire(struct e5509 *r, bool repaired)
{
    rwmutex_rlock(&r->mu);
    if (r->closed) {
        if (repaired) {
            rwmutex_runlock(&r->mu);
        }
        return false;
    }
    return true;
}

KERNEL(etcd, 5509, 1, "resource", "an error path keeps the reader's lock")
{
    struct e5509 *r = new(struct e5509);
    r->closed = true;
    if (e5509_acquire(r, repaired)) {
        rwmutex_runlock(&r->mu);
    }
    rwmutex_lock(&r->mu);
    rwmutex_unlock(&r->mu);
}

/* --- 6708: a request under the lock resets what takes the lock */

struct e6708 { go_rwmutex mu; };

static void e6708_set_endpoints(struct e6708 *c)
{
    rwmutex_lock(&c->mu);
    rwmutex_unlock(&c->mu);
}

KERNEL(etcd, 6708, 1, "resource", "lock inside rlock, two calls further down")
{
    struct e6708 *c = new(struct e6708);
    rwmutex_rlock(&c->mu);
    if (repaired) {
        rwmutex_runlock(&c->mu);
        e6708_set_endpoints(c);
    } else {
        e6708_set_endpoints(c);
        rwmutex_runlock(&c->mu);
    }
}

/* --- 6857: status is asked for after the stop */

struct e6857 { chan(int) status, stop, done; };

static void e6857_run(struct e6857 *n)
{
    switch (chan_select(recv(stopped, n->stop), recv(asked, n->status))) {
    case stopped:
        chan_close(n->done);
        return;
    case asked:
        return;
    }
}

static void e6857_status(struct e6857 *n, bool repaired)
{
    await(0);
    if (repaired) {
        switch (chan_select(send(asked, n->status, 1), recv(over, n->done))) {
        case asked:
        case over:
            break;
        }
    } else {
        chan_send(n->status, 1);
    }
}

KERNEL(etcd, 6857, 1, "communication", "asks a node for its status after it was stopped")
{
    struct e6857 *n = new(struct e6857);
    n->status = chan_make(int);
    n->stop = chan_make(int);
    n->done = chan_make(int);
    go(e6857_run, n);
    go(e6857_status, n, repaired);
    chan_send(n->stop, 1);
    (void)chan_recv_ok(n->done, NULL);
    set(0);
}

/* --- 6873: stop waits with the lock that the last update wants */

struct e6873 { go_mutex mu; chan(int) update, done; };

static void e6873_coalesce(struct e6873 *w)
{
    int v;
    while (chan_recv_ok(w->update, &v)) {
        set(0);
        await(1);
        mutex_lock(&w->mu);
        mutex_unlock(&w->mu);
    }
    chan_close(w->done);
}

static void e6873_stop(struct e6873 *w, bool repaired)
{
    await(0);
    mutex_lock(&w->mu);
    set(1);
    chan_close(w->update);
    if (repaired) {
        mutex_unlock(&w->mu);
        (void)chan_recv_ok(w->done, NULL);
    } else {
        (void)chan_recv_ok(w->done, NULL);
        mutex_unlock(&w->mu);
    }
}

KERNEL(etcd, 6873, 2, "mixed", "stop waits under the lock for who needs the lock")
{
    struct e6873 *w = new(struct e6873);
    w->update = chan_make(int, 1);
    w->done = chan_make(int);
    go(e6873_coalesce, w);
    go(e6873_stop, w, repaired);
    chan_send(w->update, 1);
}

/* --- 7492: adds a token under the lock that the keeper wants for deleting one */

struct e7492 { go_mutex mu; chan(int) add, stop; };

static void e7492_keeper(struct e7492 *t)
{
    await(0); /* the ticker is first */
    mutex_lock(&t->mu);
    mutex_unlock(&t->mu);
    (void)chan_recv(t->add);
}

KERNEL(etcd, 7492, 2, "mixed", "sends under the lock to who needs the lock before it receives")
{
    struct e7492 *t = new(struct e7492);
    t->add = chan_make(int);
    go(e7492_keeper, t);
    mutex_lock(&t->mu);
    set(0);
    if (repaired) {
        mutex_unlock(&t->mu);
    }
    chan_send(t->add, 1);
    if (!repaired) {
        mutex_unlock(&t->mu);
    }
}

/* --- 7902: a follower waits under the lock for the leader, who needs it to go on */

struct e7902 { go_mutex mu; chan(int) next; go_waitgroup wg; bool repaired; };

static void e7902_follower(struct e7902 *e)
{
    await(0);
    if (!e->repaired) {
        mutex_lock(&e->mu);
    }
    set(1);
    (void)chan_recv_ok(e->next, NULL);
    if (!e->repaired) {
        mutex_unlock(&e->mu);
    }
    wg_done(&e->wg);
}

static void e7902_leader(struct e7902 *e)
{
    mutex_lock(&e->mu);
    mutex_unlock(&e->mu);
    set(0);
    await(1);
    if (!e->repaired) {
        mutex_lock(&e->mu);
    }
    chan_close(e->next);
    if (!e->repaired) {
        mutex_unlock(&e->mu);
    }
    wg_done(&e->wg);
}

KERNEL(etcd, 7902, 3, "mixed", "release waits under the lock for a release under the lock")
{
    struct e7902 *e = new(struct e7902);
    e->repaired = repaired;
    e->next = chan_make(int);
    wg_add(&e->wg, 2);
    go(e7902_leader, e);
    go(e7902_follower, e);
    wg_wait(&e->wg);
}

/* ==== gRPC ==== */

/* --- 1275: closing a stream tells nobody who reads from it */

struct g1275 { chan(int) received, done; };

static void g1275_read(struct g1275 *s)
{
    (void)chan_recv_ok(s->received, NULL);
    chan_close(s->done);
}

KERNEL(grpc, 1275, 2, "communication", "a closed stream does not wake its reader")
{
    struct g1275 *s = new(struct g1275);
    s->received = chan_make(int);
    s->done = chan_make(int);
    go(g1275_read, s);
    if (repaired) {
        chan_close(s->received);
    }
    (void)chan_recv_ok(s->done, NULL);
}

/* --- 1424: the balancer's watcher returns without a word */

struct g1424 { chan(int) notify, done; };

static void g1424_watcher(struct g1424 *c, bool repaired)
{
    int v;
    while (chan_recv_ok(c->notify, &v)) {
    }
    if (repaired) {
        chan_close(c->done);
    }
}

static void g1424_dial(struct g1424 *c) { (void)chan_recv_ok(c->done, NULL); }

KERNEL(grpc, 1424, 1, "communication", "a watcher returns without saying that it is done")
{
    struct g1424 *c = new(struct g1424);
    c->notify = chan_make(int);
    c->done = chan_make(int);
    go(g1424_watcher, c, repaired);
    go(g1424_dial, c);
    chan_close(c->notify);
}

/* --- 1460: keepalive sleeps with the lock */

struct g1460 { go_mutex mu; chan(int) awaken; };

static void g1460_keepalive(struct g1460 *t, bool repaired)
{
    mutex_lock(&t->mu);
    set(0);
    if (repaired) {
        mutex_unlock(&t->mu);
    }
    (void)chan_recv(t->awaken);
    if (!repaired) {
        mutex_unlock(&t->mu);
    }
}

static void g1460_new_stream(struct g1460 *t)
{
    await(0);
    mutex_lock(&t->mu);
    mutex_unlock(&t->mu);
    chan_send(t->awaken, 1);
}

KERNEL(grpc, 1460, 2, "mixed", "waits under the lock to be woken by who needs it")
{
    struct g1460 *t = new(struct g1460);
    t->awaken = chan_make(int);
    go(g1460_keepalive, t, repaired);
    go(g1460_new_stream, t);
}

/* --- 3017: one of the ways out of a function lacks the unlock */

struct g3017 { go_mutex mu; chan(int) done; };

static void g3017_new_conn(struct g3017 *c, bool repaired)
{
    mutex_lock(&c->mu);
    bool found = true;
    if (found) {
        if (repaired) {
            mutex_unlock(&c->mu);
        }
        return;
    }
    mutex_unlock(&c->mu);
}

static void g3017_remove_conn(struct g3017 *c)
{
    mutex_lock(&c->mu);
    mutex_unlock(&c->mu);
}

static void g3017_churn(struct g3017 *c, bool repaired)
{
    g3017_remove_conn(c);
    g3017_new_conn(c, repaired);
    g3017_remove_conn(c);
    chan_close(c->done);
}

KERNEL(grpc, 3017, 2, "resource", "a found entry is returned with the lock held")
{
    struct g3017 *c = new(struct g3017);
    c->done = chan_make(int);
    go(g3017_churn, c, repaired);
    (void)chan_recv_ok(c->done, NULL);
}

/* --- 660: the parent returns early, the child's last word has no reader */

static void g660_worker(chan(bool) done) { chan_send(done, true); }

KERNEL(grpc, 660, 1, "communication", "a benchmark stops before its worker is done")
{
    chan(bool) done = chan_make(bool, repaired ? 1 : 0);
    go(g660_worker, done);
}

/* --- 795: a return without unlock */

struct g795 { go_mutex mu; bool draining; };

static void g795_stop(struct g795 *s, bool repaired)
{
    mutex_lock(&s->mu);
    if (s->draining) {
        if (repaired) {
            mutex_unlock(&s->mu);
        }
        return;
    }
    s->draining = true;
    mutex_unlock(&s->mu);
}

KERNEL(grpc, 795, 1, "resource", "a server that is stopped twice keeps its lock")
{
    struct g795 *s = new(struct g795);
    for (int i = 0; i < 3; i++) {
        g795_stop(s, repaired);
    }
}

/* --- 862: a dial that fails does not close what it began */

static void g862_reset(go_ctx *ctx) { (void)chan_recv(ctx_done(ctx)); }

KERNEL(grpc, 862, 1, "communication", "a failed dial does not end its context")
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go_ctx *below = ctx_with_cancel(ctx);
    go(g862_reset, below);
    bool failed = true;
    if (failed && repaired) {
        ctx_cancel(ctx);
    }
}
