/* SPDX-License-Identifier: MIT */
/* Guards on kernels without MADV_GUARD_INSTALL: mprotect up to a share of max_map_count, then none
 * and a check of sp. */
#include "harness.h"
#include "os/os.h"
#include "stack/stack.h"
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static struct goi_stack_cache cache;

static bool faults(const char *p)
{
    int fd[2];
    REQUIRE_EQ_INT(pipe(fd), 0);
    /* The kernel reads the byte for us and reports a fault as an error. */
    bool fault = write(fd[1], p, 1) < 0 && errno == EFAULT;
    close(fd[0]);
    close(fd[1]);
    return fault;
}

static size_t mappings(void)
{
    size_t n = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    REQUIRE(f != NULL);
    for (int c = fgetc(f); c != EOF; c = fgetc(f)) {
        n += c == '\n';
    }
    fclose(f);
    return n;
}

static void expect_guarded(const struct goi_stack *s)
{
    EXPECT(faults(s->lo - 1));
    EXPECT(faults(s->window));
    EXPECT(!faults(s->lo));
    EXPECT(!goi_stack_low_check(s, s->lo + 100));
}

TEST(guard, installed_where_the_kernel_can)
{
    goi_stack_init();
    size_t before = mappings();
    for (int i = 0; i < 1000; i++) {
        struct goi_stack *s = goi_stack_get(&cache, 64 << 10);
        REQUIRE(s != NULL);
        if (s->guard != GOI_STACK_GUARD_INSTALLED) {
            SKIP("this kernel has no MADV_GUARD_INSTALL");
        }
        if (i % 100 == 0) {
            expect_guarded(s);
        }
    }
    EXPECT_UINT(mappings(), <=, before + 32);
}

TEST(guard, every_class_has_one)
{
    goi_stack_init();
    for (size_t want = GOI_STACK_SIZE_MIN; want <= (size_t)256 << 20; want *= 2) {
        struct goi_stack *s = goi_stack_get(&cache, want);
        REQUIRE(s != NULL);
        expect_guarded(s);
        goi_stack_put(&cache, s);
    }
}

TEST_LONG(guard, mprotect_leaves_half_of_the_mappings_and_then_sp_is_checked, 120)
{
    size_t limit = gop_max_map_count();
    if (limit > 200000 || test_scale() > 1) {
        SKIP("max_map_count is %zu here; too slow to use up", limit);
    }
    goi_stack_init();
    goi_stack_force_guard(GOI_STACK_GUARD_PROTECTED);
    size_t n = limit / 2, with = 0, without = 0;
    for (size_t i = 0; i < n; i++) {
        struct goi_stack *s = goi_stack_get(&cache, 64 << 10);
        REQUIRE(s != NULL);
        if (s->guard == GOI_STACK_GUARD_PROTECTED) {
            if (with++ % 1000 == 0) {
                expect_guarded(s);
            }
        } else {
            REQUIRE_EQ_INT(s->guard, GOI_STACK_GUARD_NONE);
            if (without++ % 1000 == 0) {
                EXPECT(goi_stack_low_check(s, s->lo + 100));
                EXPECT(goi_stack_low_check(s, s->lo - 100));
                EXPECT(!goi_stack_low_check(s, s->top - 1000));
            }
        }
    }
    printf("# %zu with a guard, %zu without, %zu mappings of %zu\n", with, without, mappings(),
           limit);
    EXPECT_UINT(with, >, limit / 10);
    EXPECT_UINT(without, >, 0);
    EXPECT_UINT(mappings(), <, limit / 2 + 1000);
    struct goi_stack_stats stats;
    goi_stack_stats(&stats);
    EXPECT_UINT(stats.guards_protected, <=, limit / 4);
    EXPECT_UINT(stats.guards_none, >=, without);
    /* Others can still map memory. */
    void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(p != MAP_FAILED);
}

/* mlockall makes the kernel refuse guard markers; mprotect takes over. */
TEST(guard, locked_memory_falls_back_to_mprotect)
{
    goi_stack_init();
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) {
        SKIP("mlockall is not permitted here");
    }
    char *p = gop_pages_reserve(gop_page_size(), gop_page_size());
    if (p == NULL || gop_pages_guard(p, gop_page_size()) == 0) {
        SKIP("mlockall has no effect here");
    }
    struct goi_stack *s = goi_stack_get(&cache, 64 << 10);
    if (s == NULL) {
        munlockall();
        SKIP("RLIMIT_MEMLOCK allows no windows");
    }
    EXPECT_EQ_INT(s->guard, GOI_STACK_GUARD_PROTECTED);
    expect_guarded(s);
    munlockall();
}
