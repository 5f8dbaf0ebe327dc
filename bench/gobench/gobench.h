/* SPDX-License-Identifier: MIT */
/* gobench.h: Go's `testing.B` for the C side, as far as benchmarks need it.
 *
 * A benchmark is a function that does b->n operations; the harness calls it with a growing b->n
 * until a run is long enough, by Go's own rule, and prints the last run as Go does. go/ holds the
 * same names doing the same work: who changes one side changes both. */
#ifndef GORT_GOBENCH_H
#define GORT_GOBENCH_H

#include <gort.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gobench {
    long n;            /* operations to do */
    long arg[3];       /* from the table */
    int parallelism;   /* goroutines of gobench_parallel() for each P; 1 unless set */
    /* The harness's own. */
    bool running;
    int64_t start, elapsed;
    long last_n;
    int64_t last_elapsed;
};

struct gobench_row {
    const char *name;  /* without "Benchmark"; sub-benchmarks after slashes */
    void (*run)(struct gobench *b);
    long arg[3];
};

/* The tables, one for each file; a row without a name ends them. */
extern const struct gobench_row gobench_sync[], gobench_wait[], gobench_map[], gobench_time[],
    gobench_context[], gobench_group[];

/* What a goroutine of gobench_parallel() sees of the operations. */
struct gobench_pb {
    atomic_long *taken;
    long n, grain, cache;
};

/* Takes the next portion of the operations and returns how many they are; 0 when there are none. */
long gobench_more(struct gobench_pb *pb);

/* True while there is one more operation to do: testing.PB.Next. */
static inline bool gobench_next(struct gobench_pb *pb)
{
    pb->cache = pb->cache > 0 ? pb->cache : gobench_more(pb);
    return pb->cache-- > 0;
}

/* Once for each operation; not to be left by break. Next counts in memory, in Go as well; this
 * counts in a variable of the loop, as a C program would. It matters where the operation takes less
 * than a nanosecond or waits for earlier stores. */
#define GOBENCH_EACH(pb)                                                                           \
    for (long gobench_left; (gobench_left = gobench_more(pb)) > 0;)                                \
        for (; gobench_left > 0; gobench_left--)

/* Runs body in parallelism * GOMAXPROCS goroutines that share the operations (b.RunParallel). */
void gobench_parallel(struct gobench *b, void (*body)(struct gobench_pb *pb, void *arg), void *arg);

/* The clock runs from the start of the benchmark until its end, unless these say otherwise. */
void gobench_start(struct gobench *b);
void gobench_stop(struct gobench *b);
void gobench_reset(struct gobench *b);

/* A dependency chain that no compiler can shorten: `units` multiplications. A call on both sides.
 */
uint64_t gobench_work(uint64_t x, long units);

/* Memory that does not fail. */
void *gobench_alloc(size_t count, size_t size);

/* Stops the program: the work was not done, so no figure may be printed. */
_Noreturn void gobench_fail(const char *why);

#endif
