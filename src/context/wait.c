/* SPDX-License-Identifier: MIT */
/* wait.c: sends and receives that end with a context: a select of two cases, but for a closed
 * channel, which is an answer, and for the context, which may be freed meanwhile (keep.h). */
#include "context/keep.h"
#include <errno.h>
#include <gort/context.h>
#include <gort/select.h>

static int wait_ctx(struct go_ctx *ctx, struct go_case what)
{
    enum { WHAT, END };
    bool ok = true;
    what.ok = &ok;
    what.id = WHAT;
    struct go_case cases[] = {what, {.op = GO_CASE_RECV, .id = END}};
    if (ctx == NULL) {
        (void)goi_select(cases, 1);
        return ok ? 0 : -EPIPE;
    }
    int r = go_ctx_err(ctx);
    if (r != 0) {
        return r;
    }
    cases[END].c = (struct go_chan *)(uintptr_t)go_ctx_done(ctx);
    goi_ctx_keep(ctx);
    r = goi_select(cases, 2) == WHAT ? (ok ? 0 : -EPIPE) : go_ctx_err(ctx);
    goi_ctx_unkeep(ctx);
    return r;
}

int goi_chan_send_ctx(struct go_ctx *ctx, struct go_chan *c, const void *v)
{
    return wait_ctx(ctx, (struct go_case){.op = GO_CASE_SEND, .c = c,
                                          .value = (void *)(uintptr_t)v});
}

int goi_chan_recv_ctx(struct go_ctx *ctx, struct go_chan *c, void *v)
{
    return wait_ctx(ctx, (struct go_case){.op = GO_CASE_RECV, .c = c, .value = v});
}
