/* SPDX-License-Identifier: MIT */
/* bench.h: what a benchmark of the C side sees.
 *
 * A benchmark is BENCH(name) { ... } in any file of this directory; the runner collects the names
 * into the table that main.c searches. It does b->n operations of its kind, with parameters from
 * the command line, and reports one or more figures. bench/go holds the same names doing the same
 * work: who changes one side changes both.
 */
#ifndef GORT_BENCH_H
#define GORT_BENCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gort.h>
#include <gort/short.h>

struct bench {
    const char *name;
    long n;      /* operations to do */
    int argc;    /* further parameters */
    char **argv; /* their texts */
};

struct bench_row {
    const char *name;
    void (*run)(struct bench *b);
};

/* Written by the runner from the BENCH lines of the files that could be built. */
extern const struct bench_row bench_rows[];
extern const size_t bench_row_count;

#define BENCH(name) \
    void bench_##name(struct bench *b); \
    void bench_##name(struct bench *b)

/* Parameter i, or the fallback when the command line has none. */
long bench_arg(const struct bench *b, int i, long fallback);

/* Monotonic nanoseconds, from the kernel and not from the runtime under test. */
int64_t bench_now(void);

/* Prints "NAME VALUE UNIT", or "NAME.METRIC VALUE UNIT" when metric is not NULL. */
void bench_report(const struct bench *b, const char *metric, double value, const char *unit);

/* The usual figure: nanoseconds since start, divided by ops. */
void bench_per_op(const struct bench *b, int64_t start, long ops);

/* Milliseconds since start, for whole programs. */
void bench_ms(const struct bench *b, int64_t start);

/* Reports p50, p99, p99.9 and the largest of the samples, which it sorts, in microseconds. */
void bench_percentiles(const struct bench *b, int64_t *samples, long count);

/* Stops the program with a message: the work was not done, so no figure may be printed. */
_Noreturn void bench_fail(const char *format, ...);

/* Resident memory and page tables of this process, in bytes; peak is the high-water mark. */
long bench_memory(void);
long bench_memory_peak(void);

/* CPU time of the process so far, in nanoseconds. */
int64_t bench_cpu(void);

/* Allocation that does not fail. */
void *bench_alloc(size_t count, size_t size);

/* Keeps the processor busy for `units` steps of a dependency chain of six instructions. */
uint64_t bench_work(uint64_t seed, long units);

/* A small generator with the same stream on both sides. */
uint64_t bench_random(uint64_t *state);

/* Spins in the runtime until *count has reached the goal. */
void bench_await(atomic_long *count, long goal);

#endif
