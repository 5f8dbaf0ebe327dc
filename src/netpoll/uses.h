/* SPDX-License-Identifier: MIT */
/* uses.h: who may still use an object that is being closed: one word, without a lock.
 *
 * The owner's use counts from the start and ends with the close. Whoever ends the last use of a
 * closed object, its owner or not, is told so and has it for himself: nobody can begin a use any
 * more.
 *
 *   U1  Exactly one of end and close says "last", and nothing of the object is used after.
 *   U2  After a close no use begins.                              (both: tests/model/uses)
 *
 * [WREF] who ends a use has finished with the object, release; the last one acquires.
 */
#ifndef GOI_NETPOLL_USES_H
#define GOI_NETPOLL_USES_H
#include "base/assert.h"
#include "base/atomic.h"
#include "base/base.h"

enum { GOI_USES_CLOSED = 1, GOI_USES_ONE = 2 };

GOI_INLINE void goi_uses_init(goi_a32 *uses) { st_rlx(uses, GOI_USES_ONE); }

/* False: closed. */
GOI_INLINE bool goi_uses_begin(goi_a32 *uses)
{
    uint32_t n = ld_rlx(uses);
    do { /* ends: the word changes only when somebody else succeeds */
        if ((n & GOI_USES_CLOSED) != 0) {
            return false; /* U2 */
        }
        goi_assert(n >= GOI_USES_ONE);
    } while (!cas_acq(uses, &n, n + GOI_USES_ONE)); /* [WREF] */
    return true;
}

/* True: that was the last use of a closed object. */
GOI_INLINE bool goi_uses_end(goi_a32 *uses)
{
    uint32_t n = sub_acqrel(uses, GOI_USES_ONE); /* [WREF] U1 */
    goi_assert(n >= GOI_USES_ONE);
    return n == (GOI_USES_CLOSED | GOI_USES_ONE);
}

/* False: it was closed before. The closer's own use, the owner's, is still to be ended. */
GOI_INLINE bool goi_uses_close(goi_a32 *uses)
{
    return (or_acqrel(uses, GOI_USES_CLOSED) & GOI_USES_CLOSED) == 0; /* [WREF] */
}

#endif
