/* SPDX-License-Identifier: MIT */
/* A program of a stranger: three goroutines add up numbers, one channel brings the sums, and a
 * thread of its own gives its number by pthread_exit, which the library stands in front of. */
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <stdio.h>

static void add(int from, int to, send_chan(long) sums)
{
    long sum = 0;
    for (int i = from; i < to; i++) {
        sum += i;
    }
    chan_send(sums, sum);
}

static void *thread(void *number)
{
    go_yield();
    pthread_exit(number);
}

int main(void)
{
    static int number;
    pthread_t t;
    void *value = NULL;
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
    if (pthread_create(&t, NULL, thread, &number) != 0 || pthread_join(t, &value) != 0) {
        return 1;
    }
    return sum == 4498500 && value == &number ? 0 : 1;
}
