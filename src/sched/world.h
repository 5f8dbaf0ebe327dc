/* SPDX-License-Identifier: MIT */
/* world.h: stopping all goroutines for a moment, to look at them. */
#ifndef GOI_SCHED_WORLD_H
#define GOI_SCHED_WORLD_H
#include "sched/types.h"

/* After true no goroutine is resumed, started or ended until goi_world_start(), and all that are
 * not running on a thread have their registers saved. Running ones go on in user code and wait at
 * their next entry into the runtime. sched.lock is held meanwhile, so the caller must keep clear of
 * it.
 *
 * Gives up after `patience` nanoseconds: false, and nothing is held. From any thread, inside the
 * runtime or not; one that holds sched.lock gets false. */
bool goi_world_stop(int64_t patience);
void goi_world_start(void);

/* Calls fn for every goroutine descriptor in memory, those of threads first, until it returns
 * false; fn tells by the state whether it is one. When the world is not stopped they change
 * meanwhile. `crashing`: does not wait for locks whose holders may be gone. */
void goi_world_each(bool (*fn)(struct g *g, void *arg), void *arg, bool crashing);

#endif
