/* SPDX-License-Identifier: MIT */
/* mutex.c: go_mutex, Go's sync.Mutex.
 *
 * The lock is a bit of a word. A lock that finds it clear is one atomic or; an unlock of a mutex
 * that nobody has ever waited for is a store. Both need neither a P nor the runtime, and are inline
 * in gort/sync.h. (When goi_nudge is set a lock comes here once, to answer the end of the
 * goroutine's time slice: preempt.c.) The difficulty is everything else: who waits must be found
 * by the unlocker, must not be forgotten, must not wait for ever while others barge in, and the
 * unlocker must not touch the mutex once somebody else can have it, because the next owner may free
 * it.
 *
 * Protocol. All state is one word, and the queue of waiters is guarded by a bit of that same word:
 *
 *   LOCKED    somebody owns the mutex
 *   QUEUE     somebody changes the queue (a spin lock, held inside the runtime only)
 *   WAITERS   the queue is not empty, or is about to be not empty by the holder of QUEUE
 *   WOKEN     a waiter is on its way to try again (or a spinner stands in for one), so an unlock
 *             need not wake another
 *   STARVING  the first in the queue gets the mutex by hand-off; nobody barges
 *   SHARED    somebody has waited for it: it is unlocked by compare-and-swap
 *   FIRST     those who wait are not in the queue but in the hall, below
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
 * The first wait. Most mutexes are never waited for, and a compare-and-swap at their unlock buys
 * nothing. So while the word is LOCKED and nothing else, it is unlocked by a plain store of 0,
 * which may also wipe out whatever a locker has written there since the unlocker looked. Nothing
 * that must last may therefore be put into the word by the first who waits. It goes to the hall: a
 * table, hashed by address, of those who wait for a mutex for the first time in its life. The
 * unlocker looks there after its store, at a count beside the table and not at the mutex (M4):
 *
 *       unlocker                          the first waiter
 *       word := 0                         goi_mutex_watch[h]++
 *       compiler barrier                  membarrier()       (a full fence in every thread)
 *       goi_mutex_watch[h] != 0 ?         take the hall's lock; word & LOCKED ? park : try again
 *
 * The membarrier falls somewhere in the unlocker's program. Before its store: then its load comes
 * later and sees the count. After it: then the waiter sees the store. So it is found, or does not
 * park. It also puts LOCKED|SHARED|FIRST into the word, with which a later unlock does not store
 * but comes here, moves all its waiters from the hall to the queue, in their order, clears FIRST,
 * and goes on as above. SHARED stays, and a first wait costs some microseconds: it goes when a
 * goroutine at the end of a time slice has locked a mutex for which nobody waits (forget), so that
 * one unlucky moment does not make a mutex slow for ever. The next to wait is then a first one
 * again; that its membarrier may have come before SHARED went is no matter, since it raised the
 * count before that. Only when the owner was between its look at the word and its store does it
 * become 0 with waiters in the hall; then the owner sees the count and comes to look for the
 * address in the hall. If it is there the mutex is alive, because its waiters cannot return without
 * the hall's lock; so the owner takes the mutex once more, unless somebody else has, and unlocks it
 * in the other way. Whoever has it then will unlock it, with FIRST or by a store and a look.
 *
 *   M6  While records of a mutex are in the hall, its word is 0 or LOCKED, or it has FIRST; and
 *       every unlock takes them out or hands that duty to the next owner. (tests/model/mutex)
 *   M7  A record in the hall belongs to a goroutine that has parked, under the hall's lock; there
 *       its owner leaves it after its deadline.                          (tests/model/mutex)
 *   M8  Where SHARED is not set, or FIRST is, the queue is empty and nobody takes QUEUE: who leaves
 *       the queue after his deadline may find that he is no longer there. (tests/model/mutex)
 *
 * A process that contends new mutexes all the time would pay a membarrier for each. It may have
 * one in a millisecond, and 64 at once; when it wants more, the counts are raised by one for good,
 * so that every such unlock comes here and fences, and the first waiters fence as well. The counts
 * begin raised, until the constructor has seen that the kernel knows membarrier.
 *
 * Memory order. [MUTEX] acquire when LOCKED is set pairs with release when it is cleared: the n-th
 * unlock happens before the (n+1)-th lock. A hand-off transfers through the record and goi_ready().
 * [WORD] acquire when QUEUE is set pairs with the release that clears it: the queue's contents.
 * [HALL] the store and the look of the unlocker with the count and the look of the first waiter.
 *
 * Rejected: queues hashed by address as in Go (syncq.h), for more than the first wait. Rejected:
 * clearing LOCKED first and looking for waiters in the mutex afterwards, as Go does with one add:
 * it may be freed in between (Go has a collector for that). Rejected: hand-off always: every
 * critical section would cost a switch. Rejected: an owner field that decides anything, since any
 * goroutine may unlock. Rejected: a restartable sequence (rseq) that looks and stores in one step,
 * which is not there under valgrind and in older kernels. Rejected: a mutex biased to its first
 * thread, whose lock would be a store as well; it would have to know which thread unlocks, and each
 * is revoked once.
 *
 * `spare` says who has locked (wants.c), for reports and for nothing else.
 */
#include "sync/internal.h"
#include "sync/view.h"

enum {
    LOCKED = 1,
    QUEUE = 2,
    WAITERS = 4,
    WOKEN = 8,
    STARVING = 16,
    SHARED = 32,
    FIRST = 64,
};

_Static_assert(LOCKED == 1 && (LOCKED | SHARED) == 33 && (LOCKED | SHARED | WOKEN) == 41 &&
                   (LOCKED | SHARED | WOKEN | WAITERS) == 45,
               "what the inline paths in gort/sync.h know of the word");

/* Where a record is; only the hall's lock knows. */
enum { IN_QUEUE, IN_HALL };

enum { STARVE_NS = 1000000, SPIN_ROUNDS = 4, SPIN_PAUSES = 30 };

_Static_assert(sizeof(go_mutex) == 16, "go_mutex is part of the ABI");

static GOI_COLD void die_unlocked(void) { goi_fatal("sync: unlock of unlocked mutex"); }

static void state_check(uint32_t s)
{
    if ((s & STARVING) != 0) { /* M3 */
        goi_assert_hot((s & LOCKED) != 0);
        goi_assert_hot((s & WAITERS) != 0);
    }
    if ((s & FIRST) != 0) { /* M6 */
        goi_assert_hot((s & SHARED) != 0);
        goi_assert_hot((s & (QUEUE | WAITERS)) == 0);
    }
}

/* The commit of a parking waiter, and the end of a queue change that leaves the rest as it is. */
static void release_queue(struct m *m, void *arg)
{
    goi_a32 *state = arg;
    (void)m;
    and_rel(state, ~(uint32_t)QUEUE); /* [WORD] */
}

/* --- the hall */

enum { HALLS = 64, BURST_NS = 64 * 1000000, EACH_NS = 1000000 };

_Static_assert(HALLS == 1 << GOI_MUTEX_HALL_BITS, "the header hashes too");

#define RAISED_8 1, 1, 1, 1, 1, 1, 1, 1

go_word goi_mutex_watch[HALLS] = {RAISED_8, RAISED_8, RAISED_8, RAISED_8,
                                  RAISED_8, RAISED_8, RAISED_8, RAISED_8};

static struct hall {
    struct goi_lock lock;
    goi_a32 waiting;            /* first waiters, from before they look to after they have it */
    void *head;                 /* [l:lock] records; `amount` says for which mutex */
} halls[HALLS];

static goi_abool fenced;        /* all unlocks come here and fence */
static goi_a64 earned;          /* when the last membarrier that was used had been earned */

GOI_INLINE struct hall *hall_of(const go_mutex *mu) { return &halls[GOI_MUTEX_HALL(mu)]; }

static void raise_all(uint32_t by)
{
    for (int i = 0; i < HALLS; i++) {
        add_rlx(goi_word32(&goi_mutex_watch[i]), by);
    }
}

static GOI_CONSTRUCTOR void trust_membarrier(void)
{
    if (gop_membarrier_init()) {
        raise_all(UINT32_MAX);
    }
}

/* May this process have one more membarrier? Relaxed: lost updates make it generous. */
static bool afford(int64_t now)
{
    int64_t from = goi_max_i64((int64_t)ld_rlx(&earned), now - BURST_NS);
    if (from > now - EACH_NS) {
        return false;
    }
    st_rlx(&earned, (uint64_t)(from + EACH_NS));
    return true;
}

/* More than half of what may be saved up is there. */
static bool affords_forgetting(int64_t now)
{
    return (int64_t)ld_rlx(&earned) <= now - BURST_NS / 2 && goi_sched.have_membarrier &&
           !ld_rlx(&fenced);
}

/* After this every unlock by a store, in any thread, sees what we have counted, or we see its
 * store. */
static void fence_unlockers(int64_t now)
{
    if (!goi_sched.have_membarrier || ld_acq(&fenced)) { /* [HALL] raised for all since */
        fence_seq(); /* [HALL] with the fence in goi_mutex_passed */
        return;
    }
    bool last = !afford(now);
    if (last) {
        raise_all(1);
    }
    gop_membarrier(); /* [HALL] */
    if (last) {
        st_rel(&fenced, true); /* [HALL] */
    }
}

/* Marks the word of a mutex whose first wait this is. False: it is free, or its first wait is
 * over. Under the hall's lock. */
static bool mark_first(goi_a32 *state)
{
    uint32_t s = ld_rlx(state);
    while ((s & (LOCKED | SHARED)) == LOCKED) { /* ends: it is owned once at a time */
        if (cas_acq(state, &s, LOCKED | SHARED | FIRST)) { /* [MUTEX] over-ordered */
            return true;
        }
    }
    return (s & (LOCKED | FIRST)) == (LOCKED | FIRST);
}

/* Under the hall's lock: moves the records of mu to `queue`. */
static void move_records(struct hall *hall, go_mutex *mu, void **queue)
{
    struct goi_sync_waiter *end = hall->head != NULL ? goi_syncq_first(&hall->head)->prev : NULL;
    struct goi_sync_waiter *w = goi_syncq_first(&hall->head);
    for (bool more = w != NULL; more;) {
        struct goi_sync_waiter *next = w->next;
        more = w != end;
        if (w->amount == (int64_t)(uintptr_t)mu) {
            goi_syncq_remove(&hall->head, w);
            w->kind = IN_QUEUE;
            goi_syncq_push_back(queue, w);
        }
        w = next;
    }
}

/* By the owner, who has seen FIRST: its waiters go to the queue (M6). */
static void end_first_wait(go_mutex *mu)
{
    goi_a32 *state = goi_word32(&mu->state);
    struct hall *hall = hall_of(mu);
    struct m *m = goi_enter();
    goi_lock(&hall->lock);
    goi_assert(mu->head == NULL);
    move_records(hall, mu, &mu->head);
    /* The others change nothing: they would need the hall's lock, or LOCKED to be clear. */
    st_rel(state, LOCKED | SHARED | (mu->head != NULL ? WAITERS : 0)); /* [WORD] */
    goi_unlock(&hall->lock);
    goi_leave(m);
}

/* Is anybody in the hall for mu? Under its lock. */
static bool in_hall(struct hall *hall, const go_mutex *mu)
{
    struct goi_sync_waiter *first = goi_syncq_first(&hall->head);
    struct goi_sync_waiter *w = first;
    while (w != NULL && w->amount != (int64_t)(uintptr_t)mu) {
        w = w->next != first ? w->next : NULL;
    }
    return w != NULL;
}

/* After an unlock by a store that has seen a count. The mutex may be gone. */
void goi_mutex_passed(go_mutex *mu)
{
    struct hall *hall = hall_of(mu);
    fence_seq(); /* [HALL] with the fence in fence_unlockers */
    if (ld_rlx(&hall->waiting) == 0) {
        return;
    }
    struct m *m = goi_enter();
    uint32_t s = 0;
    goi_lock(&hall->lock);
    bool again = in_hall(hall, mu) && /* so it is not gone */
                 cas_acq(goi_word32(&mu->state), &s, LOCKED | SHARED | FIRST); /* [MUTEX] */
    goi_unlock(&hall->lock);
    goi_leave(m);
    if (again) {
        goi_mutex_unlock_turn(mu);
    }
}

static void unlock_hall(struct m *m, void *arg)
{
    (void)m;
    goi_unlock(arg);
}

/* After its deadline a waiter leaves the hall. False: its mutex' first wait was over before. */
static bool leave_hall(struct hall *hall, struct goi_sync_waiter *w)
{
    goi_lock(&hall->lock);
    bool here = w->kind == IN_HALL;
    if (here) {
        goi_syncq_remove(&hall->head, w);
        w->kind = IN_QUEUE;
    }
    goi_unlock(&hall->lock);
    return here;
}

/* A wait that may last for ever, and so be part of a cycle (wants.c). */
GOI_INLINE void note_want(const struct goi_sync_waiter *w, go_mutex *mu)
{
    if (!w->limited) {
        goi_wants_begin(w->g, mu);
    }
}

/* Waits in the hall, if that is still the place. False: it is not, try again. Otherwise *r is what
 * goi_sync_park() said. */
static bool wait_first(struct m **m, go_mutex *mu, struct goi_sync_waiter *w,
                       const struct goi_limit *limit, int *r)
{
    goi_a32 *watch = goi_word32(&goi_mutex_watch[GOI_MUTEX_HALL(mu)]);
    struct hall *hall = hall_of(mu);
    int64_t now = goi_now();
    add_rlx(&hall->waiting, 1);
    add_rlx(watch, 1);
    fence_unlockers(now);
    goi_lock(&hall->lock);
    bool here = mark_first(goi_word32(&mu->state));
    if (here) {
        w->since = w->since == 0 ? now : w->since;
        w->kind = IN_HALL;
        w->amount = (int64_t)(uintptr_t)mu;
        goi_sync_limit(w, limit);
        goi_syncq_push_back(&hall->head, w);
        note_want(w, mu);
        *r = goi_sync_park(m, w, GOI_WAIT_MUTEX, mu, unlock_hall, &hall->lock, limit); /* M7 */
        goi_wants_end((*m)->g);
    } else {
        goi_unlock(&hall->lock);
    }
    sub_rlx(watch, 1);
    sub_rlx(&hall->waiting, 1);
    return here;
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

/* Takes QUEUE, and sets `set` with it, as long as the word has of `mask` just `want`; false when it
 * has not. [WORD] acquire: the queue's contents, and that forget() came after what changed them. */
static bool take_queue(goi_a32 *state, uint32_t mask, uint32_t want, uint32_t set)
{
    uint32_t round = 0;
    for (;;) { /* ends: goi_word_wait */
        uint32_t s = ld_acq(state); /* [WORD] with forget() */
        if ((s & mask) != want) {
            return false;
        }
        if ((s & QUEUE) != 0) {
            goi_word_wait(&round);
        } else if (cas_acq(state, &s, s | QUEUE | set)) { /* [WORD] */
            return true;
        }
    }
}

/* After its deadline a waiter leaves the queue, if an unlocker has not just taken it off. */
static void leave_queue(go_mutex *mu, struct goi_sync_waiter *w)
{
    goi_a32 *state = goi_word32(&mu->state);
    if (!take_queue(state, SHARED | FIRST, SHARED, 0)) { /* M8 */
        goi_assert(!goi_sync_queued(w));
        return;
    }
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
enum attempt { GOT, QUEUED, AT_FIRST, AGAIN, LATE };

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
    if ((s & SHARED) == 0 || (s & FIRST) != 0) {
        return AT_FIRST;
    }
    if ((s & QUEUE) != 0) {
        goi_word_wait(round);
        return AGAIN;
    }
    uint32_t set = QUEUE | WAITERS | (starving ? STARVING : 0);
    return cas_acq(state, &s, (s | set) & ~clear) ? QUEUED : AGAIN; /* [WORD] */
}

static const struct goi_limit unlimited = {.deadline = GOI_FOREVER};

/* Parks a queued waiter; QUEUE is held. */
static int wait_queued(struct m **m, go_mutex *mu, struct goi_sync_waiter *w,
                       const struct goi_limit *limit)
{
    if (w->since == 0) {
        w->since = goi_now();
        goi_syncq_push_back(&mu->head, w);
    } else { /* it had its turn already and lost */
        goi_syncq_push_front(&mu->head, w);
    }
    goi_sync_limit(w, limit);
    note_want(w, mu);
    int r = goi_sync_park(m, w, GOI_WAIT_MUTEX, mu, release_queue, goi_word32(&mu->state), limit);
    goi_wants_end((*m)->g);
    return r;
}

GOI_INLINE void note_wait(struct m *m, int64_t waited)
{
    if (waited != 0) {
        goi_sample_mutex(m, waited);
    }
}

/* What a goroutine that wants the mutex has to do next. `w` may have been on the queue, and was
 * then woken with WOKEN set. 0, or what ended the wait. */
static int lock_loop(struct m **m, go_mutex *mu, struct goi_sync_waiter *w, bool woken,
                     const struct goi_limit *limit)
{
    goi_a32 *state = goi_word32(&mu->state);
    uint32_t round = 0;
    int r = 0;
    for (;;) { /* ends: with the mutex or too late */
        int64_t waited = woken && w->since != 0 ? goi_now() - w->since : 0;
        bool starving = waited > STARVE_NS;
        int late = goi_limited(limit) ? goi_limit_over(limit) : 0;
        enum attempt a = AGAIN;
        while (a == AGAIN) { /* ends: another's progress, goi_word_wait */
            if (late == 0 && spin(*m, state, &woken)) {
                note_wait(*m, waited);
                return 0;
            }
            a = attempt(state, &round, woken, starving, late);
            if (a == AT_FIRST && !wait_first(m, mu, w, limit, &r)) {
                a = AGAIN;
            }
        }
        if (a == GOT || a == LATE) {
            note_wait(*m, waited);
            return a == GOT ? 0 : late;
        }
        if (a == QUEUED) {
            r = wait_queued(m, mu, w, limit);
        }
        if (w->given != 0) {
            goi_assert_hot(!goi_sync_queued(w));
            return 0; /* handed over: LOCKED stayed set for us */
        }
        if (r != 0) {
            if (!leave_hall(hall_of(mu), w)) {
                leave_queue(mu, w);
            }
            return r;
        }
        woken = true; /* M2 */
        round = 0;
    }
}

static int lock_slow(go_mutex *mu, const struct goi_limit *limit)
{
    struct goi_sync_waiter w = {.kind = IN_QUEUE};
    goi_wants_prepare();
    struct m *m = goi_enter();
    w.g = m->g;
    int r = lock_loop(&m, mu, &w, false, limit);
    goi_leave(m);
    return r;
}

/* --- for cond.c */

bool goi_mutex_adopt(go_mutex *mu, struct goi_sync_waiter *chain)
{
    goi_a32 *state = goi_word32(&mu->state);
    if (!take_queue(state, LOCKED | SHARED | FIRST, LOCKED | SHARED, WAITERS)) {
        return false;
    }
    int64_t now = goi_now();
    while (chain != NULL) {
        struct goi_sync_waiter *w = chain;
        chain = w->next;
        w->next = NULL;
        w->since = now;
        w->limited = false;
        w->kind = IN_QUEUE;
        goi_syncq_push_back(&mu->head, w);
        note_want(w, mu);
    }
    and_rel(state, ~(uint32_t)QUEUE); /* [WORD] */
    return true;
}

/* For the race detector, who locks or unlocks reads the mutex: to overwrite or to free it meanwhile
 * is a race. */
GOI_INLINE void race_locked(const go_mutex *mu)
{
    goi_race_read(&mu->state, sizeof mu->state);
    goi_race_acquire(mu);
}

GOI_INLINE void is_mine(go_mutex *mu)
{
    goi_held_by_me(mu);
    race_locked(mu);
}

GOI_INLINE void race_unlocks(const go_mutex *mu)
{
    goi_race_read(&mu->state, sizeof mu->state);
    goi_race_release(mu);
}

void goi_mutex_lock_adopted(go_mutex *mu, struct goi_sync_waiter *w)
{
    struct m *m = goi_enter();
    goi_wants_end(m->g);
    if (w->given == 0) {
        (void)lock_loop(&m, mu, w, true, &unlimited); /* M2 */
    }
    goi_leave(m);
    is_mine(mu);
}

/* STARVING implies LOCKED (M3), so who finds LOCKED clear may barge in. */
GOI_INLINE bool try_lock(go_mutex *mu)
{
    goi_a32 *state = goi_word32(&mu->state);
    uint32_t s = ld_rlx(state);
    return (s & LOCKED) == 0 && cas_acq(state, &s, s | LOCKED); /* [MUTEX] */
}

int goi_mutex_lock_turn(go_mutex *mu, const struct goi_limit *limit)
{
    if (GOI_UNLIKELY(!try_lock(mu))) {
        int r = lock_slow(mu, limit);
        if (r != 0) {
            return r;
        }
    }
    race_locked(mu);
    return 0;
}

int goi_mutex_lock_limited(go_mutex *mu, const struct goi_limit *limit)
{
    int r = goi_mutex_lock_turn(mu, limit);
    if (r == 0) {
        goi_held_by_me(mu);
    }
    return r;
}

/* By the owner: if nobody waits any more, the mutex is as if nobody ever had. */
static void forget(goi_a32 *state)
{
    uint32_t alone = LOCKED | SHARED;
    if (ld_rlx(state) == alone && affords_forgetting(goi_now())) {
        (void)cas_acqrel(state, &alone, LOCKED); /* [WORD] with leave_queue() */
    }
}

/* The header has the inline forms; here are the ones that a pointer to them means. */
extern inline void go_mutex_lock(go_mutex *mu);
extern inline void go_mutex_unlock(go_mutex *mu);

void goi_mutex_lock_slow(go_mutex *mu)
{
    bool slice = ld_rlx(goi_word32(&goi_nudge)) != 0;
    if (slice) { /* sent here to answer a request (preempt.c) */
        st_rlx(goi_word32(&goi_nudge), 0); /* [stat] */
        goi_leave(goi_enter());
    }
    if (!try_lock(mu)) {
        lock_slow(mu, &unlimited);
    }
    if (slice) {
        forget(goi_word32(&mu->state));
    }
    is_mine(mu);
}

bool go_mutex_trylock(go_mutex *mu)
{
    if (!try_lock(mu)) {
        return false;
    }
    is_mine(mu);
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
        goi_assert_hot((s & (LOCKED | QUEUE)) == (LOCKED | QUEUE));
    }
}

static void wake_first(go_mutex *mu, goi_a32 *state)
{
    struct m *m = goi_enter();
    (void)take_queue(state, 0, 0, 0);
    uint32_t s = ld_rlx(state); /* ours, but for WOKEN, until publish() */
    goi_assert_hot((s & LOCKED) != 0);
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
        int64_t waited = goi_now() - w->since;
        uint32_t calm = waited < STARVE_NS ? STARVING : 0;
        goi_sample_mutex(m, waited);
        w->given = 1;
        publish(state, QUEUE | empty | calm, 0);
    } else {
        publish(state, LOCKED | QUEUE | empty, WOKEN); /* M2 */
    }
    goi_ready(m, g);
    if (hand_over) {
        m = goi_yield_next(m); /* it runs now, on our slice */
    }
    goi_leave(m);
}

void goi_mutex_unlock_turn(go_mutex *mu)
{
    goi_a32 *state = goi_word32(&mu->state);
    uint32_t s = ld_rlx(state);
    race_unlocks(mu);
    for (;;) { /* ends: a failed exchange means that another one made progress */
        state_check(s);
        if (GOI_UNLIKELY((s & LOCKED) == 0)) {
            die_unlocked();
        }
        if ((s & FIRST) != 0) {
            end_first_wait(mu);
            s = ld_rlx(state);
            continue;
        }
        if ((s & WAITERS) != 0 && ((s & WOKEN) == 0 || (s & STARVING) != 0)) {
            wake_first(mu, state);
            return;
        }
        if (cas_rel(state, &s, s & ~(uint32_t)LOCKED)) { /* [MUTEX] M4 */
            break;
        }
    }
    if ((s & SHARED) == 0 && ld_rlx(goi_word32(&goi_mutex_watch[GOI_MUTEX_HALL(mu)])) != 0) {
        goi_mutex_passed(mu); /* M6 */
    }
}

void goi_mutex_unlock_slow(go_mutex *mu)
{
    goi_held_by_none(mu);
    goi_mutex_unlock_turn(mu);
}

/* --- for the leak check */

bool goi_mutex_halls_view(void (*fn)(const void *mutex, const void *record, void *arg), void *arg,
                          const void **lo, size_t *size)
{
    bool all = true;
    *lo = halls;
    *size = sizeof halls;
    for (int i = 0; i < HALLS; i++) {
        struct hall *hall = &halls[i];
        if (!goi_lock_try(&hall->lock)) {
            all = false;
            continue;
        }
        const struct goi_sync_waiter *first = goi_syncq_first(&hall->head);
        for (const struct goi_sync_waiter *w = first; w != NULL;) {
            fn((const void *)(uintptr_t)w->amount, w, arg);
            w = w->next != first ? w->next : NULL;
        }
        goi_unlock(&hall->lock);
    }
    return all;
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
