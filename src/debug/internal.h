/* SPDX-License-Identifier: MIT */
/* internal.h: what the files of src/debug share.
 *
 *   symbol_*.c   what function and line a program counter belongs to
 *   frames.c     the program counters of a stack: this one's, a parked goroutine's, a signal's
 *   capture.c    all goroutines, copied, at one moment or at several
 *   dump.c       printing what was captured
 *   crash.c      the end of the process: fatal errors, panics, overflow
 *   signal.c     SIGQUIT, and signals that kill
 *   schedtrace.c a line about the scheduler at each interval
 *   metrics*.c   figures; knobs.c what the environment asks for; top.c for who looks from outside
 *   trace*.c     the execution tracer (trace.h)
 */
#ifndef GOI_DEBUG_INTERNAL_H
#define GOI_DEBUG_INTERNAL_H
#include "arch/context.h"
#include "base/fmt.h"
#include "debug/knobs.h"
#include "sched/sched.h"

/* --- symbol_backtrace.c or symbol_dladdr.c */

/* One source frame; a program counter has several where functions were inlined. Any text may be
 * NULL. Strings live as long as the process. */
struct goi_symbol {
    const char *function;
    const char *file;
    int line;
    const char *object;     /* when there is no file: executable or library ... */
    uintptr_t offset;       /* ... and the distance from its load address */
};
/* Calls fn for each frame at pc, the innermost first; pc lies inside the instruction that calls or
 * faults. At least once. Allocates from the kernel, not from malloc; may be called while crashing.
 * */
void goi_symbolize(uintptr_t pc, void (*fn)(const struct goi_symbol *s, void *arg), void *arg);

/* --- frames.c */

enum { GOI_FRAMES_INNER = 50, GOI_FRAMES_OUTER = 50, GOI_FRAMES = 100, GOI_FRAMES_WALK = 2000000 };

/* A stack, innermost first. Of more than 100 frames only the first 50 and last 50 are kept. */
struct goi_frames {
    uint32_t total;         /* frames walked */
    uint32_t n;             /* kept */
    bool cut;               /* gave up after GOI_FRAMES_WALK frames: the outer ones are unknown */
    uintptr_t pc[GOI_FRAMES];
};
void goi_frames_here(struct goi_frames *f);                     /* of the caller's caller on */
void goi_frames_stopped(struct goi_frames *f, const struct goi_regs *regs);
void goi_frames_signal(struct goi_frames *f, const void *ucontext);
/* Where the frame of a function ends that is among the outermost few of a stopped stack: the first
 * address above it. 0: there is none of which `is` says so. */
enum { GOI_FRAMES_ENDS = 8 };
uintptr_t goi_frames_end(const struct goi_regs *regs, bool (*is)(uintptr_t pc));

/* --- capture.c */

struct goi_trace {          /* equal stacks are stored once */
    struct goi_trace *next;
    uint64_t hash;
    uint64_t shown;         /* dump.c: hash of the counters that are printed; 0: not known yet */
    uint32_t total, n;
    bool cut;
    uintptr_t pc[];
};

enum goi_shot_stack {
    GOI_SHOT_OWN,           /* trace is valid */
    GOI_SHOT_ELSEWHERE,     /* runs on another thread */
    GOI_SHOT_UNKNOWN,       /* could not be stopped */
};

struct goi_shot {           /* one goroutine */
    uint64_t id, parent;
    const char *site;
    uintptr_t created_pc, entry;
    enum gstate state;
    enum wait_reason reason;
    enum goi_shot_stack stack;
    bool locked, system, current;
    bool leaked;            /* nothing can wake it */
    int64_t minutes;        /* waiting for so long */
    struct goi_trace *trace;
    const char *name;               /* a copy, or NULL */
    const char *labels;             /* copies: key, value, ..., "", or NULL */
    uint32_t same;          /* others like this one */
    bool folded;            /* counted in another one's `same` */
};

struct goi_capture {
    struct goi_shot **shots;        /* by id, the current one first */
    size_t n;
    size_t lost;                    /* not captured for want of memory */
    bool stopped;                   /* the world stood still */
    char *arena, *arena_end;
    struct goi_arena_chunk *chunks;
    struct goi_trace *table[1024];
};

struct goi_capture_want {
    bool others;            /* all goroutines, not only the current one */
    bool crashing;          /* locks may be held by threads that will never go on */
    int64_t patience;       /* how long to try to stop the world, each time */
    struct g *current;      /* shown as running, with `frames`; or NULL */
    struct g *const *chosen;        /* these alone, if not NULL; the world has been stopped */
    size_t nchosen;
    const struct goi_frames *frames;
};
/* NULL: no memory. Not on a goroutine's stack while crashing is false: it is inside the runtime. */
struct goi_capture *goi_capture_take(const struct goi_capture_want *want);
void goi_capture_free(struct goi_capture *c);

/* --- signal.c */
void goi_debug_init(void);

/* --- schedtrace.c */
void goi_schedtrace_start(int64_t every); /* nanoseconds; may be called before the Ps exist */

#endif
