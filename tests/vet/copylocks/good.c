/* SPDX-License-Identifier: MIT */
/* Nothing here copies a lock. */
#include <gort/short.h>
#include <stdlib.h>
#include <string.h>

struct counter {
    go_mutex mu;
    int n;
};
struct holder {
    struct counter *counter;    /* a pointer is no lock */
    go_mutex *mu;
    chan(int) c;
};

/* A result is a new object, and so is what nobody has had the address of. */
static struct counter make(int n)
{
    struct counter c = {.n = n};
    c.n++;
    return c;
}

static struct counter literal(void) { return (struct counter){.n = 2}; }

static void by_pointer(struct counter *c)
{
    guard(&c->mu);
    c->n++;
}

static void copies_the_holder(struct holder h)
{
    struct holder other = h;
    h = other;
    by_pointer(h.counter);
}

int main(void)
{
    struct counter a = make(1), b = literal();
    a = make(3);
    b = (struct counter){0};
    struct counter *heap = malloc(sizeof *heap);
    *heap = (struct counter){.n = a.n + b.n};
    memset(&b, 0, sizeof b);
    struct counter *p = &a, *q = p;
    int n = q->n, m = (*p).n;
    size_t size = sizeof a + sizeof *p + sizeof(__typeof__(b));
    struct holder h = {.counter = p, .mu = &a.mu};
    go(by_pointer, heap);
    copies_the_holder(h);
    go_do(p, h) {
        by_pointer(p);
        (void)h;
    };
    go_group g = group_with(ctx_background());
    defer(free, heap);
    return group_wait(&g) + n + m + (int)size;
}
