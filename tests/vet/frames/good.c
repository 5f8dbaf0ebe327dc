/* SPDX-License-Identifier: MIT */
/* Goroutines whose starters stay, or that get what stays. */
#include <gort/short.h>
#include <stdlib.h>

struct job {
    int n;
    chan(int) done;
};
static void work(int *n) { (*n)++; }
static void value(int n) { (void)n; }
static void job(struct job *j)
{
    j->n++;
    chan_send(j->done, 1);
}

static void waits(void)
{
    go_waitgroup wg = {0};
    int n = 0, many[3] = {0};
    wg_go(&wg, work, &n);
    for (int i = 0; i < 3; i++) {
        wg_go(&wg, work, &many[i]);
    }
    wg_wait(&wg);
}

static void receives(void)
{
    struct job j = {.done = chan_make(int)};
    go(job, &j);
    chan_recv(j.done);
    chan_free(j.done);
}

static void receives_in_a_loop(int n)
{
    chan(int) done = chan_make(int);
    struct job j[4] = {{.done = done}, {.done = done}};
    for (int i = 0; i < n; i++) {
        go(job, &j[i]);
    }
    for (int i = 0; i < n; i++) {
        chan_recv(done);
    }
    chan_free(done);
}

static void deferred(int n)
{
    int sum = 0;
    go_waitgroup wg = {0};
    defer(wg_wait, &wg);
    wg_go(&wg, work, &sum);
    if (n > 3) {
        return;
    }
    go_yield();
}

static int group(void)
{
    go_group g = {0};
    int a = 0;
    go_group_go(&g, abs, a);
    wg_go(&g.wg, work, &a);
    return group_wait(&g);
}

static void static_and_heap(void)
{
    static int stays;
    go(work, &stays);
    int *heap = calloc(1, sizeof *heap);
    go(work, heap);
    struct job *j = malloc(sizeof *j);
    go(work, &j->n);
    for (int i = 0; i < 3; i++) {
        go(value, i);
        go_do(i) { value(i); };
    }
}

static void polls(void)
{
    int n = 0;
    go(work, &n);
    while (__atomic_load_n(&n, __ATOMIC_ACQUIRE) == 0) {
        go_yield();
    }
}

static void finish(struct job *j) { chan_recv(j->done); }

static void by_a_function(void)
{
    struct job j = {.done = chan_make(int)};
    go(job, &j);
    finish(&j);
}

void elsewhere(struct job *j);
static void by_another_file(void)
{
    struct job j = {.n = 1};
    go(job, &j);
    elsewhere(&j);
}

static void one_at_a_time(void)
{
    chan(int) done = chan_make(int);
    for (int i = 0; i < 3; i++) {
        struct job j = {i, done};
        go(job, &j);
        chan_recv(done);
    }
}

static void pointers(int *given)
{
    int n = 0, *p = &n, *q = given;
    go_waitgroup wg = {0}, *w = &wg;
    wg_add(&wg, 1);
    go_do(p, w) {
        work(p);
        wg_done(w);
    };
    go_do(q) { work(q); };
    wg_wait(&wg);
    p = given;
    go_do(p) { work(p); };
}

static void stays_for_ever(void)
{
    int n = 0;
    go(work, &n);
    go_exit();
}

static void stopped(void)
{
    int n = 0;
    go_timer *t = go_after_func(GO_SEC, work, &n);
    if (!timer_stop(t)) {
        go_panic("it ran");
    }
    timer_free(t);
}

int main(void)
{
    int local = 0;
    waits();
    receives();
    receives_in_a_loop(2);
    deferred(1);
    static_and_heap();
    polls();
    by_a_function();
    by_another_file();
    one_at_a_time();
    go(stays_for_ever);
    pointers(calloc(1, sizeof(int)));
    stopped();
    go(work, &local);
    return group();
}
