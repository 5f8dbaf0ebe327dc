/* SPDX-License-Identifier: MIT */
/* main.c: bench_c NAME [N [ARGUMENT...]] runs one benchmark and prints its figures. */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

long bench_arg(const struct bench *b, int i, long fallback)
{
    if (i >= b->argc) {
        return fallback;
    }
    return strtol(b->argv[i], NULL, 10);
}

int64_t bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void bench_report(const struct bench *b, const char *metric, double value, const char *unit)
{
    printf("%s%s%s %.6g %s\n", b->name, metric ? "." : "", metric ? metric : "", value, unit);
}

void bench_per_op(const struct bench *b, int64_t start, long ops)
{
    bench_report(b, NULL, (double)(bench_now() - start) / (double)ops, "ns");
}

void bench_ms(const struct bench *b, int64_t start)
{
    bench_report(b, NULL, (double)(bench_now() - start) / 1e6, "ms");
}

static int compare_samples(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x;
    int64_t b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

void bench_percentiles(const struct bench *b, int64_t *samples, long count)
{
    qsort(samples, (size_t)count, sizeof(*samples), compare_samples);
    bench_report(b, "p50", (double)samples[count / 2] / 1e3, "us");
    bench_report(b, "p99", (double)samples[count * 99 / 100] / 1e3, "us");
    bench_report(b, "p999", (double)samples[count * 999 / 1000] / 1e3, "us");
    bench_report(b, "max", (double)samples[count - 1] / 1e3, "us");
}

void bench_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "bench: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(3);
}

/* The sum of two lines of /proc/self/status, in bytes. */
static long status_bytes(const char *first, const char *second)
{
    FILE *f = fopen("/proc/self/status", "r");
    if (!f) {
        bench_fail("no /proc/self/status");
    }
    long sum = 0;
    char line[256];
    while (fgets(line, sizeof(line), f)) {
        if (strncmp(line, first, strlen(first)) == 0) {
            sum += strtol(line + strlen(first), NULL, 10) * 1024;
        }
        if (strncmp(line, second, strlen(second)) == 0) {
            sum += strtol(line + strlen(second), NULL, 10) * 1024;
        }
    }
    fclose(f);
    return sum;
}

long bench_memory(void)
{
    return status_bytes("VmRSS:", "VmPTE:");
}

long bench_memory_peak(void)
{
    return status_bytes("VmHWM:", "VmPTE:");
}

int64_t bench_cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    int64_t seconds = u.ru_utime.tv_sec + u.ru_stime.tv_sec;
    return seconds * 1000000000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

void *bench_alloc(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p) {
        bench_fail("out of memory: %zu times %zu bytes", count, size);
    }
    return p;
}

uint64_t bench_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x;
}

uint64_t bench_work(uint64_t seed, long units)
{
    uint64_t x = seed | 1;
    for (long i = 0; i < units; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    return x;
}

void bench_await(atomic_long *count, long goal)
{
    while (atomic_load(count) < goal) {
        go_yield();
    }
}

static int usage(void)
{
    fprintf(stderr, "usage: bench_c NAME [N [ARGUMENT...]]\n");
    for (size_t i = 0; i < bench_row_count; i++) {
        fprintf(stderr, "  %s\n", bench_rows[i].name);
    }
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        return usage();
    }
    struct bench b = { argv[1], 1000000, 0, NULL };
    if (argc > 2) {
        b.n = strtol(argv[2], NULL, 10);
        b.argc = argc - 3;
        b.argv = argv + 3;
    }
    for (size_t i = 0; i < bench_row_count; i++) {
        if (strcmp(bench_rows[i].name, b.name) == 0) {
            bench_rows[i].run(&b);
            return 0;
        }
    }
    fprintf(stderr, "bench_c: no benchmark %s in this build\n", b.name);
    return 4;
}
