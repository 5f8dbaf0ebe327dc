/* SPDX-License-Identifier: MIT */
/* Goroutines that hibernate while others wake them, write into their stacks, and stop the world. */
#include "stack/hibernate.h"
#include "stress/stress.h"
#include <pthread.h>

static void begin(void)
{
    int error;
    if (test_under("valgrind") || test_under("address") || test_under("thread")) {
        SKIP("goroutines do not hibernate under a tool");
    }
    go_hibernate_after(10 * GO_MS);
    if (goi_hibernate_open(&error) != NULL) {
        SKIP("hibernation does not work here");
    }
}

static struct goi_hibernate_stats stats(void)
{
    struct goi_hibernate_stats s;
    goi_hibernate_stats(&s);
    return s;
}

/* --- variables on parked stacks that threads and goroutines count in */

enum { LENDERS = 200 };
static long *lent[LENDERS];
static long lenders, counted, found;
static bool over;

static void lend(int i, recv_chan(char) gate, go_waitgroup *wg)
{
    long mine[4] = {0};
    lent[i] = &mine[i % 4];
    stress_add(&lenders, 1);
    chan_recv(gate);
    stress_add(&found, mine[0] + mine[1] + mine[2] + mine[3]);
    wg_done(wg);
}

/* Bursts, so that there is time to hibernate in between. */
static void count(long who, void (*pause)(go_duration))
{
    struct stress_rand r = stress_rand(who);
    long n = 0;
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        for (long k = stress_between(&r, 1, 50); k > 0; k--) {
            stress_add(lent[stress_below(&r, LENDERS)], 1);
            n++;
        }
        pause(stress_below(&r, 1000) * GO_US);
    }
    stress_add(&counted, n);
}

static void thread_pause(go_duration d)
{
    struct timespec t = {.tv_nsec = d};
    nanosleep(&t, NULL);
}

static void *count_in_thread(void *arg)
{
    count((long)(intptr_t)arg, thread_pause);
    return NULL;
}

static void count_here(long who, go_waitgroup *wg)
{
    count(who, go_sleep);
    wg_done(wg);
}

TEST(hibernate, no_write_into_a_parked_stack_is_lost)
{
    begin();
    chan(char) gate = chan_make(char);
    go_waitgroup wg = {0}, counters = {0};
    pthread_t t[2];
    wg_add(&wg, LENDERS);
    for (int i = 0; i < LENDERS; i++) {
        go(lend, i, gate, &wg);
    }
    while (stress_get(&lenders) < LENDERS) {
        go_yield();
    }
    for (long i = 0; i < 2; i++) {
        REQUIRE_EQ_INT(pthread_create(&t[i], NULL, count_in_thread, (void *)(intptr_t)(i + 1)), 0);
        wg_add(&counters, 1);
        go(count_here, 10 + i, &counters);
    }
    while (stats().stored_ever < 4 * LENDERS) {
        go_sleep(GO_MS);
    }
    __atomic_store_n(&over, true, __ATOMIC_RELEASE);
    wg_wait(&counters);
    for (int i = 0; i < 2; i++) {
        pthread_join(t[i], NULL);
    }
    chan_close(gate);
    wg_wait(&wg);
    EXPECT_EQ_INT(found, counted);
    chan_free(gate);
}

/* --- all ways to wake, at any moment */

enum { PEOPLE = 300, VISITS = 6 };

struct hall {
    chan(long) door;
    go_mutex mu;
    go_cond cond;
    long turn;
};

static void visit(struct hall *h, struct stress_rand *r, long i)
{
    volatile long mine[16];
    for (int k = 0; k < 16; k++) {
        mine[k] = i * 100 + k;
    }
    switch (stress_below(r, 4)) {
    case 0:
        chan_send(h->door, i);
        break;
    case 1:
        go_sleep(stress_between(r, 1, 40) * GO_MS);
        break;
    case 2:
        mutex_lock(&h->mu);
        go_sleep(stress_below(r, 100) * GO_US);
        mutex_unlock(&h->mu);
        break;
    default:
        mutex_lock(&h->mu);
        long turn = h->turn;
        while (h->turn == turn) {
            cond_wait(&h->cond, &h->mu);
        }
        mutex_unlock(&h->mu);
        break;
    }
    for (int k = 0; k < 16; k++) {
        stress_add(&found, mine[k] == i * 100 + k ? 1 : 1000000);
    }
}

static void person(struct hall *h, long i, go_waitgroup *wg)
{
    struct stress_rand r = stress_rand(i);
    for (int k = 0; k < VISITS; k++) {
        visit(h, &r, i);
    }
    wg_done(wg);
}

/* Lets a crowd gather, then wakes some of it. */
static void porter(struct hall *h)
{
    struct stress_rand r = stress_rand(PEOPLE);
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        go_sleep(stress_between(&r, 1, 30) * GO_MS);
        long who;
        for (long n = stress_below(&r, PEOPLE); n > 0 && chan_try_recv(h->door, &who); n--) {
        }
        mutex_lock(&h->mu);
        h->turn++;
        cond_broadcast(&h->cond);
        mutex_unlock(&h->mu);
        if (stress_below(&r, 10) == 0) {
            go_maxprocs((int)stress_between(&r, 1, 4));
        }
    }
}

TEST(hibernate, everybody_is_woken_whatever_they_wait_for)
{
    begin();
    struct hall h = {.door = chan_make(long)};
    long visits = 0;
    do { /* ends: who puts them to sleep gets a processor, too */
        go_waitgroup wg = {0}, last = {0};
        __atomic_store_n(&over, false, __ATOMIC_RELAXED);
        wg_add(&wg, PEOPLE);
        wg_add(&last, 1);
        for (long i = 0; i < PEOPLE; i++) {
            go(person, &h, i, &wg);
        }
        wg_go(&last, porter, &h);
        wg_wait(&wg);
        __atomic_store_n(&over, true, __ATOMIC_RELEASE);
        wg_done(&last);
        wg_wait(&last);
        visits += (long)PEOPLE * VISITS;
    } while (stats().stored_ever == 0);
    EXPECT_EQ_INT(found, visits * 16);
    chan_free(h.door);
}

/* --- very many. GORT_TEST_HIBERNATE=1000000 for as many as one likes. */

static void wait_at(recv_chan(char) gate, go_waitgroup *wg)
{
    stress_add(&lenders, 1);
    chan_recv(gate);
    stress_add(&found, 1);
    wg_done(wg);
}

TEST_LONG(hibernate, very_many_are_small_and_wake_at_once, 60)
{
    const char *text = getenv("GORT_TEST_HIBERNATE");
    long n = text != NULL ? atol(text) : 10000;
    begin();
    chan(char) gate = chan_make(char);
    go_waitgroup wg = {0};
    for (long i = 0; i < n; i++) {
        wg_add(&wg, 1);
        go(wait_at, gate, &wg);
    }
    while (stats().stored < (uint64_t)n) {
        go_sleep(GO_MS);
    }
    EXPECT_UINT(stats().bytes, <, 800 * (uint64_t)n); /* without optimisation; 250 with it */
    chan_close(gate);
    wg_wait(&wg);
    EXPECT_EQ_INT(found, n);
    chan_free(gate);
}
