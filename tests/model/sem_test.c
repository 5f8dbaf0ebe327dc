/* SPDX-License-Identifier: MIT */
/* Every interleaving of go_sem: nobody is forgotten, late waiters pass on what they leave, no more
 * is out than there is, and who was let in may free it. */
#include "model/sync.h"

#include "sync/sem.c"

static go_sem sem;
static int64_t out;
static int served, late;

static void setup_2(void)
{
    model_reset();
    memset(&sem, 0, sizeof(sem));
    sem.size = 2;
    out = 0;
    served = late = 0;
}

static void idle(void)
{
    EX_CHECK(sem.taken == 0);
    EX_CHECK(sem.head == NULL);
    EX_CHECK(sem.lock == 0);
}

static void hold(int64_t n)
{
    out += n;
    EX_CHECK(out <= 2); /* E1 */
    ex_point(&out);
    out -= n;
    served++;
    go_sem_release(&sem, n);
}

static void take(int64_t n)
{
    EX_CHECK(go_sem_acquire(NULL, &sem, n) == 0);
    hold(n);
}

static void take_1(void) { take(1); }
static void take_2(void) { take(2); }

static void take_2_or_be_late(void)
{
    int r = go_sem_acquire_until(&sem, 2, 1000);
    if (r == 0) {
        hold(2);
    } else {
        EX_CHECK(r == -ETIMEDOUT);
        late++;
    }
}

static void timer_of_0(void) { model_timer(0); }

static void all_3(void)
{
    idle();
    EX_CHECK(served + late == 3);
}

TEST_LONG(model_sem, everybody_is_served, 120)
{
    const struct ex_program p = {.name = "two take 1, one takes 2",
                                 .setup = setup_2,
                                 .threads = {take_1, take_2, take_1},
                                 .check = all_3,
                                 .preemptions = 3};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "three take 2",
                                 .setup = setup_2,
                                 .threads = {take_2, take_2, take_2},
                                 .check = all_3,
                                 .preemptions = 3};
    EXPECT(ex_explore(&q));
}

TEST_LONG(model_sem, late_waiter_passes_on_what_is_free, 120)
{
    const struct ex_program p = {.name = "one may be late for 2, two take 1",
                                 .setup = setup_2,
                                 .threads = {take_2_or_be_late, take_1, take_1, timer_of_0},
                                 .daemons = 1 << 3,
                                 .check = all_3,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
}

/* E5: the last to get it frees it. */
static void setup_taken(void)
{
    setup_2();
    sem.taken = 2;
}

static void take_all_and_free(void)
{
    EX_CHECK(go_sem_acquire(NULL, &sem, 2) == 0);
    ex_freed(&sem, sizeof(sem));
}

static void give_1(void) { go_sem_release(&sem, 1); }

TEST_LONG(model_sem, last_one_may_free_it, 120)
{
    const struct ex_program p = {.name = "two give back, one takes all and frees",
                                 .setup = setup_taken,
                                 .threads = {take_all_and_free, give_1, give_1},
                                 .preemptions = 4};
    EXPECT(ex_explore(&p));
}
