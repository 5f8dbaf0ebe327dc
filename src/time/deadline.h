/* SPDX-License-Identifier: MIT */
/* deadline.h: parking with a deadline, for every operation that has an `_until` form. */
#ifndef GOI_TIME_DEADLINE_H
#define GOI_TIME_DEADLINE_H
#include "sched/sched.h"
#include "time/timer.h"

/* Parks as goi_park() does, and wakes at `deadline` unless another waker has claimed the wait
 * before. Returns 0 when it was woken by somebody else, -ETIMEDOUT when the deadline claimed it.
 * No timer is left behind in either case.
 *
 *     uint32_t ticket = goi_claim_begin(g);
 *     ... publish a record {g, ticket} under the object's lock ...
 *     int r = goi_park_until(&m, reason, object, NULL, &object->lock, ticket, deadline);
 *     goi_claim_end(g, ticket);
 *     if (r == -ETIMEDOUT) { ... take the record off the queue, under the lock ... }
 *
 * A deadline of GOI_FOREVER sets no timer; one that has passed times out unless a waker comes
 * first. `commit` and `arg` as for goi_park(). Inside the runtime; *m is the thread afterwards. */
int goi_park_until(struct m **m, enum wait_reason reason, void *object,
                   void (*commit)(struct m *m, void *arg), void *arg, uint32_t ticket,
                   int64_t deadline) GOI_PARKS;

#endif
