/* SPDX-License-Identifier: MIT */
/* A plugin with goroutines, some of which are still there when it is closed. */
#include <gort.h>
#include <gort/short.h>

static void square(chan(int) out, int i) { chan_send(out, i * i); }
static void tick(void)
{
    for (;;) {
        go_sleep(GO_MS);
    }
}

int plugin(void);
int plugin(void)
{
    chan(int) c = chan_make(int);
    int sum = 0;
    for (int i = 0; i < 100; i++) {
        go(square, c, i);
    }
    for (int i = 0; i < 100; i++) {
        sum += chan_recv(c);
    }
    chan_free(c);
    go(tick);
    return sum;
}
