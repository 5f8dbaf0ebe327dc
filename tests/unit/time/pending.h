/* SPDX-License-Identifier: MIT */
/* pending.h: waiting, in a test, until no timer is left. Whose timer has fired, or meets its end
 * when it is stopped, may go on a moment before it is counted out of its heap. */
#ifndef GORT_TEST_TIME_PENDING_H
#define GORT_TEST_TIME_PENDING_H
#include "sched/upcalls.h"
#include <gort.h>

static inline void pending_none(void)
{
    while (goi_timers_pending() != 0) { /* ends: or the test's time does */
        go_yield();
    }
}

#endif
