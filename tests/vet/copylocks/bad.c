/* SPDX-License-Identifier: MIT */
/* Each line with a want copies a lock. */
#include <gort/short.h>
#include <pthread.h>
#include <string.h>

struct counter {
    go_mutex mu;
    int n;
};
struct pair {
    struct counter both[2];
};
union either {
    go_rwmutex lock;
    int n;
};

static void by_value(struct counter c) // want "by_value takes a lock by"
{
    (void)c.n;
}

static struct counter *global;
static struct counter result(void)
{
    return *global; // want "return copies a lock by value"
}

static struct counter used(void)
{
    struct counter c = {0};
    with_lock(&c.mu) {
        c.n++;
    }
    return c; // want "return copies a lock by value"
}

static void variadic(int n, ...)
{
    (void)n;
}

static void assignments(struct pair *p, go_waitgroup *wg, go_once once[2])
{
    struct counter a = p->both[0]; // want "initialisation of a copies"
    struct counter b;
    b = a;                         // want "assignment copies"
    b = *&a;                       // want "assignment copies"
    p->both[1] = b;                // want "assignment copies"
    go_waitgroup w = *wg;          // want "a lock by value: go_waitgroup [copylocks]"
    struct pair q = {.both[1] = b}; // want "initialiser copies"
    struct pair r = *(&q + 1);     // want "struct pair contains go_mutex"
    go_once o = once[1];           // want "go_once"
    union either e, f = {0};
    e = f;                         // want "union either contains go_rwmutex"
    struct counter c = r.both[0].n ? a : b; // want "initialisation of c"
    (void)w, (void)o, (void)e, (void)c;
}

static void calls(struct counter *c, pthread_mutex_t m, // want "pthread_mutex_t"
                  go_group g)                           // want "go_group"
{
    struct counter d = {0};
    by_value(*c);          // want "call of by_value copies"
    go(by_value, d);       // want "call of by_value copies"
    defer(by_value, *c);   // want "call of by_value copies"
    variadic(1, d);        // want "call of variadic copies"
    go_do(d) { (void)d; }; // want "go_do captures and copies"
    memcpy(&d, c, sizeof d); // want "memcpy copies a lock: struct counter contains go_mutex"
    pthread_mutex_t n = m; // want "initialisation of n"
    (void)n, (void)g;
}

int main(void)
{
    struct pair p = {0};
    calls(&p.both[0], (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER, (go_group){0});
    assignments(&p, &(go_waitgroup){0}, (go_once[2]){0});
    struct counter c = used(), d = result();
    return c.n + d.n;
}
