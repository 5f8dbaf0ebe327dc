/* SPDX-License-Identifier: MIT */
/* parked.h: waiting until others have parked, for what dies when a report shall show where they
 * stand. On one processor, too: a thread that stands still may lose it at any moment. */
#ifndef GORT_TEST_DEATH_PARKED_H
#define GORT_TEST_DEATH_PARKED_H
#include "dumped.h"
#include <string.h>

/* How often a dump has that text now: "[chan receive]", "goroutine 1 [sleep]". */
static inline int parked_now(const char *state)
{
    int count = 0;
    char *text = dumped();
    for (const char *at = strstr(text, state); at != NULL; at = strstr(at + 1, state)) {
        count++;
    }
    free(text);
    return count;
}

/* Returns when n of them stand there. */
static inline void parked_await(int n, const char *state)
{
    while (parked_now(state) < n) { /* ends: or the test's time does */
        go_yield();
    }
}

#endif
