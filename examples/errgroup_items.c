/* SPDX-License-Identifier: MIT */
/* errgroup_items.c: many items, a few at a time, and the first error ends it.
 *
 * group_go runs a function that returns an int; the first that is not zero is what group_wait
 * returns, and it cancels g.ctx so that the others can stop early. group_set_limit bounds how many
 * run at the same time: group_go waits for a place.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

enum { ITEMS = 12, LIMIT = 3 };

static struct {
    go_mutex mu;
    int running, most, total;
} state;

static int process(go_ctx *ctx, int item, int bad)
{
    with_lock(&state.mu) {
        state.running++;
        state.most = state.running > state.most ? state.running : state.most;
    }
    int err = ctx_err(ctx);
    if (err == 0 && item == bad) {
        err = -EINVAL;
    }
    if (err == 0) {
        go_sleep(GO_MS); /* the work */
    }
    with_lock(&state.mu) {
        state.running--;
        state.total += err == 0 ? item : 0;
    }
    return err;
}

static int process_all(int bad)
{
    state.total = 0;
    go_group g = group_with(ctx_background());
    group_set_limit(&g, LIMIT);
    for (int item = 1; item <= ITEMS; item++) {
        group_go(&g, process, g.ctx, item, bad);
    }
    return group_wait(&g);
}

static const char *text(int err)
{
    return err == 0 ? "no error" : err == -EINVAL ? "bad item" : "another error";
}

int main(void)
{
    int err = process_all(0);
    printf("all items good: %s, total %d\n", text(err), state.total);

    err = process_all(5);
    printf("item 5 bad: %s, everything processed: %s\n", text(err),
           state.total == ITEMS * (ITEMS + 1) / 2 ? "true" : "false");
    printf("never more than %d at a time: %s\n", LIMIT, state.most <= LIMIT ? "true" : "false");
    return 0;
}
