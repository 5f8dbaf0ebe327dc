/* SPDX-License-Identifier: MIT */
/* races.h: a kernel is a few goroutines that race, or do not, as the race detector must see it.
 *
 *     RACE(chan, send_orders_nothing_after_it, "chan_test.go TestRaceChanAsyncRev")
 *     {
 *         chan(int) c = chan_make(int, 10);
 *         go_do(v, c) {
 *             chan_send(c, 0);
 *             v->x = 1;
 *         };
 *         v->x = 2;
 *         (void)chan_recv(c);
 *     }
 *
 * The programs here are compiled with -fsanitize=thread and linked to the ordinary library, as
 * `gort run -race` does. Each kernel is a test, in a process of its own. In a RACE at least one
 * race in *v must be reported, and nothing else; in a RACE_AND_ELSEWHERE it leads to others, and in
 * a RACE_ELSEWHERE it is one of something else, as of a channel that is closed. Nothing at all may
 * be reported in a SILENT. The third argument names the test of Go's (runtime/race/testdata) that
 * is carried over in meaning, or is OURS.
 *
 * What a race needs to happen is certain: TSan knows what is ordered, not what happened when. Two
 * limits of its own are in the way. It remembers four accesses of a word, which no kernel exceeds.
 * And two accesses at the very same moment may write over one another's traces, so that neither is
 * seen. On one thread there is no such moment, but for one that the kernel takes from its processor
 * and another that goes on with its P; on two, there is. So a kernel with a race is run until it
 * has been reported, at most ROUNDS times, or ROUNDS_ALONE: an order that must not be there is
 * there in every round.
 *
 * Where the meaning depends on who comes first, the goroutines take their turns by reach() and
 * await(), of which the detector sees nothing. */
#ifndef GORT_TESTS_RACES_H
#define GORT_TESTS_RACES_H
#include "harness.h"
#include <gort.h>
#include <gort/short.h>

/* What kernels share; of the heap, and new for each round. */
struct vars {
    int x, y, v1, v2;
    long s;
    int data[10];
    char bytes[64];
    void *p;
    chan(int) c;
    go_mutex mu, mu2;
    go_rwmutex rw;
    go_cond cond;
    go_waitgroup wg;
    go_once once;
    go_map map;
    go_sem sem;
    go_pool pool;
    go_single single;
};

#define OURS "-"

enum races_where { RACES_NOWHERE, RACES_IN_VARS, RACES_ELSEWHERE, RACES_IN_BOTH };
void races_check(void (*kernel)(struct vars *v), enum races_where where);

#define RACES_KERNEL_(suite, name, where)                     \
    static void kernel_##suite##_##name(struct vars *v);      \
    TEST(suite, name)                                         \
    {                                                         \
        races_check(kernel_##suite##_##name, where);          \
    }                                                         \
    static void kernel_##suite##_##name(struct vars *v)
#define RACE(suite, name, go) RACES_KERNEL_(suite, race_##name, RACES_IN_VARS)
#define RACE_ELSEWHERE(suite, name, go) RACES_KERNEL_(suite, race_##name, RACES_ELSEWHERE)
#define RACE_AND_ELSEWHERE(suite, name, go) RACES_KERNEL_(suite, race_##name, RACES_IN_BOTH)
#define SILENT(suite, name, go) RACES_KERNEL_(suite, silent_##name, RACES_NOWHERE)

/* Turns, unseen: a kernel begins at 0; reach(n) says that step n is done, await(n) yields until it
 * is; pass() counts one up. */
void reach(int n);
void pass(void);
void await(int n);

/* Until the goroutine count is n. Orders nothing. */
void await_count(int n);

/* An access that the compiler may not leave out. */
#define READ(e) ((void)*(volatile __typeof__(e) *)&(e))

/* recover(): what panics panics for nothing. */
static inline void try_close(chan(int) c) { chan_close(c); }
static inline void try_send(chan(int) c, int value) { chan_send(c, value); }
static inline void caught_close(chan(int) c) { (void)go_try(NULL, try_close, c); }
static inline bool caught_send(chan(int) c, int n) { return go_try(NULL, try_send, c, n); }

#endif
