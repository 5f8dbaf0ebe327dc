/* SPDX-License-Identifier: MIT */
/* A dump of 100,000 goroutines: short, soon over, and the program goes on. */
#include "harness.h"
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SHOWN __attribute__((noinline, used))
#define STAY() __asm__ volatile("" ::: "memory")

enum { MANY = 100000, KINDS = 3 };

static go_waitgroup there;
static go_mutex mu;

SHOWN static void receives(chan(int) c)
{
    wg_done(&there);
    (void)chan_recv(c);
    STAY();
}
SHOWN static void selects(chan(int) c)
{
    wg_done(&there);
    switch (chan_select(recv(a, c), recv(b, c))) {
    case a:
    case b:
        break;
    }
    STAY();
}
SHOWN static void locks(chan(int) c)
{
    (void)c;
    wg_done(&there);
    with_lock(&mu) { STAY(); }
}

static void start(long n, chan(int) c)
{
    wg_add(&there, (int)n);
    for (long i = 0; i < n; i++) {
        switch (i % KINDS) {
        case 0:
            go(receives, c);
            break;
        case 1:
            go(selects, c);
            break;
        default:
            go(locks, c);
        }
    }
    wg_wait(&there);
}

/* --- somebody who is at work meanwhile, and notes the longest time that he did not come on */

static bool stop;
static void works(go_duration *longest, go_waitgroup *wg)
{
    go_time last = go_now();
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        go_yield();
        go_time now = go_now();
        *longest = now - last > *longest ? now - last : *longest;
        last = now;
    }
    wg_done(wg);
}

static size_t dump_into(int fd)
{
    REQUIRE(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    go_dump(fd);
    return (size_t)lseek(fd, 0, SEEK_END);
}

static long how_many(void)
{
    if (test_under("thread") || test_under("qemu")) {
        return 2000; /* TSan's limit is 8000 */
    }
    return test_under("address") || test_under("valgrind") ? 10000 : MANY;
}

/* Each kind once; the one at work is alone. */
static bool is_folded(int fd, size_t size, long n)
{
    char text[20000];
    bool all = true;
    REQUIRE(size < sizeof text && pread(fd, text, size, 0) == (ssize_t)size);
    text[size] = '\0';
    for (int i = 0; i < KINDS; i++) {
        char want[60];
        snprintf(want, sizeof want, "\n%ld goroutines like this\n", n / KINDS + (i < n % KINDS));
        all = all && strstr(text, want) != NULL;
    }
    return all;
}

TEST_LONG(many, a_dump_of_them_is_short_and_soon_over, 60)
{
    long n = how_many();
    chan(int) c = chan_make(int);
    go_waitgroup wg = {0};
    go_duration longest = 0;
    int fd = memfd_create("dump", MFD_CLOEXEC);
    mutex_lock(&mu);
    start(n, c);
    go_yield();
    wg_add(&wg, 1);
    go(works, &longest, &wg);
    go_yield();
    go_time before = go_now();
    (void)dump_into(fd); /* with the first look at the debug information */
    go_duration took = go_now() - before;
    before = go_now();
    size_t size = dump_into(fd);
    go_duration again = go_now() - before;
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    wg_wait(&wg);
    printf("%ld goroutines: %zu bytes in %ld ms, again in %ld ms; nobody ran for %ld ms\n", n, size,
           (long)(took / GO_MS), (long)(again / GO_MS), (long)(longest / GO_MS));
    /* The last ones may have been on their way still. In qemu there are no lines, and the places in
     * the library where two have parked need not be the same. */
    while (!test_under("qemu") && !is_folded(fd, size, n)) {
        size = dump_into(fd);
    }
    close(fd);
    /* 0.5 to 1 s on a machine that is quiet; bounded by what one that is busy needs. */
    EXPECT_INT(took, <, 15 * GO_SEC);
    EXPECT_INT(again, <, 15 * GO_SEC);
    chan_close(c);
    mutex_unlock(&mu);
    while (go_count() > 1) {
        go_yield();
    }
    chan_free(c);
}
