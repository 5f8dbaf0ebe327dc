/* SPDX-License-Identifier: MIT */
/* Senders that come to an end. */
#include <gort/short.h>

static void answer(chan(int) c, int n)
{
    chan_send(c, n);
}

static void polite(go_ctx *ctx, chan(int) c)
{
    chan_send_ctx(ctx, c, 1);
}

static void selects(chan(int) c, chan(int) quit)
{
    switch (chan_select(send(sent, c, 1), recv(end, quit))) {
    case sent:
    case end:
        break;
    }
}

static void takes(chan(int) c) { chan_recv(c); }

static int with_room(void)
{
    int v = 0;
    chan(int) c = chan_make(int, 1);
    go(answer, c, 1);
    switch (chan_select(recv(got, c, &v), after(late, GO_SEC))) {
    case got:
        return v;
    case late:
        return -1;
    }
    return 0;
}

static int always(int n)
{
    chan(int) c = chan_make(int);
    go(answer, c, 1);
    int v = chan_recv(c);
    if (n == 0) {
        return -1;
    }
    return v;
}

static int all_of_them(int n)
{
    int sum = 0;
    chan(int) c = chan_make(int);
    for (int i = 0; i < n; i++) {
        go(answer, c, i);
    }
    for (int i = 0; i < n; i++) {
        sum += chan_recv(c);
    }
    return sum;
}

static int until_closed(void)
{
    int sum = 0;
    chan(int) c = chan_make(int);
    go_do(c) {
        chan_send(c, 1);
        chan_close(c);
    };
    chan_for(v, c) {
        sum += v;
    }
    return sum;
}

static int both_cases(go_ctx *ctx)
{
    int v = 0;
    chan(int) c = chan_make(int);
    go(answer, c, 1);
    switch (chan_select(recv(got, c, &v), recv(end, ctx_done(ctx)))) {
    case got:
        break;
    case end:
        v = chan_recv(c);
        break;
    }
    return v;
}

static int until(void)
{
    int v;
    chan(int) c = chan_make(int);
    go(answer, c, 1);
    if (chan_recv_until(c, &v, go_now() + GO_SEC) != 0) {
        v = chan_recv(c);
    }
    return v;
}

static void leaves_early(go_ctx *ctx)
{
    chan(int) c = chan_make(int), quit = chan_make(int);
    go(polite, ctx, c);
    go(selects, c, quit);
    chan_close(quit);
}

/* Only the last of them sends. */
static void relay(int left, chan(int) c)
{
    if (left == 0) {
        chan_send(c, left);
    }
}

static int one_of_many(void)
{
    chan(int) c = chan_make(int);
    for (int i = 0; i < 3; i++) {
        go(relay, i, c);
    }
    return chan_recv(c);
}

static int counted(void)
{
    chan(int) c = chan_make(int);
    for (int i = 0; i < 2; i++) {
        go(answer, c, i);
    }
    return chan_recv(c) + chan_recv(c);
}

static int without_a_limit(void)
{
    int v = 0;
    chan(int) c = chan_make(int);
    go(answer, c, 1);
    int err = chan_recv_until(c, &v, GO_FOREVER);
    return err == 0 ? v : 0;
}

static void stopped(void)
{
    chan(int) c = chan_make(int);
    go_timer *t = go_after_func(GO_HOUR, answer, c, 1);
    timer_free(t);
    chan_free(c);
}

/* Somebody else receives. */
static void pairs(void)
{
    chan(int) c = chan_make(int);
    go(answer, c, 1);
    go(takes, c);
}

static chan(int) returned(void)
{
    chan(int) c = chan_make(int);
    go(answer, c, 1);
    return c;
}

/* The process ends with main. */
int main(void)
{
    chan(int) c = chan_make(int);
    go(answer, c, 1);
    leaves_early(ctx_background());
    pairs();
    stopped();
    return with_room() + always(1) + all_of_them(3) + until_closed() +
           both_cases(ctx_background()) + until() + one_of_many() + counted() + without_a_limit() +
           chan_recv(returned());
}
