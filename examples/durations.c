/* SPDX-License-Identifier: MIT */
/* durations.c: durations and points in time.
 *
 * A go_duration counts nanoseconds, a go_time is a reading of the monotonic clock, and both are
 * plain 64-bit integers: arithmetic, comparison and division just work. A sleeping goroutine keeps
 * no thread busy, and never wakes early.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static const char *yes(bool b)
{
    return b ? "true" : "false";
}

int main(void)
{
    go_duration film = GO_HOUR + 47 * GO_MIN + 30 * GO_SEC;
    printf("the film runs for %lld s, or %.3f h\n", (long long)(film / GO_SEC),
           (double)film / (double)GO_HOUR);
    printf("in hours, minutes, seconds: %lld:%02lld:%02lld\n", (long long)(film / GO_HOUR),
           (long long)(film % GO_HOUR / GO_MIN), (long long)(film % GO_MIN / GO_SEC));
    printf("250 us are %lld ns\n", (long long)(250 * GO_US));

    go_time start = go_now();
    go_sleep(20 * GO_MS);
    printf("slept for 20 ms or longer: %s\n", yes(go_since(start) >= 20 * GO_MS));

    go_time deadline = start + 40 * GO_MS;
    go_sleep_until(deadline);
    printf("woke at the deadline or later: %s\n", yes(go_now() >= deadline));

    start = go_now();
    go_sleep(-GO_SEC);
    go_sleep(0);
    printf("zero and negative sleeps return at once: %s\n", yes(go_since(start) < GO_SEC));

    /* Ten sleeps at the same time take as long as one. */
    go_waitgroup wg = { 0 };
    start = go_now();
    for (int i = 0; i < 10; i++) {
        wg_go(&wg, go_sleep, 100 * GO_MS);
    }
    wg_wait(&wg);
    printf("ten sleeps side by side take less than ten in a row: %s\n",
           yes(go_since(start) < 1000 * GO_MS));
    return 0;
}
