/* SPDX-License-Identifier: MIT */
/* rate_client.c: a client that keeps to the rate its server allows.
 *
 * The limiter is a bucket of tokens that fills at a steady rate. rate_allow takes a token if there
 * is one and never waits: for callers who would rather drop a request. rate_wait waits for a token,
 * or until the context ends: for callers who would rather be late.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static const char *yes(bool b)
{
    return b ? "true" : "false";
}

static void client(go_ctx *ctx, go_rate *limit, int requests, int *sent)
{
    for (int i = 0; i < requests; i++) {
        if (rate_wait(ctx, limit) != 0) {
            return;
        }
        ++*sent;
    }
}

int main(void)
{
    /* A token every thousand seconds, and three to begin with. */
    go_rate slow = { 0 };
    rate_set(&slow, 0.001, 3);
    for (int i = 1; i <= 4; i++) {
        printf("request %d allowed: %s\n", i, yes(rate_allow(&slow)));
    }

    /* Two clients share fifty requests a second: two go out at once, ten wait for their token. */
    go_rate shared = { 0 };
    rate_set(&shared, 50, 2);
    int sent[2] = { 0 };
    go_waitgroup wg = { 0 };
    go_time start = go_now();
    for (int i = 0; i < 2; i++) {
        wg_go(&wg, client, ctx_background(), &shared, 6, &sent[i]);
    }
    wg_wait(&wg);
    printf("sent %d requests\n", sent[0] + sent[1]);
    printf("that took 190 ms or more: %s\n", yes(go_since(start) >= 190 * GO_MS));

    /* Who cannot be served before the deadline is told at once. */
    go_ctx *ctx = ctx_with_timeout(ctx_background(), GO_SEC);
    start = go_now();
    printf("wait for the slow limiter fails: %s\n", yes(rate_wait(ctx, &slow) != 0));
    ctx_free(ctx);
    return 0;
}
