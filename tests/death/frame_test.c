/* SPDX-License-Identifier: MIT */
/* Frames that are larger than the guard below a stack: compiled as gort and this build compile
 * (-fstack-clash-protection), such a frame touches its pages in turn and meets the guard; it cannot
 * step over it into another goroutine's stack, whatever it uses of itself. */
#include "death.h"
#include <gort.h>
#include <gort/short.h>

#define HERE "\t*frame_test.c:#\n"

enum { WAITERS = 5000 }; /* so many live that windows are narrow */

/* Use only their lowest bytes, as a line buffer does. */
SHOWN static int needs_128_kib(void)
{
    char line[128 << 10];
    memset(line, 1, 100);
    __asm__ volatile("" : : "r"(line) : "memory");
    return line[50];
}
SHOWN static int needs_2_mib(void)
{
    char line[2 << 20];
    memset(line, 1, 100);
    __asm__ volatile("" : : "r"(line) : "memory");
    return line[50];
}
SHOWN static int needs_200_mib(void)
{
    char line[200 << 20];
    memset(line, 1, 100);
    __asm__ volatile("" : : "r"(line) : "memory");
    return line[50];
}

struct frame {
    int (*fn)(void);
    size_t stack;
    int waiters;
};

SHOWN static void reads(const struct frame *f)
{
    (void)f->fn();
    STAY();
}
SHOWN static void waits(chan(int) c) { (void)chan_recv(c); }

static void body(void *arg)
{
    const struct frame *f = arg;
    chan(int) never = chan_make(int);
    for (int i = 0; i < f->waiters; i++) {
        go(waits, never);
    }
    go_yield();
    go_with(GO_OPTS(.stack = f->stack), reads, f);
    go_sleep(20 * GO_SEC);
}

static void dies(struct frame f, const char *name)
{
    char text[300];
    if (test_under("address") || test_under("thread") || test_under("valgrind")) {
        SKIP("the tool sees the overflow first");
    }
    snprintf(text, sizeof text,
             "runtime: goroutine stack exceeds #-byte limit\n"
             "fatal error: stack overflow\n"
             "\n"
             "goroutine # [running]:\n"
             "%s(...)\n" HERE "reads(...)\n" HERE "created by body in goroutine 1\n" HERE "...\n",
             name);
    EXPECT_DEATH(body, &f, 2, text);
}

TEST(frame, of_128_kib_on_a_small_stack)
{
    dies((struct frame){needs_128_kib, 64 * GO_KIB, 0}, "needs_128_kib");
}

TEST(frame, of_2_mib_among_many_goroutines)
{
    dies((struct frame){needs_2_mib, 0, WAITERS}, "needs_2_mib");
}

TEST(frame, of_200_mib_among_many_goroutines)
{
    dies((struct frame){needs_200_mib, 0, WAITERS}, "needs_200_mib");
}

TEST(frame, of_200_mib_on_a_wide_stack)
{
    dies((struct frame){needs_200_mib, 0, 0}, "needs_200_mib");
}
