/* SPDX-License-Identifier: MIT */
/* sched.h: what the rest of the runtime asks of the scheduler.
 *
 * Every operation of the library has this shape:
 *
 *     struct m *m = goi_enter();      inside the runtime; a P is ours unless m->foreign
 *     ...                             short, never blocks the thread, never calls the user
 *     goi_leave(goi_m());             m may be another one if the operation parked
 *
 * enter/leave do not nest. Between them the P cannot be taken away; user code (callbacks, done
 * functions, destructors) runs outside. A foreign thread has m->p == NULL.
 */
#ifndef GOI_SCHED_SCHED_H
#define GOI_SCHED_SCHED_H
#include "arch/tls.h"
#include "os/os.h"
#include "sched/types.h"

/* Monotonic nanoseconds. Every clock reading goes through here, so that time can become virtual. */
GOI_INLINE int64_t goi_now(void) { return gop_now(); }

/* --- entering and leaving (sched/preempt.c has the protocol) */
struct m *goi_enter_slow(struct m *m) GOI_COLD;

GOI_INLINE struct m *goi_enter(void)
{
    struct m *m = goi_m();
    if (GOI_LIKELY(m != NULL)) {
        goi_assert_hot(ld_rlx(&m->in_rt) == 0);
        if (goi_rt_enter(&m->in_rt, &m->attn)) { /* [RT] */
            return m;
        }
    }
    return goi_enter_slow(m);
}

GOI_INLINE void goi_leave(struct m *m)
{
    goi_assert_hot(ld_rlx(&m->in_rt) == 1);
    goi_rt_leave(&m->in_rt); /* [RT] */
}

/* GOMAXPROCS: exact under sched.lock, a hint elsewhere. */
GOI_INLINE int goi_procs(void) { return (int)ld_rlx(&goi_sched.nprocs); }

/* The current goroutine; adopts a foreign thread. No P needed, may be called outside or inside. */
struct g *goi_self_g(void);

/* --- parking: stops the current goroutine until goi_ready(g).
 * Inside the runtime, on the goroutine's own stack. `commit(m, arg)` runs when the stack is
 * complete (on the next goroutine's stack, on another M's behalf never): it must release the lock
 * that guards the record through which a waker finds us, and must not park. NULL commit with a
 * struct goi_lock as arg releases that lock. The caller may be on another thread afterwards: use
 * the returned m. errno is preserved. */
struct m *goi_park(struct m *m, enum wait_reason reason, void *object,
                   void (*commit)(struct m *m, void *arg), void *arg) GOI_PARKS;

/* Makes a parked goroutine runnable: it goes into the caller's runnext (the waker's slot), or to
 * the global queue from threads without a P. Inside the runtime; the parker's commit has run
 * (its lock was taken by the caller). The goroutine may run, and its stack be gone, at once. */
void goi_ready(struct m *m, struct g *g);
/* The same for a crowd, in order: the first runs next unless another does, the others go behind
 * everything that is runnable here already. */
void goi_ready_back(struct m *m, struct g *g);

/* --- claims: who wakes a goroutine that waits for several things (select, a deadline, a context).
 * goi_claim_begin returns a ticket for this wait; each waker calls goi_claim(g, ticket), exactly
 * one of them gets true and must goi_ready(g); goi_claim_end is called by the owner after the park
 * (or to give up before it: true if nobody had claimed). Records that hold a ticket must be
 * unreachable before the goroutine ends. (sched/park.c) */
uint32_t goi_claim_begin(struct g *g);
bool goi_claim(struct g *g, uint32_t ticket);
bool goi_claim_end(struct g *g, uint32_t ticket);

/* --- goroutines */
/* A new goroutine, PENDING, with a stack of at least `stack` bytes (0: default). Fatal when memory
 * is exhausted. Inside the runtime. */
struct g *goi_g_new(struct m *m, size_t stack);
/* Sets where it starts and makes it runnable on this P (last in, first out). */
void goi_g_start(struct m *m, struct g *g);
/* After goi_g_start in a go statement: a goroutine that has started GOI_FRESH_MAX others in one go
 * lets them run first (park.c, run order). */
enum { GOI_FRESH_MAX = 64 };
struct m *goi_spawn_pace_slow(struct m *m) GOI_PARKS;
GOI_INLINE struct m *goi_spawn_pace(struct m *m)
{
    if (GOI_UNLIKELY(m->p != NULL && m->p->spawn_run >= GOI_FRESH_MAX)) {
        return goi_spawn_pace_slow(m);
    }
    return m;
}
void goi_g_abandon(struct m *m, struct g *g);   /* a PENDING one that shall not run */
void goi_g_set_name(struct g *g, const char *name);     /* NULL removes */
/* Ends the current goroutine. Outside the runtime, defers already run. */
void goi_g_exit(void) GOI_NORETURN;
/* Gives way: everything runnable here runs first. Inside the runtime. */
struct m *goi_yield(struct m *m) GOI_PARKS;
/* Gives way to the goroutine that was readied last, and goes behind everything that is runnable
 * here: a hand-over. Inside the runtime. */
struct m *goi_yield_next(struct m *m) GOI_PARKS;

/* Lets the goroutine that was readied last run now, and takes its place: runs next after it. False:
 * there is none, or it has to go another way. Inside the runtime. */
bool goi_swap_next(struct m **m) GOI_PARKS;

/* Calls fn for every goroutine that is not IDLE until it returns false. Stacks and states change
 * meanwhile unless the caller holds the world (goi_world_stop). */
void goi_each_g(bool (*fn)(struct g *g, void *arg), void *arg);
size_t goi_g_count(void);

/* --- P-local data for other layers: every P made so far, index 0 .. goi_procs_made() - 1. */
GOI_INLINE int goi_procs_made(void) { return (int)ld_acq(&goi_sched.nprocs_made); } /* [PROCS] */

/* --- timers call this after adding one from a thread without a P: the poller must look again. */
void goi_poller_kick(int64_t when);

/* --- waiting for what is outside (io.c) */
GOI_INLINE bool goi_io_open(void) { return ld_acq(&goi_sched.io_open); /* [IOOPEN] */ }
void goi_io_opened(void);               /* the poller is there */
/* One more (1) or one less (-1) goroutine waits. The owner of a P counts in the P: two plain
 * accesses. The sum is exact when no P is in anybody's hands, and a hint otherwise. */
GOI_INLINE void goi_io_count(struct m *m, int by)
{
    struct p *p = m->p;
    if (GOI_LIKELY(p != NULL)) {
        st_rlx(&p->io_waiters, ld_rlx(&p->io_waiters) + (uint32_t)by); /* [stat] */
    } else {
        add_rlx(&goi_sched.io_waiters, (uint32_t)by);
    }
}
/* A goroutine that waits for a descriptor has been in the kernel meanwhile: it counts as this many
 * picks, and the P that serves many looks at the clock in time, and then at the poller. */
enum { GOI_IO_PICKS = 8 };
GOI_INLINE void goi_io_weigh(struct p *p)
{
    p->budget = p->budget > GOI_IO_PICKS ? p->budget - GOI_IO_PICKS : 1;
}
uint32_t goi_io_waiters(void);
/* For goroutines that wait for something outside in order to hand it on: `idle` says how many of
 * them are among goi_io_waiters() and have nobody to hand it to. It is asked under sched.lock while
 * nothing in the process runs, and takes no lock. One such function. */
void goi_io_hands_on(uint32_t (*idle)(void));
/* A thread without a P is about to wait, and has been counted: somebody must look. */
void goi_io_kick(void);

/* --- starting */
void goi_init(void);            /* idempotent, thread-safe; called by goi_enter_slow */

/* Uniform random number in [0, n) from the M's generator; the only source of chance. */
GOI_INLINE uint32_t goi_random(struct m *m, uint32_t n) { return goi_rand_below(&m->rand, n); }

/* --- fatal errors of the user (debug/crash.c): Go's words, all goroutines, exit status 2. */
void goi_fatal(const char *text) GOI_NORETURN GOI_COLD;      /* "fatal error: " text */
/* The same where no stack can be walked: only the goroutine's name and origin follow. */
void goi_fatal_alone(const char *text) GOI_NORETURN GOI_COLD;
void goi_panic_text(const char *text) GOI_NORETURN GOI_COLD; /* a panic that go_try recovers;
                                                               outside the runtime */
#endif
