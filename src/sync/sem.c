/* SPDX-License-Identifier: MIT */
/* sem.c: go_sem, x/sync's semaphore.Weighted.
 *
 * A count behind a lock of some ten instructions, and a queue in the order of arrival. Who releases
 * gives to those at the head of the queue as far as it lasts, takes their amount on their behalf,
 * and wakes them after the unlock; so a waiter that comes back has what it asked for.
 *
 *   E1  0 <= taken <= size, unless the user lowers the size.                   (asserts)
 *   E2  Nobody overtakes: while somebody waits, all who come queue behind, also those whom what is
 *       free would satisfy. Otherwise a large request could wait for ever.
 *                                   (tests/unit/sync/sem, large_request_is_not_starved)
 *   E3  After every change the head of the queue does not fit, or the queue is empty. Who leaves
 *       the head because it is late therefore passes on what is free. (tests/model/sem)
 *   E4  Who is woken has its amount; who is late has nothing. The claim decides, and is tried under
 *       the lock, before the amount is taken.                                  (tests/model/sem)
 *   E5  The unlock is the last touch of the object: a goroutine that is let in may free it.
 *                                                                              (tests/model/sem)
 *
 * A request for more than the size cannot be met. It waits for its limit alone and is not queued,
 * so that it does not stand in everybody's way. A context that ended before an acquire returns
 * wins over the grant, as in Go: what was granted goes back.
 *
 * Memory order: [LOCK], and goi_ready() for those that are woken. For the race detector a release
 * happens before every acquire that follows.
 *
 * Rejected: a single word with the count, as go_mutex has. Two values of 64 bits do not fit, and
 * the lock costs one exchange, as much as the compare-and-swap that it saves.
 */
#include "sync/internal.h"
#include <gort/context.h>

_Static_assert(sizeof(go_sem) == 32, "go_sem is part of the ABI");

GOI_INLINE struct goi_lock *lock_of(go_sem *s) { return (struct goi_lock *)(void *)&s->lock; }

/* E2, E3: is there enough for n, and nobody before it? */
GOI_INLINE bool fits(const go_sem *s, int64_t n) { return s->size - s->taken >= n; }

/* Gives what is free to the head of the queue (E3); returns a chain of those to wake. */
static struct goi_sync_waiter *grant_locked(go_sem *s)
{
    struct goi_sync_waiter *chain = NULL;
    struct goi_sync_waiter **at = &chain;
    for (;;) { /* ends: each turn shortens the queue */
        struct goi_sync_waiter *w = goi_syncq_first(&s->head);
        if (w == NULL || !fits(s, w->amount)) {
            return chain;
        }
        goi_syncq_remove(&s->head, w);
        if (!goi_sync_take(w)) { /* W3 E4 */
            continue;
        }
        s->taken += w->amount;
        goi_assert(s->taken <= s->size); /* E1 */
        w->given = 1;
        *at = w;
        at = &w->next;
    }
}

static void wake_chain(struct m *m, struct goi_sync_waiter *w)
{
    while (w != NULL) {
        struct goi_sync_waiter *next = w->next; /* W2 */
        goi_ready_back(m, w->g);
        w = next;
    }
}

static void unlock_commit(struct m *m, void *arg)
{
    (void)m;
    goi_unlock(arg);
}

static void nothing_commit(struct m *m, void *arg) { (void)m, (void)arg; }

/* For more than there is: waits for the limit alone. */
static int wait_in_vain(go_sem *s, const struct goi_limit *limit)
{
    struct goi_sync_waiter w = {.given = 0};
    struct m *m = goi_enter();
    w.g = m->g;
    goi_sync_limit(&w, limit);
    int r = goi_sync_park(&m, &w, GOI_WAIT_SEMACQUIRE, s, nothing_commit, NULL, limit);
    goi_leave(m);
    goi_assert(r != 0);
    return r;
}

/* The lock is held, and is released. 0 with n taken, or what ended the wait. */
static int wait_locked(struct m **m, go_sem *s, int64_t n, const struct goi_limit *limit)
{
    struct goi_sync_waiter w = {.g = (*m)->g, .amount = n};
    goi_sync_limit(&w, limit);
    goi_syncq_push_back(&s->head, &w);
    int r = goi_sync_park(m, &w, GOI_WAIT_SEMACQUIRE, s, unlock_commit, lock_of(s), limit);
    goi_assert((r == 0) == (w.given != 0)); /* E4 */
    if (r == 0) {
        return 0;
    }
    struct goi_sync_waiter *chain = NULL;
    goi_lock(lock_of(s));
    if (goi_sync_queued(&w)) {
        goi_syncq_remove(&s->head, &w);
        chain = grant_locked(s); /* E3 */
    }
    goi_unlock(lock_of(s));
    wake_chain(*m, chain);
    return r;
}

/* Takes n if it need not wait for it (E2). */
GOI_INLINE bool take_now(go_sem *s, int64_t n)
{
    struct m *m = goi_enter();
    goi_lock(lock_of(s));
    bool ok = s->head == NULL && fits(s, n);
    if (GOI_LIKELY(ok)) {
        s->taken += n;
    }
    goi_unlock(lock_of(s));
    goi_leave(m);
    if (GOI_LIKELY(ok)) {
        goi_race_acquire(s);
    }
    return ok;
}

static GO_NOINLINE int acquire(go_sem *s, int64_t n, const struct goi_limit *limit)
{
    int r = limit->done != NULL ? goi_limit_over(limit) : 0;
    if (r != 0) {
        return r;
    }
    struct m *m = goi_enter();
    goi_lock(lock_of(s));
    if (GOI_LIKELY(s->head == NULL) && fits(s, n)) { /* E2 */
        s->taken += n;
        goi_unlock(lock_of(s));
    } else if (n > s->size) {
        goi_unlock(lock_of(s));
        goi_leave(m);
        return wait_in_vain(s, limit);
    } else {
        r = wait_locked(&m, s, n, limit);
    }
    goi_leave(m);
    if (r != 0) {
        return r;
    }
    goi_race_acquire(s);
    if (limit->done != NULL) {
        r = goi_limit_over(limit);
        if (r != 0) {
            go_sem_release(s, n);
        }
    }
    return r;
}

int go_sem_acquire(struct go_ctx *ctx, go_sem *s, int64_t n)
{
    if ((ctx == NULL || go_ctx_done(ctx) == NULL) && GOI_LIKELY(take_now(s, n))) {
        return 0;
    }
    const struct goi_limit limit = goi_limit_of(ctx);
    return goi_limit_error(ctx, acquire(s, n, &limit));
}

int go_sem_acquire_until(go_sem *s, int64_t n, go_time deadline)
{
    const struct goi_limit limit = {.deadline = deadline};
    return acquire(s, n, &limit);
}

bool go_sem_try_acquire(go_sem *s, int64_t n) { return take_now(s, n); }

/* With the lock held: lets in who fits now, and unlocks. */
static GO_NOINLINE void release_waiters(struct m *m, go_sem *s)
{
    struct goi_sync_waiter *chain = grant_locked(s);
    goi_unlock(lock_of(s)); /* E5 */
    wake_chain(m, chain);
}

void go_sem_release(go_sem *s, int64_t n)
{
    goi_race_release_merge(s);
    struct m *m = goi_enter();
    goi_lock(lock_of(s));
    bool held = n <= s->taken;
    if (GOI_LIKELY(held)) {
        s->taken -= n;
        goi_assert(n < 0 || s->taken >= 0); /* E1 */
    }
    if (GOI_LIKELY(s->head == NULL) || !held) {
        goi_unlock(lock_of(s)); /* E5 */
    } else {
        release_waiters(m, s);
    }
    goi_leave(m);
    if (GOI_UNLIKELY(!held)) {
        goi_panic_text("semaphore: released more than held");
    }
}
