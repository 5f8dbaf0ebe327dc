/* SPDX-License-Identifier: MIT */
/* timer.c: the timers of each P, how they fire, and how they are stopped.
 *
 * Every P has a heap of pending timers behind a lock. The P's owner runs what is due when it
 * schedules; any other thread may do it for a P that is busy or has no thread ("stolen with the
 * work"). `next` mirrors the first deadline, so that looking costs one load.
 *
 * The difficulty is stopping. A timer's memory is its user's: the stack frame of a goroutine that
 * waits with a deadline, say. The goroutine is woken by something else, stops the timer and returns
 * from the frame, while on another thread the same timer fires. If firing meant to take the timer
 * out, unlock, and call, then stop would find nothing to stop and the frame would go while the
 * callback works in it. So the callback runs under the lock, and `owner` stays set until it has
 * returned: stop takes the lock of the owner it reads and finds the timer pending, or finished.
 *
 *     stopping                             firing
 *     h = owner (h)                        lock h, pop t, t->fire()
 *     lock h ... waits                     owner = NULL, unlock h       last touch of t
 *     owner != h: not pending
 *
 * What cannot be done under the lock is put off: goroutines are chained through their run links,
 * which belong to whoever claimed them, and readied after the unlock; a channel timer, which must
 * take the channel's lock (and is started under it: the order is channel, then heap), leaves a
 * function to call. At most BATCH timers fire under one hold of the lock, so a stopper waits for
 * microseconds.
 *
 *   T1  t->owner == h exactly while t is in h's heap or its fire runs, under h->lock.   (asserts)
 *   T2  Nothing of t is touched after owner has been cleared.                  (fire_due, ASan)
 *   T3  h->next is the first deadline of the heap whenever h->lock is free.  (goi_timers_check)
 *   T4  A timer moves between heaps only with both locks held.          (goi_timers_move)
 *
 * Threads without a P use the heap of P 0, which always exists, and kick the poller, since P 0's
 * owner may be asleep until a later deadline.
 *
 * Lock rank: heap locks are leaves; two are held only by goi_timers_move, lower address first.
 *
 * Rejected: stopping lazily by a mark on the entry, as Go does. It saves a sift at stop, but the
 * entry keeps pointing at memory that its user wants back. Rejected: a hierarchical wheel. Its
 * insertion is O(1), but its precision is that of a slot; the heap's insertion is O(1) in practice,
 * because a new deadline is usually later than its parent's.
 *
 * [TIMER] release when owner is set or cleared, acquire when stop reads it: what fire did is
 * visible to a stopper that reads NULL without taking the lock.
 * [TNEXT] `next` is a hint: relaxed would do for correctness, since a P that goes idle looks again
 * under the scheduler's protocol; the release makes the count visible with it for deadlock checks.
 */
#include "time/timer.h"
#include "annot/annot.h"
#include "sched/sched.h"

enum { BATCH = 32, KINDS = 4 };

/* [c] what goi_timer_kind() was told */
static struct { goi_timer_fire fire; bool (*wakes)(struct goi_timer *t); } kinds[KINDS];

struct goi_timers {
    goi_ai64 next;              /* [w:lock] T3 */
    goi_a32 count;              /* [w:lock] timers in the heap, or firing */
    struct goi_lock lock;
    struct goi_heap heap;       /* [l:lock] */
} GOI_ALIGNED(GOI_CACHE_LINE);

/* What one hold of the lock has fired. */
struct goi_fired {
    struct goi_runq ready;
    uint32_t late_count;
    struct { goi_timer_late fn; void *arg; } late[BATCH];
};

void goi_fired_ready(struct goi_fired *f, struct g *g)
{
    goi_runq_push_tail(&f->ready, &g->run);
}

void goi_fired_late(struct goi_fired *f, goi_timer_late late, void *arg)
{
    goi_must(f->late_count < BATCH);
    f->late[f->late_count].fn = late;
    f->late[f->late_count].arg = arg;
    f->late_count++;
}

struct goi_timers *goi_timers_new(void)
{
    size_t size = goi_round_up(sizeof(struct goi_timers), gop_page_size());
    struct goi_timers *h = gop_pages_reserve(size, gop_page_size());
    if (h == NULL) {
        goi_fatal("runtime: out of memory: cannot allocate timers");
    }
    st_rlx(&h->next, GOI_FOREVER);
    return h;
}

/* T3. Under the lock. */
GOI_INLINE void publish(struct goi_timers *h)
{
    st_rlx(&h->count, h->heap.count);
    st_rel(&h->next, goi_heap_first(&h->heap)); /* [TNEXT] */
}

struct goi_timers *goi_timers_lock(struct m *m)
{
    struct goi_timers *h = m->p != NULL ? m->p->timers : goi_sched.procs[0]->timers;
    goi_lock(&h->lock);
    return h;
}

GOI_COLD static void push_failed(struct goi_timers *h)
{
    goi_unlock(&h->lock);
    goi_fatal("runtime: out of memory: cannot allocate timers");
}

GOI_INLINE void push(struct goi_timers *h, struct goi_timer *t, int64_t when, bool indexed)
{
    if (GOI_UNLIKELY(!goi_heap_push(&h->heap, &t->node, when, indexed))) {
        push_failed(h);
    }
    publish(h);
}

void goi_timers_add_locked(struct goi_timers *h, struct goi_timer *t, int64_t when)
{
    goi_assert(ld_rlx(&t->owner) == NULL);
    goi_assert(t->fire != NULL);
    st_rel(&t->owner, h); /* [TIMER] T1 */
    push(h, t, when, true);
}

void goi_timers_add_fixed_locked(struct goi_timers *h, struct goi_timer *t, int64_t when)
{
    goi_assert(t->fire != NULL);
    push(h, t, when, false);
}

void goi_timers_unlock(struct m *m, struct goi_timers *h, int64_t when)
{
    goi_unlock(&h->lock);
    if (GOI_UNLIKELY(m->p == NULL)) {
        goi_poller_kick(when);
    }
}

void goi_timer_start(struct m *m, struct goi_timer *t, int64_t when)
{
    struct goi_timers *h = goi_timers_lock(m);
    goi_timers_add_locked(h, t, when);
    goi_timers_unlock(m, h, when);
}

/* Takes the lock of the heap that holds t; NULL if t is not pending. */
static struct goi_timers *lock_owner(struct goi_timer *t)
{
    for (;;) { /* repeats only when the timer has been moved in between */
        struct goi_timers *h = ld_acq(&t->owner); /* [TIMER] */
        if (h == NULL) {
            return NULL;
        }
        goi_lock(&h->lock);
        struct goi_timers *now = ld_rlx(&t->owner);
        if (now == h) {
            return h;
        }
        goi_unlock(&h->lock);
        if (now == NULL) {
            return NULL;
        }
    }
}

bool goi_timer_stop(struct goi_timer *t)
{
    struct goi_timers *h = lock_owner(t);
    if (h == NULL) {
        return false;
    }
    goi_heap_remove(&h->heap, &t->node);
    st_rel(&t->owner, NULL); /* [TIMER] T1 */
    publish(h);
    goi_unlock(&h->lock);
    return true;
}

bool goi_timer_reset(struct m *m, struct goi_timer *t, int64_t when)
{
    struct goi_timers *mine = m->p != NULL ? m->p->timers : goi_sched.procs[0]->timers;
    struct goi_timers *h = lock_owner(t);
    if (h == mine) {
        goi_heap_change(&h->heap, &t->node, when);
        publish(h);
        goi_timers_unlock(m, h, when);
        return true;
    }
    if (h != NULL) {
        goi_heap_remove(&h->heap, &t->node);
        st_rel(&t->owner, NULL); /* [TIMER] T1 */
        publish(h);
        goi_unlock(&h->lock);
    }
    goi_timer_start(m, t, when);
    return h != NULL;
}

/* Fires up to BATCH timers that are due. Returns the next deadline. */
static int64_t fire_due(struct goi_timers *h, struct goi_fired *f, int64_t now)
{
    goi_lock(&h->lock);
    for (int i = 0; i < BATCH && goi_heap_first(&h->heap) <= now; i++) {
        struct goi_timer *t = goi_container_of(goi_heap_pop(&h->heap), struct goi_timer, node);
        t->fire(f, t, now);
        /* A timer of kind `fixed` never had an owner, and the store does it no harm: the goroutine
         * it belongs to is readied after the unlock. */
        st_rel(&t->owner, NULL); /* [TIMER] T1 T2 */
    }
    publish(h);
    goi_check(goi_heap_check(&h->heap));
    int64_t next = goi_heap_first(&h->heap);
    goi_unlock(&h->lock);
    return next;
}

/* The goroutine with the earliest deadline runs next, the others in order behind what is runnable:
 * a crowd of sleepers that wake together does not push aside those that wait already. */
static void ready_fired(struct m *m, struct goi_fired *f)
{
    struct goi_runnable *first = goi_runq_pop_head(&f->ready);
    if (first == NULL) {
        return;
    }
    goi_ready(m, goi_container_of(first, struct g, run));
    while (goi_runq_len(&f->ready) > 0) { /* ends: each turn takes one out */
        struct goi_runnable *r = goi_runq_pop_head(&f->ready);
        goi_ready_back(m, goi_container_of(r, struct g, run));
    }
}

int64_t goi_timers_run(struct m *m, struct goi_timers *h, int64_t now)
{
    int64_t next = goi_timers_next(h);
    if (next > now) {
        return next;
    }
    goi_race_nobody_begin(); /* not in the name of who happens to be here */
    while (next <= now) { /* ends: `now` stands still, and what fires leaves the heap */
        struct goi_fired f;
        f.ready = (struct goi_runq){0};
        f.late_count = 0;
        next = fire_due(h, &f, now);
        for (uint32_t i = 0; i < f.late_count; i++) {
            f.late[i].fn(m, f.late[i].arg, now);
        }
        ready_fired(m, &f);
    }
    goi_race_nobody_end();
    return next;
}

int64_t goi_timers_next(const struct goi_timers *h)
{
    return ld_acq(&h->next); /* [TNEXT] */
}

void goi_timers_move(struct goi_timers *from, struct goi_timers *to)
{
    goi_assert(from != to);
    goi_lock(from < to ? &from->lock : &to->lock);
    goi_lock(from < to ? &to->lock : &from->lock);
    for (uint32_t i = 0; i < from->heap.count; i++) { /* T4 */
        struct goi_heap_entry e = goi_heap_entry(&from->heap, i);
        struct goi_timer *t = goi_container_of(goi_heap_node_of(e), struct goi_timer, node);
        bool indexed = (e.ref & 1) != 0;
        if (indexed) {
            st_rel(&t->owner, to); /* [TIMER] T1 */
        }
        push(to, t, e.when, indexed);
    }
    goi_heap_release(&from->heap);
    publish(from);
    goi_unlock(&from->lock);
    goi_unlock(&to->lock);
}

void goi_timer_kind(goi_timer_fire fire, bool (*wakes)(struct goi_timer *t))
{
    int i = 0;
    while (kinds[i].fire != NULL) { /* ends: there is one place more than callers */
        i++;
        goi_must(i < KINDS);
    }
    kinds[i].fire = fire;
    kinds[i].wakes = wakes;
}

static bool would_wake(struct goi_timer *t)
{
    for (int i = 0; i < KINDS; i++) {
        if (kinds[i].fire == t->fire) {
            return kinds[i].wakes(t);
        }
    }
    return true;
}

bool goi_timers_wake_any(void)
{
    bool any = false;
    for (int i = 0; i < goi_procs_made() && !any; i++) {
        struct goi_timers *h = goi_sched.procs[i]->timers;
        if (ld_rlx(&h->count) == 0) {
            continue;
        }
        goi_lock(&h->lock);
        for (uint32_t k = 0; k < h->heap.count && !any; k++) {
            struct goi_heap_node *n = goi_heap_node_of(goi_heap_entry(&h->heap, k));
            any = would_wake(goi_container_of(n, struct goi_timer, node));
        }
        goi_unlock(&h->lock);
    }
    return any;
}

size_t goi_timers_pending(void)
{
    size_t n = 0;
    int made = goi_procs_made();
    for (int i = 0; i < made; i++) {
        n += ld_rlx(&goi_sched.procs[i]->timers->count);
    }
    return n;
}

void goi_timers_check(struct goi_timers *h)
{
    goi_lock(&h->lock);
    goi_heap_check(&h->heap);
    goi_must(ld_rlx(&h->next) == goi_heap_first(&h->heap)); /* T3 */
    goi_must(ld_rlx(&h->count) == h->heap.count);
    for (uint32_t i = 0; i < h->heap.count; i++) {
        struct goi_heap_entry e = goi_heap_entry(&h->heap, i);
        struct goi_timer *t = goi_container_of(goi_heap_node_of(e), struct goi_timer, node);
        goi_must((e.ref & 1) == 0 || ld_rlx(&t->owner) == h); /* T1 */
    }
    goi_unlock(&h->lock);
}

void goi_timers_view(const struct goi_timers *h, const struct goi_timers_view *v)
{
    v->memory(h, sizeof *h, v->arg);
    for (uint32_t k = 0; k < h->heap.segments; k++) {
        v->memory(h->heap.segment[k], goi_heap_segment_bytes(k), v->arg);
    }
    for (uint32_t i = 0; i < h->heap.count; i++) {
        v->held(goi_heap_node_of(goi_heap_entry(&h->heap, i)), v->arg);
    }
}
