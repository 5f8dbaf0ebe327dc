/* SPDX-License-Identifier: MIT */
/* Mutexes, reader/writer mutexes, condition variables, once. */
#include "races.h"
#include <errno.h>

SILENT(mutex, two_writers, "mutex_test.go TestNoRaceMutex")
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        guard(&v->mu);
        v->x = 1;
        chan_send(c, 1);
    };
    go_do(v, c) {
        mutex_lock(&v->mu);
        v->x = 2;
        mutex_unlock(&v->mu);
        chan_send(c, 1);
    };
    (void)chan_recv(c);
    (void)chan_recv(c);
}

RACE(mutex, writes_before_the_lock, "mutex_test.go TestRaceMutex")
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        v->x = 1;
        reach(1);
        await(2);
        guard(&v->mu);
        chan_send(c, 1);
    };
    go_do(v, c) {
        await(1);
        v->x = 2;
        reach(2);
        mutex_lock(&v->mu);
        mutex_unlock(&v->mu);
        chan_send(c, 1);
    };
    (void)chan_recv(c);
    (void)chan_recv(c);
}

RACE(mutex, two_mutexes, "mutex_test.go TestRaceMutex2")
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        guard(&v->mu);
        v->x = 1;
        chan_send(c, 1);
    };
    go_do(v, c) {
        mutex_lock(&v->mu2);
        v->x = 2;
        mutex_unlock(&v->mu2);
        chan_send(c, 1);
    };
    (void)chan_recv(c);
    (void)chan_recv(c);
}

SILENT(mutex, orders_what_is_outside, "mutex_test.go TestNoRaceMutexPureHappensBefore")
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        v->x = 1;
        mutex_lock(&v->mu);
        v->y = 1;
        mutex_unlock(&v->mu);
        chan_send(c, 1);
    };
    go_do(v, c) {
        mutex_lock(&v->mu);
        while (v->y == 0) {
            mutex_unlock(&v->mu);
            go_yield();
            mutex_lock(&v->mu);
        }
        mutex_unlock(&v->mu);
        v->x = 1;
        chan_send(c, 1);
    };
    (void)chan_recv(c);
    (void)chan_recv(c);
}

SILENT(mutex, unlocked_by_another, "mutex_test.go TestNoRaceMutexSemaphore")
{
    chan(int) c = chan_make(int, 2);
    mutex_lock(&v->mu);
    go_do(v, c) {
        v->x = 1;
        mutex_unlock(&v->mu);
        chan_send(c, 1);
    };
    go_do(v, c) {
        mutex_lock(&v->mu);
        v->x = 2;
        mutex_unlock(&v->mu);
        chan_send(c, 1);
    };
    (void)chan_recv(c);
    (void)chan_recv(c);
}

SILENT(mutex, example_of_the_memory_model, "mutex_test.go TestNoRaceMutexExampleFromHtml")
{
    mutex_lock(&v->mu);
    go_do(v) {
        v->x = 1;
        mutex_unlock(&v->mu);
    };
    mutex_lock(&v->mu);
    READ(v->x);
    mutex_unlock(&v->mu);
}

RACE(mutex, overwritten, "mutex_test.go TestRaceMutexOverwrite")
{
    chan(int) c = chan_make(int, 1);
    go_do(v, c) {
        await(1);
        v->mu = (go_mutex){0};
        chan_send(c, 1);
    };
    mutex_lock(&v->mu);
    mutex_unlock(&v->mu);
    reach(1);
    (void)chan_recv(c);
}

RACE(rwmutex, and_another_mutex, "rwmutex_test.go TestRaceMutexRWMutex")
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        guard(&v->mu);
        v->x = 1;
        chan_send(c, 1);
    };
    go_do(v, c) {
        rwmutex_lock(&v->rw);
        v->x = 2;
        rwmutex_unlock(&v->rw);
        chan_send(c, 1);
    };
    (void)chan_recv(c);
    (void)chan_recv(c);
}

SILENT(rwmutex, writer_and_reader, "rwmutex_test.go TestNoRaceRWMutex")
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        rwmutex_lock(&v->rw);
        v->x = 2;
        rwmutex_unlock(&v->rw);
        chan_send(c, 1);
    };
    go_do(v, c) {
        rwmutex_rlock(&v->rw);
        v->y = v->x;
        rwmutex_runlock(&v->rw);
        chan_send(c, 1);
    };
    (void)chan_recv(c);
    (void)chan_recv(c);
}

/* Three readers: whatever the order, two are on the same side of the writer. */
RACE(rwmutex, readers_that_write, "rwmutex_test.go TestRaceRWMutexMultipleReaders")
{
    go_do(v) {
        rwmutex_lock(&v->rw);
        v->x = 2;
        rwmutex_unlock(&v->rw);
        pass();
    };
    for (int i = 1; i <= 3; i++) {
        go_do(v, i) {
            rwmutex_rlock(&v->rw);
            v->y = v->x + i;
            rwmutex_runlock(&v->rw);
            pass();
        };
    }
    await(4);
}

SILENT(rwmutex, many_readers, "rwmutex_test.go TestNoRaceRWMutexMultipleReaders")
{
    go_do(v) {
        rwmutex_lock(&v->rw);
        v->x = 2;
        rwmutex_unlock(&v->rw);
        pass();
    };
    for (int i = 1; i <= 3; i++) {
        go_do(v) {
            rwmutex_rlock(&v->rw);
            READ(v->x);
            rwmutex_runlock(&v->rw);
            pass();
        };
    }
    await(4);
}

SILENT(rwmutex, writer_after_all_readers, "rwmutex_test.go TestNoRaceRWMutexTransitive")
{
    go_do(v) {
        rwmutex_rlock(&v->rw);
        READ(v->x);
        rwmutex_runlock(&v->rw);
        reach(1);
    };
    go_do(v) {
        await(1);
        rwmutex_rlock(&v->rw);
        READ(v->x);
        rwmutex_runlock(&v->rw);
        reach(2);
    };
    await(2);
    rwmutex_lock(&v->rw);
    v->x = 42;
    rwmutex_unlock(&v->rw);
}

SILENT(cond, signal, "sync_test.go TestNoRaceCond")
{
    go_do(v) {
        v->x = 1;
        mutex_lock(&v->mu);
        v->y = 1;
        cond_signal(&v->cond);
        mutex_unlock(&v->mu);
    };
    mutex_lock(&v->mu);
    while (v->y != 1) {
        cond_wait(&v->cond, &v->mu);
    }
    mutex_unlock(&v->mu);
    v->x = 2;
}

RACE(cond, write_after_the_wait, "sync_test.go TestRaceCond")
{
    chan(int) done = chan_make(int);
    go_do(v, done) {
        await(1);
        v->x = 1;
        mutex_lock(&v->mu);
        v->y = 1;
        cond_signal(&v->cond);
        mutex_unlock(&v->mu);
        await(2);
        mutex_lock(&v->mu);
        v->x = 3;
        mutex_unlock(&v->mu);
        chan_send(done, 1);
    };
    mutex_lock(&v->mu);
    while (v->y != 1) {
        reach(1);
        cond_wait(&v->cond, &v->mu);
    }
    mutex_unlock(&v->mu);
    v->x = 2;
    reach(2);
    (void)chan_recv(done);
}

/* --- no more than that: what orders nothing */

RACE(mutex, trylock_that_fails_orders_nothing, OURS)
{
    go_do(v) {
        v->x = 1;
        mutex_lock(&v->mu);
        reach(1);
        await(2);
        mutex_unlock(&v->mu);
    };
    await(1);
    EXPECT(!mutex_trylock(&v->mu));
    v->x = 2;
    reach(2);
}

SILENT(mutex, trylock_that_succeeds_orders, OURS)
{
    go_do(v) {
        v->x = 1;
        mutex_lock(&v->mu);
        mutex_unlock(&v->mu);
        reach(1);
    };
    await(1);
    EXPECT(mutex_trylock(&v->mu));
    v->x = 2;
    mutex_unlock(&v->mu);
}

RACE(mutex, lock_that_gives_up_orders_nothing, OURS)
{
    mutex_lock(&v->mu);
    go_do(v) {
        v->x = 1;
        EXPECT_EQ_INT(mutex_lock_until(&v->mu, go_now()), -ETIMEDOUT);
        reach(1);
    };
    await(1);
    mutex_unlock(&v->mu);
    mutex_lock(&v->mu);
    v->x = 2;
    mutex_unlock(&v->mu);
}

RACE(rwmutex, readers_do_not_order_each_other, OURS)
{
    go_do(v) {
        rwmutex_rlock(&v->rw);
        v->x = 1;
        rwmutex_runlock(&v->rw);
        reach(1);
    };
    await(1);
    rwmutex_rlock(&v->rw);
    v->x = 2;
    rwmutex_runlock(&v->rw);
}

RACE(rwmutex, writer_that_gives_up_orders_nothing, OURS)
{
    rwmutex_rlock(&v->rw);
    go_do(v) {
        v->x = 1;
        EXPECT_EQ_INT(rwmutex_lock_until(&v->rw, go_now()), -ETIMEDOUT);
        reach(1);
    };
    await(1);
    rwmutex_runlock(&v->rw);
    rwmutex_lock(&v->rw);
    v->x = 2;
    rwmutex_unlock(&v->rw);
}

RACE(rwmutex, tryrlock_that_fails_orders_nothing, OURS)
{
    go_do(v) {
        v->x = 1;
        rwmutex_lock(&v->rw);
        reach(1);
        await(2);
        rwmutex_unlock(&v->rw);
    };
    await(1);
    EXPECT(!rwmutex_tryrlock(&v->rw));
    v->x = 2;
    reach(2);
}

/* A signal is before the wait that it wakes, whatever else is, as the memory model says. */
SILENT(cond, signal_alone_orders, OURS)
{
    go_do(v) {
        mutex_lock(&v->mu);
        reach(1);
        cond_wait(&v->cond, &v->mu);
        READ(v->x);
        mutex_unlock(&v->mu);
        reach(2);
    };
    await(1);
    mutex_lock(&v->mu);
    mutex_unlock(&v->mu);
    v->x = 1;
    cond_signal(&v->cond);
    await(2);
}

RACE(cond, signal_that_wakes_nobody_orders_nothing, OURS)
{
    go_do(v) {
        v->x = 1;
        cond_signal(&v->cond);
        reach(1);
    };
    await(1);
    cond_signal(&v->cond);
    v->x = 2;
}

SILENT(once, run_is_before_every_return, OURS)
{
    for (int i = 0; i < 3; i++) {
        go_do(v) {
            once_do(&v->once) {
                v->x = 1;
            }
            READ(v->x);
        };
    }
    await_count(1);
}

/* Both come when it is over. */
RACE(once, callers_do_not_order_each_other, OURS)
{
    once_do(&v->once) {
    }
    go_do(v) {
        v->x = 1;
        once_do(&v->once) {
        }
        reach(1);
    };
    await(1);
    once_do(&v->once) {
    }
    v->x = 2;
}

/* Both have waited for it, one after the other behind the mutex of the once. */
RACE(once, callers_that_waited_do_not_order_each_other, OURS)
{
    go_do(v) {
        once_do(&v->once) {
            pass();
            await(3);
        }
    };
    await(1);
    for (int i = 0; i < 2; i++) {
        go_do(v) {
            pass();
            once_do(&v->once) {
            }
            v->x = 1;
            pass();
        };
    }
    await(5);
}
