/* SPDX-License-Identifier: MIT */
/* The run queue alone: order, both ends, moves, and its own validator after every step. */
#include "base/rand.h"
#include "harness.h"
#include "sched/runq.h"

enum { N = 64 };
static struct goi_runnable node[N];

static void link_all(struct goi_runq *q)
{
    memset(node, 0, sizeof node);
    for (int i = 0; i < N; i++) {
        goi_runq_push_tail(q, &node[i]);
        goi_runq_check(q);
    }
}

TEST(runq, tail_to_head_is_first_in_first_out)
{
    struct goi_runq q = {0};
    link_all(&q);
    for (int i = 0; i < N; i++) {
        EXPECT_EQ_PTR(goi_runq_pop_head(&q), &node[i]);
        goi_runq_check(&q);
    }
    EXPECT_EQ_PTR(goi_runq_pop_head(&q), NULL);
    EXPECT_EQ_PTR(goi_runq_pop_tail(&q), NULL);
}

TEST(runq, tail_to_tail_is_last_in_first_out)
{
    struct goi_runq q = {0};
    link_all(&q);
    for (int i = N - 1; i >= 0; i--) {
        EXPECT_EQ_PTR(goi_runq_pop_tail(&q), &node[i]);
        goi_runq_check(&q);
    }
}

TEST(runq, moves_keep_the_oldest_first)
{
    struct goi_runq q = {0};
    struct goi_runq to = {0};
    link_all(&q);
    goi_runq_move_head(&q, &to, 10);
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ_PTR(goi_runq_pop_head(&to), &node[i]);
    }
    goi_runq_move_tail(&q, &to, 5);
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ_PTR(goi_runq_pop_head(&to), &node[N - 1 - i]);
    }
    goi_runq_check(&q);
    EXPECT_EQ_UINT(goi_runq_len(&q), N - 15);
}

TEST(runq, rotate_takes_the_head_and_puts_at_the_tail)
{
    for (int n = 1; n < 4; n++) {
        struct goi_runq q = {0};
        memset(node, 0, sizeof node);
        for (int i = 0; i < n; i++) {
            goi_runq_push_tail(&q, &node[i]);
        }
        struct goi_runnable *out = &node[n];
        for (int i = 0; i < 3 * (n + 1); i++) { /* round and round, the one that is out in turn */
            struct goi_runnable *first = goi_runq_rotate(&q, out);
            goi_runq_check(&q);
            EXPECT_EQ_PTR(first, &node[i % (n + 1)]);
            EXPECT_EQ_UINT(goi_runq_len(&q), (unsigned)n);
            out = first;
        }
    }
}

TEST(runq, remove_any_node)
{
    struct goi_runq q = {0};
    link_all(&q);
    for (int i = 0; i < N; i += 3) { /* the head first, the tail last */
        goi_runq_remove(&q, &node[i]);
        goi_runq_check(&q);
        EXPECT_EQ_PTR(node[i].next, NULL);
        EXPECT_EQ_PTR(node[i].prev, NULL);
    }
    for (int i = 0; i < N; i++) {
        if (i % 3 != 0) {
            EXPECT_EQ_PTR(goi_runq_pop_head(&q), &node[i]);
        }
    }
    EXPECT_EQ_PTR(goi_runq_pop_head(&q), NULL);
}

TEST(runq, insert_after_any_node)
{
    struct goi_runq q = {0};
    struct goi_runnable a = {0}, b = {0};
    link_all(&q);
    goi_runq_insert_after(&q, &node[0], &a);
    goi_runq_insert_after(&q, &node[N - 1], &b);
    goi_runq_check(&q);
    EXPECT_EQ_PTR(goi_runq_pop_head(&q), &node[0]);
    EXPECT_EQ_PTR(goi_runq_pop_head(&q), &a);
    EXPECT_EQ_PTR(goi_runq_pop_tail(&q), &b);
    EXPECT_EQ_PTR(goi_runq_pop_tail(&q), &node[N - 1]);
}

TEST(runq, random_operations_agree_with_an_array)
{
    struct goi_rand r = {test_seed()};
    struct goi_runq q = {0};
    struct goi_runnable *want[N];
    struct goi_runnable *spare[N];
    int n = 0;
    int free = N;
    memset(node, 0, sizeof node);
    for (int i = 0; i < N; i++) {
        spare[i] = &node[i];
    }
    for (long i = test_iterations(200000); i > 0; i--) {
        uint32_t op = goi_rand_below(&r, 4);
        if (op < 2 && free > 0) {
            struct goi_runnable *x = spare[--free];
            if (op == 0) {
                goi_runq_push_tail(&q, x);
                want[n] = x;
            } else {
                goi_runq_push_head(&q, x);
                memmove(want + 1, want, (size_t)n * sizeof want[0]);
                want[0] = x;
            }
            n++;
        } else if (op >= 2 && n > 0) {
            struct goi_runnable *x;
            if (op == 2) {
                x = goi_runq_pop_head(&q);
                REQUIRE(x == want[0]);
                memmove(want, want + 1, (size_t)(n - 1) * sizeof want[0]);
            } else {
                x = goi_runq_pop_tail(&q);
                REQUIRE(x == want[n - 1]);
            }
            n--;
            spare[free++] = x;
        }
        REQUIRE_EQ_INT(goi_runq_len(&q), n);
    }
    goi_runq_check(&q);
}
