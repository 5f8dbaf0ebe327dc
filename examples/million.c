/* SPDX-License-Identifier: MIT */
/* million.c: one million goroutines at the same time.
 *
 * All of them are started and wait at one closed gate; a goroutine that waits costs one page of
 * memory and no processor time. Opening the gate wakes them all, and each adds its number to the
 * sum, through a channel with room for a thousand.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

enum { COUNT = 1000000 };

static void visitor(long id, recv_chan(bool) gate, send_chan(long) out)
{
    chan_recv(gate);
    chan_send(out, id);
}

int main(void)
{
    chan(bool) gate = chan_make(bool);
    chan(long) out = chan_make(long, 1000);
    for (long id = 1; id <= COUNT; id++) {
        go(visitor, id, gate, out);
    }
    printf("%d goroutines wait at the gate\n", go_count() - 1);

    chan_close(gate);
    long sum = 0;
    for (long i = 0; i < COUNT; i++) {
        sum += chan_recv(out);
    }
    printf("they came through, and their numbers add up to %ld\n", sum);

    chan_free(gate);
    chan_free(out);
    return 0;
}
