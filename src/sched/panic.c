/* SPDX-License-Identifier: MIT */
/* panic.c: go_exit, go_panic, go_try: leaving frames that do not know it.
 *
 * A goroutine is unwound by _Unwind_ForcedUnwind, as pthread_exit does it: frames compiled with
 * exceptions (C++, C with -fexceptions) have landing pads, which run destructors and cleanups in
 * the compiler's order. Frames compiled without have none; what they left to be done is on the list
 * of defer.c. Both kinds mix on one stack, so the order is kept by the stop function, which the
 * unwinder calls for each frame *before* it enters it: there it runs the cleanups that belong to
 * frames deeper than this one. A cleanup of the frame itself is left to its landing pad, if there
 * is one; if not, it is run when the next frame comes.
 *
 *     stop at frame F          runs the list's cleanups whose frame lies below F's stack pointer
 *     F's landing pad, if any  runs F's own, and takes them off the list
 *
 *   U1  Each cleanup runs exactly once, and after all of deeper frames.            (D1 to D3)
 *   U2  The memory of a cleanup is intact when it runs: a landing pad may overwrite what is deeper
 *       than its frame, and stop has run all of that before.
 *   U3  A panic's target is chosen when it starts: the innermost go_try. Control reaches that
 *       frame, or a newer panic's or go_exit's target, which is never deeper.
 *   U4  A go_exit is not stopped by a panic that starts during it and is caught by a go_try that
 *       the go_exit is leaving: the go_exit goes on from there, as in Go.
 *
 * A panic without go_try runs the list on top of the panicking frames, which are not unwound, so
 * that the crash output shows where it started; C++ destructors then do not run, the process ends.
 *
 * A stack that cannot be unwound (code without unwind tables) ends the walk; then the list is run
 * as it is. C++ `catch (...)` that does not rethrow is detected when it drops the exception.
 *
 * Rejected: longjmp from the panic to the go_try alone (no destructors), setjmp in the user's frame
 * (-Wclobbered), running the whole list before unwinding (destructors would run too late).
 */
#include "sched/panic.h"
#include "base/assert.h"
#include "sched/call.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct goi_try_frame {
    struct goi_try_frame *prev;
    void *frame;                    /* in the callee of the frame that env belongs to */
    struct goi_panic *panics;       /* under way when it began */
    jmp_buf env;
};

static struct goi_panic *panic_new(struct g *g, bool goexit, size_t message)
{
    struct goi_panic *p = malloc(sizeof *p + message + 1);
    if (p == NULL) {
        goi_fatal("out of memory (panicking)");
    }
    memset(p, 0, sizeof *p);
    p->goexit = goexit;
    p->prev = g->unwind.panics;
    g->unwind.panics = p;
    return p;
}

/* --- unwinding */

/* `catch (...)` without `throw;` ended the unwinding. */
static void swallowed(_Unwind_Reason_Code code, struct _Unwind_Exception *e)
{
    (void)code;
    (void)e;
    goi_fatal("a C++ catch (...) stopped go_exit or go_panic without rethrowing");
}

void goi_panics_free(struct g *g)
{
    while (g->unwind.panics != NULL) {
        struct goi_panic *prev = g->unwind.panics->prev;
        free(g->unwind.panics);
        g->unwind.panics = prev;
    }
}

/* All frames up to the target are left. */
static GOI_NORETURN void arrive(struct g *g, struct goi_panic *p)
{
    if (p->target != NULL) {
        /* style: banned-call because this is the way out that the unwinder's interface names. */
        longjmp(p->target->env, 1);
    }
    goi_must(p->goexit);
    goi_panics_free(g);
    goi_call_ended(g, 0);
    goi_g_exit();
}

static bool reached(const struct goi_panic *p, uintptr_t sp)
{
    return p->target != NULL && sp > (uintptr_t)p->target->frame;
}

static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                struct _Unwind_Exception *e, struct _Unwind_Context *context,
                                void *arg)
{
    (void)version;
    (void)class;
    (void)e;
    struct goi_panic *p = arg;
    struct g *g = goi_call_self();
    bool end = (actions & _UA_END_OF_STACK) != 0;
    uintptr_t sp = end ? UINTPTR_MAX : (uintptr_t)_Unwind_GetCFA(context);
    if (end && p->target != NULL) {
        sp = (uintptr_t)p->target->frame + 1;
    }
    goi_pending_drop(g, sp);
    goi_cleanup_run(g, sp); /* U1, U2 */
    if (end || reached(p, sp)) {
        arrive(g, p);
    }
    return _URC_NO_REASON;
}

static GOI_NORETURN void leave_frames(struct g *g, struct goi_panic *p)
{
    memcpy(&p->exception.exception_class, p->goexit ? "GORTEXIT" : "GORTPANC",
           sizeof p->exception.exception_class);
    p->exception.exception_cleanup = swallowed;
    (void)_Unwind_ForcedUnwind(&p->exception, stop, p);
    /* It returns only when it could not begin. */
    uintptr_t limit = p->target != NULL ? (uintptr_t)p->target->frame + 1 : UINTPTR_MAX;
    goi_pending_drop(g, limit);
    goi_cleanup_run(g, limit);
    arrive(g, p);
}

void go_exit(void)
{
    struct g *g = goi_call_self();
    leave_frames(g, panic_new(g, true, 0));
}

/* --- panics */

static GOI_NORETURN void panic_start(struct g *g, struct goi_panic *p)
{
    p->target = g->unwind.tries; /* U3 */
    if (p->target != NULL) {
        leave_frames(g, p);
    }
    goi_cleanup_run(g, UINTPTR_MAX);
    goi_crash_panic(p);
}

void goi_panic_text(const char *text)
{
    struct g *g = goi_call_self();
    size_t n = strlen(text);
    struct goi_panic *p = panic_new(g, false, n);
    memcpy(p->message, text, n + 1);
    panic_start(g, p);
}

void go_panic(const char *format, ...)
{
    struct g *g = goi_call_self();
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    struct goi_panic *p = panic_new(g, false, n > 0 ? (size_t)n : 0);
    p->message[0] = '\0';
    if (n > 0) {
        (void)vsnprintf(p->message, (size_t)n + 1, format, again);
    }
    va_end(again);
    panic_start(g, p);
}

/* --- go_try */

static void pop_try(struct goi_try_frame **f)
{
    goi_call_self()->unwind.tries = (*f)->prev;
}

/* A frame of its own: the unwinder has reached the go_try when it is past this one. The cleanup is
 * for C++ exceptions, which pass through go_try. */
static GOI_NOINLINE void try_body(struct goi_try_frame *f, void (*run)(void *), void *arg)
{
    struct goi_try_frame *pushed GO_CLEANUP(pop_try) = f;
    f->frame = __builtin_frame_address(0);
    run(arg);
    (void)pushed;
}

/* After a panic has arrived: takes it off, with whatever it replaced on its way. Returns the
 * go_exit among those, which then goes on (U4), or NULL. */
static struct goi_panic *caught(struct g *g, const struct goi_try_frame *f, go_panic_info *out)
{
    struct goi_panic *p = g->unwind.panics;
    if (out != NULL) {
        size_t n = strnlen(p->message, sizeof out->message - 1);
        memcpy(out->message, p->message, n);
        out->message[n] = '\0';
    }
    while (p != f->panics && !p->goexit) {
        struct goi_panic *prev = p->prev;
        free(p);
        p = prev;
    }
    g->unwind.panics = p;
    return p != f->panics ? p : NULL;
}

bool goi_try_run(go_panic_info *out, void (*run)(void *), void *arg)
{
    struct g *g = goi_call_self();
    struct goi_try_frame f;
    f.prev = g->unwind.tries;
    f.panics = g->unwind.panics;
    f.frame = NULL;
    g->unwind.tries = &f;
    if (_setjmp(f.env) == 0) {
        try_body(&f, run, arg);
        return true;
    }
    g = goi_call_self();
    g->unwind.tries = f.prev;
    struct goi_panic *goexit = caught(g, &f, out);
    if (goexit != NULL) {
        leave_frames(g, goexit);
    }
    return false;
}

bool goi_try_closure(go_panic_info *out, void (*run)(void *), void *closure)
{
    return goi_try_run(out, run, closure);
}
