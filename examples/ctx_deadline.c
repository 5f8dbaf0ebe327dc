/* SPDX-License-Identifier: MIT */
/* ctx_deadline.c: work that has until a given time, and no longer.
 *
 * A context with a timeout ends by itself. A child cannot outlive its parent: the earlier deadline
 * counts, whichever was asked for. Values travel down the same tree, with keys that know their
 * type.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static const go_ctx_key(int) request_id = 0;

/* Does what takes so long, or as much of it as the context allows. */
static int work(go_ctx *ctx, go_duration takes)
{
    switch (chan_select(recv(quit, ctx_done(ctx)), after(done, takes))) {
    case quit:
        return ctx_err(ctx);
    case done:
        return 0;
    }
    return 0;
}

static void show(go_ctx *ctx, const char *what, int err)
{
    const int *id = ctx_value(ctx, request_id);
    const char *why = ctx_cause(ctx);
    printf("request %d: %s: %s\n", id != NULL ? *id : 0, what, err == 0 ? "done" : why);
}

int main(void)
{
    go_ctx *request = ctx_with_value(ctx_background(), request_id, 7);

    go_ctx *hour = ctx_with_timeout(request, GO_HOUR);
    show(hour, "quick work, an hour of time", work(hour, GO_MS));
    ctx_free(hour);

    go_ctx *tight = ctx_with_timeout(request, 20 * GO_MS);
    int err = work(tight, GO_HOUR);
    show(tight, "an hour of work, 20 ms of time", err);
    printf("the error is ETIMEDOUT: %s\n", err == -ETIMEDOUT ? "true" : "false");
    ctx_free(tight);

    /* The child asks for a minute, but the parent has 20 ms. */
    go_time deadline = go_now() + 20 * GO_MS, effective = 0;
    go_ctx *parent = ctx_with_deadline(request, deadline);
    go_ctx *child = ctx_with_timeout(parent, GO_MIN);
    bool has = ctx_deadline(child, &effective);
    printf("the child has the deadline of its parent: %s\n",
           has && effective == deadline ? "true" : "false");
    show(child, "child", work(child, GO_HOUR));
    ctx_free(child);
    ctx_free(parent);

    /* A reason may be given with the cancellation. */
    go_ctx *stopped = ctx_with_cancel(request);
    ctx_cancel_cause(stopped, -EINTR, "the user pressed stop");
    show(stopped, "stopped", work(stopped, GO_HOUR));
    ctx_free(stopped);

    ctx_free(request);
    return 0;
}
