/* SPDX-License-Identifier: MIT */
/* sync.h: what Go's packages sync, x/sync and x/time/rate offer.
 *
 * Every type here is valid when it is all zeros, and must not be copied or moved once used. What is
 * shown of them is storage: only the fields that a comment names may be touched. Threads and
 * goroutines may be mixed freely. Functions that may wait park the goroutine, not the thread. */
#ifndef GO_SYNC_H
#define GO_SYNC_H

#include <gort/base.h>
#include <gort/go.h>

struct go_ctx;

GO_BEGIN_DECLS

/* ---- mutex ---------------------------------------------------------------------------------- */

typedef struct go_mutex {
    go_word state, spare;
    void *head;
} go_mutex;

/* Locks; parks while another holds it. Not recursive. A goroutine that has waited for a millisecond
 * gets it next. The n-th unlock happens before the (n+1)-th lock returns. */
GO_API inline void go_mutex_lock(go_mutex *m);
/* Unlocks, from any goroutine. Not locked: `fatal error: sync: unlock of unlocked mutex`. */
GO_API inline void go_mutex_unlock(go_mutex *m);
/* True when it got the lock; never waits, and may fail while others pass it on. */
GO_NODISCARD GO_API bool go_mutex_trylock(go_mutex *m);
/* 0 with the lock held, or -ETIMEDOUT once the deadline is past. */
GO_NODISCARD GO_API int go_mutex_lock_until(go_mutex *m, go_time deadline);
/* 0 with the lock held, or the context's error when that ended first. An end that came before the
 * call wins over a mutex that is free. ctx may be NULL: no limit. */
GO_NODISCARD GO_API int go_mutex_lock_ctx(struct go_ctx *ctx, go_mutex *m);

/* go_guard(&m);             locks, and unlocks at the end of the enclosing block however it is
 *                           left: also by return, go_exit and panics, without -fexceptions.
 * go_with_lock(&m) { ... }  the same for this block. break and continue leave the block. */
GO_API struct goi_guard *goi_mutex_guard(struct goi_guard *g, go_mutex *m, void *frame);

/* The two paths that need nothing of the library (src/sync/mutex.c argues them): bit 0 is "locked".
 * Alone it says that nobody has ever waited, and is given up by a store; a look at goi_mutex_watch
 * afterwards finds who began to wait meanwhile. The other bits are about who waits. `spare` says
 * who has locked, by the page of his stack, for reports of cycles (src/sync/wants.c). */
GO_API void goi_mutex_lock_slow(go_mutex *m);
GO_API void goi_mutex_unlock_slow(go_mutex *m);
GO_API void goi_mutex_passed(go_mutex *m);
#define GOI_MUTEX_HALL_BITS 6
#define GOI_MUTEX_HALL(m) ((uintptr_t)(m) >> 4 & ((1 << GOI_MUTEX_HALL_BITS) - 1))
GO_API extern go_word goi_mutex_watch[1 << GOI_MUTEX_HALL_BITS];
#define GOI_HOLDER_BITS 12

inline void go_mutex_lock(go_mutex *m)
{
    /* style: raw-atomic because base/atomic.h is not installed. */
    if (GOI_TSAN || __atomic_load_n(&goi_nudge, __ATOMIC_RELAXED) != 0 ||
        /* style: raw-atomic because base/atomic.h is not installed. */
        (__atomic_fetch_or(&m->state, 1, __ATOMIC_ACQUIRE) & 1) != 0) {
        goi_mutex_lock_slow(m);
        return;
    }
    uintptr_t sp;
    GOI_STACK_POINTER(sp);
    /* style: raw-atomic because base/atomic.h is not installed. */
    __atomic_store_n(&m->spare, (go_word)(sp >> GOI_HOLDER_BITS), __ATOMIC_RELAXED);
}

inline void go_mutex_unlock(go_mutex *m)
{
    /* style: raw-atomic because base/atomic.h is not installed. */
    go_word s = __atomic_load_n(&m->state, __ATOMIC_RELAXED);
    /* style: raw-atomic because base/atomic.h is not installed. */
    __atomic_store_n(&m->spare, 0, __ATOMIC_RELAXED);
    if (!GOI_TSAN && s == 1) {
        /* style: raw-atomic because base/atomic.h is not installed. */
        __atomic_store_n(&m->state, 0, __ATOMIC_RELEASE);
        /* style: raw-atomic because base/atomic.h is not installed. */
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* the waiter's membarrier does the rest */
        /* style: raw-atomic because base/atomic.h is not installed. */
        if (__atomic_load_n(&goi_mutex_watch[GOI_MUTEX_HALL(m)], __ATOMIC_RELAXED) != 0) {
            goi_mutex_passed(m);
        }
        return;
    }
    /* Bit 5: somebody has waited once; 3: one who waits is on his way; 2: others wait behind him.
     * Constants behind branches, because the exchange would have to wait for the load. */
    go_word held = 33;
    if (__builtin_expect(s != 33, 0)) {
        held = __builtin_expect(s == 41, 1) ? 41 : 45;
    }
    /* style: raw-atomic because base/atomic.h is not installed. */
    if (GOI_TSAN || !__atomic_compare_exchange_n(&m->state, &held, held & ~(go_word)1, false,
                                                 __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
        goi_mutex_unlock_slow(m);
    }
}

/* ---- reader/writer mutex -------------------------------------------------------------------- */

typedef struct go_rwmutex {
    go_mutex w;
    uint64_t state;
    void *readers, *writer;
} go_rwmutex;

/* One writer, or any number of readers. A waiting writer keeps new readers out, so a goroutine must
 * not take the read lock twice. Unlocking what is not locked is fatal with Go's words. */
GO_API inline void go_rwmutex_lock(go_rwmutex *m);
GO_API inline void go_rwmutex_unlock(go_rwmutex *m);
GO_API inline void go_rwmutex_rlock(go_rwmutex *m);
GO_API inline void go_rwmutex_runlock(go_rwmutex *m);
GO_NODISCARD GO_API bool go_rwmutex_trylock(go_rwmutex *m);
GO_NODISCARD GO_API bool go_rwmutex_tryrlock(go_rwmutex *m);
/* 0, or -ETIMEDOUT, or the context's error; as for go_mutex. */
GO_NODISCARD GO_API int go_rwmutex_lock_until(go_rwmutex *m, go_time deadline);
GO_NODISCARD GO_API int go_rwmutex_rlock_until(go_rwmutex *m, go_time deadline);
GO_NODISCARD GO_API int go_rwmutex_lock_ctx(struct go_ctx *ctx, go_rwmutex *m);
GO_NODISCARD GO_API int go_rwmutex_rlock_ctx(struct go_ctx *ctx, go_rwmutex *m);

/* The paths that need nothing of the library (src/sync/rwmutex.c argues them): the number of
 * readers is the upper half, bit 1 is an active writer, bit 2 one that waits for them to leave.
 * `w.spare` says who is the active writer. */
GO_API void goi_rwmutex_lock_slow(go_rwmutex *m);
GO_API void goi_rwmutex_unlock_slow(go_rwmutex *m);
GO_API void goi_rwmutex_rlock_slow(go_rwmutex *m);
GO_API void goi_rwmutex_runlock_slow(go_rwmutex *m);
GO_API void goi_rwmutex_runlocked(go_rwmutex *m, uint64_t state);

inline void go_rwmutex_lock(go_rwmutex *m)
{
    uint64_t s = 0;
    /* style: raw-atomic because base/atomic.h is not installed. */
    if (GOI_TSAN || !__atomic_compare_exchange_n(&m->state, &s, 2, false, __ATOMIC_ACQUIRE,
                                                 __ATOMIC_RELAXED)) {
        goi_rwmutex_lock_slow(m);
        return;
    }
    uintptr_t sp;
    GOI_STACK_POINTER(sp);
    /* style: raw-atomic because base/atomic.h is not installed. */
    __atomic_store_n(&m->w.spare, (go_word)(sp >> GOI_HOLDER_BITS), __ATOMIC_RELAXED);
}

inline void go_rwmutex_unlock(go_rwmutex *m)
{
    uint64_t s = 2;
    /* style: raw-atomic because base/atomic.h is not installed. */
    __atomic_store_n(&m->w.spare, 0, __ATOMIC_RELAXED);
    /* style: raw-atomic because base/atomic.h is not installed. */
    if (GOI_TSAN || !__atomic_compare_exchange_n(&m->state, &s, 0, false, __ATOMIC_RELEASE,
                                                 __ATOMIC_RELAXED)) {
        goi_rwmutex_unlock_slow(m);
    }
}

inline void go_rwmutex_rlock(go_rwmutex *m)
{
    const uint64_t reader = (uint64_t)1 << 32;
    uint64_t s = 0; /* a guess; a wrong one brings the word in for writing, as the retry wants it */
    bool mine = false;
    if (!GOI_TSAN) {
        /* style: raw-atomic because base/atomic.h is not installed. */
        mine = __atomic_compare_exchange_n(&m->state, &s, reader, false, __ATOMIC_ACQUIRE,
                                           __ATOMIC_RELAXED);
        if (!mine && (s & 6) == 0) {
            /* style: raw-atomic because base/atomic.h is not installed. */
            mine = __atomic_compare_exchange_n(&m->state, &s, s + reader, false, __ATOMIC_ACQUIRE,
                                               __ATOMIC_RELAXED);
        }
    }
    if (!mine) {
        goi_rwmutex_rlock_slow(m);
    }
}

inline void go_rwmutex_runlock(go_rwmutex *m)
{
    const uint64_t reader = (uint64_t)1 << 32;
    if (GOI_TSAN) {
        goi_rwmutex_runlock_slow(m);
        return;
    }
    /* style: raw-atomic because base/atomic.h is not installed. */
    uint64_t s = __atomic_fetch_sub(&m->state, reader, __ATOMIC_ACQ_REL);
    if (s < reader || (s & 4) != 0) {
        goi_rwmutex_runlocked(m, s);
    }
}

/* ---- condition variable --------------------------------------------------------------------- */

typedef struct go_cond {
    go_word lock, count;
    void *head, *self;
} go_cond;

/* Unlocks m, parks until woken, locks m again. There are no spurious wakes, but the condition may
 * have changed meanwhile: test it in a loop. Waiters are woken in the order they came. A copy of a
 * condition variable that has been used panics: `sync.Cond is copied`. */
GO_API void go_cond_wait(go_cond *c, go_mutex *m);
/* 0 when woken, -ETIMEDOUT when the deadline came first; m is locked either way. */
GO_API int go_cond_wait_until(go_cond *c, go_mutex *m, go_time deadline);
/* 0 when woken, or the context's error when that ended first; m is locked either way. */
GO_API int go_cond_wait_ctx(struct go_ctx *ctx, go_cond *c, go_mutex *m);
/* Wakes the first waiter; all of them. With or without the mutex held. Do not park. */
GO_API void go_cond_signal(go_cond *c);
GO_API void go_cond_broadcast(go_cond *c);

/* ---- wait group ----------------------------------------------------------------------------- */

typedef struct go_waitgroup {
    uint64_t state;
    void *head;
} go_waitgroup;

/* Adds n (may be negative) to the counter; at zero all waiters are woken. A negative counter
 * panics: `sync: negative WaitGroup counter`. Adding to a zero counter must happen before the
 * wait. */
GO_API inline void go_wg_add(go_waitgroup *wg, int n);
/* The same as go_wg_add(wg, -1). */
GO_API inline void go_wg_done(go_waitgroup *wg);
/* Parks until the counter is zero. When it returns, the group may be freed or used again, although
 * others that were parked in a wait have not come back yet; a call that is yet to begin must not
 * meet the end of the memory. */
GO_API inline void go_wg_wait(go_waitgroup *wg);
/* 0, or -ETIMEDOUT. */
GO_NODISCARD GO_API int go_wg_wait_until(go_waitgroup *wg, go_time deadline);
/* 0, also when the context had ended but the counter is zero; or the context's error. */
GO_NODISCARD GO_API int go_wg_wait_ctx(struct go_ctx *ctx, go_waitgroup *wg);
/* go_wg_go(&wg, fn, args...): add(1), a goroutine that runs fn(args...), done when it ends, however
 * it ends. */
GO_API void goi_wg_done(void *wg, int ret);

/* The paths that need nothing of the library (src/sync/waitgroup.c argues them: the counter is the
 * upper half, bit 1 says that somebody waits). `state` is what the addition has made. */
GO_API void goi_wg_added(go_waitgroup *wg, int n, uint64_t state);
GO_API void goi_wg_add_slow(go_waitgroup *wg, int n);
GO_API void goi_wg_wait_slow(go_waitgroup *wg);

inline void go_wg_add(go_waitgroup *wg, int n)
{
    if (GOI_TSAN) {
        goi_wg_add_slow(wg, n);
        return;
    }
    uint64_t change = (uint64_t)(uint32_t)n << 32;
    /* style: raw-atomic because base/atomic.h is not installed. */
    uint64_t s = __atomic_fetch_add(&wg->state, change, __ATOMIC_ACQ_REL) + change;
    if ((s & ((uint64_t)1 << 63 | 2)) != 0) {
        goi_wg_added(wg, n, s);
    }
}

inline void go_wg_done(go_waitgroup *wg) { go_wg_add(wg, -1); }

inline void go_wg_wait(go_waitgroup *wg)
{
    /* style: raw-atomic because base/atomic.h is not installed. */
    uint64_t s = __atomic_load_n(&wg->state, __ATOMIC_ACQUIRE);
    if (GOI_TSAN || s >> 32 != 0 || (s & 2) != 0) {
        goi_wg_wait_slow(wg);
    }
}

/* ---- once ----------------------------------------------------------------------------------- */

typedef struct go_once {
    go_word state, spare;
    go_mutex mu;
    void *panic;
} go_once;

/* go_once_do(&o) { ... }           runs the block the first time it is reached; who comes meanwhile
 *                                  waits for its end. Leave it by its end, break, or return.
 * go_once_call(&o, fn, args...);   the same with a call; args are evaluated only when it runs.
 * go_once_value(&o, &v, fn, args...)   the same with v = fn(args...); its value is v, for all.
 *
 * A block or function that panics counts as done, as in Go; go_once_value then panics with the same
 * message whenever it is called. Calling it inside itself deadlocks. What the one run did is
 * visible to whoever comes back from any of them. May park. Zeros are a once that has not run;
 * the object must stay until all that were called on it have returned. In memory that is freed one
 * needs go_once_free() first when a go_once_value may have panicked: it releases the message, and
 * leaves zeros.
 *
 * With a deadline for those who wait for another's run; nobody interrupts that:
 * go_once_do_until(&o, deadline, &err) { ... }               err: 0, or -ETIMEDOUT and no block
 * err = go_once_call_until(&o, deadline, fn, args...)        0 when it is done, or -ETIMEDOUT
 * err = go_once_value_until(&o, &v, deadline, fn, args...)   -ETIMEDOUT leaves v as it was */
GO_API void go_once_free(go_once *o);
GO_API struct goi_guard *goi_once_begin(struct goi_guard *g, go_once *o, void *frame);
GO_API struct goi_guard *goi_once_value_begin(struct goi_guard *g, go_once *o, void *frame);
GO_API struct goi_guard *goi_once_begin_until(struct goi_guard *g, go_once *o, void *frame,
                                              go_time deadline, int *err);
GO_API struct goi_guard *goi_once_value_begin_until(struct goi_guard *g, go_once *o, void *frame,
                                                    go_time deadline, int *err);
GO_API void goi_once_value_set(struct goi_guard *g);

enum { GOI_ONCE_DONE = 1 };

/* Inline, because what has been done is asked for on hot paths: one load and a branch that is not
 * taken. The acquire pairs with the release that set the state. */
static inline struct goi_guard *goi_once_enter(struct goi_guard *g, go_once *o, void *frame)
{
    /* style: raw-atomic because base/atomic.h is not installed. */
    go_word state = GOI_TSAN ? 0 : __atomic_load_n(&o->state, __ATOMIC_ACQUIRE);
    if (__builtin_expect(state == GOI_ONCE_DONE, true)) {
        return NULL;
    }
    return goi_once_begin(g, o, frame);
}

static inline struct goi_guard *goi_once_value_enter(struct goi_guard *g, go_once *o, void *frame)
{
    /* style: raw-atomic because base/atomic.h is not installed. */
    go_word state = GOI_TSAN ? 0 : __atomic_load_n(&o->state, __ATOMIC_ACQUIRE);
    if (__builtin_expect(state == GOI_ONCE_DONE, true)) {
        return NULL;
    }
    return goi_once_value_begin(g, o, frame);
}

/* The end of a guard's block; nothing is called where nothing was begun. */
static inline void goi_guard_end_begun(struct goi_guard **begun)
{
    if (*begun != NULL) {
        goi_guard_end(*begun);
    }
}

/* ---- map ------------------------------------------------------------------------------------ */

enum go_map_kind { GO_MAP_UINT64, GO_MAP_STRING };

/* A map that goroutines may use at the same time (sync.Map). Keys are uint64_t, or strings which it
 * copies; values are pointers that it does not look at. Its memory grows and shrinks with the
 * number of entries. */
typedef struct go_map {
    go_word kind, spare;
    void *impl;
} go_map;

/* A key: a uint64_t, or a const char *. The functions take either (see the macros below). Any other
 * integer becomes a uint64_t as C converts it, so -1 is UINT64_MAX and not (uint32_t)-1; a pointer
 * is its address. What would not fit, a double or an __int128, does not compile. */
typedef union go_map_key {
    uint64_t number;
    const char *string;
} go_map_key;

/* Chooses the kind of keys, before first use. Zeros are a GO_MAP_UINT64. Free releases everything
 * but the values, and leaves the map empty; nobody else may use it then. */
GO_API void go_map_init(go_map *m, enum go_map_kind kind);
GO_API void go_map_free(go_map *m);
GO_API size_t go_map_len(const go_map *m);
GO_API void go_map_clear(go_map *m);

GO_API bool goi_map_load(go_map *m, enum go_map_kind kind, go_map_key k, void **v);
GO_API void goi_map_store(go_map *m, enum go_map_kind kind, go_map_key k, void *v);
GO_API bool goi_map_load_or_store(go_map *m, enum go_map_kind kind, go_map_key k, void *v,
                                  void **actual);
GO_API bool goi_map_load_and_delete(go_map *m, enum go_map_kind kind, go_map_key k, void **v);
GO_API bool goi_map_swap(go_map *m, enum go_map_kind kind, go_map_key k, void *v, void **previous);
GO_API bool goi_map_compare_and_swap(go_map *m, enum go_map_kind kind, go_map_key k, void *expected,
                                     void *v);
GO_API bool goi_map_compare_and_delete(go_map *m, enum go_map_kind kind, go_map_key k,
                                       void *expected);
GO_API void goi_map_delete(go_map *m, enum go_map_kind kind, go_map_key k);

/* Calls visit(key, value, arg) for entries until it returns false. Entries stored or deleted
 * meanwhile may be seen or not; none is seen twice. visit may use the map, and may free what it has
 * taken out itself: that is not seen later. A value that another goroutine takes out may still be
 * handed to visit, as it may to a load just before: who frees it must know that nobody uses it any
 * more. A string key is valid until visit returns. */
GO_API void go_map_range(go_map *m, bool (*visit)(go_map_key key, void *v, void *arg), void *arg);

/* ---- pool ----------------------------------------------------------------------------------- */

/* Objects to be used again. What is put is never freed by the library itself. With `.free` set, an
 * object that nobody has got for one to two seconds is passed there, by a goroutine of the library,
 * beside everything else: `.free` may then run at any time from a put to the return of
 * go_pool_clear(), which must not be called in it. Without `.free` the pool keeps what was put. */
typedef struct go_pool {
    void *(*make)(void);        /* set by the user: a new object when the pool is empty; or NULL */
    void (*free)(void *);       /* set by the user, or NULL */
    go_word words[2];
    void *impl;
} go_pool;

/* An object that was put, or a new one from `.make`; NULL when there is no `.make` and the pool is
 * empty, but for objects that other calls are moving at this moment. With `.make` a new one may be
 * made although another processor's cache, of at most 62 objects, has some: it is looked for there
 * once in 256 requests in vain. The caller owns the object. Does not park, unless `.make` does, for
 * longer than a lock. */
GO_API void *go_pool_get(go_pool *p);
/* Gives an object to whoever gets next; it is the pool's from then on. NULL is ignored. */
GO_API void go_pool_put(go_pool *p, void *object);
/* Forgets everything, through `.free` where it is set, and waits for calls of that which are under
 * way. Nobody else may use the pool then. */
GO_API void go_pool_clear(go_pool *p);

/* ---- weighted semaphore --------------------------------------------------------------------- */

typedef struct go_sem {
    int64_t size;               /* set by the user before first use: how much there is */
    int64_t taken;
    go_word lock, spare;
    void *head;
} go_sem;

/* Takes n; parks until there is enough and all who came before have theirs. 0, or the context's
 * error when that ended first (then nothing is taken); ctx may be NULL. An end that came before
 * wins over a semaphore that is free. More than the size waits for the context alone, and holds
 * nobody up. */
GO_NODISCARD GO_API int go_sem_acquire(struct go_ctx *ctx, go_sem *s, int64_t n);
/* The same until a deadline: 0, or -ETIMEDOUT with nothing taken. */
GO_NODISCARD GO_API int go_sem_acquire_until(go_sem *s, int64_t n, go_time deadline);
/* True when it took n without waiting; false while others wait. */
GO_NODISCARD GO_API bool go_sem_try_acquire(go_sem *s, int64_t n);
/* Gives n back. More than taken panics: `semaphore: released more than held`. Does not park. */
GO_API void go_sem_release(go_sem *s, int64_t n);

/* ---- single flight -------------------------------------------------------------------------- */

typedef struct go_single {
    go_mutex mu;
    void *impl;
} go_single;

/* Calls fn(arg, &result) unless a call for the same key (copied) is under way; then waits for that
 * one and shares its outcome. Returns fn's result. *result may be NULL; *shared (or NULL) says
 * whether several got it. When fn panics, everybody who waits panics with the same message; when it
 * ends by go_exit, so do they. fn must not ask for the same key: that deadlocks. Holds no memory
 * while nothing is under way. */
GO_API int go_single_do(go_single *s, const char *key, int (*fn)(void *arg, void **result),
                        void *arg, void **result, bool *shared);
/* The same, but who waits for another's call stops at the deadline with -ETIMEDOUT, or when the
 * context ends with its error; the call goes on. *result is NULL then. ctx may be NULL. */
GO_API int go_single_do_until(go_single *s, const char *key, int (*fn)(void *arg, void **result),
                              void *arg, void **result, bool *shared, go_time deadline);
GO_API int go_single_do_ctx(struct go_ctx *ctx, go_single *s, const char *key,
                            int (*fn)(void *arg, void **result), void *arg, void **result,
                            bool *shared);
/* The next go_single_do for key calls fn although a call is under way. */
GO_API void go_single_forget(go_single *s, const char *key);

/* ---- rate limiter --------------------------------------------------------------------------- */

/* A bucket of at most `burst` tokens, filled with `per_second` tokens a second, full at first.
 * Zeros refuse everything. A rate of INFINITY allows everything. */
typedef struct go_rate {
    double per_second;          /* read only; go_rate_set changes it */
    int64_t burst;              /* read only */
    go_mutex mu;
    double tokens;
    go_time last, last_event;
} go_rate;

/* The first call fills the bucket; later ones keep the tokens that are there. Reservations and
 * waits under way are not changed. */
GO_API void go_rate_set(go_rate *r, double per_second, int64_t burst);
/* Takes one token, or n, if they are there. */
GO_NODISCARD GO_API bool go_rate_allow(go_rate *r);
GO_NODISCARD GO_API bool go_rate_allow_n(go_rate *r, int64_t n);
/* Parks until it has a token, or n: 0, or the context's error and nothing taken. -ETIMEDOUT at once
 * when the context's deadline would come first, or the tokens never; -EINVAL for more than the
 * burst unless the rate is infinite. ctx may be NULL. */
GO_NODISCARD GO_API int go_rate_wait(struct go_ctx *ctx, go_rate *r);
GO_NODISCARD GO_API int go_rate_wait_n(struct go_ctx *ctx, go_rate *r, int64_t n);
/* The same with a deadline instead of a context. */
GO_NODISCARD GO_API int go_rate_wait_until(go_rate *r, go_time deadline);
GO_NODISCARD GO_API int go_rate_wait_n_until(go_rate *r, int64_t n, go_time deadline);
/* Takes a token, or n, from the future: how long to wait before acting. GO_FOREVER: never, and
 * nothing is taken. */
GO_NODISCARD GO_API go_duration go_rate_reserve(go_rate *r);
GO_NODISCARD GO_API go_duration go_rate_reserve_n(go_rate *r, int64_t n);
/* Takes n tokens from the future, as what can be given back: act at .at; GO_FOREVER means never,
 * and that nothing was taken. Cancel gives back, before .at, what later reservations have not
 * counted on; after that, or a second time, nothing. */
typedef struct go_reservation {
    go_time at;                 /* read only, as is the rest */
    int64_t tokens;
    double per_second;
} go_reservation;
GO_NODISCARD GO_API go_reservation go_rate_book(go_rate *r, int64_t n);
GO_API void go_rate_cancel(go_rate *r, go_reservation *v);
/* The tokens there are now; less than zero when more have been reserved. */
GO_API double go_rate_tokens(go_rate *r);

GO_END_DECLS

/* ---- macros --------------------------------------------------------------------------------- */

#define go_guard(m) GOI_GUARD(__COUNTER__, m)
#define GOI_GUARD(N, m) \
    struct goi_guard GOI_CAT(goi_guard_, N) GO_CLEANUP(goi_guard_end) = GOI_ZERO; \
    (void)goi_mutex_guard(&GOI_CAT(goi_guard_, N), (m), __builtin_frame_address(0))

#define go_with_lock(m) \
    GOI_GUARDED(__COUNTER__, goi_mutex_guard, m)
#define go_once_do(o) GOI_GUARDED(__COUNTER__, goi_once_enter, o)
/* A block under a guard: entered once if begin returns a guard, and the guard ends with it. */
#define GOI_GUARDED(N, begin, object) \
    for (struct goi_guard GOI_CAT(goi_guard_, N), \
         *GOI_CAT(goi_begun_, N) GO_CLEANUP(goi_guard_end_begun) = \
             begin(&GOI_CAT(goi_guard_, N), (object), __builtin_frame_address(0)), \
         *GOI_CAT(goi_once_, N) = GOI_CAT(goi_begun_, N); \
         GOI_CAT(goi_once_, N); GOI_CAT(goi_once_, N) = NULL)

#define go_once_call(o, ...) GOI_ONCE_CALL(__COUNTER__, o, __VA_ARGS__)
#define GOI_ONCE_CALL(N, o, ...) __extension__({ \
        struct goi_guard GOI_CAT(goi_guard_, N); \
        struct goi_guard *GOI_CAT(goi_begun_, N) GO_CLEANUP(goi_guard_end_begun) = \
            goi_once_enter(&GOI_CAT(goi_guard_, N), (o), __builtin_frame_address(0)); \
        if (GOI_CAT(goi_begun_, N)) { \
            GOI_CAT(GOI_PLAIN_CALL_, GOI_MANY(__VA_ARGS__))(__VA_ARGS__); \
        } \
    })
#define GOI_PLAIN_CALL_0(fn) (void)(fn)()
#define GOI_PLAIN_CALL_1(fn, ...) (void)(fn)(__VA_ARGS__)

#define go_once_do_until(o, deadline, err) GOI_ONCE_DO_UNTIL(__COUNTER__, o, deadline, err)
#define GOI_ONCE_DO_UNTIL(N, o, deadline, err) \
    for (struct goi_guard GOI_CAT(goi_guard_, N), \
         *GOI_CAT(goi_begun_, N) GO_CLEANUP(goi_guard_end_begun) = \
             goi_once_begin_until(&GOI_CAT(goi_guard_, N), (o), __builtin_frame_address(0), \
                                  (deadline), (err)), \
         *GOI_CAT(goi_once_, N) = GOI_CAT(goi_begun_, N); \
         GOI_CAT(goi_once_, N); GOI_CAT(goi_once_, N) = NULL)

#define go_once_call_until(o, deadline, ...) \
    GOI_ONCE_CALL_UNTIL(__COUNTER__, o, deadline, __VA_ARGS__)
#define GOI_ONCE_CALL_UNTIL(N, o, deadline, ...) __extension__({ \
        int GOI_CAT(goi_err_, N); \
        struct goi_guard GOI_CAT(goi_guard_, N); \
        struct goi_guard *GOI_CAT(goi_begun_, N) GO_CLEANUP(goi_guard_end_begun) = \
            goi_once_begin_until(&GOI_CAT(goi_guard_, N), (o), __builtin_frame_address(0), \
                                 (deadline), &GOI_CAT(goi_err_, N)); \
        if (GOI_CAT(goi_begun_, N)) { \
            GOI_CAT(GOI_PLAIN_CALL_, GOI_MANY(__VA_ARGS__))(__VA_ARGS__); \
        } \
        GOI_CAT(goi_err_, N); \
    })

#define go_once_value_until(o, place, deadline, ...) \
    GOI_ONCE_VALUE_UNTIL(__COUNTER__, o, place, deadline, __VA_ARGS__)
#define GOI_ONCE_VALUE_UNTIL(N, o, place, deadline, ...) __extension__({ \
        int GOI_CAT(goi_err_, N); \
        struct goi_guard GOI_CAT(goi_guard_, N); \
        struct goi_guard *GOI_CAT(goi_begun_, N) GO_CLEANUP(goi_guard_end_begun) = \
            goi_once_value_begin_until(&GOI_CAT(goi_guard_, N), (o), __builtin_frame_address(0), \
                                       (deadline), &GOI_CAT(goi_err_, N)); \
        if (GOI_CAT(goi_begun_, N)) { \
            *(place) = GOI_CAT(GOI_VALUE_CALL_, GOI_MANY(__VA_ARGS__))(__VA_ARGS__); \
            goi_once_value_set(&GOI_CAT(goi_guard_, N)); \
        } \
        GOI_CAT(goi_err_, N); \
    })

#define go_once_value(o, place, ...) GOI_ONCE_VALUE(__COUNTER__, o, place, __VA_ARGS__)
#define GOI_ONCE_VALUE(N, o, place, ...) __extension__({ \
        __typeof__(&*(place)) GOI_CAT(goi_place_, N) = (place); \
        struct goi_guard GOI_CAT(goi_guard_, N); \
        struct goi_guard *GOI_CAT(goi_begun_, N) GO_CLEANUP(goi_guard_end_begun) = \
            goi_once_value_enter(&GOI_CAT(goi_guard_, N), (o), __builtin_frame_address(0)); \
        if (GOI_CAT(goi_begun_, N)) { \
            *GOI_CAT(goi_place_, N) = \
                GOI_CAT(GOI_VALUE_CALL_, GOI_MANY(__VA_ARGS__))(__VA_ARGS__); \
            goi_once_value_set(&GOI_CAT(goi_guard_, N)); \
        } \
        *GOI_CAT(goi_place_, N); \
    })
#define GOI_VALUE_CALL_0(fn) (fn)()
#define GOI_VALUE_CALL_1(fn, ...) (fn)(__VA_ARGS__)

#if !defined(__cplusplus)

#define go_wg_go(wg, ...) GOI_WG_GO(__COUNTER__, wg, __VA_ARGS__)
#define GOI_WG_GO(N, wg, ...) __extension__({ \
        go_waitgroup *GOI_CAT(goi_wg_, N) = (wg); \
        go_wg_add(GOI_CAT(goi_wg_, N), 1); \
        GOI_CALL(GOI_HEAD_DONE, (goi_wg_done, GOI_CAT(goi_wg_, N)), "wg_go", __VA_ARGS__); \
    })

#define GOI_MAP_KIND(k) \
    _Generic((k), char *: GO_MAP_STRING, const char *: GO_MAP_STRING, default: GO_MAP_UINT64)
#define GOI_MAP_KEY(k) \
    _Generic((k), char *: goi_map_key_string, const char *: goi_map_key_string, \
             float: goi_map_key_refused, double: goi_map_key_refused, \
             long double: goi_map_key_refused, goi_int128: goi_map_key_refused, \
             goi_uint128: goi_map_key_refused, default: goi_map_key_number)((uintptr_t)(k))
__extension__ typedef __int128 goi_int128;
__extension__ typedef unsigned __int128 goi_uint128;
struct goi_a_key_of_a_map_is_an_integer_or_a_string /* not defined, so a call does not compile */
goi_map_key_refused(uintptr_t k);
static inline go_map_key goi_map_key_number(uintptr_t k) { return (go_map_key){ .number = k }; }
static inline go_map_key goi_map_key_string(uintptr_t k)
{
    return (go_map_key){ .string = (const char *)k };
}

#else

namespace goi {
template <class F, class... A> void cxx_wg_go(const char *site, go_waitgroup *wg, F &&f, A &&...a)
{
    go_wg_add(wg, 1);
    spawn(site, nullptr, goi_wg_done, wg, std::forward<F>(f), std::forward<A>(a)...);
}
template <class K> constexpr bool is_string = std::is_convertible_v<K, const char *> &&
                                              !std::is_integral_v<K>;
template <class K> constexpr go_map_kind map_kind(const K &)
{
    return is_string<std::decay_t<K>> ? GO_MAP_STRING : GO_MAP_UINT64;
}
template <class K> go_map_key map_key(const K &k)
{
    go_map_key key;
    if constexpr (is_string<std::decay_t<K>>) {
        key.string = k;
    } else {
        static_assert(!std::is_floating_point_v<std::decay_t<K>> && sizeof(K) <= sizeof(uint64_t),
                      "a key of a go_map is an integer or a string");
        key.number = static_cast<uint64_t>(k);
    }
    return key;
}
} // namespace goi
#define go_wg_go(wg, ...) (goi::cxx_wg_go(GOI_SITE, (wg), __VA_ARGS__))
#define GOI_MAP_KIND(k) (goi::map_kind(k))
#define GOI_MAP_KEY(k) (goi::map_key(k))

#endif

/* k is a number or a string, and must be what the map was made for; the wrong kind is fatal.
 *   bool go_map_load(&m, k, &v)                      *v is NULL when it is not there
 *   void go_map_store(&m, k, v)
 *   bool go_map_load_or_store(&m, k, v, &actual)     true: was there
 *   bool go_map_load_and_delete(&m, k, &v)           true: was there
 *   bool go_map_swap(&m, k, v, &old)                 true: was there
 *   bool go_map_compare_and_swap(&m, k, old, new)    bool go_map_compare_and_delete(&m, k, old)
 *   void go_map_delete(&m, k)
 * The out pointers are void **, or NULL. None of them parks for longer than a lock. */
#define go_map_load(m, k, v) goi_map_load((m), GOI_MAP_KIND(k), GOI_MAP_KEY(k), (v))
#define go_map_store(m, k, v) goi_map_store((m), GOI_MAP_KIND(k), GOI_MAP_KEY(k), (v))
#define go_map_load_or_store(m, k, v, actual) \
    goi_map_load_or_store((m), GOI_MAP_KIND(k), GOI_MAP_KEY(k), (v), (actual))
#define go_map_load_and_delete(m, k, v) \
    goi_map_load_and_delete((m), GOI_MAP_KIND(k), GOI_MAP_KEY(k), (v))
#define go_map_swap(m, k, v, old) \
    goi_map_swap((m), GOI_MAP_KIND(k), GOI_MAP_KEY(k), (v), (old))
#define go_map_compare_and_swap(m, k, old, v) \
    goi_map_compare_and_swap((m), GOI_MAP_KIND(k), GOI_MAP_KEY(k), (old), (v))
#define go_map_compare_and_delete(m, k, old) \
    goi_map_compare_and_delete((m), GOI_MAP_KIND(k), GOI_MAP_KEY(k), (old))
#define go_map_delete(m, k) goi_map_delete((m), GOI_MAP_KIND(k), GOI_MAP_KEY(k))

#endif
