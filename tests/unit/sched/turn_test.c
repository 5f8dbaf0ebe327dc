/* SPDX-License-Identifier: MIT */
/* Turns: on one P, a queue of woken goroutines that never runs empty holds up neither who has not
 * started nor who lies in the global queue, whatever else the P is asked to look at. */
#include "harness.h"
#include "sched/internal.h"
#include <gort.h>
#include <gort/short.h>

enum { RING = 8, STEPS = 100000 };

static chan(int) ring[RING];
static long steps;
static bool ends, over, started, asks;

static void member(int i)
{
    while (!ends) {
        (void)chan_recv(ring[i]);
        (void)chan_recv(ring[i]);
        if (asks) {
            struct m *m = goi_enter();
            goi_ask(m->p);
            goi_leave(m);
        }
        steps++;
        ends = ends || steps >= STEPS;
        chan_send(ring[(i + 1) % RING], 1);
        chan_send(ring[(i + 3) % RING], 1);
    }
    /* Who waits is let go. */
    chan_try_send(ring[(i + 1) % RING], 1);
    chan_try_send(ring[(i + 1) % RING], 1);
}

static void start(void) { started = ends = true; }

static void sleeper(void)
{
    while (!over) {
        go_sleep(2 * GO_US);
    }
}

/* How far the ring gets before a new goroutine starts. */
static long steps_before(void)
{
    go_waitgroup wg = {0};
    ends = started = false;
    for (int i = 0; i < RING; i++) {
        ring[i] = chan_make(int, 64);
        for (int k = 0; k < 5; k++) {
            chan_send(ring[i], 1);
        }
    }
    steps = -RING;
    for (int i = 0; i < RING; i++) {
        wg_go(&wg, member, i);
    }
    while (steps < 0) { /* ends: the ring turns */
        go_yield();
    }
    long before = steps;
    wg_go(&wg, start);
    wg_wait(&wg);
    EXPECT(started);
    for (int i = 0; i < RING; i++) {
        chan_free(ring[i]);
    }
    return steps - before;
}

/* Three turns are 183 picks. Whom the kernel stops for long has the others run beside it: once in
 * ten rounds it does not. */
static void expect_turn(void)
{
    long least = STEPS;
    go_maxprocs(1);
    for (int i = 0; i < 10 && least >= 1000; i++) {
        long n = steps_before();
        least = n < least ? n : least;
    }
    EXPECT_INT(least, <, 1000);
}

TEST(turn, comes_in_spite_of_looks_that_sysmon_asks_for)
{
    asks = true;
    expect_turn();
}

TEST(turn, comes_in_spite_of_timers_that_are_always_due)
{
    go_waitgroup wg = {0};
    wg_go(&wg, sleeper);
    expect_turn();
    over = true;
    wg_wait(&wg);
}
