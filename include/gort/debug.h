/* SPDX-License-Identifier: MIT */
/* debug.h: looking inside a running program. */
#ifndef GO_DEBUG_H
#define GO_DEBUG_H

#include <gort/base.h>

GO_BEGIN_DECLS

/* Writes every goroutine to fd, as SIGQUIT does: number, state, for how long, where it stands,
 * where it was made. The others go on meanwhile, so each is shown at its own moment. */
GO_API void go_dump(int fd);

/* ---- figures of the runtime ---- */

enum go_metrics_format {
    GO_METRICS_PROMETHEUS,      /* the text that Prometheus fetches: go_sched_goroutines_... */
    GO_METRICS_JSON,            /* one object: "/sched/goroutines:goroutines": 12, ... */
};

/* Writes figures of the runtime to fd: goroutines by state, how long they wait to run, why they
 * park, threads, timers, descriptors, stacks. Names and meanings are those of Go's runtime/metrics
 * where Go has them; the others begin with gort. Counters only grow.
 *
 * Nobody is stopped: each figure was true at some moment during the call, not all at the same one.
 * The states of goroutines add up to their number. What is called estimated is measured of some
 * goroutines for all: right on the average of many. Some 50 us. 0 or -errno (of write; -EINVAL for
 * an unknown format, -ENOMEM). */
GO_API int go_metrics_write(int fd, enum go_metrics_format format);

GO_END_DECLS

#endif
