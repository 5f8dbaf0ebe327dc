/* SPDX-License-Identifier: MIT */
/* sieve.c: prime numbers by a chain of goroutines.
 *
 * The first goroutine sends 2, 3, 4 and so on. The first number that comes out at the end of the
 * chain is prime, and a new filter that removes its multiples is appended for it. Every channel is
 * unbuffered: the chain computes as far as main asks. When main returns, all filters end with it.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void generate(send_chan(int) out)
{
    for (int i = 2;; i++) {
        chan_send(out, i);
    }
}

static void filter(recv_chan(int) in, send_chan(int) out, int prime)
{
    for (;;) {
        int v = chan_recv(in);
        if (v % prime != 0) {
            chan_send(out, v);
        }
    }
}

int main(void)
{
    chan(int) end = chan_make(int);
    go(generate, end);
    for (int n = 1; n <= 200; n++) {
        int prime = chan_recv(end);
        if (n <= 10 || n == 100 || n == 200) {
            printf("prime %d is %d\n", n, prime);
        }
        chan(int) next = chan_make(int);
        go(filter, end, next, prime);
        end = next;
    }
    return 0;
}
