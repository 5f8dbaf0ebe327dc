/* SPDX-License-Identifier: MIT */
/* first_reply.c: ask several, take the first reply, dismiss the rest.
 *
 * The same question goes to every replica. The channel has room for all replies, so that nobody is
 * stuck with one that is no longer wanted, and the context tells the slow ones that the race is
 * over: none of them lives on.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

enum { REPLICAS = 4 };

static const struct replica {
    const char *name;
    go_duration takes;
} replicas[REPLICAS] = {
    { "oslo", GO_HOUR }, { "lyon", GO_HOUR }, { "graz", 5 * GO_MS }, { "bonn", GO_HOUR },
};

static void ask(go_ctx *ctx, const struct replica *r, send_chan(const char *) out, int *dismissed)
{
    switch (chan_select(after(ready, r->takes), recv(quit, ctx_done(ctx)))) {
    case ready:
        chan_send(out, r->name);
        break;
    case quit:
        *dismissed = 1;
        break;
    }
}

int main(void)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(const char *) out = chan_make(const char *, REPLICAS);
    int dismissed[REPLICAS] = { 0 };
    go_waitgroup wg = { 0 };
    for (int i = 0; i < REPLICAS; i++) {
        wg_go(&wg, ask, ctx, &replicas[i], out, &dismissed[i]);
    }

    const char *winner = chan_recv(out);
    ctx_cancel(ctx);
    wg_wait(&wg);
    int count = 0;
    for (int i = 0; i < REPLICAS; i++) {
        count += dismissed[i];
    }
    printf("the first reply came from %s; %d others were dismissed\n", winner, count);

    ctx_free(ctx);
    chan_free(out);
    return 0;
}
