/* SPDX-License-Identifier: MIT */
/* parked.h: waiting until others have parked, for what dies when a report shall show where they
 * stand. On one processor, too: a thread that stands still may lose it at any moment. */
#ifndef GORT_TEST_DEATH_PARKED_H
#define GORT_TEST_DEATH_PARKED_H
#include <gort.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* How often a dump has that text now: "[chan receive]", "goroutine 1 [sleep]". */
static inline int parked_now(const char *state)
{
    char text[8192];
    int count = 0;
    int fd = memfd_create("dump", MFD_CLOEXEC);
    go_dump(fd);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    for (const char *at = strstr(text, state); at != NULL; at = strstr(at + 1, state)) {
        count++;
    }
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
