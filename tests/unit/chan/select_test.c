/* SPDX-License-Identifier: MIT */
/* Select as Go has it: choice, default, nil cases, deadlines, records that leave no trace. */
#include "chan/chan.h"
#include "harness.h"
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>

static void send_n(chan(int) c, int n)
{
    for (int i = 0; i < n; i++) {
        chan_send(c, i);
    }
}
static void receive_n(chan(int) c, int n)
{
    for (int i = 0; i < n; i++) {
        chan_recv(c);
    }
}

TEST(select, default_only_when_nothing_is_ready)
{
    chan(int) c = chan_make(int, 1);
    int v = 0;
    switch (chan_select(recv(got, c, &v), default)) {
    case got:
        FAIL("received from an empty channel");
        break;
    default:
        break;
    }
    chan_send(c, 4);
    switch (chan_select(recv(got, c, &v), default)) {
    case got:
        EXPECT_EQ_INT(v, 4);
        break;
    default:
        FAIL("default taken though a value was there");
    }
    chan_free(c);
}

TEST(select, ready_cases_are_chosen_evenly)
{
    enum { N = 20000 };
    chan(int) a = chan_make(int, 1), b = chan_make(int, 1);
    int n[2] = {0};
    for (int i = 0; i < N; i++) {
        int v;
        chan_try_send(a, 1);
        chan_try_send(b, 1);
        switch (chan_select(recv(x, a, &v), recv(y, b, &v))) {
        case x:
            n[0]++;
            break;
        case y:
            n[1]++;
            break;
        }
    }
    EXPECT_INT(n[0], >, N / 2 - 700); /* ten standard deviations */
    EXPECT_INT(n[0], <, N / 2 + 700);
    chan_free(a);
    chan_free(b);
}

TEST(select, nil_cases_are_never_ready)
{
    chan(int) none = NULL;
    chan(int) c = chan_make(int, 1);
    int v = 0;
    switch (chan_select(recv(never, none, &v), send(put, c, 9), send(not, none, 1))) {
    case never:
    case not:
        FAIL("a nil channel was ready");
        break;
    case put:
        break;
    }
    EXPECT_EQ_INT(chan_recv(c), 9);
    chan_free(c);
}

TEST(select, after_fires_when_nothing_else_does)
{
    chan(int) c = chan_make(int);
    go_time t = go_now();
    int v;
    switch (chan_select(recv(got, c, &v), after(late, 5 * GO_MS), after(later, GO_SEC))) {
    case got:
    case later:
        FAIL("wrong case");
        break;
    case late:
        break;
    }
    EXPECT_INT(go_since(t), >=, 5 * GO_MS);
    EXPECT(!chan_try_send(c, 1)); /* no ghost receiver */
    chan_free(c);
}

TEST(select, closed_channel_is_ready_and_says_so)
{
    chan(int) c = chan_make(int);
    int v = 5;
    bool ok = true;
    chan_close(c);
    switch (chan_select(recv(got, c, &v, &ok))) {
    case got:
        EXPECT_EQ_INT(v, 0);
        EXPECT(!ok);
    }
    chan_free(c);
}

static void select_send_closed(chan(int) c)
{
    switch (chan_select(send(put, c, 1))) {
    case put:
        break;
    }
}
TEST(select, send_on_closed_panics)
{
    chan(int) c = chan_make(int);
    go_panic_info info;
    chan_close(c);
    EXPECT(!go_try(&info, select_send_closed, c));
    EXPECT_EQ_STR(info.message, "send on closed channel");
    chan_free(c);
}

/* go1.27 TestSelfSelect: send and receive on one channel in one select never meet each other. */
static void self_select(chan(int) c, int me, int *bad, go_waitgroup *wg)
{
    for (int i = 0; i < 1000; i++) {
        int v = -1;
        switch (chan_select(recv(got, c, &v), send(put, c, me))) {
        case got:
            *bad += v == me;
            break;
        case put:
            break;
        }
    }
    wg_done(wg);
}
TEST(select, never_meets_itself)
{
    for (int cap = 0; cap < 2; cap++) {
        chan(int) c = chan_make(int, cap);
        go_waitgroup wg = {0};
        int bad[2] = {0};
        wg_add(&wg, 2);
        go(self_select, c, 0, &bad[0], &wg);
        go(self_select, c, 1, &bad[1], &wg);
        wg_wait(&wg);
        if (cap == 0) {
            EXPECT_EQ_INT(bad[0] + bad[1], 0);
        }
        chan_free(c);
    }
}

/* test/chan/doubleselect: two cases of one select never both fire. */
static void double_sender(chan(int) a, chan(int) b, chan(int) c, chan(int) d, int n)
{
    for (int i = 0; i < n; i++) {
        switch (chan_select(send(p, a, i), send(q, b, i), send(r, c, i), send(s, d, i))) {
        case p:
        case q:
        case r:
        case s:
            break;
        }
    }
    chan_close(a);
    chan_close(b);
    chan_close(c);
    chan_close(d);
}
static void mux(chan(int) out, chan(int) in, go_waitgroup *wg)
{
    chan_for(v, in) { chan_send(out, v); }
    wg_done(wg);
}
static void close_after(go_waitgroup *wg, chan(int) c)
{
    wg_wait(wg);
    chan_close(c);
}
TEST(select, two_cases_never_both_fire)
{
    int n = (int)test_iterations(30000);
    chan(int) c[4], all = chan_make(int);
    go_waitgroup wg = {0};
    char *seen = calloc((size_t)n, 1);
    wg_add(&wg, 4);
    for (int i = 0; i < 4; i++) {
        c[i] = chan_make(int);
        go(mux, all, c[i], &wg);
    }
    go(double_sender, c[0], c[1], c[2], c[3], n);
    go(close_after, &wg, all);
    int count = 0;
    chan_for(v, all) {
        REQUIRE_EQ_INT(seen[v], 0);
        seen[v] = 1;
        count++;
    }
    EXPECT_EQ_INT(count, n);
    while (go_count() > 1) {
        go_yield();
    }
    for (int i = 0; i < 4; i++) {
        chan_free(c[i]);
    }
    chan_free(all);
    free(seen);
}

/* test/chan/select6: cases that did not fire leave others' places in the queue alone. */
TEST(select, losers_leave_no_trace)
{
    chan(int) a = chan_make(int), b = chan_make(int);
    go(send_n, b, 2000);
    for (int i = 0; i < 2000; i++) {
        int v;
        switch (chan_select(recv(x, a, &v), recv(y, b, &v))) {
        case x:
            FAIL("nobody sends on a");
            break;
        case y:
            break;
        }
    }
    EXPECT(!chan_try_send(a, 1));
    while (go_count() > 1) {
        go_yield();
    }
    chan_free(a);
    chan_free(b);
}

TEST(select, many_cases_at_run_time)
{
    enum { N = 200 };
    struct go_case k[N];
    chan(int) c[N];
    int v[N];
    for (int i = 0; i < N; i++) {
        c[i] = chan_make(int);
        k[i] = go_case_recv(c[i], &v[i], NULL);
    }
    for (int i = 0; i < N; i++) {
        go(send_n, c[i], 1);
    }
    for (int i = 0; i < N; i++) {
        int j = go_select_cases(k, N);
        REQUIRE(j >= 0 && j < N);
        EXPECT_EQ_INT(v[j], 0);
        k[j].c = NULL;
    }
    struct go_case none[2] = {go_case_recv(c[0], &v[0], NULL), go_case_default()};
    EXPECT_EQ_INT(go_select_cases(none, 2), 1);
    while (go_count() > 1) {
        go_yield();
    }
    for (int i = 0; i < N; i++) {
        chan_free(c[i]);
    }
}

/* runtime TestSelectStress: senders and receivers, plain and selecting, on four channels. */
enum { STRESS = 3000 };
static void select_sends(chan(int) *c, go_waitgroup *wg)
{
    int left[4] = {STRESS, STRESS, STRESS, STRESS};
    chan(int) d[4] = {c[0], c[1], c[2], c[3]};
    for (int i = 0; i < 4 * STRESS; i++) {
        int k = -1;
        switch (chan_select(send(p, d[0], 0), send(q, d[1], 0), send(r, d[2], 0),
                            send(s, d[3], 0))) {
        case p:
            k = 0;
            break;
        case q:
            k = 1;
            break;
        case r:
            k = 2;
            break;
        case s:
            k = 3;
            break;
        }
        if (--left[k] == 0) {
            d[k] = NULL;
        }
    }
    wg_done(wg);
}
static void select_receives(chan(int) *c, go_waitgroup *wg)
{
    int left[4] = {STRESS, STRESS, STRESS, STRESS};
    chan(int) d[4] = {c[0], c[1], c[2], c[3]};
    for (int i = 0; i < 4 * STRESS; i++) {
        int k = -1, v;
        switch (chan_select(recv(p, d[0], &v), recv(q, d[1], &v), recv(r, d[2], &v),
                            recv(s, d[3], &v))) {
        case p:
            k = 0;
            break;
        case q:
            k = 1;
            break;
        case r:
            k = 2;
            break;
        case s:
            k = 3;
            break;
        }
        if (--left[k] == 0) {
            d[k] = NULL;
        }
    }
    wg_done(wg);
}
TEST_LONG(select, stress, 120)
{
    chan(int) c[4] = {chan_make(int), chan_make(int), chan_make(int, 2), chan_make(int, 3)};
    go_waitgroup wg = {0};
    for (int i = 0; i < 4; i++) {
        wg_go(&wg, send_n, c[i], STRESS);
        wg_go(&wg, receive_n, c[i], STRESS);
    }
    wg_add(&wg, 2);
    go(select_sends, c, &wg);
    go(select_receives, c, &wg);
    wg_wait(&wg);
    while (go_count() > 1) {
        go_yield();
    }
    for (int i = 0; i < 4; i++) {
        EXPECT_EQ_INT(chan_len(c[i]), 0);
        chan_free(c[i]);
    }
}

static void send_or_quit(send_chan(int) c, recv_chan(int) quit, go_waitgroup *wg)
{
    defer(wg_done, wg);
    switch (chan_select(send(put, c, 7), recv(end, quit))) {
    case put:
    case end:
        break;
    }
}
static void receive_or_quit(recv_chan(int) c, recv_chan(int) quit, go_waitgroup *wg)
{
    defer(wg_done, wg);
    int v = -1;
    switch (chan_select(recv(got, c, &v), recv(end, quit))) {
    case got:
        EXPECT_EQ_INT(v, 0);
        break;
    case end:
        break;
    }
}
/* Answers a bell, or not; and notes how many waited for the answer then. */
static void answer(chan(int) bell, chan(int) out, bool answers, uint32_t *waited)
{
    chan_for(v, bell) {
        *waited = ld_rlx(&GOI_RAW(out)->recvq.n);
        if (answers) {
            chan_send(out, v);
        }
    }
}

static int ring_and_select(chan(int) bell, chan(int) a, chan(int) b, int v)
{
    chan_send(bell, v);
    int got = -1;
    switch (chan_select(recv(in_a, a, &got), recv(in_b, b, &got))) {
    case in_a:
    case in_b:
        break;
    }
    return got;
}

static void await_the_others(void)
{
    while (go_count() > 1) {
        go_yield();
    }
}

/* Nobody is queued for what the goroutine that was just woken is about to bring. */
TEST(select, runs_after_the_one_it_has_woken)
{
    enum { N = 200 };
    go_maxprocs(1);
    chan(int) bell = chan_make(int), a = chan_make(int), b = chan_make(int);
    uint32_t waited = 0;
    int unqueued = 0;
    go(answer, bell, a, true, &waited);
    go_yield();
    for (int i = 0; i < N; i++) {
        waited = 1;
        EXPECT_EQ_INT(ring_and_select(bell, a, b, i), i);
        unqueued += waited == 0;
    }
    EXPECT(unqueued > N / 2); /* but for the picks that look around, and a P that was taken */
    chan_close(bell);
    await_the_others();
    chan_free(bell);
    chan_free(a);
    chan_free(b);
}

static void answer_for(chan(int) in, chan(int) out)
{
    chan_for(v, in) {
        chan_send(out, v);
    }
}

static void pass_on(chan(int) bell, chan(int) to)
{
    chan_for(v, bell) {
        chan_send(to, v); /* whom this wakes comes before who let us run */
        go_yield();
    }
}

/* Where another brings it, letting the one that was woken run first is soon left out. */
TEST(select, waits_where_the_one_it_has_woken_brings_nothing)
{
    enum { N = 200 };
    go_maxprocs(1);
    chan(int) bell = chan_make(int), second = chan_make(int, 1);
    chan(int) a = chan_make(int), b = chan_make(int);
    go(pass_on, bell, second);
    go(answer_for, second, b);
    go_yield();
    for (int i = 0; i < N; i++) {
        EXPECT_EQ_INT(ring_and_select(bell, a, b, i), i);
    }
    chan_close(bell);
    chan_close(second);
    await_the_others();
    chan_free(bell);
    chan_free(second);
    chan_free(a);
    chan_free(b);
}

/* S5: who takes the last value, or closes, may free while the select is on its way out. */
TEST(select, partner_may_free_at_once)
{
    for (int i = 0; i < test_iterations(20000); i++) {
        chan(int) c = chan_make(int), quit = chan_make(int);
        go_waitgroup wg = { 0 };
        wg_add(&wg, 1);
        if (i % 4 < 2) {
            go(send_or_quit, c, quit, &wg);
        } else {
            go(receive_or_quit, c, quit, &wg);
        }
        if (i % 2 == 0) {
            go_yield();
        }
        if (i % 4 < 2) {
            EXPECT_EQ_INT(chan_recv(c), 7);
            chan_free(c);
            wg_wait(&wg);
        } else if (i % 2 == 0) {
            while (ld_acq(&GOI_RAW(c)->recvq.n) == 0) { /* else the free would be too early */
                go_yield();
            }
            chan_close(c);
            chan_free(c);
            wg_wait(&wg);
        } else {
            chan_close(c);
            wg_wait(&wg);
            chan_free(c);
        }
        chan_free(quit);
    }
}
