/* SPDX-License-Identifier: MIT */
/* programs.h: the benchmarks of the peers written in C. The includer defines, besides what
 * channel.h asks for, task_t, start(task_t *, void *(*)(void *), void *), join(task_t), give_way(),
 * SIDE and prepare(). The work is that of bench/c. */
#ifndef GORT_BENCH_PROGRAMS_H
#define GORT_BENCH_PROGRAMS_H

#include "channel.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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

enum { TASKS_MAX = 1000 };

static task_t tasks[TASKS_MAX];
static long times;
static struct channel there, back, shared;
static struct channel gate; /* only its lock is used */
static long counter;

static void *yielder(void *arg)
{
    for (long i = 0; i < times; i++) {
        give_way();
    }
    return arg;
}

static void run_all(long count, void *(*body)(void *))
{
    for (long i = 0; i < count; i++) {
        start(&tasks[i], body, NULL);
    }
    for (long i = 0; i < count; i++) {
        join(tasks[i]);
    }
}

static void bench_yield(long n, long members)
{
    times = n / members;
    int64_t begin = now();
    run_all(members, yielder);
    report("yield", begin, times * members);
}

static void *nothing(void *arg)
{
    return arg;
}

static void bench_spawn(long n, long batch)
{
    int64_t begin = now();
    for (long done = 0; done < n; done += batch) {
        run_all(batch, nothing);
    }
    report("spawn", begin, (n + batch - 1) / batch * batch);
}

static void *echo(void *arg)
{
    long v;
    while (channel_recv(&there, &v)) {
        channel_send(&back, v);
    }
    return arg;
}

static void bench_pingpong(long n)
{
    channel_open(&there, 0);
    channel_open(&back, 0);
    start(&tasks[0], echo, NULL);
    int64_t begin = now();
    for (long i = 0; i < n; i++) {
        long v;
        channel_send(&there, i);
        channel_recv(&back, &v);
    }
    report("pingpong", begin, n);
    channel_close(&there);
    join(tasks[0]);
}

static void *produce(void *arg)
{
    for (long i = 0; i < times; i++) {
        channel_send(&shared, i);
    }
    return arg;
}

static void *consume(void *arg)
{
    long v;
    while (channel_recv(&shared, &v)) {
    }
    return arg;
}

static void bench_prodcons(long n, long capacity, long producers, long consumers)
{
    channel_open(&shared, capacity);
    times = n / producers;
    int64_t begin = now();
    for (long i = 0; i < consumers; i++) {
        start(&tasks[producers + i], consume, NULL);
    }
    run_all(producers, produce);
    channel_close(&shared);
    for (long i = 0; i < consumers; i++) {
        join(tasks[producers + i]);
    }
    report("prodcons", begin, times * producers);
}

static void *count_up(void *arg)
{
    for (long i = 0; i < times; i++) {
        mc_lock(&gate);
        counter++;
        mc_unlock(&gate);
    }
    return arg;
}

static void bench_mutex(const char *name, long n, long members)
{
    channel_open(&gate, 1);
    times = n / members;
    int64_t begin = now();
    run_all(members, count_up);
    report(name, begin, times * members);
}

static long arg_of(int argc, char **argv, int i, long fallback)
{
    return i < argc ? strtol(argv[i], NULL, 10) : fallback;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    long n = arg_of(argc, argv, 2, 100000);
    long a = arg_of(argc, argv, 3, 0);
    prepare();
    if (strcmp(name, "yield") == 0) {
        bench_yield(n, a ? a : 2);
    } else if (strcmp(name, "spawn") == 0) {
        bench_spawn(n, a ? a : 1000);
    } else if (strcmp(name, "pingpong") == 0) {
        bench_pingpong(n);
    } else if (strcmp(name, "prodcons") == 0) {
        bench_prodcons(n, a, arg_of(argc, argv, 4, 1), arg_of(argc, argv, 5, 1));
    } else if (strcmp(name, "mutex") == 0) {
        bench_mutex(name, n, a ? a : 8);
    } else if (strcmp(name, "mutex_alone") == 0) {
        bench_mutex(name, n, 1);
    } else {
        fprintf(stderr, "usage: bench_%s yield|spawn|pingpong|prodcons|mutex N ...\n", SIDE);
        return 2;
    }
    return 0;
}

#endif
