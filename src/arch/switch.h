/* SPDX-License-Identifier: MIT */
/* switch.h: goi_switch() where it is called from, by the processor's own means. */
#ifndef GOI_ARCH_ANY_SWITCH_H
#define GOI_ARCH_ANY_SWITCH_H
#if defined(__x86_64__)
#include "arch/x86_64/switch.h"
#elif defined(__aarch64__)
#include "arch/aarch64/switch.h"
#else
#error "Gort has no context switch for this processor; see docs/PORTING.md"
#endif
#endif
