/* SPDX-License-Identifier: MIT */
/* Pages go back to the kernel when they should, and stay when they should. */
#include "harness.h"
#include "os/os.h"
#include "stack/stack.h"
#include <sys/mman.h>

#define SECOND ((int64_t)1000000000)
#define MIB    ((size_t)1 << 20)

static struct goi_stack_cache cache;

static size_t pages_in(const char *from, const char *to)
{
    static unsigned char map[65536];
    size_t page = gop_page_size();
    uintptr_t lo = (uintptr_t)from & ~(page - 1);
    size_t n = ((uintptr_t)to - lo + page - 1) / page, count = 0;
    REQUIRE(n <= sizeof map);
    REQUIRE_EQ_INT(mincore((void *)lo, n * page, map), 0);
    for (size_t i = 0; i < n; i++) {
        count += map[i] & 1;
    }
    return count;
}

static size_t pages_of(const struct goi_stack *s)
{
    return pages_in(s->lo, s->top);
}

static void touch(const struct goi_stack *s, size_t depth)
{
    for (size_t d = 64; d <= depth; d += 4096) {
        *(volatile char *)(s->top - d) = 7;
    }
}

/* For the trimmer no time passes, so that it never puts off what is left to do. */
static int64_t standing(void) { return 0; }

/* Epochs as the background thread would run them; returns the last answer. */
static int64_t epochs(int n)
{
    static int64_t now = SECOND;
    int64_t next = 0;
    for (int i = 0; i < n; i++) {
        now += SECOND;
        next = goi_stack_trim_cached(now, standing);
    }
    return next;
}

TEST(trim, parked_goroutine_loses_what_lies_below_its_sp)
{
    goi_stack_init();
    struct goi_stack *s = goi_stack_get(&cache, 4 * MIB);
    touch(s, 2 * MIB);
    EXPECT_UINT(pages_of(s), >=, 2 * MIB / gop_page_size());
    char *sp = s->top - 20000;
    goi_stack_trim(s, sp);
    EXPECT_EQ_UINT(pages_in(s->lo, sp - gop_page_size() - 512), 0);
    for (size_t d = 64; d <= 20000; d += 4096) {
        EXPECT_EQ_INT(*(s->top - d), 7);
    }
    /* The guard is still there, and the window still works. */
    EXPECT_EQ_INT(goi_stack_find(s->lo - 1, NULL), GOI_STACK_IN_GUARD);
    touch(s, 2 * MIB);
}

TEST(trim, deep_window_loses_its_pages_on_a_put_of_the_next_epoch)
{
    goi_stack_init();
    struct goi_stack *s = goi_stack_get(&cache, 4 * MIB);
    goi_stack_put(&cache, s);
    for (int round = 0; round < 3; round++) {
        REQUIRE(goi_stack_get(&cache, 4 * MIB) == s);
        touch(s, 3 * MIB);
        epochs(1);
        strcpy(goi_stack_desc(s), "identity");
        goi_stack_put(&cache, s);
        EXPECT_UINT(pages_of(s), <=, 2 + (64 << 10) / gop_page_size());
        EXPECT_EQ_STR(goi_stack_desc(s), "identity");
    }
}

TEST(trim, hot_windows_are_left_alone_within_an_epoch)
{
    goi_stack_init();
    struct goi_stack *s = goi_stack_get(&cache, 4 * MIB);
    for (int i = 0; i < 200; i++) {
        goi_stack_put(&cache, s);
        REQUIRE(goi_stack_get(&cache, 4 * MIB) == s);
    }
    touch(s, MIB);
    goi_stack_put(&cache, s);
    EXPECT_UINT(pages_of(s), >=, MIB / gop_page_size());
}

TEST(trim, idle_windows_turn_cold_and_come_back_clean)
{
    enum { N = 200 };
    struct goi_stack *s[N];
    struct goi_stack_stats stats;
    goi_stack_init();
    for (int i = 0; i < N; i++) {
        s[i] = goi_stack_get(&cache, 64 << 10);
        touch(s[i], 20000);
        memset(goi_stack_desc(s[i]), 9, GOI_STACK_DESC_BYTES);
    }
    char *kept = s[0]->lo;
    for (int i = 1; i < N; i++) {
        goi_stack_put(&cache, s[i]);
    }
    goi_stack_cache_flush(&cache);
    goi_stack_stats(&stats);
    /* Windows are made a few at a time, so there may be some more. */
    size_t made = stats.depot[0];
    EXPECT_UINT(made, >=, N - 1);
    EXPECT_UINT(made, <, N - 1 + GOI_STACK_BATCH);
    EXPECT_EQ_INT(epochs(4), GOI_FOREVER);
    goi_stack_stats(&stats);
    EXPECT_EQ_UINT(stats.depot[0], 0);
    EXPECT_UINT(stats.cold[0], >, 0);
    EXPECT_EQ_UINT(stats.trimmed, made);
    EXPECT_EQ_INT(goi_stack_find(kept, NULL), GOI_STACK_INSIDE);
    for (int i = 1; i < N; i++) {
        struct goi_stack *t = goi_stack_get(&cache, 64 << 10);
        struct goi_stack found;
        REQUIRE(t != NULL);
        EXPECT_EQ_INT(goi_stack_find(t->lo, &found), GOI_STACK_INSIDE);
        EXPECT_EQ_PTR(found.top, t->top);
        EXPECT_EQ_INT(((char *)goi_stack_desc(t))[0], 0);
        EXPECT_EQ_UINT(pages_in(t->lo, t->top - 4096), 0);
    }
    EXPECT_EQ_INT(((char *)goi_stack_desc(s[0]))[0], 9);
}

TEST(trim, windows_that_are_taken_again_stay_warm)
{
    enum { N = 100 };
    struct goi_stack *s[N];
    goi_stack_init();
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < N; i++) {
            s[i] = goi_stack_get(&cache, 64 << 10);
        }
        for (int i = 0; i < N; i++) {
            goi_stack_put(&cache, s[i]);
        }
        goi_stack_cache_flush(&cache);
        epochs(1);
    }
    struct goi_stack_stats stats;
    goi_stack_stats(&stats);
    /* Windows are made a few at a time; the surplus is idle. */
    EXPECT_UINT(stats.trimmed, <, GOI_STACK_BATCH);
    EXPECT_UINT(stats.depot[0], >=, N);
}

TEST(trim, empty_chunks_are_unmapped_but_not_while_held)
{
    goi_stack_init();
    struct goi_stack *s = goi_stack_get(&cache, 64 << 10), *big = goi_stack_get(&cache, 256 * MIB);
    char *lo = s->lo, *big_lo = big->lo;
    goi_stack_put(&cache, s);
    goi_stack_cache_flush(&cache);
    goi_stack_hold();
    goi_stack_put(&cache, big);
    epochs(4);
    EXPECT_EQ_INT(goi_stack_find(lo, NULL), GOI_STACK_INSIDE);
    EXPECT_EQ_INT(goi_stack_find(big_lo, NULL), GOI_STACK_INSIDE);
    EXPECT_EQ_UINT(pages_in(big_lo, big_lo + MIB), 0);
    goi_stack_unhold();
    epochs(1);
    EXPECT_EQ_INT(goi_stack_find(lo, NULL), GOI_STACK_NOWHERE);
    EXPECT_EQ_INT(goi_stack_find(big_lo, NULL), GOI_STACK_NOWHERE);
    struct goi_stack_stats stats;
    goi_stack_stats(&stats);
    EXPECT_EQ_UINT(stats.reserved, 0);
}

static bool count_marked(struct goi_stack *s, void *arg)
{
    int *count = arg;
    *count += *(int *)goi_stack_desc(s) == 42;
    return true;
}

TEST(trim, each_visits_all_windows_in_memory)
{
    enum { N = 300 };
    struct goi_stack *s[N];
    int count = 0;
    goi_stack_init();
    for (int i = 0; i < N; i++) {
        s[i] = goi_stack_get(&cache, 0);
        *(int *)goi_stack_desc(s[i]) = 42;
    }
    for (int i = 0; i < N / 2; i++) {
        *(int *)goi_stack_desc(s[i]) = 43;
        goi_stack_put(&cache, s[i]);
    }
    goi_stack_cache_flush(&cache);
    epochs(4);
    goi_stack_hold();
    goi_stack_each(count_marked, &count);
    goi_stack_unhold();
    EXPECT_EQ_INT(count, N - N / 2);
}
