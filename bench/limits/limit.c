/* SPDX-License-Identifier: MIT */
/* limit.c: what the machine itself allows, for the rows whose cost has a floor.
 *
 *   switch       one switch of stacks, by the routine that the runtime uses
 *   futex        a round trip between two threads that sleep in futex
 *   copy         a long goes into a ring of 100 and out again, one thread, no lock
 *   copy_across  the same between two threads, each with one index to publish
 *   atomic       an uncontended atomic exchange and a releasing store: a lock and an unlock
 *   page         the first touch of a page
 *   echo         a TCP echo server on bare epoll, one thread for each of GOMAXPROCS
 *   warm         touches N megabytes, so that the host of a virtual machine backs them
 */
#include "limit.h"

#include "arch/arch.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void report(const char *name, int64_t start, long ops)
{
    printf("%s %.6g ns\n", name, (double)(now() - start) / (double)ops);
}

static struct goi_regs outside, inside;

static void other_side(void *param, void *arg)
{
    (void)param;
    (void)arg;
    for (;;) {
        goi_switch(&inside, &outside, NULL);
    }
}

static void run_switch(long n)
{
    static _Alignas(64) char stack[16384];
    goi_regs_init(&inside, stack + sizeof(stack), other_side, NULL);
    int64_t start = now();
    for (long i = 0; i < n / 2; i++) {
        goi_switch(&outside, &inside, NULL);
    }
    report("switch", start, n / 2 * 2);
}

struct turn {
    _Atomic uint32_t word;
};

static struct turn ours, theirs;
static long trips;

static void wait_for(struct turn *t)
{
    while (atomic_exchange(&t->word, 0) == 0) {
        syscall(SYS_futex, &t->word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    }
}

static void give(struct turn *t)
{
    atomic_store(&t->word, 1);
    syscall(SYS_futex, &t->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *answer(void *arg)
{
    for (long i = 0; i < trips; i++) {
        wait_for(&theirs);
        give(&ours);
    }
    return arg;
}

static void run_futex(long n)
{
    pthread_t t;
    trips = n;
    pthread_create(&t, NULL, answer, NULL);
    int64_t start = now();
    for (long i = 0; i < n; i++) {
        give(&theirs);
        wait_for(&ours);
    }
    report("futex", start, n);
    pthread_join(t, NULL);
}

enum { RING = 100 };

static volatile long ring[RING];

static void run_copy(long n)
{
    long sum = 0;
    long in = 0;
    long out = 0;
    int64_t start = now();
    for (long i = 0; i < n; i += RING) {
        for (int k = 0; k < RING; k++) {
            ring[in] = i;
            in = in + 1 == RING ? 0 : in + 1;
        }
        for (int k = 0; k < RING; k++) {
            sum += ring[out];
            out = out + 1 == RING ? 0 : out + 1;
        }
    }
    report("copy", start, n);
    if (sum < 0) {
        exit(3);
    }
}

static struct {
    _Atomic long count;
    char pad[120];
} put, taken;

/* Spins; gives way after a while, for where there is but one core the other side has to run. */
static void spin(long *spins)
{
    if (++*spins % 1000 == 0) {
        sched_yield();
    }
}

static void *drain(void *arg)
{
    long sum = 0;
    long spins = 0;
    for (long i = 0; i < trips;) {
        long limit = atomic_load_explicit(&put.count, memory_order_acquire);
        if (i == limit) {
            spin(&spins);
        }
        while (i < limit) {
            sum += ring[i % RING];
            i++;
            atomic_store_explicit(&taken.count, i, memory_order_release);
        }
    }
    return sum < 0 ? arg : NULL;
}

static void run_copy_across(long n)
{
    pthread_t t;
    trips = n;
    pthread_create(&t, NULL, drain, NULL);
    int64_t start = now();
    long spins = 0;
    for (long i = 0; i < n;) {
        long limit = atomic_load_explicit(&taken.count, memory_order_acquire) + RING;
        if (i == limit) {
            spin(&spins);
        }
        while (i < limit && i < n) {
            ring[i % RING] = i;
            i++;
            atomic_store_explicit(&put.count, i, memory_order_release);
        }
    }
    pthread_join(t, NULL);
    report("copy_across", start, n);
}

static void run_atomic(long n)
{
    _Atomic int word = 0;
    int64_t start = now();
    for (long i = 0; i < n; i++) {
        (void)atomic_exchange_explicit(&word, 1, memory_order_acquire);
        atomic_store_explicit(&word, 0, memory_order_release);
    }
    report("atomic", start, n);
}

static void touch(const char *name, long pages)
{
    size_t size = (size_t)pages * 4096;
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED) {
        fprintf(stderr, "bench_limit: no memory\n");
        exit(3);
    }
    madvise(p, size, MADV_NOHUGEPAGE);
    int64_t start = now();
    for (size_t i = 0; i < size; i += 4096) {
        p[i] = 1;
    }
    report(name, start, pages);
    munmap(p, size);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    long n = argc > 2 ? strtol(argv[2], NULL, 10) : 1000000;
    if (strcmp(name, "switch") == 0) {
        run_switch(n);
    } else if (strcmp(name, "futex") == 0) {
        run_futex(n);
    } else if (strcmp(name, "copy") == 0) {
        run_copy(n);
    } else if (strcmp(name, "copy_across") == 0) {
        run_copy_across(n);
    } else if (strcmp(name, "atomic") == 0) {
        run_atomic(n);
    } else if (strcmp(name, "page") == 0) {
        touch("page", n);
    } else if (strcmp(name, "warm") == 0) {
        touch("warm", n * 256);
    } else if (strcmp(name, "echo") == 0) {
        return serve_echo();
    } else {
        fprintf(stderr, "usage: bench_limit switch|futex|copy|copy_across|atomic|page|echo N\n");
        return 2;
    }
    return 0;
}
