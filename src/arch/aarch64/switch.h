/* SPDX-License-Identifier: MIT */
/* switch.h (aarch64): `ret` leaves goi_switch() as `bl` entered it, so a call will do. */
#ifndef GOI_SWITCH_HERE_H
#define GOI_SWITCH_HERE_H
#include "arch/arch.h"

GOI_INLINE void *goi_switch_here(struct goi_regs *save, const struct goi_regs *to, void *arg)
{
    return goi_switch(save, to, arg);
}

#endif
