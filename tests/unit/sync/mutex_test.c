/* SPDX-License-Identifier: MIT */
/* go_mutex: exclusion, fairness, tries, deadlines, guards, and misuse in Go's words. */
#include "unit/sync/parked.h"
#include <pthread.h>

static go_mutex mu;
static long count;

static void expect_idle(const go_mutex *m)
{
    EXPECT_EQ_UINT(m->state, 0);
    EXPECT_EQ_PTR(m->head, NULL);
}

static void count_up(long n, go_waitgroup *wg)
{
    for (long i = 0; i < n; i++) {
        if (i % 3 == 0) {
            if (!mutex_trylock(&mu)) {
                mutex_lock(&mu);
            }
        } else if (i % 7 == 0) {
            while (mutex_lock_until(&mu, go_now() + 10 * GO_US) != 0) { /* ends: a fair mutex */
            }
        } else {
            mutex_lock(&mu);
        }
        count++;
        mutex_unlock(&mu);
    }
    wg_done(wg);
}

static void *thread_counts(void *wg)
{
    count_up(test_iterations(2000), wg);
    return NULL;
}

TEST(mutex, excludes_goroutines_and_threads)
{
    go_waitgroup wg = {0};
    pthread_t thread[2];
    wg_add(&wg, 10);
    for (int i = 0; i < 8; i++) {
        go(count_up, test_iterations(2000), &wg);
    }
    for (int i = 0; i < 2; i++) {
        pthread_create(&thread[i], NULL, thread_counts, &wg);
    }
    wg_wait(&wg);
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
    }
    EXPECT_EQ_INT(count, 10 * test_iterations(2000));
    expect_idle(&mu);
}

TEST(mutex, trylock_takes_what_is_free)
{
    EXPECT(mutex_trylock(&mu));
    EXPECT(!mutex_trylock(&mu));
    mutex_unlock(&mu);
    EXPECT(mutex_trylock(&mu));
    mutex_unlock(&mu);
    expect_idle(&mu);
}

static void unlock_it(void) { mutex_unlock(&mu); }

TEST(mutex, may_be_unlocked_by_another)
{
    mutex_lock(&mu);
    go(unlock_it);
    mutex_lock(&mu);
    mutex_unlock(&mu);
    parked_alone();
    expect_idle(&mu);
}

static void lock_and_note(bool *got)
{
    mutex_lock(&mu);
    *got = true;
    mutex_unlock(&mu);
}

TEST(mutex, late_waiter_leaves_nothing_behind)
{
    bool got = false;
    mutex_lock(&mu);
    EXPECT_EQ_INT(mutex_lock_until(&mu, 0), -ETIMEDOUT);
    EXPECT_EQ_INT(mutex_lock_until(&mu, go_now() + 2 * GO_MS), -ETIMEDOUT);
    go(lock_and_note, &got);
    parked_await(GOI_WAIT_MUTEX, 1);
    EXPECT_EQ_INT(mutex_lock_until(&mu, go_now() + 2 * GO_MS), -ETIMEDOUT);
    EXPECT(!got);
    mutex_unlock(&mu);
    parked_alone();
    EXPECT(got);
    EXPECT_EQ_INT(mutex_lock_until(&mu, GO_FOREVER), 0);
    mutex_unlock(&mu);
    EXPECT_EQ_INT(mutex_lock_until(&mu, go_now() + GO_HOUR), 0);
    mutex_unlock(&mu);
    EXPECT_EQ_INT(mutex_lock_ctx(NULL, &mu), 0);
    mutex_unlock(&mu);
    expect_idle(&mu);
}

/* One holds it nearly always; another who sleeps in between gets it nevertheless. */
static goi_a32 stop;

static void hog(go_waitgroup *wg)
{
    while (ld_rlx(&stop) == 0) {
        mutex_lock(&mu);
        for (go_time end = go_now() + 100 * GO_US; go_now() < end;) {
        }
        mutex_unlock(&mu);
    }
    wg_done(wg);
}

TEST(mutex, waiter_is_not_starved)
{
    go_waitgroup wg = {0};
    wg_add(&wg, 1);
    go(hog, &wg);
    for (int i = 0; i < 10; i++) {
        go_sleep(100 * GO_US);
        mutex_lock(&mu);
        mutex_unlock(&mu);
    }
    st_rlx(&stop, 1);
    wg_wait(&wg);
    expect_idle(&mu);
}

/* Waited for longer than a millisecond, and woken in vain: then it is handed over, and no trylock
 * gets in between. */
static void wait_for_it(chan(int) done)
{
    mutex_lock(&mu);
    chan_send(done, 1);
    mutex_unlock(&mu);
}

TEST(mutex, is_handed_to_a_starving_waiter)
{
    chan(int) done = chan_make(int, 1);
    go_maxprocs(1);
    mutex_lock(&mu);
    go(wait_for_it, done);
    parked_await(GOI_WAIT_MUTEX, 1);
    go_sleep(2 * GO_MS);
    mutex_unlock(&mu); /* the waiter is woken ... */
    EXPECT(mutex_trylock(&mu)); /* ... and too late */
    go_yield();
    parked_await(GOI_WAIT_MUTEX, 1);
    EXPECT_EQ_INT(chan_len(done), 0);
    mutex_unlock(&mu); /* now it is handed over, and we give way */
    EXPECT_EQ_INT(chan_len(done), 1);
    parked_alone();
    chan_free(done);
    expect_idle(&mu);
}

static int leave_guarded(bool early)
{
    guard(&mu);
    if (early) {
        return 1;
    }
    return 2;
}

static void panic_guarded(void)
{
    guard(&mu);
    go_panic("inside");
}

static void exit_guarded(void)
{
    with_lock(&mu) {
        go_exit();
    }
}

TEST(mutex, guards_unlock_however_the_block_is_left)
{
    EXPECT_EQ_INT(leave_guarded(true) + leave_guarded(false), 3);
    with_lock(&mu) {
        EXPECT(!mutex_trylock(&mu));
    }
    for (int i = 0; i < 3; i++) {
        with_lock(&mu) {
            break;
        }
    }
    EXPECT(!go_try(NULL, panic_guarded));
    go(exit_guarded);
    parked_alone();
    expect_idle(&mu);
}

DEATH_TEST(mutex, unlock_of_unlocked_is_fatal, 2,
           "^fatal error: sync: unlock of unlocked mutex\n")
{
    mutex_unlock(&mu);
}

static void unlock_twice(void)
{
    mutex_lock(&mu);
    mutex_unlock(&mu);
    mutex_unlock(&mu);
}

DEATH_TEST(mutex, unlock_of_unlocked_cannot_be_caught, 2,
           "^fatal error: sync: unlock of unlocked mutex\n")
{
    (void)go_try(NULL, unlock_twice);
}

DEATH_TEXT(mutex, is_not_recursive, 2, "fatal error: all goroutines are asleep - deadlock!\n")
{
    mutex_lock(&mu);
    mutex_lock(&mu);
}
