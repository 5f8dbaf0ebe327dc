/* SPDX-License-Identifier: MIT */
/* The heap of deadlines against a model: a plain array that is searched. */
#include "harness.h"
#include "base/rand.h"
#include "time/heap.h"
#include <stdlib.h>

enum { NODES = 3000 };

struct item {
    struct goi_heap_node node;
    int64_t when;
    bool in, indexed;
};

static struct item items[NODES];

static int64_t model_first(int *count)
{
    int64_t first = GOI_FOREVER;
    *count = 0;
    for (int i = 0; i < NODES; i++) {
        if (items[i].in) {
            ++*count;
            first = items[i].when < first ? items[i].when : first;
        }
    }
    return first;
}

static void pop_and_compare(struct goi_heap *h)
{
    int count;
    int64_t first = model_first(&count);
    REQUIRE_EQ_INT(h->count, count);
    REQUIRE(goi_heap_first(h) == first);
    if (count > 0) {
        struct item *it = (struct item *)(void *)goi_heap_pop(h);
        REQUIRE(it->in);
        REQUIRE(it->when == first);
        it->in = false;
    }
}

TEST(heap, agrees_with_a_searched_array_under_random_operations)
{
    struct goi_heap h = {0};
    struct goi_rand r = {test_seed()};
    long steps = test_iterations(60000);
    for (long step = 0; step < steps; step++) {
        struct item *it = &items[goi_rand_below(&r, NODES)];
        uint32_t what = goi_rand_below(&r, 100);
        int64_t when = (int64_t)goi_rand_below(&r, 1000); /* many equal ones */
        if (!it->in && what < 70) {
            it->in = true;
            it->when = when;
            it->indexed = what % 3 != 0;
            REQUIRE(goi_heap_push(&h, &it->node, when, it->indexed));
        } else if (it->in && it->indexed && what < 35) {
            EXPECT(goi_heap_when(&h, &it->node) == it->when);
            goi_heap_remove(&h, &it->node);
            it->in = false;
        } else if (it->in && it->indexed && what < 70) {
            goi_heap_change(&h, &it->node, when);
            it->when = when;
        } else if (what >= 90) {
            pop_and_compare(&h);
        }
        if (step % 512 == 0) {
            goi_heap_check(&h);
        }
    }
    while (h.count > 0) {
        pop_and_compare(&h);
    }
    goi_heap_release(&h);
    EXPECT_EQ_INT(h.segments, 0);
    EXPECT(goi_heap_first(&h) == GOI_FOREVER);
}

TEST(heap, is_ordered_at_every_size_around_the_segment_bounds)
{
    enum { MOST = 1200 };
    static struct item it[MOST];
    for (uint32_t n = 1; n <= MOST; n += n < 16 || (n > 250 && n < 256) ? 1 : 13) {
        struct goi_heap h = {0};
        for (uint32_t i = 0; i < n; i++) {
            it[i].when = (int64_t)((i * 7919u) % n);
            REQUIRE(goi_heap_push(&h, &it[i].node, it[i].when, true));
        }
        goi_heap_check(&h);
        for (uint32_t i = 0; i < n; i++) {
            REQUIRE(goi_heap_first(&h) == (int64_t)i || n % 7919 == 0);
            (void)goi_heap_pop(&h);
        }
        EXPECT_EQ_INT(h.count, 0);
        goi_heap_release(&h);
    }
}

TEST(heap, holds_a_million_and_gives_them_back_in_order)
{
    long n = test_iterations(1000000);
    struct goi_heap h = {0};
    struct goi_rand r = {test_seed()};
    struct item *it = calloc((size_t)n, sizeof *it);
    REQUIRE(it != NULL);
    for (long i = 0; i < n; i++) {
        it[i].when = (int64_t)(goi_rand_next(&r) >> 1);
        REQUIRE(goi_heap_push(&h, &it[i].node, it[i].when, i % 2 == 0));
    }
    goi_heap_check(&h);
    for (long i = 0; i < n; i += 4) {
        goi_heap_remove(&h, &it[i].node);
    }
    goi_heap_check(&h);
    int64_t last = INT64_MIN;
    for (long left = n - (n + 3) / 4; left > 0; left--) {
        struct item *first = (struct item *)(void *)goi_heap_pop(&h);
        REQUIRE(first->when >= last);
        last = first->when;
    }
    EXPECT_EQ_INT(h.count, 0);
    goi_heap_release(&h);
    free(it);
}

DEATH_TEST(heap, remove_of_a_node_that_is_not_in_it_is_a_bug, DIED_BY(6), "^fatal error: gort: ")
{
    struct goi_heap h = {0};
    struct item it = {.when = 1};
    goi_heap_push(&h, &it.node, 1, true);
    goi_heap_pop(&h);
    goi_heap_remove(&h, &it.node);
}
