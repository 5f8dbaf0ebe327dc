/* SPDX-License-Identifier: MIT */
/* spent.h: processor time in seconds, for tests that measure beside other processes. */
#ifndef TESTS_HARNESS_SPENT_H
#define TESTS_HARNESS_SPENT_H
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* All that this machine has spent; 0 when it does not say. */
static inline double spent_by_all(void)
{
    long t[8] = {0};
    FILE *f = fopen("/proc/stat", "re");
    int n = f != NULL ? fscanf(f, "cpu %ld %ld %ld %ld %ld %ld %ld %ld", &t[0], &t[1], &t[2], &t[3],
                               &t[4], &t[5], &t[6], &t[7])
                      : 0;
    if (f != NULL) {
        fclose(f);
    }
    return n == 8 ? (double)(t[0] + t[1] + t[2] + t[5] + t[6] + t[7]) / (double)sysconf(_SC_CLK_TCK)
                  : 0;
}

/* What this process has spent. */
static inline double spent_by_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
