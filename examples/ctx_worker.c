/* SPDX-License-Identifier: MIT */
/* ctx_worker.c: telling a worker to stop.
 *
 * The worker does one piece of work at a time and looks at its context in between: a select with a
 * default case asks without waiting. Cancelling the context is all the caller does; the worker ends
 * at the next look, and says why.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

struct report {
    int pieces;
    char why[64];
};

static void worker(go_ctx *ctx, send_chan(bool) progress, send_chan(struct report) out)
{
    struct report r = { 0, "" };
    for (;;) {
        switch (chan_select(recv(quit, ctx_done(ctx)), default)) {
        case quit:
            snprintf(r.why, sizeof r.why, "%s", ctx_cause(ctx));
            chan_send(out, r);
            return;
        default:
            r.pieces++; /* one piece of work */
            chan_try_send(progress, true);
            go_yield();
            break;
        }
    }
}

int main(void)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(bool) progress = chan_make(bool);
    chan(struct report) out = chan_make(struct report);
    go(worker, ctx, progress, out);

    for (int i = 0; i < 3; i++) {
        chan_recv(progress);
    }
    printf("the worker is at work: %s\n", ctx_err(ctx) == 0 ? "true" : "false");
    ctx_cancel(ctx);
    struct report r = chan_recv(out);
    printf("did three pieces or more: %s\n", r.pieces >= 3 ? "true" : "false");
    printf("stopped: %s\n", r.why);
    printf("the error is ECANCELED: %s\n", ctx_err(ctx) == -ECANCELED ? "true" : "false");

    ctx_free(ctx);
    chan_free(progress);
    chan_free(out);
    return 0;
}
