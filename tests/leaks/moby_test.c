/* SPDX-License-Identifier: MIT */
/* Bugs of Moby (Docker). */
#include "leaks.h"

/* --- 17176: nothing to delete, so no unlock */

struct m17176 { go_mutex mu; int deleted; };

static void m17176_cleanup(struct m17176 *d, bool repaired)
{
    mutex_lock(&d->mu);
    if (d->deleted == 0) {
        if (repaired) {
            mutex_unlock(&d->mu);
        }
        return;
    }
    mutex_unlock(&d->mu);
}

KERNEL(moby, 17176, 1, "resource", "return without unlock when there is nothing to do")
{
    struct m17176 *d = new(struct m17176);
    m17176_cleanup(d, repaired);
    m17176_cleanup(d, repaired);
}

/* --- 21233: the test gives up; progress is still being sent */

struct m21233 { chan(int) progress, running, released; };

static void m21233_broadcast(struct m21233 *t, bool repaired)
{
    for (int i = 0; i < 10; i++) {
        if (repaired) {
            switch (chan_select(send(sent, t->progress, i), recv(over, t->released))) {
            case sent:
                break;
            case over:
                i = 10;
                break;
            }
        } else {
            chan_send(t->progress, i);
        }
    }
    chan_close(t->running);
}

static void m21233_watch(struct m21233 *t, bool repaired)
{
    (void)chan_recv(t->progress);
    set(0);
    if (repaired) {
        chan_close(t->released);
    }
}

KERNEL(moby, 21233, 2, "communication", "a consumer of progress gives up")
{
    struct m21233 *t = new(struct m21233);
    t->progress = chan_make(int);
    t->running = chan_make(int);
    t->released = chan_make(int);
    go(m21233_broadcast, t, repaired);
    go(m21233_watch, t, repaired);
    (void)chan_recv_ok(t->running, NULL);
}

/* --- 25384: waits inside the loop for all that the loop has yet to start */

static void m25384_plugin(go_waitgroup *wg) { wg_done(wg); }

KERNEL(moby, 25384, 1, "mixed", "wait inside the loop that starts what is waited for")
{
    go_waitgroup *wg = new(go_waitgroup);
    wg_add(wg, 2);
    for (int i = 0; i < 2; i++) {
        go(m25384_plugin, wg);
        if (!repaired) {
            wg_wait(wg);
        }
    }
    wg_wait(wg);
}

/* --- 27782: the watcher waits to be told by who waits to be read */

struct m27782 { chan(int) events; go_mutex mu; go_cond removed; bool ignored; bool repaired; };

static void m27782_read_events(struct m27782 *w)
{
    await(0);
    if (w->repaired) { /* what was removed is ignored, and said so first */
        mutex_lock(&w->mu);
        w->ignored = true;
        cond_broadcast(&w->removed);
        mutex_unlock(&w->mu);
        return;
    }
    chan_send(w->events, 1);
    mutex_lock(&w->mu);
    w->ignored = true;
    cond_broadcast(&w->removed);
    mutex_unlock(&w->mu);
}

KERNEL(moby, 27782, 2, "communication", "a condition is waited for by the only reader of events")
{
    struct m27782 *w = new(struct m27782);
    w->repaired = repaired;
    w->events = chan_make(int);
    go(m27782_read_events, w);
    mutex_lock(&w->mu);
    set(0);
    while (!w->ignored) {
        cond_wait(&w->removed, &w->mu);
    }
    mutex_unlock(&w->mu);
}

/* --- 28462: stops the monitor under the lock that the monitor wants */

struct m28462 { go_mutex mu; chan(int) stop; bool repaired; };

static void m28462_monitor(struct m28462 *c)
{
    await(0); /* a probe ends before it looks at `stop` */
    mutex_lock(&c->mu);
    mutex_unlock(&c->mu);
    (void)chan_recv_ok(c->stop, NULL);
}

KERNEL(moby, 28462, 2, "mixed", "sends the stop under the lock that the monitor wants first")
{
    struct m28462 *c = new(struct m28462);
    c->repaired = repaired;
    c->stop = chan_make(int);
    go(m28462_monitor, c);
    mutex_lock(&c->mu);
    set(0);
    if (repaired) {
        chan_close(c->stop); /* waits for nobody */
    } else {
        chan_send(c->stop, 1);
    }
    mutex_unlock(&c->mu);
}

/* --- 30408: a wait without a broadcast */

struct m30408 { go_mutex mu; go_cond activated; bool active; chan(int) done; };

static void m30408_wait_active(struct m30408 *p)
{
    mutex_lock(&p->mu);
    while (!p->active) {
        cond_wait(&p->activated, &p->mu);
    }
    mutex_unlock(&p->mu);
    chan_close(p->done);
}

KERNEL(moby, 30408, 2, "communication", "an activation that fails does not broadcast")
{
    struct m30408 *p = new(struct m30408);
    p->done = chan_make(int);
    go(m30408_wait_active, p);
    if (repaired) {
        mutex_lock(&p->mu);
        p->active = true;
        cond_broadcast(&p->activated);
        mutex_unlock(&p->mu);
    }
    (void)chan_recv_ok(p->done, NULL);
}

/* --- 33781: the monitor stops, the probe's result has no reader */

static void m33781_probe(chan(int) results)
{
    await(0);
    chan_send(results, 1);
}

KERNEL(moby, 33781, 1, "communication", "a probe sends its result after the monitor was stopped")
{
    chan(int) results = chan_make(int, repaired ? 1 : 0);
    chan(int) stop = chan_make(int);
    go(m33781_probe, results);
    chan_close(stop);
    switch (chan_select(recv(stopped, stop), recv(got, results))) {
    case stopped:
    case got:
        break;
    }
    set(0);
}

/* --- 36114: lock twice, one call further down */

struct m36114 { go_mutex mu; };

static void m36114_hot_remove(struct m36114 *s)
{
    mutex_lock(&s->mu);
    mutex_unlock(&s->mu);
}

KERNEL(moby, 36114, 1, "resource", "lock twice, one call further down")
{
    struct m36114 *s = new(struct m36114);
    mutex_lock(&s->mu);
    if (!repaired) {
        m36114_hot_remove(s);
    }
    mutex_unlock(&s->mu);
}

/* --- 4951: all devices and one device, in two orders */

struct m4951 { go_mutex all, one; };

static void m4951_delete(struct m4951 *d)
{
    mutex_lock(&d->one);
    set(0);
    await(1);
    mutex_lock(&d->all);
    mutex_unlock(&d->all);
    mutex_unlock(&d->one);
}

static void m4951_remove(struct m4951 *d, bool repaired)
{
    mutex_lock(&d->all);
    set(1);
    if (repaired) {
        mutex_unlock(&d->all); /* while it waits for the device */
    } else {
        await(0);
    }
    mutex_lock(&d->one);
    mutex_unlock(&d->one);
    if (!repaired) {
        mutex_unlock(&d->all);
    }
}

KERNEL(moby, 4951, 2, "resource", "AB-BA of all devices and one device")
{
    struct m4951 *d = new(struct m4951);
    go(m4951_delete, d);
    go(m4951_remove, d, repaired);
}
IS_TOLD(moby, 4951)

/* --- 7559: continue without unlock */

struct m7559 { go_mutex mu; };

KERNEL(moby, 7559, 1, "resource", "continue without unlock")
{
    struct m7559 *p = new(struct m7559);
    for (int i = 0; i < 3; i++) {
        mutex_lock(&p->mu);
        bool failed = i == 0;
        if (failed) {
            if (repaired) {
                mutex_unlock(&p->mu);
            }
            continue;
        }
        mutex_unlock(&p->mu);
    }
}
