/* SPDX-License-Identifier: MIT */
/* A program of a stranger: three goroutines add up numbers, one channel brings the sums. */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void add(int from, int to, send_chan(long) sums)
{
    long sum = 0;
    for (int i = from; i < to; i++) {
        sum += i;
    }
    chan_send(sums, sum);
}

int main(void)
{
    chan(long) sums = chan_make(long);
    long sum = 0;
    for (int i = 0; i < 3; i++) {
        go(add, i * 1000, (i + 1) * 1000, sums);
    }
    for (int i = 0; i < 3; i++) {
        sum += chan_recv(sums);
    }
    chan_free(sums);
    printf("sum %ld\n", sum);
    return sum == 4498500 ? 0 : 1;
}
