/* SPDX-License-Identifier: MIT */
/* valgrind.h: the client requests that Gort needs, so that building needs no Valgrind headers. The
 * magic sequences are Valgrind's published ABI (valgrind.h, BSD-style licence, "may be used
 * freely").
 */
#ifndef GOI_ANNOT_VALGRIND_H
#define GOI_ANNOT_VALGRIND_H
#include "base/base.h"

enum { VG_RUNNING_ON_VALGRIND = 0x1001, VG_STACK_REGISTER = 0x1501, VG_STACK_DEREGISTER = 0x1502 };

/* style: #if because the request is a machine instruction sequence per processor */
static inline uintptr_t goi_valgrind(uintptr_t request, uintptr_t a, uintptr_t b)
{
    uintptr_t args[6] = {request, a, b, 0, 0, 0}; /* the clobber makes them memory */
    uintptr_t result = 0;
#if defined(__x86_64__)
    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "=d"(result)
                     : "a"(&args[0]), "0"(result)
                     : "cc", "memory");
#elif defined(__aarch64__)
    __asm__ volatile("mov x3, %1\n\tmov x4, %2\n\t"
                     "ror x12, x12, #3; ror x12, x12, #13; ror x12, x12, #51; ror x12, x12, #61\n\t"
                     "orr x10, x10, x10\n\tmov %0, x3"
                     : "=r"(result)
                     : "r"((uintptr_t)0), "r"(&args[0])
                     : "cc", "memory", "x3", "x4");
#endif
    return result;
}

#endif
