/* SPDX-License-Identifier: MIT */
/* switch.h (x86-64): goi_switch() in line. What it leaves on the stack is what goi_switch() leaves.
 *
 * A call that is left by a jump stays on the processor's stack of return addresses, and each `ret`
 * after it is then predicted from another one's entry. In line there is no call, and a goroutine
 * that goes on where another one of the same code has stopped returns as predicted. The pushes go
 * below the stack pointer: who includes this is compiled without a red zone
 * (cmake/GortLibrary.cmake). */
#ifndef GOI_SWITCH_HERE_H
#define GOI_SWITCH_HERE_H
#include "arch/arch.h"

#if !defined(GOI_NO_RED_ZONE)
#error "to be compiled with -mno-red-zone -DGOI_NO_RED_ZONE: see cmake/GortLibrary.cmake"
#endif

#if defined(__AVX512F__)
#define GOI_SWITCH_WIDE                                                                            \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",    \
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6",  \
        "k7"
#else
#define GOI_SWITCH_WIDE
#endif

GOI_INLINE void *goi_switch_here(struct goi_regs *save, const struct goi_regs *to, void *arg)
{
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n\t"
                     "pushq %%rcx\n\t"
                     "pushq %%rbp\n\t"
                     "pushq %%rbx\n\t"
                     "pushq %%r12\n\t"
                     "pushq %%r13\n\t"
                     "pushq %%r14\n\t"
                     "pushq %%r15\n\t"
                     "movq %%rsp, (%[save])\n\t"
                     "movq (%[to]), %%rsp\n\t"
                     "popq %%r15\n\t"
                     "popq %%r14\n\t"
                     "popq %%r13\n\t"
                     "popq %%r12\n\t"
                     "popq %%rbx\n\t"
                     "popq %%rbp\n\t"
                     "popq %%rcx\n\t"
                     "jmp *%%rcx\n"
                     "1:\n\t"
                     "endbr64"
                     : [arg] "+a"(arg), [save] "+D"(save), [to] "+S"(to)
                     :
                     : "rcx", "rdx", "r8", "r9", "r10", "r11", "cc", "memory", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)",
                       "st(3)", "st(4)", "st(5)", "st(6)", "st(7)" GOI_SWITCH_WIDE);
    return arg;
}

#endif
