/* SPDX-License-Identifier: MIT */
/* Select under load: one case happens and no other, whoever else wants the same channels; time
 * limits and values race without losing any; every ready case has its turn. */
#include "stress.h"
#include <stdio.h>

enum { CHANNELS = 4, WORKERS = 8 };

struct market {
    chan(long) c[CHANNELS];
    chan(char) closing;
    go_waitgroup wg;
    long offers_left;                  /* values yet to be sent */
    long sent, sent_sum, received, received_sum;
};

/* Takes one of what is left to send; 0: nothing is. */
static long next_offer(struct market *m)
{
    long n = __atomic_fetch_sub(&m->offers_left, 1, __ATOMIC_RELAXED);
    return n > 0 ? n : 0;
}

/* Offers a value on one channel while taking from two others, which may be the same; tries others
 * after a while, since it may be that nobody has drawn a channel that somebody else has drawn. */
static void trader(struct market *m, int id)
{
    struct stress_rand r = stress_rand(id);
    long offer = next_offer(m);
    for (;;) { /* ends when all is sent and the market closes */
        chan(long) out = offer != 0 ? m->c[stress_below(&r, CHANNELS)] : NULL;
        chan(long) a = m->c[stress_below(&r, CHANNELS)];
        chan(long) b = m->c[stress_below(&r, CHANNELS)];
        long v = 0;
        switch (chan_select(send(sold, out, offer), recv(from_a, a, &v), recv(from_b, b, &v),
                            recv(over, m->closing), after(stale, 200 * GO_US))) {
        case sold:
            stress_add(&m->sent, 1);
            stress_add(&m->sent_sum, offer);
            offer = next_offer(m);
            break;
        case from_a:
        case from_b:
            REQUIRE(v != 0);
            stress_add(&m->received_sum, v);
            stress_add(&m->received, 1);
            break;
        case stale:
            break;
        case over:
            EXPECT_EQ_INT(offer, 0);
            wg_done(&m->wg);
            return;
        }
        stress_pause(&r);
    }
}

static void run_market(long capacity, long values)
{
    struct market m = {.offers_left = values, .closing = chan_make(char)};
    long buffered = 0;
    for (int i = 0; i < CHANNELS; i++) {
        m.c[i] = chan_make(long, (size_t)capacity);
    }
    wg_add(&m.wg, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        go(trader, &m, i);
    }
    while (stress_get(&m.sent) < values) {
        go_sleep(100 * GO_US); /* lets them work; what ends the loop is their count */
    }
    chan_close(m.closing);
    wg_wait(&m.wg);
    for (int i = 0; i < CHANNELS; i++) {
        long v = 0;
        while (chan_try_recv(m.c[i], &v)) {
            m.received_sum += v;
            buffered++;
        }
    }
    EXPECT_EQ_INT(m.sent, values);
    EXPECT_EQ_INT(m.received + buffered, values);
    EXPECT_EQ_INT(m.sent_sum, values * (values + 1) / 2);
    EXPECT_EQ_INT(m.received_sum, m.sent_sum);
    stress_alone();
    for (int i = 0; i < CHANNELS; i++) {
        chan_free(m.c[i]);
    }
    chan_free(m.closing);
}

TEST_SEEDS(select, what_is_sent_is_received_once, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    run_market(0, test_iterations(10000));
    run_market(stress_between(&r, 1, 8), test_iterations(10000));
}

struct race {
    chan(long) c;
    go_waitgroup wg;
    long sent, given_up, received, waited;
};

static void impatient_sender(struct race *t, int id, long rounds)
{
    struct stress_rand r = stress_rand(id);
    for (long i = 0; i < rounds; i++) {
        switch (chan_select(send(sent, t->c, 1), after(late, stress_below(&r, 60) * GO_US))) {
        case sent: stress_add(&t->sent, 1); break;
        case late: stress_add(&t->given_up, 1); break;
        }
    }
    wg_done(&t->wg);
}

static void impatient_receiver(struct race *t, int id, long rounds)
{
    struct stress_rand r = stress_rand(id);
    for (long i = 0; i < rounds; i++) {
        long v = 0;
        switch (chan_select(recv(got, t->c, &v), after(late, stress_below(&r, 60) * GO_US))) {
        case got: stress_add(&t->received, v); break;
        case late:
            EXPECT_EQ_INT(v, 0);
            stress_add(&t->waited, 1);
            break;
        }
    }
    wg_done(&t->wg);
}

/* The limit and the value come at the same time, on both sides. */
TEST_SEEDS(select, a_limit_takes_the_place_of_a_value_and_not_more, STRESS_SEEDS)
{
    enum { PAIRS = 4 };
    long rounds = test_iterations(1500);
    struct race t = {.c = chan_make(long)};
    wg_add(&t.wg, 2 * PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        go(impatient_sender, &t, 2 * i, rounds);
        go(impatient_receiver, &t, 2 * i + 1, rounds);
    }
    wg_wait(&t.wg);
    EXPECT_EQ_INT(t.sent, t.received);
    EXPECT_EQ_INT(t.sent + t.given_up, PAIRS * rounds);
    EXPECT_EQ_INT(t.received + t.waited, PAIRS * rounds);
    stress_alone();
    chan_free(t.c);
}

static void looks_in(chan(long) c, long rounds, long *got, go_waitgroup *wg)
{
    struct stress_rand r = stress_rand(rounds);
    for (long left = rounds; left > 0;) { /* ends: as many are sent as are wanted */
        long v = 0;
        switch (chan_select(recv(came, c, &v), default)) {
        case came:
            stress_add(got, v);
            left--;
            break;
        default:
            go_yield();
            break;
        }
        stress_pause(&r);
    }
    wg_done(wg);
}

static void hands_in(chan(long) c, long rounds, go_waitgroup *wg)
{
    for (long left = rounds; left > 0;) { /* ends: as many are wanted as are sent */
        switch (chan_select(send(went, c, 1), default)) {
        case went: left--; break;
        default: go_yield(); break;
        }
    }
    wg_done(wg);
}

/* Nobody waits, so values pass only through the buffer; with one that waits they pass by hand. */
TEST_SEEDS(select, looking_in_takes_what_is_there, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    chan(long) c = chan_make(long, stress_between(&r, 1, 4));
    go_waitgroup wg = {0};
    long got = 0;
    long rounds = test_iterations(2000);
    wg_add(&wg, 6);
    for (int i = 0; i < 3; i++) {
        go(looks_in, c, rounds, &got, &wg);
        go(hands_in, c, rounds, &wg);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(got, 3 * rounds);
    stress_alone();
    chan_free(c);
}

/* Of cases that are always ready each is chosen about equally often: the smallest share here is
 * met by chance once in 10^9 runs. */
TEST_SEEDS(select, each_ready_case_has_its_turn, STRESS_SEEDS)
{
    chan(char) c[4];
    long count[4] = {0};
    long n = 4000;
    for (int i = 0; i < 4; i++) {
        c[i] = chan_make(char);
        chan_close(c[i]);
    }
    for (long i = 0; i < n; i++) {
        switch (chan_select(recv(w, c[0]), recv(x, c[1]), recv(y, c[2]), recv(z, c[3]))) {
        case w: count[0]++; break;
        case x: count[1]++; break;
        case y: count[2]++; break;
        case z: count[3]++; break;
        }
    }
    for (int i = 0; i < 4; i++) {
        EXPECT_INT(count[i], >=, 830); /* 1000 on average, deviation 27 */
        chan_free(c[i]);
    }
}
