/* SPDX-License-Identifier: MIT */
/* tour.c: a walk through Gort in seven short stops.
 *
 * Each function is a stop that stands for itself; the other programs here go into the details.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void greet(const char *name, int n, send_chan(int) out)
{
    printf("   hello, %s\n", name);
    chan_send(out, n * 2);
}

static void goroutines(void)
{
    printf("1. Any function, with any arguments, runs as a goroutine.\n");
    chan(int) out = chan_make(int);
    go(greet, "world", 21, out);
    printf("   its result comes back through a channel: %d\n", chan_recv(out));

    printf("2. So does any block; what it uses is listed, and copied.\n");
    for (int i = 1; i <= 10; i++) {
        go_do(i, out) {
            chan_send(out, i * i);
        };
    }
    int sum = 0;
    for (int i = 1; i <= 10; i++) {
        sum += chan_recv(out);
    }
    printf("   the first ten squares add up to %d\n", sum);
    chan_free(out);
}

static void worker(recv_chan(int) jobs, send_chan(int) results)
{
    chan_for(job, jobs) {
        chan_send(results, job * 2);
    }
}

static void pool(void)
{
    printf("3. Channels are typed and have directions; workers share one.\n");
    chan(int) jobs = chan_make(int, 100), results = chan_make(int, 100);
    go_waitgroup wg = { 0 };
    for (int w = 0; w < 4; w++) {
        wg_go(&wg, worker, jobs, results);
    }
    for (int job = 1; job <= 100; job++) {
        chan_send(jobs, job);
    }
    chan_close(jobs);
    wg_wait(&wg);
    printf("   four workers did %zu jobs\n", chan_len(results));
    chan_free(jobs);
    chan_free(results);
}

static void waiting(void)
{
    printf("4. select waits for what comes first: a value, or a point in time.\n");
    chan(int) silent = chan_make(int);
    switch (chan_select(recv(got, silent), after(late, 30 * GO_MS))) {
    case got:
        break;
    case late:
        printf("   nothing came for 30 ms\n");
        break;
    }
    chan_free(silent);
}

static go_mutex mu;
static int counter; /* guarded by mu */

static void count(int times)
{
    guard(&mu);
    counter += times;
}

static void locking(void)
{
    printf("5. A mutex guards what is shared; a WaitGroup waits for all.\n");
    go_waitgroup wg = { 0 };
    for (int i = 1; i <= 100; i++) {
        wg_go(&wg, count, i);
    }
    wg_wait(&wg);
    printf("   a hundred goroutines counted to %d\n", counter);
}

static void careless(int divisor)
{
    defer(puts, "   deferred: this runs in any case");
    if (divisor == 0) {
        go_panic("division by zero");
    }
    printf("   6 / %d = %d\n", divisor, 6 / divisor);
}

static void failing(void)
{
    printf("6. defer cleans up; go_try turns a panic into an error.\n");
    go_panic_info info;
    if (!go_try(&info, careless, 2) || !go_try(&info, careless, 0)) {
        printf("   caught: %s\n", info.message);
    }
}

static void visitor(recv_chan(bool) gate, send_chan(int) out)
{
    chan_recv(gate);
    chan_send(out, 1);
}

static void many(void)
{
    printf("7. A goroutine costs a page: have a hundred thousand.\n");
    chan(bool) gate = chan_make(bool);
    chan(int) out = chan_make(int, 1000);
    for (int i = 0; i < 100000; i++) {
        go(visitor, gate, out);
    }
    chan_close(gate);
    int through = 0;
    for (int i = 0; i < 100000; i++) {
        through += chan_recv(out);
    }
    printf("   they waited at a gate, and %d came through\n", through);
    chan_free(gate);
    chan_free(out);
}

int main(void)
{
    printf("Welcome to Gort: Go's concurrency, in C.\n");
    goroutines();
    pool();
    waiting();
    locking();
    failing();
    many();
    printf("That was the tour. When main returns, the program ends.\n");
    return 0;
}
