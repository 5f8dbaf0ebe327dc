/* SPDX-License-Identifier: MIT */
/* go_pool: what comes back, what is made, and what happens to what nobody wants. The file is
 * compiled into the test, with a trimmer that looks more often. */
#include "unit/sync/parked.h"
#include <pthread.h>
#include <stdlib.h>

#define GOI_POOL_INTERVAL (5 * GO_MS)
#define go_pool_get pool_under_test_get
#define go_pool_put pool_under_test_put
#define go_pool_clear pool_under_test_clear
void *go_pool_get(go_pool *p);
void go_pool_put(go_pool *p, void *object);
void go_pool_clear(go_pool *p);
#include "sync/pool.c"

static goi_a32 made, freed;

static void *make_object(void)
{
    add_rlx(&made, 1);
    return calloc(1, sizeof(goi_a32));
}

static void free_object(void *object)
{
    add_rlx(&freed, 1);
    free(object);
}

TEST(pool, gives_back_what_was_put)
{
    go_pool p = {0};
    int a = 0;
    int b = 0;
    EXPECT_EQ_PTR(pool_get(&p), NULL);
    pool_put(&p, NULL);
    EXPECT_EQ_PTR(pool_get(&p), NULL);
    go_maxprocs(1);
    pool_put(&p, &a);
    pool_put(&p, &b);
    EXPECT_EQ_PTR(pool_get(&p), &b); /* the last is the warmest */
    EXPECT_EQ_PTR(pool_get(&p), &a);
    EXPECT_EQ_PTR(pool_get(&p), NULL);
    pool_clear(&p);
}

TEST(pool, makes_what_it_does_not_have)
{
    go_pool p = {.make = make_object};
    go_maxprocs(1);
    void *a = pool_get(&p);
    EXPECT(a != NULL);
    pool_put(&p, a);
    EXPECT_EQ_PTR(pool_get(&p), a);
    EXPECT_EQ_UINT(ld_rlx(&made), 1);
    free(a);
    pool_clear(&p);
}

static void put_one(go_pool *p, go_waitgroup *wg)
{
    static int object;
    pool_put(p, &object);
    wg_done(wg);
}

/* What lies with a P that has nothing to do is found by who goes on asking. */
TEST(pool, finds_what_lies_with_an_idle_p)
{
    go_pool p = {0};
    go_maxprocs(4);
    for (int i = 0; i < 4; i++) {
        go_waitgroup wg = {0};
        wg_add(&wg, 1);
        go(put_one, &p, &wg);
        while (go_pool_get(&p) == NULL) { /* ends: after PATIENCE requests */
            go_yield();
        }
        wg_wait(&wg);
    }
    EXPECT_EQ_PTR(pool_get(&p), NULL);
    pool_clear(&p);
}

TEST(pool, holds_as_many_as_are_put)
{
    enum { N = 1000 };
    static char object[N];
    static bool seen[N];
    go_pool p = {0};
    go_maxprocs(1);
    for (int i = 0; i < N; i++) {
        pool_put(&p, &object[i]);
    }
    for (int i = 0; i < N; i++) {
        char *o = pool_get(&p);
        REQUIRE(o != NULL);
        EXPECT(!seen[o - object]);
        seen[o - object] = true;
    }
    EXPECT_EQ_PTR(pool_get(&p), NULL);
    pool_clear(&p);
}

/* What lies with a P that is busy is found by another one. */
static goi_a32 stored, let_go;

static void store_and_compute(go_pool *p, void *object)
{
    pool_put(p, object);
    st_rel(&stored, 1);
    while (ld_acq(&let_go) == 0) { /* ends: main has looked */
    }
}

TEST(pool, objects_of_a_busy_p_are_found)
{
    static char object;
    go_pool p = {0};
    go_maxprocs(2);
    pool_put(&p, &object);
    EXPECT_EQ_PTR(pool_get(&p), &object);
    st_rlx(&stored, 0);
    st_rlx(&let_go, 0);
    go(store_and_compute, &p, (void *)&object);
    while (ld_acq(&stored) == 0) {
        go_yield(); /* it runs on the other P, or first on this one */
    }
    EXPECT_EQ_PTR(pool_get(&p), &object);
    EXPECT_EQ_PTR(pool_get(&p), NULL);
    st_rel(&let_go, 1);
    parked_alone();
    pool_clear(&p);
}

TEST(pool, clear_frees_everything_and_the_pool_can_be_used_again)
{
    go_pool p = {.make = make_object, .free = free_object};
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < 100; i++) {
            pool_put(&p, make_object());
        }
        pool_clear(&p);
        pool_clear(&p);
        EXPECT_EQ_PTR(p.impl, NULL);
    }
    parked_alone();
    EXPECT_EQ_UINT(ld_rlx(&made), 300);
    EXPECT_EQ_UINT(ld_rlx(&freed), 300);
}

TEST(pool, idle_objects_are_freed_and_the_trimmer_stops)
{
    go_pool p = {.make = make_object, .free = free_object};
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < 100; i++) {
            pool_put(&p, make_object());
        }
        while (ld_rlx(&freed) != 100u * (unsigned)round) { /* ends: or the test's time does */
            go_sleep(GO_MS);
        }
        struct pool *s = p.impl;
        while (ld_rlx(&s->trimming) != 0) { /* ends: nothing is left to look after */
            go_sleep(GO_MS);
        }
    }
    parked_alone();
    pool_clear(&p);
}

/* A clear waits for the `.free` that the trimmer is in. */
static go_chan(int) gate;
static goi_a32 freeing;

static void free_slowly(void *object)
{
    st_rel(&freeing, 1);
    (void)chan_recv(gate);
    free_object(object);
}

static void open_gate(void)
{
    parked_await(GOI_WAIT_MUTEX, 1);
    chan_send(gate, 1);
}

TEST(pool, clear_waits_for_who_frees)
{
    go_pool p = {.free = free_slowly};
    gate = chan_make(int);
    pool_put(&p, make_object());
    while (ld_acq(&freeing) == 0) { /* ends: the trimmer comes */
        go_sleep(GO_MS);
    }
    go(open_gate);
    pool_clear(&p);
    EXPECT_EQ_UINT(ld_rlx(&freed), 1);
    parked_alone();
    chan_free(gate);
}

TEST(pool, objects_in_use_again_and_again_are_kept)
{
    go_pool p = {.make = make_object, .free = free_object};
    go_maxprocs(1);
    void *last = pool_get(&p);
    go_time until = go_now() + 30 * GO_MS;
    unsigned lost = 0;
    while (go_now() < until) {
        go_time since = go_now();
        pool_put(&p, last);
        void *o = pool_get(&p);
        if (o != last) { /* only a machine that stopped us for so long lets it seem idle */
            EXPECT_INT(go_since(since), >=, GOI_POOL_INTERVAL);
            lost++;
        }
        last = o;
        go_yield();
    }
    EXPECT_EQ_UINT(ld_rlx(&made), 1 + lost);
    pool_put(&p, last);
    pool_clear(&p);
    parked_alone();
    EXPECT_EQ_UINT(ld_rlx(&made), ld_rlx(&freed));
}

/* Each object is with one user at a time, whoever runs where. */
static void hammer(go_pool *p, long times, go_waitgroup *wg)
{
    goi_a32 *held[3] = {NULL};
    for (long i = 0; i < times; i++) {
        for (int k = 0; k < 3; k++) {
            held[k] = pool_get(p);
            if (xchg_acq(held[k], 1) != 0) {
                FAIL("an object was given twice");
            }
        }
        if (i % 16 == 0) {
            go_yield();
        }
        for (int k = 0; k < 3; k++) {
            st_rel(held[k], 0);
            pool_put(p, held[k]);
        }
    }
    wg_done(wg);
}

static void *thread_hammer(void *arg)
{
    go_waitgroup wg = {0};
    wg_add(&wg, 1);
    hammer(arg, test_iterations(2000), &wg);
    return NULL;
}

TEST(pool, object_is_given_to_one_at_a_time)
{
    go_pool p = {.make = make_object, .free = free_object};
    go_waitgroup wg = {0};
    pthread_t thread;
    wg_add(&wg, 12);
    for (int i = 0; i < 12; i++) {
        go(hammer, &p, test_iterations(4000), &wg);
    }
    pthread_create(&thread, NULL, thread_hammer, &p);
    wg_wait(&wg);
    pthread_join(thread, NULL);
    pool_clear(&p);
    parked_alone();
    EXPECT_EQ_UINT(ld_rlx(&made), ld_rlx(&freed));
}

/* One P puts, the other gets: the objects find their way. */
static void put_all(go_pool *p, chan(int) turn)
{
    for (int i = 0; i < 100; i++) {
        pool_put(p, make_object());
    }
    chan_send(turn, 1);
}

TEST(pool, what_one_puts_another_gets)
{
    go_pool p = {.make = make_object, .free = free_object};
    chan(int) turn = chan_make(int);
    go_lock_thread();
    go(put_all, &p, turn);
    (void)chan_recv(turn);
    for (int i = 0; i < 50; i++) {
        free_object(pool_get(&p));
    }
    EXPECT_INT(ld_rlx(&made), <=, 150);
    go_unlock_thread();
    pool_clear(&p);
    chan_free(turn);
    parked_alone();
    EXPECT_EQ_UINT(ld_rlx(&made), ld_rlx(&freed));
}

static go_pool outer = {.make = make_object, .free = free_object};

static void free_to_outer(void *object) { pool_put(&outer, object); }
static void *make_from_outer(void) { return pool_get(&outer); }

TEST(pool, functions_may_use_other_pools)
{
    go_pool inner = {.make = make_from_outer, .free = free_to_outer};
    for (int i = 0; i < 50; i++) {
        pool_put(&inner, pool_get(&inner));
    }
    for (int i = 0; i < 50; i++) {
        pool_put(&inner, make_object());
    }
    pool_clear(&inner);
    parked_alone();
    pool_clear(&outer);
    parked_alone();
    EXPECT_EQ_UINT(ld_rlx(&made), ld_rlx(&freed));
}

/* More Ps than there were when the pool began. */
TEST(pool, grows_with_the_processors)
{
    go_pool p = {.make = make_object, .free = free_object};
    go_maxprocs(1);
    pool_put(&p, pool_get(&p));
    go_maxprocs(8);
    go_waitgroup wg = {0};
    wg_add(&wg, 16);
    for (int i = 0; i < 16; i++) {
        go(hammer, &p, test_iterations(1000), &wg);
    }
    wg_wait(&wg);
    go_maxprocs(2);
    pool_clear(&p);
    parked_alone();
    EXPECT_EQ_UINT(ld_rlx(&made), ld_rlx(&freed));
}
