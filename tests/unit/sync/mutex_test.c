/* SPDX-License-Identifier: MIT */
/* go_mutex: exclusion, fairness, tries, deadlines, guards, and misuse in Go's words. */
#include "unit/sync/parked.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static go_mutex mu;
static long count;

/* --- first waits: the mutexes of these tests are new to each waiter. See mutex.c. */

enum { QUEUED = 5, CROWD = 4, TURNS = 300 };

static int order[QUEUED], came;

static void note_order(go_mutex *m, int i)
{
    mutex_lock(m);
    order[came++] = i;
    mutex_unlock(m);
}

TEST(mutex, first_waiters_keep_their_order)
{
    go_mutex m = {0};
    came = 0;
    mutex_lock(&m);
    for (int i = 0; i < QUEUED; i++) {
        go(note_order, &m, i);
        parked_await(GOI_WAIT_MUTEX, i + 1);
    }
    mutex_unlock(&m);
    parked_alone();
    EXPECT_EQ_INT(came, QUEUED);
    for (int i = 0; i < QUEUED; i++) { /* one at a time is woken, and nobody barges in */
        EXPECT_EQ_INT(order[i], i);
    }
    mutex_lock(&m);
    mutex_unlock(&m);
    EXPECT_EQ_UINT(m.state & ~MUTEX_SHARED, 0);
}

/* At the end of a time slice a mutex that nobody waits for is as new, as long as membarriers are
 * to spare. */
TEST(mutex, a_first_wait_is_forgotten)
{
    go_mutex m = {.state = MUTEX_SHARED};
    for (int i = 0; i < 100 && m.state != 0; i++) { /* sysmon may want a slice's end at any time */
        st_rlx(goi_word32(&goi_nudge), 1);
        mutex_lock(&m);
        mutex_unlock(&m);
    }
    EXPECT_EQ_UINT(m.state, goi_sched.have_membarrier ? 0 : MUTEX_SHARED);
}

struct fresh {
    go_mutex m;
    int refs, turns;
};

static void use_up(struct fresh *f, go_waitgroup *wg)
{
    for (int i = 0; i < 3; i++) {
        if (i == 1) {
            (void)!mutex_lock_until(&f->m, GO_FOREVER);
        } else {
            mutex_lock(&f->m);
        }
        f->turns++;
        if (i == 2) {
            go_yield();
        }
        bool last = i == 2 && --f->refs == 0;
        mutex_unlock(&f->m);
        if (last) {
            EXPECT_EQ_INT(f->turns, 3 * CROWD);
            memset(f, 0xee, sizeof(*f)); /* what looks at it now, finds nonsense */
            free(f);
        }
    }
    wg_done(wg);
}

static void *thread_uses_up(void *arg)
{
    void **args = arg;
    use_up(args[0], args[1]);
    return NULL;
}

/* More of them than the process may have membarriers for. */
TEST(mutex, whose_first_wait_it_is_may_be_freed_by_the_last)
{
    for (int i = 0; i < TURNS; i++) {
        struct fresh *f = calloc(1, sizeof(*f));
        go_waitgroup wg = {0};
        void *args[] = {f, &wg};
        pthread_t foreign;
        f->refs = CROWD;
        wg_add(&wg, CROWD);
        for (int k = 0; k < CROWD - (i % 8 == 0); k++) {
            go(use_up, f, &wg);
        }
        if (i % 8 == 0) {
            pthread_create(&foreign, NULL, thread_uses_up, args);
        }
        wg_wait(&wg);
        if (i % 8 == 0) {
            pthread_join(foreign, NULL);
        }
    }
}

static void lock_late(go_mutex *m, atomic_int *late)
{
    EXPECT_EQ_INT(mutex_lock_until(m, go_now() + 2 * GO_MS), -ETIMEDOUT);
    atomic_fetch_add(late, 1);
}

static void lock_once(go_mutex *m, atomic_int *in)
{
    mutex_lock(m);
    atomic_fetch_add(in, 1); /* each has a mutex of his own */
    mutex_unlock(m);
}

/* Mutexes of one hall, whose waiters come and go by each other. */
TEST(mutex, first_waits_of_neighbours_do_not_mix)
{
    enum { N = 4, STEP = 64 };
    static go_mutex many[N * STEP]; /* every STEP-th hashes alike */
    atomic_int late = 0, in = 0;
    for (int i = 0; i < N; i++) {
        mutex_lock(&many[i * STEP]);
        if (i % 2 == 0) {
            go(lock_late, &many[i * STEP], &late);
        }
        go(lock_once, &many[i * STEP], &in);
    }
    parked_await(GOI_WAIT_MUTEX, N);
    while (atomic_load(&late) < N / 2) { /* ends: their time passes */
        go_yield();
    }
    for (int i = N - 1; i >= 0; i--) {
        mutex_unlock(&many[i * STEP]);
        mutex_lock(&many[i * STEP]); /* behind the one that waits, or before it */
        mutex_unlock(&many[i * STEP]);
    }
    parked_alone();
    EXPECT_EQ_INT(atomic_load(&in), N);
    for (int i = 0; i < N; i++) {
        EXPECT_EQ_UINT(many[i * STEP].state & ~MUTEX_SHARED, 0);
    }
}

static void expect_idle(const go_mutex *m)
{
    EXPECT_EQ_UINT(m->state & ~MUTEX_SHARED, 0);
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

static bool hand_over(void)
{
    chan(int) done = chan_make(int, 1);
    bool handed = false;
    mutex_lock(&mu);
    go(wait_for_it, done);
    parked_await(GOI_WAIT_MUTEX, 1);
    go_sleep(2 * GO_MS);
    mutex_unlock(&mu); /* the waiter is woken ... */
    if (mutex_trylock(&mu)) { /* ... and too late */
        go_yield();
        parked_await(GOI_WAIT_MUTEX, 1);
        EXPECT_EQ_INT(chan_len(done), 0);
        mutex_unlock(&mu); /* now it is handed over, and we give way */
        handed = chan_len(done) == 1;
    }
    parked_alone();
    chan_free(done);
    return handed;
}

/* In one of some rounds: a machine that does something else for 10 ms takes the P from us, or from
 * the waiter, and then the other runs between any two steps. */
TEST(mutex, is_handed_to_a_starving_waiter)
{
    bool handed = false;
    go_maxprocs(1);
    for (int i = 0; i < 20 && !handed; i++) {
        handed = hand_over();
    }
    EXPECT(handed);
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
