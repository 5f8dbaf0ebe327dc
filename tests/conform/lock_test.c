/* SPDX-License-Identifier: MIT */
/* Mutex, reader/writer mutex and wait group. */
#include "conform.h"

/* ---- sync/mutex_test.go ---- */

static void hammer(go_mutex *m, int loops, int *shared)
{
    for (int i = 0; i < loops; i++) {
        if (i % 3 == 0) {
            if (mutex_trylock(m)) {
                ++*shared;
                mutex_unlock(m);
            }
            continue;
        }
        mutex_lock(m);
        ++*shared;
        mutex_unlock(m);
    }
}

CASE(mutex, hammered_by_ten, "sync/mutex_test.go TestMutex")
{
    go_mutex m = {0};
    go_waitgroup wg = {0};
    int shared = 0;
    mutex_lock(&m);
    EXPECT(!mutex_trylock(&m));
    mutex_unlock(&m);
    EXPECT(mutex_trylock(&m));
    mutex_unlock(&m);
    for (int i = 0; i < 10; i++) {
        wg_go(&wg, hammer, &m, (int)test_iterations(1000), &shared);
    }
    wg_wait(&wg);
    EXPECT_INT(shared, >=, 10 * (test_iterations(1000) * 2 / 3 - 1));
}

static void hold_unless(go_mutex *m, int *stop, chan(bool) ended)
{
    while (!get(stop)) {
        mutex_lock(m);
        for (int i = 0; i < 2000; i++) {
            (void)get(stop);
        }
        mutex_unlock(m);
    }
    chan_send(ended, true);
}

CASE(mutex, waiter_gets_it_from_a_greedy_holder, "sync/mutex_test.go TestMutexFairness")
{
    go_mutex m = {0};
    int stop = 0;
    chan(bool) ended = chan_make(bool);
    go(hold_unless, &m, &stop, ended);
    for (int i = 0; i < 10; i++) {
        go_yield();
        mutex_lock(&m);
        mutex_unlock(&m);
    }
    set(&stop, 1);
    (void)chan_recv(ended);
    await_count(1);
    chan_free(ended);
}

OUTPUT(mutex, unlock_of_unlocked, "sync/mutex_test.go TestMutexMisuse: Mutex.Unlock")
{
    go_mutex m = {0};
    mutex_unlock(&m);
}

OUTPUT(mutex, unlock_twice, "sync/mutex_test.go TestMutexMisuse: Mutex.Unlock2")
{
    go_mutex m = {0};
    mutex_lock(&m);
    mutex_unlock(&m);
    mutex_unlock(&m);
}

static void unlock_it(go_mutex *m) { mutex_unlock(m); }

OUTPUT(mutex, misuse_cannot_be_recovered, "sync/mutex_test.go TestMutexMisuse: Mutex.Unlock")
{
    static go_mutex m;
    say("recovered %d\n", !go_try(NULL, unlock_it, &m));
}

OUTPUT(rwmutex, unlock_of_unlocked, "sync/mutex_test.go TestMutexMisuse: RWMutex.Unlock")
{
    go_rwmutex m = {.w = {0}};
    rwmutex_unlock(&m);
}

OUTPUT(rwmutex, unlock_of_read_locked, "sync/mutex_test.go TestMutexMisuse: RWMutex.Unlock2")
{
    go_rwmutex m = {.w = {0}};
    rwmutex_rlock(&m);
    rwmutex_unlock(&m);
}

OUTPUT(rwmutex, unlock_twice, "sync/mutex_test.go TestMutexMisuse: RWMutex.Unlock3")
{
    go_rwmutex m = {.w = {0}};
    rwmutex_lock(&m);
    rwmutex_unlock(&m);
    rwmutex_unlock(&m);
}

OUTPUT(rwmutex, runlock_of_unlocked, "sync/mutex_test.go TestMutexMisuse: RWMutex.RUnlock")
{
    go_rwmutex m = {.w = {0}};
    rwmutex_runlock(&m);
}

OUTPUT(rwmutex, runlock_of_write_locked, "sync/mutex_test.go TestMutexMisuse: RWMutex.RUnlock2")
{
    go_rwmutex m = {.w = {0}};
    rwmutex_lock(&m);
    rwmutex_runlock(&m);
}

OUTPUT(rwmutex, runlock_twice, "sync/mutex_test.go TestMutexMisuse: RWMutex.RUnlock3")
{
    go_rwmutex m = {.w = {0}};
    rwmutex_rlock(&m);
    rwmutex_runlock(&m);
    rwmutex_runlock(&m);
}

CASE(mutex, other_goroutine_may_unlock, "sync/mutex_test.go TestMutex")
{
    go_mutex m = {0};
    mutex_lock(&m);
    go(unlock_it, &m);
    mutex_lock(&m);
    mutex_unlock(&m);
    await_count(1);
}

static void lock_once(go_mutex *m, int *got)
{
    mutex_lock(m);
    add(got, 1);
    mutex_unlock(m);
}

CASE(mutex, lock_parks_while_another_holds_it, "sync/mutex_test.go TestMutex")
{
    go_mutex m = {0};
    int got = 0;
    mutex_lock(&m);
    for (int i = 0; i < 3; i++) {
        go(lock_once, &m, &got);
    }
    await_parked(3, "sync.Mutex.Lock");
    EXPECT_EQ_INT(get(&got), 0);
    mutex_unlock(&m);
    await_count(1);
    EXPECT_EQ_INT(got, 3);
}

/* runtime/sema_test.go: the semaphore below the mutex serves in order, and hands over directly. */
static void append_when_locked(go_mutex *m, int i, int *order, int *count)
{
    mutex_lock(m);
    order[add(count, 1) - 1] = i;
    mutex_unlock(m);
}

CASE_DIFFERS(mutex, waiters_all_come_through, "runtime/sema_test.go TestSemaHandoff",
             "Go tests its internal semaphore; here it is the mutex, whose waiters come in order "
             "on one processor and may be overtaken on several until they have waited for 1 ms")
{
    enum { N = 8 };
    go_mutex m = {0};
    int order[N];
    int count = 0;
    mutex_lock(&m);
    for (int i = 0; i < N; i++) {
        go(append_when_locked, &m, i, order, &count);
        await_parked(i + 1, "sync.Mutex.Lock");
    }
    mutex_unlock(&m);
    await_count(1);
    EXPECT_EQ_INT(count, N);
    for (int i = 0; i < N && go_maxprocs(0) == 1; i++) {
        EXPECT_EQ_INT(order[i], i);
    }
}

/* ---- sync/rwmutex_test.go ---- */

struct readers {
    go_rwmutex m;
    chan(bool) locked, unlock, done;
    int active, loops;
};
static void parallel_reader(struct readers *r)
{
    rwmutex_rlock(&r->m);
    chan_send(r->locked, true);
    (void)chan_recv(r->unlock);
    rwmutex_runlock(&r->m);
    chan_send(r->done, true);
}

static void read_in_parallel(int n)
{
    struct readers r = {.locked = chan_make(bool), .unlock = chan_make(bool),
                        .done = chan_make(bool)};
    for (int i = 0; i < n; i++) {
        go(parallel_reader, &r);
    }
    for (int i = 0; i < n; i++) {
        (void)chan_recv(r.locked);
    }
    for (int i = 0; i < n; i++) {
        chan_send(r.unlock, true);
    }
    for (int i = 0; i < n; i++) {
        (void)chan_recv(r.done);
    }
    await_count(1);
    chan_free(r.locked);
    chan_free(r.unlock);
    chan_free(r.done);
}

CASE(rwmutex, one_reader_beside_itself, "sync/rwmutex_test.go TestParallelReaders")
{
    read_in_parallel(1);
}

CASE(rwmutex, readers_in_parallel, "sync/rwmutex_test.go TestParallelReaders")
{
    read_in_parallel(3);
    read_in_parallel(4);
}

CASE(rwmutex, readers_in_parallel_in_the_runtime,
     "runtime/rwmutex_test.go TestParallelRWMutexReaders")
{
    read_in_parallel(10);
}

static void reader(struct readers *r)
{
    for (int i = 0; i < r->loops; i++) {
        rwmutex_rlock(&r->m);
        int n = add(&r->active, 1);
        EXPECT(n >= 1 && n < 10000);
        for (int k = 0; k < 100; k++) {
            (void)get(&r->active);
        }
        add(&r->active, -1);
        rwmutex_runlock(&r->m);
    }
}
static void writer(struct readers *r)
{
    for (int i = 0; i < r->loops; i++) {
        rwmutex_lock(&r->m);
        EXPECT_EQ_INT(add(&r->active, 10000), 10000);
        for (int k = 0; k < 100; k++) {
            (void)get(&r->active);
        }
        add(&r->active, -10000);
        rwmutex_unlock(&r->m);
    }
}
static void hammer_rwmutex(int readers, int loops)
{
    struct readers r = {.loops = loops};
    go_waitgroup wg = {0};
    wg_go(&wg, writer, &r);
    for (int i = 0; i < readers / 2; i++) {
        wg_go(&wg, reader, &r);
    }
    wg_go(&wg, writer, &r);
    for (int i = readers / 2; i < readers; i++) {
        wg_go(&wg, reader, &r);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(r.active, 0);
}

CASE(rwmutex, writers_exclude_everybody_few_readers, "sync/rwmutex_test.go TestRWMutex")
{
    hammer_rwmutex(1, (int)test_iterations(500));
    hammer_rwmutex(3, (int)test_iterations(500));
}

CASE(rwmutex, writers_exclude_everybody_many_readers, "sync/rwmutex_test.go TestRWMutex")
{
    hammer_rwmutex(10, (int)test_iterations(500));
}

CASE(rwmutex, hammered_as_the_one_of_the_runtime, "runtime/rwmutex_test.go TestRWMutex")
{
    hammer_rwmutex(5, (int)test_iterations(1000));
}

CASE(rwmutex, try_forms, "sync/rwmutex_test.go TestRWMutex")
{
    go_rwmutex m = {.w = {0}};
    rwmutex_lock(&m);
    EXPECT(!rwmutex_trylock(&m));
    EXPECT(!rwmutex_tryrlock(&m));
    rwmutex_unlock(&m);
    EXPECT(rwmutex_trylock(&m));
    rwmutex_unlock(&m);
    EXPECT(rwmutex_tryrlock(&m));
    EXPECT(rwmutex_tryrlock(&m));
    EXPECT(!rwmutex_trylock(&m));
    rwmutex_runlock(&m);
    rwmutex_runlock(&m);
}

static void write_locked(go_rwmutex *m, int *written)
{
    rwmutex_lock(m);
    add(written, 1);
    rwmutex_unlock(m);
}
static void read_locked(go_rwmutex *m, const int *written, int *seen)
{
    rwmutex_rlock(m);
    set(seen, get(written));
    rwmutex_runlock(m);
}

CASE(rwmutex, waiting_writer_keeps_new_readers_out, "sync/rwmutex_test.go TestRWMutex")
{
    go_rwmutex m = {.w = {0}};
    int written = 0;
    int seen = -1;
    rwmutex_rlock(&m);
    go(write_locked, &m, &written);
    await_parked(1, "sync.RWMutex.Lock");
    EXPECT(!rwmutex_tryrlock(&m));
    go(read_locked, &m, &written, &seen);
    await_parked(1, "sync.RWMutex.RLock");
    EXPECT_EQ_INT(get(&seen), -1);
    rwmutex_runlock(&m);
    await_count(1);
    EXPECT_EQ_INT(seen, 1);
}

CASE(rwmutex, second_writer_waits_on_the_inner_mutex, "sync/rwmutex_test.go TestRWMutex")
{
    go_rwmutex m = {.w = {0}};
    int written = 0;
    rwmutex_rlock(&m);
    go(write_locked, &m, &written);
    await_parked(1, "sync.RWMutex.Lock");
    go(write_locked, &m, &written);
    await_parked(1, "sync.Mutex.Lock");
    rwmutex_runlock(&m);
    await_count(1);
    EXPECT_EQ_INT(written, 2);
}

static void read_and_write(go_rwmutex *m, int *order, int *count)
{
    rwmutex_rlock(m);
    order[add(count, 1) - 1] = 1;
    rwmutex_runlock(m);
}
static void write_and_note(go_rwmutex *m, int *order, int *count)
{
    rwmutex_lock(m);
    order[add(count, 1) - 1] = 2;
    rwmutex_unlock(m);
}

CASE(rwmutex, readers_in_line_go_before_the_next_writer, "sync/rwmutex_test.go TestRWMutex")
{
    go_rwmutex m = {.w = {0}};
    int order[4] = {0};
    int count = 0;
    rwmutex_lock(&m);
    go(write_and_note, &m, order, &count);
    await_parked(1, "sync.Mutex.Lock");
    for (int i = 0; i < 3; i++) {
        go(read_and_write, &m, order, &count);
    }
    await_parked(3, "sync.RWMutex.RLock");
    rwmutex_unlock(&m);
    await_count(1);
    EXPECT_EQ_INT(count, 4);
    EXPECT_EQ_INT(order[3], 2);
}

/* ---- sync/waitgroup_test.go ---- */

static void arrive(go_waitgroup *first, go_waitgroup *second, chan(bool) exited)
{
    wg_done(first);
    wg_wait(second);
    chan_send(exited, true);
}

static void two_groups(go_waitgroup *first, go_waitgroup *second)
{
    enum { N = 16 };
    chan(bool) exited = chan_make(bool, N);
    wg_add(first, N);
    wg_add(second, N);
    for (int i = 0; i < N; i++) {
        go(arrive, first, second, exited);
    }
    wg_wait(first);
    for (int i = 0; i < N; i++) {
        EXPECT(!chan_try_recv(exited, (bool *)NULL));
        wg_done(second);
    }
    for (int i = 0; i < N; i++) {
        (void)chan_recv(exited);
    }
    await_count(1);
    chan_free(exited);
}

static void wait_and_count(go_waitgroup *wg, go_waitgroup *over)
{
    wg_wait(wg);
    wg_done(over);
}

CASE_DIFFERS(waitgroup, may_be_used_again_before_all_have_returned,
             "sync/waitgroup_test.go TestWaitGroup",
             "Go panics: WaitGroup is reused before previous Wait has returned; here nobody who "
             "was released looks at the group again, so it may be used, or freed")
{
    go_waitgroup wg = {0};
    go_waitgroup over = {0};
    for (int round = 0; round < 8; round++) {
        wg_add(&wg, 1);
        wg_add(&over, 1);
        go(wait_and_count, &wg, &over);
        await_parked(1, "sync.WaitGroup.Wait");
        wg_done(&wg);
        wg_wait(&wg);
    }
    wg_wait(&over);
}

CASE(waitgroup, releases_all_at_zero_and_may_be_used_again, "sync/waitgroup_test.go TestWaitGroup")
{
    go_waitgroup first = {0};
    go_waitgroup second = {0};
    for (int i = 0; i < 8; i++) {
        two_groups(&first, &second);
    }
}

static void one_done_too_many(go_waitgroup *wg)
{
    wg_add(wg, 1);
    wg_done(wg);
    wg_done(wg);
}

CASE(waitgroup, negative_counter_panics, "sync/waitgroup_test.go TestWaitGroupMisuse")
{
    go_waitgroup wg = {0};
    EXPECT_EQ_STR(PANIC_OF(one_done_too_many, &wg), "sync: negative WaitGroup counter");
}

static void count_and_done(int *n, go_waitgroup *wg)
{
    add(n, 1);
    wg_done(wg);
}

CASE(waitgroup, wait_sees_what_was_done_before, "sync/waitgroup_test.go TestWaitGroupRace")
{
    for (long i = test_iterations(2000); i > 0; i--) {
        go_waitgroup wg = {0};
        int n = 0;
        wg_add(&wg, 1);
        go(count_and_done, &n, &wg);
        wg_add(&wg, 1);
        go(count_and_done, &n, &wg);
        wg_wait(&wg);
        REQUIRE_EQ_INT(get(&n), 2);
    }
}

struct aligned {
    char x;
    go_waitgroup wg;
};

CASE(waitgroup, inside_a_structure, "sync/waitgroup_test.go TestWaitGroupAlign")
{
    struct aligned a = {0, {0}};
    int n = 0;
    wg_add(&a.wg, 1);
    go(count_and_done, &n, &a.wg);
    wg_wait(&a.wg);
    EXPECT_EQ_INT(n, 1);
}

static void increment(int *n) { add(n, 1); }

CASE(waitgroup, go_adds_and_is_done, "sync/waitgroup_test.go TestWaitGroupGo")
{
    go_waitgroup wg = {0};
    int n = 0;
    for (int i = 0; i < 5; i++) {
        wg_go(&wg, increment, &n);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(n, 5);
}

static void exit_it(void) { go_exit(); }

CASE(waitgroup, exit_in_go_is_done, "sync/waitgroup_test.go TestWaitGroupGo")
{
    go_waitgroup wg = {0};
    wg_go(&wg, exit_it);
    wg_wait(&wg);
}

static void panic_it(void) { go_panic("test"); }

OUTPUT_DIFFERS(waitgroup, panic_in_go_does_not_release_the_waiter,
               "sync/waitgroup_test.go TestIssue76126",
               "Go's WaitGroup.Go recovers and panics again, so its report says [recovered, "
               "repanicked]; wg_go never catches the panic, so it says `panic: test` alone")
{
    static go_waitgroup wg;
    wg_go(&wg, panic_it);
    wg_wait(&wg);
    say("released\n");
}

CASE(waitgroup, wait_at_zero_does_not_park, "sync/waitgroup_test.go TestWaitGroup")
{
    go_waitgroup wg = {0};
    wg_wait(&wg);
    wg_add(&wg, 3);
    wg_add(&wg, -3);
    wg_wait(&wg);
}

static void wait_for(go_waitgroup *wg, int *woken)
{
    wg_wait(wg);
    add(woken, 1);
}

CASE(waitgroup, wakes_everybody_who_waits, "sync/waitgroup_test.go TestWaitGroup")
{
    go_waitgroup wg = {0};
    int woken = 0;
    wg_add(&wg, 2);
    for (int i = 0; i < 6; i++) {
        go(wait_for, &wg, &woken);
    }
    await_parked(6, "sync.WaitGroup.Wait");
    wg_done(&wg);
    EXPECT_EQ_INT(get(&woken), 0);
    wg_done(&wg);
    await_count(1);
    EXPECT_EQ_INT(woken, 6);
}

OUTPUT(waitgroup, results_by_index, "sync/waitgroup_test.go TestWaitGroup")
{
    static int squares[10];
    go_waitgroup wg = {0};
    for (int i = 0; i < 10; i++) {
        go_waitgroup *w = &wg;
        wg_add(&wg, 1);
        go_do(i, w) {
            squares[i] = i * i;
            wg_done(w);
        };
    }
    wg_wait(&wg);
    for (int i = 0; i < 10; i++) {
        say("%d %d\n", i, squares[i]);
    }
}
