/* SPDX-License-Identifier: MIT */
/* metrics.h: figures of the runtime at one moment, more or less. */
#ifndef GOI_DEBUG_METRICS_H
#define GOI_DEBUG_METRICS_H
#include "sched/sample.h"

struct goi_metrics {
    uint64_t procs, procs_idle;
    uint64_t goroutines, not_in_go, runnable, running, waiting, created;
    uint64_t threads, threads_idle, threads_searching, threads_foreign;
    uint64_t steals, handoffs, wakes;
    uint64_t timers, io_waiters, io_polls, io_ready;
    uint64_t stacks_used, stacks_cached, stack_mapped, stack_resident;
    uint64_t mutex_ns;
    uint64_t parks[GOI_WAIT_REASONS];
    struct goi_latency {
        uint64_t count[GOI_LATENCY_BOUNDS + 1];
        uint64_t ns;
    } latency;
};

enum goi_metric_kind { GOI_GAUGE, GOI_COUNTER, GOI_SECONDS, GOI_REASONS, GOI_LATENCY };

struct goi_metric {
    const char *name, *unit, *text;
    enum goi_metric_kind kind;
    size_t offset;          /* in struct goi_metrics */
};
extern const struct goi_metric goi_metric_table[];
extern const size_t goi_metric_count;

/* Inside the runtime. */
void goi_metrics_read(struct goi_metrics *out);

#endif
