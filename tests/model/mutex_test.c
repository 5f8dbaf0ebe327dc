/* SPDX-License-Identifier: MIT */
/* Every interleaving of go_mutex with two and three goroutines: exclusion, no lost wake-up, the
 * millisecond rule, deadlines, and an owner that frees the mutex right after its unlock. */
#include "model/sync.h"

#include "sync/mutex.c"

/* The header's inline paths with the explorer's atomics. */
static void model_mutex_lock(go_mutex *mu)
{
    uint32_t s = ld_rlx(goi_word32(&mu->state));
    if ((s & LOCKED) != 0 || !cas_acq(goi_word32(&mu->state), &s, s | LOCKED)) {
        goi_mutex_lock_slow(mu);
    }
}

static void model_mutex_unlock(go_mutex *mu)
{
    uint32_t s = ld_rlx(goi_word32(&mu->state));
    bool alone = s == LOCKED || (s & 29) == 13;
    if (!alone || !cas_rel(goi_word32(&mu->state), &s, s & ~(uint32_t)LOCKED)) {
        goi_mutex_unlock_slow(mu);
    }
}
#define go_mutex_lock model_mutex_lock
#define go_mutex_unlock model_mutex_unlock

static go_mutex mu;
static int owner, entered, timeouts, refs;
static int64_t deadline = 1000; /* passes with the first jump of the clock */
static goi_a32 scratch;

static void setup(void)
{
    model_reset();
    memset(&mu, 0, sizeof(mu));
    owner = -1;
    entered = timeouts = 0;
    refs = 3;
}

/* M1, M2: at rest nothing is set and nobody queued. */
static void idle(void)
{
    EX_CHECK(mu.state == 0);
    EX_CHECK(mu.head == NULL);
}

static void inside(void)
{
    EX_CHECK(owner == -1);
    owner = ex.now;
    entered++;
    st_rlx(&scratch, 1); /* a point at which others may try */
    EX_CHECK(owner == ex.now);
    owner = -1;
}

static void lock_once(void)
{
    go_mutex_lock(&mu);
    inside();
    go_mutex_unlock(&mu);
}

static void lock_twice(void)
{
    lock_once();
    lock_once();
}

static void lock_until(void)
{
    int r = go_mutex_lock_until(&mu, deadline);
    if (r == 0) {
        inside();
        go_mutex_unlock(&mu);
    } else {
        EX_CHECK(r == -ETIMEDOUT);
        timeouts++;
    }
}

static void try_once(void)
{
    if (go_mutex_trylock(&mu)) {
        inside();
        go_mutex_unlock(&mu);
    }
}

static void entered_3(void)
{
    idle();
    EX_CHECK(entered == 3);
}

static void entered_4(void)
{
    idle();
    EX_CHECK(entered == 4);
}

static void entered_or_late(void)
{
    idle();
    EX_CHECK(entered + timeouts == 3);
}

TEST_LONG(model_mutex, three_goroutines_exclude_each_other, 120)
{
    const struct ex_program p = {.name = "three lockers",
                                 .setup = setup,
                                 .threads = {lock_once, lock_once, lock_once},
                                 .check = entered_3,
                                 .preemptions = 5};
    EXPECT(ex_explore(&p));
}

TEST_LONG(model_mutex, spinners_stand_in_for_waiters, 120)
{
    model_spins = true;
    const struct ex_program p = {.name = "three lockers that spin",
                                 .setup = setup,
                                 .threads = {lock_once, lock_once, lock_once},
                                 .check = entered_3,
                                 .preemptions = 3};
    EXPECT(ex_explore(&p));
}

TEST_LONG(model_mutex, starving_waiter_is_handed_the_lock, 120)
{
    model_time_passes = true;
    const struct ex_program p = {.name = "two lockers, twice, time passes",
                                 .setup = setup,
                                 .threads = {lock_twice, lock_twice},
                                 .check = entered_4,
                                 .preemptions = 6};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "three lockers, time passes",
                                 .setup = setup,
                                 .threads = {lock_once, lock_once, lock_once},
                                 .check = entered_3,
                                 .preemptions = 3};
    EXPECT(ex_explore(&q));
}

static void timer_of_1(void) { model_timer(1); }
static void timer_of_2(void) { model_timer(2); }

TEST_LONG(model_mutex, deadline_leaves_no_trace, 120)
{
    const struct ex_program p = {.name = "one of three has a deadline",
                                 .setup = setup,
                                 .threads = {lock_once, lock_until, lock_once, timer_of_1},
                                 .daemons = 1 << 3,
                                 .check = entered_or_late,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
    model_time_passes = true;
    const struct ex_program q = {.name = "two of three have deadlines, time passes",
                                 .setup = setup,
                                 .threads = {lock_once, lock_until, lock_until, timer_of_1,
                                             timer_of_2},
                                 .daemons = 3 << 3,
                                 .check = entered_or_late,
                                 .preemptions = 1};
    EXPECT(ex_explore(&q));
    const struct ex_program r = {.name = "a barger against a deadline, time passes",
                                 .setup = setup,
                                 .threads = {lock_twice, lock_until, timer_of_1},
                                 .daemons = 1 << 2,
                                 .check = entered_or_late,
                                 .preemptions = 4};
    EXPECT(ex_explore(&r));
    deadline = 3000000; /* time to starve once */
    EXPECT(ex_explore(&r));
}

TEST_LONG(model_mutex, trylock_never_waits_nor_breaks_in, 120)
{
    const struct ex_program p = {.name = "two lockers and a trylock",
                                 .setup = setup,
                                 .threads = {lock_once, try_once, lock_once},
                                 .check = idle,
                                 .preemptions = 5};
    EXPECT(ex_explore(&p));
}

/* M4: the object holds the mutex that guards its reference count. */
static void drop(void)
{
    go_mutex_lock(&mu);
    bool last = --refs == 0;
    go_mutex_unlock(&mu);
    if (last) {
        ex_freed(&mu, sizeof(mu));
    }
}

TEST_LONG(model_mutex, owner_may_free_it_after_unlock, 120)
{
    const struct ex_program p = {.name = "the last of three frees the mutex",
                                 .setup = setup,
                                 .threads = {drop, drop, drop},
                                 .preemptions = 5};
    EXPECT(ex_explore(&p));
}
