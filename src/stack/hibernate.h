/* SPDX-License-Identifier: MIT */
/* hibernate.h: parked goroutines whose stack page is given back until somebody touches it. The
 * protocol is told in hibernate.c. */
#ifndef GOI_STACK_HIBERNATE_H
#define GOI_STACK_HIBERNATE_H
#include "base/atomic.h"
#include "base/base.h"
#include "stack/stack.h"

/* --- switching on */

/* Once, before the first pass. NULL: it works here. Otherwise what does not, and *error is its
 * -errno (0: none); may be called again. */
const char *goi_hibernate_open(int *error);

/* --- the hibernator: one thread at a time */

/* What the layer above knows of goroutines. */
struct goi_hibernate_view {
    /* Is the goroutine of this descriptor parked? *from tells this time from others, *sp is where
     * its stack was left. Called without the world stopped, as a hint and with sp == NULL, and
     * again with it. */
    bool (*parked)(void *desc, uint32_t *from, void **sp);
    /* After true no goroutine is resumed until start(). */
    bool (*stop)(void);
    void (*start)(void);
    void (*rest)(void);             /* between two stops */
    bool (*quit)(void);             /* the pass shall end */
};

struct goi_hibernate_pass {
    uint64_t stored;                /* hibernate since this pass */
    uint64_t again;                 /* images dropped whose stacks were touched */
    uint64_t waiting;               /* parked, but not for long enough */
};

/* One look at all windows: those parked before now - after hibernate. after == 0: none do, and only
 * what is no longer needed is dropped. */
void goi_hibernate_pass(const struct goi_hibernate_view *view, int64_t now, int64_t after,
                        struct goi_hibernate_pass *out);

/* Brings all back, without a fault. From any thread, when no pass is under way. */
void goi_hibernate_wake_all(void);

/* --- everybody */

/* A fault at addr inside window *s. True: the contents are back, go on with the instruction. From
 * the fault handler, on any thread, with all signals blocked. */
bool goi_hibernate_fault(const struct goi_stack *s, const void *addr);

/* Hibernation was switched on at some time. */
extern goi_abool goi_hibernate_used;

/* Keeps the contents of the stack that p points into (if it does) where they are, until
 * goi_hibernate_unkeep(): for system calls, which cannot bring them back. All of the object that p
 * points to lies in that stack. The result is for unkeep; NULL: nothing to keep, as for the
 * caller's own stack, which is there whenever the caller runs. */
goi_a64 *goi_hibernate_keep_slow(const void *p);
GOI_INLINE goi_a64 *goi_hibernate_keep(const void *p)
{
    /* Relaxed: nobody hibernates within 10 ms of being switched on, and this is for calls that do
     * not wait. */
    return GOI_LIKELY(!ld_rlx(&goi_hibernate_used)) ? NULL : goi_hibernate_keep_slow(p);
}
void goi_hibernate_unkeep_slow(goi_a64 *word);
GOI_INLINE void goi_hibernate_unkeep(goi_a64 *word)
{
    if (GOI_UNLIKELY(word != NULL)) {
        goi_hibernate_unkeep_slow(word);
    }
}

struct goi_hibernate_stats {
    uint64_t stored;                /* hibernating now */
    uint64_t stored_ever, restored_ever;
    uint64_t bytes;                 /* of the images, with what is unused between them */
};
void goi_hibernate_stats(struct goi_hibernate_stats *out);

/* --- images (hibernate_image.c) */
#define GOI_IMAGE_WORDS_MAX 2048u
#define GOI_IMAGE_BYTES_MAX 20480u

/* The image of n words of a stack whose window ends at `end`; its size, or 0: more than `room`. */
size_t goi_image_encode(uint8_t *out, size_t room, const uint64_t *words, size_t n, uintptr_t end);
size_t goi_image_words(const uint8_t *image);
void goi_image_decode(const uint8_t *image, uint64_t *words, uintptr_t end);

/* --- where they are kept (hibernate_store.c) */
/* Room for one; 0: no memory. Add and drop by the hibernator, at by anybody. */
uint32_t goi_store_add(size_t bytes);
void *goi_store_at(uint32_t ref);
void goi_store_drop(uint32_t ref);
uint64_t goi_store_bytes(void);

/* --- overflow.c: from now on the fault handler runs with all signals blocked, since a signal
 * handler that touches a hibernating stack would otherwise fault inside it. */
void goi_overflow_block_all(void);
/* Is the handler of SIGSEGV still this library's? */
bool goi_overflow_handles(void);

#endif
