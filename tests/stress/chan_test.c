/* SPDX-License-Identifier: MIT */
/* Channels under load: whatever the senders and receivers do and however they are interleaved, each
 * value arrives once, what one sender sends arrives in order, and everybody ends. */
#include "stress.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

enum { SENDERS_MAX = 6, RECEIVERS_MAX = 6, THREADS = 2 };

struct flow {
    chan(long) c;
    go_waitgroup senders, receivers;
    long each;                 /* values that one sender sends */
    int nsenders;
    unsigned char *seen;       /* one byte per value */
    long received;
};

static long value_of(int sender, long i) { return (long)sender << 32 | i; }

static void send_one(struct flow *f, struct stress_rand *r, long v)
{
    switch (stress_below(r, 4)) {
    case 0:
        while (!chan_try_send(f->c, v)) {
            go_yield();
        }
        break;
    case 1:
        for (;;) {
            int err = chan_send_until(f->c, v, go_now() + stress_below(r, 50) * GO_US);
            if (err == 0) {
                break;
            }
            REQUIRE_EQ_INT(err, -ETIMEDOUT);
        }
        break;
    default:
        chan_send(f->c, v);
        break;
    }
}

static void sender(struct flow *f, int id)
{
    struct stress_rand r = stress_rand(id);
    for (long i = 0; i < f->each; i++) {
        send_one(f, &r, value_of(id, i));
        stress_pause(&r);
    }
    wg_done(&f->senders);
}

/* False: closed and drained. */
static bool receive_one(struct flow *f, struct stress_rand *r, long *v)
{
    int err;
    switch (stress_below(r, 4)) {
    case 0:
        return chan_try_recv(f->c, v) || chan_recv_ok(f->c, v);
    case 1:
        do { /* ends: values come, or the close */
            err = chan_recv_until(f->c, v, go_now() + stress_below(r, 50) * GO_US);
        } while (err == -ETIMEDOUT);
        REQUIRE(err == 0 || err == -EPIPE);
        return err == 0;
    default:
        return chan_recv_ok(f->c, v);
    }
}

static void receiver(struct flow *f, int id)
{
    struct stress_rand r = stress_rand(100 + id);
    long last[SENDERS_MAX + THREADS];
    long v = 0;
    memset(last, -1, sizeof last);
    while (receive_one(f, &r, &v)) {
        long from = v >> 32;
        long i = v & 0xffffffff;
        REQUIRE(from >= 0 && from < f->nsenders && i < f->each);
        REQUIRE_INT(i, >, last[from]); /* in the order of its sender */
        last[from] = i;
        unsigned char *seen = &f->seen[from * f->each + i];
        REQUIRE_EQ_INT(__atomic_fetch_add(seen, 1, __ATOMIC_RELAXED), 0);
        stress_add(&f->received, 1);
        stress_pause(&r);
    }
    EXPECT_EQ_INT(v, 0);
    wg_done(&f->receivers);
}

struct thread_sender {
    struct flow *f;
    int id;
};
static void *thread_sends(void *arg)
{
    struct thread_sender *t = arg;
    sender(t->f, t->id);
    return NULL;
}

/* n goroutines and some plain threads send, others receive. */
static void run_flow(long capacity, int senders, int receivers, int threads, long each)
{
    struct flow f = {.c = chan_make(long, (size_t)capacity), .each = each};
    pthread_t thread[THREADS];
    struct thread_sender arg[THREADS];
    f.nsenders = senders + threads;
    f.seen = calloc((size_t)f.nsenders, (size_t)each);
    REQUIRE(f.seen != NULL);
    wg_add(&f.senders, f.nsenders);
    wg_add(&f.receivers, receivers);
    for (int i = 0; i < senders; i++) {
        go(sender, &f, i);
    }
    for (int i = 0; i < receivers; i++) {
        go(receiver, &f, i);
    }
    for (int i = 0; i < threads; i++) {
        arg[i] = (struct thread_sender){&f, senders + i};
        REQUIRE_EQ_INT(pthread_create(&thread[i], NULL, thread_sends, &arg[i]), 0);
    }
    wg_wait(&f.senders);
    chan_close(f.c);
    wg_wait(&f.receivers);
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
    }
    EXPECT_EQ_INT(f.received, f.nsenders * each);
    EXPECT_EQ_UINT(chan_len(f.c), 0);
    stress_alone();
    chan_free(f.c);
    free(f.seen);
}

TEST_SEEDS(chan, every_value_arrives_once_and_in_its_senders_order, STRESS_SEEDS)
{
    static const long capacities[] = {0, 1, 2, 7, 64};
    struct stress_rand r = stress_rand(-1);
    for (size_t i = 0; i < sizeof capacities / sizeof capacities[0]; i++) {
        int senders = (int)stress_between(&r, 1, SENDERS_MAX);
        int receivers = (int)stress_between(&r, 1, RECEIVERS_MAX);
        run_flow(capacities[i], senders, receivers, 0, test_iterations(2000));
    }
}

TEST_SEEDS(chan, plain_threads_send_as_goroutines_do, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    run_flow(stress_below(&r, 3), 2, 3, THREADS, test_iterations(2000));
}

static void pass_on(chan(long) from, chan(long) to, long *hops)
{
    long v = 0;
    while (chan_recv_ok(from, &v)) {
        stress_add(hops, 1);
        if (v == 0) {
            break;
        }
        chan_send(to, v - 1);
    }
    chan_close(to);
}

/* A token runs round and round; where it ends, the ring is taken down in both directions. */
TEST_SEEDS(chan, a_token_in_a_ring_makes_every_hop, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    long n = stress_between(&r, 2, 200);
    long length = n * stress_between(&r, 1, 40) + stress_below(&r, n);
    chan(long) *ring = calloc((size_t)n + 1, sizeof *ring);
    long hops = 0;
    REQUIRE(ring != NULL);
    for (long i = 0; i <= n; i++) {
        ring[i] = chan_make(long, stress_below(&r, 2));
    }
    for (long i = 0; i < n; i++) {
        go(pass_on, ring[i], ring[i + 1], &hops);
    }
    for (long left = length;;) { /* ends: the last is closed when the token has stopped */
        long back = 0;
        chan_send(ring[0], left);
        if (!chan_recv_ok(ring[n], &back)) {
            break;
        }
        left = back;
    }
    chan_close(ring[0]); /* for those before the last hop */
    stress_alone();
    EXPECT_EQ_INT(hops, length + 1);
    for (long i = 0; i <= n; i++) {
        chan_free(ring[i]);
    }
    free(ring);
}

static void take_one(chan(int) c, long *values, long *closes)
{
    int v = 0;
    if (chan_recv_ok(c, &v)) {
        stress_add(values, v);
    } else {
        stress_add(closes, 1);
    }
}

/* A close that meets receivers on their way into the queue: each gets a value or the close. */
TEST_SEEDS(chan, close_is_seen_by_all_who_got_nothing, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    for (long round = test_iterations(300); round > 0; round--) {
        chan(int) c = chan_make(int, stress_below(&r, 3));
        long n = stress_between(&r, 1, 40);
        long sent = stress_below(&r, n + 1);
        long values = 0;
        long closes = 0;
        for (long i = 0; i < n; i++) {
            go(take_one, c, &values, &closes);
        }
        for (long i = 0; i < sent; i++) {
            chan_send(c, 1);
        }
        stress_pause(&r);
        chan_close(c);
        stress_alone();
        REQUIRE_EQ_INT(values, sent);
        REQUIRE_EQ_INT(closes, n - sent);
        chan_free(c);
    }
}

static void send_long(chan(long) c) { chan_send(c, 1); }
static void send_and_catch(chan(long) c, long *delivered, long *caught)
{
    go_panic_info why;
    bool ok = go_try(&why, send_long, c);
    stress_add(ok ? delivered : caught, 1);
}

/* A close that meets senders: each has sent, or panics; and what was sent was received. */
TEST_SEEDS(chan, close_leaves_no_sender_behind, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    for (long round = test_iterations(100); round > 0; round--) {
        chan(long) c = chan_make(long, stress_below(&r, 4));
        long n = stress_between(&r, 1, 20);
        long taken = stress_below(&r, n + 1);
        long delivered = 0;
        long caught = 0;
        long sum = 0;
        for (long i = 0; i < n; i++) {
            go(send_and_catch, c, &delivered, &caught);
        }
        for (long i = 0; i < taken; i++) {
            sum += chan_recv(c);
        }
        stress_pause(&r);
        chan_close(c);
        chan_for(v, c) { sum += v; }
        stress_alone();
        REQUIRE_EQ_INT(delivered + caught, n);
        REQUIRE_EQ_INT(sum, delivered);
        chan_free(c);
    }
}
