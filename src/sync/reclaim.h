/* SPDX-License-Identifier: MIT */
/* reclaim.h: memory that others may still be reading.
 *
 * Readers of a go_map take no lock, so whoever unlinks an entry cannot free it at once. A reader
 * announces itself in a word of its thread's struct m; what was unlinked is freed when everybody
 * who may have seen it has gone. Epochs, with the reader's barrier moved to the reclaimer:
 *
 *     reader                                reclaimer
 *     e = now; m->reading = e               unlink x, put it on a list
 *     (compiler barrier)                    e = now++
 *     follow pointers                       membarrier
 *     m->reading = 0                        oldest = least m->reading that is not 0
 *                                           oldest > e: free the list
 *
 * The membarrier falls, in each reader's thread, before its store to `reading`, and then its loads
 * come after the unlinking and do not find x; or after it, and then the reclaimer sees the store. A
 * reader that loaded `now` after it was raised has e + 1 or more and, by the acquire, does not
 * find x either. A reader that is delayed between the load and the store announces an older epoch
 * than it could: that delays, and never harms.
 *
 *   V1  Between begin and end nothing parks and no user is called: m stays the thread's. Reading
 *       takes some tens of instructions, moving or copying out some buckets some thousands,
 *       whatever the size of the table. Sections do not nest.          (asserts)
 *   V2  What is freed is unreachable for every reader that is in a section.
 *                                                        (tests/model/reclaim, tests/model/map)
 *   V3  What waits to be freed is bounded: BATCH pieces of 4 KiB for each shard, and more only
 *       while a reader does not get the processor. (tests/unit/sync/map, memory is given back)
 *
 * Without membarrier the readers fence. Threads that the runtime does not know yet are adopted.
 *
 * Rejected: a counter on each entry (an atomic operation per read, on a line that all readers
 * share); hazard pointers (a fence, or the same membarrier, for each step along a chain); freeing
 * when all goroutines have passed through the scheduler (a goroutine may compute for minutes).
 *
 * [EPOCH] now, m->reading: as argued above. The release when a section begins or ends carries the
 * reader's reads to the reclaimer's acquire, so that the free comes after them.
 */
#ifndef GOI_SYNC_RECLAIM_H
#define GOI_SYNC_RECLAIM_H
#include "annot/annot.h"
#include "base/assert.h"
#include "sched/sched.h"

/* Part of what is to be freed. */
struct goi_retired {
    struct goi_retired *next;
    void (*dispose)(struct goi_retired *r);
};

struct goi_epoch { goi_a64 now; } GOI_ALIGNED(2 * GOI_CACHE_LINE);
extern struct goi_epoch goi_epoch;

/* The calling thread, known to the runtime. */
struct m *goi_reader_slow(void) GOI_COLD;

GOI_INLINE struct m *goi_read_begin(void)
{
    struct m *m = goi_m();
    if (GOI_UNLIKELY(m == NULL)) {
        m = goi_reader_slow();
    }
    goi_assert(ld_rlx(&m->reading) == 0); /* V1 */
    st_rel(&m->reading, ld_acq(&goi_epoch.now)); /* [EPOCH] */
    if (GOI_LIKELY(goi_sched.have_membarrier)) {
        fence_compiler(); /* [EPOCH] with the reclaimer's membarrier */
    } else {
        fence_seq(); /* [EPOCH] with the reclaimer's fence */
    }
    return m;
}

GOI_INLINE void goi_read_end(struct m *m)
{
    goi_assert(ld_rlx(&m->reading) != 0); /* V1 */
    st_rel(&m->reading, 0); /* [EPOCH] */
}

/* For the race detector where it watches the library itself: what was done to the memory so far
 * comes before its end. */
GOI_INLINE void goi_retired_seen(void) { goi_inside_release(&goi_epoch); }

/* Frees r, which is unlinked, by r->dispose(r) when nobody can be reading it. Not in a section.
 * Calls the functions of things that were retired before, with no lock held. */
void goi_retire(struct goi_retired *r, void (*dispose)(struct goi_retired *r));
/* The same for something of so many bytes, which counts for more (V3). */
void goi_retire_large(struct goi_retired *r, void (*dispose)(struct goi_retired *r), size_t bytes);

/* The least epoch that a reader has announced; UINT64_MAX: none reads. (readers.c) */
uint64_t goi_oldest_reader(void);

#endif
