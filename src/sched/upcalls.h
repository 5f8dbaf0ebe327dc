/* SPDX-License-Identifier: MIT */
/* upcalls.h: the only calls that point upward, from the scheduler to layers that include it.
 * Each is defined once, in the file named. */
#ifndef GOI_SCHED_UPCALLS_H
#define GOI_SCHED_UPCALLS_H
#include "base/base.h"

struct goi_timers;
struct g;
struct m;
struct p;
struct goi_stack;

/* time/timer.c: a P's timers. */
struct goi_timers *goi_timers_new(void);
/* Runs what is due of `t` (any P's) at `now`; goroutines that become ready go to m's P. Inside the
 * runtime on a scheduler or goroutine stack. Returns the next deadline, GOI_FOREVER if none. */
int64_t goi_timers_run(struct m *m, struct goi_timers *t, int64_t now);
/* Earliest deadline, readable by any thread at any time. */
int64_t goi_timers_next(const struct goi_timers *t);
/* Moves all timers of a retired P. */
void goi_timers_move(struct goi_timers *from, struct goi_timers *to);
/* Pending timers, over all Ps. */
size_t goi_timers_pending(void);
/* Would one of them make a goroutine runnable? Under sched.lock, while nothing runs. */
bool goi_timers_wake_any(void);

/* netpoll/netpoll.c. Inside the runtime, when goi_io_open(). */
struct goi_runq;
/* Appends to `ready`, through their run links, the goroutines whose descriptors are ready; they are
 * still WAITING, and claimed. Deadline 0: does not wait; otherwise blocks the thread until then, or
 * until something is reported or goi_netpoll_break() is called. One thread at a time may block. */
void goi_netpoll(struct goi_runq *ready, int64_t deadline);
void goi_netpoll_break(void);

/* debug/crash.c */
void goi_crash_deadlock(const char *text) GOI_NORETURN;     /* whole process, all goroutines */
void goi_crash_overflow(const struct goi_stack *s, void *fault, void *ucontext);
/* Another thread is reporting a crash, and will end the process. */
bool goi_crash_elsewhere(void);
/* debug/cycle.c: sysmon calls it every 10 ms or so, and before it sleeps for long: looks for cycles
 * of mutexes. Returns when it wants to be called next if nobody begins to wait meanwhile. */
int64_t goi_cycles_look(int64_t now);
/* debug/signal.c: sysmon calls it at every look; prints what a signal asked for. */
void goi_debug_tick(void);
/* Is there something to print? With a full fence before the look (QUIT in signal.c). */
bool goi_debug_wanted(void);
/* debug/top.c: tells who looks in from outside where everything is. Once, at the start. */
void goi_top_init(void);
/* debug/leak.c: the process is about to end. Outside the runtime. */
void goi_debug_exit(void);
/* debug/trace_record.c: what the execution tracer (debug/trace.c) is told. Those with an M are
 * called by who has its P, and only while it is recorded (GOI_WATCH_TRACE, or p->tracer != NULL);
 * those without ask themselves, in a load. */
void goi_tracer_switch(struct m *m, struct g *from, struct g *to) GOI_COLD;
void goi_tracer_ready(struct m *m, struct g *g) GOI_COLD;   /* also of an M without a P */
void goi_tracer_started(struct m *m, struct g *g) GOI_COLD; /* the same */
void goi_tracer_preempted(struct m *m) GOI_COLD;
void goi_tracer_stole(struct m *m, const struct p *victim) GOI_COLD;
void goi_tracer_bound(struct p *p, struct m *m) GOI_COLD;   /* under sched.lock, by m's thread */
void goi_tracer_unbound(struct p *p, struct m *m) GOI_COLD; /* the same, or m is held */
void goi_tracer_tick(struct p *p, int64_t now) GOI_COLD;    /* now and then, by p's owner */
void goi_tracer_queued(struct m *m, struct g *g);   /* it ran without a P, and waits for one */
void goi_tracer_gone(struct g *g);          /* it ended, and the trace shows it waiting */
void goi_tracer_thread_parks(struct g *g);  /* a foreign thread's goroutine */
void goi_tracer_thread_runs(struct g *g);
void goi_tracer_p_made_locked(struct p *p);
/* debug/trace.c: the runtime has started: GORTDEBUG=trace=FILE. */
void goi_tracer_init(void);
/* The process ends: what was recorded is written. */
void goi_tracer_exit(void);

/* debug/knobs.c: reads GORTDEBUG; called once at start. */
void goi_knobs_init(void);
uint64_t goi_knob_seed(void);
uint64_t goi_knob_jitter(void);
uint64_t goi_knob_hibernate(void);      /* nanoseconds; 0: off */

#endif
