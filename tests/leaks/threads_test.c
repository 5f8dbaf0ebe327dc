/* SPDX-License-Identifier: MIT */
/* What the program's own threads hold counts, whatever they are called: a thread inherits its name,
 * and a program may be called gort-something. And of a thread that cannot be seen into there is no
 * verdict. */
#include "leaks.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { STACK = 64 << 10 };

static sem_t over;
static size_t found;
static atomic_bool ends;

/* As a thread has it by itself in a program of that name. */
static void name_like_ours(void) { prctl(PR_SET_NAME, "gort-like"); }

static void waits(chan(int) c) { (void)chan_recv(c); }

static void wait_for(sem_t *s)
{
    while (sem_wait(s) != 0) { /* ends: a check interrupts it */
    }
}

static __attribute__((noinline)) void starts(void *volatile *hold)
{
    chan(int) c = chan_make(int);
    go(waits, c);
    *hold = (void *)(uintptr_t)c;
}

static __attribute__((noinline)) void scrub(void)
{
    volatile char over_what_is_left[4096];
    memset((char *)over_what_is_left, 0, sizeof over_what_is_left);
}

/* The channel is in this frame, and nowhere else. */
static void *holds(void *arg)
{
    void *volatile hold;
    (void)arg;
    name_like_ours();
    starts(&hold);
    scrub();
    set(0);
    wait_for(&over);
    chan_send((chan(int))(uintptr_t)hold, 1);
    return NULL;
}

/* The stack above, which looks itself or is looked at. */
static void *lies_above(void *looks)
{
    name_like_ours();
    if (looks != NULL) {
        found = go_leak_check(2);
    }
    set(1);
    wait_for(&over);
    return NULL;
}

static pthread_t start_on(char *stack, void *(*fn)(void *), void *arg)
{
    pthread_attr_t attr;
    pthread_t thread;
    REQUIRE(pthread_attr_init(&attr) == 0 && pthread_attr_setstack(&attr, stack, STACK) == 0);
    REQUIRE(pthread_create(&thread, &attr, fn, arg) == 0);
    pthread_attr_destroy(&attr);
    return thread;
}

/* Two small stacks, one above the other: below the upper one's stack pointer lies the lower one. */
static void neighbours(void *upper_looks)
{
    leaks_or_skip();
    char *stacks =
        mmap(NULL, 2 * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(stacks != MAP_FAILED && sem_init(&over, 0, 0) == 0);
    pthread_t lower = start_on(stacks, holds, NULL);
    await(0);
    pthread_t upper = start_on(stacks + STACK, lies_above, upper_looks);
    await(1);
    if (upper_looks == NULL) {
        found = go_leak_check(2);
    }
    EXPECT_EQ_UINT(found, 0);
    sem_post(&over);
    sem_post(&over);
    pthread_join(lower, NULL);
    pthread_join(upper, NULL);
}

TEST(alive, by_the_neighbour_of_a_thread_with_a_name_like_ours) { neighbours(NULL); }
TEST(alive, by_the_neighbour_of_a_caller_with_a_name_like_ours) { neighbours(&over); }

/* --- who blocks SIGURG */

static void block(void)
{
    sigset_t urgent;
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    pthread_sigmask(SIG_BLOCK, &urgent, NULL);
}

/* The channel is in a register, and nowhere else. */
static uintptr_t computes(uintptr_t hidden)
{
    name_like_ours();
    block();
    set(0);
    while (!atomic_load(&ends)) {
        __asm__ volatile("" : "+r"(hidden));
    }
    return hidden;
}

static void *thread_computes(void *arg) { return (void *)computes((uintptr_t)arg); }

static void by_a_thread(void *arg)
{
    pthread_t thread;
    (void)arg;
    chan(int) c = chan_make(int);
    pthread_create(&thread, NULL, thread_computes, (void *)(uintptr_t)c);
    go(waits, c);
    __asm__ volatile("" : "=r"(c));
    await(0);
    _exit(go_leak_check(2) == 0 ? 3 : 4);
}

TEST(no_verdict, where_a_thread_with_a_name_like_ours_blocks_the_signal)
{
    struct test_run run;
    leaks_or_skip();
    test_run_function(&run, 20, by_a_thread, NULL);
    EXPECT_RUN(&run, 3, "no verdict on leaked goroutines: a thread blocks SIGURG");
    test_run_free(&run);
}

static void computes_and_sends(chan(int) c)
{
    chan_send((chan(int))computes((uintptr_t)c), 1);
}

static void by_a_goroutine(void *arg)
{
    (void)arg;
    chan(int) c = chan_make(int);
    go(waits, c);
    go(computes_and_sends, c);
    __asm__ volatile("" : "=r"(c));
    await(0);
    _exit(go_leak_check(2) == 0 ? 3 : 4);
}

TEST(no_verdict, where_a_goroutine_that_runs_blocks_the_signal)
{
    struct test_run run;
    leaks_or_skip();
    test_run_function(&run, 20, by_a_goroutine, NULL);
    EXPECT_RUN(&run, 3, "no verdict on leaked goroutines: a thread blocks SIGURG");
    test_run_free(&run);
}
