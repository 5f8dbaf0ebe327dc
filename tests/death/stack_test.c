/* SPDX-License-Identifier: MIT */
/* Stack overflow: which goroutine, how large its stack was, where it stood, where it was made, and
 * how to get a larger one. */
#include "death.h"
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#define HERE "\t*stack_test.c:#\n"

static volatile int depth_wanted = 1 << 30;

/* 1 KiB and a little each. */
SHOWN static int recurses(int n)
{
    volatile char pad[1024];
    pad[n % 1024] = (char)n;
    int r = n < depth_wanted ? recurses(n + 1) : 0;
    return r + pad[n % 1024];
}
SHOWN static void begins(void)
{
    (void)recurses(0);
    STAY();
}

static void skip_where_there_are_no_guards(void)
{
    if (test_under("address") || test_under("thread") || test_under("valgrind")) {
        SKIP("the tool sees the overflow first");
    }
}

static void body_small(void *arg)
{
    (void)arg;
    go_with(GO_OPTS(.name = "deep one", .stack = 64 * GO_KIB), begins);
    go_sleep(20 * GO_SEC);
}

#define FIFTY                                                                                      \
    "recurses(...)\n" HERE "recurses(...)\n" HERE "...\n"                                          \
    "...# frames elided...\n"                                                                      \
    "recurses(...)\n" HERE "...\n"                                                                 \
    "begins(...)\n" HERE

TEST(stack, overflow_of_a_small_stack_shows_all_frames)
{
    skip_where_there_are_no_guards();
    EXPECT_DEATH(body_small, NULL, 2,
                 "runtime: goroutine stack exceeds 65536-byte limit\n"
                 "fatal error: stack overflow\n"
                 "\n"
                 "goroutine # [running] \"deep one\":\n"
                 "recurses(...)\n" HERE "recurses(...)\n" HERE "...\n"
                 "begins(...)\n" HERE "created by body_small in goroutine 1\n" HERE "\n"
                 "for a larger stack: go_with(GO_OPTS(.stack = 1 * GO_MIB), fn, args...)\n");
}

static void body_sized(void *arg)
{
    go_with(GO_OPTS(.stack = *(size_t *)arg), begins);
    go_sleep(20 * GO_SEC);
}
TEST(stack, overflow_of_the_size_asked_for)
{
    static const struct { size_t ask; const char *limit; int more; } cases[] = {
        {GO_MIB, "1048576", 2}, {3 * GO_MIB, "4194304", 8}, {16 * GO_MIB, "16777216", 32}};
    skip_where_there_are_no_guards();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        size_t ask = cases[i].ask;
        snprintf(text, sizeof text,
                 "runtime: goroutine stack exceeds %s-byte limit\n"
                 "fatal error: stack overflow\n"
                 "\n"
                 "goroutine # [running]:\n" FIFTY "created by body_sized in goroutine 1\n" HERE "\n"
                 "for a larger stack: go_with(GO_OPTS(.stack = %d * GO_MIB), fn, args...)\n",
                 cases[i].limit, cases[i].more);
        EXPECT_DEATH(body_sized, &ask, 2, text);
    }
}

static void body_default(void *arg)
{
    (void)arg;
    go(begins);
    go_sleep(20 * GO_SEC);
}
TEST(stack, overflow_of_the_default_stack)
{
    skip_where_there_are_no_guards();
    EXPECT_DEATH(body_default, NULL, 2,
                 "runtime: goroutine stack exceeds 67108864-byte limit\n"
                 "fatal error: stack overflow\n"
                 "\n"
                 "goroutine # [running]:\n" FIFTY "created by body_default in goroutine 1\n" HERE
                 "\n"
                 "for a larger stack: go_with(GO_OPTS(.stack = 128 * GO_MIB), fn, args...)\n");
}

static void body_main(void *arg)
{
    (void)arg;
    go_yield();
    begins();
    STAY();
}
TEST(stack, overflow_of_main)
{
    struct rlimit r;
    char text[1000];
    skip_where_there_are_no_guards();
    if (getrlimit(RLIMIT_STACK, &r) != 0 || r.rlim_cur > 64 * GO_MIB) {
        SKIP("the process's stack is large or has no limit");
    }
    snprintf(text, sizeof text,
             "runtime: goroutine stack exceeds %llu-byte limit\n"
             "fatal error: stack overflow\n"
             "\n"
             "goroutine 1 [running]:\n"
             "recurses(...)\n" HERE "recurses(...)\n" HERE "...\n"
             "...# frames elided...\n"
             "...\n"
             "begins(...)\n" HERE "body_main(...)\n" HERE "...\n"
             "main(...)\n"
             "\t*main.c:#\n"
             "\n"
             "for a larger stack of main: ulimit -s, or a goroutine of its own\n",
             (unsigned long long)r.rlim_cur);
    EXPECT_DEATH(body_main, NULL, 2, text);
}

/* Others are not shown: the fault is this goroutine's alone. And of many overflows one is told. */
static void body_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        go_with(GO_OPTS(.stack = 64 * GO_KIB), begins);
    }
    go_sleep(20 * GO_SEC);
}
TEST(stack, of_many_overflows_one_is_told)
{
    skip_where_there_are_no_guards();
    for (int i = 0; i < 3; i++) {
        EXPECT_DEATH(body_many, NULL, 2,
                     "runtime: goroutine stack exceeds 65536-byte limit\n"
                     "fatal error: stack overflow\n"
                     "\n"
                     "goroutine # [running]:\n"
                     "recurses(...)\n"
                     "...\n"
                     "begins(...)\n" HERE "created by body_many in goroutine 1\n" HERE "\n"
                     "for a larger stack: *\n");
    }
}

/* A wild store into another goroutine's guard is no overflow. */
static char *volatile inside;
static void notes_its_stack(chan(int) c)
{
    char here;
    inside = &here;
    chan_send(c, 1);
    (void)chan_recv(c);
}
static void body_wild(void *arg)
{
    chan(int) c = chan_make(int);
    (void)arg;
    go_with(GO_OPTS(.stack = 64 * GO_KIB), notes_its_stack, c);
    (void)chan_recv(c);
    for (char *p = inside;; p -= 4096) {
        *(volatile char *)p = *(volatile char *)p;
    }
}
TEST(stack, a_wild_store_into_a_guard_is_not_called_an_overflow)
{
    skip_where_there_are_no_guards();
    EXPECT_DEATH(body_wild, NULL, DIED_BY(SIGSEGV),
                 "fatal error: unexpected signal\n"
                 "[signal SIGSEGV: *]\n"
                 "\n"
                 "goroutine 1 [running]:\n"
                 "body_wild(...)\n" HERE "...\n");
}

static void *thread_recurses(void *arg)
{
    go_yield();
    begins();
    return arg;
}
static void body_thread(void *arg)
{
    pthread_attr_t a;
    pthread_t t;
    (void)arg;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 256 * GO_KIB);
    pthread_create(&t, &a, thread_recurses, NULL);
    pthread_join(t, NULL);
}
TEST(stack, overflow_of_a_thread_that_others_made_is_shown_as_its_fault)
{
    skip_where_there_are_no_guards();
    EXPECT_DEATH(body_thread, NULL, DIED_BY(SIGSEGV),
                 "fatal error: unexpected signal\n"
                 "[signal SIGSEGV: *]\n"
                 "\n"
                 "goroutine # [running, locked to thread]:\n"
                 "recurses(...)\n"
                 "...\n"
                 "begins(...)\n" HERE "...\n");
}
