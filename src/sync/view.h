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

#endif
