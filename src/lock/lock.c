/* SPDX-License-Identifier: MIT */
/* lock.c: waiting for a goi_lock. Protocol and invariants: lock.h. */
#include "lock/lock.h"
#include "os/os.h"

/* Three looks in some 2.7 us, a pause being some 12 ns. */
enum { PAUSES_FIRST = 32, PAUSES_LAST = 128, YIELDS = 8, SLEEP_MAX_NS = 100000 };

void goi_lock_slow(struct goi_lock *l)
{
    int64_t nap = 2000;
    for (unsigned round = 0;; round++) { /* ends when the holder, which never blocks, releases */
        for (int wait = PAUSES_FIRST; wait <= PAUSES_LAST; wait *= 2) { /* L2 */
            for (int i = 0; i < wait; i++) {
                goi_pause();
            }
            if (goi_lock_try(l)) {
                return;
            }
        }
        if (round < YIELDS) {
            gop_thread_yield();
        } else {
            gop_sleep_ns(nap);
            nap = goi_min_i64(2 * nap, SLEEP_MAX_NS);
        }
    }
}
