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
 * What a cleanup does may panic or exit again. That must not unwind through the landing pad that
 * runs it (C++ terminates then), nor abandon an unwinder that is half way. So a cleanup that runs
 * because its frame is being left runs under an *absorber*, a go_try of the runtime's own: what
 * arrives there is merged into what is under way, which goes on.
 *
 *   U1  Each cleanup runs exactly once, and after all of deeper frames.
 *                                                          (tests/unit/surface/unwind_test.c)
 *   U2  The memory of a cleanup is intact when it runs: a landing pad may overwrite what is deeper
 *       than its frame, and stop has run all of that before.
 *                                                          (tests/unit/surface/unwind_test.c)
 *   U3  A panic goes to the innermost go_try or absorber; a go_exit to the innermost absorber. So
 *       each arrives with nothing newer under way, and what is under way there is just older.
 *                                                          (asserted in absorb and goi_try_run)
 *   U4  A newer panic replaces the older one's message; a go_exit turns a panic into a go_exit; a
 *       panic during a go_exit that some go_try encloses counts as caught there, and the go_exit
 *       goes on, as in Go.                                 (tests/unit/surface/unwind_test.c)
 *
 * A panic without go_try runs the list on top of the panicking frames, which are not unwound, so
 * that the crash output shows where it started; C++ destructors then do not run, the process ends.
 *
 * A panic that nothing catches, in a goroutine whose end somebody waits for who takes panics (a
 * group, goi_panics_to), is handed over with its report, which is written on top of the panicking
 * frames too; then it goes on as a go_exit.                      (tests/unit/errgroup/panic_test.c)
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
    bool absorbs;
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
    p->message = p->text;
    p->text[0] = '\0';
    p->sp = UINTPTR_MAX;
    p->prev = g->unwind.panics;
    struct goi_try_frame *f = g->unwind.tries;
    while (f != NULL && !f->absorbs) {
        f = f->prev;
    }
    p->absorber = f;
    g->unwind.panics = p;
    return p;
}

/* Takes the newest off and frees it. */
static void panic_free(struct g *g)
{
    struct goi_panic *p = g->unwind.panics;
    g->unwind.panics = p->prev;
    while (p != NULL) {
        struct goi_panic *merged = p->merged;
        if (p->last) { /* a deferred call has called go_exit */
            sub_rlx(&goi_sched.panicking, 1);
        }
        free(p);
        p = merged;
    }
}

void goi_panics_free(struct g *g)
{
    while (g->unwind.panics != NULL) {
        panic_free(g);
    }
}

/* --- go_try and absorbers */

static void pop_try(struct goi_try_frame **f)
{
    goi_call_self()->unwind.tries = (*f)->prev;
}

/* A frame of its own: the unwinder has reached the target when it is past this one. The cleanup is
 * for C++ exceptions, which pass through. */
static GOI_NOINLINE void try_body(struct goi_try_frame *f, void (*run)(void *), void *arg)
{
    struct goi_try_frame *pushed GO_CLEANUP(pop_try) = f;
    f->frame = __builtin_frame_address(0);
    run(arg);
    (void)pushed;
}

bool goi_try_run(go_panic_info *out, void (*run)(void *), void *arg)
{
    struct g *g = goi_call_self();
    struct goi_try_frame f = {.prev = g->unwind.tries, .panics = g->unwind.panics};
    g->unwind.tries = &f;
    if (_setjmp(f.env) == 0) {
        try_body(&f, run, arg);
        return true;
    }
    g = goi_call_self();
    g->unwind.tries = f.prev;
    struct goi_panic *p = g->unwind.panics;
    goi_assert(p->prev == f.panics && !p->goexit); /* U3 */
    if (out != NULL) {
        size_t n = strnlen(p->message, sizeof out->message - 1);
        memcpy(out->message, p->message, n);
        out->message[n] = '\0';
    }
    goi_g_keep_caught(g, p->message);
    panic_free(g);
    return false;
}

bool goi_try_closure(go_panic_info *out, void (*run)(void *), void *closure)
{
    return goi_try_run(out, run, closure);
}

struct cleanup_call {
    struct goi_cleanup *c;
    void (*run)(struct goi_cleanup *);
};

static void run_cleanup(void *arg)
{
    struct cleanup_call *call = arg;
    call->run(call->c);
}

/* Runs a cleanup while p leaves its frame. */
static void absorb(struct g *g, struct goi_panic *p, struct cleanup_call *call)
{
    struct goi_try_frame f = {.prev = g->unwind.tries, .absorbs = true, .panics = p};
    g->unwind.tries = &f;
    if (_setjmp(f.env) == 0) {
        try_body(&f, run_cleanup, call);
        return;
    }
    g = goi_call_self();
    g->unwind.tries = f.prev;
    struct goi_panic *newer = g->unwind.panics;
    goi_assert(newer->prev == f.panics); /* U3 */
    p = f.panics;
    if (newer->goexit) { /* U4 */
        p->goexit = true;
        p->target = p->absorber;
    } else {
        p->message = newer->message;
    }
    struct goi_panic *last = newer;
    while (last->merged != NULL) {
        last = last->merged;
    }
    last->merged = p->merged;
    p->merged = newer;
    g->unwind.panics = p;
}

void goi_cleanup_run_at_end(struct g *g, struct goi_cleanup *c, void (*run)(struct goi_cleanup *))
{
    struct goi_panic *p = g->unwind.panics;
    if ((uintptr_t)c->frame < p->sp) {
        run(c); /* an ordinary end, in something that runs while p is under way */
        return;
    }
    struct cleanup_call call = {.c = c, .run = run};
    absorb(g, p, &call);
}

/* The cleanups of frames below `limit`: under absorbers, or as they are for a panic that ends the
 * process, whose frames stay. */
static void run_list(struct g *g, struct goi_panic *p, uintptr_t limit, bool leaving)
{
    while (g->unwind.cleanups != NULL && (uintptr_t)g->unwind.cleanups->frame < limit) {
        struct goi_cleanup *c = g->unwind.cleanups;
        struct cleanup_call call = {.c = c, .run = c->run};
        goi_assert(call.run != NULL);
        (void)goi_cleanup_pop(c);
        if (leaving) {
            absorb(g, p, &call);
        } else {
            run_cleanup(&call);
        }
    }
}

/* --- unwinding */

/* `catch (...)` without `throw;` ended the unwinding. */
static void swallowed(_Unwind_Reason_Code code, struct _Unwind_Exception *e)
{
    (void)code;
    (void)e;
    goi_fatal("a C++ catch (...) stopped go_exit or go_panic without rethrowing");
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

static uintptr_t target_sp(const struct goi_panic *p)
{
    return p->target != NULL ? (uintptr_t)p->target->frame + 1 : UINTPTR_MAX;
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
    p->sp = end ? target_sp(p) : (uintptr_t)_Unwind_GetCFA(context);
    goi_pending_drop(g, p->sp);
    run_list(g, p, p->sp, true); /* U1, U2 */
    if (p->sp >= target_sp(p)) {
        arrive(g, p);
    }
    if (end) {
        p->sp = target_sp(p); /* a go_exit has replaced the panic meanwhile */
        run_list(g, p, p->sp, true);
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
    goi_pending_drop(g, target_sp(p));
    run_list(g, p, target_sp(p), true);
    run_list(g, p, target_sp(p), true); /* a go_exit may have replaced the panic meanwhile */
    arrive(g, p);
}

void go_exit(void)
{
    struct g *g = goi_call_self();
    struct goi_panic *p = panic_new(g, true, 0);
    p->target = p->absorber; /* U3 */
    leave_frames(g, p);
}

/* --- panics */

/* [c] Set before there are goroutines. */
static struct { goi_done done; goi_panic_take take; } taker;

void goi_panics_to(goi_done done, goi_panic_take take)
{
    taker.done = done;
    taker.take = take;
}

/* A group's: the trace is taken while the frames are there, then they are left. */
static GOI_NORETURN GOI_NOINLINE void hand_over(struct g *g, struct goi_panic *p)
{
    run_list(g, p, UINTPTR_MAX, false);
    taker.take(g->done_arg, p->message, goi_panic_report(p->message));
    p->goexit = true;
    p->target = p->absorber; /* U3 */
    leave_frames(g, p);
}

static GOI_NORETURN void panic_start(struct g *g, struct goi_panic *p)
{
    struct goi_try_frame *f = g->unwind.tries;
    while (f != NULL && f->absorbs) {
        f = f->prev;
    }
    if (f != NULL) {
        p->target = g->unwind.tries; /* U3 */
        leave_frames(g, p);
    }
    if (g->done != NULL && g->done == taker.done) {
        hand_over(g, p);
    }
    p->last = true;
    add_rlx(&goi_sched.panicking, 1);
    run_list(g, p, UINTPTR_MAX, false);
    goi_crash_panic(p);
}

void goi_panic_text(const char *text)
{
    struct g *g = goi_call_self();
    size_t n = strlen(text);
    struct goi_panic *p = panic_new(g, false, n);
    memcpy(p->text, text, n + 1);
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
    if (n > 0) {
        (void)vsnprintf(p->text, (size_t)n + 1, format, again);
    }
    va_end(again);
    panic_start(g, p);
}
