/* SPDX-License-Identifier: MIT */
/* actors.c: concurrency puzzles and actor programs of the benchmark collections. */
#include "bench.h"

struct visit {
    int colour;
    send_chan(int) answer;
};

static void creature(send_chan(struct visit) place, int colour, atomic_long *met)
{
    chan(int) answer = chan_make(int);
    long meetings = 0;
    for (;;) {
        struct visit v = { colour, answer };
        chan_send(place, v);
        int other = chan_recv(answer);
        if (other < 0) {
            break;
        }
        colour = colour == other ? colour : 3 - colour - other;
        meetings++;
    }
    atomic_fetch_add(met, meetings);
    chan_free(answer);
}

/* Chameneos: creatures of three colours meet in pairs and change colour. One op: a meeting.
 * Parameter: creatures, 10. */
BENCH(chameneos)
{
    long creatures = bench_arg(b, 0, 10);
    chan(struct visit) place = chan_make(struct visit);
    atomic_long met = 0;
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < creatures; i++) {
        wg_go(&wg, creature, place, (int)(i % 3), &met);
    }
    for (long i = 0; i < b->n; i++) {
        struct visit one = chan_recv(place);
        struct visit two = chan_recv(place);
        chan_send(one.answer, two.colour);
        chan_send(two.answer, one.colour);
    }
    for (long i = 0; i < creatures; i++) {
        struct visit v = chan_recv(place);
        chan_send(v.answer, -1);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n);
    if (atomic_load(&met) != 2 * b->n) {
        bench_fail("chameneos: %ld meetings", atomic_load(&met) / 2);
    }
}

static void dine(chan(char) low, chan(char) high, long meals)
{
    for (long i = 0; i < meals; i++) {
        chan_recv(low);
        chan_recv(high);
        chan_send(high, 1);
        chan_send(low, 1);
    }
}

/* Dining philosophers with the forks in channels of capacity one. One op: a meal.
 * Parameter: philosophers, 5. */
BENCH(philosophers)
{
    enum { MAX = 1000 };
    long seats = bench_arg(b, 0, 5);
    if (seats < 2 || seats > MAX) {
        bench_fail("philosophers: 2 to %d", MAX);
    }
    chan(char) forks[MAX];
    for (long i = 0; i < seats; i++) {
        forks[i] = chan_make(char, 1);
        chan_send(forks[i], 1);
    }
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i + 1 < seats; i++) {
        wg_go(&wg, dine, forks[i], forks[i + 1], b->n / seats);
    }
    wg_go(&wg, dine, forks[0], forks[seats - 1], b->n / seats);
    wg_wait(&wg);
    bench_per_op(b, start, b->n / seats * seats);
}

struct letter {
    long from;
    bool pong;
};

struct post {
    long actors;
    long pings;
    chan(struct letter) *box;
    chan(char) done;
};

static void big_actor(struct post *post, long me)
{
    uint64_t seed = (uint64_t)me + 1;
    long left = post->pings;
    struct letter ping = { me, false };
    struct letter pong = { me, true };
    chan_send(post->box[bench_random(&seed) % (uint64_t)post->actors], ping);
    chan_for(l, post->box[me]) {
        if (!l.pong) {
            chan_send(post->box[l.from], pong);
        } else if (--left > 0) {
            chan_send(post->box[bench_random(&seed) % (uint64_t)post->actors], ping);
        } else {
            chan_send(post->done, 1);
        }
    }
}

/* Savina's big: many actors send each other pings at random and answer them. One op: a ping and
 * its answer. Parameter: actors, 120. */
BENCH(big)
{
    struct post post = { .actors = bench_arg(b, 0, 120) };
    post.pings = b->n / post.actors;
    post.box = bench_alloc((size_t)post.actors, sizeof(*post.box));
    post.done = chan_make(char);
    go_waitgroup wg = { 0 };
    for (long i = 0; i < post.actors; i++) {
        post.box[i] = chan_make(struct letter, (size_t)(2 * post.actors));
    }
    int64_t start = bench_now();
    for (long i = 0; i < post.actors; i++) {
        wg_go(&wg, big_actor, &post, i);
    }
    for (long i = 0; i < post.actors; i++) {
        chan_recv(post.done);
    }
    for (long i = 0; i < post.actors; i++) {
        chan_close(post.box[i]);
    }
    wg_wait(&wg);
    bench_per_op(b, start, post.pings * post.actors);
}

struct answer {
    long number;
};

struct question {
    send_chan(struct answer) from;
    long number;
};

static void pong_actor(recv_chan(struct question) box)
{
    chan_for(q, box) {
        struct answer a = { q.number };
        chan_send(q.from, a);
    }
}

/* Savina's pingpong: two actors, each with a mailbox; a message names the mailbox that is to get
 * the answer. One op: a ping and its answer. Parameter: what a mailbox holds, 16. */
BENCH(actor_pingpong)
{
    size_t capacity = (size_t)bench_arg(b, 0, 16);
    chan(struct question) pong = chan_make(struct question, capacity);
    chan(struct answer) ping = chan_make(struct answer, capacity);
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    wg_go(&wg, pong_actor, pong);
    for (long i = 0; i < b->n; i++) {
        struct question q = { ping, i };
        chan_send(pong, q);
        if (chan_recv(ping).number != i) {
            bench_fail("actor_pingpong: wrong answer");
        }
    }
    chan_close(pong);
    wg_wait(&wg);
    bench_per_op(b, start, b->n);
}
