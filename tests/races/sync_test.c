/* SPDX-License-Identifier: MIT */
/* Goroutines themselves; pools, maps, semaphores; descriptors. */
#include "races.h"
#include <gort/net.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void h_f(struct vars *v)
{
    v->x = 1;
    pass();
}

static void h_g(struct vars *v)
{
    for (int i = 0; i < 2; i++) {
        go(h_f, v);
        pass();
    }
}

static void h_h(struct vars *v)
{
    v->x = 1;
    go(h_g, v);
    go(h_f, v);
    v->x = 2;
    pass();
}

static void h_top(struct vars *v)
{
    v->x = 1;
    v->x = 2;
    go(h_h, v);
    pass();
}

RACE(spawn, in_many_generations, "sync_test.go TestRaceAnnounceThreads")
{
    go(h_top, v);
    await(7);
}

static void f1(struct vars *v)
{
    v->x = 1;
    pass();
}

static void f2(struct vars *v) { go(f1, v); }
static void f3(struct vars *v) { go(f2, v); }
static void f4(struct vars *v) { go(f3, v); }

RACE(spawn, creation_stack, "sync_test.go TestRaceGoroutineCreationStack")
{
    go(f4, v);
    v->x = 2;
    await(1);
}

RACE(spawn, end_orders_nothing, "synctest_test.go TestRaceSynctestGoroutinesExit")
{
    go(f1, v);
    go(f1, v);
    await_count(1);
}

RACE(spawn, receivers_of_a_close, "synctest_test.go TestRaceSynctestGoroutinesRecv")
{
    chan(int) c = chan_make(int);
    for (int i = 0; i < 2; i++) {
        go_do(v, c) {
            v->x = 1;
            (void)chan_recv_ok(c, NULL);
        };
    }
    chan_close(c);
}

RACE(spawn, released_by_one_close, "synctest_test.go TestRaceSynctestGoroutinesUnblocked")
{
    chan(int) c = chan_make(int);
    for (int i = 0; i < 2; i++) {
        go_do(v, c) {
            (void)chan_recv_ok(c, NULL);
            v->x = 1;
        };
    }
    chan_close(c);
}

static void *make_bytes(void) { return calloc(1, 10); }

/* What was put belongs to who gets it. */
RACE_ELSEWHERE(pool, used_after_put, "pool_test.go TestRacePool")
{
    v->pool.make = make_bytes;
    char *x = pool_get(&v->pool);
    x[0] = 1;
    pool_put(&v->pool, x);
    go_do(v, x) {
        char *y = NULL;
        while (y != x) { /* from whichever cache it lies in */
            y = pool_get(&v->pool);
        }
        y[0] = 2;
        reach(1);
    };
    await(1);
    x[0] = 3;
}

SILENT(pool, handed_on, "pool_test.go TestNoRacePool")
{
    v->pool.make = make_bytes;
    for (int i = 1; i <= 3; i++) {
        char *x = pool_get(&v->pool);
        x[0] = 1;
        pool_put(&v->pool, x);
        go_do(v, i) {
            char *y = pool_get(&v->pool);
            y[0] = 2;
            pool_put(&v->pool, y);
            reach(i);
        };
        await(i);
        x = pool_get(&v->pool);
        x[0] = 3;
    }
}

/* --- what happens in the scheduler orders nothing */

RACE(spawn, yields_order_nothing, OURS)
{
    go_do(v) {
        v->x = 1;
        go_yield();
        reach(1);
        go_yield();
    };
    while (go_count() != 1) {
        go_yield();
    }
    v->x = 2;
}

/* On one stack after the other. */
RACE(spawn, stack_that_is_used_again_orders_nothing, OURS)
{
    go_do(v) {
        v->x = 1;
    };
    await_count(1);
    for (int i = 0; i < 3; i++) {
        go_do() {
        };
        await_count(1);
    }
    go_do(v) {
        v->x = 2;
    };
    await_count(1);
}

RACE(spawn, sibling_of_a_later_spawn, OURS)
{
    go(f1, v);
    await(1);
    go(f1, v);
    await(2);
}

SILENT(spawn, statement_before_goroutine, OURS)
{
    v->x = 1;
    go_do(v) {
        v->x = 2;
        go_do(v) {
            v->x = 3;
        };
    };
}

/* --- channels: no more than Go's memory model */

RACE(chan, receive_from_a_buffer_is_not_before_its_send, OURS)
{
    chan(int) c = chan_make(int, 1);
    go_do(v, c) {
        v->x = 1;
        reach(1);
        (void)chan_recv(c); /* waits already, or finds it */
    };
    await(1);
    go_yield();
    go_yield();
    chan_send(c, 1);
    v->x = 2;
}

RACE(chan, two_sends_by_one_slot_are_not_ordered, OURS)
{
    chan(int) c = chan_make(int, 1);
    go_do(v, c) {
        v->x = 1;
        chan_send(c, 1);
        reach(1);
    };
    go_do(c) {
        await(1);
        (void)chan_recv(c);
        reach(2);
    };
    await(2);
    chan_send(c, 2);
    v->x = 2;
}

RACE(chan, two_receives_by_one_slot_are_not_ordered, OURS)
{
    chan(int) c = chan_make(int, 1);
    chan_send(c, 1);
    go_do(v, c) {
        v->x = 1;
        (void)chan_recv(c);
        reach(1);
    };
    go_do(c) {
        await(1);
        chan_send(c, 2);
        reach(2);
    };
    await(2);
    (void)chan_recv(c);
    v->x = 2;
}

RACE(chan, waiting_sender_is_not_before_another_receive, OURS)
{
    chan(int) c = chan_make(int, 1);
    chan_send(c, 1);
    go_do(v, c) {
        v->x = 1;
        reach(1);
        chan_send(c, 2); /* waits, until the first has been received */
    };
    await(1);
    go_yield();
    go_yield();
    (void)chan_recv(c);
    v->x = 2;
    (void)chan_recv(c);
}

SILENT(chan, receive_is_before_the_send_of_the_next_round, OURS)
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        for (int i = 0; i < 6; i++) {
            READ(v->data[i]);
            (void)chan_recv(c);
        }
    };
    for (int i = 0; i < 6; i++) {
        chan_send(c, i);
        if (i >= 2) {
            v->data[i - 2] = 1; /* the i-2nd receive is before the i-th send */
        }
    }
}

SILENT(chan, receive_by_a_waiter_is_before_the_send_of_the_next_round, OURS)
{
    chan(int) c = chan_make(int, 1);
    go_do(v, c) {
        READ(v->x);
        reach(1);
        (void)chan_recv(c);
        reach(2);
        (void)chan_recv(c);
    };
    await(1);
    go_yield();
    chan_send(c, 1);
    chan_send(c, 2);
    v->x = 1;
}

RACE(chan, receiver_is_not_before_the_close, OURS)
{
    chan(int) c = chan_make(int);
    go_do(v, c) {
        v->x = 1;
        reach(1);
        (void)chan_recv_ok(c, NULL);
    };
    await(1);
    go_yield();
    go_yield();
    chan_close(c);
    v->x = 2;
}

RACE(chan, try_that_fails_orders_nothing, OURS)
{
    chan(int) c = chan_make(int, 1);
    go_do(v, c) {
        int got;
        v->x = 1;
        EXPECT(!chan_try_recv(c, &got));
        chan_send(c, 1);
        EXPECT(!chan_try_send(c, 1));
        reach(1);
    };
    await(1);
    EXPECT(!chan_try_send(c, 1));
    EXPECT_EQ_INT((int)chan_len(c), 1);
    EXPECT_EQ_INT((int)chan_cap(c), 1);
    v->x = 2;
}

RACE(chan, different_channels_of_a_select, OURS)
{
    chan(int) a = chan_make(int, 1);
    chan(int) b = chan_make(int, 1);
    go_do(v, a, b) {
        v->x = 1;
        switch (chan_select(send(one, a, 1), recv(two, b, NULL))) {
        case one:
        case two:
            break;
        }
        reach(1);
    };
    await(1);
    int got = 0;
    chan_send(b, 1);
    switch (chan_select(recv(two, b, &got), default)) {
    case two:
        break;
    default:
        FAIL("b was empty");
    }
    v->x = 2;
}

RACE(chan, default_that_is_taken_orders_nothing, OURS)
{
    chan(int) a = chan_make(int);
    chan(int) b = chan_make(int);
    go_do(v, a, b) {
        v->x = 1;
        switch (chan_select(send(one, a, 1), recv(two, b, NULL), default)) {
        case one:
        case two:
            FAIL("nobody is there");
            break;
        default:
            break;
        }
        reach(1);
    };
    await(1);
    switch (chan_select(send(one, a, 1), recv(two, b, NULL), default)) {
    case one:
    case two:
        FAIL("nobody is there");
        break;
    default:
        break;
    }
    v->x = 2;
}

struct big {
    char b[300];
};

/* Copied from one stack to the other by whoever comes last. */
SILENT(chan, long_elements, OURS)
{
    chan(struct big) in = chan_make(struct big);
    chan(struct big) out = chan_make(struct big, 3);
    go_do(in, out) {
        for (int i = 0; i < 10; i++) {
            struct big got = chan_recv(in);
            got.b[3]++;
            chan_send(out, got);
        }
    };
    for (int i = 0; i < 10; i++) {
        struct big value = {.b[3] = 1};
        chan_send(in, value);
        value = chan_recv(out);
        EXPECT_EQ_INT(value.b[3], 2);
    }
    (void)v;
}

/* --- threads of the program's own */

static void *thread_sends(void *arg)
{
    struct vars *v = arg;
    v->x = 1;
    chan_send(v->c, 1);
    return NULL;
}

SILENT(thread, send_before_receive, OURS)
{
    pthread_t t;
    v->c = chan_make(int);
    REQUIRE(pthread_create(&t, NULL, thread_sends, v) == 0);
    (void)chan_recv(v->c);
    v->x = 2;
    pthread_join(t, NULL);
}

static void *thread_receives(void *arg)
{
    struct vars *v = arg;
    for (int i = 0; i < 4; i++) {
        (void)chan_recv(v->c);
    }
    READ(v->x);
    return NULL;
}

SILENT(thread, waits_on_a_buffered_channel, OURS)
{
    pthread_t t;
    v->c = chan_make(int, 1);
    REQUIRE(pthread_create(&t, NULL, thread_receives, v) == 0);
    v->x = 1;
    for (int i = 0; i < 4; i++) {
        chan_send(v->c, i);
        go_yield();
    }
    pthread_join(t, NULL);
}

/* --- maps, semaphores */

SILENT(map, store_before_load, OURS)
{
    go_do(v) {
        v->x = 1;
        map_store(&v->map, 7u, v);
    };
    void *got = NULL;
    while (!map_load(&v->map, 7u, &got)) {
        go_yield();
    }
    v->x = 2;
    map_free(&v->map);
}

RACE(map, different_keys_are_not_ordered, OURS)
{
    map_init(&v->map, GO_MAP_STRING);
    map_store(&v->map, "one", v);
    map_store(&v->map, "two", v);
    go_do(v) {
        void *got;
        v->x = 1;
        (void)map_load(&v->map, "one", &got);
        map_store(&v->map, "one", v);
        map_delete(&v->map, "one");
        reach(1);
    };
    await(1);
    void *got;
    (void)map_load(&v->map, "two", &got);
    map_store(&v->map, "two", v);
    map_delete(&v->map, "two");
    v->x = 2;
}

/* Entries go from one goroutine to the other, and are freed by whoever comes by. */
SILENT(map, entries_freed_by_others, OURS)
{
    map_init(&v->map, GO_MAP_STRING);
    wg_add(&v->wg, 3);
    for (int i = 0; i < 3; i++) {
        go_do(v) {
            char key[20];
            void *got;
            for (int k = 0; k < 300; k++) {
                snprintf(key, sizeof key, "key %d", k % 40);
                (void)map_load_or_store(&v->map, key, v, &got);
                map_store(&v->map, key, v);
                if (k % 3 == 0) {
                    map_delete(&v->map, key);
                    go_yield();
                }
            }
            wg_done(&v->wg);
        };
    }
    wg_wait(&v->wg);
    map_free(&v->map);
}

/* Who comes when the others are through has a call of his own, which is before nothing. */
static int fly(void *arg, void **result)
{
    static atomic_int flown;
    struct vars *v = arg;
    if (atomic_fetch_add_explicit(&flown, 1, memory_order_relaxed) > 0) {
        *result = NULL;
        return 0;
    }
    v->x = 1;
    await(3); /* the others are on their way */
    for (int i = 0; i < 10; i++) {
        go_yield();
    }
    *result = v;
    return 0;
}

SILENT(single, call_before_all_that_share_it, OURS)
{
    for (int i = 0; i < 3; i++) {
        go_do(v) {
            void *got = NULL;
            pass();
            (void)single_do(&v->single, "key", fly, v, &got, NULL);
            if (got != NULL) {
                READ(((struct vars *)got)->x);
            }
        };
    }
    await_count(1);
}

SILENT(sem, release_before_acquire, OURS)
{
    v->sem = (go_sem){.size = 1};
    for (int i = 0; i < 3; i++) {
        go_do(v) {
            REQUIRE(sem_acquire(NULL, &v->sem, 1) == 0);
            v->x++;
            sem_release(&v->sem, 1);
        };
    }
    await_count(1);
}

RACE(sem, two_may_be_in, OURS)
{
    v->sem = (go_sem){.size = 2};
    for (int i = 0; i < 2; i++) {
        go_do(v) {
            REQUIRE(sem_acquire(NULL, &v->sem, 1) == 0);
            v->x++;
            pass();
            await(2);
            sem_release(&v->sem, 1);
        };
    }
    await(2);
}

/* --- descriptors */

SILENT(io, write_before_read_of_a_pipe, OURS)
{
    go_conn *r = NULL;
    go_conn *w = NULL;
    char byte;
    REQUIRE(go_pipe(&r, &w) == 0);
    go_do(v, w) {
        v->x = 1;
        EXPECT_EQ_INT(go_conn_write(w, "x", 1), 1);
        go_conn_close(w);
    };
    EXPECT_EQ_INT(go_conn_read(r, &byte, 1), 1);
    v->x = 2;
    go_conn_close(r);
}

static void serve(go_listener *l, struct vars *v)
{
    for (int i = 0; i < 2; i++) {
        go_conn *c = NULL;
        char byte;
        REQUIRE(go_accept(l, &c) == 0);
        EXPECT_EQ_INT(go_conn_read(c, &byte, 1), 1);
        v->x++;
        EXPECT_EQ_INT(go_conn_write(c, "y", 1), 1);
        go_conn_close(c);
    }
}

SILENT(io, request_and_answer, "io_test.go TestNoRaceIOHttp")
{
    go_listener *l = NULL;
    REQUIRE(go_listen("tcp", "127.0.0.1:0", &l) == 0);
    go(serve, l, v);
    for (int i = 0; i < 2; i++) {
        go_conn *c = NULL;
        char byte;
        v->x++;
        REQUIRE(go_dial(NULL, "tcp", go_listener_addr(l), &c) == 0);
        EXPECT_EQ_INT(go_conn_write(c, "x", 1), 1);
        EXPECT_EQ_INT(go_conn_read(c, &byte, 1), 1);
        v->x++;
        go_conn_close(c);
    }
    await_count(1);
    go_listener_close(l);
}

/* Each writes to a pipe of its own and reads it again. */
RACE(io, different_descriptors_order_nothing, OURS)
{
    for (int i = 0; i < 2; i++) {
        go_do(v, i) {
            go_conn *r = NULL;
            go_conn *w = NULL;
            char byte;
            REQUIRE(go_pipe(&r, &w) == 0);
            await(i);
            v->x = i;
            EXPECT_EQ_INT(go_conn_write(w, "x", 1), 1);
            EXPECT_EQ_INT(go_conn_read(r, &byte, 1), 1);
            pass();
            await(2);
            go_conn_close(r);
            go_conn_close(w);
        };
    }
    await(2);
}
