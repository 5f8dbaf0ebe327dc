/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static const go_ctx_key(int) user_id = 0;

static void work(go_ctx *ctx, chan(int) out)
{
    const int *id = ctx_value(ctx, user_id);
    for (int i = 0;; i++) {
        switch (chan_select(recv(end, ctx_done(ctx)), send(sent, out, *id + i))) {
        case end:
            chan_close(out);
            return;
        case sent:
            break;
        }
    }
}

int main(void)
{
    go_ctx *ctx = ctx_with_timeout(ctx_background(), GO_MIN);
    go_ctx *child = ctx_with_value(ctx, user_id, 40);
    chan(int) out = chan_make(int);
    go(work, child, out);
    chan_recv(out);
    chan_recv(out);
    printf("%d\n", chan_recv(out));
    ctx_cancel(ctx); /* ends the child too */
    while (chan_recv_ok(out, NULL)) {
    }
    printf("%s\n", ctx_cause(child));
    ctx_free(child);
    ctx_free(ctx);
    chan_free(out);
}
/* Output:
42
context canceled
*/
