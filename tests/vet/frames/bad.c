/* SPDX-License-Identifier: MIT */
/* Goroutines that get the address of what ends or changes before them. */
#include <gort/short.h>

struct job {
    int n;
    char name[8];
};
static void work(int *n) { (*n)++; }
static void job(struct job *j) { j->n++; }
static void text(const char *s) { (void)s; }
static void other(void) {}

static void local(void)
{
    int n = 1;
    go(work, &n); // want "the address of n, whose block may end before it"
}

static void parts(void)
{
    struct job j = {0}, a[3] = {0};
    char s[8] = "text";
    go(work, &j.n);          // want "address of j"
    go(text, j.name);        // want "address of j"
    go(job, &a[1]);          // want "address of a"
    go(text, s);             // want "address of s"
    go(text, s + 2);         // want "address of s"
    go_do(s) { text(s); };   // want "address of s"
}

static void by_a_pointer(void)
{
    int n = 0, *p = &n;
    go_do(p) { work(p); }; // want "address of n, whose block may end"
}

static void parameter(struct job j)
{
    go(job, &j); // want "address of j, whose block may end"
}

static int early_return(int x)
{
    go_waitgroup wg = {0};
    int n = x;
    wg_go(&wg, work, &n); // want "address of n, whose block"
    if (x < 0) {
        return -1;
    }
    wg_wait(&wg);
    return n;
}

static void inner_block(chan(int) done)
{
    if (chan_len(done) == 0) {
        struct job j = {1};
        go(job, &j); // want "address of j"
    }
    chan_recv(done);
}

static void loop_variable(go_waitgroup *wg)
{
    for (int i = 0; i < 3; i++) {
        wg_go(wg, work, &i); // want "address of i, which the loop changes"
    }
    wg_wait(wg);
}

static void while_variable(void)
{
    int i = 0;
    go_waitgroup wg = {0};
    while (i < 3) {
        wg_go(&wg, work, &i); // want "[loopaddr]"
        i++;
    }
    wg_wait(&wg);
}

static void each_round(go_waitgroup *wg)
{
    for (int i = 0; i < 3; i++) {
        int copy = i;
        wg_go(wg, work, &copy); // want "address of copy, whose block may end"
    }
    wg_wait(wg);
}

static void sleeps(void)
{
    int n = 0;
    go(work, &n); // want "[deadframe]"
    go_sleep(GO_MS);
}

static void later(void)
{
    int n = 0;
    timer_free(go_after_func(GO_MS, other));
    go_timer *t = go_after_func(GO_SEC, work, &n); // want "address of n"
    (void)t;
}

int main(void)
{
    go_waitgroup wg = {0};
    local();
    by_a_pointer();
    parts();
    parameter((struct job){0});
    early_return(1);
    inner_block(chan_make(int));
    loop_variable(&wg);
    while_variable();
    each_round(&wg);
    sleeps();
    later();
    for (int i = 0; i < 3; i++) {
        go(work, &i); // want "address of i, which the loop changes"
    }
}
