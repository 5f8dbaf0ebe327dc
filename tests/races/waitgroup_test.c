/* SPDX-License-Identifier: MIT */
/* Wait groups. */
#include "races.h"

SILENT(waitgroup, one_member, "waitgroup_test.go TestNoRaceWaitGroup")
{
    wg_add(&v->wg, 1);
    go_do(v) {
        v->x = 1;
        wg_done(&v->wg);
    };
    wg_wait(&v->wg);
}

RACE(waitgroup, two_members, "waitgroup_test.go TestRaceWaitGroup")
{
    for (int i = 0; i < 2; i++) {
        wg_add(&v->wg, 1);
        go_do(v, i) {
            v->x = i;
            wg_done(&v->wg);
        };
    }
    wg_wait(&v->wg);
}

SILENT(waitgroup, write_after_wait, "waitgroup_test.go TestNoRaceWaitGroup2")
{
    wg_add(&v->wg, 1);
    go_do(v) {
        v->x = 1;
        wg_done(&v->wg);
    };
    wg_wait(&v->wg);
    v->x = 2;
}

RACE(waitgroup, as_a_mutex, "waitgroup_test.go TestRaceWaitGroupAsMutex")
{
    for (int i = 0; i < 2; i++) {
        go_do(v, i) {
            wg_wait(&v->wg);
            pass();
            await(2 + i);
            wg_add(&v->wg, 1);
            v->x = 1;
            wg_add(&v->wg, -1);
            pass();
        };
    }
    await(4);
}

RACE(waitgroup, add_that_may_come_after_wait, "waitgroup_test.go TestRaceWaitGroupWrongWait")
{
    for (int i = 0; i < 2; i++) {
        go_do(v, i) {
            await(i);
            wg_add(&v->wg, 1);
            v->x = i;
            wg_done(&v->wg);
            pass();
        };
    }
    wg_wait(&v->wg);
    await(2);
}

/* Nothing but the group: who adds first and who waits first must be ordered. */
RACE(waitgroup, add_not_ordered_with_wait, "waitgroup_test.go TestRaceWaitGroupWrongAdd")
{
    for (int i = 0; i < 2; i++) {
        go_do(v) {
            wg_add(&v->wg, 1);
            pass();
            await(3);
            wg_done(&v->wg);
        };
    }
    go_do() {
        await(2);
        go_yield();
        pass();
    };
    await(2);
    wg_wait(&v->wg);
}

SILENT(waitgroup, waits_of_three, "waitgroup_test.go TestNoRaceWaitGroupMultipleWait")
{
    for (int i = 0; i < 2; i++) {
        go_do(v) {
            wg_wait(&v->wg);
            pass();
        };
    }
    wg_wait(&v->wg);
    await(2);
}

SILENT(waitgroup, members_that_wait, "waitgroup_test.go TestNoRaceWaitGroupMultipleWait2")
{
    wg_add(&v->wg, 2);
    for (int i = 0; i < 2; i++) {
        go_do(v) {
            wg_done(&v->wg);
            wg_wait(&v->wg);
            pass();
        };
    }
    wg_wait(&v->wg);
    await(2);
}

SILENT(waitgroup, every_waiter_sees_all, "waitgroup_test.go TestNoRaceWaitGroupMultipleWait3")
{
    enum { P = 3 };
    wg_add(&v->wg, P);
    for (int i = 0; i < P; i++) {
        go_do(v, i) {
            v->data[i] = 42;
            wg_done(&v->wg);
        };
    }
    for (int i = 0; i < P; i++) {
        go_do(v) {
            wg_wait(&v->wg);
            for (int k = 0; k < P; k++) {
                READ(v->data[k]);
            }
            pass();
        };
    }
    await(P);
}

RACE(waitgroup, correct_use_but_a_race, "waitgroup_test.go TestRaceWaitGroup2")
{
    wg_add(&v->wg, 2);
    go_do(v) {
        v->x = 1;
        wg_done(&v->wg);
    };
    go_do(v) {
        v->x = 2;
        wg_done(&v->wg);
    };
    wg_wait(&v->wg);
}

static void too_many(struct vars *v)
{
    v->x = 1;
    wg_add(&v->wg, -1);
}

SILENT(waitgroup, panic_is_caught, "waitgroup_test.go TestNoRaceWaitGroupPanicRecover")
{
    EXPECT(!go_try(NULL, too_many, v));
    v->x = 2;
}

static void write_and_tell(struct vars *v, chan(int) c)
{
    v->x = 2;
    chan_send(c, 1);
}

static void start_writer(struct vars *v, chan(int) c) { go(write_and_tell, v, c); }

static void panics_deferred(struct vars *v, chan(int) c)
{
    defer(start_writer, v, c);
    too_many(v);
}

SILENT(waitgroup, spawn_while_panicking, "waitgroup_test.go TestNoRaceWaitGroupPanicRecover2")
{
    chan(int) c = chan_make(int, 1);
    go_do(v, c) {
        EXPECT(!go_try(NULL, panics_deferred, v, c));
    };
    (void)chan_recv(c);
}

SILENT(waitgroup, both_members_are_seen, "waitgroup_test.go TestNoRaceWaitGroupTransitive")
{
    wg_add(&v->wg, 2);
    go_do(v) {
        v->x = 42;
        wg_done(&v->wg);
        reach(1);
    };
    go_do(v) {
        await(1);
        v->y = 42;
        wg_done(&v->wg);
    };
    wg_wait(&v->wg);
    READ(v->x);
    READ(v->y);
}

static void add_members(struct vars *v, int n)
{
    wg_add(&v->wg, n);
    for (int i = 0; i < n; i++) {
        go_do(v, i) {
            v->data[i]++;
            wg_done(&v->wg);
        };
    }
}

static void touch_all(struct vars *v, int n)
{
    for (int i = 0; i < n; i++) {
        v->data[i]++;
    }
}

SILENT(waitgroup, used_again, "waitgroup_test.go TestNoRaceWaitGroupReuse")
{
    for (int i = 0; i < 3; i++) {
        add_members(v, 3);
        wg_wait(&v->wg);
        touch_all(v, 3);
    }
}

SILENT(waitgroup, used_again_by_two, "waitgroup_test.go TestNoRaceWaitGroupReuse2")
{
    for (int i = 0; i < 3; i++) {
        chan(int) done = chan_make(int);
        add_members(v, 3);
        go_do(v, done) {
            wg_wait(&v->wg);
            touch_all(v, 3);
            chan_send(done, 1);
        };
        wg_wait(&v->wg);
        (void)chan_recv(done);
        touch_all(v, 3);
    }
}

/* Another waiter still looks at the data of the last round while the next members write. */
RACE(waitgroup, used_again_too_early, "waitgroup_test.go TestRaceWaitGroupReuse")
{
    for (int i = 0; i < 2; i++) {
        wg_add(&v->wg, 1);
        go_do(v, i) {
            await(3 * i);
            v->data[0]++;
            wg_done(&v->wg);
            pass();
        };
        go_do(v, i) {
            await(3 * i + 1);
            wg_wait(&v->wg);
            v->data[0]++;
            pass();
        };
        wg_wait(&v->wg);
        await(3 * i + 2);
        pass();
    }
}

SILENT(waitgroup, concurrent_adds, "waitgroup_test.go TestNoRaceWaitGroupConcurrentAdd")
{
    enum { P = 4 };
    chan(int) waiting = chan_make(int, P);
    for (int i = 0; i < P; i++) {
        go_do(v, waiting) {
            wg_add(&v->wg, 1);
            chan_send(waiting, 1);
            wg_done(&v->wg);
        };
    }
    for (int i = 0; i < P; i++) {
        (void)chan_recv(waiting);
    }
    wg_wait(&v->wg);
}

static void store(struct vars *v) { v->x++; }

RACE(waitgroup, wg_go_orders_members_with_nobody, OURS)
{
    wg_go(&v->wg, store, v);
    wg_go(&v->wg, store, v);
    wg_wait(&v->wg);
}

RACE(waitgroup, wait_that_gives_up_orders_nothing, OURS)
{
    wg_add(&v->wg, 2);
    go_do(v) {
        v->x = 1;
        wg_done(&v->wg);
        reach(1);
    };
    await(1);
    EXPECT(wg_wait_until(&v->wg, go_now()) != 0);
    v->x = 2;
    wg_done(&v->wg);
}
