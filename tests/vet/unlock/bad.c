/* SPDX-License-Identifier: MIT */
/* Returns that leave a mutex locked. */
#include <gort/short.h>
#include <stdlib.h>

struct store {
    go_mutex mu;
    go_rwmutex rw;
    int n;
    struct store *next;
};
static go_mutex global;

static int early_return(struct store *s)
{
    mutex_lock(&s->mu); // want "s->mu is locked here and still locked at the return in line 18"
    if (s->n < 0) {
        return -1;
    }
    s->n++;
    mutex_unlock(&s->mu);
    return 0;
}

static void never(struct store *s)
{
    mutex_lock(&s->mu); // want "still locked at the end of the function"
    s->n++;
}

static int with_goto(struct store *s, int n)
{
    int err = 0;
    go_mutex_lock(&global); // want "global is locked here and still locked at the return"
    if (n < 0) {
        err = -1;
        goto out;
    }
    s->n = n;
    go_mutex_unlock(&global);
out:
    return err;
}

static int in_a_loop(struct store *s)
{
    for (; s != NULL; s = s->next) {
        int n;
        rwmutex_rlock(&s->rw); // want "s->rw (read) is locked"
        n = s->n;
        if (n == 0) {
            continue;
        }
        if (n == 7) {
            return n;
        }
        rwmutex_runlock(&s->rw);
    }
    return 0;
}

static int reader_and_writer(struct store *s)
{
    rwmutex_rlock(&s->rw); // want "s->rw (read)"
    int n = s->n;
    if (n > 5) {
        rwmutex_unlock(&s->rw);
        return n;
    }
    rwmutex_runlock(&s->rw);
    return 0;
}

static bool tried(struct store *s)
{
    if (!mutex_trylock(&s->mu)) { // want "s->mu is locked here"
        return false;
    }
    if (s->n == 0) {
        return false;
    }
    mutex_unlock(&s->mu);
    return true;
}

static int limited(go_ctx *ctx, struct store *s)
{
    int err = mutex_lock_ctx(ctx, &s->mu); // want "s->mu is locked here"
    if (err != 0) {
        return err;
    }
    if (s->n > 3) {
        return 1;
    }
    mutex_unlock(&s->mu);
    return 0;
}

static void in_a_switch(struct store *s)
{
    mutex_lock(&s->mu); // want "s->mu is locked here"
    switch (s->n) {
    case 0:
        mutex_unlock(&s->mu);
        break;
    case 1:
        return;
    default:
        mutex_unlock(&s->mu);
    }
}

int main(void)
{
    static struct store s;
    never(&s);
    in_a_switch(&s);
    go_do() {
        mutex_lock(&global); // want "global is locked here"
        if (s.n == 0) {
            return;
        }
        mutex_unlock(&global);
    };
    return early_return(&s) + with_goto(&s, 2) + in_a_loop(&s) + reader_and_writer(&s) + tried(&s) +
           limited(NULL, &s);
}
