/* SPDX-License-Identifier: MIT */
/* go_rwmutex: who may be inside with whom, who waits for whom, and misuse in Go's words. */
#include "unit/sync/parked.h"

static go_rwmutex rw;

static void expect_idle(void)
{
    EXPECT_EQ_UINT(rw.state, 0);
    EXPECT_EQ_PTR(rw.readers, NULL);
    EXPECT_EQ_PTR(rw.writer, NULL);
    EXPECT_EQ_UINT(rw.w.state & ~MUTEX_SHARED, 0);
}

static void read_until(chan(int) leave, go_waitgroup *inside)
{
    rwmutex_rlock(&rw);
    wg_done(inside);
    (void)chan_recv(leave);
    rwmutex_runlock(&rw);
}

TEST(rwmutex, readers_are_inside_together)
{
    enum { N = 10 };
    chan(int) leave = chan_make(int);
    go_waitgroup inside = {0};
    wg_add(&inside, N);
    for (int i = 0; i < N; i++) {
        go(read_until, leave, &inside);
    }
    wg_wait(&inside); /* all at once */
    EXPECT(!rwmutex_trylock(&rw));
    EXPECT(rwmutex_tryrlock(&rw));
    rwmutex_runlock(&rw);
    chan_close(leave);
    parked_alone();
    EXPECT(rwmutex_trylock(&rw));
    EXPECT(!rwmutex_tryrlock(&rw));
    EXPECT(!rwmutex_trylock(&rw));
    rwmutex_unlock(&rw);
    chan_free(leave);
    expect_idle();
}

static int order[8], n;

static void write_as(int id)
{
    rwmutex_lock(&rw);
    order[n++] = id;
    rwmutex_unlock(&rw);
}

static go_mutex note;

static void read_as(int id)
{
    rwmutex_rlock(&rw);
    with_lock(&note) {
        order[n++] = id;
    }
    rwmutex_runlock(&rw);
}

TEST(rwmutex, waiting_writer_keeps_new_readers_out)
{
    rwmutex_rlock(&rw);
    go(write_as, 1);
    parked_await(GOI_WAIT_RWMUTEX_W, 1);
    EXPECT(!rwmutex_tryrlock(&rw));
    go(read_as, 2);
    parked_await(GOI_WAIT_RWMUTEX_R, 1);
    EXPECT_EQ_INT(n, 0);
    rwmutex_runlock(&rw);
    parked_alone();
    EXPECT_EQ_INT(order[0], 1);
    EXPECT_EQ_INT(order[1], 2);
    expect_idle();
}

TEST(rwmutex, readers_that_waited_go_before_the_next_writer)
{
    rwmutex_lock(&rw);
    go(read_as, 2);
    parked_await(GOI_WAIT_RWMUTEX_R, 1);
    go(write_as, 1);
    parked_await(GOI_WAIT_MUTEX, 1); /* writers take turns by the mutex inside */
    go(read_as, 2);
    parked_await(GOI_WAIT_RWMUTEX_R, 2);
    rwmutex_unlock(&rw);
    parked_alone();
    EXPECT_EQ_INT(n, 3);
    EXPECT_EQ_INT(order[0], 2);
    EXPECT_EQ_INT(order[1], 2);
    EXPECT_EQ_INT(order[2], 1);
    expect_idle();
}

TEST(rwmutex, late_ones_leave_nothing_behind)
{
    rwmutex_lock(&rw);
    EXPECT_EQ_INT(go_rwmutex_rlock_until(&rw, go_now() + GO_MS), -ETIMEDOUT);
    EXPECT_EQ_INT(go_rwmutex_lock_until(&rw, go_now() + GO_MS), -ETIMEDOUT);
    rwmutex_unlock(&rw);
    rwmutex_rlock(&rw);
    EXPECT_EQ_INT(go_rwmutex_lock_until(&rw, go_now() + GO_MS), -ETIMEDOUT);
    EXPECT_EQ_INT(go_rwmutex_rlock_until(&rw, go_now() + GO_HOUR), 0); /* it has withdrawn */
    EXPECT_EQ_INT(go_rwmutex_rlock_ctx(NULL, &rw), 0);
    rwmutex_runlock(&rw);
    rwmutex_runlock(&rw);
    rwmutex_runlock(&rw);
    EXPECT_EQ_INT(go_rwmutex_lock_until(&rw, GO_FOREVER), 0);
    rwmutex_unlock(&rw);
    EXPECT_EQ_INT(go_rwmutex_lock_ctx(NULL, &rw), 0);
    rwmutex_unlock(&rw);
    expect_idle();
}

/* Go's matrix: the readers inside are counted up by 1, the writer by 10,000. */
static goi_a32 active;

static void reads(long times, go_waitgroup *wg)
{
    for (long i = 0; i < times; i++) {
        if (i % 5 == 0 && go_rwmutex_rlock_until(&rw, go_now() + 5 * GO_US) != 0) {
            continue;
        } else if (i % 5 != 0) {
            rwmutex_rlock(&rw);
        }
        uint32_t now = add_rlx(&active, 1) + 1;
        if (now < 1 || now >= 10000) {
            FAIL("a reader meets %u", now);
        }
        sub_rlx(&active, 1);
        rwmutex_runlock(&rw);
    }
    wg_done(wg);
}

static void writes(long times, go_waitgroup *wg)
{
    for (long i = 0; i < times; i++) {
        if (i % 4 == 0 && go_rwmutex_lock_until(&rw, go_now() + 5 * GO_US) != 0) {
            continue;
        } else if (i % 4 != 0) {
            rwmutex_lock(&rw);
        }
        uint32_t now = add_rlx(&active, 10000) + 10000;
        if (now != 10000) {
            FAIL("a writer meets %u", now);
        }
        if (i % 8 == 0) {
            go_yield();
        }
        sub_rlx(&active, 10000);
        rwmutex_unlock(&rw);
    }
    wg_done(wg);
}

TEST(rwmutex, readers_and_writers_exclude_each_other)
{
    static const int readers[] = {1, 3, 10, 5};
    for (size_t k = 0; k < sizeof readers / sizeof *readers; k++) {
        go_waitgroup wg = {0};
        wg_add(&wg, readers[k] + 2);
        for (int i = 0; i < readers[k]; i++) {
            go(reads, test_iterations(1000), &wg);
        }
        go(writes, test_iterations(1000), &wg);
        go(writes, test_iterations(1000), &wg);
        wg_wait(&wg);
        expect_idle();
    }
}

DEATH_TEST(rwmutex, unlock_of_unlocked_is_fatal, 2,
           "^fatal error: sync: Unlock of unlocked RWMutex\n")
{
    rwmutex_unlock(&rw);
}

DEATH_TEST(rwmutex, unlock_of_read_locked_is_fatal, 2,
           "^fatal error: sync: Unlock of unlocked RWMutex\n")
{
    rwmutex_rlock(&rw);
    rwmutex_unlock(&rw);
}

DEATH_TEST(rwmutex, runlock_of_unlocked_is_fatal, 2,
           "^fatal error: sync: RUnlock of unlocked RWMutex\n")
{
    rwmutex_runlock(&rw);
}

DEATH_TEST(rwmutex, runlock_of_write_locked_is_fatal, 2,
           "^fatal error: sync: RUnlock of unlocked RWMutex\n")
{
    rwmutex_lock(&rw);
    rwmutex_runlock(&rw);
}
