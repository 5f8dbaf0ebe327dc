/* SPDX-License-Identifier: MIT */
/* hold.c: looking into, and taking, a P whose owner does not expect it.
 *
 * The owner of a P works on its queues without any atomic read-modify-write and without a fence,
 * because entering and leaving the runtime is the whole hand-shake:
 *
 *     owner: enter                       holder (sysmon, thief), under sched.lock
 *       in_rt = 1                          attn |= HOLD
 *       compiler barrier                   membarrier()      (a full fence in every thread)
 *       attn != 0 ? slow path              in_rt == 0 ?  the P is ours to look at
 *       ...                                               : attn &= ~HOLD, come back later
 *     owner: leave                         ... move goroutines, or take the P away ...
 *       in_rt = 0 (release)                attn &= ~HOLD (release)
 *
 * This is Dekker's algorithm with all of the cost on the holder's side (0.3 us quiet, 1.4 to 14 us
 * under load). The slow path of enter waits for sched.lock while HOLD is set.
 *
 *   H1  Never both: owner past the check of attn, and holder past the check of in_rt.
 *       The membarrier falls somewhere in the owner's program. Before its store to in_rt: then its
 *       later load of attn sees HOLD. After: then the holder's load sees in_rt == 1.
 *       (tests/model/hold)
 *   H2  What the owner did before leaving is visible to the holder: release in leave, acquire here.
 *   H3  What the holder did is visible to the owner: release when HOLD is cleared, acquire on attn
 *       in enter; or the lock.
 *   H4  HOLD is set and cleared under sched.lock, by one thread at a time.
 *
 * Where the kernel refuses membarrier, every M has GOI_ATTN_FENCE set for good: each entry takes
 * the slow path and fences there.
 *
 * At most GOI_SHARE_MAX goroutines change hands at a time: of a queue of a million each is a cache
 * miss, and moving half of them would stop both sides for 50 ms.
 *
 * Rejected: a lock-free ring per P as in Go (one compare-and-swap, 4 to 5 ns here, on every pop).
 * Rejected: signals (EINTR for the user's calls, and no safe point in C).
 *
 * The pair of words and its five operations are in rt.h.
 */
#include "sched/internal.h"

bool goi_hold_p_locked(struct p *p)
{
    struct m *m = p->m;
    goi_assert(m != NULL);
    goi_assert((ld_rlx(&m->attn) & GOI_ATTN_HOLD) == 0); /* H4 */
    return goi_rt_hold(&m->in_rt, &m->attn, goi_sched.have_membarrier); /* [RT] */
}

void goi_release_p_locked(struct p *p)
{
    goi_assert(p->m != NULL);
    goi_assert((ld_rlx(&p->m->attn) & GOI_ATTN_HOLD) != 0);
    goi_rt_release(&p->m->attn, 0); /* [RT] */
}

void goi_detach_p_locked(struct p *p)
{
    struct m *m = p->m;
    goi_assert((ld_rlx(&m->attn) & GOI_ATTN_HOLD) != 0);
    goi_p_unbind_locked(p, m);
    goi_must(!m->detached);
    m->detached = true;
    st_rlx(&goi_sched.ndetached, ld_rlx(&goi_sched.ndetached) + 1);
    goi_rt_release(&m->attn, GOI_ATTN_SLICE | GOI_ATTN_SHARE | GOI_ATTN_DUE); /* [RT] */
    add_rlx(&p->handoffs, 1);
}

void goi_share_locked(struct p *victim, bool with_next)
{
    struct goi_runq *to = &goi_sched.global;
    uint32_t woken = goi_runq_len(&victim->woken);
    uint32_t fresh = goi_runq_len(&victim->fresh);
    if (with_next && victim->runnext != NULL) {
        struct g *g = victim->runnext;
        victim->runnext = NULL;
        st_rlx(&victim->has_next, 0);
        goi_runq_push_tail(to, &g->run);
    }
    victim->spawn_first = NULL;
    goi_io_forget(victim);
    goi_runq_move_head(&victim->woken, to, (uint32_t)goi_min_size((woken + 1) / 2, GOI_SHARE_MAX));
    goi_runq_move_tail(&victim->fresh, to, (uint32_t)goi_min_size((fresh + 1) / 2, GOI_SHARE_MAX));
}
