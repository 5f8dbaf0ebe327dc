/* SPDX-License-Identifier: MIT */
/* sample.h: what is measured of some goroutines for all of them. The essay is in sample.c. */
#ifndef GOI_SCHED_SAMPLE_H
#define GOI_SCHED_SAMPLE_H
#include "base/atomic.h"
#include "sched/gstate.h"

/* Latencies are counted by powers of two: bucket i holds those below GOI_LATENCY_FIRST_NS << i, the
 * last one all others. */
enum { GOI_LATENCY_FIRST_NS = 128, GOI_LATENCY_BOUNDS = 28, GOI_SAMPLE_EACH_NS = 5000000 };

/* Part of every P. [stat]: its owner writes, anybody reads. */
struct goi_sample {
    goi_a64 parks[GOI_WAIT_REASONS];            /* estimated */
    goi_a64 latency[GOI_LATENCY_BOUNDS + 1];    /* estimated: how many waited so long to run */
    goi_a64 latency_ns;                         /* estimated: the sum */
    goi_a64 mutex_ns;                           /* waiting for mutexes and, estimated, RWMutexes */
    int64_t last;                               /* [o] when a goroutine was last followed */
    uint32_t due;                               /* [o] parks since then */
};

struct g;
struct m;
struct p;

/* A pick that looks at the clock: the goroutine that leaves may be one to follow. */
void goi_sample_park(struct p *p, int64_t now);
/* A new goroutine to follow, one for `weight`. */
void goi_sample_spawn(struct g *g, uint32_t weight) GOI_COLD;
/* One that is followed becomes runnable (m's P may be NULL), and runs on p. */
void goi_sample_ready(struct m *m, struct g *g) GOI_COLD;
void goi_sample_run(struct p *p, struct g *g) GOI_COLD;
/* A goroutine has waited for a mutex. Not estimated. */
void goi_sample_mutex(struct m *m, int64_t ns);

#endif
