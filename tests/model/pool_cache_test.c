/* SPDX-License-Identifier: MIT */
/* Every interleaving of a pool's cache on a machine with store buffers: its owner, and who takes
 * out what is idle. Each object is with one of them. */
#include "model/atomic.h"
#include "base/assert.h"
#define GOP_OS_H
static void gop_membarrier(void);
#include "sync/pool_cache.h"

static struct goi_pool_cache cache;
static bool have_membarrier, barrier_works;
static int owned[2], objects; /* who has object i: 1 the cache, 2 its owner, 3 the trimmer */
static int taken;

static void gop_membarrier(void)
{
    if (!barrier_works) {
        return;
    }
    for (int i = 0; i < ex.threads; i++) {
        while (ex.t[i].buffered > 0) {
            ex_flush_first(&ex.t[i]);
        }
    }
}

/* Plain memory: other threads may be anywhere between two accesses. */
static bool owner_inside, trimmer_inside;

static void put(int i)
{
    if (!goi_pool_cache_enter(&cache)) {
        return;
    }
    EX_CHECK(!trimmer_inside); /* C1 */
    owner_inside = true;
    EX_CHECK(goi_pool_cache_push(&cache, &owned[i]));
    owned[i] = 1;
    EX_CHECK(!trimmer_inside);
    owner_inside = false;
    goi_pool_cache_leave(&cache);
}

static void get(void)
{
    if (!goi_pool_cache_enter(&cache)) {
        return;
    }
    EX_CHECK(!trimmer_inside); /* C1 */
    owner_inside = true;
    int *o = goi_pool_cache_pop(&cache);
    if (o != NULL) {
        EX_CHECK(*o == 1);
        *o = 2;
    }
    EX_CHECK(!trimmer_inside);
    owner_inside = false;
    goi_pool_cache_leave(&cache);
}

static void owner(void)
{
    put(0);
    get();
    put(1);
}

static void trim(void)
{
    for (int round = 0; round < 2; round++) {
        void *out[GOI_POOL_CACHE_MAX];
        int n = goi_pool_cache_idle(&cache, out, round == 1, have_membarrier);
        for (int i = 0; i < n; i++) {
            int *o = out[i];
            EX_CHECK(*o == 1);
            *o = 3;
            taken++;
        }
    }
}

/* The hold itself, spread out, so that the owner may come in between. */
static void hold(void)
{
    if (goi_rt_hold(&cache.in, &cache.attn, have_membarrier)) {
        EX_CHECK(!owner_inside); /* C1 */
        trimmer_inside = true;
        (void)ld_rlx(&cache.n);
        EX_CHECK(!owner_inside);
        trimmer_inside = false;
        goi_rt_release(&cache.attn, 0);
    }
}

static void setup(void)
{
    memset(&cache, 0, sizeof(cache));
    cache.attn.v = have_membarrier ? 0 : GOI_POOL_FENCE; /* goi_pool_cache_init, not a step */
    owned[0] = owned[1] = 2;
    owner_inside = trimmer_inside = false;
    taken = 0;
}

static void check(void)
{
    objects = 0;
    for (int i = 0; i < 2; i++) {
        objects += owned[i] == 1;
    }
    EX_CHECK(objects == (int)cache.n.v);
    EX_CHECK(cache.in.v == 0);
    EX_CHECK((cache.attn.v & GOI_ATTN_HOLD) == 0);
}

static const struct ex_program draining = {.name = "an owner and who takes out what is idle",
                                           .setup = setup,
                                           .threads = {owner, trim},
                                           .check = check,
                                           .preemptions = 5,
                                           .store_buffers = true};
static const struct ex_program holding = {.name = "an owner and who holds it off",
                                          .setup = setup,
                                          .threads = {owner, hold},
                                          .check = check,
                                          .preemptions = 5,
                                          .store_buffers = true};

TEST_LONG(model_pool_cache, owner_and_trimmer_never_meet, 120)
{
    have_membarrier = barrier_works = true;
    EXPECT(ex_explore(&draining));
    EXPECT(ex_explore(&holding));
}

TEST_LONG(model_pool_cache, owner_fences_where_there_is_no_membarrier, 120)
{
    have_membarrier = barrier_works = false;
    EXPECT(ex_explore(&draining));
    EXPECT(ex_explore(&holding));
}

/* The model can see what the barrier is for. */
TEST_LONG(model_pool_cache, without_the_barrier_they_meet, 120)
{
    have_membarrier = true;
    barrier_works = false;
    EXPECT(!ex_explore(&holding));
}
