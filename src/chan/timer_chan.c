/* SPDX-License-Identifier: MIT */
/* timer_chan.c: timers and tickers with a channel, as Go 1.23 has them.
 *
 * The promise: the channel has no buffer as far as anybody can see, and once stop or reset has
 * returned, no value of before comes out of it. If firing were sending, stop would have to catch a
 * value between the heap and the channel. So firing does not send. Whether the channel has a value
 * is a question about the clock, `when <= now`, asked under the channel's lock by the receiver
 * itself; stop and reset change `when` under the same lock.
 *
 *     receive        lock c: when <= now ? take `when`, go on to the next period : queue and park
 *     stop           lock c: when = never
 *     the heap       lock c: when <= now and somebody waits ? hand it over
 *
 * The heap is needed only to wake those who are parked: the timer is in it while receivers wait. A
 * ticker nobody reads, and an `after` that lost its select, cost nothing and keep no process alive
 * that is deadlocked otherwise. A late reader gets one tick, of the time it was due, and the next
 * keeps the phase.
 *
 * Locks: the channel's, then the heap's. So the heap's callback, which holds the heap's lock, may
 * not take the channel's: it leaves that as late work, and the entry holds a reference to the
 * channel until that is done. By then anything may have happened; it asks the clock again.
 *
 *   M1  queued means: node is pending or its late work is to come, and one reference is held for
 *       it. Changed under the channel's lock only.                                        (asserts)
 *   M2  Outside of the channel's lock the buffer is empty.                            (asserts)
 *   M3  If receivers wait and the timer is not stopped, it is queued.     (check_locked)
 */
#include "chan/timer_chan.h"
#include "annot/annot.h"
#include "sched/call.h"
#include <stdlib.h>

static void late(struct m *m, void *arg, int64_t now);

static void fire(struct goi_fired *f, struct goi_timer *node, int64_t now)
{
    (void)now;
    goi_fired_late(f, late, goi_container_of(node, struct go_timer, node));
}

/* The one that a select has left behind is queued still, and wakes nobody. */
static bool wakes(struct goi_timer *node)
{
    const struct go_timer *t = goi_container_of(node, struct go_timer, node);
    return ld_rlx(&t->when) != GOI_FOREVER && ld_rlx(&t->chan.recvq.n) != 0;
}

static GOI_CONSTRUCTOR void tell_kind(void) { goi_timer_kind(fire, wakes); }

/* Deadlines that are never reached stay apart from "stopped". */
static int64_t deadline_of(go_duration d)
{
    int64_t when = goi_after(goi_now(), d > 0 ? d : 0);
    return when < GOI_FOREVER ? when : GOI_FOREVER - 1;
}

static void check_locked(const struct go_timer *t)
{
    goi_must(ld_rlx(&t->chan.count) == 0); /* M2 */
    bool stopped = ld_rlx(&t->when) == GOI_FOREVER;
    goi_must(ld_rlx(&t->chan.recvq.n) == 0 || stopped || t->queued); /* M3 */
}

bool goi_timer_due(const struct go_timer *t) { return ld_rlx(&t->when) <= goi_now(); }

/* The value that is due at `now` is about to be taken: on to the next one. */
static go_time take_locked(struct go_timer *t, int64_t now)
{
    int64_t when = ld_rlx(&t->when);
    goi_assert(when <= now);
    int64_t next = GOI_FOREVER;
    if (t->period > 0) {
        next = goi_after(when, t->period * (1 + (now - when) / t->period));
    }
    st_rlx(&t->when, next);
    return when;
}

void goi_timer_poll_locked(struct go_timer *t)
{
    if (!goi_timer_due(t)) {
        return;
    }
    goi_assert(ld_rlx(&t->chan.count) == 0); /* M2: the receive that follows empties it again */
    t->slot = take_locked(t, goi_now());
    st_rlx(&t->chan.count, 1);
}

/* Into the heap, with a reference. M1 */
static void queue_locked(struct m *m, struct go_timer *t)
{
    goi_assert(!t->queued);
    t->queued = true;
    goi_chan_ref(&t->chan);
    goi_timer_start(m, &t->node, ld_rlx(&t->when));
}

/* Out of the heap, if it has not fired; then the late work finds out. M1 */
static void unqueue_locked(struct go_timer *t)
{
    if (t->queued && goi_timer_stop(&t->node)) {
        t->queued = false;
        uint32_t before = sub_rlx(&t->chan.refs, 1);
        goi_must(before > 1); /* the caller has one of its own */
    }
}

bool goi_timer_queued(const struct go_timer *t) { return t->queued; }

bool goi_timer_let_go_locked(struct go_timer *t)
{
    if (!t->queued || !goi_timer_stop(&t->node)) {
        return false;
    }
    t->queued = false;
    st_rlx(&t->chan.refs, 0);
    return true;
}

void goi_timer_watch_locked(struct m *m, struct go_timer *t)
{
    if (!t->queued && ld_rlx(&t->when) != GOI_FOREVER) {
        queue_locked(m, t);
    }
}

void goi_timer_unwatch_locked(struct go_timer *t)
{
    if (ld_rlx(&t->chan.recvq.n) == 0) {
        unqueue_locked(t);
    }
}

/* After the heap's lock: hands the time to whoever waits longest. */
static void late(struct m *m, void *arg, int64_t now)
{
    struct go_timer *t = arg;
    struct go_chan *c = &t->chan;
    struct g *wake = NULL;
    goi_lock(&c->lock);
    goi_assert(t->queued); /* M1 */
    if (ld_rlx(&t->when) <= now && ld_rlx(&c->recvq.n) > 0) {
        go_time value = ld_rlx(&t->when);
        (void)goi_chan_send_locked(c, &value, &wake);
        if (wake != NULL) {
            (void)take_locked(t, now);
        } else { /* all who waited have been claimed by something else */
            c->send_at = 0;
            st_rlx(&c->count, 0); /* M2 */
        }
    }
    bool again = ld_rlx(&c->recvq.n) > 0 && ld_rlx(&t->when) != GOI_FOREVER;
    if (again) {
        goi_timer_start(m, &t->node, ld_rlx(&t->when)); /* the reference stays */
    }
    t->queued = again;
    check_locked(t);
    goi_unlock(&c->lock);
    if (wake != NULL) {
        goi_ready(m, wake);
    }
    if (!again) {
        goi_chan_free(c);
    }
}

/* --- made, stopped, set again */

static struct go_timer *make(go_duration d, int64_t period, const char *what)
{
    struct go_timer *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    struct go_chan *c = &t->chan;
    c->elem = sizeof t->slot;
    c->cap = 1;
    c->buf = (char *)&t->slot;
    c->type = what;
    c->timer = t;
    st_rlx(&c->refs, 1);
    t->kind = GOI_TIMER_CHAN;
    t->period = period;
    goi_timer_init(&t->node, fire);
    goi_race_release_store(t); /* the start of a timer is before what it brings (chan.c) */
    st_rlx(&t->when, deadline_of(d));
    return t;
}

typedef go_recv_chan(go_time) time_chan;

static time_chan chan_of(struct go_timer *t)
{
    return (time_chan)(uintptr_t)&t->chan;
}

static bool stop_chan(struct go_timer *t)
{
    struct m *m = goi_enter();
    goi_lock(&t->chan.lock);
    bool running = ld_rlx(&t->when) != GOI_FOREVER;
    st_rlx(&t->when, GOI_FOREVER);
    unqueue_locked(t);
    check_locked(t);
    goi_unlock(&t->chan.lock);
    goi_leave(m);
    return running;
}

static bool reset_chan(struct go_timer *t, go_duration d, int64_t period)
{
    int64_t when = deadline_of(d);
    struct m *m = goi_enter();
    goi_lock(&t->chan.lock);
    bool running = ld_rlx(&t->when) != GOI_FOREVER;
    goi_race_release_store(t);
    st_rlx(&t->when, when);
    t->period = period;
    unqueue_locked(t);
    if (ld_rlx(&t->chan.recvq.n) > 0) {
        goi_timer_watch_locked(m, t);
    }
    check_locked(t);
    goi_unlock(&t->chan.lock);
    goi_leave(m);
    return running;
}

/* --- with a function */

/* Gives up one reference of t. */
static void func_drop(struct go_timer *t)
{
    if (sub_acqrel(&t->chan.refs, 1) == 1) { /* [REF] */
        goi_call_free(t->call);
        free(t);
    }
}

/* The function becomes a goroutine. Its reference is taken first, so that ours, if it is the last
 * of t, is not the last of the call: the call's destructor is the user's, and we are inside the
 * runtime. */
static void func_late(struct m *m, void *arg, int64_t now)
{
    struct go_timer *t = arg;
    struct goi_call *call = t->call;
    (void)now;
    goi_call_ref(call);
    func_drop(t);
    goi_call_spawn_last(m, call);
}

static void func_fire(struct goi_fired *f, struct goi_timer *node, int64_t now)
{
    (void)now;
    goi_fired_late(f, func_late, goi_container_of(node, struct go_timer, node));
}

/* Pending, it holds a reference, which passes to the late work. A new one is taken in advance: from
 * goi_timer_reset on it may fire. If it was pending, ours is the second, and goes. */
static bool func_start_locked(struct m *m, struct go_timer *t, int64_t when)
{
    uint32_t before = add_rlx(&t->chan.refs, 1);
    goi_must(before > 0);
    goi_race_release_store(t->call); /* acquired by goi_call_run */
    bool was = goi_timer_reset(m, &t->node, when);
    if (was) {
        before = sub_rlx(&t->chan.refs, 1);
        goi_must(before > 1); /* the caller's own */
    }
    return was;
}

static bool func_stop_locked(struct go_timer *t)
{
    bool was = goi_timer_stop(&t->node);
    if (was) {
        uint32_t before = sub_rlx(&t->chan.refs, 1);
        goi_must(before > 1); /* the caller's own */
    }
    return was;
}

static bool func_set(struct go_timer *t, bool start, go_duration d)
{
    int64_t when = start ? deadline_of(d) : 0;
    struct m *m = goi_enter();
    goi_lock(&t->chan.lock);
    bool was = start ? func_start_locked(m, t, when) : func_stop_locked(t);
    goi_unlock(&t->chan.lock);
    goi_leave(m);
    return was;
}

go_timer *goi_after_func(go_duration d, struct goi_call *call)
{
    struct go_timer *t = calloc(1, sizeof *t);
    if (t == NULL) {
        goi_call_free(call);
        return NULL;
    }
    t->kind = GOI_TIMER_FUNC;
    t->call = call;
    st_rlx(&t->chan.refs, 1);
    st_rlx(&t->when, GOI_FOREVER);
    goi_timer_init(&t->node, func_fire);
    (void)func_set(t, true, d);
    return t;
}

/* --- the public names */

time_chan go_after(go_duration d)
{
    struct go_timer *t = make(d, 0, "after");
    if (t == NULL) {
        goi_fatal("out of memory (go_after)");
    }
    return chan_of(t);
}

go_timer *go_timer_make(go_duration d) { return make(d, 0, "timer"); }

time_chan go_timer_c(go_timer *t)
{
    return t != NULL && t->kind == GOI_TIMER_CHAN ? chan_of(t) : NULL;
}

bool go_timer_stop(go_timer *t)
{
    if (t == NULL) {
        goi_panic_text("time: Stop called on uninitialized Timer");
    }
    return t->kind == GOI_TIMER_FUNC ? func_set(t, false, 0) : stop_chan(t);
}

bool go_timer_reset(go_timer *t, go_duration d)
{
    if (t == NULL) {
        goi_panic_text("time: Reset called on uninitialized Timer");
    }
    return t->kind == GOI_TIMER_FUNC ? func_set(t, true, d) : reset_chan(t, d, 0);
}

void go_timer_free(go_timer *t)
{
    if (t == NULL) {
        return;
    }
    (void)go_timer_stop(t);
    if (t->kind == GOI_TIMER_FUNC) {
        func_drop(t);
    } else {
        goi_chan_free(&t->chan);
    }
}

go_ticker *go_ticker_make(go_duration d)
{
    if (d <= 0) {
        goi_panic_text("non-positive interval for NewTicker");
    }
    return (go_ticker *)(void *)make(d, d, "ticker");
}

time_chan go_ticker_c(go_ticker *t)
{
    return t != NULL ? chan_of(&t->timer) : NULL;
}

void go_ticker_stop(go_ticker *t)
{
    if (t != NULL) {
        (void)stop_chan(&t->timer);
    }
}

void go_ticker_reset(go_ticker *t, go_duration d)
{
    if (d <= 0) {
        goi_panic_text("non-positive interval for Ticker.Reset");
    }
    if (t == NULL) {
        goi_panic_text("time: Reset called on uninitialized Ticker");
    }
    (void)reset_chan(&t->timer, d, d);
}

void go_ticker_free(go_ticker *t)
{
    if (t != NULL) {
        go_timer_free(&t->timer);
    }
}
