/* SPDX-License-Identifier: MIT */
/* trace.h: what the files of the execution tracer share; the essay is in trace.c.
 *
 *   trace.c         start, stop, the end of the process
 *   trace_record.c  the runtime's threads put events into rings
 *   trace_write.c   a thread takes them out and writes what they mean
 *   trace_proto.c   how that is written: Perfetto's protobuf
 *   trace_region.c  what the program itself has to say
 */
#ifndef GOI_DEBUG_TRACE_H
#define GOI_DEBUG_TRACE_H
#include "base/atomic.h"
#include "base/base.h"
#include "sched/types.h"

/* The event, its goroutine, and what else there is. */
enum goi_tracer_kind {
    GOI_TR_SWITCH,      /* the P goes to g (0: the scheduler), whose function is other */
    GOI_TR_READY,       /* g was made runnable by other (0: by no goroutine) */
    GOI_TR_CREATED,     /* g was made by other */
    GOI_TR_KNOWN,       /* g's function is other; a struct origin and perhaps a name follow */
    GOI_TR_STATE,       /* at the start: what says what g waits for */
    GOI_TR_BOUND,       /* the P came to thread `other`, perhaps with g */
    GOI_TR_TAKEN,       /* g goes on without its P */
    GOI_TR_QUEUED,      /* g came back and waits for a P */
    GOI_TR_GONE,        /* g ended while the trace was not looking */
    GOI_TR_PREEMPTED,   /* g is asked to give way */
    GOI_TR_STOLE,       /* from P other */
    GOI_TR_PAUSE,       /* what says why nothing is recorded now */
    GOI_TR_RESUME,      /* g runs; other switches were not recorded */
    GOI_TR_STOP,        /* the end of the trace */
    GOI_TR_BEGIN,       /* a region of g; its name follows */
    GOI_TR_END,
    GOI_TR_LOG,         /* g says what follows */
    GOI_TR_THREAD_PARKS,/* g, a foreign thread's, waits; what says what for */
    GOI_TR_THREAD_RUNS,
};

/* event.what */
enum {
    GOI_TR_REASON = 255,            /* enum wait_reason, or: */
    GOI_TR_DEAD = 254,              /* it has ended */
    GOI_TR_RUNNABLE = 253,          /* it gave way */
    GOI_TR_AWAY = 252,              /* it runs without a P */
    GOI_TR_OPEN = 256,              /* the trace shows g waiting or runnable: that ends here */
    GOI_TR_BUDGET = 0, GOI_TR_FULL = 1, /* of a PAUSE */
};

struct goi_tracer_origin { const char *site; uint64_t parent; uintptr_t created_pc; };

struct goi_tracer_event {
    int64_t at;
    uint64_t g;
    uint64_t other;
    uint16_t kind, what;
    uint32_t more;                  /* bytes that follow, in as many whole events as they need */
};

enum {
    GOI_TR_RING = 16384,            /* events; a power of two */
    GOI_TR_RESERVE = 4,             /* kept free for PAUSE and STOP */
    GOI_TR_TEXT_MAX = 255,
    GOI_TR_WINDOW_NS = 10000000,    /* in this time ... */
    GOI_TR_BUDGET_EVENTS = 1000,    /* ... a P records so many */
};

struct goi_tracer_ring {
    goi_a32 head;                   /* [a:TRACER] written by the owner of the P */
    uint32_t limit;                 /* [o] of the P: head may go so far, as far as is known */
    uint32_t left;                  /* [o] of the P: events left in this window */
    bool on;                        /* [o] of the P: recording, not pausing */
    uint32_t picks;                 /* [o] of the P: its picks when it paused */
    int64_t window;                 /* [o] of the P: when this window began */
    uint64_t lost;                  /* [l:tracer] of the ring without a P: events dropped */
    goi_a32 tail GOI_ALIGNED(2 * GOI_CACHE_LINE); /* [a:TRACER] written by the writer */
    int id;                         /* [c] of the P; -1: of who has none */
    uint32_t size;                  /* [c] events in the ring */
    uint64_t running;               /* [o] of the writer: whom it shows running */
    struct goi_tracer_event event[];
};

struct goi_tracer {
    goi_abool on;                   /* [w:tracer] */
    struct goi_lock lock;           /* guards `on` and the head of `others`; the last to take */
    struct goi_tracer_ring *others; /* [l:tracer] for events of threads without a P */
    goi_aptr rings[GOI_MAXPROCS_MAX];   /* [a:TRACER] */
    struct goi_tracer_ring *first;  /* [c] what there was at the start */
    goi_a32 number;                 /* [stat] of this trace in the process */
    uint64_t first_id;              /* [c] goroutines below are older than the trace */
    int64_t start;                  /* [c] all times are written from here */
    int fd;                         /* [o] of the writer, once it runs */
    goi_a32 state;                  /* [a:TRACER] enum in trace.c */
    goi_a32 wake;                   /* [a:TRACER] futex word: the writer's orders, GOI_TR_ORDER_* */
    goi_a32 done;                   /* [a:TRACER] futex word: the writer has finished */
    int error;                      /* [o] of the writer until done: -errno of the file */
    bool by_knob;                   /* [c] complaints go to standard error */
};
extern struct goi_tracer goi_tracer;

enum { GOI_TR_ORDER_NONE, GOI_TR_ORDER_WRITE, GOI_TR_ORDER_FINISH, GOI_TR_ORDER_FORGET };

/* --- trace_record.c */
struct goi_tracer_ring *goi_tracer_ring_new(int id, uint32_t size);
void goi_tracer_ring_free(struct goi_tracer_ring *r);
/* Both while the world is stopped. */
void goi_tracer_attach(struct p *p, struct goi_tracer_ring *r, int64_t now);
void goi_tracer_detach(struct p *p, int64_t now);
/* g as it is, with the world stopped, into a ring of its own; changes nothing in g, since a thread
 * without a P may be about to wake it. False: no room. */
bool goi_tracer_snapshot(struct goi_tracer_ring *r, const struct g *g, int64_t now);
/* An event of the calling goroutine with a text, if a trace is recorded. */
void goi_tracer_say(enum goi_tracer_kind kind, const char *text);

/* --- trace_write.c */
bool goi_tracer_writer_new(void);       /* its memory; false: none */
void goi_tracer_writer_free(void);
void *goi_tracer_write(void *arg);      /* the writer's thread; closes fd */

/* --- trace.c: said by the writer's thread, as its last word. */
void goi_tracer_ended(void);

#endif
