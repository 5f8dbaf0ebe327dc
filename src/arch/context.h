/* SPDX-License-Identifier: MIT */
/* context.h: where a stack stood, in a form that an unwinder can begin from.
 *
 * An unwinder starts at its own caller. goi_on_context() is a function whose unwind information
 * says that it was called from the context instead of from where it was, so the unwinder goes on
 * there. It runs on the caller's stack: the other one is only read, which keeps the pages below a
 * parked goroutine untouched. */
#ifndef GOI_ARCH_CONTEXT_H
#define GOI_ARCH_CONTEXT_H
#include "arch/arch.h"

/* The registers that calls preserve. `pc` is a return address: of an instruction that faulted, one
 * more than its own address. */
struct goi_context {
    uintptr_t sp, pc;
    uintptr_t saved[12];    /* x86-64: rbx rbp r12 r13 r14 r15; aarch64: x19 .. x30 */
};

/* Of a stack that goi_switch() has left, or goi_regs_init() has made. */
void goi_context_stopped(struct goi_context *c, const struct goi_regs *regs);
/* Of a signal handler's third argument. After a call through a bad pointer it is the caller's. */
void goi_context_signal(struct goi_context *c, const void *ucontext);
/* The interrupted instruction and stack pointer. */
uintptr_t goi_signal_pc(const void *ucontext);
uintptr_t goi_signal_sp(const void *ucontext);
/* Some register holds what goi_replay puts in the place of the static chain: the interrupted
 * instruction, if no address was what it faulted at, belongs to an anonymous goroutine that gcc -O0
 * let use a variable that it does not list. Always false where nothing is put there. */
bool goi_signal_unlisted(const void *ucontext);

/* fn(arg), seen by unwinders as called from the context, which must stay as it is meanwhile. */
void goi_on_context(const struct goi_context *c, void (*fn)(void *), void *arg);

#endif
