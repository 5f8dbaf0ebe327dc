/* SPDX-License-Identifier: MIT */
/* Goroutines that are counted by who starts them. */
#include <gort/short.h>

static void work(go_waitgroup *wg)
{
    wg_done(wg);
}

/* It is counted while it adds for its children. */
static void tree(go_waitgroup *wg, int depth)
{
    defer(wg_done, wg);
    if (depth > 0) {
        wg_add(wg, 2);
        go(tree, wg, depth - 1);
        go(tree, wg, depth - 1);
    }
}

static void start(go_waitgroup *wg) { go(work, wg); }

static void by_a_helper(go_waitgroup *wg)
{
    wg_add(wg, 1);
    start(wg);
    wg_done(wg);
}

/* A group of its own. */
static void inner(void)
{
    go_waitgroup own = {0};
    wg_add(&own, 1);
    go_waitgroup *p = &own;
    go_do(p) { wg_done(p); };
    wg_wait(&own);
}

/* Counts something else, again and again, while its starter holds the group open. */
static void measured(go_waitgroup *wg)
{
    for (int i = 0; i < 9; i++) {
        wg_add(wg, 1);
        wg_done(wg);
    }
}

/* Called, not started. */
static void plain(go_waitgroup *wg)
{
    wg_add(wg, 1);
    wg_done(wg);
}

int main(void)
{
    go_waitgroup wg = {0}, *p = &wg;
    wg_add(&wg, 3);
    go(work, &wg);
    go(tree, &wg, 3);
    go(by_a_helper, &wg);
    go_do(p) {
        wg_add(p, 1);
        go(work, p);
    };
    wg_go(&wg, inner);
    go(measured, &wg);
    plain(&wg);
    wg_wait(&wg);
}
