/* SPDX-License-Identifier: MIT */
/* select.c: waiting for several channels at once.
 *
 * Fast path: look at all cases without locks; if some seem ready, pick one of them at random, lock
 * that channel alone and try. A success is a legal choice: the case was ready at that instant, and
 * the others need no lock because nothing is asked of them. (Go locks all channels always.)
 *
 * If none seems ready, the goroutine that was readied last may run first, and we look again
 * (let_run).
 *
 * Otherwise: lock all channels in the order of their addresses, look again; with a default that is
 * the instant at which no case was ready. Else queue a record on every channel and park; the commit
 * releases the locks. A waker wins the goroutine by its claim, so exactly one case fires. After
 * the park the channels are locked again, one after the other, and the records that did not fire
 * are taken off.
 *
 *   S1  Among the cases that are ready each is chosen with the same probability. (fairness test)
 *   S2  A select never meets itself: a record is queued only when no case is ready, and a waker is
 *       another goroutine.        (select.never_meets_itself, tests/unit/chan/select_test)
 *   S3  The commit does not touch the goroutine's stack after the last unlock: the goroutine locks
 *       each of its channels once more before it leaves, the last one in order too.
 *   S4  When goi_select returns, no record is on any queue. (issue9110 test)
 *   C6  (chan.c) Between enqueue and dequeue the select is a guest of each of its channels.
 */
#include "annot/annot.h"
#include "chan/chan.h"
#include "sched/fast.h"
#include "time/deadline.h"
#include <errno.h>
#include <gort/go.h>
#include <gort/select.h>
#include <stdlib.h>
#include <string.h>

enum { ON_STACK = 12, CASES_MAX = 65536 };
enum { HASTY_SHIFT = 5, HASTY_MOST = 4 };   /* g->hasty: how many are left out, and why */

struct select {
    struct go_case *cases;
    struct goi_waiter *waiters;     /* one per case */
    uint16_t *order;                /* cases with a channel, by address of the channel */
    bool twice;                     /* a channel stands there more than once */
    bool patient;                   /* neither default nor after */
    uint32_t n, nchan;
    int32_t dflt;                   /* index of the default case, or -1 */
    int32_t after;                  /* index of the earliest after case, or -1 */
    int64_t deadline;
    uint32_t elem;                  /* of the chosen case: its channel may be gone by then */
};

GOI_INLINE bool may(const struct go_case *k)
{
    return k->op == GO_CASE_SEND ? goi_chan_may_send(k->c) : goi_chan_may_recv(k->c);
}

/* A send reads its value, and that the channel is open (chan.c). */
GOI_INLINE void race_send(const struct go_case *k)
{
    if (goi_race_on()) {
        goi_race_read(k->value, k->c->elem);
        goi_race_read(k->c, 1);
    }
}

GOI_INLINE enum goi_attempt try_locked(const struct go_case *k, struct g **wake)
{
    if (k->op == GO_CASE_SEND) {
        race_send(k);
    }
    enum goi_attempt r = k->op == GO_CASE_SEND ? goi_chan_send_locked(k->c, k->value, wake)
                                           : goi_chan_recv_locked(k->c, k->value, wake);
    if (r != GOI_TRY_WAIT && k->ok != NULL) {
        *k->ok = r == GOI_TRY_DONE;
    }
    return r;
}

/* A case that seems ready, uniformly chosen (S1); -1 if none does. Uses s->order, and notes whether
 * all cases wait for channels. */
GOI_INLINE int32_t glance(struct m *m, struct select *s)
{
    const struct go_case *k = s->cases;
    uint16_t *order = s->order;
    uint32_t n = s->n;
    uint32_t seen = 0;
    bool patient = true;
    for (uint32_t i = 0; i < n; i++, k++) {
        if (GOI_UNLIKELY(k->op > GO_CASE_SEND)) {
            patient = false;
        } else if (k->c != NULL && may(k)) {
            order[seen++] = (uint16_t)i;
        }
    }
    s->patient = patient;
    return seen == 0 ? -1 : order[seen == 1 ? 0 : goi_random(m, seen)];
}

/* The same by reservoir sampling, when s->order has the channels. */
static int32_t glance_locked(struct m *m, const struct select *s)
{
    int32_t chosen = -1;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < s->nchan; i++) {
        uint16_t index = s->order[i];
        if (may(&s->cases[index])) {
            seen++;
            if (seen == 1 || goi_random(m, seen) == 0) {
                chosen = index;
            }
        }
    }
    return chosen;
}

static void sort_order(struct select *s)
{
    /* Insertion for the few, and already sorted arrays are the rule for the many. Shell's gaps keep
     * the worst case of 65536 cases below a second. */
    for (uint32_t gap = s->nchan / 2 > 0 ? s->nchan / 2 : 1; gap > 0; gap /= 2) {
        for (uint32_t i = gap; i < s->nchan; i++) {
            uint16_t x = s->order[i];
            uint32_t j = i;
            while (j >= gap &&
                   (uintptr_t)s->cases[s->order[j - gap]].c > (uintptr_t)s->cases[x].c) {
                s->order[j] = s->order[j - gap];
                j -= gap;
            }
            s->order[j] = x;
        }
    }
}

static struct go_chan *chan_at(const struct select *s, uint32_t i)
{
    return s->cases[s->order[i]].c;
}

static void lock_all(struct select *s)
{
    struct go_chan *last = NULL;
    s->twice = false;
    for (uint32_t i = 0; i < s->nchan; i++) {
        struct go_chan *c = chan_at(s, i);
        if (c != last) {
            goi_lock(&c->lock);
            last = c;
        } else {
            s->twice = true;
        }
    }
}

static void unlock_all(const struct select *s)
{
    struct go_chan *last = s->nchan > 0 ? chan_at(s, 0) : NULL;
    for (uint32_t i = 1; i < s->nchan; i++) {
        struct go_chan *c = chan_at(s, i); /* S3: read before the unlock */
        if (c != last) {
            goi_unlock(&last->lock);
            last = c;
        }
    }
    if (last != NULL) {
        goi_unlock(&last->lock);
    }
}

static void commit(struct m *m, void *arg)
{
    (void)m;
    unlock_all(arg);
}

/* Locked: a ready case, tried and done; -1 if none is. */
static int32_t try_all_locked(struct m *m, const struct select *s, enum goi_attempt *r,
                              struct g **wake)
{
    int32_t chosen = glance_locked(m, s);
    if (chosen >= 0) {
        *r = try_locked(&s->cases[chosen], wake);
        if (*r == GOI_TRY_WAIT) { /* only waiters that others have claimed: look one by one */
            for (uint32_t i = 0; i < s->nchan && *r == GOI_TRY_WAIT; i++) {
                chosen = s->order[i];
                *r = try_locked(&s->cases[chosen], wake);
            }
        }
    }
    return chosen >= 0 && *r != GOI_TRY_WAIT ? chosen : -1;
}

/* S1 for those that wait: of several cases on one channel a partner meets the first in line, so
 * they line up in another order each time. */
static void shuffle_same(struct m *m, struct select *s)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < s->nchan; i++) {
        if (i >= end) {
            end = i + 1;
            while (end < s->nchan && chan_at(s, end) == chan_at(s, i)) {
                end++;
            }
        }
        if (end - i > 1) {
            uint32_t with = i + goi_random(m, end - i);
            uint16_t x = s->order[i];
            s->order[i] = s->order[with];
            s->order[with] = x;
        }
    }
}

static void enqueue_all(struct m *m, struct select *s, struct g *g, uint32_t ticket)
{
    if (GOI_UNLIKELY(s->twice)) {
        shuffle_same(m, s);
    }
    for (uint32_t i = 0; i < s->nchan; i++) {
        uint16_t index = s->order[i];
        struct go_case *k = &s->cases[index];
        struct goi_waiter *w = &s->waiters[i];
        *w = (struct goi_waiter){.g = g,
                                 .value = k->value,
                                 .c = k->c,
                                 .ticket = ticket,
                                 .claimed = true,
                                 .index = index};
        goi_waitq_push(k->op == GO_CASE_SEND ? &k->c->sendq : &k->c->recvq, w);
        goi_chan_guest_enter(k->c); /* C6 */
        if (GOI_UNLIKELY(k->c->timer != NULL)) {
            goi_timer_watch_locked(m, k->c->timer);
        }
        goi_race_release_store(w);
        if (k->op == GO_CASE_SEND) {
            goi_race_read(k->c, 1);
        }
    }
}

/* One channel after the other: whoever won us left the other records to us alone, and of two
 * channels nothing is asked at once. */
static void dequeue_all(const struct select *s)
{
    uint32_t i = 0;
    while (i < s->nchan) {
        struct go_chan *c = s->waiters[i].c;
        bool abandoned = false;
        goi_lock(&c->lock);
        do {
            struct goi_waiter *w = &s->waiters[i];
            if (w->queued) {
                bool send = s->cases[w->index].op == GO_CASE_SEND;
                goi_waitq_remove(send ? &c->sendq : &c->recvq, w);
            }
            if (GOI_UNLIKELY(c->timer != NULL)) {
                goi_timer_unwatch_locked(c->timer);
            }
            abandoned = goi_chan_guest_leave(c); /* C6 */
            i++;
        } while (i < s->nchan && s->waiters[i].c == c);
        goi_unlock(&c->lock); /* S4 */
        if (GOI_UNLIKELY(abandoned)) {
            free(c);
        }
    }
}

/* Nothing is ready and all is locked: parks. Index of the case that fired; *closed says how. */
static int32_t wait_all(struct m *m, struct select *s, bool *closed)
{
    struct g *g = m->g;
    enum wait_reason why = s->n == 0 ? GOI_WAIT_SELECT_EMPTY : GOI_WAIT_SELECT;
    uint32_t ticket = goi_claim_begin(g);
    enqueue_all(m, s, g, ticket);
    g->wake_arg = NULL;
    int r = goi_park_until(&m, why, s, commit, s, ticket, s->deadline);
    goi_claim_end(g, ticket);
    struct goi_waiter *w = g->wake_arg;
    s->elem = r == 0 ? w->c->elem : 0;
    if (goi_race_there() && r == 0) {
        goi_race_acquire(w->c->timer != NULL ? (const void *)w->c->timer : (const void *)w);
    }
    dequeue_all(s);
    int32_t chosen = s->after;
    *closed = false;
    if (r == 0) {
        goi_assert_hot(w != NULL);
        struct go_case *k = &s->cases[w->index];
        chosen = w->index;
        *closed = !w->ok;
        if (k->op == GO_CASE_RECV) {
            if (!w->ok && k->value != NULL) {
                memset(k->value, 0, s->elem);
            }
        }
        if (k->ok != NULL) {
            *k->ok = w->ok;
        }
    }
    goi_leave(m);
    return chosen;
}

GOI_INLINE int finish(const struct select *s, int32_t chosen, bool closed)
{
    struct go_case *k = &s->cases[chosen];
    if (closed && k->op == GO_CASE_SEND && k->ok == NULL) {
        goi_panic_text("send on closed channel");
    }
    if (goi_race_on() && k->op == GO_CASE_RECV && k->value != NULL) {
        goi_race_write(k->value, s->elem);
    }
    return k->id;
}

/* Default and after cases, and the order of the channels. */
static void survey(struct m *m, struct select *s)
{
    int64_t now = 0;
    s->dflt = s->after = -1;
    s->deadline = GOI_FOREVER;
    s->nchan = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct go_case *k = &s->cases[i];
        if (k->op == GO_CASE_DEFAULT) {
            s->dflt = (int32_t)i;
        } else if (k->op == GO_CASE_AFTER) {
            now = now == 0 ? goi_now() : now;
            int64_t when = goi_after(now, k->after > 0 ? k->after : 0);
            if (s->after < 0 || when < s->deadline ||
                (when == s->deadline && goi_random(m, 2) == 0)) {
                s->after = (int32_t)i;
                s->deadline = when;
            }
        } else if (k->c != NULL) {
            s->order[s->nchan++] = (uint16_t)i;
        }
    }
    if (s->dflt >= 0) {
        s->deadline = GOI_FOREVER;
    }
}

/* A case that seems ready is tried under its own lock; -1: none does, or it was gone. */
GOI_INLINE int32_t try_one(struct m *m, struct select *s, enum goi_attempt *r, struct g **wake)
{
    int32_t chosen = glance(m, s);
    if (chosen >= 0) {
        struct go_chan *c = s->cases[chosen].c;
        s->elem = c->elem;
        goi_lock(&c->lock);
        *r = try_locked(&s->cases[chosen], wake);
        goi_unlock(&c->lock);
    }
    return chosen;
}

/* To wait on n channels takes n records in and out again, and 2n locks. So the goroutine that was
 * readied last, very likely by us, runs first, and we after it: the order in which we should have
 * run had we waited and it had woken us. If it made a case ready, nothing had to be queued. If not,
 * 1, 3, 7, then 15 of the next such selects of this goroutine do without. (A wake from another P
 * finds us behind that goroutine, as it finds whoever that goroutine readies itself: for a time
 * slice at most.) */
static bool let_run(struct m **m, const struct select *s)
{
    struct g *g = (*m)->g;
    if (!s->patient || s->n < 2) {
        return false;
    }
    if ((g->hasty & ((1 << HASTY_SHIFT) - 1)) != 0) {
        g->hasty--;
        return false;
    }
    return goi_swap_next(m);
}

static void let_run_paid(struct g *g, bool paid)
{
    uint32_t grade = paid ? 0 : (uint32_t)(g->hasty >> HASTY_SHIFT) + 1;
    grade = grade > HASTY_MOST ? HASTY_MOST : grade;
    g->hasty = (uint8_t)(grade << HASTY_SHIFT | ((1U << grade) - 1));
}

/* Nothing seemed ready, or what did was gone under its lock. */
static GOI_NOINLINE int run_slow(struct m *m, struct select *s)
{
    enum goi_attempt r = GOI_TRY_WAIT;
    struct g *wake = NULL;
    bool closed = false;
    int32_t chosen = -1;
    if (let_run(&m, s)) {
        chosen = try_one(m, s, &r, &wake);
        let_run_paid(m->g, r != GOI_TRY_WAIT);
    }
    if (r == GOI_TRY_WAIT) {
        survey(m, s);
        sort_order(s);
        lock_all(s);
        chosen = try_all_locked(m, s, &r, &wake);
        s->elem = chosen >= 0 ? s->cases[chosen].c->elem : 0;
        if (chosen < 0 && s->dflt < 0) {
            chosen = wait_all(m, s, &closed);
            return finish(s, chosen, closed);
        }
        unlock_all(s);
        if (chosen < 0) {
            goi_leave(m);
            return s->cases[s->dflt].id;
        }
    }
    if (wake != NULL) {
        goi_ready_inline(m, wake);
    }
    goi_leave(m);
    return finish(s, chosen, r == GOI_TRY_CLOSED);
}

GOI_INLINE int run(struct m *m, struct select *s)
{
    enum goi_attempt r = GOI_TRY_WAIT;
    struct g *wake = NULL;
    int32_t chosen = try_one(m, s, &r, &wake);
    if (GOI_UNLIKELY(r == GOI_TRY_WAIT)) {
        return run_slow(m, s);
    }
    if (wake != NULL) {
        goi_ready_inline(m, wake);
    }
    goi_leave(m);
    return finish(s, chosen, r == GOI_TRY_CLOSED);
}

static GOI_NOINLINE int select_many(struct go_case *cases, size_t n)
{
    struct select s = {.cases = cases, .n = (uint32_t)n};
    s.waiters = malloc(n * sizeof *s.waiters);
    s.order = malloc(n * sizeof *s.order);
    if (s.waiters == NULL || s.order == NULL) {
        goi_fatal("out of memory (select)");
    }
    int id = run(goi_enter(), &s);
    free(s.waiters);
    free(s.order);
    return id;
}

/* One case and a default: a question, asked again and again by who computes. Like try_send and
 * try_recv it needs no lock for a no ([CHAN-TRY]), except when it is time to give way (preempt.c).
 * With more cases a look at one after the other proves nothing about any one moment. */
GOI_INLINE bool refused(const struct go_case *cases, size_t n)
{
    return n == 2 && cases[1].op == GO_CASE_DEFAULT && cases[0].op <= GO_CASE_SEND &&
           (cases[0].c == NULL || !may(&cases[0])) && ld_rlx(goi_word32(&goi_nudge)) == 0;
}

static GOI_NOINLINE int select_few(struct go_case *cases, size_t n)
{
    struct goi_waiter waiters[ON_STACK];
    uint16_t order[ON_STACK];
    struct select s = {.cases = cases, .waiters = waiters, .order = order, .n = (uint32_t)n};
    return run(goi_enter(), &s);
}

int goi_select(struct go_case *cases, size_t n)
{
    if (refused(cases, n)) {
        return cases[1].id;
    }
    if (n <= ON_STACK) {
        return select_few(cases, n);
    }
    if (n > CASES_MAX) {
        goi_panic_text("reflect.Select: too many cases (max 65536)");
    }
    return select_many(cases, n);
}
