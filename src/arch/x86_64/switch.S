/* SPDX-License-Identifier: MIT */
/* switch.S (x86-64, System V): six callee-saved registers, `pop rcx; jmp *rcx`.
 *
 * `ret` would mispredict whenever the two stacks' call sites differ (8.2 ns against 3.1); an
 * indirect jump has its own predictor. But then the call has no return of its own, and those that
 * follow are predicted wrongly: the runtime has the same in line, without a call (switch.h). The FP
 * control words are left alone, as Go does. The layout of a stopped stack, from sp upwards: r15 r14
 * r13 r12 rbx rbp rip.
 */
    .text
    .globl goi_switch
    .hidden goi_switch
    .type goi_switch, @function
    .p2align 4
goi_switch:
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r15, 0
    movq %rsp, (%rdi)
    movq (%rsi), %rsp
    movq %rdx, %rax
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, rcx
    jmp *%rcx
    .cfi_endproc
    .size goi_switch, .-goi_switch

/* Entry: r12 = entry, r13 = param, rax = the switch's arg. Unwinders stop here: rip is undefined,
 * and the nop keeps the return address minus one inside this description. */
    .globl goi_trampoline
    .hidden goi_trampoline
    .globl goi_trampoline_end
    .hidden goi_trampoline_end
    .type goi_trampoline, @function
    .p2align 4
goi_trampoline:
    .cfi_startproc
    .cfi_undefined rip
    .cfi_undefined rsp
    nop
goi_trampoline_entry:
    endbr64
    movq %r13, %rdi
    movq %rax, %rsi
    xorl %ebp, %ebp
    callq *%r12
    ud2
goi_trampoline_end:
    .cfi_endproc
    .size goi_trampoline, .-goi_trampoline

/* void goi_regs_init(regs rdi, top rsi, entry rdx, param rcx) */
    .globl goi_regs_init
    .hidden goi_regs_init
    .type goi_regs_init, @function
    .p2align 4
goi_regs_init:
    .cfi_startproc
    endbr64
    leaq goi_trampoline_entry(%rip), %rax
    movq %rax, -8(%rsi)         /* rip; rsp is 16-aligned when it has been popped */
    movq $0, -16(%rsi)          /* rbp */
    movq $0, -24(%rsi)          /* rbx */
    movq %rdx, -32(%rsi)        /* r12 */
    movq %rcx, -40(%rsi)        /* r13 */
    movq $0, -48(%rsi)          /* r14 */
    movq $0, -56(%rsi)          /* r15 */
    leaq -56(%rsi), %rax
    movq %rax, (%rdi)
    ret
    .cfi_endproc
    .size goi_regs_init, .-goi_regs_init

/* void goi_on_stopped(regs rdi, fn rsi, arg rdx): the CFI between the marks describes the stopped
 * frame of goi_switch, so that an unwinder continues into the stopped goroutine. */
    .globl goi_on_stopped
    .hidden goi_on_stopped
    .type goi_on_stopped, @function
    .p2align 4
goi_on_stopped:
    .cfi_startproc
    endbr64
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_offset rbx, -16
    movq %rsp, %rbx
    movq %rsi, %rax
    movq (%rdi), %rsp
    movq %rdx, %rdi
    .cfi_remember_state
    .cfi_def_cfa rsp, 56
    .cfi_offset rip, -8
    .cfi_offset rbp, -16
    .cfi_offset rbx, -24
    .cfi_offset r12, -32
    .cfi_offset r13, -40
    .cfi_offset r14, -48
    .cfi_offset r15, -56
    subq $8, %rsp               /* a stopped sp is 8 modulo 16 */
    .cfi_def_cfa_offset 64
    callq *%rax
    nop
    .cfi_restore_state
    movq %rbx, %rsp
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    ret
    .cfi_endproc
    .size goi_on_stopped, .-goi_on_stopped

    .section .note.GNU-stack, "", @progbits
