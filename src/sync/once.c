/* SPDX-License-Identifier: MIT */
/* once.c: go_once, Go's sync.Once and sync.OnceValue.
 *
 * What has been done is one load with acquire, inline in the header. Otherwise everybody queues
 * at a mutex; the first runs the user's code with the mutex held, and the guard of the block,
 * which runs however the block is left, stores the state and lets the others in.
 *
 *   O1  The code runs once. `state` is stored under the mutex, and looked at again under it.
 *                                                                      (tests/model/once)
 *   O2  Nobody comes back before the code has ended: `state` is stored with release at its end, not
 *       at its beginning, which would let others past while it runs.   (tests/model/once)
 *   O3  Code that panics or exits counts as done. For go_once_value, `spare` tells that the value
 *       is there; if it is not, the message of the panic is kept and every later call panics with
 *       it. All messages that are kept are on one list: a once has no end of its own, and what lies
 *       in memory that was freed without go_once_free() is still found by tools that look for
 *       leaks.                                     (tests/unit/sync/once, once_value tests)
 *   O4  Who gives up waiting at its deadline has touched nothing but the mutex.
 *
 * Memory order: [ONCE] release when `state` is set, acquire by who finds it set without the mutex.
 *
 * The runner's last touch of the object is its unlock, after others have seen the state; so
 * unlike a mutex, a once must outlive all calls on it. A call uses what the once guards, and has
 * its memory for that long anyway.
 *
 * Rejected: a compare-and-swap from new to running and a queue of its own: the slow path runs once.
 */
#include "sync/internal.h"
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(go_once) == 32, "go_once is part of the ABI");

enum { NEW = 0, DONE = GOI_ONCE_DONE, PANICKED = 2 };

/* The message of a panic. */
struct kept {
    struct kept *next, *prev;       /* [l:all] */
    char text[];
};

static struct {
    struct goi_lock lock;
    struct kept *first;             /* [l] */
} all;

GOI_INLINE goi_a32 *state_of(go_once *o) { return goi_word32(&o->state); }

/* Out of memory: NULL, which reads as an empty message. */
static GOI_COLD struct kept *keep(const char *message)
{
    size_t size = strlen(message) + 1;
    struct kept *k = malloc(sizeof *k + size);
    if (k == NULL) {
        return NULL;
    }
    memcpy(k->text, message, size);
    struct m *m = goi_enter();
    goi_lock(&all.lock);
    k->prev = NULL;
    k->next = all.first;
    if (k->next != NULL) {
        k->next->prev = k;
    }
    all.first = k;
    goi_unlock(&all.lock);
    goi_leave(m);
    return k;
}

static GOI_COLD void forget(struct kept *k)
{
    struct m *m = goi_enter();
    goi_lock(&all.lock);
    if (k->next != NULL) {
        k->next->prev = k->prev;
    }
    if (k->prev != NULL) {
        k->prev->next = k->next;
    } else {
        all.first = k->next;
    }
    goi_unlock(&all.lock);
    goi_leave(m);
    free(k);
}

static void finish(go_once *o, uint32_t state)
{
    goi_assert(ld_rlx(state_of(o)) == NEW); /* O1 */
    goi_race_release(o);
    st_rel(state_of(o), state); /* [ONCE] O2 */
    goi_race_nobody_begin(); /* the mutex would order those that wait for the run, too */
    go_mutex_unlock(&o->mu);
    goi_race_nobody_end();
}

static void end_block(struct goi_cleanup *c)
{
    struct goi_guard *g = goi_container_of(c, struct goi_guard, cleanup);
    finish(g->object, DONE);
}

/* O3: without a value the function has panicked or exited. */
static void end_value(struct goi_cleanup *c)
{
    struct goi_guard *g = goi_container_of(c, struct goi_guard, cleanup);
    go_once *o = g->object;
    uint32_t state = DONE;
    const char *message;
    if (o->spare == 0 && goi_outcome_of_unwinding(&message) == GOI_PANICKED) {
        o->panic = keep(message);
        state = PANICKED;
    }
    finish(o, state);
}

/* 1: with the mutex, and it has not run. 0: it has. Or -ETIMEDOUT. */
static int lock(go_once *o, const struct goi_limit *limit)
{
    int r = 0;
    goi_race_nobody_begin();
    if (goi_mutex_lock_limited(&o->mu, limit) != 0) {
        r = -ETIMEDOUT; /* O4 */
    } else if (ld_rlx(state_of(o)) == NEW) { /* O1, under the mutex */
        r = 1;
    } else {
        go_mutex_unlock(&o->mu);
    }
    goi_race_nobody_end();
    return r;
}

/* 1: the caller shall run it, and holds the mutex. 0: it was done. Or -ETIMEDOUT. */
static int enter(go_once *o, go_time deadline)
{
    if (ld_acq(state_of(o)) == NEW) { /* [ONCE] */
        const struct goi_limit limit = {.deadline = deadline};
        int r = lock(o, &limit);
        if (r != 0) {
            return r;
        }
    }
    goi_race_acquire(o);
    return 0;
}

static struct goi_guard *begin(struct goi_guard *g, go_once *o, void *frame,
                               void (*end)(struct goi_cleanup *))
{
    g->object = o;
    goi_cleanup_push(&g->cleanup, end, frame);
    return g;
}

struct goi_guard *goi_once_begin_until(struct goi_guard *g, go_once *o, void *frame,
                                       go_time deadline, int *err)
{
    int r = enter(o, deadline);
    *err = r < 0 ? r : 0;
    return r > 0 ? begin(g, o, frame, end_block) : NULL;
}

struct goi_guard *goi_once_value_begin_until(struct goi_guard *g, go_once *o, void *frame,
                                             go_time deadline, int *err)
{
    int r = enter(o, deadline);
    *err = r < 0 ? r : 0;
    if (r > 0) {
        return begin(g, o, frame, end_value);
    }
    if (r == 0 && ld_rlx(state_of(o)) == PANICKED) { /* it does not change any more */
        const struct kept *k = o->panic;
        go_panic("%s", k != NULL ? k->text : "");
    }
    return NULL;
}

struct goi_guard *goi_once_begin(struct goi_guard *g, go_once *o, void *frame)
{
    int err;
    return goi_once_begin_until(g, o, frame, GO_FOREVER, &err);
}

struct goi_guard *goi_once_value_begin(struct goi_guard *g, go_once *o, void *frame)
{
    int err;
    return goi_once_value_begin_until(g, o, frame, GO_FOREVER, &err);
}

void goi_once_value_set(struct goi_guard *g)
{
    go_once *o = g->object;
    o->spare = 1;
}

void go_once_free(go_once *o)
{
    if (o->panic != NULL) {
        forget(o->panic);
    }
    *o = (go_once){.state = NEW};
}
