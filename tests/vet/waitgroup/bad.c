/* SPDX-License-Identifier: MIT */
/* Goroutines that count themselves. */
#include <gort/short.h>

static void work(int n) { (void)n; }

static void counts_itself(go_waitgroup *wg, int n)
{
    wg_add(wg, 1); // want "wg_add in the goroutine that it counts: the wait"
    work(n);
    wg_done(wg);
}

struct crew {
    go_waitgroup wg;
    go_mutex mu;
    int here;
};

static void late(struct crew *c)
{
    defer(wg_done, &c->wg);
    with_lock(&c->mu) {
        c->here++;
    }
    go_wg_add(&c->wg, 1); // want "wg_add in the goroutine"
}

static go_waitgroup global;

int main(void)
{
    go_waitgroup wg = {0}, *p = &wg;
    static struct crew crew;
    for (int i = 0; i < 3; i++) {
        go(counts_itself, &wg, i);
    }
    go_do(p) {
        wg_add(p, 1); // want "wg_add in the goroutine"
        defer(wg_done, p);
        work(1);
    };
    go_do() {
        wg_add(&global, 1); // want "wg_add in the goroutine"
        work(2);
        wg_done(&global);
    };
    go_with(GO_OPTS(.name = "late"), late, &crew);
    wg_wait(&wg);
    wg_wait(&global);
    wg_wait(&crew.wg);
}
