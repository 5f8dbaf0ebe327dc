/* SPDX-License-Identifier: MIT */
/* record.S (aarch64, AAPCS64): the call recorder and its reverse; see x86_64/record.S.
 *
 *     regs:  x0 .. x7  [q0 .. q7]
 *
 * A struct result of more than 16 bytes would come back through x8; the macros refuse it.
 */
    .text
    .p2align 4
    /* clang's -fsanitize=function reads the bytes before a function that is called by pointer. */
    nop
    nop
    nop
    nop
    .globl goi_record
    .hidden goi_record
    .type goi_record, %function
goi_record:
    .cfi_startproc
    hint #34                    /* bti c */
    stp x29, x30, [sp, #-16]!
    .cfi_def_cfa_offset 16
    .cfi_offset x29, -16
    .cfi_offset x30, -8
    mov x29, sp
    .cfi_def_cfa_register x29
    sub sp, sp, #64
    stp x0, x1, [sp, #0]
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    mov x0, sp
    add x1, x29, #16
    bl goi_commit
    mov sp, x29
    .cfi_def_cfa_register sp
    ldp x29, x30, [sp], #16
    .cfi_restore x29
    .cfi_restore x30
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size goi_record, .-goi_record

    .p2align 4
    nop
    nop
    nop
    nop
    .globl goi_record_vec
    .hidden goi_record_vec
    .type goi_record_vec, %function
goi_record_vec:
    .cfi_startproc
    hint #34                    /* bti c */
    stp x29, x30, [sp, #-16]!
    .cfi_def_cfa_offset 16
    .cfi_offset x29, -16
    .cfi_offset x30, -8
    mov x29, sp
    .cfi_def_cfa_register x29
    sub sp, sp, #192
    stp x0, x1, [sp, #0]
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp q0, q1, [sp, #64]
    stp q2, q3, [sp, #96]
    stp q4, q5, [sp, #128]
    stp q6, q7, [sp, #160]
    mov x0, sp
    add x1, x29, #16
    bl goi_commit
    mov sp, x29
    .cfi_def_cfa_register sp
    ldp x29, x30, [sp], #16
    .cfi_restore x29
    .cfi_restore x30
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size goi_record_vec, .-goi_record_vec

/* long goi_replay(fn x0, regs x1, vec x2, stack x3, stack_bytes x4); vec may be NULL, stack_bytes
 * is a multiple of 16. The static chain (x18) is left alone: the platform may own that register. */
    .p2align 4
    .globl goi_replay
    .hidden goi_replay
    .type goi_replay, %function
goi_replay:
    .cfi_startproc
    hint #34                    /* bti c */
    stp x29, x30, [sp, #-16]!
    .cfi_def_cfa_offset 16
    .cfi_offset x29, -16
    .cfi_offset x30, -8
    mov x29, sp
    .cfi_def_cfa_register x29
    mov x16, x0
    mov x17, x1
    sub sp, sp, x4
    mov x9, sp
1:  cbz x4, 2f
    ldp x10, x11, [x3], #16
    stp x10, x11, [x9], #16
    sub x4, x4, #16
    b 1b
2:  cbz x2, 3f
    ldp q0, q1, [x2, #0]
    ldp q2, q3, [x2, #32]
    ldp q4, q5, [x2, #64]
    ldp q6, q7, [x2, #96]
3:  ldp x0, x1, [x17, #0]
    ldp x2, x3, [x17, #16]
    ldp x4, x5, [x17, #32]
    ldp x6, x7, [x17, #48]
    blr x16
    mov sp, x29
    .cfi_def_cfa_register sp
    ldp x29, x30, [sp], #16
    .cfi_restore x29
    .cfi_restore x30
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size goi_replay, .-goi_replay

    .section .note.GNU-stack, "", %progbits
