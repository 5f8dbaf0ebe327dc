/* SPDX-License-Identifier: MIT */
/* tls.h (aarch64): the current M, read anew each time. See the x86-64 twin for why. */
#ifndef GOI_ARCH_TLS_H
#define GOI_ARCH_TLS_H
#include "base/base.h"

struct m;
extern GOI_TLS struct m *goi_tls_m GOI_HIDDEN;

GOI_INLINE struct m *goi_m(void)
{
    char *thread;
    uintptr_t offset;
    __asm__ volatile("mrs %0, tpidr_el0\n\t"
                     "adrp %1, :gottprel:goi_tls_m\n\t"
                     "ldr %1, [%1, #:gottprel_lo12:goi_tls_m]"
                     : "=&r"(thread), "=&r"(offset));
    struct m *m;
    __asm__ volatile("ldr %0, [%1, %2]" : "=r"(m) : "r"(thread), "r"(offset));
    return m;
}

#endif
