/* SPDX-License-Identifier: MIT */
/* three_services.c: three slow calls in the time of the slowest.
 *
 * A page needs the user, the orders and the stock. None of the calls depends on another, so they
 * run side by side and the page waits once, for as long as the slowest of them takes.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

struct reply {
    const char *service;
    int value;
};

static void call(const char *service, go_duration takes, int value, send_chan(struct reply) out)
{
    go_sleep(takes); /* stands for a request over the network */
    struct reply r = { service, value };
    chan_send(out, r);
}

int main(void)
{
    chan(struct reply) replies = chan_make(struct reply);
    go_time start = go_now();
    go(call, "users", 200 * GO_MS, 17, replies);
    go(call, "orders", 300 * GO_MS, 4, replies);
    go(call, "stock", 400 * GO_MS, 250, replies);

    int sum = 0;
    for (int i = 0; i < 3; i++) {
        struct reply r = chan_recv(replies);
        sum += r.value;
    }
    go_duration took = go_since(start);

    printf("three replies, sum %d\n", sum);
    printf("took at least as long as the slowest: %s\n", took >= 400 * GO_MS ? "true" : "false");
    printf("took less than one after the other: %s\n", took < 900 * GO_MS ? "true" : "false");
    chan_free(replies);
    return 0;
}
