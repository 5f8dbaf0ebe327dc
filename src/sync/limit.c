/* SPDX-License-Identifier: MIT */
/* limit.c: waits that end before what they wait for: at a deadline, or with a context.
 *
 * A goroutine that waits for an object, a time and a channel is on the object's queue, in the heap
 * of timers and on the channel's queue at once. Whoever comes first claims it (sched.h); the others
 * find the claim taken and go by. What differs from a select is only that one of the queues is not
 * a channel's.
 *
 *   L1  When the wait is over, no timer and no channel refers to the frame: the timer is stopped by
 *       goi_park_until(), the channel's record is removed here, under the channel's lock. The
 *       object's record is the caller's to remove, under the object's lock. (tests/unit/sync/limit)
 *   L2  The commit releases the object's lock, then the channel's. The first release lets wakers at
 *       the goroutine, which then waits in L1 for the second; so the channel's lock outlives the
 *       commit, but the frame is not read after the first release.       (commit_done)
 *   L3  A wait that would give up before it has parked claims itself first. If a waker has been
 *       faster, it parks after all, because that waker will ready it.    (park_done)
 *   L4  A call that is limited by a context keeps it from goi_limit_of() to goi_limit_error(): the
 *       last reference of a user may go meanwhile, which ends the context and thereby the wait.
 *                                                     (tests/unit/context/free_test.c)
 *
 * Lock order: object, timers of this P, channel `done`; none of them is taken inside another that
 * comes before it here. The channel's lock is taken before the park, the timers' in the commit
 * while the channel's is held: goi_timer_* never take a channel's lock under the heap's.
 */
#include "chan/chan.h"
/* style: layer because what a call that is limited by a context still reads must be there. */
#include "context/keep.h"
#include "sync/internal.h"
#include <gort/context.h>

int goi_limit_over(const struct goi_limit *l)
{
    if (l->done != NULL && ld_acq(&l->done->closed) != 0) { /* [CHAN-TRY] */
        goi_race_acquire(l->done);
        return -ECANCELED;
    }
    if (l->deadline != GOI_FOREVER && l->deadline <= goi_now()) {
        return -ETIMEDOUT;
    }
    return 0;
}

struct goi_limit goi_limit_of(struct go_ctx *ctx)
{
    struct goi_limit l = {.deadline = GOI_FOREVER};
    if (ctx != NULL) {
        goi_ctx_keep(ctx); /* L4 */
        l.done = (struct go_chan *)(uintptr_t)go_ctx_done(ctx);
    }
    return l;
}

int goi_limit_error(struct go_ctx *ctx, int r)
{
    int err = r == 0 ? 0 : go_ctx_err(ctx);
    goi_ctx_unkeep(ctx); /* L4 */
    return err;
}

struct done_wait {
    struct goi_waiter w;
    void (*commit)(struct m *m, void *arg);
    void *arg;
};

static void commit_done(struct m *m, void *arg)
{
    struct done_wait *d = arg;
    struct go_chan *c = d->w.c;
    d->commit(m, d->arg);
    goi_unlock(&c->lock); /* L2 */
}

static int park_done(struct m **m, struct goi_sync_waiter *w, enum wait_reason reason,
                     void *object, void (*commit)(struct m *m, void *arg), void *arg,
                     const struct goi_limit *l)
{
    struct go_chan *c = l->done;
    struct done_wait d = {
        .w = {.g = w->g, .c = c, .ticket = w->ticket, .claimed = true},
        .commit = commit,
        .arg = arg,
    };
    goi_lock(&c->lock);
    if (ld_rlx(&c->closed) != 0) {
        goi_unlock(&c->lock);
        if (goi_claim_end(w->g, w->ticket)) { /* L3 */
            commit(*m, arg);
            return -ECANCELED;
        }
        *m = goi_park(*m, reason, object, commit, arg);
        return 0;
    }
    goi_waitq_push(&c->recvq, &d.w);
    w->g->wake_arg = NULL;
    int r = goi_park_until(m, reason, object, commit_done, &d, w->ticket, l->deadline);
    goi_claim_end(w->g, w->ticket);
    if (w->g->wake_arg == &d.w) {
        r = -ECANCELED;
    }
    goi_lock(&c->lock);
    if (d.w.queued) { /* L1 */
        goi_waitq_remove(&c->recvq, &d.w);
    }
    goi_unlock(&c->lock);
    return r;
}

int goi_sync_park_limited(struct m **m, struct goi_sync_waiter *w, enum wait_reason reason,
                          void *object, void (*commit)(struct m *m, void *arg), void *arg,
                          const struct goi_limit *l)
{
    goi_assert(w->limited);
    if (l->done != NULL) {
        int r = park_done(m, w, reason, object, commit, arg, l);
        if (r == -ECANCELED) {
            goi_race_acquire(l->done);
        }
        return r;
    }
    int r = goi_park_until(m, reason, object, commit, arg, w->ticket, l->deadline);
    goi_claim_end(w->g, w->ticket);
    return r;
}
