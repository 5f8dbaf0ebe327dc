/* SPDX-License-Identifier: MIT */
/* switch.S (aarch64, AAPCS64): x19-x30, d8-d15, 160 bytes from sp upwards. */
    .text
    .macro SAVED_OFFSETS
    .cfi_rel_offset x19, 0
    .cfi_rel_offset x20, 8
    .cfi_rel_offset x21, 16
    .cfi_rel_offset x22, 24
    .cfi_rel_offset x23, 32
    .cfi_rel_offset x24, 40
    .cfi_rel_offset x25, 48
    .cfi_rel_offset x26, 56
    .cfi_rel_offset x27, 64
    .cfi_rel_offset x28, 72
    .cfi_rel_offset x29, 80
    .cfi_rel_offset x30, 88
    .endm

    .globl goi_switch
    .hidden goi_switch
    .type goi_switch, %function
    .p2align 4
goi_switch:
    .cfi_startproc
    hint #34
    sub sp, sp, #160
    .cfi_adjust_cfa_offset 160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    SAVED_OFFSETS
    mov x9, sp
    str x9, [x0]
    ldr x9, [x1]
    mov sp, x9
    mov x0, x2
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    .cfi_adjust_cfa_offset -160
    .cfi_restore x29
    .cfi_restore x30
    ret
    .cfi_endproc
    .size goi_switch, .-goi_switch

/* Entry: x19 = entry, x20 = param, x0 = the switch's arg. */
    .globl goi_trampoline
    .hidden goi_trampoline
    .globl goi_trampoline_end
    .hidden goi_trampoline_end
    .type goi_trampoline, %function
    .p2align 4
goi_trampoline:
    .cfi_startproc
    .cfi_undefined x30
    nop
goi_trampoline_entry:
    mov x1, x0
    mov x0, x20
    mov x29, #0
    mov x30, #0
    blr x19
    brk #1
goi_trampoline_end:
    .cfi_endproc
    .size goi_trampoline, .-goi_trampoline

/* void goi_regs_init(regs x0, top x1, entry x2, param x3) */
    .globl goi_regs_init
    .hidden goi_regs_init
    .type goi_regs_init, %function
    .p2align 4
goi_regs_init:
    .cfi_startproc
    hint #34
    sub x9, x1, #160
    stp x2, x3, [x9, #0]
    stp xzr, xzr, [x9, #16]
    stp xzr, xzr, [x9, #32]
    stp xzr, xzr, [x9, #48]
    stp xzr, xzr, [x9, #64]
    adrp x10, goi_trampoline_entry
    add x10, x10, :lo12:goi_trampoline_entry
    stp xzr, x10, [x9, #80]
    stp xzr, xzr, [x9, #96]
    stp xzr, xzr, [x9, #112]
    stp xzr, xzr, [x9, #128]
    stp xzr, xzr, [x9, #144]
    str x9, [x0]
    ret
    .cfi_endproc
    .size goi_regs_init, .-goi_regs_init

/* void goi_on_stopped(regs x0, fn x1, arg x2) */
    .globl goi_on_stopped
    .hidden goi_on_stopped
    .type goi_on_stopped, %function
    .p2align 4
goi_on_stopped:
    .cfi_startproc
    hint #34
    stp x19, x30, [sp, #-16]!
    .cfi_adjust_cfa_offset 16
    .cfi_rel_offset x19, 0
    .cfi_rel_offset x30, 8
    mov x19, sp
    ldr x9, [x0]
    mov sp, x9
    mov x0, x2
    .cfi_remember_state
    .cfi_def_cfa sp, 160
    SAVED_OFFSETS
    blr x1
    nop
    .cfi_restore_state
    mov sp, x19
    ldp x19, x30, [sp], #16
    .cfi_adjust_cfa_offset -16
    .cfi_restore x19
    .cfi_restore x30
    ret
    .cfi_endproc
    .size goi_on_stopped, .-goi_on_stopped

    .section .note.GNU-stack, "", %progbits
