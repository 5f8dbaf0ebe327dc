/* SPDX-License-Identifier: MIT */
/* The atomics of C, between goroutines. */
#include "races.h"
#include <stdlib.h>

#define ADD(p, n) __atomic_add_fetch((p), (n), __ATOMIC_SEQ_CST)
#define LOAD(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define STORE(p, x) __atomic_store_n((p), (x), __ATOMIC_SEQ_CST)

static bool swap(long *p, long from, long to)
{
    return __atomic_compare_exchange_n(p, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static bool swap_int(int *p, int from, int to)
{
    return __atomic_compare_exchange_n(p, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

SILENT(atomic, add_long, "atomic_test.go TestNoRaceAtomicAddInt64")
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        v->v1 = 1;
        if (ADD(&v->s, 1) == 2) {
            v->v2 = 1;
        }
        chan_send(c, 1);
    };
    go_do(v, c) {
        v->v2 = 1;
        if (ADD(&v->s, 1) == 2) {
            v->v1 = 1;
        }
        chan_send(c, 1);
    };
    (void)chan_recv(c);
    (void)chan_recv(c);
}

RACE(atomic, add_long, "atomic_test.go TestRaceAtomicAddInt64")
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        v->v1 = 1;
        if (ADD(&v->s, 1) == 1) {
            v->v2 = 1;
        }
        chan_send(c, 1);
    };
    go_do(v, c) {
        v->v2 = 1;
        if (ADD(&v->s, 1) == 1) {
            v->v1 = 1;
        }
        chan_send(c, 1);
    };
    (void)chan_recv(c);
    (void)chan_recv(c);
}

SILENT(atomic, add_int, "atomic_test.go TestNoRaceAtomicAddInt32")
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        v->v1 = 1;
        if (ADD(&v->x, 1) == 2) {
            v->v2 = 1;
        }
        chan_send(c, 1);
    };
    go_do(v, c) {
        v->v2 = 1;
        if (ADD(&v->x, 1) == 2) {
            v->v1 = 1;
        }
        chan_send(c, 1);
    };
    (void)chan_recv(c);
    (void)chan_recv(c);
}

SILENT(atomic, load_add_int, "atomic_test.go TestNoRaceAtomicLoadAddInt32")
{
    go_do(v) {
        v->y = 2;
        ADD(&v->x, 1);
    };
    while (LOAD(&v->x) != 1) {
        go_yield();
    }
    v->y = 1;
}

SILENT(atomic, load_store_int, "atomic_test.go TestNoRaceAtomicLoadStoreInt32")
{
    go_do(v) {
        v->y = 2;
        STORE(&v->x, 1);
    };
    while (LOAD(&v->x) != 1) {
        go_yield();
    }
    v->y = 1;
}

SILENT(atomic, store_swap_int, "atomic_test.go TestNoRaceAtomicStoreCASInt32")
{
    go_do(v) {
        v->y = 2;
        STORE(&v->x, 1);
    };
    while (!swap_int(&v->x, 1, 0)) {
        go_yield();
    }
    v->y = 1;
}

SILENT(atomic, swap_load_int, "atomic_test.go TestNoRaceAtomicCASLoadInt32")
{
    go_do(v) {
        v->y = 2;
        EXPECT(swap_int(&v->x, 0, 1));
    };
    while (LOAD(&v->x) != 1) {
        go_yield();
    }
    v->y = 1;
}

SILENT(atomic, swap_swap_int, "atomic_test.go TestNoRaceAtomicCASCASInt32")
{
    go_do(v) {
        v->y = 2;
        EXPECT(swap_int(&v->x, 0, 1));
    };
    while (!swap_int(&v->x, 1, 0)) {
        go_yield();
    }
    v->y = 1;
}

/* The swap that fails has read what the other wrote. */
SILENT(atomic, swap_that_fails, "atomic_test.go TestNoRaceAtomicCASCASInt32_2")
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        v->v1 = 1;
        if (!swap_int(&v->x, 0, 1)) {
            v->v2 = 1;
        }
        chan_send(c, 1);
    };
    go_do(v, c) {
        v->v2 = 1;
        if (!swap_int(&v->x, 0, 1)) {
            v->v1 = 1;
        }
        chan_send(c, 1);
    };
    (void)chan_recv(c);
    (void)chan_recv(c);
}

SILENT(atomic, load_add_long, "atomic_test.go TestNoRaceAtomicLoadInt64")
{
    go_do(v) {
        v->y = 2;
        ADD(&v->s, 1);
    };
    while (LOAD(&v->s) != 1) {
        go_yield();
    }
    v->y = 1;
}

SILENT(atomic, swap_swap_long, "atomic_test.go TestNoRaceAtomicCASCASUInt64")
{
    go_do(v) {
        v->y = 2;
        EXPECT(swap(&v->s, 0, 1));
    };
    while (!swap(&v->s, 1, 0)) {
        go_yield();
    }
    v->y = 1;
}

SILENT(atomic, load_store_pointer, "atomic_test.go TestNoRaceAtomicLoadStorePointer")
{
    go_do(v) {
        v->y = 2;
        STORE(&v->p, (void *)v);
    };
    while (LOAD(&v->p) != v) {
        go_yield();
    }
    v->y = 1;
}

SILENT(atomic, store_swap_long, "atomic_test.go TestNoRaceAtomicStoreCASUint64")
{
    go_do(v) {
        v->y = 2;
        STORE(&v->s, 1);
    };
    while (!swap(&v->s, 1, 0)) {
        go_yield();
    }
    v->y = 1;
}

RACE(atomic, store_and_plain_load, "atomic_test.go TestRaceAtomicStoreLoad")
{
    chan(int) c = chan_make(int);
    go_do(v, c) {
        STORE(&v->s, 1);
        chan_send(c, 1);
    };
    READ(v->s);
    (void)chan_recv(c);
}

RACE(atomic, load_and_plain_store, "atomic_test.go TestRaceAtomicLoadStore")
{
    chan(int) c = chan_make(int);
    go_do(v, c) {
        (void)LOAD(&v->s);
        chan_send(c, 1);
    };
    v->s = 1;
    (void)chan_recv(c);
}

RACE(atomic, add_and_plain_load, "atomic_test.go TestRaceAtomicAddLoad")
{
    chan(int) c = chan_make(int);
    go_do(v, c) {
        ADD(&v->s, 1);
        chan_send(c, 1);
    };
    READ(v->s);
    (void)chan_recv(c);
}

RACE(atomic, add_and_plain_store, "atomic_test.go TestRaceAtomicAddStore")
{
    chan(int) c = chan_make(int);
    go_do(v, c) {
        ADD(&v->s, 1);
        chan_send(c, 1);
    };
    v->s = 42;
    (void)chan_recv(c);
}

/* A tree of goroutines, whose stacks and fibers are used again and again. */
static void fork_tree(long *mine, int depth)
{
    STORE(mine, 1);
    if (depth > 0) {
        for (int i = 0; i < 2; i++) {
            go(fork_tree, calloc(1, sizeof(long)), depth - 1);
        }
    }
    STORE(mine, 0);
    free(mine);
}

SILENT(atomic, deferred_store_in_a_tree, "atomic_test.go TestNoRaceDeferAtomicStore")
{
    fork_tree(calloc(1, sizeof(long)), 6);
    (void)v;
}

RACE(atomic, relaxed_orders_nothing, OURS)
{
    go_do(v) {
        v->x = 1;
        __atomic_store_n(&v->s, 1, __ATOMIC_RELAXED);
    };
    while (__atomic_load_n(&v->s, __ATOMIC_RELAXED) == 0) {
        go_yield();
    }
    v->x = 2;
}
