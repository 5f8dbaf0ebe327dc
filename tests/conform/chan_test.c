/* SPDX-License-Identifier: MIT */
/* Channels: the table of Go's TestChan and the programs of its test/ directory, one by one. */
#include "conform.h"
#include <time.h>

static const int caps[] = {0, 1, 2, 3, 7, 20};
enum { CAPS = sizeof caps / sizeof caps[0] };

static void receive_one(chan(int) c, int *count)
{
    (void)chan_recv(c);
    add(count, 1);
}
static void receive_ok(chan(int) c, int *count)
{
    int v;
    (void)chan_recv_ok(c, &v);
    add(count, 1);
}
static void send_one(chan(int) c, int v, int *count)
{
    chan_send(c, v);
    add(count, 1);
}
static void send_to(chan(int) c, int v) { chan_send(c, v); }
static void send_range(chan(int) c, int n)
{
    for (int i = 0; i < n; i++) {
        chan_send(c, i);
    }
}
static void send_all(chan(int) c, int n)
{
    send_range(c, n);
    chan_close(c);
}
static void close_it(chan(int) c) { chan_close(c); }
static void close_send_only(send_chan(int) c) { chan_close(c); }
static chan(int) filled(int cap)
{
    chan(int) c = chan_make(int, cap);
    send_range(c, cap);
    return c;
}

/* ---- runtime/chan_test.go ---- */

CASE(chan, receive_from_empty_blocks, "runtime/chan_test.go TestChan")
{
    for (int i = 0; i < CAPS; i++) {
        chan(int) c = chan_make(int, caps[i]);
        int received = 0;
        go(receive_one, c, &received);
        go(receive_ok, c, &received);
        await_parked(2, "chan receive");
        EXPECT_EQ_INT(get(&received), 0);
        chan_send(c, 0);
        chan_send(c, 0);
        await_count(1);
        EXPECT_EQ_INT(get(&received), 2);
        chan_free(c);
    }
}

CASE(chan, try_receive_from_empty_does_not_block, "runtime/chan_test.go TestChan")
{
    for (int i = 0; i < CAPS; i++) {
        chan(int) c = chan_make(int, caps[i]);
        int v = 7;
        EXPECT(!chan_try_recv(c, &v));
        EXPECT_EQ_INT(v, 7);
        switch (chan_select(recv(got, c), default)) {
        case got: FAIL("received from an empty channel"); break;
        default: break;
        }
        chan_free(c);
    }
}

CASE(chan, try_receive_with_parked_receivers_ahead, "runtime/chan_test.go TestChan")
{
    for (int i = 0; i < CAPS; i++) {
        chan(int) c = chan_make(int, caps[i]);
        int received = 0;
        int v;
        go(receive_one, c, &received);
        await_parked(1, "chan receive");
        EXPECT(!chan_try_recv(c, &v));
        chan_send(c, 1);
        await_count(1);
        chan_free(c);
    }
}

CASE(chan, send_to_full_blocks, "runtime/chan_test.go TestChan")
{
    for (int i = 0; i < CAPS; i++) {
        chan(int) c = filled(caps[i]);
        int sent = 0;
        go(send_one, c, 0, &sent);
        await_parked(1, "chan send");
        EXPECT_EQ_INT(get(&sent), 0);
        (void)chan_recv(c);
        await_count(1);
        EXPECT_EQ_INT(get(&sent), 1);
        chan_free(c);
    }
}

CASE(chan, try_send_to_full_does_not_block, "runtime/chan_test.go TestChan")
{
    for (int i = 0; i < CAPS; i++) {
        chan(int) c = filled(caps[i]);
        EXPECT(!chan_try_send(c, 0));
        EXPECT_EQ_INT(chan_len(c), caps[i]);
        switch (chan_select(send(put, c, 0), default)) {
        case put: FAIL("sent to a full channel"); break;
        default: break;
        }
        chan_free(c);
    }
}

CASE(chan, closed_gives_what_is_buffered_then_zero, "runtime/chan_test.go TestChan")
{
    for (int i = 0; i < CAPS; i++) {
        chan(int) c = filled(caps[i]);
        int v = 7;
        chan_close(c);
        for (int k = 0; k < caps[i]; k++) {
            EXPECT_EQ_INT(chan_recv(c), k);
        }
        EXPECT_EQ_INT(chan_recv(c), 0);
        EXPECT(!chan_recv_ok(c, &v));
        EXPECT_EQ_INT(v, 0);
        chan_free(c);
    }
}

CASE(chan, close_wakes_a_receiver_with_zero, "runtime/chan_test.go TestChan")
{
    for (int i = 0; i < CAPS; i++) {
        chan(int) c = chan_make(int, caps[i]);
        chan(bool) done = chan_make(bool);
        go_do(c, done) {
            int v = 7;
            bool ok = chan_recv_ok(c, &v);
            chan_send(done, v == 0 && !ok);
        };
        await_parked(1, "chan receive");
        chan_close(c);
        EXPECT(chan_recv(done));
        await_count(1);
        chan_free(c);
        chan_free(done);
    }
}

CASE(chan, values_come_whole_and_in_order, "runtime/chan_test.go TestChan")
{
    for (int i = 0; i < CAPS; i++) {
        chan(int) c = chan_make(int, caps[i]);
        go(send_range, c, 100);
        for (int k = 0; k < 100; k++) {
            EXPECT_EQ_INT(chan_recv(c), k);
        }
        go(send_range, c, 100);
        for (int k = 0; k < 100; k++) {
            int v = -1;
            EXPECT(chan_recv_ok(c, &v));
            EXPECT_EQ_INT(v, k);
        }
        await_count(1);
        chan_free(c);
    }
}

CASE(chan, four_senders_and_four_receivers_lose_nothing, "runtime/chan_test.go TestChan")
{
    enum { P = 4, L = 1000 };
    static int seen[L];
    for (int i = 0; i < CAPS; i++) {
        memset(seen, 0, sizeof seen);
        chan(int) c = chan_make(int, caps[i]);
        go_waitgroup wg = {0};
        for (int p = 0; p < P; p++) {
            wg_go(&wg, send_range, c, L);
        }
        wg_add(&wg, P);
        for (int p = 0; p < P; p++) {
            go_waitgroup *done = &wg;
            go_do(c, done) {
                for (int k = 0; k < L; k++) {
                    add(&seen[chan_recv(c)], 1);
                }
                wg_done(done);
            };
        }
        wg_wait(&wg);
        for (int k = 0; k < L; k++) {
            REQUIRE_EQ_INT(seen[k], P);
        }
        chan_free(c);
    }
}

CASE(chan, len_and_cap, "runtime/chan_test.go TestChan")
{
    for (int i = 0; i < CAPS; i++) {
        chan(int) c = chan_make(int, caps[i]);
        EXPECT_EQ_INT(chan_len(c), 0);
        EXPECT_EQ_INT(chan_cap(c), caps[i]);
        send_range(c, caps[i]);
        EXPECT_EQ_INT(chan_len(c), caps[i]);
        EXPECT_EQ_INT(chan_cap(c), caps[i]);
        chan_free(c);
    }
}

CASE(chan, try_receive_never_misses_a_value_while_closing,
     "runtime/chan_test.go TestNonblockRecvRace")
{
    for (long i = test_iterations(1000); i > 0; i--) {
        chan(int) c = chan_make(int, 1);
        chan(bool) found = chan_make(bool, 1);
        chan_send(c, 1);
        go_do(c, found) {
            switch (chan_select(recv(got, c), default)) {
            case got: chan_send(found, true); break;
            default: chan_send(found, false); break;
            }
        };
        chan_close(c);
        (void)chan_recv(c);
        REQUIRE(chan_recv(found));
        chan_free(c);
        chan_free(found);
    }
}

struct numbers {
    chan(int) q, r;
    go_waitgroup workers;
    int expected;
};
static const int primes[] = {2, 3, 7, 11, 13, 17, 19, 23, 27, 31};

static void work(struct numbers *n, int w)
{
    chan_for(v, n->q)
    {
        if (primes[w % 10] == v) {
            go_yield();
        }
        chan_send(n->r, v);
    }
}

static void feed(struct numbers *n, int count)
{
    for (int i = 0; i < count; i++) {
        n->expected += primes[i % 10];
        chan_send(n->q, primes[i % 10]);
    }
    chan_close(n->q);
    wg_wait(&n->workers);
    chan_close(n->r);
}

CASE(chan, many_consumers_of_one_queue, "runtime/chan_test.go TestMultiConsumer")
{
    enum { WORKERS = 23 };
    int count = (int)test_iterations(27182);
    struct numbers n = {.q = chan_make(int, WORKERS * 3), .r = chan_make(int, WORKERS * 3)};
    int seen = 0;
    int sum = 0;
    for (int w = 0; w < WORKERS; w++) {
        wg_go(&n.workers, work, &n, w);
    }
    go(feed, &n, count);
    chan_for(v, n.r)
    {
        seen++;
        sum += v;
    }
    EXPECT_EQ_INT(seen, count);
    EXPECT_EQ_INT(sum, n.expected);
    chan_free(n.q);
    chan_free(n.r);
}

CASE(chan, sends_pointers_to_anything, "runtime/chan_test.go TestChanSendInterface")
{
    chan(const void *) c = chan_make(const void *, 1);
    int one;
    chan_send(c, &one);
    EXPECT(!chan_try_send(c, "two"));
    EXPECT_EQ_INT(chan_select(send(a, c, &one), send(b, c, "two"), default), -1);
    EXPECT_EQ_PTR(chan_recv(c), &one);
    chan_free(c);
}

static int deep(int n)
{
    volatile char page[1024];
    page[0] = (char)n;
    return n == 0 ? 0 : deep(n - 1) + page[0] - (char)n;
}

static void send_with_deep_calls(chan(int) c, int n)
{
    for (int i = 0; i < n; i++) {
        chan_send(c, i);
        chan_send(c, i + deep(40));
    }
}

CASE(chan, blocked_send_survives_deep_calls_around_it,
     "runtime/chan_test.go TestShrinkStackDuringBlockedSend")
{
    chan(int) c = chan_make(int);
    go(send_with_deep_calls, c, 10);
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ_INT(chan_recv(c), i);
        await_parked(1, "chan send");
        EXPECT_EQ_INT(chan_recv(c), i);
    }
    await_count(1);
    chan_free(c);
}

/* ---- test/closedchan.go, test/chancap.go, test/chanlinear.go, test/chan, test/ken ---- */

static bool has_room(chan(int) c) { return chan_try_send(c, 1); }
static void close_twice(chan(int) c)
{
    chan_close(c);
    chan_close(c);
}
static void select_send(chan(int) c)
{
    (void)chan_select(send(put, c, 1));
}
static void select_send_or_not(chan(int) c)
{
    (void)chan_select(send(put, c, 1), default);
}

static void closed_matrix(int cap)
{
    chan(int) c = filled(cap);
    int v;
    bool ok;
    chan_close(c);
    for (int i = 0; i < cap; i++) {
        EXPECT(chan_recv_ok(c, &v));
        EXPECT_EQ_INT(v, i);
    }
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ_INT(chan_recv(c), 0);
        EXPECT(!chan_recv_ok(c, &v) && v == 0);
        v = 7;
        EXPECT(!chan_try_recv(c, &v));
        EXPECT_EQ_INT(v, 0);
        v = 7, ok = true;
        EXPECT_EQ_INT(chan_select(recv(a, c, &v, &ok), default), a);
        EXPECT(v == 0 && !ok);
        v = 7, ok = true;
        EXPECT_EQ_INT(chan_select(recv(b, c, &v, &ok)), b);
        EXPECT(v == 0 && !ok);
    }
    EXPECT_EQ_STR(PANIC_OF(send_to, c, 1), "send on closed channel");
    EXPECT_EQ_STR(PANIC_OF(has_room, c), "send on closed channel");
    EXPECT_EQ_STR(PANIC_OF(select_send, c), "send on closed channel");
    EXPECT_EQ_STR(PANIC_OF(select_send_or_not, c), "send on closed channel");
    EXPECT_EQ_STR(PANIC_OF(close_it, c), "close of closed channel");
    chan_free(c);
}

CASE(chan, everything_on_a_closed_unbuffered_channel, "test/closedchan.go")
{
    closed_matrix(0);
}

CASE(chan, everything_on_a_closed_buffered_channel, "test/closedchan.go")
{
    closed_matrix(1);
    closed_matrix(2);
    closed_matrix(10);
}

CASE(chan, close_twice_panics, "test/closedchan.go")
{
    chan(int) c = chan_make(int);
    EXPECT_EQ_STR(PANIC_OF(close_twice, c), "close of closed channel");
    chan_free(c);
}

CASE(chan, close_of_nil_panics, "test/closedchan.go")
{
    EXPECT_EQ_STR(PANIC_OF(close_it, NULL), "close of nil channel");
    EXPECT_EQ_STR(PANIC_OF(close_send_only, NULL), "close of nil channel");
}

CASE(chan, close_panics_every_sender_that_waits, "test/closedchan.go")
{
    chan(int) c = chan_make(int);
    int panicked = 0;
    for (int i = 0; i < 5; i++) {
        int *count = &panicked;
        go_do(c, count) {
            if (strcmp(PANIC_OF(send_to, c, 1), "send on closed channel") == 0) {
                add(count, 1);
            }
        };
    }
    await_parked(5, "chan send");
    chan_close(c);
    await_count(1);
    EXPECT_EQ_INT(panicked, 5);
    chan_free(c);
}

static void make_sized(int64_t n) { chan_free(chan_make(int, n)); }

CASE(chan, make_with_impossible_size_panics, "test/chancap.go")
{
    EXPECT_EQ_STR(PANIC_OF(make_sized, -1), "makechan: size out of range");
    EXPECT_EQ_STR(PANIC_OF(make_sized, (int64_t)1 << 59), "makechan: size out of range");
    EXPECT_EQ_STR(PANIC_OF(make_sized, INT64_MAX), "makechan: size out of range");
}

CASE(chan, len_and_cap_of_nil_are_zero, "test/chancap.go")
{
    chan(int) none = NULL;
    EXPECT_EQ_INT(chan_len(none), 0);
    EXPECT_EQ_INT(chan_cap(none), 0);
}

struct local {
    chan(int) d;
    struct local *next;
};
static void alternate(chan(int) shared, chan(int) own, int n)
{
    for (int i = 0; i < n; i++) {
        (void)chan_select(recv(a, shared), recv(b, own));
    }
}
/* The processor time it takes to wake everybody ten times. */
static double requeue(int n)
{
    enum { MESSAGES = 10 };
    chan(int) shared = chan_make(int);
    struct local *all = NULL;
    for (int i = 0; i < n; i++) {
        struct local *l = (struct local *)malloc(sizeof *l);
        *l = (struct local){chan_make(int), all};
        all = l;
        go(alternate, shared, l->d, (int)MESSAGES);
    }
    clock_t start = clock();
    for (int i = 0; i < MESSAGES; i++) {
        for (struct local *l = all; l != NULL; l = l->next) {
            chan_send(l->d, 1);
        }
    }
    double took = (double)(clock() - start);
    await_count(1);
    while (all != NULL) {
        struct local *l = all;
        all = l->next;
        chan_free(l->d);
        free(l);
    }
    chan_free(shared);
    return took;
}

CASE_DIFFERS(chan, leaving_a_queue_of_many_selects_is_not_linear, "test/chanlinear.go",
             "bounds the ratio by 8 for four times the waiters instead of 3 for twice as many, and "
             "of processor time: on a machine that does other things as well small ratios are "
             "noise, and a linear dequeue shows up as 16")
{
    int n = (int)test_iterations(1000);
    double few = requeue(n);
    double many = requeue(4 * n);
    for (int i = 0; i < 10 && many > 8 * few; i++) {
        few = requeue(n);
        double again = requeue(4 * n);
        many = again < many ? again : many;
    }
    EXPECT(many <= 8 * few);
}

static void daisy(recv_chan(int) in, send_chan(int) out, int n)
{
    for (int i = 0; i < n; i++) {
        chan_send(out, chan_recv(in));
    }
}

CASE(chan, daisy_chain_keeps_the_order_unbuffered, "test/chan/fifo.go")
{
    enum { LINKS = 10, N = 10 };
    chan(int) c[LINKS + 1];
    c[0] = chan_make(int);
    for (int i = 0; i < LINKS; i++) {
        c[i + 1] = chan_make(int);
        go(daisy, c[i], c[i + 1], (int)N);
    }
    go(send_range, c[0], (int)N);
    for (int i = 0; i < N; i++) {
        EXPECT_EQ_INT(chan_recv(c[LINKS]), i);
    }
    await_count(1);
    for (int i = 0; i <= LINKS; i++) {
        chan_free(c[i]);
    }
}

CASE(chan, buffer_keeps_the_order, "test/chan/fifo.go")
{
    chan(int) c = filled(10);
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ_INT(chan_recv(c), i);
    }
    chan_free(c);
}

static void pass_left(chan(int) left, chan(int) right) { chan_send(left, chan_recv(right) + 1); }

CASE(chan, thousands_of_goroutines_in_a_row, "test/chan/goroutines.go")
{
    int n = (int)test_iterations(10000);
    chan(int) *c = (chan(int) *)calloc((size_t)n + 1, sizeof *c);
    for (int i = 0; i <= n; i++) {
        c[i] = chan_make(int);
    }
    for (int i = 0; i < n; i++) {
        go(pass_left, c[i], c[i + 1]);
    }
    go(send_to, c[n], 1);
    EXPECT_EQ_INT(chan_recv(c[0]), n + 1);
    await_count(1);
    for (int i = 0; i <= n; i++) {
        chan_free(c[i]);
    }
    free(c);
}

static void generate(chan(int) c)
{
    for (int i = 2;; i++) {
        chan_send(c, i);
    }
}
static void filter(chan(int) in, chan(int) out, int prime)
{
    for (;;) {
        int v = chan_recv(in);
        if (v % prime != 0) {
            chan_send(out, v);
        }
    }
}

OUTPUT(chan, prime_sieve, "test/chan/sieve1.go, test/chan/sieve2.go, test/sieve.go")
{
    chan(int) c = chan_make(int);
    go(generate, c);
    for (int i = 0; i < 40; i++) {
        int prime = chan_recv(c);
        say("%d\n", prime);
        chan(int) next = chan_make(int);
        go(filter, c, next, prime);
        c = next;
    }
}

/* Hamming numbers: three multipliers fed by what they make. */
static void multiply(chan(int) in, chan(int) out, int by)
{
    chan_for(v, in) { chan_send(out, v * by); }
}

OUTPUT(chan, two_three_five, "test/235.go")
{
    static const int by[] = {2, 3, 5};
    chan(int) in[3];
    chan(int) out[3];
    int head[3];
    for (int i = 0; i < 3; i++) {
        in[i] = chan_make(int, 200);
        out[i] = chan_make(int, 200);
        go(multiply, in[i], out[i], by[i]);
    }
    for (int i = 0; i < 3; i++) {
        chan_send(in[i], 1);
        head[i] = chan_recv(out[i]);
    }
    for (int n = 0, least = 1; n < 60; n++) {
        say("%d\n", least);
        for (int i = 0; i < 3; i++) {
            if (n > 0) {
                chan_send(in[i], least);
            }
            if (head[i] <= least) {
                head[i] = chan_recv(out[i]);
            }
        }
        least = head[0] < head[1] ? head[0] : head[1];
        least = least < head[2] ? least : head[2];
    }
}

CASE(chan, elements_of_no_size, "test/chan/zerosize.go")
{
    struct nothing {};
    chan(struct nothing) c = chan_make(struct nothing, 3);
    struct nothing v;
    for (int i = 0; i < 3; i++) {
        chan_send(c, (struct nothing){});
    }
    EXPECT(!chan_try_send(c, (struct nothing){}));
    EXPECT_EQ_INT(chan_len(c), 3);
    chan_close(c);
    for (int i = 0; i < 3; i++) {
        EXPECT(chan_recv_ok(c, &v));
    }
    EXPECT(!chan_recv_ok(c, &v));
    chan_free(c);
}

/* ken/chan1: several senders and receivers count every value once. */
static void count_values(chan(int) c, int *tally, int n)
{
    for (int i = 0; i < n; i++) {
        add(&tally[chan_recv(c)], 1);
    }
}
static void send_block(chan(int) c, int from, int n)
{
    for (int i = 0; i < n; i++) {
        chan_send(c, from + i);
    }
}

static void count_all(int cap)
{
    enum { N = 1000, M = 10 };
    static int tally[N * M];
    memset(tally, 0, sizeof tally);
    chan(int) c = chan_make(int, cap);
    go_waitgroup wg = {0};
    for (int i = 0; i < M; i++) {
        wg_go(&wg, count_values, c, tally, (int)N);
        wg_go(&wg, send_block, c, i * N, (int)N);
    }
    wg_wait(&wg);
    for (int i = 0; i < N * M; i++) {
        REQUIRE_EQ_INT(tally[i], 1);
    }
    chan_free(c);
}

CASE(chan, each_value_once_unbuffered, "test/ken/chan1.go")
{
    count_all(0);
}

CASE(chan, each_value_once_buffered, "test/ken/chan1.go")
{
    count_all(1);
    count_all(10);
}

/* Four channels, each with its own sequence of numbers; receivers take from all of them. */
struct sequences {
    chan(int) c[4];
    int next[4], left;
};
static void send_sequence(chan(int) c, int from, int n, int how)
{
    for (int i = 0; i < n; i++) {
        switch ((how + i) % 3) {
        case 0: chan_send(c, from + i); break;
        case 1: (void)chan_select(send(put, c, from + i)); break;
        default:
            while (!chan_try_send(c, from + i)) {
                go_yield();
            }
            break;
        }
    }
}
static void receive_sequences(struct sequences *s)
{
    while (s->left > 0) {
        int v[4];
        int k = chan_select(recv(a, s->c[0], &v[0]), recv(b, s->c[1], &v[1]),
                            recv(d, s->c[2], &v[2]), recv(e, s->c[3], &v[3]));
        REQUIRE_EQ_INT(v[k], s->next[k]);
        s->next[k]++;
        s->left--;
    }
}

CASE(chan, sequences_sent_and_received_in_every_way, "test/ken/chan.go")
{
    int n = (int)test_iterations(1000);
    for (int cap = 0; cap <= 100; cap = 10 * cap + 1) {
        struct sequences s = {.left = 4 * n};
        for (int i = 0; i < 4; i++) {
            s.c[i] = chan_make(int, cap);
            s.next[i] = 100 * i;
            go(send_sequence, s.c[i], 100 * i, n, i);
        }
        receive_sequences(&s);
        await_count(1);
        for (int i = 0; i < 4; i++) {
            chan_free(s.c[i]);
        }
    }
}

/* Power series as streams of coefficients: F = f + xF', so FG = fg + x(fG' + gF' + xF'G'). */
enum { TERMS = 12 };
typedef chan(long) series;
static series make_series(void) { return chan_make(long, TERMS); }
static void ones(series out)
{
    for (int i = 0; i < TERMS; i++) {
        chan_send(out, 1);
    }
    chan_close(out);
}
static void split(series in, series a, series b)
{
    chan_for(v, in)
    {
        chan_send(a, v);
        chan_send(b, v);
    }
    chan_close(a);
    chan_close(b);
}
static void multiply_series(series f, series g, series out)
{
    series rest[5];
    long f0, g0, fi, gi;
    bool first = true;
    if (chan_recv_ok(f, &f0) && chan_recv_ok(g, &g0)) {
        chan_send(out, f0 * g0);
        for (int i = 0; i < 5; i++) {
            rest[i] = make_series();
        }
        go(split, f, rest[0], rest[1]);
        go(split, g, rest[2], rest[3]);
        go(multiply_series, rest[1], rest[3], rest[4]);
        while (chan_recv_ok(rest[0], &fi) && chan_recv_ok(rest[2], &gi)) {
            chan_send(out, f0 * gi + g0 * fi + (first ? 0 : chan_recv(rest[4])));
            first = false;
        }
    }
    chan_close(out);
}
static series product(series f, series g)
{
    series out = make_series();
    go(multiply_series, f, g, out);
    return out;
}
static series all_ones(void)
{
    series s = make_series();
    go(ones, s);
    return s;
}

OUTPUT(chan, power_series, "test/chan/powser1.go, test/chan/powser2.go")
{
    series square = product(all_ones(), all_ones());
    series fourth = product(product(all_ones(), all_ones()), product(all_ones(), all_ones()));
    chan_for(v, square) { say("%ld\n", v); }
    chan_for(v, fourth) { say("%ld\n", v); }
}

/* ---- the order of those who wait, and what a rendezvous promises ---- */

CASE(chan, parked_senders_are_served_in_order, "runtime/chan_test.go TestChan")
{
    for (int cap = 0; cap < 3; cap++) {
        chan(int) c = filled(cap);
        for (int i = 0; i < 8; i++) {
            go(send_to, c, cap + i);
            await_parked(i + 1, "chan send");
        }
        for (int i = 0; i < cap + 8; i++) {
            EXPECT_EQ_INT(chan_recv(c), i);
        }
        await_count(1);
        chan_free(c);
    }
}

static void receive_to(chan(int) c, int *to) { *to = chan_recv(c); }

CASE(chan, parked_receivers_are_served_in_order, "runtime/chan_test.go TestChan")
{
    for (int cap = 0; cap < 3; cap++) {
        chan(int) c = chan_make(int, cap);
        int got[8] = {0};
        for (int i = 0; i < 8; i++) {
            go(receive_to, c, &got[i]);
            await_parked(i + 1, "chan receive");
        }
        for (int i = 0; i < 8; i++) {
            chan_send(c, i + 1);
        }
        await_count(1);
        for (int i = 0; i < 8; i++) {
            EXPECT_EQ_INT(got[i], i + 1);
        }
        chan_free(c);
    }
}

static int turn;
static void send_marks(chan(int) c, int n)
{
    for (int i = 0; i < n; i++) {
        turn = i;
        chan_send(c, i);
    }
    chan_close(c);
}

CASE(chan, unbuffered_send_waits_for_its_receiver, "test/fixedbugs/bug147.go")
{
    chan(int) c = chan_make(int);
    go(send_marks, c, 1000);
    for (int i = 0; i < 1000; i++) {
        /* What was written before the send is seen after the receive. */
        int v = chan_recv(c);
        EXPECT_EQ_INT(v, i);
    }
    EXPECT(!chan_recv_ok(c, (int *)NULL));
    EXPECT_EQ_INT(turn, 999);
    chan_free(c);
}

struct heavy {
    int *p;
    long id;
    char text[40];
};
static void send_heavy(chan(struct heavy) c, int n)
{
    for (int i = 0; i < n; i++) {
        struct heavy h = {(int *)malloc(sizeof(int)), i, ""};
        *h.p = i;
        snprintf(h.text, sizeof h.text, "number %d", i);
        chan_send(c, h);
    }
    chan_close(c);
}

CASE(chan, structures_and_what_they_point_to_arrive, "test/fixedbugs/issue13169.go")
{
    enum { SENDERS = 20 };
    int n = (int)test_iterations(2000);
    chan(struct heavy) c[SENDERS];
    for (int i = 0; i < SENDERS; i++) {
        c[i] = chan_make(struct heavy, i % 4);
        go(send_heavy, c[i], n);
    }
    for (int i = 0; i < SENDERS; i++) {
        char text[40];
        int k = 0;
        chan_for(h, c[i])
        {
            REQUIRE_EQ_INT(h.id, k);
            REQUIRE_EQ_INT(*h.p, k);
            snprintf(text, sizeof text, "number %d", k++);
            REQUIRE_EQ_STR(h.text, text);
            free(h.p);
        }
        EXPECT_EQ_INT(k, n);
    }
    await_count(1);
    for (int i = 0; i < SENDERS; i++) {
        chan_free(c[i]);
    }
}

CASE(chan, channels_travel_through_channels, "test/fixedbugs/bug243.go")
{
    chan(chan(int)) listener = chan_make(chan(int));
    for (int i = 0; i < 10; i++) {
        go_do(listener, i) {
            chan(int) reply = chan_make(int);
            chan_send(listener, reply);
            if (chan_recv(reply) >= 0) {
                chan_send(reply, i);
            }
        };
    }
    int sum = 0;
    for (int i = 0; i < 10; i++) {
        chan(int) connection = chan_recv(listener);
        chan_send(connection, i);
        sum += chan_recv(connection);
        await_count(10 - i);
        chan_free(connection);
    }
    EXPECT_EQ_INT(sum, 45);
    chan_free(listener);
}

CASE(chan, range_ends_at_the_close, "test/closedchan.go")
{
    chan(int) c = chan_make(int);
    int want = 0;
    go(send_all, c, 50);
    chan_for(v, c) { EXPECT_EQ_INT(v, want++); }
    EXPECT_EQ_INT(want, 50);
    chan_for(v, c) { FAIL("value %d after the end", v); }
    chan_free(c);
}

CASE(chan, break_and_continue_in_a_range, "test/closedchan.go")
{
    chan(int) c = filled(10);
    int sum = 0;
    chan_for(v, c)
    {
        if (v % 2 == 0) {
            continue;
        }
        if (v > 6) {
            break;
        }
        sum += v;
    }
    EXPECT_EQ_INT(sum, 1 + 3 + 5);
    EXPECT_EQ_INT(chan_len(c), 2);
    chan_free(c);
}
