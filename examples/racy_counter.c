/* SPDX-License-Identifier: MIT */
/* racy_counter.c: a counter that loses updates, on purpose.
 *
 * A hundred goroutines read the counter, let others run, and write back what they read plus one.
 * Whatever was counted in between is lost. `gort run -race` names the two lines; the repairs are in
 * counter_mutex.c and counter_channel.c.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static volatile int counter; /* volatile is no lock: it only keeps the accesses where we see them */

static void increment(int times)
{
    for (int i = 0; i < times; i++) {
        int seen = counter;
        go_yield();
        counter = seen + 1;
    }
}

int main(void)
{
    go_waitgroup wg = { 0 };
    for (int i = 0; i < 100; i++) {
        wg_go(&wg, increment, 10);
    }
    wg_wait(&wg);
    printf("1000 increments; some were lost: %s\n", counter < 1000 ? "true" : "false");
    return 0;
}
