/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void ring(chan(int) bell) { chan_send(bell, 1); }

int main(void)
{
    go_time start = go_now();
    go_sleep(2 * GO_MS);
    printf("%d\n", go_since(start) >= 2 * GO_MS);

    go_ticker *t = go_ticker_make(GO_MS);
    for (int i = 0; i < 3; i++) {
        chan_recv(ticker_c(t));
    }
    ticker_free(t);

    chan(int) bell = chan_make(int);
    go_timer *alarm = go_after_func(GO_MS, ring, bell);
    printf("%d\n", chan_recv(bell));
    printf("%d\n", timer_stop(alarm)); /* too late, it has fired */
    timer_free(alarm);
    chan_free(bell);
}
/* Output:
1
1
0
*/
