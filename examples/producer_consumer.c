/* SPDX-License-Identifier: MIT */
/* producer_consumer.c: channel directions as part of the types.
 *
 * send_chan(T) can only be sent to and closed, recv_chan(T) only received from. A chan(T) becomes
 * either by being passed; the way back does not compile. Two producers, two consumers, and a buffer
 * of three between them: whoever is faster waits.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void produce(int first, int count, send_chan(int) out)
{
    for (int i = 0; i < count; i++) {
        chan_send(out, first + i);
    }
}

struct tally {
    int count;
    long sum;
};

static void consume(recv_chan(int) in, send_chan(struct tally) out)
{
    struct tally t = { 0, 0 };
    chan_for(v, in) {
        t.count++;
        t.sum += v;
    }
    chan_send(out, t);
}

int main(void)
{
    chan(int) queue = chan_make(int, 3);
    chan(struct tally) tallies = chan_make(struct tally);

    go_waitgroup producers = { 0 };
    wg_go(&producers, produce, 1, 50, queue);
    wg_go(&producers, produce, 51, 50, queue);
    go(consume, queue, tallies);
    go(consume, queue, tallies);

    wg_wait(&producers);
    chan_close(queue);

    struct tally all = { 0, 0 };
    for (int i = 0; i < 2; i++) {
        struct tally t = chan_recv(tallies);
        all.count += t.count;
        all.sum += t.sum;
    }
    printf("consumed %d numbers, sum %ld\n", all.count, all.sum);

    chan_free(queue);
    chan_free(tallies);
    return 0;
}
