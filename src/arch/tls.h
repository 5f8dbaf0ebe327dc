/* SPDX-License-Identifier: MIT */
/* tls.h: the current M (goi_m), by the processor's own means. */
#ifndef GOI_ARCH_ANY_TLS_H
#define GOI_ARCH_ANY_TLS_H
#if defined(__x86_64__)
#include "arch/x86_64/tls.h"
#elif defined(__aarch64__)
#include "arch/aarch64/tls.h"
#else
#error "Gort has no context switch for this processor; see docs/PORTING.md"
#endif
#endif
