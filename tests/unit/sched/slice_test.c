/* SPDX-License-Identifier: MIT */
/* Time slices as the scheduler counts them: who gives way begins a new one for who comes, and a
 * path that does not call the library hears of its end. */
#include "harness.h"
#include "sched/sched.h"
#include <gort.h>
#include <gort/short.h>

static void nothing(void) {}

TEST(slice, a_yield_to_a_new_goroutine_is_a_pick)
{
    go_maxprocs(1);
    go_yield();
    struct p *p = goi_sched.procs[0];
    uint32_t picks = 0;
    uint32_t ticks = 0;
    /* To the new goroutine and back, unless the machine stops us in between for so long that the P
     * is taken: the other then runs without a yield, and we come back without a pick. */
    for (int i = 0; i < 100 && (picks < 2 || ticks < 2); i++) {
        picks = ld_rlx(&p->picks);
        ticks = ld_rlx(&p->tick);
        go(nothing);
        while (go_count() > 1) { /* ends: a yield gives way to it */
            go_yield();
        }
        picks = ld_rlx(&p->picks) - picks;
        ticks = ld_rlx(&p->tick) - ticks;
    }
    EXPECT_INT(picks, >=, 2);
    EXPECT_INT(ticks, >=, 2);
}

TEST(slice, the_inline_lock_answers_a_nudge)
{
    go_mutex mu = {0};
    bool answered = false;
    go_yield();
    for (int i = 0; i < 100 && !answered; i++) { /* sysmon may set it anew at any time */
        st_rlx(goi_word32(&goi_nudge), 1);
        mutex_lock(&mu);
        answered = ld_rlx(goi_word32(&goi_nudge)) == 0;
        EXPECT_EQ_UINT(mu.state, 1);
        mutex_unlock(&mu);
    }
    EXPECT(answered);
}
