/* SPDX-License-Identifier: MIT */
/* hibernate_word.h: one word for each window: where its stack's contents are, and who may move
 * them. Alone here because the model compiles it (tests/model/hibernate_word_test.c); the essay is
 * in hibernate.c.
 *
 *     NEVER ---claim---> BUSY ---store---> STORED ---begin---> RESTORING ---end---> TOUCHED
 *                        BUSY ---unclaim---------------------------------------->   TOUCHED
 *     TOUCHED --claim--> BUSY
 *
 * Pins are counted in NEVER and TOUCHED only, and none may be there for a claim. The number of the
 * image stays in TOUCHED until the hibernator drops it.
 *
 * [HIB] on all of them: release by who ends a step, acquire by who begins the next, so that an
 * image is complete for who restores it, and read to its end before it is dropped; and so that what
 * was done to a pinned stack is in the image. */
#ifndef GOI_STACK_HIBERNATE_WORD_H
#define GOI_STACK_HIBERNATE_WORD_H
#include "base/assert.h"
#include "base/atomic.h"
#include "base/base.h"

enum goi_hib {
    GOI_HIB_NEVER,
    GOI_HIB_BUSY,
    GOI_HIB_STORED,
    GOI_HIB_RESTORING,
    GOI_HIB_TOUCHED,
};

#define GOI_HIB_STATE ((uint64_t)7)
#define GOI_HIB_PIN   ((uint64_t)1 << 8)
#define GOI_HIB_PINS  ((uint64_t)0xffffff << 8)
#define GOI_HIB_REF   32

GOI_INLINE enum goi_hib goi_hib_state(uint64_t w) { return (enum goi_hib)(w & GOI_HIB_STATE); }
GOI_INLINE uint32_t goi_hib_ref(uint64_t w) { return (uint32_t)(w >> GOI_HIB_REF); }
GOI_INLINE uint64_t goi_hib_word(enum goi_hib state, uint32_t ref)
{
    return (uint64_t)ref << GOI_HIB_REF | (uint64_t)state;
}
GOI_INLINE bool goi_hib_present(uint64_t w)
{
    return goi_hib_state(w) == GOI_HIB_NEVER || goi_hib_state(w) == GOI_HIB_TOUCHED;
}

/* --- by the hibernator */

/* The number of an image that is no longer needed, 0 if there is none. */
GOI_INLINE uint32_t goi_hib_reap(goi_a64 *word)
{
    uint64_t w = ld_acq(word); /* [HIB] */
    while (goi_hib_state(w) == GOI_HIB_TOUCHED && goi_hib_ref(w) != 0) { /* ends: only pins race */
        if (cas_acqrel(word, &w, w & (((uint64_t)1 << GOI_HIB_REF) - 1))) { /* [HIB] */
            return goi_hib_ref(w);
        }
    }
    return 0;
}

/* After a reap. False: somebody has pinned it. */
GOI_INLINE bool goi_hib_claim(goi_a64 *word)
{
    uint64_t w = ld_rlx(word);
    return goi_hib_present(w) && (w & GOI_HIB_PINS) == 0 && goi_hib_ref(w) == 0 &&
           cas_acqrel(word, &w, goi_hib_word(GOI_HIB_BUSY, 0)); /* [HIB] */
}

GOI_INLINE void goi_hib_unclaim(goi_a64 *word)
{
    st_rel(word, goi_hib_word(GOI_HIB_TOUCHED, 0)); /* [HIB] */
}

GOI_INLINE void goi_hib_store(goi_a64 *word, uint32_t ref)
{
    st_rel(word, goi_hib_word(GOI_HIB_STORED, ref)); /* [HIB] */
}

/* --- by whoever touches it */

/* True: the contents of *ref are the caller's to put back. */
GOI_INLINE bool goi_hib_begin(goi_a64 *word, uint32_t *ref)
{
    uint64_t w = ld_acq(word); /* [HIB] */
    *ref = goi_hib_ref(w);
    return goi_hib_state(w) == GOI_HIB_STORED &&
           cas_acqrel(word, &w, goi_hib_word(GOI_HIB_RESTORING, *ref)); /* [HIB] */
}

GOI_INLINE void goi_hib_end(goi_a64 *word, uint32_t ref)
{
    st_rel(word, goi_hib_word(GOI_HIB_TOUCHED, ref)); /* [HIB] */
}

/* One try. False: the contents are not there, or the hibernator is at it. */
GOI_INLINE bool goi_hib_pin(goi_a64 *word)
{
    uint64_t w = ld_acq(word); /* [HIB] */
    while (goi_hib_present(w)) { /* ends: another's step made us fail */
        goi_must((w & GOI_HIB_PINS) != GOI_HIB_PINS);
        if (cas_acqrel(word, &w, w + GOI_HIB_PIN)) { /* [HIB] */
            return true;
        }
    }
    return false;
}

GOI_INLINE void goi_hib_unpin(goi_a64 *word)
{
    uint64_t w = sub_acqrel(word, GOI_HIB_PIN); /* [HIB] */
    goi_must((w & GOI_HIB_PINS) != 0 && goi_hib_present(w));
}

#endif
