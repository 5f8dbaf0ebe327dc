/* SPDX-License-Identifier: MIT */
/* One million goroutines: made, parked on a channel all at once, woken, gone; and what each costs
 * while it is parked. */
#include "harness.h"
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <stdlib.h>

/* A line "Name:  123 kB" of a file in /proc, in bytes; 0: not there. */
static size_t proc_bytes(const char *path, const char *name)
{
    FILE *f = fopen(path, "re");
    char line[256];
    size_t kib = 0;
    size_t n = strlen(name);
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, n) == 0 && line[n] == ':') {
            kib = strtoul(line + n + 1, NULL, 10);
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return kib * 1024;
}

static size_t memory_now(void)
{
    return proc_bytes("/proc/self/status", "VmRSS") + proc_bytes("/proc/self/status", "VmPTE");
}

static long started, woken, sum;

static void park(chan(int) c, long i)
{
    bool ok;
    __atomic_fetch_add(&started, 1, __ATOMIC_RELAXED);
    int v = 0;
    ok = chan_recv_ok(c, &v);
    __atomic_fetch_add(&sum, ok ? v : i, __ATOMIC_RELAXED);
    __atomic_fetch_add(&woken, 1, __ATOMIC_RELEASE);
}

static void yield_until(long *what, long n)
{
    while (__atomic_load_n(what, __ATOMIC_ACQUIRE) < n) {
        go_yield();
    }
}

/* n goroutines park; the first `sent` are woken one by one, the others by a close. */
static size_t park_and_wake(long n, long sent)
{
    chan(int) c = chan_make(int);
    size_t before = memory_now();
    for (long i = 0; i < n; i++) {
        go(park, c, i);
    }
    yield_until(&started, n);
    size_t after = memory_now();
    for (long i = 0; i < sent; i++) {
        chan_send(c, 1);
    }
    yield_until(&woken, sent);
    chan_close(c);
    yield_until(&woken, n);
    while (go_count() > 1) {
        go_yield();
    }
    chan_free(c);
    return after > before ? after - before : 0;
}

static bool tool_counts_memory(void)
{
    return test_under("address") || test_under("thread") || test_under("valgrind") ||
           test_under("qemu");
}

/* Touching four gigabytes takes several seconds, so the whole million comes once in the suite, at
 * two processors. */
TEST_LONG(million, goroutines_park_and_wake, 120)
{
    long n = go_maxprocs(0) == 2 && test_scale() == 1 && !TEST_CLANG ? 1000000 : 50000;
    if (tool_counts_memory()) {
        n = test_under("qemu") || test_under("thread") ? 2000 : 10000; /* TSan's limit is 8000 */
    }
    if (proc_bytes("/proc/meminfo", "MemAvailable") < (size_t)n * 6000) {
        SKIP("less than %ld MB of memory are free", n * 6000 / 1000000);
    }
    size_t bytes = park_and_wake(n, n / 4);
    EXPECT_EQ_INT(woken, n);
    if (n == 1000000) {
        printf("# %zu bytes per parked goroutine\n", bytes / (size_t)n);
        EXPECT_UINT(bytes / (size_t)n, <=, 4700);
        EXPECT_UINT(bytes / (size_t)n, >=, 500); /* or it was not measured */
    }
}

/* Which receivers get a sent value is the channel's business; each got one thing. */
TEST(million, every_goroutine_gets_what_it_was_sent_or_the_close)
{
    long n = test_iterations(20000);
    (void)park_and_wake(n, n);
    EXPECT_EQ_INT(sum, n);
}

/* Warm stacks are used again: a second crowd costs no memory to speak of. */
TEST_LONG(million, the_second_crowd_reuses_the_stacks_of_the_first, 60)
{
    long n = 50000;
    if (tool_counts_memory()) {
        SKIP("memory is the tool's");
    }
    size_t first = park_and_wake(n, 0);
    started = woken = 0;
    size_t second = park_and_wake(n, 0);
    printf("# %zu MB, then %zu MB\n", first >> 20, second >> 20);
    for (int i = 0; i < 4 && second > first / 4; i++) { /* what has cooled, for a second, is cold */
        started = woken = 0;
        second = park_and_wake(n, 0);
        printf("# then %zu MB\n", second >> 20);
    }
    EXPECT_UINT(second, <=, first / 4);
}
