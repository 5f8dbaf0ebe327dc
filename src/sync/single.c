/* SPDX-License-Identifier: MIT */
/* single.c: go_single, x/sync/singleflight: one call for all who ask for the same key meanwhile.
 *
 * A table of the calls under way, behind a go_mutex. The first for a key runs the user's function
 * without the mutex; the others find the entry and wait for it. The entry is counted: the table
 * lends it, its runner and its waiters hold it, the last of them frees it.
 *
 *   F1  At most one entry for a key is in the table; one that was forgotten is out of it, and its
 *       runner does not take another's out.               (tests/unit/sync/single, forget)
 *   F2  The outcome is complete before the waiters are let go: it is written before go_wg_done().
 *                                                         (tests/unit/sync/single, result tests)
 *   F3  The end of the call is told however the function is left: the runner's part is a cleanup. A
 *       panic goes on in the runner, with its own trace, and begins anew in each waiter; a go_exit
 *       likewise. After a C++ exception the waiters panic.  (tests/unit/sync/single, panics)
 *   F4  `shared` is decided when the entry leaves the table, under the mutex; nobody can join it
 *       afterwards.                                       (tests/unit/sync/single, shared)
 *   F5  Without calls under way there is no table.        (asserts; ASan)
 *
 * [REF] counts of an entry.
 */
#include "sync/hash.h"
#include "sync/internal.h"
#include <gort/go.h>
#include <stdlib.h>

struct flight {
    struct flight *next;            /* [l:mu] in its bucket */
    uint64_t hash;                  /* [c] */
    goi_a32 refs;                   /* [a:REF] */
    bool forgotten;                 /* [l:mu] not in the table any more */
    int waiters;                    /* [l:mu] ever */
    go_waitgroup over;              /* 1 until the outcome is complete */
    enum goi_outcome outcome;       /* F2 */
    int ret;
    void *result;
    char message[GO_PANIC_MESSAGE_MAX + 1]; /* of a panic */
    char key[];
};

/* The table: buckets doubled while it is crowded. */
struct flights {
    size_t count, size;             /* size is a power of two */
    struct flight *bucket[];
};

enum { FIRST_SIZE = 8 };

static void die(void) { goi_fatal("out of memory (single flight)"); }

static struct flights *table_new(size_t size)
{
    struct flights *t = calloc(1, sizeof *t + size * sizeof(struct flight *));
    if (t == NULL) {
        die();
    }
    t->size = size;
    return t;
}

GOI_INLINE struct flight **bucket_of(struct flights *t, uint64_t hash)
{
    return &t->bucket[hash & (t->size - 1)];
}

static struct flight *find_locked(go_single *s, const char *key, uint64_t hash)
{
    struct flights *t = s->impl;
    struct flight *f = t != NULL ? *bucket_of(t, hash) : NULL;
    while (f != NULL && (f->hash != hash || strcmp(f->key, key) != 0)) {
        f = f->next;
    }
    return f;
}

static void link_locked(struct flights *t, struct flight *f)
{
    struct flight **at = bucket_of(t, f->hash);
    f->next = *at;
    *at = f;
    t->count++;
}

static void insert_locked(go_single *s, struct flight *f)
{
    struct flights *t = s->impl;
    if (t == NULL) {
        t = s->impl = table_new(FIRST_SIZE);
    } else if (t->count == t->size) {
        struct flights *larger = table_new(2 * t->size);
        for (size_t i = 0; i < t->size; i++) {
            struct flight *next;
            for (struct flight *e = t->bucket[i]; e != NULL; e = next) {
                next = e->next;
                link_locked(larger, e);
            }
        }
        free(t);
        t = s->impl = larger;
    }
    link_locked(t, f);
}

static void remove_locked(go_single *s, struct flight *f)
{
    struct flights *t = s->impl;
    struct flight **at = bucket_of(t, f->hash);
    while (*at != f) { /* ends: f is in it (F1) */
        at = &(*at)->next;
    }
    *at = f->next;
    if (--t->count == 0) { /* F5 */
        s->impl = NULL;
        free(t);
    }
}

static void flight_unref(struct flight *f)
{
    if (sub_acqrel(&f->refs, 1) == 1) { /* [REF] */
        goi_unseen_begin(); /* those who waited are not ordered by it */
        free(f);
        goi_unseen_end();
    }
}

static struct flight *flight_new(const char *key, uint64_t hash)
{
    size_t n = strlen(key) + 1;
    struct flight *f = calloc(1, sizeof *f + n);
    if (f == NULL) {
        die();
    }
    f->hash = hash;
    st_rlx(&f->refs, 1);
    go_wg_add(&f->over, 1);
    memcpy(f->key, key, n);
    return f;
}

/* --- the runner */

struct runner {
    struct goi_cleanup cleanup;
    go_single *s;
    struct flight *f;
    bool returned, shared;
};

/* F3: the function has been left. */
static void finish(struct goi_cleanup *c)
{
    struct runner *r = goi_container_of(c, struct runner, cleanup);
    struct flight *f = r->f;
    if (!r->returned) {
        const char *message;
        f->outcome = goi_outcome_of_unwinding(&message);
        if (f->outcome == GOI_THREW) {
            message = "go_single: a C++ exception left the function";
        }
        if (message != NULL) {
            memcpy(f->message, message, strnlen(message, GO_PANIC_MESSAGE_MAX));
        }
    }
    go_mutex_lock(&r->s->mu);
    if (!f->forgotten) { /* F1 */
        remove_locked(r->s, f);
    }
    r->shared = f->waiters > 0; /* F4 */
    go_mutex_unlock(&r->s->mu);
    go_wg_done(&f->over); /* F2 */
    if (!r->returned) {
        flight_unref(f);
    }
}

static void leave_runner(struct runner *r) { (void)goi_cleanup_end(&r->cleanup); }

/* What is asked for, and for how long one waits for another's call. */
struct request {
    go_single *s;
    int (*fn)(void *arg, void **result);
    void *arg;
    void **result;
    bool *shared;
    struct go_ctx *ctx;
    struct goi_limit limit;
};

static int answer(const struct request *q, int ret, void *value, bool shared)
{
    if (q->result != NULL) {
        *q->result = value;
    }
    if (q->shared != NULL) {
        *q->shared = shared;
    }
    return ret;
}

static int run(const struct request *q, struct flight *f)
{
    bool shared = false;
    {
        struct runner r GO_CLEANUP(leave_runner) = {.s = q->s, .f = f};
        goi_cleanup_push(&r.cleanup, finish, __builtin_frame_address(0));
        f->ret = q->fn(q->arg, &f->result);
        r.returned = true;
        leave_runner(&r);
        shared = r.shared;
    }
    int ret = answer(q, f->ret, f->result, shared);
    flight_unref(f);
    return ret;
}

/* --- those who share it */

/* The end of what the limit is for; once for each request. */
static int limit_over(const struct request *q, int r)
{
    return q->ctx != NULL ? goi_limit_error(q->ctx, r) : r;
}

static int share(const struct request *q, struct flight *f)
{
    int late = limit_over(q, goi_wg_wait_limited(&f->over, &q->limit));
    if (late != 0) {
        flight_unref(f);
        return answer(q, late, NULL, false);
    }
    enum goi_outcome outcome = f->outcome;
    int ret = answer(q, f->ret, f->result, true);
    go_panic_info info;
    if (GOI_UNLIKELY(outcome != GOI_RETURNED)) {
        memcpy(info.message, f->message, sizeof info.message);
    }
    flight_unref(f);
    if (GOI_UNLIKELY(outcome == GOI_EXITED)) {
        go_exit();
    }
    if (GOI_UNLIKELY(outcome != GOI_RETURNED)) {
        go_panic("%s", info.message);
    }
    return ret;
}

static uint64_t hash_of(const char *key)
{
    (void)goi_self_g(); /* the seed is there once the runtime is */
    return goi_hash_bytes(key, strlen(key), goi_sched.seed);
}

static int ask(const struct request *q, const char *key)
{
    go_single *s = q->s;
    uint64_t hash = hash_of(key);
    go_mutex_lock(&s->mu);
    struct flight *f = find_locked(s, key, hash);
    if (f != NULL) {
        f->waiters++;
        add_rlx(&f->refs, 1);
        go_mutex_unlock(&s->mu);
        return share(q, f);
    }
    f = flight_new(key, hash);
    insert_locked(s, f);
    go_mutex_unlock(&s->mu);
    (void)limit_over(q, 0); /* the call itself has no limit */
    return run(q, f);
}

int go_single_do(go_single *s, const char *key, int (*fn)(void *arg, void **result), void *arg,
                 void **result, bool *shared)
{
    return go_single_do_until(s, key, fn, arg, result, shared, GO_FOREVER);
}

int go_single_do_until(go_single *s, const char *key, int (*fn)(void *arg, void **result),
                       void *arg, void **result, bool *shared, go_time deadline)
{
    const struct request q = {.s = s, .fn = fn, .arg = arg, .result = result, .shared = shared,
                              .limit = {.deadline = deadline}};
    return ask(&q, key);
}

int go_single_do_ctx(struct go_ctx *ctx, go_single *s, const char *key,
                     int (*fn)(void *arg, void **result), void *arg, void **result, bool *shared)
{
    const struct request q = {.s = s, .fn = fn, .arg = arg, .result = result, .shared = shared,
                              .ctx = ctx, .limit = goi_limit_of(ctx)};
    return ask(&q, key);
}

void go_single_forget(go_single *s, const char *key)
{
    go_mutex_lock(&s->mu);
    struct flight *f = find_locked(s, key, hash_of(key));
    if (f != NULL) {
        f->forgotten = true; /* F1 */
        remove_locked(s, f);
    }
    go_mutex_unlock(&s->mu);
}
