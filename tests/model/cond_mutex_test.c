/* SPDX-License-Identifier: MIT */
/* Every interleaving of go_cond with the real go_mutex: waiters that a broadcast puts into the
 * mutex' queue get it, in the end, and hold it alone. */
#include "model/real_mutex.h"

#include "sync/cond.c"

static go_cond cond;
static go_mutex mu;
static int owner, waiting, items, left, timeouts;
static goi_a32 scratch;

static void setup(void)
{
    model_reset();
    model_mutex_reset(&mu);
    memset(&cond, 0, sizeof(cond));
    owner = -1;
    waiting = items = left = timeouts = 0;
}

static void setup_first(void)
{
    model_waited = false;
    setup();
    model_waited = true;
}

static void alone(void)
{
    EX_CHECK(owner == -1);
    owner = ex.now;
    st_rlx(&scratch, 1); /* a point at which others may try */
    EX_CHECK(owner == ex.now);
    owner = -1;
}

static void wait_for_it(void)
{
    go_mutex_lock(&mu);
    waiting++;
    while (items == 0) {
        go_cond_wait(&cond, &mu);
        alone();
    }
    left++;
    go_mutex_unlock(&mu);
}

static void wait_until(void)
{
    int r = 0;
    go_mutex_lock(&mu);
    waiting++;
    while (items == 0 && r == 0) {
        r = go_cond_wait_until(&cond, &mu, 1000);
        alone();
    }
    timeouts += r != 0;
    left++;
    go_mutex_unlock(&mu);
}

static bool both_wait(void *arg)
{
    (void)arg;
    return waiting == 2;
}

static void broadcast_inside(void)
{
    ex_block(both_wait, NULL);
    go_mutex_lock(&mu);
    items = 1;
    go_cond_broadcast(&cond);
    alone();
    go_mutex_unlock(&mu);
}

static void broadcast_outside(void)
{
    ex_block(both_wait, NULL);
    go_mutex_lock(&mu);
    items = 1;
    go_mutex_unlock(&mu);
    go_cond_broadcast(&cond);
}

static void lock_once(void)
{
    go_mutex_lock(&mu);
    alone();
    go_mutex_unlock(&mu);
}

static void timer_of_0(void) { model_timer(0); }

static void all_left(void)
{
    model_mutex_idle(&mu);
    EX_CHECK(cond.head == NULL);
    EX_CHECK(cond.count == 0);
    EX_CHECK(left == 2);
}

TEST_LONG(model_cond_mutex, broadcast_hands_the_waiters_to_the_mutex, 120)
{
    const struct ex_program p = {.name = "two wait, a broadcast with the mutex held",
                                 .setup = setup,
                                 .threads = {wait_for_it, wait_for_it, broadcast_inside},
                                 .check = all_left,
                                 .preemptions = 3};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "two wait, a broadcast without it, and a locker",
                                 .setup = setup,
                                 .threads = {wait_for_it, wait_for_it, broadcast_outside,
                                             lock_once},
                                 .check = all_left,
                                 .preemptions = 2};
    EXPECT(ex_explore(&q));
    const struct ex_program r = {.name = "two wait, a broadcast, the mutex' first wait",
                                 .setup = setup_first,
                                 .threads = {wait_for_it, wait_for_it, broadcast_inside},
                                 .check = all_left,
                                 .preemptions = 2,
                                 .store_buffers = true};
    EXPECT(ex_explore(&r));
}

TEST_LONG(model_cond_mutex, adopted_waiters_starve_and_come_late, 120)
{
    const struct ex_program late = {.name = "one of two waits with a deadline",
                                    .setup = setup,
                                    .threads = {wait_until, wait_for_it, broadcast_inside,
                                                timer_of_0},
                                    .daemons = 1 << 3,
                                    .check = all_left,
                                    .preemptions = 2};
    EXPECT(ex_explore(&late));
    model_time_passes = true;
    const struct ex_program starve = {.name = "two wait, a broadcast, a locker, time passes",
                                      .setup = setup,
                                      .threads = {wait_for_it, wait_for_it, broadcast_inside,
                                                  lock_once},
                                      .check = all_left,
                                      .preemptions = 1};
    EXPECT(ex_explore(&starve));
}
