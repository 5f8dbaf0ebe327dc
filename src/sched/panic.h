/* SPDX-License-Identifier: MIT */
/* panic.h: panics and go_exit under way, for the file that prints them. */
#ifndef GOI_SCHED_PANIC_H
#define GOI_SCHED_PANIC_H
#include "sched/types.h"
#include <gort/go.h>
#include <unwind.h>

/* A panic, or a go_exit, from its start to its end. On the heap, because the frame that started it
 * is gone before it ends. Newest first through `prev`; the crash output begins with the oldest. */
struct goi_panic {
    struct _Unwind_Exception exception;
    struct goi_panic *prev;
    struct goi_try_frame *target;   /* where control goes; NULL: nowhere, all ends */
    struct goi_try_frame *absorber; /* the innermost one when it started, or NULL */
    struct goi_panic *merged;       /* newer ones that ended in it, through `merged` */
    uintptr_t sp;                   /* of the frame whose landing pads are next */
    bool goexit;
    bool last;                      /* no go_try: the process ends, and waits for it */
    const char *message;            /* of a panic; as given, without Go's additions */
    char text[];
};

/* Runs run(arg) under a go_try: true when it returned, false when it panicked, and then *out (which
 * may be NULL) says why. Outside the runtime. */
bool goi_try_run(go_panic_info *out, void (*run)(void *), void *arg) GOI_PARKS;

/* ident.c: keeps a copy of the text for go_panic_caught(), if there is memory. */
void goi_g_keep_caught(struct g *g, const char *text);

/* Runs a cleanup that is off the list, at the end of its block: as such, or, when a panic or
 * go_exit leaves the block, so that it cannot be left by another one. */
void goi_cleanup_run_at_end(struct g *g, struct goi_cleanup *c,
                            void (*run)(struct goi_cleanup *)) GOI_PARKS;

/* Puts a deferred call whose record is complete on the list. */
void goi_defer_push(struct g *g, struct goi_deferred *d);

/* Drops records whose recording was cut short in frames below `limit` (call.c). */
void goi_pending_drop(struct g *g, uintptr_t limit);

/* Forgets all panics under way. */
void goi_panics_free(struct g *g);

/* Panics of goroutines that end with `done` do not end the process: after the deferred calls
 * take(arg, message, report) gets them, and then the goroutine ends as by go_exit, telling done.
 * arg is that of done; report is the message with the goroutine's trace, for free(), or NULL. take
 * runs outside the runtime. Called by a constructor; there is one such `done` (src/errgroup). */
typedef void (*goi_panic_take)(void *arg, const char *message, char *report);
void goi_panics_to(goi_done done, goi_panic_take take);

/* debug/dump.c: the message and the trace of the current goroutine, which panics. Text for free();
 * NULL: no memory. Outside the runtime. */
char *goi_panic_report(const char *message);

/* The end of a goroutine by go_exit: tells g->done, frees what is under way. */
void goi_call_ended(struct g *g, int ret);

/* debug/crash.c: prints the panics from `p` on, `goroutine N [running]:` and the rest, and ends the
 * process with status 2. The deferred calls have run. */
void goi_crash_panic(struct goi_panic *p) GOI_NORETURN;

#endif
