/* SPDX-License-Identifier: MIT */
/* Every interleaving of go_waitgroup's end: several dones, several waits, deadlines, a waiter that
 * frees the group as soon as it returns. */
#include "model/sync.h"

#include "sync/waitgroup.c"

/* The header's inline paths with the explorer's atomics. */
static void model_wg_add(go_waitgroup *g, int n)
{
    uint64_t change = (uint64_t)(uint32_t)n << 32;
    uint64_t s = add_acqrel(goi_word64(&g->state), change) + change;
    if (counter(s) < 0 || (s & WAITERS) != 0) {
        goi_wg_added(g, n, s);
    }
}

static void model_wg_done(go_waitgroup *g) { model_wg_add(g, -1); }

static void model_wg_wait(go_waitgroup *g)
{
    uint64_t s = ld_acq(goi_word64(&g->state));
    if (counter(s) != 0 || (s & WAITERS) != 0) {
        goi_wg_wait_slow(g);
    }
}
#define go_wg_add model_wg_add
#define go_wg_done model_wg_done
#define go_wg_wait model_wg_wait

static go_waitgroup wg;
static int done, timeouts, waited;

static void setup_2(void)
{
    model_reset();
    memset(&wg, 0, sizeof(wg));
    wg.state = (uint64_t)2 << 32;
    done = timeouts = waited = 0;
}

static void idle(void)
{
    EX_CHECK(wg.state == 0);
    EX_CHECK(wg.head == NULL);
}

static void finish(void)
{
    done++;
    go_wg_done(&wg);
}

static void finish_both(void)
{
    finish();
    finish();
}

static void wait_all(void)
{
    go_wg_wait(&wg);
    EX_CHECK(done == 2);
    waited++;
}

static void wait_and_free(void)
{
    go_wg_wait(&wg);
    EX_CHECK(done == 2);
    ex_freed(&wg, sizeof(wg));
}

static void wait_late(void)
{
    int r = go_wg_wait_until(&wg, 1000);
    if (r == 0) {
        EX_CHECK(done == 2);
    } else {
        EX_CHECK(r == -ETIMEDOUT);
        timeouts++;
    }
}

/* G1: late once, then patient, then the memory goes. */
static void wait_late_then_free(void)
{
    if (go_wg_wait_until(&wg, 1000) != 0) {
        timeouts++;
        go_wg_wait(&wg);
    }
    EX_CHECK(done == 2);
    ex_freed(&wg, sizeof(wg));
}

/* G4: who saw zero frees the group, while others who wait, or were late, have not run yet. */
static bool listed(void *arg)
{
    (void)arg;
    return timeouts != 0 || (wg.head != NULL && (wg.state & QUEUE) == 0);
}

static void finish_both_wait_and_free(void)
{
    ex_block(listed, NULL);
    finish_both();
    wait_and_free();
}

static void timer_of_0(void) { model_timer(0); }

static void waited_2(void)
{
    idle();
    EX_CHECK(waited == 2);
}

TEST_LONG(model_waitgroup, all_waiters_return_after_the_last_done, 120)
{
    const struct ex_program p = {.name = "two dones, two waits",
                                 .setup = setup_2,
                                 .threads = {wait_all, wait_all, finish, finish},
                                 .check = waited_2,
                                 .preemptions = 3};
    EXPECT(ex_explore(&p));
}

TEST_LONG(model_waitgroup, waiter_may_free_it, 120)
{
    const struct ex_program p = {.name = "two dones, a wait that frees",
                                 .setup = setup_2,
                                 .threads = {wait_and_free, finish, finish},
                                 .preemptions = 5};
    EXPECT(ex_explore(&p));
}

TEST_LONG(model_waitgroup, deadline_leaves_no_trace, 120)
{
    const struct ex_program p = {.name = "a wait with a deadline beside one without",
                                 .setup = setup_2,
                                 .threads = {wait_late, wait_all, finish_both, timer_of_0},
                                 .daemons = 1 << 3,
                                 .check = idle,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
}

TEST_LONG(model_waitgroup, late_waiter_does_not_free_under_the_releaser, 120)
{
    const struct ex_program p = {.name = "a wait that was late, again, and frees",
                                 .setup = setup_2,
                                 .threads = {wait_late_then_free, finish_both, timer_of_0},
                                 .daemons = 1 << 2,
                                 .preemptions = 5};
    EXPECT(ex_explore(&p));
}

TEST_LONG(model_waitgroup, memory_may_go_while_released_waiters_have_not_run, 120)
{
    const struct ex_program p = {.name = "a wait that was released, beside one that frees",
                                 .setup = setup_2,
                                 .threads = {wait_all, finish_both_wait_and_free},
                                 .preemptions = 5};
    EXPECT(ex_explore(&p));
}

TEST_LONG(model_waitgroup, memory_may_go_while_a_late_waiter_has_not_run, 120)
{
    const struct ex_program p = {.name = "a wait that was late, beside one that frees",
                                 .setup = setup_2,
                                 .threads = {wait_late, finish_both_wait_and_free, timer_of_0},
                                 .daemons = 1 << 2,
                                 .preemptions = 4};
    EXPECT(ex_explore(&p));
}

/* A round of use: add, two members, wait; then the next round on the same group. */
static int rounds;

static void setup_rounds(void)
{
    model_reset();
    memset(&wg, 0, sizeof(wg));
    wg.state = (uint64_t)1 << 32;
    rounds = 0;
}

static bool round_1(void *arg)
{
    (void)arg;
    return rounds == 1;
}

static void main_of_rounds(void)
{
    go_wg_wait(&wg);
    go_wg_add(&wg, 1);
    rounds = 1;
    go_wg_wait(&wg);
    idle();
}

static void member_of_rounds(void)
{
    go_wg_done(&wg);
    ex_block(round_1, NULL);
    go_wg_done(&wg);
}

TEST_LONG(model_waitgroup, is_used_again_after_wait, 120)
{
    const struct ex_program p = {.name = "two rounds",
                                 .setup = setup_rounds,
                                 .threads = {main_of_rounds, member_of_rounds},
                                 .check = idle,
                                 .preemptions = 6};
    EXPECT(ex_explore(&p));
}
