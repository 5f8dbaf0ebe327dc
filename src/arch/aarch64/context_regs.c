/* SPDX-License-Identifier: MIT */
/* context_regs.c (aarch64): contexts from stopped stacks (layout: switch.S) and from signals. */
#include "arch/context.h"
#include <ucontext.h>

void goi_context_stopped(struct goi_context *c, const struct goi_regs *regs)
{
    const uintptr_t *s = regs->sp; /* x19 .. x29, x30, d8 .. d15 */
    *c = (struct goi_context){.sp = (uintptr_t)(s + 20), .pc = s[11]};
    for (int i = 0; i < 12; i++) {
        c->saved[i] = s[i];
    }
}

void goi_context_signal(struct goi_context *c, const void *ucontext)
{
    const ucontext_t *u = ucontext;
    *c = (struct goi_context){.sp = u->uc_mcontext.sp, .pc = u->uc_mcontext.pc + 1};
    for (int i = 0; i < 12; i++) {
        c->saved[i] = u->uc_mcontext.regs[19 + i];
    }
    if (u->uc_mcontext.pc < 4096) { /* called NULL: the return address is in the link register */
        c->pc = u->uc_mcontext.regs[30];
    }
}

uintptr_t goi_signal_pc(const void *ucontext)
{
    return ((const ucontext_t *)ucontext)->uc_mcontext.pc;
}

bool goi_signal_unlisted(const void *ucontext)
{
    (void)ucontext; /* goi_replay leaves the chain alone here */
    return false;
}

uintptr_t goi_signal_sp(const void *ucontext)
{
    return ((const ucontext_t *)ucontext)->uc_mcontext.sp;
}
