/* SPDX-License-Identifier: MIT */
/* Switching round a ring of goroutines: what coloured tops are worth.
 *
 * Each goroutine's saved registers lie in its descriptor and its frames right below, as in the
 * runtime, so a switch touches the lines of the next one. Power-of-two windows put all of them into
 * the same sets of cache and TLB. The times are printed and not judged, because other programs run;
 * what is judged is the layout that makes the difference. */
#include "arch/arch.h"
#include "harness.h"
#include "os/os.h"
#include "stack/stack.h"
#include <stdio.h>
#include <sys/mman.h>

#define RING_MAX  1024
#define ROUNDS_NS 20000000

struct member {
    struct goi_regs regs;
    struct member *next;
};

static struct goi_stack_cache cache;
static struct goi_regs thread_regs;
static struct member *first;
static long rounds;

static void member_run(void *param, void *arg)
{
    struct member *me = param;
    (void)arg;
    for (;;) {
        if (me == first && --rounds == 0) {
            goi_switch(&me->regs, &thread_regs, NULL);
        }
        goi_switch(&me->regs, &me->next->regs, NULL);
    }
}

static double ring_ns(char **tops, int n)
{
    double best = 1e9;
    for (int i = 0; i < n; i++) {
        struct member *m = (struct member *)(void *)tops[i];
        goi_regs_init(&m->regs, tops[i], member_run, m);
        m->next = (struct member *)(void *)tops[i + 1 < n ? i + 1 : 0];
    }
    first = (struct member *)(void *)tops[0];
    for (int run = 0; run < 5; run++) {
        long all = 1 + ROUNDS_NS / 20 / n;
        rounds = all;
        int64_t t = gop_now();
        goi_switch(&thread_regs, &first->regs, NULL);
        double ns = (double)(gop_now() - t) / ((double)all * n);
        best = ns < best ? ns : best;
    }
    return best;
}

TEST_LONG(colour, ring_of_windows_is_faster_than_power_of_two_windows, 60)
{
    static const int sizes[] = {16, 64, 256, RING_MAX};
    static char *plain[RING_MAX], *ours[RING_MAX];
    size_t width = 64 << 10;
    if (test_scale() > 1) {
        SKIP("times mean nothing here");
    }
    goi_stack_init();
    char *map = mmap(NULL, width * RING_MAX, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(map != MAP_FAILED);
    madvise(map, width * RING_MAX, MADV_NOHUGEPAGE);
    for (int i = 0; i < RING_MAX; i++) {
        plain[i] = map + width * (size_t)(i + 1) - 1024;
        struct goi_stack *s = goi_stack_get(&cache, width);
        REQUIRE(s != NULL);
        ours[i] = s->top;
    }
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        printf("# ring of %d: %.1f ns a switch, in power-of-two windows %.1f\n", sizes[k],
               ring_ns(ours, sizes[k]), ring_ns(plain, sizes[k]));
    }
}

/* Neighbouring windows never share a line colour or a page colour, and no top needs more than its
 * page for 512 bytes of descriptor and 900 of frames. */
TEST(colour, tops_spread_over_cache_sets_and_page_colours)
{
    enum { N = 256 };
    static struct goi_stack *s[N];
    size_t lines[64] = {0}, pages[16] = {0}, page = gop_page_size();
    goi_stack_init();
    for (int i = 0; i < N; i++) {
        s[i] = goi_stack_get(&cache, 64 << 10);
        REQUIRE(s[i] != NULL);
        lines[(uintptr_t)s[i]->top / 64 % 64]++;
        pages[(uintptr_t)s[i]->top / page % 16]++;
        EXPECT_UINT((uintptr_t)s[i]->top % page, >=, 900);
        EXPECT_UINT((uintptr_t)s[i]->top % page + GOI_STACK_DESC_BYTES, <=, page);
    }
    for (int i = 0; i < 64; i++) {
        EXPECT_UINT(lines[i], <=, N / 8);
    }
    for (int i = 0; i < 16 && page == 4096; i++) {
        EXPECT_UINT(pages[i], <=, N / 8);
    }
}
