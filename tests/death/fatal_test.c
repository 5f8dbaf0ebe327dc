/* SPDX-License-Identifier: MIT */
/* Misuse that ends the process for good: no go_try stops it, no deferred call runs. */
#include "death.h"
#include "parked.h"
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>

#define IN_MAIN(line)                                                                              \
    "fatal error: " line "\n"                                                                      \
    "\n"                                                                                           \
    "goroutine 1 [running]:\n"                                                                     \
    "body_*(...)\n"                                                                                \
    "\t*fatal_test.c:#\n"                                                                          \
    "...\n"

static void start(void *arg)
{
    if (*(bool *)arg) {
        go_yield(); /* the runtime has met this thread */
    }
}
static void body_mutex(void *arg)
{
    go_mutex mu = {0};
    start(arg);
    mutex_unlock(&mu);
    STAY();
}
static void body_mutex_twice(void *arg)
{
    go_mutex mu = {0};
    start(arg);
    mutex_lock(&mu);
    mutex_unlock(&mu);
    mutex_unlock(&mu);
    STAY();
}
static void body_runlock(void *arg)
{
    go_rwmutex mu = {0};
    start(arg);
    rwmutex_runlock(&mu);
    STAY();
}
static void body_wunlock(void *arg)
{
    go_rwmutex mu = {0};
    start(arg);
    rwmutex_rlock(&mu);
    rwmutex_unlock(&mu);
    STAY();
}
TEST(fatal, unlock_of_unlocked)
{
    for (int i = 0; i < 2; i++) {
        bool met = i == 1;
        EXPECT_DEATH(body_mutex, &met, 2, IN_MAIN("sync: unlock of unlocked mutex"));
        EXPECT_DEATH(body_mutex_twice, &met, 2, IN_MAIN("sync: unlock of unlocked mutex"));
        EXPECT_DEATH(body_runlock, &met, 2, IN_MAIN("sync: RUnlock of unlocked RWMutex"));
        EXPECT_DEATH(body_wunlock, &met, 2, IN_MAIN("sync: Unlock of unlocked RWMutex"));
    }
}

SHOWN static void *thread_unlocks(void *arg)
{
    mutex_unlock(arg);
    STAY();
    return NULL;
}
static void body_thread(void *arg)
{
    static go_mutex mu;
    pthread_t t;
    start(arg);
    pthread_create(&t, NULL, thread_unlocks, &mu);
    pthread_join(t, NULL);
    STAY();
}
TEST(fatal, on_a_thread_that_the_runtime_has_not_met)
{
    bool met = false;
    EXPECT_DEATH(body_thread, &met, 2,
                 "fatal error: sync: unlock of unlocked mutex\n"
                 "\n"
                 "goroutine 2 [running, locked to thread]:\n"
                 "thread_unlocks(...)\n"
                 "\t*fatal_test.c:#\n");
}

static void never(void) { fprintf(stderr, "a deferred call ran\n"); }
SHOWN static void unlocks(void)
{
    go_mutex mu = {0};
    defer(never);
    mutex_unlock(&mu);
}
static void body_caught(void *arg)
{
    (void)arg;
    printf("printed before");
    go_try(NULL, unlocks);
    STAY();
}
TEST(fatal, cannot_be_caught)
{
    struct test_run run;
    test_run_function(&run, 20, body_caught, NULL);
    (void)death_judge(&run, 2,
                      "fatal error: sync: unlock of unlocked mutex\n"
                      "\n"
                      "goroutine 1 [running]:\n"
                      "unlocks(...)\n"
                      "\t*fatal_test.c:#\n"
                      "body_caught(...)\n"
                      "...\n",
                      __FILE__, __LINE__);
    EXPECT_EQ_STR(run.out, "printed before");
    test_run_free(&run);
}

static void body_go_nil(void *arg)
{
    void (*f)(int) = NULL;
    (void)arg;
    go(f, 1);
    STAY();
}
TEST(fatal, go_of_nil)
{
    EXPECT_DEATH(body_go_nil, NULL, 2, IN_MAIN("go of nil func value"));
}

SHOWN static void receives(chan(int) c)
{
    (void)chan_recv(c);
    STAY();
}
static void body_free(void *arg)
{
    chan(int) c = chan_make(int);
    (void)arg;
    go_maxprocs(1);
    go(receives, c);
    parked_await(1, "[chan receive]");
    chan_free(c);
    go_sleep(5 * GO_SEC);
    STAY();
}
TEST(fatal, free_of_a_channel_in_use)
{
    EXPECT_DEATH(body_free, NULL, 2,
                 IN_MAIN("free of channel in use") "\n"
                                                   "goroutine # [chan receive]:\n"
                                                   "receives(...)\n"
                                                   "\t*fatal_test.c:#\n"
                                                   "created by body_free in goroutine 1\n"
                                                   "\t*fatal_test.c:#\n");
}

static chan(int) freed_channel(void)
{
    chan(int) c = chan_make(int, 100); /* large enough to stay as it is when it is freed */
    chan_free(c);
    return c;
}
static void body_send_freed(void *arg)
{
    (void)arg;
    chan_send(freed_channel(), 1);
    STAY();
}
static void body_recv_freed(void *arg)
{
    (void)arg;
    chan_recv(freed_channel());
    STAY();
}
static void body_close_freed(void *arg)
{
    (void)arg;
    chan_close(freed_channel());
    STAY();
}
static void body_free_freed(void *arg)
{
    (void)arg;
    chan_free(freed_channel());
    STAY();
}
/* As far as the memory has not got other contents yet; sanitizers and valgrind know it for sure. */
TEST(fatal, use_of_a_freed_channel)
{
    if (test_under("address") || test_under("thread") || test_under("valgrind")) {
        SKIP("the tool has its own words for it");
    }
    EXPECT_DEATH(body_send_freed, NULL, 2, IN_MAIN("send on freed channel"));
    EXPECT_DEATH(body_recv_freed, NULL, 2, IN_MAIN("receive from freed channel"));
    EXPECT_DEATH(body_close_freed, NULL, 2, IN_MAIN("close of freed channel"));
    EXPECT_DEATH(body_free_freed, NULL, 2, IN_MAIN("free of freed channel"));
}

/* All goroutines are shown: the program as a whole is broken. */
SHOWN static void unlocks_late(go_mutex *mu)
{
    parked_await(1, "goroutine 1 [chan receive]");
    mutex_unlock(mu);
    STAY();
}
static void body_others(void *arg)
{
    static go_mutex mu;
    chan(int) c = chan_make(int);
    (void)arg;
    go(unlocks_late, &mu);
    receives(c);
    STAY();
}
TEST(fatal, shows_the_others_too)
{
    EXPECT_DEATH(body_others, NULL, 2,
                 "fatal error: sync: unlock of unlocked mutex\n"
                 "\n"
                 "goroutine # [running]:\n"
                 "unlocks_late(...)\n"
                 "\t*fatal_test.c:#\n"
                 "created by body_others in goroutine 1\n"
                 "\t*fatal_test.c:#\n"
                 "\n"
                 "goroutine 1 [chan receive]:\n"
                 "receives(...)\n"
                 "\t*fatal_test.c:#\n"
                 "body_others(...)\n"
                 "\t*fatal_test.c:#\n"
                 "...\n");
}
