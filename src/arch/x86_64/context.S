/* SPDX-License-Identifier: MIT */
/* context.S (x86-64): struct goi_context { sp, pc, rbx, rbp, r12, r13, r14, r15 }, 8 bytes each.
 *
 * While fn runs, rbx points at the context, and the unwind information reads every register from
 * there, by DWARF expressions (rbx is register 3, so DW_OP_breg3 is 0x73):
 *     0x0f, 3, 0x73, offset, 0x06         the caller's sp is the word at rbx + offset
 *     0x10, register, 2, 0x73, offset     the caller's register is saved at rbx + offset
 */
    .text
    .globl goi_on_context
    .hidden goi_on_context
    .type goi_on_context, @function
    .p2align 4
goi_on_context:
    .cfi_startproc
    endbr64
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_offset rbx, -16
    movq %rdi, %rbx
    movq %rdx, %rdi
    .cfi_remember_state
    .cfi_escape 0x0f, 3, 0x73, 0, 0x06
    .cfi_escape 0x10, 16, 2, 0x73, 8    /* rip */
    .cfi_escape 0x10, 3, 2, 0x73, 16    /* rbx */
    .cfi_escape 0x10, 6, 2, 0x73, 24    /* rbp */
    .cfi_escape 0x10, 12, 2, 0x73, 32
    .cfi_escape 0x10, 13, 2, 0x73, 40
    .cfi_escape 0x10, 14, 2, 0x73, 48
    .cfi_escape 0x10, 15, 2, 0x73, 56
    callq *%rsi
    nop
    .cfi_restore_state
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    ret
    .cfi_endproc
    .size goi_on_context, .-goi_on_context

    .section .note.GNU-stack, "", @progbits
