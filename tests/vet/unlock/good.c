/* SPDX-License-Identifier: MIT */
/* Every way out unlocks, or is meant to leave it locked. */
#include <gort/short.h>
#include <stdlib.h>

struct store {
    go_mutex mu;
    go_rwmutex rw;
    int n;
    struct store *next;
};
static go_mutex global, handed;

static int guarded(struct store *s)
{
    guard(&s->mu);
    if (s->n == 0) {
        return -1;
    }
    return s->n;
}

static int with_blocks(struct store *s)
{
    with_lock(&s->mu) {
        if (s->n == 0) {
            return -1;
        }
        if (s->n == 1) {
            break;
        }
        s->n++;
    }
    return 0;
}

static int deferred(struct store *s)
{
    mutex_lock(&s->mu);
    defer(mutex_unlock, &s->mu);
    if (s->n == 0) {
        return -1;
    }
    return s->n;
}

static int all_ways(struct store *s)
{
    mutex_lock(&s->mu);
    if (s->n == 0) {
        mutex_unlock(&s->mu);
        return 0;
    }
    int n = s->n;
    mutex_unlock(&s->mu);
    return n;
}

/* The condition is the same both times. */
static void conditional(struct store *s, bool shared, int mode)
{
    if (shared) {
        mutex_lock(&s->mu);
    }
    if (mode == 3) {
        rwmutex_lock(&s->rw);
    }
    s->n++;
    if (mode == 3) {
        rwmutex_unlock(&s->rw);
    }
    if (shared) {
        mutex_unlock(&s->mu);
    }
}

static void store_lock(struct store *s) { mutex_lock(&s->mu); }
static void store_unlock(struct store *s) { mutex_unlock(&s->mu); }

/* The caller holds it. */
static void pause_locked(struct store *s)
{
    mutex_unlock(&s->mu);
    go_yield();
    mutex_lock(&s->mu);
}

static int finish(struct store *s)
{
    int n = s->n;
    mutex_unlock(&s->mu);
    return n;
}

static int by_a_helper(struct store *s, int n)
{
    mutex_lock(&s->mu);
    if (n > 0) {
        return finish(s);
    }
    mutex_unlock(&s->mu);
    return 0;
}

static bool tried(struct store *s)
{
    if (mutex_trylock(&s->mu)) {
        s->n++;
        mutex_unlock(&s->mu);
        return true;
    }
    return false;
}

static int limited(go_ctx *ctx, struct store *s)
{
    int err = mutex_lock_ctx(ctx, &s->mu);
    if (err < 0) {
        return err;
    }
    mutex_unlock(&s->mu);
    bool got = rwmutex_tryrlock(&s->rw);
    s->n++;
    if (got) {
        rwmutex_runlock(&s->rw);
    }
    return 0;
}

static int hand_over_hand(struct store *s)
{
    mutex_lock(&s->mu);
    while (s->next != NULL) {
        struct store *next = s->next;
        mutex_lock(&next->mu);
        mutex_unlock(&s->mu);
        s = next;
    }
    int n = s->n;
    mutex_unlock(&s->mu);
    return n;
}

static void unlocks(go_mutex *m) { mutex_unlock(m); }

static void handed_over(void)
{
    mutex_lock(&handed);
    go(unlocks, &handed);
}

static void dies(struct store *s)
{
    mutex_lock(&s->mu);
    if (s->n < 0) {
        go_panic("negative");
    }
    if (s->n > 9) {
        abort();
    }
    mutex_unlock(&s->mu);
}

static void waits(struct store *s, go_cond *c)
{
    mutex_lock(&s->mu);
    while (s->n == 0) {
        cond_wait(c, &s->mu);
    }
    mutex_unlock(&s->mu);
}

static void goes_out(struct store *s)
{
    go_mutex_lock(&global);
    for (int i = 0; i < 3; i++) {
        if (s->n == i) {
            goto out;
        }
    }
    s->n = 0;
out:
    go_mutex_unlock(&global);
}

int main(void)
{
    static struct store s;
    static go_cond c;
    conditional(&s, true, 3);
    store_lock(&s);
    pause_locked(&s);
    store_unlock(&s);
    handed_over();
    dies(&s);
    waits(&s, &c);
    goes_out(&s);
    return guarded(&s) + with_blocks(&s) + deferred(&s) + all_ways(&s) + by_a_helper(&s, 1) +
           tried(&s) + limited(NULL, &s) + hand_over_hand(&s);
}
