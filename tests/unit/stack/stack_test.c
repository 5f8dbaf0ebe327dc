/* SPDX-License-Identifier: MIT */
/* Getting and putting windows: which one comes, what is in it, and what happens under limits. */
#include "stack/stack.h"
#include "harness.h"
#include "os/os.h"
#include <stdlib.h>
#include <sys/resource.h>

#define MIB ((size_t)1 << 20)

static struct goi_stack_cache cache;

/* Touches every page from the top down, as a recursion of that depth would. */
static void touch(const struct goi_stack *s, size_t depth)
{
    for (size_t d = 4096; d <= depth; d += 4096) {
        *(volatile char *)(s->top - d) = 1;
    }
}

static bool wide_default(void)
{
    return !gop_small_address_space();
}

TEST(stack, window_put_last_is_taken_first)
{
    struct goi_stack *s[3];
    goi_stack_init();
    for (int i = 0; i < 3; i++) {
        s[i] = goi_stack_get(&cache, 0);
        REQUIRE(s[i] != NULL);
    }
    for (int i = 0; i < 3; i++) {
        goi_stack_put(&cache, s[i]);
    }
    for (int i = 2; i >= 0; i--) {
        EXPECT_EQ_PTR(goi_stack_get(&cache, 0), s[i]);
    }
}

TEST(stack, window_has_the_promised_layout)
{
    goi_stack_init();
    for (size_t want = GOI_STACK_SIZE_MIN; want <= 64 * MIB; want *= 2) {
        struct goi_stack *s = goi_stack_get(&cache, want);
        struct goi_stack found;
        REQUIRE(s != NULL);
        EXPECT_EQ_UINT((uintptr_t)s->top % 64, 0);
        EXPECT_EQ_PTR(goi_stack_of(s->top), s);
        EXPECT_EQ_PTR(goi_stack_desc(s), s->top);
        EXPECT_EQ_UINT(s->size, (size_t)(s->top - s->lo));
        /* Header, descriptor and colour come off. */
        EXPECT_UINT(s->size, >, want - 4096);
        EXPECT(s->window < s->lo);
        EXPECT_EQ_INT(goi_stack_find(s->top, &found), GOI_STACK_INSIDE);
        EXPECT_EQ_PTR(found.top, s->top);
        EXPECT_EQ_PTR(found.lo, s->lo);
        EXPECT_EQ_PTR(found.window, s->window);
        EXPECT_EQ_UINT(found.klass, s->klass);
        EXPECT_EQ_INT(goi_stack_find(s->lo, NULL), GOI_STACK_INSIDE);
        EXPECT_EQ_INT(goi_stack_find(s->lo - 1, NULL), GOI_STACK_IN_GUARD);
        EXPECT_EQ_INT(goi_stack_find(s->window, NULL), GOI_STACK_IN_GUARD);
        goi_stack_put(&cache, s);
    }
    EXPECT_EQ_INT(goi_stack_find(&cache, NULL), GOI_STACK_NOWHERE);
    EXPECT_EQ_INT(goi_stack_find(NULL, NULL), GOI_STACK_NOWHERE);
}

TEST(stack, descriptor_survives_the_cache_and_the_depot)
{
    enum { N = 500 };
    static struct goi_stack *s[N];
    static bool seen[N];
    goi_stack_init();
    for (int i = 0; i < N; i++) {
        s[i] = goi_stack_get(&cache, 64 << 10);
        REQUIRE(s[i] != NULL);
        EXPECT_EQ_INT(*(int *)goi_stack_desc(s[i]), 0);
        memset(goi_stack_desc(s[i]), 0x5a, GOI_STACK_DESC_BYTES);
        *(int *)goi_stack_desc(s[i]) = i + 1;
    }
    for (int i = 0; i < N; i++) {
        goi_stack_put(&cache, s[i]);
    }
    goi_stack_cache_flush(&cache);
    for (int i = 0; i < N; i++) {
        struct goi_stack *t = goi_stack_get(&cache, 64 << 10);
        REQUIRE(t != NULL);
        int id = *(int *)goi_stack_desc(t) - 1;
        REQUIRE_INT(id, >=, 0);
        REQUIRE_INT(id, <, N);
        EXPECT(!seen[id]);
        seen[id] = true;
        EXPECT_EQ_PTR(t, s[id]);
        EXPECT_EQ_INT(((unsigned char *)goi_stack_desc(t))[GOI_STACK_DESC_BYTES - 1], 0x5a);
    }
}

TEST(stack, default_is_wide_while_few_and_narrow_when_many)
{
    enum { N = 30000 };
    static struct goi_stack *s[N];
    size_t widths[N / 1000] = {0};
    goi_stack_init();
    for (int i = 0; i < N; i++) {
        s[i] = goi_stack_get(&cache, 0);
        REQUIRE(s[i] != NULL);
        widths[i / 1000] = s[i]->size;
        if (i < 100 && wide_default()) {
            REQUIRE_INT(s[i]->size, >=, 63 * MIB);
        }
    }
    if (wide_default()) {
        EXPECT_UINT(widths[0], >=, MIB - 4096);
        EXPECT_UINT(widths[5], <, MIB);
        EXPECT_UINT(widths[5], >=, MIB / 4 - 4096);
    }
    EXPECT_UINT(widths[N / 1000 - 1], <, 2 * GOI_STACK_SIZE_MIN);
    for (int i = 0; i < N; i++) {
        goi_stack_put(&cache, s[i]);
    }
    /* The burst is over: the next ones are wide again. */
    for (int i = 0; i < 100 && wide_default(); i++) {
        s[i] = goi_stack_get(&cache, 0);
        REQUIRE_INT(s[i]->size, >=, 63 * MIB);
    }
}

TEST(stack, thirty_mib_deep_without_asking_while_a_hundred_live)
{
    struct goi_stack *s[100];
    goi_stack_init();
    if (!wide_default()) {
        SKIP("small address space: narrow windows by default");
    }
    for (int i = 0; i < 100; i++) {
        s[i] = goi_stack_get(&cache, 0);
        REQUIRE(s[i] != NULL);
        REQUIRE(s[i]->size > 30 * MIB);
    }
    touch(s[99], 30 * MIB);
}

TEST(stack, two_hundred_mib_deep_when_asked_for)
{
    goi_stack_init();
    struct goi_stack *s = goi_stack_get(&cache, 256 * MIB);
    REQUIRE(s != NULL);
    touch(s, 200 * MIB);
    char *lo = s->lo;
    goi_stack_put(&cache, s);
    /* Too large to keep: it is unmapped. */
    EXPECT_EQ_INT(goi_stack_find(lo, NULL), GOI_STACK_NOWHERE);
}

TEST(stack, request_above_the_maximum_is_refused)
{
    goi_stack_init();
    EXPECT_EQ_PTR(goi_stack_get(&cache, GOI_STACK_SIZE_MAX + 1), NULL);
    EXPECT_EQ_PTR(goi_stack_get(&cache, SIZE_MAX), NULL);
}

/* Tens of thousands of windows in 1 GiB of address space: narrower ones come, then none. */
TEST(stack, limited_address_space_gives_narrow_windows_and_then_none)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)1 << 30, .rlim_max = RLIM_INFINITY};
    size_t n = 0;
    if (test_scale() > 1) {
        SKIP("the limit is below what the instrumentation has mapped");
    }
    REQUIRE_EQ_INT(setrlimit(RLIMIT_AS, &limit), 0);
    goi_stack_init();
    EXPECT(gop_small_address_space());
    struct goi_stack *s = goi_stack_get(&cache, 0);
    REQUIRE(s != NULL);
    EXPECT_UINT(s->size, >=, MIB);
    while (s != NULL) {
        touch(s, 8192);
        n++;
        s = goi_stack_get(&cache, 0);
    }
    EXPECT_UINT(n, >, 5000);
    EXPECT_EQ_PTR(goi_stack_get(&cache, GOI_STACK_SIZE_MAX), NULL);
    struct goi_stack_stats stats;
    goi_stack_stats(&stats);
    EXPECT_UINT(stats.refused, >, 0);
    EXPECT_UINT(stats.reserved, <=, (uint64_t)1 << 30);
    /* malloc may find nothing now, which is no business of this test. */
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_AS, &limit);
}
