/* SPDX-License-Identifier: MIT */
/* cond.c: go_cond, Go's sync.Cond.
 *
 * wait() must be on the queue before it unlocks the user's mutex, or a signal between the two is
 * lost; but unlocking can itself wake, yield and leave the runtime, so it cannot happen under the
 * queue's lock. Go takes a ticket first and parks later. Here the record is queued first, and has a
 * lock of its own that says whether its goroutine has parked yet: a signal that comes before marks
 * the record, and the goroutine does not park at all.
 *
 *   N1  Waiters are woken in the order in which they were queued; a signal goes to one that waits
 *       now, never to a later one.                            (tests/unit/sync/cond, generations)
 *   N2  A wait returns only because a signal, a broadcast or its limit took it: no spurious wakes.
 *                                                             (asserted in park)
 *   N3  After a signal has taken it off, a waiter does not touch the go_cond any more, and the
 *       signal's last touch of it is the unlock: whoever broadcast last may free it.
 *                                                             (tests/model/cond)
 *   N4  A signal that finds a waiter already taken by its deadline goes on to the next.
 *                                                             (tests/model/cond)
 *
 *   N5  A waiter that a broadcast has given to the mutex has parked, and does not return before it
 *       has that mutex.                                       (tests/model/cond_mutex)
 *
 * Who is woken wants the mutex, which the broadcaster as a rule still holds; a crowd that is woken
 * at once meets there and parks again. So a broadcast puts those that have parked straight into
 * the mutex' queue, where each unlock wakes one (mutex.c, goi_mutex_adopt). A single one is woken:
 * it runs when the signaller stops, and finds the mutex free.
 *
 * The waiting goroutine's own steps, and a signal at any point between them:
 *
 *     queue record       signal pops it and marks it: the park below does not happen
 *     unlock the mutex   the same
 *     lock the record    signal waits for the commit, then readies
 *     park, unlock the record in the commit
 *
 * `count` is the length of the queue, for a signal that finds nobody. It may be read without the
 * lock: a waiter counts before it unlocks the mutex, so whoever changed the condition under that
 * mutex afterwards sees it.
 *
 * Memory order: [LOCK] of both locks; the wake passes through goi_ready(). For the race detector
 * the edge is on the record: a signal happens before the return of the one wait that it wakes.
 *
 * Rejected: parking in the mutex' queue from the beginning: a wait may end by its limit alone, and
 * the mutex is not known before the signal.
 */
#include "sync/internal.h"
#include <gort/sync.h>

_Static_assert(sizeof(go_cond) == 24, "go_cond is part of the ABI");

struct cond_wait {
    struct goi_sync_waiter w;   /* [l:cond] */
    struct goi_lock lock;
    bool parked;                /* [l:lock] */
    bool marked;                /* [l:lock] a signal took it */
    bool adopted;               /* [c] it was put into the queue of `mu` */
    go_mutex *mu;               /* [c] */
};

GOI_INLINE struct goi_lock *lock_of(go_cond *c) { return (struct goi_lock *)(void *)&c->lock; }
GOI_INLINE goi_a32 *count_of(go_cond *c) { return goi_word32(&c->count); }

static void copy_check(go_cond *c)
{
    goi_aptr *self = goi_wordptr(&c->self);
    void *seen = ld_rlx(self);
    /* Relaxed: the word says only that this place has been used. */
    if (GOI_UNLIKELY(seen != c) && (seen != NULL || !cas_rlx(self, &seen, c)) && seen != c) {
        goi_panic_text("sync.Cond is copied");
    }
}

/* --- waking */

/* Takes the first waiter that can be had; the cond's lock is held. */
static struct cond_wait *take_locked(go_cond *c)
{
    struct goi_sync_waiter *w;
    for (w = goi_syncq_pop(&c->head); w != NULL; w = goi_syncq_pop(&c->head)) {
        st_rlx(count_of(c), ld_rlx(count_of(c)) - 1);
        if (goi_sync_take(w)) { /* N4 */
            return goi_container_of(w, struct cond_wait, w);
        }
    }
    return NULL;
}

/* Lets a taken waiter go; the cond's lock is not held. */
static void let_go(struct m *m, struct cond_wait *cw)
{
    struct g *g = cw->w.g;
    goi_race_release_store(cw);
    goi_lock(&cw->lock);
    cw->marked = true;
    bool parked = cw->parked;
    goi_unlock(&cw->lock); /* W2: it may be gone, if it had not parked */
    if (parked) {
        goi_ready(m, g);
    }
}

void go_cond_signal(go_cond *c)
{
    copy_check(c);
    if (ld_rlx(count_of(c)) == 0) {
        return;
    }
    struct m *m = goi_enter();
    goi_lock(lock_of(c));
    struct cond_wait *cw = take_locked(c);
    goi_unlock(lock_of(c)); /* N3 */
    if (cw != NULL) {
        let_go(m, cw);
    }
    goi_leave(m);
}

/* A broadcast marks all it has taken. What has parked stays a chain, which is returned; the others
 * go on by themselves. *n counts the chain. */
static struct goi_sync_waiter *mark_all(struct goi_sync_waiter *w, int *n)
{
    struct goi_sync_waiter *chain = NULL;
    struct goi_sync_waiter **at = &chain;
    while (w != NULL) {
        struct goi_sync_waiter *next = w->next;
        struct cond_wait *cw = goi_container_of(w, struct cond_wait, w);
        goi_race_release_store(cw);
        goi_lock(&cw->lock);
        cw->marked = true;
        bool parked = cw->parked;
        if (parked) {
            *at = w;
            at = &w->next;
            w->next = NULL;
            ++*n;
        }
        goi_unlock(&cw->lock); /* W2: it may be gone, if it had not parked */
        w = next;
    }
    return chain;
}

/* N5: to the mutex that the first of them wants, if they all want that one. */
static bool give_to_mutex(struct goi_sync_waiter *chain)
{
    go_mutex *mu = goi_container_of(chain, struct cond_wait, w)->mu;
    for (struct goi_sync_waiter *w = chain; w != NULL; w = w->next) {
        struct cond_wait *cw = goi_container_of(w, struct cond_wait, w);
        if (cw->mu != mu) {
            return false;
        }
    }
    for (struct goi_sync_waiter *w = chain; w != NULL; w = w->next) {
        goi_container_of(w, struct cond_wait, w)->adopted = true;
    }
    if (goi_mutex_adopt(mu, chain)) {
        return true;
    }
    for (struct goi_sync_waiter *w = chain; w != NULL; w = w->next) {
        goi_container_of(w, struct cond_wait, w)->adopted = false;
    }
    return false;
}

void go_cond_broadcast(go_cond *c)
{
    copy_check(c);
    if (ld_rlx(count_of(c)) == 0) {
        return;
    }
    struct m *m = goi_enter();
    struct cond_wait *first = NULL;
    struct cond_wait *last = NULL;
    goi_lock(lock_of(c));
    for (struct cond_wait *cw = take_locked(c); cw != NULL; cw = take_locked(c)) {
        if (first == NULL) {
            first = cw;
        } else {
            last->w.next = &cw->w;
        }
        last = cw;
    }
    goi_unlock(lock_of(c)); /* N3 */
    int n = 0;
    struct goi_sync_waiter *w = mark_all(first != NULL ? &first->w : NULL, &n);
    if (n < 2 || !give_to_mutex(w)) {
        while (w != NULL) {
            struct goi_sync_waiter *next = w->next;
            w->next = NULL;
            goi_ready_back(m, w->g);
            w = next;
        }
    }
    goi_leave(m);
}

/* --- waiting */

static void commit_parked(struct m *m, void *arg)
{
    (void)m;
    goi_unlock(arg);
}

/* Parks unless a signal came already. 0, or what ended the wait before a signal did. */
static int park(struct m **m, go_cond *c, struct cond_wait *cw, const struct goi_limit *limit)
{
    goi_lock(&cw->lock);
    if (cw->marked) {
        goi_unlock(&cw->lock);
        return 0;
    }
    cw->parked = true;
    int r = goi_sync_park(m, &cw->w, GOI_WAIT_COND, c, commit_parked, &cw->lock, limit);
    if (r == 0) {
        goi_assert(cw->marked); /* N2 */
        return 0;
    }
    goi_lock(lock_of(c));
    if (goi_sync_queued(&cw->w)) {
        goi_syncq_remove(&c->head, &cw->w);
        st_rlx(count_of(c), ld_rlx(count_of(c)) - 1);
    }
    goi_unlock(lock_of(c));
    return r;
}

static int wait_limited(go_cond *c, go_mutex *mu, const struct goi_limit *limit)
{
    struct cond_wait cw = {.mu = mu};
    copy_check(c);
    goi_wants_prepare();
    struct m *m = goi_enter();
    cw.w.g = m->g;
    goi_lock(lock_of(c));
    goi_sync_limit(&cw.w, limit);
    goi_syncq_push_back(&c->head, &cw.w);
    st_rlx(count_of(c), ld_rlx(count_of(c)) + 1);
    goi_unlock(lock_of(c));
    goi_leave(m);
    go_mutex_unlock(mu);
    m = goi_enter();
    int r = park(&m, c, &cw, limit);
    goi_leave(m);
    if (r == 0) {
        goi_race_acquire(&cw);
    }
    if (cw.adopted) {
        goi_mutex_lock_adopted(mu, &cw.w);
    } else {
        go_mutex_lock(mu);
    }
    return r;
}

void go_cond_wait(go_cond *c, go_mutex *mu)
{
    static const struct goi_limit none = {.deadline = GOI_FOREVER};
    wait_limited(c, mu, &none);
}

int go_cond_wait_until(go_cond *c, go_mutex *mu, go_time deadline)
{
    const struct goi_limit limit = {.deadline = deadline};
    return wait_limited(c, mu, &limit);
}

int go_cond_wait_ctx(struct go_ctx *ctx, go_cond *c, go_mutex *mu)
{
    const struct goi_limit limit = goi_limit_of(ctx);
    return goi_limit_error(ctx, wait_limited(c, mu, &limit));
}
