/* SPDX-License-Identifier: MIT */
/* GOMAXPROCS goes up and down while goroutines sleep for microseconds and threads send. A P that
 * retires takes its timers along, under locks that a goroutine on its way to sleep may want
 * (park.c, P5). Everybody must go on. */
#include "harness.h"
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <stdatomic.h>

enum { SLEEPERS = 100, CHANGES = 4000, VALUES = 4000 };

static atomic_bool stop;

static void sleeper(int us, go_waitgroup *wg)
{
    defer(wg_done, wg);
    while (!atomic_load(&stop)) {
        go_sleep(us * GO_US);
    }
}

static void *thread_changes(void *arg)
{
    uint32_t x = (uint32_t)(uintptr_t)arg;
    for (long i = 0; i < test_iterations(CHANGES); i++) {
        x = x * 1664525u + 1013904223u;
        go_maxprocs((int)(x >> 20) % 6 + 1);
    }
    return NULL;
}

static void *thread_sends(void *arg)
{
    chan(int) c = arg;
    for (long i = 0; i < test_iterations(VALUES); i++) {
        chan_send(c, 1);
    }
    return NULL;
}

static void take(recv_chan(int) c, go_waitgroup *wg)
{
    defer(wg_done, wg);
    chan_for(v, c) { EXPECT_EQ_INT(v, 1); }
}

TEST(retire, sleepers_and_senders_go_on_while_gomaxprocs_changes)
{
    go_waitgroup wg = { 0 };
    chan(int) c = chan_make(int);
    pthread_t changer[2], sender[2];
    wg_add(&wg, SLEEPERS + 4);
    for (int i = 0; i < SLEEPERS; i++) {
        go(sleeper, 1 + i % 50, &wg);
    }
    for (int i = 0; i < 4; i++) {
        go(take, c, &wg);
    }
    for (uintptr_t i = 0; i < 2; i++) {
        pthread_create(&changer[i], NULL, thread_changes, (void *)(test_seed() + i));
        pthread_create(&sender[i], NULL, thread_sends, (void *)c);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(changer[i], NULL);
        pthread_join(sender[i], NULL);
    }
    chan_close(c);
    atomic_store(&stop, true);
    wg_wait(&wg);
    chan_free(c);
}
