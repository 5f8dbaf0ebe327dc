/* SPDX-License-Identifier: MIT */
/* cycle.h: reports of goroutines that wait for each other's mutexes. */
#ifndef GOI_DEBUG_CYCLE_H
#define GOI_DEBUG_CYCLE_H
#include "debug/internal.h"

/* For the report of a deadlock, when nothing runs: lets a report that is being written come to its
 * end, and no other begin; what has not been told. */
void goi_cycles_hold(void);
void goi_cycles_write(struct goi_out *o);
/* The process is about to end: what has been found and not told. Outside the runtime. */
void goi_cycles_exit(void);
/* Calls fn for each piece of memory that leads to goroutines which wait. */
void goi_cycles_memory(void (*fn)(const void *lo, size_t size, void *arg), void *arg);

#endif
