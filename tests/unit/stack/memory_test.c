/* SPDX-License-Identifier: MIT */
/* What a million parked goroutines cost, and whether their memory comes back.
 *
 * Goal: at most 4,300 bytes of resident memory and page tables per parked goroutine, descriptor
 * included. Method: a million windows of the default size, each with its whole descriptor written
 * and 900 bytes of stack touched, as a goroutine blocked on a channel leaves it; then the figures
 * of /proc/self/status before and after. */
#include "harness.h"
#include "os/os.h"
#include "stack/stack.h"
#include <stdio.h>
#include <stdlib.h>

#define FRAMES    900
#define BYTES_MAX 4300.0

static struct goi_stack_cache cache;

static size_t proc_kib(const char *file, const char *key)
{
    char line[256];
    size_t kib = 0;
    FILE *f = fopen(file, "r");
    REQUIRE(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            kib = strtoul(line + strlen(key), NULL, 10);
        }
    }
    fclose(f);
    return kib;
}

static size_t resident(void)
{
    const char *status = "/proc/self/status";
    return (proc_kib(status, "VmRSS:") + proc_kib(status, "VmPTE:")) * 1024;
}

static void park(struct goi_stack *s)
{
    memset(goi_stack_desc(s), 1, GOI_STACK_DESC_BYTES);
    memset(s->top - FRAMES, 1, FRAMES);
}

TEST_LONG(memory, million_parked_goroutines_fit_and_go_back, 120)
{
    /* Once in the suite: what a page costs is not the compiler's business. */
    size_t n = test_scale() == 1 && !TEST_CLANG ? 1000000 : 100000;
    if (proc_kib("/proc/meminfo", "MemAvailable:") / 5 < n) {
        n = 100000;
    }
    struct goi_stack **s = malloc(n * sizeof(struct goi_stack *));
    REQUIRE(s != NULL);
    memset(s, 0, n * sizeof(struct goi_stack *));
    goi_stack_init();
    size_t before = resident();
    for (size_t i = 0; i < n; i++) {
        s[i] = goi_stack_get(&cache, 0);
        REQUIRE(s[i] != NULL);
        park(s[i]);
    }
    double each = (double)(resident() - before) / (double)n;
    printf("# %zu parked: %.0f bytes each\n", n, each);
    if (test_scale() == 1 && n == 1000000 && gop_page_size() == 4096) {
        EXPECT(each <= BYTES_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        goi_stack_put(&cache, s[i]);
    }
    goi_stack_cache_flush(&cache);
    int64_t now = gop_now();
    int calls = 0;
    for (int64_t next = now; next != GOI_FOREVER; calls++) {
        now = next;
        next = goi_stack_trim_cached(now, gop_now);
        REQUIRE_INT(calls, <, 1000000);
    }
    size_t left = resident() > before ? resident() - before : 0;
    printf("# after trimming, %d calls: %zu KiB left\n", calls, left / 1024);
    if (test_scale() == 1) {
        EXPECT_UINT(left, <, (size_t)8 << 20);
    }
    struct goi_stack_stats stats;
    goi_stack_stats(&stats);
    EXPECT_EQ_UINT(stats.reserved, 0);
    free(s);
}

TEST(memory, few_wide_windows_share_no_more_page_tables_than_needed)
{
    enum { N = 100 };
    goi_stack_init();
    if (gop_small_address_space() || gop_page_size() != 4096 || test_scale() > 1) {
        SKIP("no wide windows here, or somebody else's memory counts");
    }
    size_t before = resident();
    for (int i = 0; i < N; i++) {
        struct goi_stack *s = goi_stack_get(&cache, 0);
        REQUIRE(s != NULL);
        park(s);
    }
    /* A page of stack and a page of page table; some more for the starts of chunks and for guards
     * that happen to lie across a boundary of 2 MiB. */
    size_t each = (resident() - before) / N;
    printf("# %d wide windows: %zu bytes each\n", N, each);
    EXPECT_UINT(each, <=, 2 * 4096 + 60 * 4096 / N);
}
