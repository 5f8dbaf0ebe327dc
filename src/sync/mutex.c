/* SPDX-License-Identifier: MIT */
/* mutex.c: go_mutex, Go's sync.Mutex.
 *
 * The lock is a bit of a word, and the two fast paths are one compare-and-swap each; they need
 * neither a P nor the runtime, and are inline in gort/sync.h: a lock that finds LOCKED clear, and
 * an unlock that need not wake anybody. (When goi_nudge is set a lock comes here once, to answer
 * the end of the goroutine's time slice: preempt.c.) The difficulty is everything else: who waits
 * must be found by the unlocker, must not be forgotten, must not wait for ever while others barge
 * in, and the unlocker must not touch the mutex once somebody else can have it, because the next
 * owner may free it.
 *
 * Protocol. All state is one word, and the queue of waiters is guarded by a bit of that same word:
 *
 *   LOCKED    somebody owns the mutex
 *   QUEUE     somebody changes the queue (a spin lock, held inside the runtime only)
 *   WAITERS   the queue is not empty, or is about to be not empty by the holder of QUEUE
 *   WOKEN     a waiter is on its way to try again (or a spinner stands in for one), so an unlock
 *             need not wake another
 *   STARVING  the first in the queue gets the mutex by hand-off; nobody barges
 *
 * A locker that finds LOCKED spins for a moment when the owner can be running, then sets QUEUE and
 * WAITERS in one step, queues its record and parks; the commit clears QUEUE. An unlocker that finds
 * WAITERS without WOKEN takes QUEUE *while it still owns the mutex*, takes the first record off,
 * and gives up LOCKED and QUEUE in one step, its last touch. Then it readies the waiter, which goes
 * into the unlocker's runnext: it runs on this P when the unlocker stops, and not before unless
 * another P is idle. The unlocker goes on and may lock again (normal mode), which is what makes a
 * contended mutex as fast as an uncontended one: its critical sections stay on one P, with its data
 * in one cache (combine-and-exchange scheduling). Fairness comes from Go's rule: a waiter that was
 * woken, finds the mutex taken again, and has waited for a millisecond in all, sets STARVING. From
 * then on unlock hands the mutex to the first waiter (LOCKED is never cleared), and yields to it.
 * The mode ends with the waiter that is the last or has waited for less than 1 ms.
 *
 *   M1  LOCKED, QUEUE and the queue's emptiness change together where it matters: an unlock that
 *       leaves the queue non-empty and wakes nobody has seen WOKEN.    (tests/model/mutex)
 *   M2  WOKEN is set only if a goroutine that knows it will clear it is awake: on getting the lock,
 *       on queueing again, on giving up. If that goroutine gives up because of its deadline it does
 *       so only while LOCKED, whose owner then sees WAITERS without WOKEN.   (tests/model/mutex)
 *   M3  STARVING implies LOCKED and WAITERS.                                 (asserts)
 *   M4  After the store that clears LOCKED, or hands it over, the unlocker does not touch the
 *       mutex.                                            (tests/model/mutex, reuse after unlock)
 *   M5  A record on the queue belongs to a goroutine whose commit has run, or that holds QUEUE.
 *                                                        (goi_ready in tests/model/sched.h)
 *
 * The lost wake-up that QUEUE prevents: locker reads LOCKED | unlocker reads no WAITERS, clears
 * LOCKED | locker queues and parks for ever. Here the locker's step to QUEUE|WAITERS is a
 * compare-and-swap on the word that still says LOCKED, so the unlocker's own compare-and-swap
 * fails and it looks again.
 *
 * Memory order. [MUTEX] acquire when LOCKED is set pairs with release when it is cleared: the n-th
 * unlock happens before the (n+1)-th lock. A hand-off transfers through the record and goi_ready().
 * [WORD] acquire when QUEUE is set pairs with the release that clears it: the queue's contents.
 *
 * Rejected: queues hashed by address as in Go (syncq.h). Rejected: clearing LOCKED first and
 * looking for waiters afterwards, as Go does with one add: the mutex may be freed in between (Go
 * has a collector for that). Rejected: hand-off always: every critical section would cost a switch.
 * Rejected: an owner field, since any goroutine may unlock.
 */
#include "sync/internal.h"

enum {
    LOCKED = 1,
    QUEUE = 2,
    WAITERS = 4,
    WOKEN = 8,
    STARVING = 16,
};

_Static_assert((LOCKED | WAITERS | WOKEN) == 13 && (13 | STARVING) == 29,
               "what the inline unlock in gort/sync.h knows of the word");

enum { STARVE_NS = 1000000, SPIN_ROUNDS = 4, SPIN_PAUSES = 30 };

_Static_assert(sizeof(go_mutex) == 16, "go_mutex is part of the ABI");

static GOI_COLD void die_unlocked(void) { goi_fatal("sync: unlock of unlocked mutex"); }

static void state_check(uint32_t s)
{
    if ((s & STARVING) != 0) { /* M3 */
        goi_assert((s & LOCKED) != 0);
        goi_assert((s & WAITERS) != 0);
    }
}

/* The commit of a parking waiter, and the end of a queue change that leaves the rest as it is. */
static void release_queue(struct m *m, void *arg)
{
    goi_a32 *state = arg;
    (void)m;
    and_rel(state, ~(uint32_t)QUEUE); /* [WORD] */
}

/* --- locking */

/* Spins for as long as it can pay: the owner can be running on another P, nothing else waits for
 * this one, and nobody starves. True: we own the mutex. *woken: WOKEN is set and ours to clear. */
static bool spin(struct m *m, goi_a32 *state, bool *woken)
{
    if (!goi_may_spin(m)) {
        return false;
    }
    for (int round = 0; round < SPIN_ROUNDS; round++) {
        uint32_t s = ld_rlx(state);
        if ((s & LOCKED) == 0) {
            uint32_t clear = *woken ? WOKEN : 0;
            if (cas_acq(state, &s, (s | LOCKED) & ~clear)) { /* [MUTEX] */
                return true;
            }
            continue;
        }
        if ((s & STARVING) != 0) {
            return false;
        }
        /* M2: we stand in for a waiter, the owner need not wake one. */
        if (!*woken && (s & (WOKEN | WAITERS)) == WAITERS && cas_rlx(state, &s, s | WOKEN)) {
            *woken = true;
        }
        for (int i = 0; i < SPIN_PAUSES; i++) {
            goi_pause();
        }
    }
    return false;
}

/* After its deadline a waiter leaves the queue, if an unlocker has not just taken it off. */
static void leave_queue(go_mutex *mu, struct goi_sync_waiter *w)
{
    goi_a32 *state = goi_word32(&mu->state);
    goi_word_lock(state, QUEUE);
    uint32_t clear = QUEUE;
    if (goi_sync_queued(w)) {
        goi_syncq_remove(&mu->head, w);
    }
    if (mu->head == NULL) {
        clear |= WAITERS | STARVING; /* M3 */
    }
    and_rel(state, ~clear); /* [WORD] */
}

/* One attempt to get the mutex or a place in its queue. */
enum attempt { GOT, QUEUED, AGAIN, LATE };

static enum attempt attempt(goi_a32 *state, uint32_t *round, bool woken, bool starving, int late)
{
    uint32_t s = ld_rlx(state);
    uint32_t clear = woken ? WOKEN : 0;
    state_check(s);
    if ((s & LOCKED) == 0) {
        return cas_acq(state, &s, (s | LOCKED) & ~clear) ? GOT : AGAIN; /* [MUTEX] */
    }
    if (late != 0) { /* M2: only while LOCKED */
        return clear == 0 || cas_rlx(state, &s, s & ~clear) ? LATE : AGAIN;
    }
    if ((s & QUEUE) != 0) {
        goi_word_wait(round);
        return AGAIN;
    }
    uint32_t set = QUEUE | WAITERS | (starving ? STARVING : 0);
    return cas_acq(state, &s, (s | set) & ~clear) ? QUEUED : AGAIN; /* [WORD] */
}

static const struct goi_limit unlimited = {.deadline = GOI_FOREVER};

static int lock_slow(go_mutex *mu, const struct goi_limit *limit)
{
    goi_a32 *state = goi_word32(&mu->state);
    struct goi_sync_waiter w = {.given = 0};
    bool woken = false;
    bool starving = false;
    int late = goi_limited(limit) ? goi_limit_over(limit) : 0;
    uint32_t round = 0;
    struct m *m = goi_enter();
    w.g = m->g;
    for (;;) { /* ends: with the mutex or too late */
        if (late == 0 && spin(m, state, &woken)) {
            break;
        }
        enum attempt a = attempt(state, &round, woken, starving, late);
        if (a == AGAIN) {
            continue;
        }
        if (a != QUEUED) {
            late = a == GOT ? 0 : late;
            break;
        }
        if (w.since == 0) {
            w.since = goi_now();
            goi_syncq_push_back(&mu->head, &w);
        } else { /* it had its turn already and lost */
            goi_syncq_push_front(&mu->head, &w);
        }
        goi_sync_limit(&w, limit);
        int r = goi_sync_park(&m, &w, GOI_WAIT_MUTEX, mu, release_queue, state, limit);
        if (w.given != 0) {
            goi_assert(!goi_sync_queued(&w));
            break; /* handed over: LOCKED stayed set for us */
        }
        if (r != 0) {
            leave_queue(mu, &w);
            late = r;
            break;
        }
        woken = true; /* M2 */
        round = 0;
        starving = starving || goi_now() - w.since > STARVE_NS;
        late = goi_limited(limit) ? goi_limit_over(limit) : 0;
    }
    goi_leave(m);
    return late;
}

/* STARVING implies LOCKED (M3), so who finds LOCKED clear may barge in. */
GOI_INLINE bool try_lock(go_mutex *mu)
{
    goi_a32 *state = goi_word32(&mu->state);
    uint32_t s = ld_rlx(state);
    return (s & LOCKED) == 0 && cas_acq(state, &s, s | LOCKED); /* [MUTEX] */
}

int goi_mutex_lock_limited(go_mutex *mu, const struct goi_limit *limit)
{
    if (GOI_UNLIKELY(!try_lock(mu))) {
        int r = lock_slow(mu, limit);
        if (r != 0) {
            return r;
        }
    }
    goi_race_acquire(mu);
    return 0;
}

/* The header has the inline forms; here are the ones that a pointer to them means. */
extern inline void go_mutex_lock(go_mutex *mu);
extern inline void go_mutex_unlock(go_mutex *mu);

void goi_mutex_lock_slow(go_mutex *mu)
{
    if (ld_rlx(goi_word32(&goi_nudge)) != 0) { /* sent here to answer a request (preempt.c) */
        st_rlx(goi_word32(&goi_nudge), 0);     /* [stat] */
        goi_leave(goi_enter());
    }
    if (!try_lock(mu)) {
        lock_slow(mu, &unlimited);
    }
    goi_race_acquire(mu);
}

bool go_mutex_trylock(go_mutex *mu)
{
    if (!try_lock(mu)) {
        return false;
    }
    goi_race_acquire(mu);
    return true;
}

int go_mutex_lock_until(go_mutex *mu, go_time deadline)
{
    const struct goi_limit limit = {.deadline = deadline};
    return goi_mutex_lock_limited(mu, &limit);
}

int go_mutex_lock_ctx(struct go_ctx *ctx, go_mutex *mu)
{
    const struct goi_limit limit = goi_limit_of(ctx);
    int r = goi_limit_over(&limit); /* an end that came before wins over a mutex that is free */
    return goi_limit_error(ctx, r != 0 ? r : goi_mutex_lock_limited(mu, &limit));
}

/* --- unlocking */

/* We own the mutex and QUEUE. Takes the first waiter that can be had off the queue. */
static struct goi_sync_waiter *pop(go_mutex *mu)
{
    struct goi_sync_waiter *w = goi_syncq_pop(&mu->head);
    while (w != NULL && !goi_sync_take(w)) { /* W3 */
        w = goi_syncq_pop(&mu->head);
    }
    return w;
}

/* Gives up LOCKED and QUEUE, or only QUEUE when the mutex is handed over; the last touch (M4). */
static void publish(goi_a32 *state, uint32_t clear, uint32_t set)
{
    uint32_t s = ld_rlx(state);
    /* Others change WOKEN alone meanwhile, so this ends. */
    while (!cas_rel(state, &s, (s & ~clear) | set)) { /* [MUTEX] [WORD] */
        goi_assert((s & (LOCKED | QUEUE)) == (LOCKED | QUEUE));
    }
}

static void wake_first(go_mutex *mu, goi_a32 *state)
{
    struct m *m = goi_enter();
    uint32_t round = 0;
    uint32_t s;
    for (;;) { /* ends: goi_word_wait */
        s = ld_rlx(state);
        if ((s & QUEUE) != 0) {
            goi_word_wait(&round);
        } else if (cas_acq(state, &s, s | QUEUE)) { /* [WORD] */
            break;
        }
    }
    goi_assert((s & LOCKED) != 0);
    struct goi_sync_waiter *w = pop(mu);
    uint32_t empty = mu->head == NULL ? WAITERS | STARVING : 0;
    if (w == NULL) {
        publish(state, LOCKED | QUEUE | WAITERS | STARVING, 0);
        goi_leave(m);
        return;
    }
    struct g *g = w->g; /* W2 */
    bool hand_over = (s & STARVING) != 0;
    if (hand_over) {
        uint32_t calm = goi_now() - w->since < STARVE_NS ? STARVING : 0;
        w->given = 1;
        publish(state, QUEUE | empty | calm, 0);
    } else {
        publish(state, LOCKED | QUEUE | empty, WOKEN); /* M2 */
    }
    goi_ready(m, g);
    if (hand_over) {
        m = goi_yield(m); /* it runs now, on our slice */
    }
    goi_leave(m);
}

void goi_mutex_unlock_slow(go_mutex *mu)
{
    goi_a32 *state = goi_word32(&mu->state);
    uint32_t s = ld_rlx(state);
    goi_race_release(mu);
    for (;;) { /* ends: a failed exchange means that another one made progress */
        state_check(s);
        if (GOI_UNLIKELY((s & LOCKED) == 0)) {
            die_unlocked();
        }
        if ((s & WAITERS) != 0 && ((s & WOKEN) == 0 || (s & STARVING) != 0)) {
            wake_first(mu, state);
            return;
        }
        if (cas_rel(state, &s, s & ~(uint32_t)LOCKED)) { /* [MUTEX] M4 */
            return;
        }
    }
}

/* --- guard and with_lock */

static void guard_run(struct goi_cleanup *c)
{
    struct goi_guard *g = goi_container_of(c, struct goi_guard, cleanup);
    go_mutex_unlock(g->object);
}

struct goi_guard *goi_mutex_guard(struct goi_guard *g, go_mutex *mu, void *frame)
{
    go_mutex_lock(mu);
    g->object = mu;
    goi_cleanup_push(&g->cleanup, guard_run, frame);
    return g;
}
