/* SPDX-License-Identifier: MIT */
/* group.c: the benchmarks of x/sync's semaphore and errgroup, and x/time's rate. */
#include "gobench.h"

/* arg: size of the semaphore, taken at a time, how often before all is given back. */
static void acquire_seq(struct gobench *b)
{
    go_sem s = { .size = b->arg[0] };
    long size = b->arg[1];
    for (long n = 0; n < b->n; n++) {
        for (long i = 0; i < b->arg[2]; i++) {
            if (go_sem_acquire(go_ctx_background(), &s, size) != 0) {
                gobench_fail("semaphore: refused");
            }
        }
        for (long i = 0; i < b->arg[2]; i++) {
            go_sem_release(&s, size);
        }
    }
}

static void acquire_body(struct gobench_pb *pb, void *arg)
{
    GOBENCH_EACH(pb) {
        if (go_sem_acquire(go_ctx_background(), arg, 1) != 0) {
            gobench_fail("semaphore: refused");
        }
        go_sem_release(arg, 1);
    }
}

/* Four goroutines for each P and half as many tokens. */
static void acquire_contended(struct gobench *b)
{
    go_sem s = { .size = 2 * go_maxprocs(0) };
    b->parallelism = 4;
    gobench_parallel(b, acquire_body, &s);
}

static int succeed(void)
{
    return 0;
}

static void group(struct gobench *b)
{
    go_group g = { 0 };
    for (long i = 0; i < b->n; i++) {
        go_group_go(&g, succeed);
    }
    if (go_group_wait(&g) != 0) {
        gobench_fail("errgroup: an error out of nowhere");
    }
}

static void allow_body(struct gobench_pb *pb, void *arg)
{
    GOBENCH_EACH(pb) {
        (void)!go_rate_allow_n(arg, 1);
    }
}

static void allow(struct gobench *b)
{
    go_rate r = { 0 };
    go_rate_set(&r, 1, 1);
    gobench_reset(b);
    gobench_parallel(b, allow_body, &r);
}

static void wait_body(struct gobench_pb *pb, void *arg)
{
    GOBENCH_EACH(pb) {
        (void)!go_rate_wait_n(go_ctx_background(), arg, 1);
    }
}

static void wait_no_delay(struct gobench *b)
{
    go_rate r = { 0 };
    go_rate_set(&r, 1, b->n);
    gobench_reset(b);
    gobench_parallel(b, wait_body, &r);
}

const struct gobench_row gobench_group[] = {
    { "AcquireSeq/Weighted-acquire-1-1-1", acquire_seq, { 1, 1, 1 } },
    { "AcquireSeq/Weighted-acquire-2-1-1", acquire_seq, { 2, 1, 1 } },
    { "AcquireSeq/Weighted-acquire-128-1-1", acquire_seq, { 128, 1, 1 } },
    { "AcquireSeq/Weighted-acquire-16-2-8", acquire_seq, { 16, 2, 8 } },
    { "AcquireSeq/Weighted-acquire-128-2-64", acquire_seq, { 128, 2, 64 } },
    { "AcquireContended", acquire_contended, { 0 } },
    { "Go", group, { 0 } },
    { "AllowN", allow, { 0 } },
    { "WaitNNoDelay", wait_no_delay, { 0 } },
    { NULL, NULL, { 0 } },
};
