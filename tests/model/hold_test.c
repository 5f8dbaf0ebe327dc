/* SPDX-License-Identifier: MIT */
/* Every interleaving of the hand-shake in sched/rt.h on a machine with store buffers: an owner that
 * works on its queue inside the runtime, and a holder that looks into it. Both count on a plain
 * word; if they ever meet, a count is lost. */
#include "model/atomic.h"
#include "base/assert.h"
#define GOP_OS_H
static void gop_membarrier(void);
#include "sched/rt.h"

static goi_a32 in_rt, attn, lock;
static bool membarrier_works, have_membarrier;
static bool owner_inside, holder_inside;
static int owner_turns, held;

/* Every thread executes a full barrier. */
static void gop_membarrier(void)
{
    if (!membarrier_works) {
        return;
    }
    for (int i = 0; i < ex.threads; i++) {
        while (ex.t[i].buffered > 0) {
            ex_flush_first(&ex.t[i]);
        }
    }
}

static void take_lock(void)
{
    while (xchg_acq(&lock, 1) != 0) {
        ex_spin();
    }
}

static void drop_lock(void) { st_rel(&lock, 0); }

static void owner(void)
{
    for (int i = 0; i < 2; i++) {
        if (!goi_rt_enter(&in_rt, &attn)) {
            while ((goi_rt_attend(&attn) & GOI_ATTN_HOLD) != 0) {
                take_lock();
                drop_lock();
            }
        }
        EX_CHECK(!holder_inside); /* H1 */
        owner_inside = true;
        ex_point(&owner_turns);
        EX_CHECK(!holder_inside);
        owner_turns++;
        owner_inside = false;
        goi_rt_leave(&in_rt);
    }
}

static void holder(void)
{
    for (int i = 0; i < 2; i++) {
        take_lock();
        if (goi_rt_hold(&in_rt, &attn, have_membarrier)) {
            EX_CHECK(!owner_inside); /* H1 */
            holder_inside = true;
            ex_point(&owner_turns);
            EX_CHECK(!owner_inside);
            held++;
            holder_inside = false;
            goi_rt_release(&attn, 0);
        }
        drop_lock();
    }
}

static void setup_common(void)
{
    memset(&in_rt, 0, sizeof(in_rt));
    memset(&attn, 0, sizeof(attn));
    memset(&lock, 0, sizeof(lock));
    owner_inside = holder_inside = false;
    owner_turns = held = 0;
}

static void setup(void)
{
    setup_common();
    membarrier_works = have_membarrier = true;
}

/* GOI_ATTN_FENCE, which is set for good, makes every entry take the slow path. */
static void setup_fence(void)
{
    setup_common();
    membarrier_works = have_membarrier = false;
    attn.v = 128;
}

static void setup_broken(void)
{
    setup_common();
    membarrier_works = false;
    have_membarrier = true;
}

static void check(void) { EX_CHECK(owner_turns == 2); }

TEST_LONG(hold, owner_and_holder_never_meet_with_membarrier, 120)
{
    static const struct ex_program p = {.name = "hold",
                                        .setup = setup,
                                        .threads = {owner, holder},
                                        .check = check,
                                        .preemptions = 4,
                                        .store_buffers = true};
    EXPECT(ex_explore(&p));
}

TEST_LONG(hold, owner_and_holder_never_meet_with_fences, 120)
{
    static const struct ex_program p = {.name = "hold, no membarrier",
                                        .setup = setup_fence,
                                        .threads = {owner, holder},
                                        .check = check,
                                        .preemptions = 4,
                                        .store_buffers = true};
    EXPECT(ex_explore(&p));
}

/* The model is worth something: without the barrier it finds the meeting. */
TEST_LONG(hold, without_any_barrier_they_meet, 120)
{
    static const struct ex_program p = {.name = "hold, broken",
                                        .setup = setup_broken,
                                        .threads = {owner, holder},
                                        .check = check,
                                        .preemptions = 4,
                                        .store_buffers = true};
    EXPECT(!ex_explore(&p));
}
