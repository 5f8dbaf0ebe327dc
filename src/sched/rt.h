/* SPDX-License-Identifier: MIT */
/* rt.h: the hand-shake between the owner of a P and who wants to look at it, on two words of the
 * owner's M. The essay is in hold.c; kept apart so that tests/model/hold_test.c explores this very
 * text. Includes nothing but base and os.
 *
 * [RT] in_rt and attn. Owner: store in_rt, load attn. Holder: store attn, load in_rt. The fence
 * between the holder's pair is explicit; the one between the owner's pair is what the holder's
 * membarrier puts there. Without membarrier the owner fences in goi_enter_slow. Drop either and
 * both can go ahead: two threads in one run queue.
 */
#ifndef GOI_SCHED_RT_H
#define GOI_SCHED_RT_H
#include "base/atomic.h"
#include "base/base.h"
#include "base/jitter.h"
#include "os/os.h"

enum { GOI_ATTN_HOLD = 2 };

/* True: nothing to attend to. The acquire pairs with the release that clears HOLD. */
GOI_INLINE bool goi_rt_enter(goi_a32 *in_rt, goi_a32 *attn)
{
    st_rlx(in_rt, 1);
    fence_compiler(); /* [RT] */
    GOI_JITTER();
    return GOI_LIKELY(ld_acq(attn) == 0); /* [RT] */
}

/* What there is to attend to, read again behind a real fence. */
GOI_INLINE uint32_t goi_rt_attend(goi_a32 *attn)
{
    fence_seq();         /* [RT] with the fence in goi_rt_hold when there is no membarrier */
    return ld_acq(attn); /* [RT] with goi_rt_release: what the holder did to our queues */
}

/* Release: what the owner did to its queues is visible to a holder that then reads in_rt == 0. */
GOI_INLINE void goi_rt_leave(goi_a32 *in_rt) { st_rel(in_rt, 0); /* [RT] */ }

/* True: the owner is outside and, until goi_rt_release, comes no further than goi_rt_attend. */
GOI_INLINE bool goi_rt_hold(goi_a32 *in_rt, goi_a32 *attn, bool have_membarrier)
{
    if (ld_rlx(in_rt) != 0) {
        return false; /* a hint that saves the fence */
    }
    or_acqrel(attn, GOI_ATTN_HOLD); /* [RT] */
    GOI_JITTER();
    if (have_membarrier) {
        gop_membarrier();
    } else {
        fence_seq(); /* [RT] with the fence in goi_rt_attend */
    }
    GOI_JITTER();
    if (ld_acq(in_rt) == 0) { /* [RT] with goi_rt_leave: H1, H2 */
        return true;
    }
    and_rel(attn, ~(uint32_t)GOI_ATTN_HOLD); /* [RT] */
    return false;
}

GOI_INLINE void goi_rt_release(goi_a32 *attn, uint32_t and_also)
{
    and_rel(attn, ~(uint32_t)(GOI_ATTN_HOLD | and_also)); /* [RT] H3 */
}

#endif
