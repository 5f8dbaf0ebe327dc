/* SPDX-License-Identifier: MIT */
/* top.h: where everything is, for a program that looks in from outside (tools/top).
 *
 * `gort top` reads the runtime's own structures out of the memory of the process, by
 * process_vm_readv. So a program that nobody looks at pays nothing, one that is looked at is not
 * stopped, there is no file to leave behind, and no thread that must be alive to answer: it works
 * on a program that hangs. The kernel decides who may look, as for a debugger. A page of counters
 * in shared memory would need to be asked for, filled by somebody, and could not show what each
 * goroutine does; the counters of the Ps are such a page already, only not a shared one.
 *
 * goi_top is found by its first bytes: it lies in the data of the executable or of libgort.so, and
 * stripping does not remove it. What it does not point to follows from `layout`, which holds sizes
 * and offsets: a reader that was built from other sources sees that they differ, and says so.
 */
#ifndef GOI_DEBUG_TOP_H
#define GOI_DEBUG_TOP_H
#include "sched/types.h"
#include "stack/arena.h"

/* The first byte is put in at the start, so that no other copy of these bytes is taken for it. */
#define GOI_TOP_MAGIC "?gort-top-magic"
enum { GOI_TOP_VERSION = 1 };

#define GOI_TOP_LAYOUT                                                                             \
    {                                                                                              \
        sizeof(struct g), sizeof(struct p), sizeof(struct m), sizeof(struct goi_sched),            \
            sizeof(struct goi_stack), sizeof(struct goi_stack_class), sizeof(struct goi_sample),   \
            offsetof(struct g, state), offsetof(struct g, id), offsetof(struct g, site),           \
            offsetof(struct g, stack), offsetof(struct g, foreign_next), offsetof(struct p, tick), \
            offsetof(struct p, m), offsetof(struct p, spawned), offsetof(struct p, sample),        \
            offsetof(struct m, g), offsetof(struct m, tid), offsetof(struct m, idle),              \
            offsetof(struct goi_sched, nprocs_made), offsetof(struct goi_sched, global),           \
            offsetof(struct goi_sched, foreign_list), offsetof(struct goi_sched, wakes),           \
            GOI_G_STATES, GOI_WAIT_REASONS, GOI_STACK_DESC_BYTES                                   \
    }
enum { GOI_TOP_LAYOUT_WORDS = 26 };

struct goi_top {
    char magic[16];
    uint32_t version, size;
    uint32_t layout[GOI_TOP_LAYOUT_WORDS];
    const struct goi_sched *sched;
    const char *const *reasons;
    struct goi_arena_view arena;
};
extern struct goi_top goi_top;

#endif
