/* SPDX-License-Identifier: MIT */
/* Every interleaving of readers and a reclaimer on a machine with store buffers: what a reader
 * finds is not freed while it looks at it. */
#include "model/sync.h"

#define GOI_RECLAIM_BATCH 1
#include "sync/reclaim.c"

struct thing {
    goi_a64 value;
    struct goi_retired retired;
};

static struct thing things[2];
static goi_aptr shared;
static int freed;

uint64_t goi_oldest_reader(void)
{
    uint64_t oldest = UINT64_MAX;
    for (int i = 0; i < ex.threads; i++) {
        uint64_t e = ld_acq(&model_m[i].reading);
        oldest = e != 0 && e < oldest ? e : oldest;
    }
    return oldest;
}

static void setup(void)
{
    model_reset();
    memset(things, 0, sizeof(things));
    memset(shards, 0, sizeof(shards));
    goi_epoch.now.v = 1;
    goi_sched.have_membarrier = true;
    shared.v = &things[0];
    things[0].value.v = things[1].value.v = 7;
    freed = 0;
}

static void setup_without_membarrier(void)
{
    setup();
    goi_sched.have_membarrier = false;
}

static void free_thing(struct goi_retired *r)
{
    freed++;
    ex_freed(goi_container_of(r, struct thing, retired), sizeof(goi_a64));
}

static void read_once(void)
{
    struct m *m = goi_read_begin();
    struct thing *t = ld_acq(&shared);
    if (t != NULL) {
        EX_CHECK(ld_rlx(&t->value) == 7); /* V2: ex_point fails if it was freed */
        EX_CHECK(ld_rlx(&t->value) == 7);
    }
    goi_read_end(m);
}

static void read_twice(void)
{
    read_once();
    read_once();
}

static void replace(void)
{
    struct thing *old = xchg_acqrel(&shared, &things[1]);
    goi_retire(&old->retired, free_thing);
}

static void replace_and_remove(void)
{
    replace();
    struct thing *old = xchg_acqrel(&shared, NULL);
    goi_retire(&old->retired, free_thing);
}

/* A plain store, which may linger in the buffer: the barrier must bring it out. */
static void unlink_by_store(void)
{
    struct thing *old = ld_rlx(&shared);
    st_rel(&shared, NULL);
    goi_retire(&old->retired, free_thing);
}

static const struct ex_program by_store = {.name = "two readers, one unlinks by a store",
                                           .setup = setup,
                                           .threads = {read_once, read_once, unlink_by_store},
                                           .preemptions = 3,
                                           .store_buffers = true};
static const struct ex_program twice = {.name = "two readers, one replaces and removes",
                                        .setup = setup,
                                        .threads = {read_twice, read_once, replace_and_remove},
                                        .preemptions = 3,
                                        .store_buffers = true};

TEST_LONG(model_reclaim, what_is_read_is_not_freed, 120)
{
    EXPECT(ex_explore(&by_store));
    EXPECT(ex_explore(&twice));
}

TEST_LONG(model_reclaim, readers_fence_where_there_is_no_membarrier, 120)
{
    struct ex_program p = by_store;
    p.setup = setup_without_membarrier;
    EXPECT(ex_explore(&p));
    struct ex_program q = twice;
    q.setup = setup_without_membarrier;
    EXPECT(ex_explore(&q));
}

/* The model can see what the barrier is for. */
TEST_LONG(model_reclaim, without_the_barrier_it_is_freed, 120)
{
    model_barrier_broken = true;
    EXPECT(!ex_explore(&twice));
}
