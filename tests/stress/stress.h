/* SPDX-License-Identifier: MIT */
/* stress.h: what the stress tests share. Their course is drawn from test_seed(): how many take
 * part, which operation each does next, when it gives way. How the threads interleave is not, but
 * in builds with jitter (src/base/jitter.h) the runtime's pauses are. */
#ifndef GORT_TEST_STRESS_H
#define GORT_TEST_STRESS_H
#include "harness.h"
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>

/* How many seeds each of these tests runs with. */
enum { STRESS_SEEDS = 3 };

struct stress_rand {
    uint64_t s;
};

/* A generator for participant `i`; no two in one test get the same numbers. */
static inline struct stress_rand stress_rand(long i)
{
    uint64_t s = test_seed() * 0x9e3779b97f4a7c15u + (uint64_t)i * 0xd1342543de82ef95u;
    return (struct stress_rand){s};
}

/* A number below n. */
static inline long stress_below(struct stress_rand *r, long n)
{
    uint64_t z = (r->s += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (long)((z ^ (z >> 31)) % (uint64_t)n);
}

static inline long stress_between(struct stress_rand *r, long lo, long hi)
{
    return lo + stress_below(r, hi - lo + 1);
}

/* Now and then: gives way, computes for a moment, or blocks for some microseconds. */
static inline void stress_pause(struct stress_rand *r)
{
    long kind = stress_below(r, 64);
    if (kind < 4) {
        go_yield();
    } else if (kind < 6) {
        for (volatile long i = stress_below(r, 2000); i > 0; i--) {
        }
    } else if (kind == 6) {
        go_sleep(stress_below(r, 100) * GO_US);
    }
}

static inline void stress_add(long *sum, long n) { __atomic_fetch_add(sum, n, __ATOMIC_RELAXED); }
static inline long stress_get(long *sum) { return __atomic_load_n(sum, __ATOMIC_ACQUIRE); }

/* Until this goroutine is the only one. Who has called wg_done may still have to leave. */
static inline void stress_alone(void)
{
    while (go_count() > 1) {
        go_yield();
    }
}

#endif
