/* SPDX-License-Identifier: MIT */
/* rwmutex.c: go_rwmutex, Go's sync.RWMutex.
 *
 * Any number of readers, or one writer. The rules are Go's: a writer that waits keeps new readers
 * out, and when it leaves, the readers that came meanwhile go first; so neither side starves. Among
 * themselves writers take turns by a go_mutex, with its spinning, barging and hand-off.
 *
 * The difficulty is the last reader: it must find and wake the waiting writer, which may have a
 * deadline, and must not touch the object once the writer can return, because that one may free it.
 *
 * Protocol. One 64-bit word: the number of active readers in the upper half, and below it
 *
 *   QUEUE     somebody changes the queues (a spin lock, held inside the runtime only)
 *   WRITER    a writer is active
 *   PENDING   a writer (the one that holds `w`) waits for those that are active to leave
 *   BLOCKED   readers are queued
 *   TURN      the active writer holds `w`
 *
 * A reader enters by compare-and-swap, only while neither WRITER nor PENDING is set, and leaves by
 * one fetch-and-subtract. If that brought the readers to zero with PENDING set and WRITER clear, it
 * is the granter: it takes QUEUE and makes the writer active. A writer that finds the word all zero
 * sets WRITER. Otherwise it takes `w`, then sets WRITER and TURN if nobody is active, else PENDING,
 * and parks. It leaves by unlocking `w` first, if it has TURN, and then, in one step that is its
 * last touch, passing the word on: to the queued readers, which become active with
 * PENDING left set for the next writer; else to the next writer; else to nobody.
 *
 *   R1  WRITER excludes active readers.                                   (asserts, tests/model)
 *   R2  Readers enter only while WRITER and PENDING are clear. So while PENDING is set and WRITER
 *       clear the number of readers only falls, reaches zero once, and there is exactly one
 *       granter. The writer does not return before the granter is done.   (tests/model/rwmutex)
 *   R3  A writer whose deadline passes withdraws PENDING under QUEUE, unless the readers are at
 *       zero: then a granter is on its way and needs the object, and the writer takes the lock
 *       although it is late.                                              (tests/model/rwmutex)
 *   R4  BLOCKED is set iff readers are queued, but for the holder of QUEUE. Readers are queued only
 *       while WRITER or PENDING is set; whoever clears the last of the two makes them active.
 *                                                                         (tests/model/rwmutex)
 *   R5  The last touch of unlock and runlock, where others may proceed, is the change of the word.
 *                                                                         (tests/model/rwmutex)
 *
 * Memory order. [RW] acquire on entry, release on exit, on the same word: a writer sees what the
 * readers and writers before it did, a reader what the writers did. Between readers the word gives
 * more order than is promised (they release into the same word that the next one acquires), and
 * the race detector is told only what is promised. [WORD] QUEUE: the queues.
 *
 * Rejected: Go's reader count that goes negative, with a second count of departures. Readers enter
 * by one fetch-and-add there, but a writer cannot withdraw, and two words cannot be released at
 * once. A reader's compare-and-swap costs the same while there is no contention. Rejected: adding
 * to this word and taking it back when a writer is there: such a reader brings the count to zero a
 * second time, and a granter that lost its processor in between would touch memory that the writer
 * it granted to may have freed (R5). Rejected: a count per P (BRAVO): fast with many readers on
 * many cores, but a writer looks at all of them.
 */
#include "sync/internal.h"

#define QUEUE ((uint64_t)1)
#define WRITER ((uint64_t)2)
#define PENDING ((uint64_t)4)
#define BLOCKED ((uint64_t)8)
#define TURN ((uint64_t)16)
#define READER ((uint64_t)1 << 32)

_Static_assert(WRITER == 2 && (WRITER | PENDING) == 6, "what the inline paths in gort/sync.h know");

_Static_assert(sizeof(go_rwmutex) == 40, "go_rwmutex is part of the ABI");
_Static_assert(offsetof(go_rwmutex, state) % 8 == 0, "64-bit atomics want alignment");

GOI_INLINE uint32_t readers(uint64_t s) { return (uint32_t)(s >> 32); }
GOI_INLINE goi_a64 *state_of(go_rwmutex *m) { return goi_word64(&m->state); }

static void state_check(uint64_t s)
{
    if ((s & WRITER) != 0) {
        goi_assert(readers(s) == 0); /* R1 */
    } else {
        goi_assert((s & TURN) == 0);
    }
    if ((s & (WRITER | PENDING)) == 0) {
        goi_assert((s & BLOCKED) == 0); /* R4 */
    }
}

static void lock_queue(go_rwmutex *m)
{
    goi_a64 *state = state_of(m);
    uint32_t round = 0;
    for (;;) { /* ends: goi_word_wait */
        uint64_t s = ld_rlx(state);
        if ((s & QUEUE) != 0) {
            goi_word_wait(&round);
        } else if (cas_acq(state, &s, s | QUEUE)) { /* [WORD] [RW] */
            return;
        }
    }
}

static void release_queue(struct m *m, void *arg)
{
    goi_a64 *state = arg;
    (void)m;
    and_rel(state, ~QUEUE); /* [WORD] */
}

/* --- passing the lock on, under QUEUE */

/* Takes all readers that can be had off the queue, as a chain; *n counts them. */
static struct goi_sync_waiter *take_readers(go_rwmutex *m, uint32_t *n)
{
    struct goi_sync_waiter *chain = NULL;
    struct goi_sync_waiter **at = &chain;
    struct goi_sync_waiter *w;
    *n = 0;
    for (w = goi_syncq_pop(&m->readers); w != NULL; w = goi_syncq_pop(&m->readers)) {
        if (goi_sync_take(w)) { /* W3 */
            w->given = 1;
            *at = w;
            at = &w->next;
            ++*n;
        }
    }
    return chain;
}

static void wake_chain(struct m *m, struct goi_sync_waiter *w)
{
    while (w != NULL) {
        struct goi_sync_waiter *next = w->next; /* W2 */
        goi_ready_back(m, w->g);
        w = next;
    }
}

/* Takes the pending writer, if it has not timed out. */
static struct goi_sync_waiter *take_writer(go_rwmutex *m)
{
    struct goi_sync_waiter *w = m->writer;
    goi_assert(w != NULL);
    m->writer = NULL;
    if (!goi_sync_take(w)) { /* W3 */
        return NULL;
    }
    w->given = 1;
    return w;
}

/* Clears QUEUE and `clear`, sets `set`, adds n readers; the last touch (R5). Nobody else changes
 * more than the number of readers meanwhile, and that only downwards. */
static void publish(go_rwmutex *m, uint64_t clear, uint64_t set, uint32_t n)
{
    goi_a64 *state = state_of(m);
    uint64_t s = ld_rlx(state);
    uint64_t to;
    do {
        goi_assert((s & QUEUE) != 0);
        to = ((s & ~(clear | QUEUE)) | set) + n * READER;
    } while (!cas_acqrel(state, &s, to)); /* [RW] [WORD] */
    state_check(to);
}

/* The word is passed on by who holds QUEUE and either owns WRITER or has seen the readers at zero
 * with PENDING set. `first`: queued readers go before the pending writer. */
static void pass_on(struct m *m, go_rwmutex *rw, bool first)
{
    uint64_t s = ld_rlx(state_of(rw));
    struct goi_sync_waiter *chain = NULL;
    struct goi_sync_waiter *writer = NULL;
    uint64_t clear = WRITER | TURN;
    uint32_t n = 0;
    if (first) {
        chain = take_readers(rw, &n);
        clear |= BLOCKED;
    }
    if ((s & PENDING) != 0 && n == 0) {
        writer = take_writer(rw);
        clear |= PENDING;
        if (writer == NULL && !first) { /* it was late: R4 */
            chain = take_readers(rw, &n);
            clear |= BLOCKED;
        }
    }
    struct g *g = writer != NULL ? writer->g : NULL;
    publish(rw, clear, writer != NULL ? WRITER | TURN : 0, n);
    if (g != NULL) {
        goi_ready(m, g);
    }
    wake_chain(m, chain);
}

/* --- readers */

/* One attempt to enter. True: active. Otherwise *s is what was seen. */
GOI_INLINE bool enter_reader(goi_a64 *state, uint64_t *s)
{
    while ((*s & (WRITER | PENDING)) == 0) { /* ends: a failed exchange is another's progress */
        if (cas_acq(state, s, *s + READER)) { /* [RW] R2 */
            return true;
        }
    }
    return false;
}

static void leave_readers_queue(go_rwmutex *rw, struct goi_sync_waiter *w)
{
    lock_queue(rw);
    if (goi_sync_queued(w)) {
        goi_syncq_remove(&rw->readers, w);
    }
    publish(rw, rw->readers == NULL ? BLOCKED : 0, 0, 0); /* R4 */
}

/* As in mutex.c. Who waits for `w` waits for the active writer too, and the note is there. */
GOI_INLINE void note_want(const struct goi_sync_waiter *w, go_rwmutex *rw)
{
    if (!w->limited) {
        goi_wants_begin(w->g, &rw->w);
    }
}

static GOI_COLD int rlock_slow(go_rwmutex *rw, const struct goi_limit *limit)
{
    goi_a64 *state = state_of(rw);
    struct goi_sync_waiter w = {.given = 0};
    uint32_t round = 0;
    int r = goi_limited(limit) ? goi_limit_over(limit) : 0;
    if (r != 0) {
        return r;
    }
    goi_wants_prepare();
    struct m *m = goi_enter();
    w.g = m->g;
    for (;;) { /* ends: goi_word_wait */
        uint64_t s = ld_rlx(state);
        if (enter_reader(state, &s)) {
            goi_leave(m);
            return 0;
        }
        if ((s & QUEUE) != 0) {
            goi_word_wait(&round);
        } else if (cas_acq(state, &s, s | QUEUE | BLOCKED)) { /* [WORD] */
            break;
        }
    }
    goi_syncq_push_back(&rw->readers, &w);
    goi_sync_limit(&w, limit);
    note_want(&w, rw);
    r = goi_sync_park(&m, &w, GOI_WAIT_RWMUTEX_R, rw, release_queue, state, limit);
    goi_wants_end(m->g);
    goi_assert((r == 0) == (w.given != 0));
    if (r != 0) {
        leave_readers_queue(rw, &w);
    }
    goi_leave(m);
    return r;
}

static const struct goi_limit unlimited = {.deadline = GOI_FOREVER};

GOI_INLINE int rlock(go_rwmutex *rw, const struct goi_limit *limit)
{
    goi_a64 *state = state_of(rw);
    uint64_t s = ld_rlx(state);
    if (!enter_reader(state, &s)) {
        int r = rlock_slow(rw, limit);
        if (r != 0) {
            return r;
        }
    }
    goi_race_acquire(&rw->readers);
    return 0;
}

void goi_rwmutex_rlock_slow(go_rwmutex *rw) { rlock(rw, &unlimited); }

int go_rwmutex_rlock_until(go_rwmutex *rw, go_time deadline)
{
    const struct goi_limit limit = {.deadline = deadline};
    return rlock(rw, &limit);
}

int go_rwmutex_rlock_ctx(struct go_ctx *ctx, go_rwmutex *rw)
{
    const struct goi_limit limit = goi_limit_of(ctx);
    int r = goi_limit_over(&limit);
    return goi_limit_error(ctx, r != 0 ? r : rlock(rw, &limit));
}

bool go_rwmutex_tryrlock(go_rwmutex *rw)
{
    goi_a64 *state = state_of(rw);
    uint64_t s = ld_rlx(state);
    if (!enter_reader(state, &s)) {
        return false;
    }
    goi_race_acquire(&rw->readers);
    return true;
}

/* The granter (R2). */
static GOI_COLD void grant(go_rwmutex *rw)
{
    struct m *m = goi_enter();
    lock_queue(rw);
    pass_on(m, rw, false);
    goi_leave(m);
}

/* After a runlock that found nobody to take off, or a pending writer; `s` is what was there. */
void goi_rwmutex_runlocked(go_rwmutex *rw, uint64_t s)
{
    if (GOI_UNLIKELY(readers(s) == 0)) {
        goi_fatal("sync: RUnlock of unlocked RWMutex");
    }
    if ((s & PENDING) != 0 && readers(s) == 1) {
        goi_assert((s & WRITER) == 0); /* R1 */
        grant(rw);
    }
}

void goi_rwmutex_runlock_slow(go_rwmutex *rw)
{
    goi_race_release_merge(&rw->writer);
    uint64_t s = sub_acqrel(state_of(rw), READER); /* [RW] R5 */
    goi_rwmutex_runlocked(rw, s);
}

/* --- writers */

/* Withdraws PENDING, which is ours, keeping QUEUE. False: the readers are at zero, and a granter is
 * on its way (R3). */
static bool clear_pending(goi_a64 *state)
{
    uint64_t s = ld_rlx(state);
    do {
        if (readers(s) == 0 && (s & WRITER) == 0) {
            return false;
        }
    } while (!cas_acq(state, &s, s & ~PENDING)); /* [RW] over-ordered */
    return true;
}

/* After its deadline: true when the lock came nevertheless. */
static bool withdraw(struct m **m, go_rwmutex *rw, struct goi_sync_waiter *w)
{
    goi_a64 *state = state_of(rw);
    lock_queue(rw);
    if (rw->writer != w) { /* whoever passed the lock on found us late, and cleared PENDING */
        release_queue(*m, state);
        return false;
    }
    if (!clear_pending(state)) {
        w->limited = false;
        *m = goi_park(*m, GOI_WAIT_RWMUTEX_W, rw, release_queue, state);
        goi_assert(w->given != 0);
        return true;
    }
    rw->writer = NULL;
    struct goi_sync_waiter *chain = NULL;
    uint32_t n = 0;
    bool free = (ld_rlx(state) & WRITER) == 0; /* `w` and QUEUE are ours: it will not be set */
    if (free) {
        chain = take_readers(rw, &n); /* R4 */
    }
    publish(rw, free ? BLOCKED : 0, 0, n);
    wake_chain(*m, chain);
    return false;
}

/* `w` is ours. True: active. */
static bool try_writer(goi_a64 *state, uint64_t *s)
{
    while (readers(*s) == 0 && (*s & WRITER) == 0) { /* ends: another's progress */
        if (cas_acq(state, s, *s | WRITER | TURN)) { /* [RW] */
            return true;
        }
    }
    return false;
}

static bool spin(struct m *m, goi_a64 *state)
{
    enum { SPINS = 60 };
    if (!goi_may_spin(m)) {
        return false;
    }
    for (int i = 0; i < SPINS; i++) {
        uint64_t s = ld_rlx(state);
        if (try_writer(state, &s)) {
            return true;
        }
        goi_pause();
    }
    return false;
}

static GOI_COLD int lock_slow(go_rwmutex *rw, const struct goi_limit *limit)
{
    goi_a64 *state = state_of(rw);
    struct goi_sync_waiter w = {.given = 0};
    uint32_t round = 0;
    uint64_t s;
    goi_wants_prepare();
    struct m *m = goi_enter();
    w.g = m->g;
    if (spin(m, state)) {
        goi_leave(m);
        return 0;
    }
    for (;;) { /* ends: goi_word_wait */
        s = ld_rlx(state);
        if (try_writer(state, &s)) {
            goi_leave(m);
            return 0;
        }
        goi_assert((s & PENDING) == 0);
        if ((s & QUEUE) != 0) {
            goi_word_wait(&round);
        } else if (cas_acq(state, &s, s | QUEUE | PENDING)) { /* [WORD] */
            break;
        }
    }
    rw->writer = &w;
    goi_sync_limit(&w, limit);
    /* Who waits for another writer is shown as in Go, where that one always holds the mutex. */
    enum wait_reason reason = (s & WRITER) != 0 ? GOI_WAIT_MUTEX : GOI_WAIT_RWMUTEX_W;
    note_want(&w, rw);
    int r = goi_sync_park(&m, &w, reason, rw, release_queue, state, limit);
    goi_wants_end(m->g);
    goi_assert((r == 0) == (w.given != 0));
    if (r != 0 && withdraw(&m, rw, &w)) {
        r = 0;
    }
    goi_leave(m);
    return r;
}

/* By way of the writers' mutex, which is kept. */
static int lock_turn(go_rwmutex *rw, const struct goi_limit *limit)
{
    int r = goi_mutex_lock_turn(&rw->w, limit);
    if (r != 0) {
        return r;
    }
    uint64_t s = ld_rlx(state_of(rw));
    if (!try_writer(state_of(rw), &s)) {
        r = lock_slow(rw, limit);
    }
    if (r != 0) {
        goi_mutex_unlock_turn(&rw->w);
    }
    return r;
}

static int lock(go_rwmutex *rw, const struct goi_limit *limit)
{
    uint64_t s = ld_rlx(state_of(rw));
    if (s != 0 || !cas_acq(state_of(rw), &s, WRITER)) { /* [RW] */
        goi_race_nobody_begin(); /* the mutex orders also writers that give up */
        int r = lock_turn(rw, limit);
        goi_race_nobody_end();
        if (r != 0) {
            return r;
        }
    }
    goi_held_by_me(&rw->w);
    goi_race_acquire(&rw->readers);
    goi_race_acquire(&rw->writer);
    return 0;
}

/* The header has the inline forms; here are the ones that a pointer to them means. */
extern inline void go_rwmutex_lock(go_rwmutex *rw);
extern inline void go_rwmutex_unlock(go_rwmutex *rw);
extern inline void go_rwmutex_rlock(go_rwmutex *rw);
extern inline void go_rwmutex_runlock(go_rwmutex *rw);

void goi_rwmutex_lock_slow(go_rwmutex *rw) { lock(rw, &unlimited); }

int go_rwmutex_lock_until(go_rwmutex *rw, go_time deadline)
{
    const struct goi_limit limit = {.deadline = deadline};
    return lock(rw, &limit);
}

int go_rwmutex_lock_ctx(struct go_ctx *ctx, go_rwmutex *rw)
{
    const struct goi_limit limit = goi_limit_of(ctx);
    int r = goi_limit_over(&limit);
    return goi_limit_error(ctx, r != 0 ? r : lock(rw, &limit));
}

bool go_rwmutex_trylock(go_rwmutex *rw)
{
    uint64_t s = ld_rlx(state_of(rw));
    if (s != 0 || !cas_acq(state_of(rw), &s, WRITER)) { /* [RW] */
        return false;
    }
    goi_held_by_me(&rw->w);
    goi_race_acquire(&rw->readers);
    goi_race_acquire(&rw->writer);
    return true;
}

static GOI_COLD void unlock_slow(go_rwmutex *rw)
{
    goi_a64 *state = state_of(rw);
    uint32_t round = 0;
    struct m *m = goi_enter();
    for (;;) { /* ends: goi_word_wait */
        uint64_t s = ld_rlx(state);
        goi_assert((s & WRITER) != 0);
        state_check(s);
        if ((s & (PENDING | BLOCKED)) == 0) {
            if (cas_rel(state, &s, s & ~(WRITER | TURN))) { /* [RW] R5 */
                break;
            }
        } else if ((s & QUEUE) != 0) {
            goi_word_wait(&round);
        } else if (cas_acq(state, &s, s | QUEUE)) { /* [WORD] */
            pass_on(m, rw, true);
            break;
        }
    }
    goi_leave(m);
}

void goi_rwmutex_unlock_slow(go_rwmutex *rw)
{
    uint64_t s = ld_rlx(state_of(rw));
    if (GOI_UNLIKELY((s & WRITER) == 0)) {
        goi_fatal("sync: Unlock of unlocked RWMutex");
    }
    goi_race_release(&rw->readers);
    goi_held_by_none(&rw->w);
    if ((s & TURN) != 0) {
        go_mutex_unlock(&rw->w);
    }
    s &= WRITER | TURN;
    if (GOI_UNLIKELY(!cas_rel(state_of(rw), &s, 0))) { /* [RW] R5 */
        unlock_slow(rw);
    }
}
