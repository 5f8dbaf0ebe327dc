/* SPDX-License-Identifier: MIT */
/* Every interleaving of go_mutex with two and three goroutines: exclusion, no lost wake-up, the
 * millisecond rule, deadlines, and an owner that frees the mutex right after its unlock. */
#include "model/real_mutex.h"

static go_mutex mu;
static int owner, entered, timeouts, refs;
static int64_t deadline = 1000; /* passes with the first jump of the clock */
static goi_a32 scratch;

static void setup(void)
{
    model_reset();
    model_mutex_reset(&mu);
    owner = -1;
    entered = timeouts = 0;
    refs = 3;
}

static void idle(void) { model_mutex_idle(&mu); }

static void inside(void)
{
    EX_CHECK(owner == -1);
    owner = ex.now;
    entered++;
    st_rlx(&scratch, 1); /* a point at which others may try */
    EX_CHECK(owner == ex.now);
    EX_CHECK((mu.state & SHARED) != 0 || (mu.state & QUEUE) == 0); /* M8 */
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

/* --- the first wait, on a machine with store buffers */

static void setup_first(void)
{
    model_waited = false;
    setup();
    model_waited = true;
}

static void setup_poor(void)
{
    setup_first();
    earned.v = INT64_MAX - 1; /* no membarrier but the last one */
}

static void setup_without_membarrier(void)
{
    setup_first();
    goi_sched.have_membarrier = false;
    goi_mutex_watch[GOI_MUTEX_HALL(&mu)] = 1;
    fenced.v = true; /* for idle(); what raised it is of no matter */
}

static void entered_2(void)
{
    idle();
    EX_CHECK(entered == 2);
}

static void entered_or_late_2(void)
{
    idle();
    EX_CHECK(entered + timeouts == 2);
}

static void lock_and_stay(void)
{
    lock_once();
    ld_rlx(&scratch); /* a point while the store is still to be seen */
}

TEST_LONG(model_mutex, first_wait_is_not_forgotten, 120)
{
    const struct ex_program two = {.name = "two lockers, the first wait",
                                   .setup = setup_first,
                                   .threads = {lock_and_stay, lock_and_stay},
                                   .check = entered_2,
                                   .preemptions = 6,
                                   .store_buffers = true};
    EXPECT(ex_explore(&two));
    const struct ex_program three = {.name = "three lockers, the first wait",
                                     .setup = setup_first,
                                     .threads = {lock_and_stay, lock_and_stay, lock_and_stay},
                                     .check = entered_3,
                                     .preemptions = 3,
                                     .store_buffers = true};
    EXPECT(ex_explore(&three));
    const struct ex_program twice = {.name = "two lockers, twice, the first wait",
                                     .setup = setup_first,
                                     .threads = {lock_twice, lock_twice},
                                     .check = entered_4,
                                     .preemptions = 3,
                                     .store_buffers = true};
    EXPECT(ex_explore(&twice));
}

/* The owner, at the end of a time slice: nobody has ever waited. */
static void lock_and_forget(void)
{
    go_mutex_lock(&mu);
    forget(goi_word32(&mu.state));
    inside();
    go_mutex_unlock(&mu);
    ld_rlx(&scratch); /* a point while the store is still to be seen */
}

static void lock_once_and_forget(void)
{
    lock_once();
    lock_and_forget();
}

static void drop_and_forget(void)
{
    go_mutex_lock(&mu);
    forget(goi_word32(&mu.state));
    bool last = --refs == 0;
    go_mutex_unlock(&mu);
    if (last) {
        ex_freed(&mu, sizeof(mu));
    }
}

static void explores_forgetting(void (*begin)(void))
{
    const struct ex_program two = {.name = "two lockers, one forgets the first wait",
                                   .setup = begin,
                                   .threads = {lock_and_forget, lock_and_stay},
                                   .check = entered_2,
                                   .preemptions = 6,
                                   .store_buffers = true};
    EXPECT(ex_explore(&two));
    const struct ex_program three = {.name = "three lockers, two forget the first wait",
                                     .setup = begin,
                                     .threads = {lock_and_forget, lock_and_stay, lock_and_forget},
                                     .check = entered_3,
                                     .preemptions = 3,
                                     .store_buffers = true};
    EXPECT(ex_explore(&three));
    const struct ex_program late = {.name = "one forgets, one has a deadline",
                                    .setup = begin,
                                    .threads = {lock_and_forget, lock_until, timer_of_1},
                                    .daemons = 1 << 2,
                                    .check = entered_or_late_2,
                                    .preemptions = 4,
                                    .store_buffers = true};
    EXPECT(ex_explore(&late));
    const struct ex_program left = {.name = "one is late to leave when the wait is forgotten",
                                    .setup = begin,
                                    .threads = {lock_once_and_forget, lock_until, timer_of_1},
                                    .daemons = 1 << 2,
                                    .check = entered_or_late,
                                    .preemptions = 3,
                                    .store_buffers = true};
    EXPECT(ex_explore(&left));
    const struct ex_program later = {.name = "two forget, one has a deadline",
                                     .setup = begin,
                                     .threads = {lock_and_forget, lock_until, lock_and_forget,
                                                 timer_of_1},
                                     .daemons = 1 << 3,
                                     .check = entered_or_late,
                                     .preemptions = 2,
                                     .store_buffers = true};
    EXPECT(ex_explore(&later));
    const struct ex_program freed = {.name = "the last of three frees a mutex that forgets",
                                     .setup = begin,
                                     .threads = {drop_and_forget, drop, drop_and_forget},
                                     .preemptions = 2,
                                     .store_buffers = true};
    EXPECT(ex_explore(&freed));
}

TEST_LONG(model_mutex, first_wait_may_be_forgotten, 120)
{
    explores_forgetting(setup_first);
    explores_forgetting(setup);
}

/* The model can see what the barrier is for. */
TEST_LONG(model_mutex, first_wait_needs_its_barrier, 60)
{
    const struct ex_program p = {.name = "two lockers without the barrier",
                                 .setup = setup_first,
                                 .threads = {lock_and_stay, lock_once},
                                 .check = entered_2,
                                 .preemptions = 4,
                                 .store_buffers = true};
    EXPECT(ex_explore(&p));
    model_barrier_broken = true;
    EXPECT(!ex_explore(&p));
    model_barrier_broken = false;
}

TEST_LONG(model_mutex, first_wait_without_membarrier, 120)
{
    const struct ex_program none = {.name = "two lockers, no membarrier",
                                    .setup = setup_without_membarrier,
                                    .threads = {lock_and_stay, lock_and_stay},
                                    .check = entered_2,
                                    .preemptions = 5,
                                    .store_buffers = true};
    EXPECT(ex_explore(&none));
    const struct ex_program poor = {.name = "three lockers, the last membarrier",
                                    .setup = setup_poor,
                                    .threads = {lock_and_stay, lock_and_stay, lock_and_stay},
                                    .check = entered_3,
                                    .preemptions = 2,
                                    .store_buffers = true};
    EXPECT(ex_explore(&poor));
}

TEST_LONG(model_mutex, first_wait_with_a_deadline, 120)
{
    const struct ex_program p = {.name = "a deadline in the hall",
                                 .setup = setup_first,
                                 .threads = {lock_once, lock_until, timer_of_1},
                                 .daemons = 1 << 2,
                                 .check = entered_or_late_2,
                                 .preemptions = 4,
                                 .store_buffers = true};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "a deadline in the hall, and one more",
                                 .setup = setup_first,
                                 .threads = {lock_once, lock_until, lock_once, timer_of_1},
                                 .daemons = 1 << 3,
                                 .check = entered_or_late,
                                 .preemptions = 2,
                                 .store_buffers = true};
    EXPECT(ex_explore(&q));
}

/* M4, M6: a store is the last touch, and what comes after looks at the hall alone. */
TEST_LONG(model_mutex, owner_may_free_it_after_its_first_wait, 120)
{
    const struct ex_program p = {.name = "the last of three frees a mutex that was new",
                                 .setup = setup_first,
                                 .threads = {drop, drop, drop},
                                 .preemptions = 3,
                                 .store_buffers = true};
    EXPECT(ex_explore(&p));
}
