/* SPDX-License-Identifier: MIT */
/* pool_cache.h: the objects of a pool that one P keeps at hand.
 *
 * A stack of some objects, in plain memory. Its owner is whoever holds the P, inside the runtime.
 * Sometimes another thread wants to take out what lies unused; it holds the owner off by the
 * hand-shake of sched/rt.h on two words of the cache, so that the owner pays two plain stores and a
 * load. While it is held off the owner does without the cache.
 *
 *   C1  The stack is touched by the owner between enter and leave, or by who holds it, and never by
 *       both.                                                         (tests/model/pool_cache)
 *   C2  low is the least n since the last look: what lies below has not been used since. (asserts)
 *
 * Includes nothing but base and the hand-shake, so that the model runs this very text.
 */
#ifndef GOI_SYNC_POOL_CACHE_H
#define GOI_SYNC_POOL_CACHE_H
#include "base/assert.h"
#include "sched/rt.h"

enum { GOI_POOL_CACHE_MAX = 62, GOI_POOL_FENCE = 1 };

struct goi_pool_cache {
    goi_a32 in, attn;               /* [a:RT] */
    goi_a32 n;                      /* [o] readable anywhere */
    uint32_t low;                   /* [o] C2 */
    void *object[GOI_POOL_CACHE_MAX];   /* [o] */
} GOI_ALIGNED(2 * GOI_CACHE_LINE);

/* Zero memory is an empty cache, after this. */
GOI_INLINE void goi_pool_cache_init(struct goi_pool_cache *c, bool have_membarrier)
{
    st_rlx(&c->attn, have_membarrier ? 0 : GOI_POOL_FENCE); /* then each entry fences */
}

/* The owner, inside the runtime. False: somebody looks at it; then there is nothing to leave. */
GOI_INLINE bool goi_pool_cache_enter(struct goi_pool_cache *c)
{
    if (GOI_LIKELY(goi_rt_enter(&c->in, &c->attn))) {
        return true;
    }
    if ((goi_rt_attend(&c->attn) & GOI_ATTN_HOLD) == 0) {
        return true;
    }
    goi_rt_leave(&c->in);
    return false;
}

GOI_INLINE void goi_pool_cache_leave(struct goi_pool_cache *c) { goi_rt_leave(&c->in); }

/* Entered. NULL: empty. */
GOI_INLINE void *goi_pool_cache_pop(struct goi_pool_cache *c)
{
    uint32_t n = ld_rlx(&c->n);
    if (n == 0) {
        return NULL;
    }
    st_rlx(&c->n, --n);
    c->low = n < c->low ? n : c->low;
    return c->object[n];
}

/* Entered. False: full. */
GOI_INLINE bool goi_pool_cache_push(struct goi_pool_cache *c, void *object)
{
    uint32_t n = ld_rlx(&c->n);
    if (n == GOI_POOL_CACHE_MAX) {
        return false;
    }
    c->object[n] = object;
    st_rlx(&c->n, n + 1);
    return true;
}

/* Entered, or held: takes the `k` that have not been used for longest. */
static inline void goi_pool_cache_cut(struct goi_pool_cache *c, void **out, uint32_t k)
{
    uint32_t n = ld_rlx(&c->n);
    goi_assert(k <= n);
    for (uint32_t i = 0; i < n; i++) {
        if (i < k) {
            out[i] = c->object[i];
        } else {
            c->object[i - k] = c->object[i];
        }
    }
    st_rlx(&c->n, n - k);
    c->low = c->low > k ? c->low - k : 0;
}

/* Any thread, one at a time: takes what was not used since the last call, or all. Returns how many;
 * -1 when the owner is at it just now. */
static inline int goi_pool_cache_idle(struct goi_pool_cache *c, void **out, bool all,
                                      bool have_membarrier)
{
    if (ld_rlx(&c->n) == 0) {
        return 0; /* a hint: what comes in now has been used now */
    }
    if (!goi_rt_hold(&c->in, &c->attn, have_membarrier)) {
        return -1;
    }
    uint32_t n = ld_rlx(&c->n);
    goi_assert(c->low <= n); /* C2 */
    uint32_t k = all ? n : c->low;
    goi_pool_cache_cut(c, out, k);
    c->low = n - k;
    goi_rt_release(&c->attn, 0);
    return (int)k;
}

#endif
