/* SPDX-License-Identifier: MIT */
/* errgroup.c: goroutines with a first error.
 * The Go side has its own few lines of x/sync's Group, for the standard library has none. */
#include "bench.h"

static int succeed(void)
{
    return 0;
}

/* One op: start a goroutine in a group, ten to a group, and wait for the group. */
BENCH(errgroup)
{
    int64_t start = bench_now();
    long rounds = b->n / 10;
    for (long r = 0; r < rounds; r++) {
        go_ctx *root = ctx_background();
        go_group g = group_with(root);
        for (int i = 0; i < 10; i++) {
            group_go(&g, succeed);
        }
        if (group_wait(&g) != 0) {
            bench_fail("errgroup: an error out of nowhere");
        }
    }
    bench_per_op(b, start, rounds * 10);
}
