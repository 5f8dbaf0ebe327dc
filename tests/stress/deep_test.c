/* SPDX-License-Identifier: MIT */
/* Recursion as deep as was promised, on stacks that are touched page by page. */
#include "harness.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

enum { FRAME = 4000 };

/* At least FRAME bytes a call; parks now and then, so that deep stacks are switched as well. */
__attribute__((noinline)) static long dig(char *top, size_t bytes, int *parks)
{
    volatile char pad[FRAME];
    long here = (char *)pad < top ? top - (char *)pad : 0;
    pad[0] = (char)here;
    pad[FRAME - 1] = 1;
    if ((size_t)here >= bytes) {
        go_yield();
        ++*parks;
        return 1;
    }
    if (here % (1 << 22) < FRAME) {
        go_sleep(10 * GO_US);
        ++*parks;
    }
    long below = dig(top, bytes, parks);
    return below + (pad[0] == (char)here && pad[FRAME - 1] == 1 ? 1 : -1000000000);
}

static void digs(size_t bytes, chan(long) out)
{
    char top;
    int parks = 0;
    long frames = dig(&top, bytes, &parks);
    if (parks < 1) {
        FAIL("it never parked");
    }
    chan_send(out, frames);
}

static void skip_where_stacks_are_small(void)
{
    if (test_under("valgrind") || test_under("address") || test_under("thread") ||
        test_under("qemu")) {
        SKIP("stacks are small under a tool");
    }
}

static void frames_are(long frames, size_t bytes)
{
    EXPECT_INT(frames, >, 0);
    EXPECT_INT(frames, <=, (long)(bytes / FRAME) + 2);
}

TEST_LONG(deep, two_hundred_megabytes_in_a_goroutine_that_asked_for_256, 60)
{
    chan(long) out = chan_make(long);
    size_t bytes = 200 * 1000 * 1000;
    skip_where_stacks_are_small();
    go_with(GO_OPTS(.stack = 256 * GO_MIB), digs, bytes, out);
    frames_are(chan_recv(out), bytes);
    chan_free(out);
}

static void waits(chan(int) c) { (void)chan_recv(c); }

/* While fewer than a hundred live, nobody has to ask. */
TEST_LONG(deep, thirty_megabytes_in_goroutines_that_asked_for_nothing, 60)
{
    enum { OTHERS = 90, DIGGERS = 4 };
    chan(long) out = chan_make(long);
    chan(int) stop = chan_make(int);
    size_t bytes = 30 * 1000 * 1000;
    skip_where_stacks_are_small();
    for (int i = 0; i < OTHERS; i++) {
        go(waits, stop);
    }
    for (int i = 0; i < DIGGERS; i++) {
        go(digs, bytes, out);
    }
    for (int i = 0; i < DIGGERS; i++) {
        frames_are(chan_recv(out), bytes);
    }
    chan_close(stop);
    while (go_count() > 1) {
        go_yield();
    }
    chan_free(out);
    chan_free(stop);
}

/* The memory goes back: deep stacks one after the other cost what one costs. */
TEST_LONG(deep, stacks_of_the_largest_size_come_and_go, 60)
{
    chan(long) out = chan_make(long);
    size_t bytes = 10 * 1000 * 1000;
    skip_where_stacks_are_small();
    for (int i = 0; i < 50; i++) {
        go_with(GO_OPTS(.stack = GO_GIB), digs, bytes, out);
        frames_are(chan_recv(out), bytes);
    }
    chan_free(out);
}

TEST(deep, many_goroutines_still_have_64_kilobytes)
{
    enum { N = 2000 };
    chan(long) out = chan_make(long);
    size_t bytes = 30 * 1000;
    long n = test_iterations(N);
    for (long i = 0; i < n; i++) {
        go_with(GO_OPTS(.stack = 64 * GO_KIB), digs, bytes, out);
    }
    for (long i = 0; i < n; i++) {
        frames_are(chan_recv(out), bytes);
    }
    while (go_count() > 1) {
        go_yield();
    }
    chan_free(out);
}
