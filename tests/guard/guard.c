/* SPDX-License-Identifier: MIT */
/* guard.c: the eight hottest paths, each several times under callgrind's counter. run.sh runs it
 * with GOMAXPROCS=1, reads the counts, and takes the least of a path: what a thread beside it (the
 * system monitor) did meanwhile is counted too.
 *
 * Each path is one function that does OPS operations of its kind and begins afresh every time: the
 * end of a time slice may bring two goroutines into another step with each other, in which they
 * would stay. It runs once unmeasured, so that stacks, waiters and timers come from where they come
 * from in the long run. */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

enum { OPS = 100, BATCH = 50, ROUNDS = 20, REPEATS = 5 };

static void must(bool ok, const char *path)
{
    if (!ok) {
        fprintf(stderr, "guard: %s did not do its work\n", path);
        exit(1);
    }
}

static long ended;

static void end_at_once(void)
{
    ended++;
}

/* Start a goroutine, run it, see its end; in batches. */
static void spawn_exit(void)
{
    for (int i = 0; i < OPS / BATCH; i++) {
        long goal = ended + BATCH;
        for (int k = 0; k < BATCH; k++) {
            go(end_at_once);
        }
        while (ended < goal) {
            go_yield();
        }
    }
}

static void yield_half(go_waitgroup *wg)
{
    for (int i = 0; i < OPS / 2; i++) {
        go_yield();
    }
    wg_done(wg);
}

/* One of two goroutines gives way to the other. */
static void yield(void)
{
    go_waitgroup wg = { 0 };
    wg_add(&wg, 1);
    go(yield_half, &wg);
    for (int i = 0; i < OPS / 2; i++) {
        go_yield();
    }
    wg_wait(&wg);
}

static void echo(recv_chan(long) in, send_chan(long) out)
{
    chan_for(v, in) {
        chan_send(out, v);
    }
    chan_close(out);
}

/* A message through an unbuffered channel and its answer through another. */
static void round_trip(void)
{
    chan(long) there = chan_make(long);
    chan(long) back = chan_make(long);
    go(echo, there, back);
    long sum = 0;
    for (long i = 0; i < OPS; i++) {
        chan_send(there, 1);
        sum += chan_recv(back);
    }
    chan_close(there);
    chan_recv(back);
    must(sum == OPS, "round_trip");
    chan_free(there);
    chan_free(back);
}

/* A send and a receive on a buffered channel, neither of which waits. */
static void buffered(void)
{
    chan(long) c = chan_make(long, BATCH);
    long sum = 0;
    for (int i = 0; i < OPS / BATCH; i++) {
        for (int k = 0; k < BATCH; k++) {
            chan_send(c, 1);
        }
        for (int k = 0; k < BATCH; k++) {
            sum += chan_recv(c);
        }
    }
    must(sum == OPS, "buffered");
    chan_free(c);
}

static void send_all(send_chan(long) c, go_waitgroup *wg)
{
    for (int i = 0; i < OPS / 4; i++) {
        chan_send(c, 1);
    }
    wg_done(wg);
}

/* A receive by a select of four unbuffered channels, each with a sender that waits. */
static void select_4(void)
{
    chan(long) c[4];
    go_waitgroup wg = { 0 };
    wg_add(&wg, 4);
    for (int i = 0; i < 4; i++) {
        c[i] = chan_make(long);
        go(send_all, c[i], &wg);
    }
    long sum = 0;
    long v = 0;
    for (int i = 0; i < OPS; i++) {
        switch (chan_select(recv(c0, c[0], &v), recv(c1, c[1], &v), recv(c2, c[2], &v),
                            recv(c3, c[3], &v))) {
        case c0:
        case c1:
        case c2:
        case c3:
            sum += v;
            break;
        }
    }
    wg_wait(&wg);
    must(sum == OPS, "select_4");
    for (int i = 0; i < 4; i++) {
        chan_free(c[i]);
    }
}

/* Lock and unlock a mutex that nobody else wants. */
static void mutex(void)
{
    static go_mutex mu;
    static long count;
    long goal = count + OPS;
    for (int i = 0; i < OPS; i++) {
        mutex_lock(&mu);
        count++;
        mutex_unlock(&mu);
    }
    must(count == goal, "mutex");
}

static void sleep_and_wake(recv_chan(char) bell, long *woken, go_waitgroup *wg)
{
    chan_for(v, bell) {
        *woken += v;
    }
    wg_done(wg);
}

/* A goroutine is made ready by a send, runs, and parks in its receive. */
static void wake(void)
{
    chan(char) bell = chan_make(char, 1);
    go_waitgroup wg = { 0 };
    wg_add(&wg, 1);
    long woken = 0;
    go(sleep_and_wake, bell, &woken, &wg);
    go_yield();
    for (int i = 0; i < OPS; i++) {
        chan_send(bell, 1);
        go_yield();
    }
    chan_close(bell);
    wg_wait(&wg);
    must(woken == OPS, "wake");
    chan_free(bell);
}

static void never(void)
{
    must(false, "timer");
}

/* A timer for a function is started and stopped. */
static void timer(void)
{
    for (int i = 0; i < OPS; i++) {
        go_timer *t = go_after_func(GO_HOUR, never);
        must(timer_stop(t), "timer");
        timer_free(t);
    }
}

#define MEASURE(path) \
    do { \
        path(); \
        for (int i = 0; i < REPEATS; i++) { \
            CALLGRIND_ZERO_STATS; \
            for (int k = 0; k < ROUNDS; k++) { \
                path(); \
            } \
            CALLGRIND_DUMP_STATS_AT("guard " #path); \
        } \
    } while (0)

int main(void)
{
    if (!RUNNING_ON_VALGRIND) {
        fprintf(stderr, "guard: this is for callgrind; see run.sh\n");
        return 2;
    }
    MEASURE(spawn_exit);
    MEASURE(yield);
    MEASURE(round_trip);
    MEASURE(buffered);
    MEASURE(select_4);
    MEASURE(mutex);
    MEASURE(wake);
    MEASURE(timer);
    printf("ops %d\n", OPS * ROUNDS);
    return 0;
}
