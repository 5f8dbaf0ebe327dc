/* SPDX-License-Identifier: MIT */
/* waitgroup.c: go_waitgroup, Go's sync.WaitGroup.
 *
 * add, done and a wait for nothing are one atomic operation. The difficulty is the end: the
 * goroutine whose done brings the counter to zero must wake the waiters, and one of those, or
 * somebody who merely looks and sees zero, is usually the owner of the memory and frees it. So zero
 * must not be visible to wait() before the last done() has finished with the object.
 *
 * Protocol. One 64-bit word: the counter in the upper half (signed, as in Go), and below it
 *
 *   QUEUE     somebody changes the list of waiters (a spin lock, held inside the runtime only)
 *   WAITERS   the list is not empty, or is about to be by the holder of QUEUE
 *
 * wait() returns at once only when the counter is zero *and* WAITERS is clear. Otherwise it sets
 * QUEUE and WAITERS in one step, lists its record and parks; the commit clears QUEUE. add() changes
 * the counter with one fetch-and-add and looks at what it got. If the counter is zero and WAITERS
 * set, it is the releaser: it takes QUEUE, takes the whole list, and stores zero to the word in one
 * step, its last touch; then it readies the goroutines of the list.
 *
 * When zero can be seen, any wait() that looks may return and the memory go, although other waiters
 * have not run yet. So nobody who was listed touches the group when it runs again, unless it knows
 * that zero cannot be seen before it is done. Who was released needs nothing of the group. Who was
 * late must leave the list; it and the releaser agree by a word in its record which of them comes
 * first. GONE: the releaser has taken it off, there is nothing left to do. LEAVING: it is on its
 * way, running and inside the runtime, and the releaser waits until it is off.
 *
 *   G1  Between the add that reached zero and the releaser's last touch WAITERS stays set, so no
 *       wait() returns: who comes in between is listed and released with the others. A waiter
 *       whose deadline passes in between stays for the release.         (tests/model/waitgroup)
 *   G2  Of several adds exactly one sees zero with WAITERS set, because the fetch-and-adds are
 *       ordered and adding to zero with WAITERS set is misuse and panics.  (tests/model/waitgroup)
 *   G3  After a waiter was readied, nobody touches its record.             (W2)
 *   G4  After the releaser's last touch, no waiter that had been listed touches the group. A record
 *       that is LEAVING is on the list until its owner has taken it off.   (tests/model/waitgroup)
 *
 * Misuse is found as in Go, with Go's words, where it can be found without a second look at memory
 * that may be gone. That a group is used again before all waits have returned is misuse in Go
 * alone, whose waiters look at the group again; here it is allowed.
 *
 * Memory order. [WG] release when the counter goes down pairs with acquire by whoever sees zero,
 * and by the releaser on behalf of the waiters, to which goi_ready() passes it on: what came before
 * done is visible after wait. [WORD] acquire and release of QUEUE: the list. [WG] also
 * on a late record: the releaser has done with it when its owner finds GONE.
 *
 * Rejected: Go's semaphore per group with a count of waiters. The waiters would have to touch the
 * group again after they are woken.
 */
#include "sync/internal.h"

#define QUEUE ((uint64_t)1)
#define WAITERS ((uint64_t)2)
#define FLAGS (QUEUE | WAITERS)

/* The header's inline paths know them. */
_Static_assert(WAITERS == 2, "the bit that says that somebody waits");
_Static_assert(sizeof(go_waitgroup) == 16, "go_waitgroup is part of the ABI");

GOI_INLINE int32_t counter(uint64_t s) { return (int32_t)(uint32_t)(s >> 32); }

static GOI_COLD void misuse(void)
{
    goi_panic_text("sync: WaitGroup misuse: Add called concurrently with Wait");
}

static void release_queue(struct m *m, void *arg)
{
    goi_a64 *state = arg;
    (void)m;
    and_rel(state, ~QUEUE); /* [WORD] */
}

/* Who waits; `parting` is for who was late. */
struct waiter {
    struct goi_sync_waiter on;
    goi_a32 parting;                /* [a:WG] 0, or who was first */
};

enum { LEAVING = 1, GONE = 2 };

GOI_INLINE struct waiter *waiter_of(struct goi_sync_waiter *w)
{
    return goi_container_of(w, struct waiter, on);
}

/* G4: the first of the two who say how the record parts from the list. */
static bool part(struct waiter *w, uint32_t how)
{
    uint32_t nobody = 0;
    return cas_acqrel(&w->parting, &nobody, how); /* [WG] */
}

/* --- the last done */

struct chain {
    struct goi_sync_waiter *first, *last;
};

/* Under QUEUE: takes every waiter that can be had off the list. Who is leaving stays on it. */
static void take_list(go_waitgroup *wg, struct chain *c)
{
    void *stay = NULL;
    struct goi_sync_waiter *w;
    for (w = goi_syncq_pop(&wg->head); w != NULL; w = goi_syncq_pop(&wg->head)) {
        if (!goi_sync_take(w)) { /* W3: its deadline was first */
            if (!part(waiter_of(w), GONE)) {
                goi_syncq_push_back(&stay, w);
            }
            continue;
        }
        w->given = true;
        if (c->last == NULL) {
            c->first = w;
        } else {
            c->last->next = w;
        }
        c->last = w;
    }
    wg->head = stay;
}

/* Takes QUEUE of a group that is at zero. False: another add came in between, which is misuse. */
static bool lock_at_zero(goi_a64 *state)
{
    uint32_t round = 0;
    for (;;) { /* ends: goi_word_wait */
        uint64_t s = ld_rlx(state);
        if (counter(s) != 0 || (s & WAITERS) == 0) {
            return false;
        }
        if ((s & QUEUE) != 0) {
            goi_word_wait(&round);
        } else if (cas_acq(state, &s, s | QUEUE)) { /* [WORD] [WG] */
            return true;
        }
    }
}

static void ready_all(struct m *m, const struct chain *c)
{
    struct goi_sync_waiter *w = c->first;
    while (w != NULL) {
        struct goi_sync_waiter *next = w->next;
        struct g *g = w->g; /* G3 */
        /* The first goes to runnext; a crowd behind what can run here already. */
        if (w == c->first) {
            goi_ready(m, g);
        } else {
            goi_ready_back(m, g);
        }
        w = next;
    }
}

/* Wakes everybody. False: misuse. */
static bool release_all(go_waitgroup *wg)
{
    goi_a64 *state = goi_word64(&wg->state);
    struct m *m = goi_enter();
    struct chain c = {NULL, NULL};
    uint32_t round = 0;
    bool last = false;
    bool fine = true;
    while (fine && !last) { /* ends: goi_word_wait, until all who are leaving have left */
        fine = lock_at_zero(state);
        if (fine) {
            take_list(wg, &c);
            last = wg->head == NULL;
            uint64_t clear = last ? FLAGS : QUEUE;
            uint64_t s = ld_rlx(state);
            while (!cas_rel(state, &s, s & ~clear)) { /* [WG] [WORD] G1, the last touch */
                /* Only an add can interfere, and each is misuse. */
            }
            fine = counter(s) == 0;
        }
        if (fine && !last) {
            goi_word_wait(&round);
        }
    }
    ready_all(m, &c);
    goi_leave(m);
    return fine;
}

/* The header has the inline forms; here are the ones that a pointer to them means. */
extern inline void go_wg_add(go_waitgroup *wg, int n);
extern inline void go_wg_done(go_waitgroup *wg);
extern inline void go_wg_wait(go_waitgroup *wg);

/* After an addition that made `s`, with a counter below zero or somebody who waits. */
void goi_wg_added(go_waitgroup *wg, int n, uint64_t s)
{
    int32_t now = counter(s);
    if (GOI_UNLIKELY(now < 0)) {
        goi_panic_text("sync: negative WaitGroup counter");
    }
    goi_assert((s & WAITERS) != 0);
    if (n > 0 && now == n) { /* G2 */
        misuse();
    }
    if (now == 0 && !release_all(wg)) {
        misuse();
    }
}

void goi_wg_add_slow(go_waitgroup *wg, int n)
{
    uint64_t change = (uint64_t)(uint32_t)n << 32;
    if (n < 0) {
        goi_race_release_merge(wg);
    }
    uint64_t s = add_acqrel(goi_word64(&wg->state), change) + change; /* [WG] */
    int32_t now = counter(s);
    if (n > 0 && now == n) {
        /* The first add must be ordered with wait: for ThreadSanitizer it reads what the first
         * waiter writes. */
        goi_race_read(&wg->head, sizeof(wg->head));
    }
    if (now < 0 || (s & WAITERS) != 0) {
        goi_wg_added(wg, n, s);
    }
}

void goi_wg_done(void *wg, int ret)
{
    (void)ret;
    go_wg_add(wg, -1);
}

/* --- waiting */

/* After its deadline: off the list, unless the releaser took us off. LEAVING keeps the group. */
static void leave_list(go_waitgroup *wg, struct goi_sync_waiter *w)
{
    goi_a64 *state = goi_word64(&wg->state);
    uint32_t round = 0;
    uint64_t s = ld_rlx(state);
    for (;;) { /* ends: goi_word_wait */
        if ((s & QUEUE) != 0) {
            goi_word_wait(&round);
            s = ld_rlx(state);
        } else if (cas_acq(state, &s, s | QUEUE)) { /* [WORD] */
            break;
        }
    }
    if (goi_sync_queued(w)) {
        goi_syncq_remove(&wg->head, w);
    }
    s = ld_rlx(state);
    uint64_t clear;
    do {
        /* G1: at zero with WAITERS set a releaser is under way, and needs to find it set. */
        clear = wg->head == NULL && counter(s) != 0 ? FLAGS : QUEUE;
    } while (!cas_rel(state, &s, s & ~clear)); /* [WORD] */
}

/* True: on the list, with QUEUE held. False: nothing to wait for. */
static bool join_list(go_waitgroup *wg, struct goi_sync_waiter *w, const struct goi_limit *limit)
{
    goi_a64 *state = goi_word64(&wg->state);
    uint32_t round = 0;
    uint64_t s = ld_acq(state); /* [WG] */
    for (;;) { /* ends: goi_word_wait */
        if (counter(s) == 0 && (s & WAITERS) == 0) {
            return false;
        }
        if ((s & QUEUE) != 0) {
            goi_word_wait(&round);
            s = ld_acq(state); /* [WG] */
        } else if (cas_acqrel(state, &s, s | FLAGS)) { /* [WORD], over-ordered */
            break;
        }
    }
    if ((s & WAITERS) == 0) {
        goi_race_write(&wg->head, sizeof(wg->head));
    }
    goi_syncq_push_back(&wg->head, w);
    goi_sync_limit(w, limit);
    return true;
}

static GOI_COLD int wait_slow(go_waitgroup *wg, const struct goi_limit *limit)
{
    goi_a64 *state = goi_word64(&wg->state);
    struct waiter w = {.on = {.given = false}};
    struct m *m = goi_enter();
    w.on.g = m->g;
    if (!join_list(wg, &w.on, limit)) {
        goi_leave(m);
        return 0;
    }
    int r = goi_sync_park(&m, &w.on, GOI_WAIT_WAITGROUP, wg, release_queue, state, limit);
    goi_assert((r == 0) == w.on.given);
    if (r != 0 && part(&w, LEAVING)) { /* G4: from here on the group may be gone otherwise */
        leave_list(wg, &w.on);
    }
    goi_leave(m);
    return r;
}

int goi_wg_wait_limited(go_waitgroup *wg, const struct goi_limit *limit)
{
    uint64_t s = ld_acq(goi_word64(&wg->state)); /* [WG] */
    if (counter(s) != 0 || (s & WAITERS) != 0) {
        int r = goi_limited(limit) ? goi_limit_over(limit) : 0;
        if (r == 0) {
            r = wait_slow(wg, limit);
        }
        if (r != 0) {
            return r;
        }
    }
    goi_race_acquire(wg);
    return 0;
}

void goi_wg_wait_slow(go_waitgroup *wg)
{
    static const struct goi_limit unlimited = {.deadline = GOI_FOREVER};
    goi_wg_wait_limited(wg, &unlimited);
}

int go_wg_wait_until(go_waitgroup *wg, go_time deadline)
{
    const struct goi_limit limit = {.deadline = deadline};
    return goi_wg_wait_limited(wg, &limit);
}

int go_wg_wait_ctx(struct go_ctx *ctx, go_waitgroup *wg)
{
    const struct goi_limit limit = goi_limit_of(ctx);
    return goi_limit_error(ctx, goi_wg_wait_limited(wg, &limit));
}
