/* SPDX-License-Identifier: MIT */
/* go_sem: weights, order, limits, and what a waiter that gives up leaves behind. */
#include "unit/sync/parked.h"

static void expect_free(const go_sem *s)
{
    EXPECT_EQ_INT(s->taken, 0);
    EXPECT_EQ_PTR(s->head, NULL);
    EXPECT_EQ_UINT(s->lock, 0);
}

TEST(sem, takes_and_gives_back_by_weight)
{
    go_sem s = {.size = 10};
    EXPECT_EQ_INT(sem_acquire(NULL, &s, 4), 0);
    EXPECT(sem_try_acquire(&s, 6));
    EXPECT(!sem_try_acquire(&s, 1));
    sem_release(&s, 3);
    EXPECT(!sem_try_acquire(&s, 4));
    EXPECT(sem_try_acquire(&s, 3));
    sem_release(&s, 10);
    expect_free(&s);
}

TEST(sem, of_size_zero_gives_nothing)
{
    go_sem s = {0};
    EXPECT(!sem_try_acquire(&s, 1));
    EXPECT(sem_try_acquire(&s, 0));
    EXPECT_EQ_INT(go_sem_acquire_until(&s, 1, 0), -ETIMEDOUT);
    expect_free(&s);
}

static int order[16], arrived;

static void take(go_sem *s, int64_t n, int i)
{
    EXPECT_EQ_INT(sem_acquire(ctx_background(), s, n), 0);
    order[arrived++] = i;
    sem_release(s, n);
}

TEST(sem, waiters_are_served_in_order)
{
    go_sem s = {.size = 2};
    EXPECT(sem_try_acquire(&s, 2));
    for (int i = 0; i < 10; i++) {
        go(take, &s, 2, i);
        parked_await(GOI_WAIT_SEMACQUIRE, i + 1);
    }
    sem_release(&s, 2);
    parked_alone();
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ_INT(order[i], i);
    }
    expect_free(&s);
}

TEST(sem, large_request_is_not_starved)
{
    go_sem s = {.size = 5};
    EXPECT(sem_try_acquire(&s, 3));
    go(take, &s, 4, 0);
    parked_await(GOI_WAIT_SEMACQUIRE, 1);
    EXPECT(!sem_try_acquire(&s, 1)); /* there is 1, but somebody waits for 4 */
    EXPECT_EQ_INT(go_sem_acquire_until(&s, 1, go_now() + GO_MS), -ETIMEDOUT);
    sem_release(&s, 3);
    parked_alone();
    EXPECT_EQ_INT(arrived, 1);
    expect_free(&s);
}

static void take_in_vain(go_sem *s, int64_t n, go_ctx *ctx)
{
    EXPECT_EQ_INT(sem_acquire(ctx, s, n), -ECANCELED);
}

static void take_too_late(go_sem *s, int64_t n)
{
    EXPECT_EQ_INT(go_sem_acquire_until(s, n, go_now() + 20 * GO_MS), -ETIMEDOUT);
}

TEST(sem, who_gives_up_at_the_head_lets_the_next_go)
{
    go_sem s = {.size = 3};
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    EXPECT(sem_try_acquire(&s, 2));
    go(take_in_vain, &s, 3, ctx);
    parked_await(GOI_WAIT_SEMACQUIRE, 1);
    go(take, &s, 1, 7);
    parked_await(GOI_WAIT_SEMACQUIRE, 2);
    ctx_cancel(ctx);
    parked_alone();
    EXPECT_EQ_INT(arrived, 1);
    EXPECT_EQ_INT(order[0], 7);
    ctx_free(ctx);
    go(take_too_late, &s, 3); /* before the other one as a rule, which comes to its end anyway */
    go(take, &s, 1, 8);
    parked_alone();
    EXPECT_EQ_INT(arrived, 2);
    EXPECT_EQ_INT(order[1], 8);
    sem_release(&s, 2);
    expect_free(&s);
}

TEST(sem, more_than_the_size_waits_alone)
{
    go_sem s = {.size = 2};
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go(take_in_vain, &s, 5, ctx);
    parked_await(GOI_WAIT_SEMACQUIRE, 1);
    EXPECT_EQ_INT(sem_acquire(NULL, &s, 2), 0);
    sem_release(&s, 2);
    ctx_cancel(ctx);
    parked_alone();
    ctx_free(ctx);
    expect_free(&s);
}

DEATH_TEXT(sem, more_than_the_size_waits_for_ever, 2,
           "fatal error: all goroutines are asleep - deadlock!\n")
{
    go_sem s = {.size = 1};
    EXPECT_EQ_INT(sem_acquire(NULL, &s, 2), 0);
}

static void release_more(go_sem *s) { sem_release(s, 3); }

TEST(sem, refused_release_changes_nothing)
{
    go_sem s = {.size = 5};
    go_panic_info info;
    EXPECT(sem_try_acquire(&s, 2));
    EXPECT(!go_try(&info, release_more, &s));
    EXPECT_EQ_STR(info.message, "semaphore: released more than held");
    EXPECT_EQ_INT(s.taken, 2);
    sem_release(&s, 2);
    expect_free(&s);
}

DEATH_TEXT(sem, release_of_more_than_held_panics, 2,
           "panic: semaphore: released more than held\n")
{
    go_sem s = {.size = 1};
    sem_release(&s, 1);
}

/* Weighted takers, some of them impatient: never more than the size is out. */
static goi_ai64 out;
static goi_a32 late;

static void hammer(go_sem *s, int64_t n, long times, go_waitgroup *wg)
{
    for (long i = 0; i < times; i++) {
        int r = i % 4 == 0 ? go_sem_acquire_until(s, n, go_now() + (i % 5) * 10 * GO_US)
                           : sem_acquire(NULL, s, n);
        if (r != 0) {
            EXPECT_EQ_INT(r, -ETIMEDOUT);
            add_rlx(&late, 1);
            continue;
        }
        int64_t now = add_rlx(&out, n) + n;
        if (now > s->size) {
            FAIL("%lld of %lld are out", (long long)now, (long long)s->size);
        }
        if (i % 3 == 0) {
            go_yield();
        }
        sub_rlx(&out, n);
        sem_release(s, n);
    }
    wg_done(wg);
}

TEST(sem, never_gives_more_than_there_is)
{
    go_sem s = {.size = 7};
    go_waitgroup wg = {0};
    wg_add(&wg, 8);
    for (int64_t i = 0; i < 8; i++) {
        go(hammer, &s, i % 7 + 1, test_iterations(1000), &wg);
    }
    wg_wait(&wg);
    expect_free(&s);
}
