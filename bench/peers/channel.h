/* SPDX-License-Identifier: MIT */
/* channel.h: a channel of longs for a library that has none, from that library's own mutex and
 * condition variable. The includer defines lock_t, cond_t and mc_lock, mc_unlock, mc_wait,
 * mc_signal, mc_broadcast. Capacity 0 is a rendezvous. */
#ifndef GORT_BENCH_CHANNEL_H
#define GORT_BENCH_CHANNEL_H

#include <stdbool.h>
#include <stdlib.h>

struct channel {
    lock_t mu;
    cond_t not_empty;
    cond_t not_full;
    cond_t taken;
    long *ring;
    long size;     /* slots; 1 for a rendezvous */
    long count;
    long head;
    long sent;     /* values put in so far */
    long received; /* values taken out so far */
    bool rendezvous;
    bool closed;
};

static void channel_open(struct channel *c, long capacity)
{
    c->rendezvous = capacity == 0;
    c->size = capacity ? capacity : 1;
    c->ring = calloc((size_t)c->size, sizeof(*c->ring));
    c->count = c->head = c->sent = c->received = 0;
    c->closed = false;
    mc_init(c);
}

static void channel_send(struct channel *c, long v)
{
    mc_lock(c);
    while (c->count == c->size) {
        mc_wait(&c->not_full, c);
    }
    c->ring[(c->head + c->count) % c->size] = v;
    c->count++;
    long mine = ++c->sent;
    mc_signal(&c->not_empty);
    while (c->rendezvous && c->received < mine) {
        mc_wait(&c->taken, c);
    }
    mc_unlock(c);
}

static bool channel_recv(struct channel *c, long *v)
{
    mc_lock(c);
    while (c->count == 0 && !c->closed) {
        mc_wait(&c->not_empty, c);
    }
    bool ok = c->count > 0;
    if (ok) {
        *v = c->ring[c->head];
        c->head = (c->head + 1) % c->size;
        c->count--;
        c->received++;
        mc_signal(&c->not_full);
        if (c->rendezvous) {
            mc_broadcast(&c->taken);
        }
    }
    mc_unlock(c);
    return ok;
}

static void channel_close(struct channel *c)
{
    mc_lock(c);
    c->closed = true;
    mc_broadcast(&c->not_empty);
    mc_unlock(c);
}

#endif
