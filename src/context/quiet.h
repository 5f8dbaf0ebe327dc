/* SPDX-License-Identifier: MIT */
/* quiet.h: whom would the end of a context wake? For the verdict that nothing can ever run again
 * (sched/deadlock.c). */
#ifndef GOI_CONTEXT_QUIET_H
#define GOI_CONTEXT_QUIET_H
#include <gort/context.h>
#include <stdbool.h>

/* Would the end of ctx make a goroutine runnable, or start a function? Asked while nothing in the
 * process runs; takes no lock. */
bool goi_ctx_wakes(const go_ctx *ctx);
/* The function that `a` stands for only tidies up: it does not count. */
void goi_ctx_after_wakes_nobody(go_ctx_after *a);

#endif
