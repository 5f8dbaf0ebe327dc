/* SPDX-License-Identifier: MIT */
/* pipeline_cancel.c: a pipeline that is abandoned in the middle.
 *
 * main wants the first five squares of an endless pipeline. Leaving it at that would leave every
 * stage waiting for ever at its send. So each stage watches a context beside its channel, and one
 * cancellation takes the whole pipeline down, from wherever it stands.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void generate(go_ctx *ctx, send_chan(int) out)
{
    for (int i = 1;; i++) {
        switch (chan_select(send(sent, out, i), recv(quit, ctx_done(ctx)))) {
        case sent:
            break;
        case quit:
            chan_close(out);
            return;
        }
    }
}

static void square(go_ctx *ctx, recv_chan(int) in, send_chan(int) out)
{
    chan_for(v, in) {
        switch (chan_select(send(sent, out, v * v), recv(quit, ctx_done(ctx)))) {
        case sent:
            break;
        case quit:
            chan_close(out);
            return;
        }
    }
    chan_close(out);
}

int main(void)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(int) numbers = chan_make(int), squares = chan_make(int), fourth = chan_make(int);
    go_waitgroup stages = { 0 };
    wg_go(&stages, generate, ctx, numbers);
    wg_go(&stages, square, ctx, numbers, squares);
    wg_go(&stages, square, ctx, squares, fourth);

    for (int i = 0; i < 5; i++) {
        printf("%d\n", chan_recv(fourth));
    }
    ctx_cancel(ctx);
    wg_wait(&stages); /* returns: no stage is left behind */
    printf("all three stages have ended: %s\n", ctx_cause(ctx));

    ctx_free(ctx);
    chan_free(numbers);
    chan_free(squares);
    chan_free(fourth);
    return 0;
}
