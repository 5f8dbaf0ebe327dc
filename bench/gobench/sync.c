/* SPDX-License-Identifier: MIT */
/* sync.c: the benchmarks of Go's sync package: mutexes, once, cond, pool. */
#include "gobench.h"

#include <stdlib.h>

/* --- mutex */

static void mutex_alone(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    struct {
        go_mutex mu;
        char pad[128];
    } m = { 0 };
    GOBENCH_EACH(pb) {
        go_mutex_lock(&m.mu);
        go_mutex_unlock(&m.mu);
    }
}

static void mutex_uncontended(struct gobench *b)
{
    gobench_parallel(b, mutex_alone, NULL);
}

struct shared {
    go_mutex mu;
    long work;
};

static void mutex_body(struct gobench_pb *pb, void *arg)
{
    struct shared *s = arg;
    uint64_t foo = 1;
    GOBENCH_EACH(pb) {
        go_mutex_lock(&s->mu);
        go_mutex_unlock(&s->mu);
        foo = s->work > 0 ? gobench_work(foo, s->work) : foo;
    }
    if (foo == 0) {
        gobench_fail("mutex: work undone");
    }
}

/* Slack: ten goroutines for each P. Work: some outside the lock. */
static void mutex(struct gobench *b)
{
    struct shared s = { .work = b->arg[1] };
    b->parallelism = b->arg[0] ? 10 : 1;
    gobench_parallel(b, mutex_body, &s);
}

struct accounts {
    go_mutex mu;
    uint64_t a, b;
};

static void move(struct accounts *s)
{
    go_mutex_lock(&s->mu);
    s->a -= 100;
    s->b += 100;
    go_mutex_unlock(&s->mu);
}

static void touch(volatile uint64_t *data, size_t count)
{
    for (size_t i = 0; i < count; i += 4) {
        data[i]++;
    }
}

static void say(go_chan(bool) c)
{
    go_chan_send(c, true);
}

/* Too many goroutines for spinning to help; most give way in between. */
static void no_spin_body(struct gobench_pb *pb, void *arg)
{
    enum { SIZE = 4 << 10 };
    uint64_t *data = gobench_alloc(SIZE, sizeof(*data));
    go_chan(bool) c = go_chan_make(bool);
    for (long i = 0; gobench_next(pb); i++) {
        if (i % 4 == 0) {
            move(arg);
        } else {
            touch(data, SIZE);
            go_spawn(say, c);
            go_chan_recv(c);
        }
    }
    go_chan_free(c);
    free(data);
}

static void mutex_no_spin(struct gobench *b)
{
    struct accounts s = { 0 };
    b->parallelism = 4;
    gobench_parallel(b, no_spin_body, &s);
}

/* One goroutine for each P with much data of its own, which a switch would cost. */
static void spin_body(struct gobench_pb *pb, void *arg)
{
    enum { SIZE = 16 << 10 };
    uint64_t *data = gobench_alloc(SIZE, sizeof(*data));
    GOBENCH_EACH(pb) {
        move(arg);
        touch(data, SIZE);
    }
    free(data);
}

static void mutex_spin(struct gobench *b)
{
    struct accounts s = { 0 };
    gobench_parallel(b, spin_body, &s);
}

/* --- reader/writer mutex */

static void rwmutex_alone(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    struct {
        go_rwmutex mu;
        char pad[128];
    } m = { 0 };
    GOBENCH_EACH(pb) {
        go_rwmutex_rlock(&m.mu);
        go_rwmutex_rlock(&m.mu);
        go_rwmutex_runlock(&m.mu);
        go_rwmutex_runlock(&m.mu);
        go_rwmutex_lock(&m.mu);
        go_rwmutex_unlock(&m.mu);
    }
}

static void rwmutex_uncontended(struct gobench *b)
{
    gobench_parallel(b, rwmutex_alone, NULL);
}

struct guarded {
    go_rwmutex mu;
    long work, ratio;
};

static void rwmutex_body(struct gobench_pb *pb, void *arg)
{
    struct guarded *s = arg;
    uint64_t foo = 1;
    for (long i = 1; gobench_next(pb); i++) {
        if (i % s->ratio == 0) {
            go_rwmutex_lock(&s->mu);
            go_rwmutex_unlock(&s->mu);
        } else {
            go_rwmutex_rlock(&s->mu);
            foo = s->work > 0 ? gobench_work(foo, s->work) : foo;
            go_rwmutex_runlock(&s->mu);
        }
    }
    if (foo == 0) {
        gobench_fail("rwmutex: work undone");
    }
}

/* One operation in arg[0] writes; the others work under the read lock. */
static void rwmutex(struct gobench *b)
{
    struct guarded s = { .ratio = b->arg[0], .work = b->arg[1] };
    gobench_parallel(b, rwmutex_body, &s);
}

/* --- once */

static void once_body(struct gobench_pb *pb, void *arg)
{
    go_once *once = arg;
    long ran = 0;
    GOBENCH_EACH(pb) {
        go_once_do(once) {
            ran++;
        }
    }
    if (ran > 1) {
        gobench_fail("once: ran again");
    }
}

static void once(struct gobench *b)
{
    go_once o = { 0 };
    gobench_parallel(b, once_body, &o);
}

static int answer(void)
{
    return 42;
}

static void once_value(struct gobench *b)
{
    static go_once once;
    static int value;
    for (long i = 0; i < b->n; i++) {
        if (go_once_value(&once, &value, answer) != 42) {
            gobench_fail("once_value: another value");
        }
    }
}

/* --- condition variable */

struct barrier {
    go_mutex mu;
    go_cond changed;
    long id, waiters, n;
};

static void meet(struct barrier *s)
{
    for (long i = 0; i < s->n; i++) {
        go_mutex_lock(&s->mu);
        if (s->id == -1) {
            go_mutex_unlock(&s->mu);
            break;
        }
        s->id++;
        if (s->id == s->waiters + 1) {
            s->id = 0;
            go_cond_broadcast(&s->changed);
        } else {
            go_cond_wait(&s->changed, &s->mu);
        }
        go_mutex_unlock(&s->mu);
    }
    go_mutex_lock(&s->mu);
    s->id = -1;
    go_cond_broadcast(&s->changed);
    go_mutex_unlock(&s->mu);
}

/* arg[0] goroutines wait, the last one to come wakes all. */
static void cond(struct gobench *b)
{
    struct barrier s = { .waiters = b->arg[0], .n = b->n };
    go_waitgroup wg = { 0 };
    for (long i = 0; i <= s.waiters; i++) {
        go_wg_go(&wg, meet, &s);
    }
    go_wg_wait(&wg);
}

/* --- pool */

static char object;

struct pool_run {
    go_pool pool;
    long puts, gets;
};

static void pool_body(struct gobench_pb *pb, void *arg)
{
    struct pool_run *s = arg;
    GOBENCH_EACH(pb) {
        for (long i = 0; i < s->puts; i++) {
            go_pool_put(&s->pool, &object);
        }
        for (long i = 0; i < s->gets; i++) {
            go_pool_get(&s->pool);
        }
    }
}

/* The operation: puts arg[0], gets arg[1]. */
static void pool(struct gobench *b)
{
    struct pool_run s = { .puts = b->arg[0], .gets = b->arg[1] };
    gobench_parallel(b, pool_body, &s);
    gobench_stop(b);
    go_pool_clear(&s.pool);
}

const struct gobench_row gobench_sync[] = {
    { "MutexUncontended", mutex_uncontended, { 0 } },
    { "Mutex", mutex, { 0, 0 } },
    { "MutexSlack", mutex, { 1, 0 } },
    { "MutexWork", mutex, { 0, 100 } },
    { "MutexWorkSlack", mutex, { 1, 100 } },
    { "MutexNoSpin", mutex_no_spin, { 0 } },
    { "MutexSpin", mutex_spin, { 0 } },
    { "RWMutexUncontended", rwmutex_uncontended, { 0 } },
    { "RWMutexWrite100", rwmutex, { 100, 0 } },
    { "RWMutexWrite10", rwmutex, { 10, 0 } },
    { "RWMutexWorkWrite100", rwmutex, { 100, 100 } },
    { "RWMutexWorkWrite10", rwmutex, { 10, 100 } },
    { "Once", once, { 0 } },
    { "OnceValue", once_value, { 0 } },
    { "Cond1", cond, { 1 } },
    { "Cond2", cond, { 2 } },
    { "Cond4", cond, { 4 } },
    { "Cond8", cond, { 8 } },
    { "Cond16", cond, { 16 } },
    { "Cond32", cond, { 32 } },
    { "Pool", pool, { 1, 1 } },
    { "PoolOverflow", pool, { 100, 100 } },
    { "PoolStarvation", pool, { 67, 100 } },
    { NULL, NULL, { 0 } },
};
