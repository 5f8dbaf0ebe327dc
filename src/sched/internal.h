/* SPDX-License-Identifier: MIT */
/* internal.h: what the files of src/sched share with each other and with nobody else. */
#ifndef GOI_SCHED_INTERNAL_H
#define GOI_SCHED_INTERNAL_H
#include "os/os.h"
#include "sched/sched.h"
#include "sched/upcalls.h"

/* --- tunables, with the measurements in the files that use them */
enum {
    GOI_SLICE_NS = 10000000,        /* a goroutine keeps its P this long (Go: the same) */
    GOI_PICK_BUDGET = 61,           /* picks between two looks at fairness and the clock (Go) */
    GOI_SPIN_NS = 14000,            /* a thread without work looks around this long */
    GOI_SPIN_PAUSES = 32,           /* between two looks */
    GOI_SHARE_MAX = 256,            /* goroutines moved at once, under sched.lock */
    GOI_STEAL_KEPT_NS = 10000,      /* a queue that ran empty within this time is left alone */
    GOI_STEAL_STUCK_NS = 6000,      /* unless its thread has picked nothing for this long */
    GOI_STEAL_PAYS_NS = 20000,      /* a search that brought less work than this did not pay */
    GOI_DRY_SKIP = 16,              /* wakes left out: searches do not pay, so none of one's own */
    GOI_WAKE_SKIP_MAX = 8192,       /* wakes left out at most */
    GOI_M_STACK = 256 << 10,        /* a thread's own stack */
};

/* --- states */
GOI_INLINE void goi_gset(struct g *g, enum gstate from, enum gstate to)
{
    goi_assert_hot(ld_rlx(&g->state) == (uint32_t)from);
    goi_assert_hot(goi_gstate_legal(from, to));
    st_rlx(&g->state, (uint32_t)to); /* stale reads: dumps only */
}

GOI_INLINE struct g *goi_g_of(struct goi_runnable *r)
{
    return r != NULL ? goi_container_of(r, struct g, run) : NULL;
}

/* --- park.c */
/* Leaves `from` (state already set) for `to`; returns when somebody switches back, on whatever
 * thread that is. `post` runs on `to`. */
struct m *goi_switch_to(struct m *m, struct g *from, struct g *to, struct goi_post *post) GOI_PARKS;
/* Leaves `from` for the next local goroutine or the scheduler stack. */
struct m *goi_schedule(struct m *m, struct g *from, struct goi_post *post) GOI_PARKS;
struct g *goi_pick(struct p *p);
struct g *goi_pick_odd(struct p *p, struct g *to) GOI_COLD;
struct g *goi_pick_owed(struct p *p); /* after a look: the turn whose place it took; or NULL */
void goi_ask(struct p *p);            /* the next pick is a look */
void goi_looked(struct p *p);
/* First thing on a stack that was switched to. */
struct m *goi_arrive(struct g *self, struct goi_post *post);

/* --- proc.c: Ps, their queues, threads */
struct p *goi_p_new(int id);
void goi_global_push(struct g *g);              /* takes sched.lock, wakes a P if one is idle */
void goi_global_push_locked(struct g *g);
/* Up to a fair share of the global queue to p's woken queue; true if anything came. */
bool goi_global_grab(struct p *p);
void goi_p_bind_locked(struct p *p, struct m *m);
void goi_p_unbind_locked(struct p *p, struct m *m);
void goi_p_idle_locked(struct p *p);
struct p *goi_p_take_idle_locked(void);
bool goi_procs_quiet_locked(void);              /* no P is in anybody's hands */
/* Gives p, which nobody holds, to an idle thread or a new one. Not under sched.lock. */
void goi_p_start(struct p *p);
/* Wakes m, which idles; next_p and spinning have been set. */
void goi_m_wake(struct m *m);
/* Wakes a thread for an idle P when there is one and nobody searches already. */
void goi_wake_one(bool insist);
GOI_INLINE void goi_wake_maybe(void)
{
    /* [IDLE] relaxed: a stale value delays parallelism until sysmon's next look, never loses work:
     * the goroutine is on a queue that its P's owner will look at before it idles. */
    if (GOI_UNLIKELY(ld_rlx(&goi_sched.npidle) != 0) && ld_rlx(&goi_sched.nspinning) == 0) {
        goi_wake_one(false);
    }
}
/* Ends the running goroutine's slice: yields, through the global queue and the scheduler stack
 * when the P itself must go. */
struct m *goi_p_give_up(struct m *m, bool retire) GOI_PARKS;
uint32_t goi_p_work(const struct p *p);         /* queued goroutines, without runnext; a hint */
/* Changes whenever p's goroutine picks or starts one. [stat] */
GOI_INLINE uint32_t goi_p_picks(const struct p *p)
{
    return ld_rlx(&p->picks) + (uint32_t)ld_rlx(&p->spawned);
}

/* --- hold.c: the asymmetric Dekker protocol (essay there) */
bool goi_hold_p_locked(struct p *p);
void goi_release_p_locked(struct p *p);
/* Takes p from its holder, which is outside the runtime and held. */
void goi_detach_p_locked(struct p *p);
/* Half of victim's work to the global queue, by its owner or while it is held. */
void goi_share_locked(struct p *victim, bool with_next);

/* --- sysmon.c: takes p from its goroutine, which is outside the runtime; false if it is not.
 * `computes`: as far as one can see it does not sleep in the kernel. */
bool goi_p_take_locked(struct p *p, bool computes);

/* --- io.c: looking at the poller */
enum {
    GOI_IO_BUDGET_NS = 200000,          /* between two looks while Ps are busy */
    GOI_IO_HELP_NS = 1000000,           /* without a pause: more than one P can do */
};
/* Would a look find what nobody else is told of? A hint, one load when there is no poller. */
GOI_INLINE bool goi_io_wanted(void)
{
    return goi_io_open() && ld_rlx(&goi_sched.poller) == NULL && goi_io_waiters() != 0;
}
GOI_INLINE bool goi_io_due(int64_t now)
{
    return goi_io_wanted() && now - ld_rlx(&goi_sched.io_looked) >= GOI_IO_BUDGET_NS;
}
/* The Ps had their time, and none has looked: sysmon's turn. */
GOI_INLINE bool goi_io_overdue(int64_t now)
{
    return goi_io_wanted() && now - ld_rlx(&goi_sched.io_looked) >= 2 * GOI_IO_BUDGET_NS;
}
/* Looks, without waiting; true if a goroutine became runnable, on m's P if it has one, on another
 * otherwise. On a scheduler stack, or sysmon's: takes sched.lock. */
bool goi_io_look(struct m *m);
/* Shall m, which has just given up its P, sleep in the poller? Then it is sched.poller. */
bool goi_io_elect_locked(struct m *m, int64_t now);
/* m's sleep. Ends when m is woken, at the deadline, or when `ready` is not empty. */
void goi_io_sleep(struct m *m, int64_t deadline, struct goi_runq *ready);
/* m no longer sleeps in the poller. */
void goi_io_retire_locked(struct m *m);
/* What the sleep has found, made runnable: before all others. Empties `ready`. */
void goi_io_deliver(struct m *m, struct goi_runq *ready);
/* Goroutines leave p's woken queue otherwise than by being picked. */
GOI_INLINE void goi_io_forget(struct p *p) { p->io_batch = 0; }
/* p serves descriptors, and calls for help by itself when it has no pause. */
GOI_INLINE bool goi_io_serves(const struct p *p, int64_t now)
{
    return now - ld_rlx(&p->io_alone_busy) < 2 * GOI_IO_HELP_NS; /* [stat] */
}
/* What was put on busy p's queue by somebody else still waits: p has picked nothing since. */
bool goi_io_neglected_locked(struct p *p);

/* --- thread.c */
struct m *goi_m_new(void);
void goi_m_start(struct m *m);                  /* creates the thread */
void goi_m_init_thread(struct m *m);            /* thread-local parts, on the thread itself */
struct m *goi_adopt(void);                      /* first call of a thread that is not ours */
struct m *goi_m_new_system(void);               /* for sysmon: never has a P, not counted */
void goi_thread_init(void);
void goi_thread_gone(struct m *m) GOI_NORETURN; /* pthread_exit on a thread of goroutines */
void goi_thread_exit(void) GOI_NORETURN;        /* go_exit on a foreign thread */
void goi_g_extra_free(struct g *g);             /* labels, locals */

/* --- loop.c, maxprocs.c */
void goi_loop_attend(struct m *m);              /* requests in m->attn, on the scheduler stack */
void goi_procs_init(void);
void goi_stop_spinning(struct m *m, bool found);
void goi_loop(void *param, void *post) GOI_NORETURN;    /* post == m: called, not switched to */
int64_t goi_timers_all_next(void);

/* --- init.c */
void goi_freeze(void) GOI_NORETURN;             /* stops this thread until the process is gone */

/* --- sysmon.c */
void goi_sysmon_start(void);
/* Under sched.lock: has it nothing in hand? Then where its stack lies. */
bool goi_sysmon_rests(char **lo, char **hi);
void goi_sysmon_wake_locked(void);

/* --- hibernate.c: goroutines parked for `after` hibernate; 0: none do. */
void goi_hibernate_start(int64_t after);

/* --- deadlock.c: everything is idle and has been for a while. Dies if nothing can ever happen
 * again; else says when to ask again. Called by sysmon. */
int64_t goi_deadlock_check(int64_t now);

#endif
