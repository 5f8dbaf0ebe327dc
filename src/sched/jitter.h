/* SPDX-License-Identifier: MIT */
/* jitter.h: switches the pauses of base/jitter.h on. */
#ifndef GOI_SCHED_JITTER_H
#define GOI_SCHED_JITTER_H
#include "base/base.h"

/* One passage in n pauses on average, which ones follows from the seed; 0: none. Does nothing in
 * builds without jitter. Called once, before any other thread knows of the runtime. */
void goi_jitter_init(uint64_t seed, uint64_t n);

#endif
