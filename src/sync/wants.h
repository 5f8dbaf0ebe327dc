/* SPDX-License-Identifier: MIT */
/* wants.h: who waits for which mutex, and who holds it. The protocol is told in wants.c. */
#ifndef GOI_SYNC_WANTS_H
#define GOI_SYNC_WANTS_H
#include "sched/sched.h"
#include <gort/sync.h>

/* The note of who has locked: by the owner, once it is the owner and before it ceases to be. For
 * the active writer of a go_rwmutex the note of its first member, `w`. */
GOI_INLINE void goi_held_by_me(go_mutex *mu)
{
    uintptr_t sp;
    GOI_STACK_POINTER(sp);
    st_rlx(goi_word32(&mu->spare), (uint32_t)(sp >> GOI_HOLDER_BITS)); /* [HOLDER] */
}
GOI_INLINE void goi_held_by_none(go_mutex *mu)
{
    st_rlx(goi_word32(&mu->spare), 0); /* [HOLDER] ordered before the next owner by the unlock */
}

/* Before the caller waits for a mutex, outside of the runtime. */
void goi_wants_prepare_slow(struct g *g);
GOI_INLINE void goi_wants_prepare(void)
{
    struct g *g = goi_self_g();
    if (GOI_UNLIKELY(g->stack == NULL && ld_rlx(&g->own_hi) == 0)) {
        goi_wants_prepare_slow(g);
    }
}

/* g is about to park for mu, or has parked for something else and is now made to wait for mu by
 * the caller: for as long as it takes, without a time or a context that could end it. Inside the
 * runtime, under mu's lock. mu stays until end(). */
void goi_wants_begin(struct g *g, go_mutex *mu);
/* The caller, g, has stopped waiting. Inside the runtime; nothing if it had not begun. */
void goi_wants_end_slow(struct g *g);
GOI_INLINE void goi_wants_end(struct g *g)
{
    if (g->wants != NULL) {
        goi_wants_end_slow(g);
    }
}

#endif
