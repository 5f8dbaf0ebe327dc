/* SPDX-License-Identifier: MIT */
/* prepare.c: touching windows before somebody asks for them.
 *
 * A goroutine that is started while a million others wait needs a window that nobody has used yet:
 * a page of memory and a guard. The kernel takes 3 us for that on the starter's thread, thirty
 * times the rest of a go statement, and does so for one page after the other however many
 * processors idle. So while windows leave the arena one batch after the other, and a processor has
 * nothing to do, the runtime's background thread makes batches too and lays them into the depot,
 * where the next refill finds them. Starting and parking a million goroutines takes half the time.
 *
 * Nobody pays for it who does not need it: it begins above WORTH windows, stops when the refills
 * do, and runs ahead by an eighth of the windows that exist, at most DEPTH (2 MiB); what nobody
 * takes then is trimmed like all else in the depot (trim.c).
 *
 * Rejected: MADV_POPULATE_WRITE (the pages of many windows are not neighbours); a thread of its own
 * (the starter would have to wake it, 3.4 us, and it would compete with goroutines for processors).
 */
#include "stack/arena.h"
#include <errno.h>

#define WORTH 1024
#define DEPTH 512

bool goi_stack_prepare(void)
{
    static uint32_t seen[GOI_STACK_CLASSES]; /* background thread only */
    int saved = errno;
    struct goi_stack *s[GOI_STACK_BATCH];
    bool made = false;
    for (uint32_t k = 0; k < GOI_STACK_CLASSES && !made; k++) {
        struct goi_stack_class *c = &goi_stack_class[k];
        uint32_t refills = ld_rlx(&c->refills); /* [stat] */
        if (!c->last_resort || refills == seen[k]) {
            continue;
        }
        goi_stack_lock(&c->lock);
        bool wanted = c->windows >= WORTH && c->depot < goi_min_size(DEPTH, c->windows / 8);
        goi_stack_unlock(&c->lock);
        uint32_t n = wanted ? goi_arena_take(k, true, s, c->batch) : 0;
        if (n > 0) {
            goi_stack_lock(&c->lock);
            goi_depot_push_locked(k, s, n);
            goi_arena_avail_update_locked(k);
            goi_stack_unlock(&c->lock);
            made = true;
        } else {
            seen[k] = refills;
        }
    }
    errno = saved;
    return made;
}
