/* SPDX-License-Identifier: MIT */
/* types.h: goroutine (g), thread (m), processor (p), and the scheduler's global state.
 *
 * Legend of the field tags:
 *   [c]         constant after init
 *   [o]         only the thread that owns the object (a g: the M running it, or whoever holds it
 *               in its state; an m: its own thread; a p: the M that holds it, inside the runtime)
 *   [l:sched]   under sched.lock
 *   [w:sched]   written under sched.lock, read anywhere atomically
 *   [s:waiting] owned by whoever may make the goroutine runnable (its queue's lock)
 *   [a:TAG]     atomic, protocol TAG (docs/MEMORY_MODEL.md)
 *   [stat]      counter: one writer, stale reads are harmless
 */
#ifndef GOI_SCHED_TYPES_H
#define GOI_SCHED_TYPES_H
#include "annot/annot.h"
#include "arch/arch.h"
#include "base/atomic.h"
#include "base/base.h"
#include "base/list.h"
#include "base/rand.h"
#include "lock/lock.h"
#include "sched/gstate.h"
#include "sched/rt.h"
#include "sched/runq.h"
#include "sched/sample.h"
#include "sched/unwind.h"
#include "stack/stack.h"
#include <gort/base.h>

struct m;
struct p;
struct goi_chan_waiter;

/* What happens on the destination's stack right after a switch: the parker's lock is released, a
 * dead goroutine's stack is put back. Lives on the stack that was left. */
struct goi_post {
    void (*fn)(struct m *m, void *arg);
    void *arg;
};

enum { GOI_NAME_MAX = 31 };

/* Labels are written by their goroutine only; dumps read those of stopped goroutines. */
struct goi_label {
    struct goi_label *next;
    const char *value;
    char key[];
};

/* Rarely used parts of a goroutine, allocated on first use. */
struct g_extra {
    char name[GOI_NAME_MAX + 1];
    struct goi_label *labels;
    struct goi_local *locals;       /* goroutine-local values; destroyed at exit */
    char *caught;                   /* [o] the whole text of what go_try caught last */
};

struct g {
    /* first line: what a switch touches */
    struct goi_regs regs;           /* [o] saved stack pointer while not running */
    struct goi_runnable run;        /* [o] links while on a run queue */
    goi_a32 state;                  /* [stat] enum gstate; [o] for those who may change it */
    uint8_t reason;                 /* [s:waiting] enum wait_reason while waiting */
    uint8_t flags;                  /* [o] GOI_G_* */
    uint8_t odd;                    /* [o] GOI_ODD_* */
    uint8_t hasty;                  /* [o] does letting another run first pay? (select.c) */
    uint16_t lock_depth;            /* [o] go_lock_thread nesting */
    int saved_errno;                /* [o] errno while not running */
    goi_a32 claim;                  /* [a:CLAIM] generation*2 + taken, for several wakers */
    void *wake_arg;                 /* [s:waiting] who woke us (waiter record), set by the waker */
    goi_a32 waits_from;             /* [stat] goi_coarse.now when it parked last */
    struct m *m;                    /* [o] the thread that runs it */
    struct m *locked_m;             /* [o] the only thread that may run it, or NULL */
    /* second line */
    uint64_t id;                    /* [c] while alive */
    struct g_extra *extra;          /* [o] or NULL */
    uintptr_t cxx[2];               /* [o] __cxa_get_globals() while not running */
    struct goi_annot_stack annot;   /* [o] */
    /* the rest */
    struct goi_stack *stack;        /* [c] its window; NULL: a thread's own stack */
    goi_fn entry;                   /* [c] what it runs */
    const char *site;               /* [c] "file:line" of the go statement */
    void *created_pc;               /* [c] return address of the go statement */
    uint64_t parent_id;             /* [c] */
    goi_done done;                  /* [c] called with done_arg when it has ended, or NULL */
    void *done_arg;
    void *wait_object;              /* [s:waiting] channel, mutex ... for reports */
    int64_t followed_at;            /* [o] since when it waits or is runnable, if it is followed */
    uint32_t weight;                /* [o] how many others it stands for then (sample.c) */
    struct goi_unwind unwind;       /* [o] defers, try frames, pending records */
    uint32_t klass;                 /* [c] of the window */
    goi_a32 thread_wake;            /* [a:TPARK] futex word of a foreign goroutine */
    uint64_t tracer_seen;           /* [o] its id and the trace's number: the trace knows it */
    struct g *foreign_next;         /* [l:sched] list of foreign goroutines and main, for dumps */
    struct goi_node wanting;        /* [l:wants] links while it waits for a mutex (sync/wants.c) */
    void *wants;                    /* [l:wants] which one, or NULL */
    uint32_t wants_from;            /* [l:wants] goi_coarse.now when that began */
    uint32_t wants_turn;            /* [l:wants] counts those waits */
    bool wants_seen, wants_told;    /* [l:wants] it has been looked at; reported */
    goi_a64 own_lo, own_hi;         /* [a:OWN] a thread's own stack, once it waited for a mutex */
};
_Static_assert(sizeof(struct g) <= GOI_STACK_DESC_BYTES, "a goroutine fits into its window's top");

/* g.flags */
enum {
    GOI_G_MAIN = 1,                 /* the process's first thread */
    GOI_G_FOREIGN = 2,              /* stands for a thread that the user made: parks on a futex */
    GOI_G_SYSTEM = 4,               /* belongs to the runtime: not counted, never deadlocked */
    GOI_G_SCHED = 8,                /* g0 of an M */
    GOI_G_LEAKED = 16,              /* nothing can wake it any more (debug/leak.c) */
};

/* m.watch: why a switch or a go statement has more to do than to switch, or to start */
enum {
    GOI_WATCH_ANNOT = 1,            /* goi_annot_follows() */
    GOI_WATCH_TRACE = 2,            /* there is a P, and what happens on it is recorded */
    GOI_WATCH_AWAY = 4,             /* no P, and the trace shows the goroutine without one */
};

/* g.odd: what takes its goroutine off the fast paths of ready and pick. */
enum {
    GOI_ODD_FOREIGN = 1,            /* as GOI_G_FOREIGN */
    GOI_ODD_LOCKED = 2,             /* locked_m is set */
    GOI_ODD_FOLLOWED = 4,           /* is measured for others (sample.c) */
    GOI_ODD_TRACED = 8,             /* the trace is told when it is readied (debug/trace.c) */
    GOI_ODD_OPEN = 16,              /* the trace shows it waiting or runnable */
    GOI_ODD_READY = GOI_ODD_FOREIGN | GOI_ODD_FOLLOWED | GOI_ODD_TRACED,    /* to be readied */
    GOI_ODD_SWAP = GOI_ODD_FOREIGN | GOI_ODD_LOCKED | GOI_ODD_FOLLOWED,     /* to be swapped */
};

/* m.attn: reasons to take the slow path at the next entry [a:RT] */
enum {
    GOI_ATTN_NO_P = 1,              /* no P: acquire one (also set for good in foreign threads) */
    /* GOI_ATTN_HOLD = 2 (rt.h):       somebody holds our P under sched.lock: wait for the lock */
    GOI_ATTN_SHARE = 4,             /* a thief is hungry: give half of the queue away */
    GOI_ATTN_SLICE = 8,             /* ran for 10 ms: yield */
    GOI_ATTN_DUE = 16,              /* timers are due, or the global queue waits */
    GOI_ATTN_RETIRE = 32,           /* GOMAXPROCS shrank: give the P up */
    GOI_ATTN_EXIT = 64,             /* the process exits on another thread: stop */
    GOI_ATTN_FORKED = 256,          /* child of fork: no scheduler here */
    GOI_ATTN_FENCE = 128,           /* no membarrier here: always set, each entry fences */
};

struct m {
    goi_a32 in_rt;                  /* [a:RT] 1 while inside the runtime */
    goi_a32 attn;                   /* [a:RT] GOI_ATTN_* */
    struct p *p;                    /* [a:RT] own thread, or under sched.lock with in_rt seen 0 */
    struct g *g;                    /* [o] running now (g0 while scheduling) */
    int *errno_place;               /* [c] this thread's errno */
    uintptr_t *cxx_place;           /* [c] this thread's exception globals, or NULL */
    struct goi_rand rand;           /* [o] */
    struct g *g0;                   /* [c] scheduler stack */
    bool foreign;                   /* [c] */
    uint8_t watch;                  /* [o] GOI_WATCH_*; by others while they hold the P (hold.c) */
    bool spinning;                  /* [o] looking for work, counted in sched.nspinning */
    int64_t found_at;               /* [o] when the last search found some, until it has run dry */
    goi_a32 wake;                   /* [a:MPARK] futex word: 0 asleep or about to, 1 woken, or
                                     * GOI_M_POLLS: asleep in the poller */
    bool polls;                     /* [o] it is sched.poller (io.c) */
    struct g *locked_g;             /* [o] goroutine that only this thread may run */
    struct p *next_p;               /* [l:sched] P handed over with the wake */
    struct m *link;                 /* [l:sched] list of idle threads */
    struct m *all_next;             /* [w:sched] list of all */
    bool idle;                      /* [l:sched] on the idle list */
    bool detached;                  /* [l:sched] runs user code without a P */
    bool hog;                       /* [l:sched] detached because it computed: counted in nhogs */
    bool hog_slice;                 /* [l:sched] has the long slice of a detached thread */
    int id, tid;                    /* [c] */
    int cpu_clock;                  /* [c] */
    struct goi_regs boot;           /* [o] the thread's own stack, left at start */
    void *sigstack;                 /* [c] alternate signal stack, or NULL; for reports */
    uint64_t seen_handoffs;         /* [stat] */
    goi_a64 reading;                /* [a:EPOCH] epoch of a reader without locks; 0: none */
};

enum { GOI_M_POLLS = 2 };

struct goi_timers;                  /* time/timer.h */

struct p {
    struct g *runnext;              /* [o] readied last by the running goroutine */
    struct goi_runq woken;          /* [o] ready again, first in first out */
    struct goi_runq fresh;          /* [o] never ran, last in first out */
    goi_a32 has_next;               /* [stat] runnext != NULL, for sysmon */
    goi_a32 tick;                   /* [stat] switches that began a new slice */
    goi_a32 picks;                  /* [stat] all switches */
    bool due;                       /* [o] timers are due, or `asked`: for the scheduler stack */
    bool asked;                     /* [o] GOI_ATTN_DUE came: it looks at the global queue too */
    bool turn_owed;                 /* [o] a look took the place of a queue's turn */
    uint32_t put_off;               /* [o] what was left of `budget` when `asked` was set */
    uint32_t spawn_run;             /* [o] go statements of the running goroutine since its pick */
    struct g *spawn_first;          /* [o] the first of those, while it is on `fresh` */
    int64_t fair_at;                /* [o] when the oldest unstarted goroutine had its turn */
    uint32_t fair_turn;             /* [o] which queue came first last time */
    uint32_t budget;                /* [o] picks until fairness, clock and timers get their turn */
    struct goi_stack_cache stacks;  /* [o] */
    uint64_t id_next, id_end;       /* [o] batch of goroutine ids */
    struct goi_timers *timers;      /* [c] */
    struct goi_tracer_ring *tracer; /* [o] NULL while no trace is recorded (debug/trace.c) */
    struct m *m;                    /* [w:sched] holder, NULL while idle */
    struct p *link;                 /* [l:sched] list of idle Ps */
    int id;                         /* [c] */
    bool idle;                      /* [l:sched] */
    bool retired;                   /* [l:sched] index >= GOMAXPROCS */
    goi_a32 io_waiters;             /* [stat] parked on descriptors here minus resumed here */
    int64_t io_alone_since;         /* [o] nothing but what descriptors woke has run (io.c) */
    uint32_t io_tick, io_batch;     /* [o] at the last such batch: tick, and how many are to run */
    struct goi_runnable *io_last;   /* [o] the last of these */
    goi_ai64 io_looked;             /* [stat] when its owner last looked at the poller */
    goi_ai64 io_alone_busy;         /* [stat] since when it has served descriptors without a pause,
                                     * or has called for help; 0: it has just been idle */
    bool io_left;                   /* [l:sched] somebody else put goroutines on its queue */
    uint32_t io_left_picks;         /* [l:sched] when it had picked so many times */
    /* sysmon's notes [o by sysmon] */
    bool mon_busy;
    uint32_t mon_tick;
    int64_t mon_since;
    int64_t mon_cpu, mon_cpu_since;
    uint32_t mon_picks, mon_drains;
    int64_t mon_stuck, mon_kept;
    /* the searching thread's notes [stat] */
    goi_a32 seen_drains, seen_picks;
    goi_ai64 kept_since, stuck_since;
    /* statistics [stat] */
    goi_a64 spawned, exited, steals, handoffs;
    struct goi_sample sample;
} GOI_ALIGNED(2 * GOI_CACHE_LINE);

enum { GOI_MAXPROCS_MAX = 1024, GOI_THREADS_MAX = 10000 };

struct goi_sched {
    struct goi_lock lock;
    goi_abool started;              /* [a:INIT] */
    goi_a32 nprocs;                 /* [w:sched] GOMAXPROCS; read by goi_procs() */
    struct p *procs[GOI_MAXPROCS_MAX];  /* [w:sched] entries never move or go away */
    goi_a32 nprocs_made;            /* [a:PROCS] */
    struct p *idle_p;               /* [l:sched] */
    goi_a32 npidle;                 /* [a:IDLE] */
    int nretired;                   /* [l:sched] Ps that GOMAXPROCS has put aside */
    struct m *idle_m;               /* [l:sched] */
    goi_a32 nspinning;              /* [a:IDLE] */
    struct goi_runq global;         /* [l:sched], n readable anywhere [a:IDLE] */
    struct m *all_m;                /* [l:sched] */
    int nm;                         /* [l:sched] threads that the runtime made */
    int nforeign;                   /* [l:sched] */
    uint64_t nadopted;              /* [l:sched] foreign threads so far */
    goi_a32 ndetached;              /* [w:sched] goroutines in user code without a P */
    goi_a32 nhogs;                  /* [w:sched] those of them that computed when it was taken */
    int nother_threads;             /* [l:sched] sysmon, helpers */
    goi_ai64 poll_until;            /* [w:sched] until when the poller sleeps; 0 if nobody does */
    goi_a64 id_next;                /* [stat] */
    goi_a64 ngoroutines_started, ngoroutines_exited;
    bool forked;                    /* [c] in the child of a fork */
    goi_abool exiting;              /* [a:EXIT] main has returned */
    goi_a32 panicking;              /* [stat] panics without go_try whose deferred calls run */
    goi_abool io_open;              /* [a:IOOPEN] there is a poller */
    goi_a32 io_waiters;             /* [stat] as in the Ps, of threads without one */
    goi_ai64 io_looked;             /* [stat] when somebody last looked at the poller */
    goi_a32 io_looking;             /* [a:IOLOOK] somebody is looking, without waiting */
    goi_aptr poller;                /* [w:sched] the struct m that sleeps in the poller, or NULL */
    goi_a32 sysmon_wake;            /* [a:SYSMON] futex word */
    goi_abool sysmon_asleep;        /* [a:SYSMON] */
    uint64_t seed;                  /* [c] */
    struct g *main_g;               /* [c] */
    goi_a32 wake_skip, wake_left;   /* [stat] wakes left out because the last ones found nothing */
    struct g *foreign_list;         /* [w:sched] main and foreign goroutines; [a:OWN] */
    struct m *foreign_free;         /* [l:sched] m's of threads that have ended */
    struct goi_lock spare_lock;     /* guards spare_stacks */
    struct goi_stack_cache spare_stacks;    /* [l:spare] for threads without a P */
    bool have_membarrier;           /* [c] */
    goi_a64 wakes;                  /* [stat] threads that were woken for a P */
    goi_a64 io_polls, io_ready;     /* [stat] looks at the poller, goroutines that they found */
    goi_a64 mutex_ns;               /* [stat] waiting for mutexes, of threads without a P */
};

extern struct goi_sched goi_sched;

/* goi_now() >> GOI_COARSE_SHIFT, about milliseconds, as sysmon saw it last: within milliseconds
 * while anything runs. Wraps after 52 days. Alone on its cache line. */
enum { GOI_COARSE_SHIFT = 20 };
struct goi_coarse { goi_a32 now; /* [stat] */ } GOI_ALIGNED(GOI_CACHE_LINE);
extern struct goi_coarse goi_coarse;

#endif
