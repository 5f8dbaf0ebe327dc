/* SPDX-License-Identifier: MIT */
/* Senders whose only receiver may go away. */
#include <gort/short.h>

static void answer(chan(int) c, int n)
{
    chan_send(c, n);
}

static void two(send_chan(int) c)
{
    int n = 3;
    chan_send(c, n);
    chan_close(c);
}

static int with_timeout(void)
{
    int v = 0;
    chan(int) c = chan_make(int);
    go(answer, c, 1); // want "sends on c, which has no room, and nobody receives on the way to the"
    switch (chan_select(recv(got, c, &v), after(late, GO_SEC))) {
    case got:
        return v;
    case late:
        return -1;
    }
    return 0;
}

static int early_return(int n)
{
    chan(int) c = chan_make(int, 0);
    go(two, c); // want "to the return in line 36"
    if (n == 0) {
        return -1;
    }
    return chan_recv(c);
}

static int block(go_ctx *ctx)
{
    chan(int) c = chan_make(int);
    go_do(c) { chan_send(c, 1); }; // want "goroutine sends on c"
    int v;
    switch (chan_select(recv(got, c, &v), recv(end, ctx_done(ctx)))) {
    case end:
        break;
    case got:
        return v;
    }
    return 0;
}

static int until(void)
{
    int v;
    chan(int) c = chan_make(int);
    go(answer, c, 1); // want "goroutine sends on c"
    int err = chan_recv_until(c, &v, go_now() + GO_SEC);
    if (err < 0) {
        return err;
    }
    return v;
}

static int first_of_three(void)
{
    chan(int) c = chan_make(int);
    for (int i = 0; i < 3; i++) {
        go(answer, c, i); // want "goroutines started in a loop send on c"
    }
    return chan_recv(c);
}

int main(void)
{
    return with_timeout() + early_return(0) + block(ctx_background()) + until() + first_of_three();
}
