/* SPDX-License-Identifier: MIT */
/* record.S (x86-64, System V): the call recorder and its reverse.
 *
 * goi_record stands in for a function of any prototype: called like it, it stores the argument
 * registers and hands them, with the address of the stack arguments, to goi_commit(regs, stack).
 * goi_record_vec stores xmm0-7 as well; goi_go_begin and its like return whichever the call needs.
 * What they return to the caller in rax, rdx, xmm0 means nothing; the macros discard it, and refuse
 * results that would come back in x87 registers or in memory.
 *
 *     regs:  rdi rsi rdx rcx r8 r9 rax -  [xmm0 .. xmm7]
 *
 * rax counts the vector registers of a variadic call.
 */
    .text
    .p2align 4
    /* clang's -fsanitize=function reads the bytes before a function that is called by pointer. */
    .fill 16, 1, 0x90
    .globl goi_record
    .hidden goi_record
    .type goi_record, @function
goi_record:
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register rbp
    subq $64, %rsp
    movq %rdi, 0(%rsp)
    movq %rsi, 8(%rsp)
    movq %rdx, 16(%rsp)
    movq %rcx, 24(%rsp)
    movq %r8, 32(%rsp)
    movq %r9, 40(%rsp)
    movq %rax, 48(%rsp)
    movq $0, 56(%rsp)
    movq %rsp, %rdi
    leaq 16(%rbp), %rsi
    call goi_commit
    leave
    .cfi_restore rbp
    .cfi_def_cfa rsp, 8
    ret
    .cfi_endproc
    .size goi_record, .-goi_record

    .p2align 4
    .fill 16, 1, 0x90
    .globl goi_record_vec
    .hidden goi_record_vec
    .type goi_record_vec, @function
goi_record_vec:
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register rbp
    subq $192, %rsp
    movq %rdi, 0(%rsp)
    movq %rsi, 8(%rsp)
    movq %rdx, 16(%rsp)
    movq %rcx, 24(%rsp)
    movq %r8, 32(%rsp)
    movq %r9, 40(%rsp)
    movq %rax, 48(%rsp)
    movq $0, 56(%rsp)
    movaps %xmm0, 64(%rsp)
    movaps %xmm1, 80(%rsp)
    movaps %xmm2, 96(%rsp)
    movaps %xmm3, 112(%rsp)
    movaps %xmm4, 128(%rsp)
    movaps %xmm5, 144(%rsp)
    movaps %xmm6, 160(%rsp)
    movaps %xmm7, 176(%rsp)
    movq %rsp, %rdi
    leaq 16(%rbp), %rsi
    call goi_commit
    leave
    .cfi_restore rbp
    .cfi_def_cfa rsp, 8
    ret
    .cfi_endproc
    .size goi_record_vec, .-goi_record_vec

/* long goi_replay(fn rdi, regs rsi, vec rdx, stack rcx, stack_bytes r8): makes the recorded call.
 * vec may be NULL, and is 16-aligned; stack_bytes is a multiple of 16. The static chain register is
 * poisoned, so that an anonymous goroutine that uses a variable it did not list (gcc -O0) faults at
 * once instead of reading a frame that may be gone (goi_signal_unlisted knows the value). */
    .p2align 4
    .globl goi_replay
    .hidden goi_replay
    .type goi_replay, @function
goi_replay:
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register rbp
    movq %rdi, %r11
    movq %rsi, %r10
    testq %r8, %r8
    jnz 3f
1:  testq %rdx, %rdx
    jnz 5f
2:  movq 0(%r10), %rdi
    movq 8(%r10), %rsi
    movq 16(%r10), %rdx
    movq 24(%r10), %rcx
    movq 32(%r10), %r8
    movq 40(%r10), %r9
    movq 48(%r10), %rax
    movabsq $0xdeadc0dedeadc0de, %r10
    call *%r11
    leave
    .cfi_remember_state
    .cfi_restore rbp
    .cfi_def_cfa rsp, 8
    ret
    .cfi_restore_state
3:  subq %r8, %rsp
4:  movups -16(%rcx,%r8), %xmm0
    movaps %xmm0, -16(%rsp,%r8)
    subq $16, %r8
    jnz 4b
    jmp 1b
5:  movaps 0(%rdx), %xmm0
    movaps 16(%rdx), %xmm1
    movaps 32(%rdx), %xmm2
    movaps 48(%rdx), %xmm3
    movaps 64(%rdx), %xmm4
    movaps 80(%rdx), %xmm5
    movaps 96(%rdx), %xmm6
    movaps 112(%rdx), %xmm7
    jmp 2b
    .cfi_endproc
    .size goi_replay, .-goi_replay

    .section .note.GNU-stack, "", @progbits
