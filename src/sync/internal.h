/* SPDX-License-Identifier: MIT */
/* internal.h: what the files of src/sync share with each other and with nobody else. */
#ifndef GOI_SYNC_INTERNAL_H
#define GOI_SYNC_INTERNAL_H
#include "annot/annot.h"
#include <gort/base.h>

/* The library's own copies of what is inline in <gort/sync.h> serve programs with and without the
 * race detector, so they decide when they run whether to go by the functions that announce. */
#undef GOI_TSAN
#define GOI_TSAN ((goi_annot & GOI_ANNOT_TSAN) != 0)

#include "os/os.h"
#include "sched/sched.h"
#include "sync/syncq.h"
#include "sync/wants.h"
#include "time/clock.h"
#include "time/deadline.h"
#include <errno.h>
#include <gort/sync.h>

struct go_chan;
struct go_ctx;

/* --- locks that are one bit of a state word. The word is the only thing that the holder's release
 * touches, so releasing a queue and publishing a new state are one step, and whoever sees that
 * state may free the object (W2, and L1 of lock.h). Held inside the runtime for some ten
 * instructions; only the kernel can delay the holder. */

/* One step of waiting for such a bit: `round` starts at 0. Ends when the holder releases. */
void goi_word_wait(uint32_t *round);

/* --- waiting */

/* May the caller spin for about a microsecond in the hope that another goroutine, which must be
 * running now, does something? Not with one P, not when this P has other work. */
bool goi_may_spin(struct m *m);

/* What can end a wait besides what is waited for: a time, and a channel that is closed (the end of
 * a context). */
struct goi_limit {
    int64_t deadline;       /* GOI_FOREVER: none */
    struct go_chan *done;   /* NULL: none */
};

GOI_INLINE bool goi_limited(const struct goi_limit *l)
{
    return l->deadline != GOI_FOREVER || l->done != NULL;
}

/* 0 while the limit has not been reached, then -ETIMEDOUT or -ECANCELED. A hint for `done`, which
 * may be closed at the next moment. */
int goi_limit_over(const struct goi_limit *l);

/* The context's limit: its done channel alone, because its deadline closes that. NULL: none. The
 * context is kept until goi_limit_error(), which follows exactly once. */
struct goi_limit goi_limit_of(struct go_ctx *ctx);
/* What a wait limited by ctx returns for what goi_sync_park() and goi_limit_over() said. */
int goi_limit_error(struct go_ctx *ctx, int r);

/* Marks w, about to be queued, as one that others may wake too. */
GOI_INLINE void goi_sync_limit(struct goi_sync_waiter *w, const struct goi_limit *l)
{
    w->limited = goi_limited(l);
    if (w->limited) {
        w->ticket = goi_claim_begin(w->g);
    }
}

/* W3: may this waiter be woken by us? Under the object's lock. */
GOI_INLINE bool goi_sync_take(struct goi_sync_waiter *w)
{
    return !w->limited || goi_claim(w->g, w->ticket);
}

/* The part of goi_sync_park() for limited waiters (limit.c). */
int goi_sync_park_limited(struct m **m, struct goi_sync_waiter *w, enum wait_reason reason,
                          void *object, void (*commit)(struct m *m, void *arg), void *arg,
                          const struct goi_limit *l) GOI_PARKS;

/* Parks a queued waiter; `commit(m, arg)` releases the object's lock. 0 when a waker took it;
 * otherwise what goi_limit_over() says, and then the record may still be on its queue. */
GOI_INLINE int goi_sync_park(struct m **m, struct goi_sync_waiter *w, enum wait_reason reason,
                             void *object, void (*commit)(struct m *m, void *arg), void *arg,
                             const struct goi_limit *l)
{
    if (GOI_LIKELY(!w->limited)) {
        *m = goi_park(*m, reason, object, commit, arg);
        return 0;
    }
    return goi_sync_park_limited(m, w, reason, object, commit, arg, l);
}

/* mutex.c: 0 with the lock held, else what goi_limit_over() says. */
int goi_mutex_lock_limited(go_mutex *mu, const struct goi_limit *limit) GOI_PARKS;
/* The same for the mutex by which writers take turns, whose note says who is the active one: the
 * note stays as it is. */
int goi_mutex_lock_turn(go_mutex *mu, const struct goi_limit *limit) GOI_PARKS;
void goi_mutex_unlock_turn(go_mutex *mu);
/* Queues goroutines that have parked for something else and want the mutex now, in the order of the
 * chain, which ends with NULL; none of them is limited any more. False, and nothing done, when the
 * mutex is free or nobody has waited for it yet. Inside the runtime. */
bool goi_mutex_adopt(go_mutex *mu, struct goi_sync_waiter *chain);
/* What such a goroutine does when it runs again: returns with the lock held. */
void goi_mutex_lock_adopted(go_mutex *mu, struct goi_sync_waiter *w) GOI_PARKS;
/* waitgroup.c: 0 when the counter is zero, else what goi_limit_over() says. */
int goi_wg_wait_limited(go_waitgroup *wg, const struct goi_limit *limit) GOI_PARKS;

/* --- outcome.c: how a function of the user ended that did not return: by a panic, whose message
 * is lent until the unwinding goes on, by go_exit, or by a C++ exception. */
enum goi_outcome { GOI_RETURNED, GOI_PANICKED, GOI_EXITED, GOI_THREW };
enum goi_outcome goi_outcome_of_unwinding(const char **message);

#endif
