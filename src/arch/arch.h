/* SPDX-License-Identifier: MIT */
/* arch.h: what the runtime asks of the processor. Assembly lives only in the directories beside. */
#ifndef GOI_ARCH_H
#define GOI_ARCH_H
#include "base/base.h"

/* A stopped stack: its callee-saved registers lie at `sp`. */
struct goi_regs { void *sp; };

/* Saves the caller in *save, continues `to`, where `arg` comes back as the result. */
void *goi_switch(struct goi_regs *save, const struct goi_regs *to, void *arg);

/* Makes `regs` start with entry(param, arg of the switch) on the stack that grows down from `top`
 * (16-aligned). `entry` must not return. */
void goi_regs_init(struct goi_regs *regs, void *top, void (*entry)(void *param, void *arg),
                   void *param);

/* Runs fn(arg) on top of the stopped stack `regs`, so that an unwinder started in fn goes on
 * through the stopped frames. The stack's owner must be kept stopped meanwhile. */
void goi_on_stopped(const struct goi_regs *regs, void (*fn)(void *), void *arg);

/* First instruction of the entry trampoline and its end: where a goroutine's frames stop. */
extern const char goi_trampoline[], goi_trampoline_end[];

/* The stack pointer here; for bounds checks only. */
GOI_INLINE void *goi_stack_pointer(void) { return __builtin_frame_address(0); }

#endif
