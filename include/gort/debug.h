/* SPDX-License-Identifier: MIT */
/* debug.h: looking inside a running program. */
#ifndef GO_DEBUG_H
#define GO_DEBUG_H

#include <gort/base.h>

GO_BEGIN_DECLS

/* Writes every goroutine to fd, as SIGQUIT does: number, state, for how long, where it stands,
 * where it was made. The others go on meanwhile, so each is shown at its own moment. */
GO_API void go_dump(int fd);

/* Goroutines that nothing can wake any more, since nobody else has what they wait for; written to
 * fd (unless negative) with where they were made. Returns how many. */
GO_API size_t go_leak_check(int fd);

enum go_metrics_format { GO_METRICS_PROMETHEUS, GO_METRICS_JSON };

/* Writes the counters of the runtime. 0 or -errno. */
GO_API int go_metrics_write(int fd, enum go_metrics_format format);

/* Records what the scheduler does into a file that Perfetto opens, until the stop. 0 or -errno;
 * -EBUSY when a trace is being recorded, -EINVAL when none is. */
GO_NODISCARD GO_API int go_trace_start(const char *path);
GO_API int go_trace_stop(void);

/* Goroutines parked for that long give their stack page back (529 bytes each remain). 0: off, the
 * default. The same as GORTDEBUG=hibernate=1s. */
GO_API void go_hibernate_after(go_duration d);

GO_END_DECLS

#endif
