/* SPDX-License-Identifier: MIT */
/* lock.c: waiting for a goi_lock. Protocol and invariants: lock.h. */
#include "lock/lock.h"
#include "os/os.h"

enum { SPINS = 64, YIELDS = 8, SLEEP_MAX_NS = 100000 };

void goi_lock_slow(struct goi_lock *l)
{
    int64_t nap = 2000;
    for (unsigned round = 0;; round++) { /* ends when the holder, which never blocks, releases */
        for (int i = 0; i < SPINS; i++) { /* L2 */
            if (goi_lock_try(l)) {
                return;
            }
            goi_pause();
        }
        if (round < YIELDS) {
            gop_thread_yield();
        } else {
            gop_sleep_ns(nap);
            nap = goi_min_i64(2 * nap, SLEEP_MAX_NS);
        }
    }
}
