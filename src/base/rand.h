/* SPDX-License-Identifier: MIT */
/* rand.h: the one source of chance. Every random choice of the runtime is a call of
 * goi_rand_next() on a generator seeded from sched.seed, so that GORTDEBUG=seed=N repeats it. */
#ifndef GOI_RAND_H
#define GOI_RAND_H
#include "base/base.h"

struct goi_rand { uint64_t s; };

/* splitmix64 (Steele, Lea, Flood 2014): one add and three mixes, any seed is good. */
GOI_INLINE uint64_t goi_rand_next(struct goi_rand *r)
{
    uint64_t z = (r->s += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Uniform in [0, n), n > 0 and n < 2^32 (Lemire's multiply-shift; bias below n / 2^32). */
GOI_INLINE uint32_t goi_rand_below(struct goi_rand *r, uint32_t n)
{
    return (uint32_t)(((goi_rand_next(r) >> 32) * n) >> 32);
}

#endif
