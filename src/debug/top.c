/* SPDX-License-Identifier: MIT */
/* top.c: fills in goi_top. See top.h. */
#include "debug/top.h"
#include "sched/upcalls.h"

struct goi_top goi_top = {.magic = GOI_TOP_MAGIC,
                          .version = GOI_TOP_VERSION,
                          .size = sizeof(struct goi_top),
                          .layout = GOI_TOP_LAYOUT};

_Static_assert(sizeof((const uint32_t[])GOI_TOP_LAYOUT) == sizeof goi_top.layout,
               "each word is written down");

void goi_top_init(void)
{
    goi_top.sched = &goi_sched;
    goi_top.reasons = goi_reason_names;
    goi_arena_view(&goi_top.arena);
    goi_top.magic[0] = '!';
}
