/* SPDX-License-Identifier: MIT */
/* Windows made ahead: only for those who take very many, only so far ahead, and none is lost. */
#include "harness.h"
#include "stack/stack.h"

static struct goi_stack_cache cache;
static struct goi_stack *taken[8192];
static size_t count;

static void take(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        taken[count] = goi_stack_get(&cache, GOI_STACK_SIZE_MIN);
        REQUIRE(taken[count] != NULL);
        count++;
    }
}

static size_t prepare(void)
{
    size_t n = 0;
    while (goi_stack_prepare()) { /* ends: the depot is deep enough */
        n++;
        REQUIRE(n < 1000);
    }
    return n;
}

TEST(prepare, begins_with_a_thousand_stops_when_ahead_and_is_found_by_the_next)
{
    struct goi_stack_stats before, after;
    goi_stack_init();
    EXPECT(!goi_stack_prepare());
    take(900);
    EXPECT(!goi_stack_prepare());
    take(3000);
    EXPECT_UINT(prepare(), >, 0);
    goi_stack_stats(&before);
    EXPECT_UINT(before.depot[0], >=, 3900 / 8);
    EXPECT_UINT(before.depot[0], <, 3900 / 8 + 2 * GOI_STACK_BATCH);
    EXPECT(!goi_stack_prepare()); /* nobody has taken any since */
    take(128); /* from the depot: nothing new is made */
    goi_stack_stats(&after);
    EXPECT_UINT(after.depot[0], <, before.depot[0]);
    EXPECT_EQ_UINT(after.windows[0], before.windows[0]);
    EXPECT_UINT(prepare(), >, 0);
    for (size_t i = 0; i < count; i++) { /* all are windows of their own */
        *(char *)goi_stack_desc(taken[i]) = 1;
        EXPECT(taken[i]->lo < taken[i]->top);
    }
    for (size_t i = 0; i < count; i++) {
        goi_stack_put(&cache, taken[i]);
    }
}
