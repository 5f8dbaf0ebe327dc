/* SPDX-License-Identifier: MIT */
/* crash.h: what the signal handlers share with crash.c. */
#ifndef GOI_DEBUG_CRASH_H
#define GOI_DEBUG_CRASH_H
#include "debug/internal.h"

/* True: the caller reports. False: it was reporting already. Other threads stay in here. */
bool goi_crash_begin(void);
struct goi_out *goi_crash_out(void);
/* Prints g as running with these frames (either may be NULL) and, if wanted, all others; flushes.
 * */
void goi_crash_goroutines(struct g *g, const struct goi_frames *f, bool others);

#endif
