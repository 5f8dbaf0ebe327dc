/* SPDX-License-Identifier: MIT */
/* clock.h: what time it is for goroutines. */
#ifndef GOI_TIME_CLOCK_H
#define GOI_TIME_CLOCK_H
#include "sched/sched.h"

/* t + d without overflow, for d >= 0: what lies beyond the end of time is the end of time. */
GOI_INLINE int64_t goi_after(int64_t t, int64_t d)
{
    int64_t sum;
    return __builtin_add_overflow(t, d, &sum) ? GOI_FOREVER : sum;
}

#endif
