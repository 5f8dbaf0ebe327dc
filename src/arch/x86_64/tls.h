/* SPDX-License-Identifier: MIT */
/* tls.h (x86-64): the current M, read anew each time.
 *
 * A goroutine may be on another thread after any park, and compilers keep a thread-local's address
 * across calls. The volatile asm cannot be cached nor hoisted, and costs two loads. */
#ifndef GOI_ARCH_TLS_H
#define GOI_ARCH_TLS_H
#include "base/base.h"

struct m;
extern GOI_TLS struct m *goi_tls_m GOI_HIDDEN;

GOI_INLINE struct m *goi_m(void)
{
    struct m *m;
    __asm__ volatile("movq goi_tls_m@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=&r"(m));
    return m;
}

#endif
