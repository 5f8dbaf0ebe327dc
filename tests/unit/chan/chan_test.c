/* SPDX-License-Identifier: MIT */
/* Channels as Go has them: rendezvous, buffers, closing, nil, order, deadlines, references. */
#include "chan/chan.h"
#include "harness.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct big { long a[20]; };

/* Lets everybody else run until they are all parked (one P or more). */
static void settle(int goroutines)
{
    for (int i = 0; i < 200 || go_count() > goroutines; i++) {
        go_yield();
    }
}

/* Until that many wait there. */
static void await_receivers(chan(int) c, uint32_t n)
{
    while (ld_rlx(&GOI_RAW(c)->recvq.n) != n) {
        go_yield();
    }
}

static void await_senders(chan(int) c, uint32_t n)
{
    while (ld_rlx(&GOI_RAW(c)->sendq.n) != n) {
        go_yield();
    }
}

static void send_value(chan(int) c, int v) { chan_send(c, v); }
static void send_then_mark(chan(int) c, int v, bool *done)
{
    chan_send(c, v);
    *done = true;
}
static void receive_to(chan(int) c, int *to) { *to = chan_recv(c); }
static void close_it(chan(int) c) { chan_close(c); }
static void sequence(chan(int) c, int n)
{
    for (int i = 0; i < n; i++) {
        chan_send(c, i);
    }
    chan_close(c);
}

TEST(chan, unbuffered_send_waits_for_the_receiver)
{
    chan(int) c = chan_make(int);
    bool done = false;
    go_maxprocs(1);
    go(send_then_mark, c, 7, &done);
    settle(2);
    EXPECT(!done);
    EXPECT_EQ_INT(chan_recv(c), 7);
    settle(1);
    EXPECT(done);
    chan_free(c);
}

TEST(chan, buffered_send_waits_only_when_full)
{
    chan(int) c = chan_make(int, 2);
    bool done = false;
    go_maxprocs(1);
    chan_send(c, 1);
    chan_send(c, 2);
    EXPECT_EQ_INT(chan_len(c), 2);
    EXPECT_EQ_INT(chan_cap(c), 2);
    go(send_then_mark, c, 3, &done);
    settle(2);
    EXPECT(!done);
    EXPECT_EQ_INT(chan_recv(c), 1);
    settle(1);
    EXPECT(done);
    EXPECT_EQ_INT(chan_recv(c), 2);
    EXPECT_EQ_INT(chan_recv(c), 3);
    EXPECT_EQ_INT(chan_len(c), 0);
    chan_free(c);
}

TEST(chan, values_arrive_in_order)
{
    for (int cap = 0; cap < 5; cap++) {
        chan(int) c = chan_make(int, cap);
        int want = 0;
        go(sequence, c, 5000);
        chan_for(v, c) { REQUIRE_EQ_INT(v, want++); }
        EXPECT_EQ_INT(want, 5000);
        settle(1);
        chan_free(c);
    }
}

TEST(chan, receivers_are_served_in_the_order_they_came)
{
    chan(int) c = chan_make(int);
    int got[8] = {0};
    go_maxprocs(1);
    for (uint32_t i = 0; i < 8; i++) {
        go(receive_to, c, &got[i]);
        await_receivers(c, i + 1);
    }
    for (int i = 0; i < 8; i++) {
        chan_send(c, i + 1);
    }
    settle(1);
    for (int i = 0; i < 8; i++) {
        EXPECT_EQ_INT(got[i], i + 1);
    }
    chan_free(c);
}

TEST(chan, senders_are_served_in_the_order_they_came)
{
    chan(int) c = chan_make(int);
    go_maxprocs(1);
    for (uint32_t i = 0; i < 8; i++) {
        go(send_value, c, (int)i);
        await_senders(c, i + 1);
    }
    for (int i = 0; i < 8; i++) {
        EXPECT_EQ_INT(chan_recv(c), i);
    }
    settle(1);
    chan_free(c);
}

TEST(chan, recv_from_closed_drains_then_gives_zero_values)
{
    chan(int) c = chan_make(int, 3);
    int v = 99;
    chan_send(c, 5);
    chan_send(c, 6);
    chan_close(c);
    EXPECT(chan_recv_ok(c, &v) && v == 5);
    EXPECT(chan_recv_ok(c, &v) && v == 6);
    v = 99;
    EXPECT(!chan_recv_ok(c, &v));
    EXPECT_EQ_INT(v, 0);
    EXPECT_EQ_INT(chan_recv(c), 0);
    v = 99;
    EXPECT(!chan_try_recv(c, &v));
    chan_free(c);
}

TEST(chan, close_wakes_all_receivers_with_zero)
{
    chan(int) c = chan_make(int);
    int got[10];
    for (int i = 0; i < 10; i++) {
        got[i] = -1;
        go(receive_to, c, &got[i]);
    }
    settle(11);
    go(close_it, c);
    settle(1);
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ_INT(got[i], 0);
    }
    chan_free(c);
}

static void try_send_closed(chan(int) c) { chan_send(c, 1); }
static void watch_panic(chan(int) c, chan(bool) out)
{
    go_panic_info info;
    bool ok = go_try(&info, try_send_closed, c);
    chan_send(out, !ok && strcmp(info.message, "send on closed channel") == 0);
}

TEST(chan, close_makes_waiting_senders_panic)
{
    chan(int) c = chan_make(int);
    chan(bool) out = chan_make(bool);
    for (int i = 0; i < 3; i++) {
        go(watch_panic, c, out);
    }
    settle(4);
    chan_close(c);
    for (int i = 0; i < 3; i++) {
        EXPECT(chan_recv(out));
    }
    settle(1);
    chan_free(c);
    chan_free(out);
}

TEST(chan, try_forms_never_wait)
{
    chan(int) none = NULL;
    chan(int) c = chan_make(int);
    chan(int) b = chan_make(int, 1);
    int v = 3;
    EXPECT(!chan_try_send(none, 1));
    EXPECT(!chan_try_recv(none, &v));
    EXPECT(!chan_try_send(c, 1));
    EXPECT(!chan_try_recv(c, &v));
    EXPECT_EQ_INT(v, 3);
    EXPECT(chan_try_send(b, 4));
    EXPECT(!chan_try_send(b, 5));
    EXPECT(chan_try_recv(b, &v));
    EXPECT_EQ_INT(v, 4);
    chan_free(c);
    chan_free(b);
}

TEST(chan, until_forms_time_out_and_leave_no_trace)
{
    chan(int) none = NULL;
    chan(int) c = chan_make(int);
    int v = 8;
    EXPECT_EQ_INT(chan_recv_until(c, &v, go_now() + 2 * GO_MS), -ETIMEDOUT);
    EXPECT_EQ_INT(chan_send_until(c, 1, go_now() + 2 * GO_MS), -ETIMEDOUT);
    EXPECT_EQ_INT(chan_recv_until(none, &v, go_now() + GO_MS), -ETIMEDOUT);
    EXPECT_EQ_INT(chan_recv_until(c, &v, go_now() - 1), -ETIMEDOUT);
    EXPECT_EQ_INT(v, 8);
    EXPECT(!chan_try_send(c, 1)); /* no ghost receiver */
    EXPECT(!chan_try_recv(c, &v)); /* no ghost sender */
    go(send_value, c, 11);
    EXPECT_EQ_INT(chan_recv_until(c, &v, GO_FOREVER), 0);
    EXPECT_EQ_INT(v, 11);
    chan_close(c);
    EXPECT_EQ_INT(chan_send_until(c, 1, GO_FOREVER), -EPIPE);
    EXPECT_EQ_INT(chan_recv_until(c, &v, GO_FOREVER), -EPIPE);
    EXPECT_EQ_INT(v, 0);
    settle(1);
    chan_free(c);
}

TEST(chan, elements_of_any_size)
{
    chan(struct big) c = chan_make(struct big, 2);
    struct big b = {{0}};
    for (int i = 0; i < 20; i++) {
        b.a[i] = i * 3;
    }
    chan_send(c, b);
    struct big r = chan_recv(c);
    EXPECT_EQ_MEM(&r, &b, sizeof b);
    chan(char) small = chan_make(char, 300);
    for (int i = 0; i < 300; i++) {
        chan_send(small, (char)i);
    }
    for (int i = 0; i < 300; i++) {
        REQUIRE_EQ_INT(chan_recv(small), (char)i);
    }
    chan_free(c);
    chan_free(small);
}

/* By size, round the end of the buffer, and not a byte beyond. */
TEST(chan, buffers_copy_exactly_their_elements)
{
    enum { MOST = 40, CAPACITY = 3 };
    for (size_t n = 1; n <= MOST; n++) {
        struct go_chan *c = goi_chan_make(n, CAPACITY, "bytes", "here");
        for (int i = 0; i < 3 * CAPACITY; i++) {
            unsigned char in[MOST], out[MOST + 2], want[MOST + 2];
            memset(want, 0xee, sizeof want);
            memset(out, 0xee, sizeof out);
            for (size_t k = 0; k < n; k++) {
                in[k] = want[k + 1] = (unsigned char)(i * 7 + (int)k);
            }
            goi_chan_send(c, in);
            if (i % CAPACITY == CAPACITY - 1) { /* the two before it as well, unlooked at */
                EXPECT(goi_chan_recv(c, NULL));
                EXPECT(goi_chan_recv(c, out + 1));
                EXPECT(goi_chan_recv(c, out + 1));
                EXPECT_EQ_MEM(out, want, sizeof out);
            }
        }
        goi_chan_free(c);
    }
}

typedef struct { char nothing[0]; } empty;
TEST(chan, elements_of_no_size_count)
{
    chan(empty) c = chan_make(empty, 3);
    empty e = {};
    chan_send(c, e);
    chan_send(c, e);
    EXPECT_EQ_INT(chan_len(c), 2);
    EXPECT(chan_recv_ok(c, &e));
    EXPECT_EQ_INT(chan_len(c), 1);
    chan_free(c);
}

static void send_once(chan(int) c) { chan_send(c, 1); }
TEST(chan, receiver_may_free_at_once)
{
    for (int i = 0; i < test_iterations(20000); i++) {
        chan(int) c = chan_make(int, i % 2);
        go(send_once, c);
        chan_recv(c);
        chan_free(c);
    }
}

static void recv_once(chan(int) c) { (void)chan_recv(c); }
static void close_once(chan(int) c) { chan_close(c); }
static bool tells_closed(chan(int) c)
{
    int v = 1;
    return !chan_try_recv(c, &v) && v == 0;
}

/* The one whose doing shows may still have the channel's lock. */
TEST(chan, whoever_sees_the_last_use_may_free)
{
    for (int i = 0; i < test_iterations(5000); i++) {
        chan(int) c = chan_make(int, 1);
        go(send_once, c);
        while (chan_len(c) == 0) {
            go_yield();
        }
        go(recv_once, c);
        while (chan_len(c) == 1) {
            go_yield();
        }
        chan_free(c);
        c = chan_make(int);
        go(close_once, c);
        while (!tells_closed(c)) {
            go_yield();
        }
        chan_free(c);
    }
}

TEST(chan, references_are_counted)
{
    chan(int) c = chan_make(int, 1);
    chan(int) d = chan_ref(c);
    chan_free(c);
    chan_send(d, 3);
    EXPECT_EQ_INT(chan_recv(d), 3);
    chan_free(d);
    chan_free((chan(int))NULL);
}

static void chain(chan(int) left, chan(int) right) { chan_send(left, 1 + chan_recv(right)); }
TEST(chan, ten_thousand_in_a_chain)
{
    int n = (int)test_iterations(10000);
    chan(int) *c = malloc(sizeof *c * (size_t)(n + 1));
    for (int i = 0; i <= n; i++) {
        c[i] = chan_make(int);
    }
    for (int i = 0; i < n; i++) {
        go(chain, c[i], c[i + 1]);
    }
    go(send_value, c[n], 0);
    EXPECT_EQ_INT(chan_recv(c[0]), n);
    settle(1);
    for (int i = 0; i <= n; i++) {
        chan_free(c[i]);
    }
    free(c);
}

/* go1.27 runtime TestNonblockRecvRace: a full buffer that is being closed must not look empty. */
static void recv_or_count(chan(int) c, int *missed, go_waitgroup *wg)
{
    int v;
    if (!chan_try_recv(c, &v)) {
        ++*missed;
    }
    wg_done(wg);
}
TEST(chan, full_buffer_being_closed_never_looks_empty)
{
    for (int i = 0; i < test_iterations(3000); i++) {
        chan(int) c = chan_make(int, 1);
        go_waitgroup wg = {0};
        int missed = 0;
        chan_send(c, 1);
        wg_add(&wg, 1);
        go(recv_or_count, c, &missed, &wg);
        chan_close(c);
        wg_wait(&wg);
        REQUIRE_EQ_INT(missed, 0);
        chan_free(c);
    }
}

struct thread_job { chan(int) c; long sum; };
static void *thread_sums(void *arg)
{
    struct thread_job *j = arg;
    chan_for(v, j->c) { j->sum += v; }
    return NULL;
}
static void *thread_sends(void *arg)
{
    struct thread_job *j = arg;
    for (int i = 0; i < 1000; i++) {
        chan_send(j->c, i);
    }
    return NULL;
}
TEST(chan, threads_made_elsewhere_may_send_and_receive)
{
    chan(int) c = chan_make(int, 3);
    struct thread_job jobs[4] = {{c, 0}, {c, 0}, {c, 0}, {c, 0}};
    pthread_t t[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&t[i], NULL, i < 2 ? thread_sends : thread_sums, &jobs[i]);
    }
    chan(int) beside = chan_make(int, 1000);
    go(sequence, beside, 1000);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    chan_close(c);
    pthread_join(t[2], NULL);
    pthread_join(t[3], NULL);
    EXPECT_EQ_INT(jobs[2].sum + jobs[3].sum, 2 * 499500);
    settle(1);
    chan_free(c);
    chan_free(beside);
}

static void receive_end(chan(int) c, atomic_int *left)
{
    EXPECT_EQ_INT(chan_recv(c), 0);
    if (atomic_fetch_sub(left, 1) == 1) {
        chan_free(c); /* the closer may still be in close: it is done with the channel */
    }
}
struct ended { chan(int) c; atomic_int *left; };
static void *thread_receives_end(void *arg)
{
    struct ended *e = arg;
    receive_end(e->c, e->left);
    return NULL;
}
static void *thread_closes(void *arg)
{
    chan(int) c = arg;
    chan_close(c);
    return NULL;
}
/* Goroutines and threads wait on it, and whoever is last frees it, closed by either kind. */
TEST(chan, close_wakes_all_kinds_of_waiters_and_may_be_followed_by_a_free)
{
    for (int round = 0; round < 40; round++) {
        atomic_int left = 12;
        chan(int) c = chan_make(int);
        struct ended e = {c, &left};
        pthread_t t[4], closer;
        for (int i = 0; i < 4; i++) {
            go(receive_end, c, &left);
            pthread_create(&t[i], NULL, thread_receives_end, &e);
            go(receive_end, c, &left);
        }
        for (int i = 0; i < round % 8; i++) {
            go_yield();
        }
        if (round % 2 == 0) {
            chan_close(c);
        } else {
            pthread_create(&closer, NULL, thread_closes, (void *)c);
            pthread_join(closer, NULL);
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(t[i], NULL);
        }
        settle(1);
        EXPECT_EQ_INT(atomic_load(&left), 0);
    }
}
