/* SPDX-License-Identifier: MIT */
/* Every interleaving of go_cond: no lost signal, deadlines that pass their signal on, a condition
 * variable that is freed after the broadcast. The mutex is a spin lock here. */
#include "model/sync.h"
#include "model/spin_mutex.h"

#include "sync/cond.c"

static go_cond cond;
static go_mutex mu;
static int items, taken, waiting, timeouts;

static void setup(void)
{
    model_reset();
    memset(&cond, 0, sizeof(cond));
    memset(&mu, 0, sizeof(mu));
    items = taken = waiting = timeouts = 0;
}

static void idle(void)
{
    EX_CHECK(mu.state == 0);
    EX_CHECK(cond.head == NULL);
    EX_CHECK(cond.lock == 0);
    EX_CHECK(cond.count == 0);
}

static void take(void)
{
    go_mutex_lock(&mu);
    waiting++;
    while (items == 0) {
        go_cond_wait(&cond, &mu);
    }
    items--;
    taken++;
    go_mutex_unlock(&mu);
}

static void put(void)
{
    go_mutex_lock(&mu);
    items++;
    go_mutex_unlock(&mu);
    go_cond_signal(&cond);
}

static void put_two(void)
{
    put();
    put();
}

/* Takes and puts back, or is late. */
static void borrow(void)
{
    int r = 0;
    go_mutex_lock(&mu);
    while (items == 0 && r == 0) {
        r = go_cond_wait_until(&cond, &mu, 1000);
    }
    if (items == 0) {
        EX_CHECK(r == -ETIMEDOUT);
        timeouts++;
    } else if (r == 0) {
        go_cond_signal(&cond); /* the item stays for the next */
    }
    go_mutex_unlock(&mu);
}

static void timer_of_0(void) { model_timer(0); }

static void taken_2(void)
{
    idle();
    EX_CHECK(taken == 2);
}

TEST_LONG(model_cond, signal_is_never_lost, 120)
{
    const struct ex_program p = {.name = "two take, one puts twice",
                                 .setup = setup,
                                 .threads = {take, take, put_two},
                                 .check = taken_2,
                                 .preemptions = 3};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "two take, two put",
                                 .setup = setup,
                                 .threads = {take, take, put, put},
                                 .check = taken_2,
                                 .preemptions = 2};
    EXPECT(ex_explore(&q));
}

TEST_LONG(model_cond, late_waiter_does_not_swallow_a_signal, 120)
{
    const struct ex_program p = {.name = "one borrows with a deadline, one takes, one puts",
                                 .setup = setup,
                                 .threads = {borrow, take, put, timer_of_0},
                                 .daemons = 1 << 3,
                                 .check = idle,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
}

/* N3: nobody looks at the condition variable after it has been told of the end. */
static void leave(void)
{
    go_mutex_lock(&mu);
    waiting++;
    while (items == 0) {
        go_cond_wait(&cond, &mu);
    }
    go_mutex_unlock(&mu);
}

static bool both_wait(void *arg)
{
    (void)arg;
    return waiting == 2;
}

static void end(void)
{
    ex_block(both_wait, NULL);
    go_mutex_lock(&mu);
    items = 1;
    go_cond_broadcast(&cond);
    ex_freed(&cond, sizeof(cond));
    go_mutex_unlock(&mu);
}

TEST_LONG(model_cond, broadcaster_may_free_it, 120)
{
    const struct ex_program p = {.name = "two wait, one broadcasts and frees",
                                 .setup = setup,
                                 .threads = {leave, leave, end},
                                 .preemptions = 3};
    EXPECT(ex_explore(&p));
}
