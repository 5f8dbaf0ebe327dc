/* SPDX-License-Identifier: MIT */
/* pool.c: go_pool, Go's sync.Pool: objects kept for reuse.
 *
 * Getting and putting shall cost less than making, on all processors at once. So each P has a small
 * stack of objects to itself (pool_cache.h), which needs neither lock nor atomic operation; what a
 * cache cannot take or give comes from a depot behind a go_mutex, half a cache at a time. There are
 * DEPOTS of them, each shared by some Ps: what overflows on a P is mostly wanted there again, and
 * in a single depot all its pointers would go from processor to processor. One P may put and
 * another get: who finds his own depot empty looks into the others.
 *
 * What Go leaves to its collector is done by the clock. With `.free` set, a goroutine of the
 * library looks once in a second at what has not been used since its last look, the lower part of
 * each stack, and passes it to `.free`. When the pool is empty it stops looking, until something is
 * put. So an object that nobody wants is gone after one to two seconds, and a pool at rest holds
 * nothing, not even a timer.
 *
 *   B1  An object is in one cache, in the depot, or with a user.     (tests/unit/sync/pool, hammer)
 *   B2  A cache is touched by its P's owner or by the trimmer, not by both.     (C1)
 *   B3  `.make` and `.free` are called outside the runtime with no lock held that get or put take:
 *       they may park, panic, and use pools.             (tests/unit/sync/pool, nested pools)
 *   B4  While something is kept and `.free` is set, the trimmer is under way or its timer runs.
 *                                                       (tests/unit/sync/pool, idle objects)
 *   B5  The state of a pool that was cleared goes when the trimmer has let go of it.      (ASan)
 *   B6  No `.free` is called after a clear has returned: the trimmer holds `work` while it calls
 *       them, and begins nothing when it finds the pool cleared.
 *                                     (tests/unit/sync/pool, clear waits for who frees)
 *
 * The table of caches grows with the number of Ps; older tables are kept until the end, because a
 * reader may still look at one. Threads without a P use the first depot.
 *
 * Memory order: [RT] for the caches; the depot's mutex; [POOL] release when the state, or a larger
 * table, is published, acquire when it is found. [TRIM] who puts, and the trimmer that wants to
 * stop (trim_over). [REF] counts of the state.
 *
 * Rejected: a lock per cache (two exchanges for get and put, 9 ns). Rejected: looking into the
 * caches of others before each making: it costs a membarrier, some microseconds, which is often
 * more than to make. After PATIENCE requests in vain it is done nevertheless, and always where
 * nothing can be made.
 */
#include "sync/pool_cache.h"
#include "sync/internal.h"
#include <gort/time.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = GOI_POOL_CACHE_MAX / 2, PATIENCE = 256, DEPOTS = 8 };
/* How often the trimmer looks. Tests have less patience. */
#ifndef GOI_POOL_INTERVAL
#define GOI_POOL_INTERVAL GO_SEC
#endif

_Static_assert(sizeof(go_pool) == 32, "go_pool is part of the ABI");
_Static_assert(sizeof(struct goi_pool_cache) == 512, "no space is lost to the alignment");

struct caches {
    struct caches *older;
    int n;
    struct goi_pool_cache *of[];    /* by the id of the P */
};

struct depot {
    go_mutex mu;
    void **object;                  /* [l:mu] a stack, newest on top */
    size_t n, low, room;            /* [l:mu] low as in C2 */
    size_t idle;                    /* [o by the trimmer] still to be freed in this round */
    goi_abool stocked;              /* [w:mu] n != 0: who asks in vain takes no lock */
} GOI_ALIGNED(GOI_CACHE_LINE);

/* What a pool has once something was put. */
struct pool {
    struct depot depot[DEPOTS];
    goi_aptr caches;                /* [w:mu] */
    goi_a32 refs;                   /* [a:REF] the pool's, the timer's */
    goi_a32 trimming;               /* [w:mu] B4: the trimmer comes, or is at it */
    void (*free)(void *);           /* [c] */
    goi_a32 missed;                 /* requests in vain, about */
    go_mutex work;                  /* B6: held by the trimmer */
    go_mutex look;                  /* held while a cache is looked at: one holder at a time */
    go_mutex mu;
    bool cleared;                   /* [l:mu] */
    go_timer *timer;                /* [l:mu] of the trimmer */
};

static GOI_COLD void die(void) { goi_fatal("out of memory (pool)"); }

static void trim(struct pool *s);

/* --- the state */

static GOI_COLD struct pool *state_new(go_pool *p)
{
    struct pool *s = aligned_alloc(GOI_CACHE_LINE, sizeof *s);
    if (s == NULL) {
        die();
    }
    memset(s, 0, sizeof *s);
    s->free = p->free;
    st_rlx(&s->refs, 1);
    void *seen = NULL;
    if (!cas_acqrel(goi_wordptr(&p->impl), &seen, s)) { /* [POOL] */
        free(s);
        return seen;
    }
    return s;
}

static void state_unref(struct pool *s)
{
    if (sub_acqrel(&s->refs, 1) != 1) { /* [REF] B5 */
        return;
    }
    struct caches *t = ld_rlx(&s->caches);
    for (int i = 0; t != NULL && i < t->n; i++) {
        free(t->of[i]);
    }
    while (t != NULL) {
        struct caches *older = t->older;
        free(t);
        t = older;
    }
    for (int i = 0; i < DEPOTS; i++) {
        free(s->depot[i].object);
    }
    go_timer_free(s->timer);
    free(s);
}

/* Caches for all the Ps there are. */
static GOI_COLD void caches_grow(struct pool *s)
{
    go_mutex_lock(&s->mu);
    struct caches *old = ld_rlx(&s->caches);
    int have = old != NULL ? old->n : 0;
    int n = goi_procs_made();
    if (n > have) {
        struct caches *t = malloc(sizeof *t + (size_t)n * sizeof t->of[0]);
        if (t == NULL) {
            die();
        }
        t->older = old;
        t->n = n;
        for (int i = 0; i < n; i++) {
            t->of[i] = i < have ? old->of[i] : aligned_alloc(2 * GOI_CACHE_LINE, sizeof *t->of[i]);
            if (t->of[i] == NULL) {
                die();
            }
            if (i >= have) {
                memset(t->of[i], 0, sizeof *t->of[i]);
                goi_pool_cache_init(t->of[i], goi_sched.have_membarrier);
            }
        }
        st_rel(&s->caches, t); /* [POOL] */
    }
    go_mutex_unlock(&s->mu);
}

/* Enters the cache of this P. NULL: there is none, or it is being looked at. Inside the runtime. */
GOI_INLINE struct goi_pool_cache *cache_enter(struct pool *s, const struct m *m)
{
    struct caches *t = ld_acq(&s->caches); /* [POOL] */
    if (GOI_UNLIKELY(m->p == NULL) || GOI_UNLIKELY(t == NULL) || GOI_UNLIKELY(m->p->id >= t->n)) {
        return NULL;
    }
    struct goi_pool_cache *c = t->of[m->p->id];
    return GOI_LIKELY(goi_pool_cache_enter(c)) ? c : NULL;
}

/* --- the depot, outside the runtime */

/* Inside the runtime. */
GOI_INLINE struct depot *depot_of(struct pool *s, const struct m *m)
{
    return &s->depot[m->p != NULL ? m->p->id % DEPOTS : 0];
}

static void depot_put(struct depot *d, void *const *object, uint32_t n)
{
    go_mutex_lock(&d->mu);
    if (d->n + n > d->room) {
        size_t room = d->room == 0 ? 4 * BATCH : 2 * d->room;
        void **larger = realloc(d->object, room * sizeof *larger);
        if (larger == NULL) {
            die();
        }
        d->object = larger;
        d->room = room;
    }
    memcpy(d->object + d->n, object, n * sizeof *object);
    d->n += n;
    st_rlx(&d->stocked, true); /* [stat] [TRIM] */
    go_mutex_unlock(&d->mu);
}

static uint32_t take_stocked(struct depot *d, void **object, uint32_t n)
{
    go_mutex_lock(&d->mu);
    n = d->n < n ? (uint32_t)d->n : n;
    d->n -= n;
    st_rlx(&d->stocked, d->n != 0); /* [stat] */
    d->low = d->n < d->low ? d->n : d->low;
    if (n != 0) {
        memcpy(object, d->object + d->n, n * sizeof *object);
    }
    go_mutex_unlock(&d->mu);
    return n;
}

GOI_INLINE uint32_t take(struct depot *d, void **object, uint32_t n)
{
    /* [stat] what was put before us is seen: the same word */
    return ld_rlx(&d->stocked) ? take_stocked(d, object, n) : 0;
}

/* From `own`, or from another. */
static uint32_t depot_get(struct pool *s, struct depot *own, void **object, uint32_t n)
{
    uint32_t got = take(own, object, n);
    int used = goi_procs_made() < DEPOTS ? goi_procs_made() : DEPOTS;
    for (int i = 0; i < used && got == 0; i++) {
        got = take(&s->depot[i], object, n);
    }
    return got;
}

static bool depots_empty(struct pool *s)
{
    for (int i = 0; i < DEPOTS; i++) {
        if (ld_rlx(&s->depot[i].stocked)) { /* [stat] [TRIM] */
            return false;
        }
    }
    return true;
}

/* --- trimming */

/* B4: starts the trimmer unless it is on its way. */
static GOI_COLD void trim_later(struct pool *s)
{
    go_mutex_lock(&s->mu);
    if (ld_rlx(&s->trimming) == 0 && !s->cleared) {
        st_rlx(&s->trimming, 1);
        add_rlx(&s->refs, 1);
        if (s->timer != NULL) {
            go_timer_reset(s->timer, GOI_POOL_INTERVAL);
        } else {
            s->timer = go_after_func(GOI_POOL_INTERVAL, trim, s);
            if (s->timer == NULL) {
                die();
            }
        }
    }
    go_mutex_unlock(&s->mu);
}

typedef void (*sink)(struct pool *s, void **object, uint32_t n);

/* Takes out of the caches what is idle, or all. True: nothing is left in them. */
static bool drain_caches(struct pool *s, bool all, sink to)
{
    struct caches *t = ld_acq(&s->caches); /* [POOL] */
    bool empty = true;
    for (int i = 0; t != NULL && i < t->n; i++) {
        void *out[GOI_POOL_CACHE_MAX];
        go_mutex_lock(&s->look); /* B2 */
        int k = goi_pool_cache_idle(t->of[i], out, all, goi_sched.have_membarrier);
        empty = empty && k >= 0 && ld_rlx(&t->of[i]->n) == 0;
        go_mutex_unlock(&s->look);
        if (k > 0) {
            to(s, out, (uint32_t)k); /* B3 */
        }
    }
    return empty;
}

static bool caches_empty(struct pool *s)
{
    struct caches *t = ld_acq(&s->caches); /* [POOL] */
    for (int i = 0; t != NULL && i < t->n; i++) {
        if (ld_rlx(&t->of[i]->n) != 0) {
            return false;
        }
    }
    return true;
}

static void free_objects(struct pool *s, void **object, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        goi_race_acquire(object[i]);
        s->free(object[i]);
    }
}

/* What has been idle in the depots, up to a batch of it. */
static uint32_t take_idle(struct depot *d, void **out)
{
    go_mutex_lock(&d->mu);
    size_t k = d->low < d->idle ? d->low : d->idle;
    k = k < GOI_POOL_CACHE_MAX ? k : GOI_POOL_CACHE_MAX;
    if (k != 0) {
        memcpy(out, d->object, k * sizeof *out);
        memmove(d->object, d->object + k, (d->n - k) * sizeof *out);
        d->n -= k;
        d->low -= k;
        st_rlx(&d->stocked, d->n != 0); /* [stat] */
    }
    d->idle -= k;
    go_mutex_unlock(&d->mu);
    return (uint32_t)k;
}

/* Frees what nobody has used since the last round, and begins a new one. */
static void free_idle(struct pool *s)
{
    void *out[GOI_POOL_CACHE_MAX];
    for (int i = 0; i < DEPOTS; i++) {
        struct depot *d = &s->depot[i];
        go_mutex_lock(&d->mu);
        d->idle = d->low;
        go_mutex_unlock(&d->mu);
        for (uint32_t n = take_idle(d, out); n != 0; n = take_idle(d, out)) {
            free_objects(s, out, n); /* B3 */
        }
        go_mutex_lock(&d->mu);
        d->low = d->n;
        go_mutex_unlock(&d->mu);
    }
}

/* Is there nothing to come back for? Under `mu`. B4: who puts stores n, of a cache, or `stocked`,
 * and then loads `trimming`; we store `trimming` and then load the others. The membarrier stands
 * between our two and between its two (TRIM), so that not both can miss the other. */
static bool trim_over(struct pool *s, bool empty)
{
    if (s->cleared) {
        return true;
    }
    if (!empty || !depots_empty(s)) {
        return false;
    }
    st_rlx(&s->trimming, 0);
    if (goi_sched.have_membarrier) {
        gop_membarrier();
    } else {
        fence_seq(); /* [TRIM] */
    }
    if (caches_empty(s) && depots_empty(s)) {
        return true;
    }
    st_rlx(&s->trimming, 1);
    return false;
}

/* The trimmer, in a goroutine of its own. One at a time: the next is started at its end. */
static void trim(struct pool *s)
{
    go_mutex_lock(&s->work); /* B6 */
    go_mutex_lock(&s->mu);
    bool cleared = s->cleared;
    go_mutex_unlock(&s->mu);
    bool empty = !cleared && drain_caches(s, false, free_objects);
    if (!cleared) {
        free_idle(s);
    }
    go_mutex_unlock(&s->work);
    go_mutex_lock(&s->mu);
    bool over = trim_over(s, empty);
    if (!over) {
        go_timer_reset(s->timer, GOI_POOL_INTERVAL);
    }
    go_mutex_unlock(&s->mu);
    if (over) {
        state_unref(s);
    }
}

/* --- for users */

/* Takes all out of one of the caches; returns how many. `patient`: also of one whose owner is at it
 * just now. Under `look`. */
static int rob(struct pool *s, void **out, bool patient)
{
    uint32_t round = 0;
    bool busy;
    do { /* ends: the owners leave, or have taken everything themselves */
        struct caches *t = ld_acq(&s->caches); /* [POOL] */
        busy = false;
        for (int i = 0; t != NULL && i < t->n; i++) {
            int k = goi_pool_cache_idle(t->of[i], out, true, goi_sched.have_membarrier); /* B2 */
            if (k > 0) {
                return k;
            }
            busy = busy || k < 0;
        }
        if (busy && patient) {
            goi_word_wait(&round);
        }
    } while (busy && patient);
    return 0;
}

/* For who found nothing in its cache or a depot: looks into the others' caches now and then, and
 * always when there is no `.make`. Of what one of them holds the rest goes to the depot. */
static GOI_COLD void *look_around(struct pool *s, struct depot *own, bool always)
{
    void *out[GOI_POOL_CACHE_MAX];
    uint32_t missed = ld_rlx(&s->missed) + 1;
    st_rlx(&s->missed, missed); /* [stat] */
    if ((!always && missed % PATIENCE != 0) || caches_empty(s)) {
        return NULL;
    }
    if (always) {
        go_mutex_lock(&s->look);
    } else if (!go_mutex_trylock(&s->look)) {
        return NULL;
    }
    int k = rob(s, out, always);
    go_mutex_unlock(&s->look);
    if (k > 1) {
        depot_put(own, out, (uint32_t)k - 1);
    }
    return k > 0 ? out[k - 1] : NULL;
}

static GOI_COLD void *get_slow(struct pool *s, bool always)
{
    void *object[BATCH];
    struct m *m = goi_enter();
    struct depot *own = depot_of(s, m);
    goi_leave(m);
    uint32_t n = depot_get(s, own, object, BATCH);
    if (n == 0) {
        void *found = look_around(s, own, always);
        if (found != NULL || !always) {
            return found;
        }
        n = depot_get(s, own, object, 1); /* moved there meanwhile */
        return n != 0 ? object[0] : NULL;
    }
    void *mine = object[--n];
    m = goi_enter();
    struct goi_pool_cache *c = cache_enter(s, m);
    if (c != NULL) {
        while (n > 0 && goi_pool_cache_push(c, object[n - 1])) {
            n--;
        }
        goi_pool_cache_leave(c);
    }
    goi_leave(m);
    if (n > 0) {
        depot_put(own, object, n);
    }
    return mine;
}

static GOI_COLD void put_slow(struct pool *s, void *object)
{
    void *out[BATCH + 1];
    uint32_t n = 0;
    struct m *m = goi_enter();
    struct depot *own = depot_of(s, m);
    struct goi_pool_cache *c = cache_enter(s, m);
    bool grow = c == NULL && m->p != NULL;
    if (c != NULL) {
        if (!goi_pool_cache_push(c, object)) {
            goi_pool_cache_cut(c, out, BATCH);
            n = BATCH;
            (void)goi_pool_cache_push(c, object);
        }
        goi_pool_cache_leave(c);
    } else {
        out[n++] = object;
    }
    goi_leave(m);
    if (n > 0) {
        depot_put(own, out, n);
    }
    if (grow) {
        caches_grow(s);
    }
}

void *go_pool_get(go_pool *p)
{
    struct pool *s = ld_acq(goi_wordptr(&p->impl)); /* [POOL] */
    void *object = NULL;
    if (GOI_LIKELY(s != NULL)) {
        struct m *m = goi_enter();
        struct goi_pool_cache *c = cache_enter(s, m);
        if (GOI_LIKELY(c != NULL)) {
            object = goi_pool_cache_pop(c);
            goi_pool_cache_leave(c);
        }
        goi_leave(m);
        if (GOI_UNLIKELY(object == NULL)) {
            object = get_slow(s, p->make == NULL);
        }
    }
    if (GOI_UNLIKELY(object == NULL)) {
        return p->make != NULL ? p->make() : NULL; /* B3 */
    }
    goi_race_acquire(object);
    return object;
}

void go_pool_put(go_pool *p, void *object)
{
    if (GOI_UNLIKELY(object == NULL)) {
        return;
    }
    struct pool *s = ld_acq(goi_wordptr(&p->impl)); /* [POOL] */
    if (GOI_UNLIKELY(s == NULL)) {
        s = state_new(p);
    }
    goi_race_release(object);
    bool done = false;
    struct m *m = goi_enter();
    struct goi_pool_cache *c = cache_enter(s, m);
    if (GOI_LIKELY(c != NULL)) {
        done = goi_pool_cache_push(c, object);
        goi_pool_cache_leave(c);
    }
    goi_leave(m);
    if (GOI_UNLIKELY(!done)) {
        put_slow(s, object);
    }
    if (s->free != NULL) {
        if (GOI_LIKELY(goi_sched.have_membarrier)) {
            fence_compiler(); /* [TRIM] */
        } else {
            fence_seq(); /* [TRIM] */
        }
        if (GOI_UNLIKELY(ld_rlx(&s->trimming) == 0)) {
            trim_later(s);
        }
    }
}

static void keep_objects(struct pool *s, void **object, uint32_t n)
{
    depot_put(&s->depot[0], object, n);
}

void go_pool_clear(go_pool *p)
{
    struct pool *s = ld_acq(goi_wordptr(&p->impl)); /* [POOL] */
    if (s == NULL) {
        return;
    }
    st_rlx(goi_wordptr(&p->impl), NULL); /* nobody else uses it */
    go_mutex_lock(&s->mu);
    s->cleared = true;
    bool pending = s->timer != NULL && go_timer_stop(s->timer);
    go_mutex_unlock(&s->mu);
    go_mutex_lock(&s->work); /* B6: what it does now was begun before */
    go_mutex_unlock(&s->work);
    while (!drain_caches(s, true, keep_objects)) { /* ends: the trimmer lets go of the last one */
        go_yield();
    }
    void *out[GOI_POOL_CACHE_MAX];
    struct depot *any = &s->depot[0];
    for (uint32_t n = depot_get(s, any, out, BATCH); n != 0; n = depot_get(s, any, out, BATCH)) {
        if (s->free != NULL) {
            free_objects(s, out, n);
        }
    }
    if (pending) {
        state_unref(s);
    }
    state_unref(s);
}
