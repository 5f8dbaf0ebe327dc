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

/* ---- goroutines that hibernate ---- */

/* Goroutines that have been parked for d give the page of their stack back, and get it again when
 * they go on, or when anybody touches it: then they take some 500 bytes instead of 4,300, and
 * waking one takes some microseconds more. 0: off, the default; those that hibernate are brought
 * back before the call returns. Less than 10 ms counts as 10 ms. `GORTDEBUG=hibernate=1s` is the
 * same from the start of a program.
 *
 * Pointers into parked stacks stay valid: other goroutines and threads may read and write there,
 * and pass them to any call of this library. What may fail is a system call that the program makes
 * by itself (or a library for it), from another goroutine, with a pointer into a stack that
 * hibernates: EFAULT, because the kernel does not ask for the page. Read or write a byte there just
 * before, or leave hibernation off. And the page comes back by way of SIGSEGV: a program that
 * installs a handler of its own for it must do so before its first call into this library (which
 * then calls it for all other faults), and no thread that touches such a stack may block the
 * signal. If the handler is replaced later, nothing more hibernates.
 *
 * Where it does not work it says why on standard error and stays off: it needs Linux 6.13 and
 * userfaultfd, and no sanitizer or Valgrind. */
GO_API void go_hibernate_after(go_duration d);

/* ---- goroutines that wait for ever ---- */

/* Looks for goroutines that nothing can wake any more: none that can still run, no timer, nothing
 * from outside and no variable leads to what they wait for. Writes them to fd (unless negative)
 * with where they stand and where they were made, and returns how many there are. Nothing is freed:
 * they go on being there. The program stands still for as long as reading its memory takes; a
 * thread that is in poll, epoll_wait, nanosleep or the like gets EINTR. Does not park. Where there
 * can be no certainty (under a sanitizer or valgrind, or when a thread that the program made, or
 * that runs a goroutine, blocks SIGURG) it says so on fd and returns 0. `GORTDEBUG=leaks=1` does
 * the same when the program ends, `leakscan=10s` at that interval, for those that are new. */
GO_API size_t go_leak_check(int fd);

/* ---- execution traces ----------------------------------------------------------------------- */

/* A trace of go_trace_start shows every goroutine over time: where it ran, what it waited for, who
 * woke it. It opens in Perfetto (ui.perfetto.dev), and `gort trace FILE` makes a page of it. A P
 * records at most 100,000 events in a second and leaves a marked gap when there are more, so a
 * trace costs the program little however often it switches. GORTDEBUG=trace=FILE records from start
 * to exit. */

/* Starts recording into a new file at path, until go_trace_stop() or the end of the process. 0, or
 * -errno of the file; -EBUSY when a trace is being recorded, -EAGAIN when the goroutines could not
 * be stopped for the moment that it takes, -ENOMEM. */
GO_API GO_NODISCARD int go_trace_start(const char *path);

/* Ends the trace; the file is complete when it returns. 0; -EINVAL when none is being recorded;
 * -errno when the file could not be written (what is there until then can be read). */
GO_API int go_trace_stop(void);

/* True while a trace is recorded: for who would prepare a text for go_trace_log. */
GO_API bool go_trace_enabled(void);

/* A stretch of the calling goroutine's time, shown under its name in the trace. They nest; each
 * goroutine ends its own. Without a trace each is a call and a look. 255 bytes of the name are
 * kept. go_region("name") { ... } is a region for a block, however the block is left, but for a
 * panic. */
GO_API void go_region_begin(const char *name);
GO_API void go_region_end(void);

/* A moment of the calling goroutine with a text of up to 255 bytes. */
GO_API void go_trace_log(const char *message);

GO_API bool goi_region_enter(const char *name);
GO_API void goi_region_leave(const bool *inside);

GO_END_DECLS

#define go_region(name) GOI_REGION(__COUNTER__, name)
#define GOI_REGION(N, name) \
    for (bool GOI_CAT(goi_inside_, N) GO_CLEANUP(goi_region_leave) = goi_region_enter(name), \
              *GOI_CAT(goi_once_, N) = &GOI_CAT(goi_inside_, N); \
         GOI_CAT(goi_once_, N); GOI_CAT(goi_once_, N) = NULL)

#endif
