/* SPDX-License-Identifier: MIT */
/* context.S (aarch64): struct goi_context { sp, pc, x19 .. x30 }, 8 bytes each. While fn runs, x19
 * points at the context; see the x86-64 twin for the expressions (DW_OP_breg19 is 0x83; offsets
 * above 63 take two bytes). The return address is column 96, as in signal frames, so that x30 keeps
 * its own value: a leaf function that faulted has its return address there. */
    .text
    .globl goi_on_context
    .hidden goi_on_context
    .type goi_on_context, %function
    .p2align 4
goi_on_context:
    .cfi_startproc
    .cfi_return_column 96
    hint #34
    stp x19, x30, [sp, #-16]!
    .cfi_adjust_cfa_offset 16
    .cfi_rel_offset x19, 0
    .cfi_rel_offset x30, 8
    .cfi_rel_offset 96, 8
    mov x19, x0
    mov x0, x2
    .cfi_remember_state
    .cfi_escape 0x0f, 3, 0x83, 0, 0x06
    .cfi_escape 0x10, 96, 2, 0x83, 8
    .cfi_escape 0x10, 19, 2, 0x83, 16
    .cfi_escape 0x10, 20, 2, 0x83, 24
    .cfi_escape 0x10, 21, 2, 0x83, 32
    .cfi_escape 0x10, 22, 2, 0x83, 40
    .cfi_escape 0x10, 23, 2, 0x83, 48
    .cfi_escape 0x10, 24, 2, 0x83, 56
    .cfi_escape 0x10, 25, 3, 0x83, 0xc0, 0
    .cfi_escape 0x10, 26, 3, 0x83, 0xc8, 0
    .cfi_escape 0x10, 27, 3, 0x83, 0xd0, 0
    .cfi_escape 0x10, 28, 3, 0x83, 0xd8, 0
    .cfi_escape 0x10, 29, 3, 0x83, 0xe0, 0
    .cfi_escape 0x10, 30, 3, 0x83, 0xe8, 0
    blr x1
    nop
    .cfi_restore_state
    ldp x19, x30, [sp], #16
    .cfi_adjust_cfa_offset -16
    .cfi_restore x19
    .cfi_restore x30
    ret
    .cfi_endproc
    .size goi_on_context, .-goi_on_context

    .section .note.GNU-stack, "", %progbits
