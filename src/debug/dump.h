/* SPDX-License-Identifier: MIT */
/* dump.h: printing captured goroutines. */
#ifndef GOI_DEBUG_DUMP_H
#define GOI_DEBUG_DUMP_H
#include "debug/internal.h"

/* Prints what was captured, with a blank line between goroutines; `system`: with the runtime's own
 * goroutines and frames; `below`: something stands above, so a blank line first. */
void goi_dump_write(struct goi_out *o, struct goi_capture *c, bool system, bool below);
/* A bare list of frames; `total` is how many there were. */
void goi_dump_frames(struct goi_out *o, const uintptr_t *pc, uint32_t n, uint32_t total,
                     bool system);

#endif
