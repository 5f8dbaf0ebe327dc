/* SPDX-License-Identifier: MIT */
/* frames.c: the program counters of a stack, by the compiler's own unwinder.
 *
 * Return addresses are reduced by one, so that each value lies inside its call: the instruction
 * after a call may belong to another line, or another function when the call does not return.
 * A walk ends at the goroutine's entry trampoline, whose unwind information has no return address,
 * or where a stack has none (or none that makes sense).
 */
#include "debug/internal.h"
#include <string.h>
#include <unwind.h>

struct walk {
    struct goi_frames *f;
    int32_t skip;           /* our own frames; -1 when the walk is over */
    uintptr_t last_pc, last_sp;
};

/* The outer frames go round in the second half, and are put in order at the end. */
static void add(struct goi_frames *f, uintptr_t pc)
{
    uint32_t at = f->total < GOI_FRAMES_INNER
                      ? f->total
                      : GOI_FRAMES_INNER + (f->total - GOI_FRAMES_INNER) % GOI_FRAMES_OUTER;
    f->pc[at] = pc;
    f->total++;
}

static void put_in_order(struct goi_frames *f)
{
    uint32_t beyond = f->total > GOI_FRAMES_INNER ? f->total - GOI_FRAMES_INNER : 0;
    f->n = f->total < GOI_FRAMES ? f->total : GOI_FRAMES;
    if (beyond <= GOI_FRAMES_OUTER) {
        return;
    }
    uintptr_t outer[GOI_FRAMES_OUTER];
    memcpy(outer, f->pc + GOI_FRAMES_INNER, sizeof outer);
    for (uint32_t i = 0; i < GOI_FRAMES_OUTER; i++) {
        f->pc[GOI_FRAMES_INNER + i] = outer[(beyond + i) % GOI_FRAMES_OUTER];
    }
}

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *arg)
{
    struct walk *w = arg;
    int exact = 0;
    uintptr_t pc = _Unwind_GetIPInfo(context, &exact);
    uintptr_t sp = _Unwind_GetCFA(context);
    if (w->skip > 0) {
        w->skip--;
        return _URC_NO_REASON;
    }
    if (pc == 0 || (pc == w->last_pc && sp == w->last_sp)) {
        return _URC_END_OF_STACK;
    }
    if (w->f->total == GOI_FRAMES_WALK) {
        w->f->cut = true;
        return _URC_END_OF_STACK;
    }
    w->last_pc = pc;
    w->last_sp = sp;
    add(w->f, exact ? pc : pc - 1);
    return _URC_NO_REASON;
}

/* The store keeps the call from being a jump, which would leave this frame out. */
static GOI_NOINLINE void walk_on(void *arg)
{
    struct walk *w = arg;
    (void)_Unwind_Backtrace(step, w);
    w->skip = -1;
}

/* walk_on and goi_on_context, or goi_frames_here. */
enum { SKIP_CONTEXT = 2, SKIP_HERE = 2 };

static void walk_context(struct goi_frames *f, const struct goi_context *c)
{
    struct walk w = {.f = f, .skip = SKIP_CONTEXT};
    f->total = f->n = 0;
    f->cut = false;
    goi_on_context(c, walk_on, &w);
    put_in_order(f);
}

struct outer {
    uintptr_t pc[GOI_FRAMES_ENDS], sp[GOI_FRAMES_ENDS];
    uint32_t n, total;
};

static _Unwind_Reason_Code step_outer(struct _Unwind_Context *context, void *arg)
{
    struct outer *o = arg;
    uintptr_t sp = _Unwind_GetCFA(context);
    uint32_t at = o->total % GOI_FRAMES_ENDS;
    if (o->total == GOI_FRAMES_WALK || _Unwind_GetIP(context) == 0) {
        return _URC_END_OF_STACK;
    }
    o->pc[at] = _Unwind_GetIP(context) - 1;
    o->sp[at] = sp;
    o->total++;
    return _URC_NO_REASON;
}

static void walk_outer(void *arg)
{
    struct outer *o = arg;
    (void)_Unwind_Backtrace(step_outer, o);
    o->n = o->total < GOI_FRAMES_ENDS ? o->total : GOI_FRAMES_ENDS;
}

uintptr_t goi_frames_end(const struct goi_regs *regs, bool (*is)(uintptr_t pc))
{
    struct goi_context c;
    struct outer o = {.n = 0};
    goi_context_stopped(&c, regs);
    goi_on_context(&c, walk_outer, &o);
    for (uint32_t i = 1; i < o.n; i++) { /* from the outermost on */
        uint32_t at = (o.total - 1 - i) % GOI_FRAMES_ENDS;
        if (is(o.pc[at])) {
            return o.sp[(at + 1) % GOI_FRAMES_ENDS]; /* what the caller had is where it ends */
        }
    }
    return 0;
}

GOI_NOINLINE void goi_frames_here(struct goi_frames *f)
{
    struct walk w = {.f = f, .skip = SKIP_HERE};
    f->total = f->n = 0;
    f->cut = false;
    walk_on(&w);
    put_in_order(f);
}

void goi_frames_stopped(struct goi_frames *f, const struct goi_regs *regs)
{
    struct goi_context c;
    goi_context_stopped(&c, regs);
    walk_context(f, &c);
}

void goi_frames_signal(struct goi_frames *f, const void *ucontext)
{
    struct goi_context c;
    goi_context_signal(&c, ucontext);
    walk_context(f, &c);
}
