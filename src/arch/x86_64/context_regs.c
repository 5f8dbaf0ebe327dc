/* SPDX-License-Identifier: MIT */
/* context_regs.c (x86-64): contexts from stopped stacks (layout: switch.S) and from signals. */
#include "arch/context.h"
#include <ucontext.h>

void goi_context_stopped(struct goi_context *c, const struct goi_regs *regs)
{
    const uintptr_t *s = regs->sp; /* r15 r14 r13 r12 rbx rbp rip */
    *c = (struct goi_context){.sp = (uintptr_t)(s + 7), .pc = s[6]};
    c->saved[0] = s[4];
    c->saved[1] = s[5];
    for (int i = 0; i < 4; i++) {
        c->saved[2 + i] = s[3 - i];
    }
}

void goi_context_signal(struct goi_context *c, const void *ucontext)
{
    const ucontext_t *u = ucontext;
    const greg_t *r = u->uc_mcontext.gregs;
    *c = (struct goi_context){.sp = (uintptr_t)r[REG_RSP], .pc = (uintptr_t)r[REG_RIP] + 1};
    c->saved[0] = (uintptr_t)r[REG_RBX];
    c->saved[1] = (uintptr_t)r[REG_RBP];
    c->saved[2] = (uintptr_t)r[REG_R12];
    c->saved[3] = (uintptr_t)r[REG_R13];
    c->saved[4] = (uintptr_t)r[REG_R14];
    c->saved[5] = (uintptr_t)r[REG_R15];
    if ((uintptr_t)r[REG_RIP] < 4096) { /* called NULL: the return address is on the stack */
        c->pc = *(const uintptr_t *)c->sp;
        c->sp += sizeof(uintptr_t);
    }
}

uintptr_t goi_signal_pc(const void *ucontext)
{
    return (uintptr_t)((const ucontext_t *)ucontext)->uc_mcontext.gregs[REG_RIP];
}

bool goi_signal_unlisted(const void *ucontext)
{
    const greg_t *r = ((const ucontext_t *)ucontext)->uc_mcontext.gregs;
    for (int i = REG_R8; i <= REG_RSP; i++) {
        if ((uintptr_t)r[i] == 0xdeadc0dedeadc0de) {
            return true;
        }
    }
    return false;
}

uintptr_t goi_signal_sp(const void *ucontext)
{
    return (uintptr_t)((const ucontext_t *)ucontext)->uc_mcontext.gregs[REG_RSP];
}
