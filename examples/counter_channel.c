/* SPDX-License-Identifier: MIT */
/* counter_channel.c: the racy counter repaired with a channel.
 *
 * One goroutine owns the counter; the others send it what they want added. Nothing is shared, so
 * nothing needs a lock. Closing the channel tells the owner that all has been said, and its answer
 * comes back on a channel of its own.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void owner(recv_chan(int) add, send_chan(int) result)
{
    int n = 0;
    chan_for(delta, add) {
        int seen = n;
        go_yield();
        n = seen + delta;
    }
    chan_send(result, n);
}

static void increment(int times, send_chan(int) add)
{
    for (int i = 0; i < times; i++) {
        chan_send(add, 1);
    }
}

int main(void)
{
    chan(int) add = chan_make(int), result = chan_make(int);
    go(owner, add, result);

    go_waitgroup wg = { 0 };
    for (int i = 0; i < 100; i++) {
        wg_go(&wg, increment, 10, add);
    }
    wg_wait(&wg);
    chan_close(add);
    printf("1000 increments; the owner says %d\n", chan_recv(result));

    chan_free(add);
    chan_free(result);
    return 0;
}
