/* SPDX-License-Identifier: MIT */
/* Condition variable, once and pool. */
#include "conform.h"

/* ---- sync/cond_test.go ---- */

struct room {
    go_mutex m;
    go_cond c;
    bool exit;
    chan(int) awake;
    int running;
};

static struct room make_room(int n)
{
    struct room r = {.awake = chan_make(int, n)};
    return r;
}
static void wait_once(struct room *r, int me)
{
    mutex_lock(&r->m);
    cond_wait(&r->c, &r->m);
    chan_send(r->awake, me);
    mutex_unlock(&r->m);
}
static bool nobody_awake(const struct room *r) { return chan_len(r->awake) == 0; }

CASE(cond, signal_wakes_one, "sync/cond_test.go TestCondSignal")
{
    enum { N = 2 };
    struct room r = make_room(N);
    for (int i = 0; i < N; i++) {
        go(wait_once, &r, i);
    }
    await_parked(N, "sync.Cond.Wait");
    for (int i = 0; i < N; i++) {
        EXPECT(nobody_awake(&r));
        mutex_lock(&r.m);
        cond_signal(&r.c);
        mutex_unlock(&r.m);
        (void)chan_recv(r.awake);
        EXPECT(nobody_awake(&r));
    }
    cond_signal(&r.c);
    await_count(1);
    EXPECT(nobody_awake(&r));
    chan_free(r.awake);
}

CASE(cond, signals_wake_in_the_order_of_waiting, "sync/cond_test.go TestCondSignalGenerations")
{
    enum { N = 100 };
    struct room r = make_room(N);
    for (int i = 0; i < N; i++) {
        go(wait_once, &r, i);
        if (i > 0) {
            int a = chan_recv(r.awake);
            REQUIRE_EQ_INT(a, i - 1);
        }
        await_parked(1, "sync.Cond.Wait");
        mutex_lock(&r.m);
        cond_signal(&r.c);
        mutex_unlock(&r.m);
    }
    EXPECT_EQ_INT(chan_recv(r.awake), N - 1);
    await_count(1);
    chan_free(r.awake);
}

static void wait_until_exit(struct room *r, int me)
{
    mutex_lock(&r->m);
    while (!r->exit) {
        add(&r->running, 1);
        cond_wait(&r->c, &r->m);
        chan_send(r->awake, me);
    }
    mutex_unlock(&r->m);
}

CASE(cond, broadcast_wakes_everybody_once, "sync/cond_test.go TestCondBroadcast")
{
    enum { N = 20 };
    struct room r = make_room(N);
    for (int i = 0; i < N; i++) {
        go(wait_until_exit, &r, i);
    }
    for (int round = 0; round < 5; round++) {
        bool seen[N] = {false};
        while (get(&r.running) < N) {
            go_yield();
        }
        set(&r.running, 0);
        await_parked(N, "sync.Cond.Wait");
        EXPECT(nobody_awake(&r));
        mutex_lock(&r.m);
        r.exit = round == 4;
        cond_broadcast(&r.c);
        mutex_unlock(&r.m);
        for (int i = 0; i < N; i++) {
            int g = chan_recv(r.awake);
            EXPECT(!seen[g]);
            seen[g] = true;
        }
    }
    await_count(1);
    EXPECT_EQ_INT(r.running, 0);
    cond_broadcast(&r.c);
    chan_free(r.awake);
}

struct race {
    go_mutex m;
    go_cond c;
    int x;
};
static void first_racer(struct race *r)
{
    mutex_lock(&r->m);
    r->x = 1;
    cond_wait(&r->c, &r->m);
    EXPECT_EQ_INT(r->x, 2);
    r->x = 3;
    cond_signal(&r->c);
    mutex_unlock(&r->m);
}
static void second_racer(struct race *r)
{
    mutex_lock(&r->m);
    while (r->x != 1) {
        mutex_unlock(&r->m);
        go_yield();
        mutex_lock(&r->m);
    }
    r->x = 2;
    cond_signal(&r->c);
    mutex_unlock(&r->m);
}
static void third_racer(struct race *r)
{
    mutex_lock(&r->m);
    while (r->x != 2 && r->x != 3) {
        mutex_unlock(&r->m);
        go_yield();
        mutex_lock(&r->m);
    }
    if (r->x == 2) {
        cond_wait(&r->c, &r->m);
        EXPECT_EQ_INT(r->x, 3);
    }
    mutex_unlock(&r->m);
}

CASE(cond, relay_of_three, "sync/cond_test.go TestRace")
{
    for (int i = 0; i < 20; i++) {
        struct race r = {.x = 0};
        go_waitgroup wg = {0};
        wg_go(&wg, first_racer, &r);
        wg_go(&wg, second_racer, &r);
        wg_go(&wg, third_racer, &r);
        wg_wait(&wg);
        EXPECT_EQ_INT(r.x, 3);
    }
}

static void wait_and_say(struct room *r)
{
    mutex_lock(&r->m);
    chan_send(r->awake, 0);
    cond_wait(&r->c, &r->m);
    mutex_unlock(&r->m);
    chan_send(r->awake, 1);
}
static void wait_while_running(struct room *r)
{
    mutex_lock(&r->m);
    while (!r->exit) {
        cond_wait(&r->c, &r->m);
    }
    mutex_unlock(&r->m);
}
static void broadcast(struct room *r) { cond_broadcast(&r->c); }

CASE(cond, later_waiter_does_not_steal_the_signal, "sync/cond_test.go TestCondSignalStealing")
{
    for (long i = test_iterations(200); i > 0; i--) {
        struct room r = make_room(0);
        go(wait_and_say, &r);
        (void)chan_recv(r.awake);
        mutex_lock(&r.m);
        mutex_unlock(&r.m);
        go(broadcast, &r);
        go(wait_while_running, &r);
        EXPECT_EQ_INT(chan_recv(r.awake), 1);
        mutex_lock(&r.m);
        r.exit = true;
        mutex_unlock(&r.m);
        cond_broadcast(&r.c);
        await_count(1);
        chan_free(r.awake);
    }
}

static void signal_it(go_cond *c) { cond_signal(c); }

CASE(cond, copy_of_a_used_one_panics, "sync/cond_test.go TestCondCopy")
{
    go_cond c = {0};
    cond_signal(&c);
    go_cond copy = c; // gort:vet ignore copylocks that it is noticed is the test
    EXPECT_EQ_STR(PANIC_OF(signal_it, &copy), "sync.Cond is copied");
}

CASE(cond, signal_and_broadcast_without_waiters, "sync/cond_test.go TestCondSignal")
{
    go_cond c = {0};
    cond_signal(&c);
    cond_broadcast(&c);
}

/* ---- sync/once_test.go, sync/oncefunc_test.go ---- */

static void count_one(int *n) { add(n, 1); }
static void call_once(go_once *o, int *n)
{
    once_call(o, count_one, n);
    EXPECT_EQ_INT(get(n), 1);
}

CASE(once, runs_once_for_all, "sync/once_test.go TestOnce")
{
    go_once o = {0};
    go_waitgroup wg = {0};
    int n = 0;
    for (int i = 0; i < 10; i++) {
        wg_go(&wg, call_once, &o, &n);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(n, 1);
}

static void panic_once(go_once *o) { once_call(o, go_panic, "failed"); }

CASE(once, panic_counts_as_done, "sync/once_test.go TestOncePanic")
{
    go_once o = {0};
    EXPECT_EQ_STR(PANIC_OF(panic_once, &o), "failed");
    once_call(&o, test_fail, __FILE__, __LINE__, "called twice");
}

static void block_once(go_once *o, int *n)
{
    once_do(o) {
        add(n, 1);
    }
}

CASE(once, block_form, "sync/oncefunc_test.go TestOnceFunc")
{
    go_once o = {0};
    go_waitgroup wg = {0};
    int n = 0;
    for (int i = 0; i < 10; i++) {
        wg_go(&wg, block_once, &o, &n);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(n, 1);
}

static int calls;
static int compute(int by) { return add(&calls, 1) + by; }
static int computed(void)
{
    static go_once o;
    static int value;
    return once_value(&o, &value, compute, 41);
}
static void check_computed(void) { EXPECT_EQ_INT(computed(), 42); }

CASE_DIFFERS(once, value_is_computed_once, "sync/oncefunc_test.go TestOnceValue",
             "C has no closures to return: once_value is given the once and where the value is "
             "kept, as statics of a function or as fields")
{
    go_waitgroup wg = {0};
    for (int i = 0; i < 10; i++) {
        wg_go(&wg, check_computed);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 1);
}

static int panic_computing(int *n)
{
    add(n, 1);
    go_panic("x");
}
static void value_that_panics(go_once *o, int *n)
{
    int value;
    (void)once_value(o, &value, panic_computing, n);
}

CASE(once, value_that_panicked_panics_again, "sync/oncefunc_test.go TestOnceValuePanic")
{
    go_once o = {0};
    int n = 0;
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ_STR(PANIC_OF(value_that_panics, &o, &n), "x");
    }
    EXPECT_EQ_INT(n, 1);
}

static void computed_two(int *a, const char **b)
{
    static go_once o;
    static int first;
    static const char *second;
    once_do(&o) {
        first = add(&calls, 1);
        second = "two";
    }
    *a = first;
    *b = second;
}

CASE(once, two_values_are_computed_once, "sync/oncefunc_test.go TestOnceValues")
{
    for (int i = 0; i < 3; i++) {
        int a;
        const char *b;
        computed_two(&a, &b);
        EXPECT_EQ_INT(a, 1);
        EXPECT_EQ_STR(b, "two");
    }
}

static void panic_in_block(go_once *o, int *n)
{
    once_do(o) {
        add(n, 1);
        go_panic("x");
    }
}

CASE_DIFFERS(once, panicking_block_is_not_run_again, "sync/oncefunc_test.go TestOnceFuncPanic",
             "later calls return, as those of Go's Once.Do; what panics again with the same "
             "message is once_value, see once.value_that_panicked_panics_again")
{
    go_once o = {0};
    int n = 0;
    EXPECT_EQ_STR(PANIC_OF(panic_in_block, &o, &n), "x");
    EXPECT_EQ_STR(PANIC_OF(panic_in_block, &o, &n), "");
    EXPECT_EQ_INT(n, 1);
}

static void exit_in_block(go_once *o, int *n)
{
    once_do(o) {
        add(n, 1);
        go_exit();
    }
}

CASE(once, exit_in_the_block_counts_as_done, "sync/oncefunc_test.go TestOnceFuncGoexit")
{
    go_once o = {0};
    go_waitgroup wg = {0};
    int n = 0;
    wg_go(&wg, exit_in_block, &o, &n);
    wg_wait(&wg);
    once_do(&o) {
        FAIL("run again");
    }
    EXPECT_EQ_INT(n, 1);
}

static void slow_once(go_once *o, chan(bool) started, chan(bool) finish, int *n)
{
    once_do(o) {
        chan_send(started, true);
        (void)chan_recv(finish);
        add(n, 1);
    }
}

CASE(once, who_comes_meanwhile_waits_for_the_end, "sync/once_test.go TestOnce")
{
    go_once o = {0};
    chan(bool) started = chan_make(bool);
    chan(bool) finish = chan_make(bool);
    int n = 0;
    go(slow_once, &o, started, finish, &n);
    (void)chan_recv(started);
    for (int i = 0; i < 3; i++) {
        go(call_once, &o, &n);
    }
    await_parked(3, "sync.Mutex.Lock");
    chan_send(finish, true);
    await_count(1);
    EXPECT_EQ_INT(n, 1);
    chan_free(started);
    chan_free(finish);
}

/* ---- sync/pool_test.go ---- */

static int made;
static void *make_number(void)
{
    int *p = (int *)malloc(sizeof *p);
    *p = add(&made, 1);
    return p;
}

CASE(pool, gives_back_what_was_put, "sync/pool_test.go TestPool")
{
    go_pool p = {.make = NULL};
    char a[] = "a";
    char b[] = "b";
    EXPECT_EQ_PTR(pool_get(&p), NULL);
    pool_put(&p, a);
    pool_put(&p, b);
    void *first = pool_get(&p);
    void *second = pool_get(&p);
    EXPECT((first == a && second == b) || (first == b && second == a));
    EXPECT_EQ_PTR(pool_get(&p), NULL);
    pool_clear(&p);
}

CASE(pool, makes_when_empty, "sync/pool_test.go TestPoolNew")
{
    go_pool p = {.make = make_number, .free = free};
    int *one = (int *)pool_get(&p);
    int *two = (int *)pool_get(&p);
    EXPECT_EQ_INT(*one, 1);
    EXPECT_EQ_INT(*two, 2);
    /* Who is moved to another processor in between may get a new one there; not ten times. */
    bool same = false;
    for (int i = 0; i < 10 && !same; i++) {
        int number = *one;
        pool_put(&p, one);
        one = (int *)pool_get(&p);
        same = *one == number;
    }
    EXPECT(same);
    free(one);
    free(two);
    pool_clear(&p);
}

static int freed;
static void free_number(void *p)
{
    add(&freed, 1);
    free(p);
}

CASE_DIFFERS(pool, clear_frees_everything, "sync/pool_test.go TestPoolGC, TestPoolRelease",
             "there is no collector: the pool itself frees what has not been used for one to two "
             "seconds, Go what two collections have found there; a clear frees all at once")
{
    enum { N = 100 };
    go_pool p = {.make = make_number, .free = free_number};
    for (int i = 0; i < N; i++) {
        pool_put(&p, make_number());
    }
    pool_clear(&p);
    EXPECT_EQ_INT(freed, N);
}

static void use_pool(go_pool *p, int n)
{
    for (int i = 0; i < n; i++) {
        int *v = (int *)pool_get(p);
        if (v == NULL) {
            v = (int *)calloc(1, sizeof *v);
        }
        EXPECT_EQ_INT(add(v, 1), 1);
        if (i % 7 == 0) {
            go_yield();
        }
        EXPECT_EQ_INT(add(v, -1), 0);
        pool_put(p, v);
    }
}

CASE(pool, nothing_is_given_to_two, "sync/pool_test.go TestPoolStress")
{
    go_pool p = {.free = free};
    go_waitgroup wg = {0};
    for (int i = 0; i < 10; i++) {
        wg_go(&wg, use_pool, &p, (int)test_iterations(2000));
    }
    wg_wait(&wg);
    pool_clear(&p);
}

static void put_many(go_pool *p, int from, int n)
{
    static char objects[10000];
    for (int i = from; i < from + n; i++) {
        pool_put(p, &objects[i]);
        if (i % 64 == 0) {
            go_yield();
        }
    }
}
static void get_many(go_pool *p, chan(char *) out, int *left)
{
    while (get(left) > 0) {
        char *v = (char *)pool_get(p);
        if (v == NULL) {
            go_yield();
            continue;
        }
        add(left, -1);
        chan_send(out, v);
    }
}

CASE_DIFFERS(pool, everything_put_comes_out_once,
             "sync/pool_test.go TestPoolDequeue, TestPoolChain",
             "Go tests its internal queues; here what they are for is tested through the pool; "
             "where there is a make, one get of 256 in vain looks into the caches of other "
             "processors, in Go each does")
{
    enum { PUTTERS = 4, EACH = 2500 };
    int each = (int)test_iterations(EACH);
    int left = PUTTERS * each;
    go_pool p = {.make = NULL};
    go_waitgroup wg = {0};
    chan(char *) out = chan_make(char *, PUTTERS * EACH + 16);
    for (int i = 0; i < PUTTERS; i++) {
        wg_go(&wg, put_many, &p, i * EACH, each);
        wg_go(&wg, get_many, &p, out, &left);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(chan_len(out), PUTTERS * each);
    chan_close(out);
    chan_for(v, out)
    {
        EXPECT_EQ_INT(*v, 0);
        *v = 1;
    }
    EXPECT_EQ_PTR(pool_get(&p), NULL);
    pool_clear(&p);
    chan_free(out);
}

CASE(pool, without_make_gives_nothing, "sync/pool_test.go TestNilPool")
{
    static go_pool p;
    EXPECT_EQ_PTR(pool_get(&p), NULL);
    pool_clear(&p);
    EXPECT_EQ_PTR(pool_get(&p), NULL);
}

OUTPUT(once, and_cond_in_a_program, "sync/example_test.go ExampleOnce")
{
    static go_once o;
    static struct room r;
    r = make_room(3);
    chan(bool) done = chan_make(bool);
    for (int i = 0; i < 10; i++) {
        go_do(done) {
            once_do(&o) {
                say("Only once\n");
            }
            chan_send(done, true);
        };
    }
    for (int i = 0; i < 10; i++) {
        (void)chan_recv(done);
    }
    for (int i = 0; i < 3; i++) {
        go(wait_once, &r, i);
        await_parked(i + 1, "sync.Cond.Wait");
    }
    for (int i = 0; i < 3; i++) {
        cond_signal(&r.c);
        say("woke %d\n", chan_recv(r.awake));
    }
}
