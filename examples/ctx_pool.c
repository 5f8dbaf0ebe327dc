/* SPDX-License-Identifier: MIT */
/* ctx_pool.c: stopping a whole pool.
 *
 * Jobs never end, so no closing of channels tells the workers to go home: the context does. Both
 * ends of a worker, taking a job and handing in the result, are selects with the context beside
 * them; otherwise a worker would be stuck at the one that lacks it.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

enum { WORKERS = 4, WANTED = 10 };

static void produce(go_ctx *ctx, send_chan(int) jobs)
{
    for (int job = 1;; job++) {
        switch (chan_select(send(sent, jobs, job), recv(quit, ctx_done(ctx)))) {
        case sent:
            break;
        case quit:
            return;
        }
    }
}

static void worker(go_ctx *ctx, recv_chan(int) jobs, send_chan(int) results, int *why)
{
    int job;
    for (;;) {
        switch (chan_select(recv(got, jobs, &job), recv(quit, ctx_done(ctx)))) {
        case got:
            break;
        case quit:
            *why = ctx_err(ctx);
            return;
        }
        switch (chan_select(send(sent, results, job * job), recv(quit, ctx_done(ctx)))) {
        case sent:
            break;
        case quit:
            *why = ctx_err(ctx);
            return;
        }
    }
}

static bool is_square(int v)
{
    int root = 1;
    while (root * root < v) {
        root++;
    }
    return root * root == v;
}

int main(void)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(int) jobs = chan_make(int), results = chan_make(int);
    go_waitgroup wg = { 0 };
    int why[WORKERS] = { 0 };

    wg_go(&wg, produce, ctx, jobs);
    for (int w = 0; w < WORKERS; w++) {
        wg_go(&wg, worker, ctx, jobs, results, &why[w]);
    }

    int squares = 0;
    for (int i = 0; i < WANTED; i++) {
        squares += is_square(chan_recv(results));
    }
    ctx_cancel(ctx);
    wg_wait(&wg);

    int cancelled = 0;
    for (int w = 0; w < WORKERS; w++) {
        cancelled += why[w] == -ECANCELED;
    }
    printf("%d results, all squares: %s\n", WANTED, squares == WANTED ? "true" : "false");
    printf("%d of %d workers were cancelled\n", cancelled, WORKERS);

    ctx_free(ctx);
    chan_free(jobs);
    chan_free(results);
    return 0;
}
