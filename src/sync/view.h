/* SPDX-License-Identifier: MIT */
/* view.h: what reports see of src/sync. */
#ifndef GOI_SYNC_VIEW_H
#define GOI_SYNC_VIEW_H
#include "base/base.h"

/* mutex.c: who waits in the halls, where a mutex does not point at its waiters: calls fn with the
 * mutex and the waiter's record. [*lo, *lo + *size) is the memory of the halls. False: some were
 * locked, and left out. Waits for no lock; fn takes none. */
bool goi_mutex_halls_view(void (*fn)(const void *mutex, const void *record, void *arg), void *arg,
                          const void **lo, size_t *size);

/* --- wants.c: cycles of mutexes. */
struct g;
/* For how long a wait must have lasted to be looked at, in steps of 1 << GOI_COARSE_SHIFT ns: for
 * another's mutex, for one that the goroutine itself has locked. */
struct goi_wants_ages { uint32_t others, self; };
/* Looks at the waits that are due and have not been looked at, and calls `found` with one of each
 * cycle; false: not now, another time. Returns when to look again, if nothing begins meanwhile. One
 * caller at a time; takes sched.lock or any other only for a moment, and `found` may take none that
 * is held where a mutex is waited for. */
int64_t goi_wants_look(int64_t now, const struct goi_wants_ages *ages,
                       bool (*found)(struct g *g));

/* A goroutine that waits, for a mutex that the goroutine `holder` has. */
struct goi_want { struct g *g; const void *mutex; uint64_t holder; };
/* The cycle that g is in, the lowest number first, each waiting for the next: how many they are,
 * and the first `room` of them. 0: it is in none, or it has been asked for before. */
size_t goi_wants_cycle(struct g *g, struct goi_want *out, size_t room);
/* All who wait. Only while nothing runs. */
void goi_wants_each(void (*fn)(struct g *g, void *arg), void *arg);
/* Memory in which goroutines are listed: nobody becomes reachable by that. */
void goi_wants_memory(const void **lo, size_t *size);

#endif
