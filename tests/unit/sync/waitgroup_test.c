/* SPDX-License-Identifier: MIT */
/* go_waitgroup: who waits for whom, memory that goes with the last done, misuse in Go's words. */
#include "unit/sync/parked.h"
#include <pthread.h>
#include <stdlib.h>

static go_waitgroup wg;

static void expect_idle(void)
{
    EXPECT_EQ_UINT(wg.state, 0);
    EXPECT_EQ_PTR(wg.head, NULL);
}

TEST(waitgroup, wait_for_nobody_returns_at_once)
{
    wg_wait(&wg);
    EXPECT_EQ_INT(wg_wait_until(&wg, 0), 0);
    EXPECT_EQ_INT(wg_wait_ctx(NULL, &wg), 0);
    wg_add(&wg, 3);
    wg_add(&wg, -2);
    wg_done(&wg);
    wg_wait(&wg);
    expect_idle();
}

static goi_a32 waited;

static void wait_it(void)
{
    wg_wait(&wg);
    add_rlx(&waited, 1);
}

TEST(waitgroup, all_wait_for_the_last_done)
{
    for (int round = 1; round <= 3; round++) {
        wg_add(&wg, 3);
        for (int i = 0; i < 5; i++) {
            go(wait_it);
        }
        parked_await(GOI_WAIT_WAITGROUP, 5);
        wg_done(&wg);
        wg_done(&wg);
        EXPECT_EQ_INT(parked_now(GOI_WAIT_WAITGROUP), 5);
        wg_done(&wg);
        parked_alone();
        EXPECT_EQ_UINT(ld_rlx(&waited), 5 * round);
        expect_idle();
    }
}

TEST(waitgroup, late_waiter_leaves_nothing_behind)
{
    wg_add(&wg, 1);
    EXPECT_EQ_INT(wg_wait_until(&wg, 0), -ETIMEDOUT);
    EXPECT_EQ_INT(wg_wait_until(&wg, go_now() + GO_MS), -ETIMEDOUT);
    EXPECT_EQ_PTR(wg.head, NULL);
    go(wait_it);
    parked_await(GOI_WAIT_WAITGROUP, 1);
    EXPECT_EQ_INT(wg_wait_until(&wg, go_now() + GO_MS), -ETIMEDOUT);
    wg_done(&wg);
    parked_alone();
    expect_idle();
}

static void add_one(int *n) { ++*n; }
static void exit_it(int *n)
{
    ++*n;
    go_exit();
}

TEST(waitgroup, go_counts_its_goroutines_however_they_end)
{
    int n[2] = {0, 0};
    wg_go(&wg, add_one, &n[0]);
    wg_go(&wg, exit_it, &n[1]);
    wg_wait(&wg);
    EXPECT_EQ_INT(n[0] + n[1], 2);
    expect_idle();
}

/* The waiter frees the group as soon as it is let go. */
static void member(go_waitgroup *w) { wg_done(w); }

static void *thread_member(void *w)
{
    wg_done(w);
    return NULL;
}

TEST(waitgroup, memory_may_go_with_the_last_done)
{
    for (long i = test_iterations(2000); i > 0; i--) {
        go_waitgroup *w = calloc(1, sizeof *w);
        wg_add(w, 3);
        for (int k = 0; k < 3; k++) {
            go(member, w);
        }
        if (i % 2 == 0) {
            wg_wait(w);
        } else {
            while (wg_wait_until(w, go_now() + GO_US) != 0) { /* ends: three members */
            }
        }
        memset(w, 0xff, sizeof *w);
        free(w);
    }
    for (long i = test_iterations(50); i > 0; i--) {
        go_waitgroup *w = calloc(1, sizeof *w);
        pthread_t thread;
        wg_add(w, 1);
        pthread_create(&thread, NULL, thread_member, w);
        wg_wait(w);
        memset(w, 0xff, sizeof *w);
        free(w);
        pthread_join(thread, NULL);
    }
}

/* Another one that waits was released, but has not run, or its deadline has passed. */
static void wait_beside(go_waitgroup *w, bool late, go_waitgroup *over)
{
    if (late) {
        (void)!wg_wait_until(w, go_now() + 20 * GO_US);
    } else {
        wg_wait(w);
    }
    wg_done(over);
}

TEST(waitgroup, memory_may_go_while_others_have_not_returned)
{
    go_waitgroup over = {0};
    for (long i = test_iterations(500); i > 0; i--) {
        go_waitgroup *w = calloc(1, sizeof *w);
        bool late = i % 2 == 0;
        wg_add(w, 1);
        wg_add(&over, 1);
        go(wait_beside, w, late, &over);
        if (late) {
            while (parked_now(GOI_WAIT_WAITGROUP) == 0 && ld_acq(goi_word64(&over.state)) != 0) {
                go_yield(); /* it waits, or has waited */
            }
        } else {
            parked_await(GOI_WAIT_WAITGROUP, 1);
        }
        wg_done(w);
        wg_wait(w);
        memset(w, 0xff, sizeof *w);
        free(w);
        wg_wait(&over);
    }
}

/* What Go calls misuse: the next round begins before all have come back. */
TEST(waitgroup, may_be_used_again_before_all_waits_have_returned)
{
    int round = 0;
    st_rlx(&waited, 0);
    for (; round < 100; round++) {
        wg_add(&wg, 1);
        go(wait_it);
        parked_await(GOI_WAIT_WAITGROUP, 1);
        wg_done(&wg);
        wg_wait(&wg);
    }
    parked_alone();
    EXPECT_EQ_UINT(ld_rlx(&waited), round);
    expect_idle();
}

static void done_one(void) { wg_done(&wg); }

DEATH_TEST(waitgroup, negative_counter_panics, 2, "^panic: sync: negative WaitGroup counter\n")
{
    wg_add(&wg, 1);
    wg_done(&wg);
    wg_done(&wg);
}

TEST(waitgroup, negative_counter_can_be_caught)
{
    go_panic_info info;
    EXPECT(!go_try(&info, done_one));
    EXPECT_EQ_STR(info.message, "sync: negative WaitGroup counter");
}

/* A group that the last done has brought to zero, and whose waiters it has not taken off yet. */
static void group_of_a_done_under_way(void)
{
    wg_add(&wg, 1);
    go(wait_it);
    parked_await(GOI_WAIT_WAITGROUP, 1);
    sub_rlx(goi_word64(&wg.state), (uint64_t)1 << 32);
}

static void begin_again(void) { wg_add(&wg, 1); }

TEST(waitgroup, add_while_waiters_are_being_woken_is_misuse)
{
    go_panic_info info;
    st_rlx(&waited, 0);
    group_of_a_done_under_way();
    EXPECT(!go_try(&info, begin_again));
    EXPECT_EQ_STR(info.message, "sync: WaitGroup misuse: Add called concurrently with Wait");
    wg_done(&wg);
    parked_alone();
    EXPECT_EQ_UINT(ld_rlx(&waited), 1);
    expect_idle();
}

DEATH_TEXT(waitgroup, misuse_panics, 2,
           "panic: sync: WaitGroup misuse: Add called concurrently with Wait\n")
{
    group_of_a_done_under_way();
    wg_add(&wg, 1);
}

/* A panic in a member ends the process; it never counts as done. */
static void fail(void) { go_panic("member"); }

DEATH_TEST(waitgroup, panic_of_a_member_is_no_done, 2, "^panic: member\n")
{
    wg_go(&wg, fail);
    wg_wait(&wg);
    FAIL("wait returned");
}

DEATH_TEXT(waitgroup, wait_without_done_deadlocks, 2,
           "fatal error: all goroutines are asleep - deadlock!\n")
{
    wg_add(&wg, 1);
    wg_wait(&wg);
}
