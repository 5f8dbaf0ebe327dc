/* SPDX-License-Identifier: MIT */
/* Select: what blocks, what panics, what is chosen, and that only one case ever happens. */
#include "conform.h"
#include <limits.h>

#define UNREACHABLE() FAIL("this case must not be chosen")

static void send_to(chan(int) c, int v) { chan_send(c, v); }
static void receive_from(chan(int) c) { (void)chan_recv(c); }
static chan(int) closed_channel(void)
{
    chan(int) c = chan_make(int);
    chan_close(c);
    return c;
}

/* ---- test/chan/select3.go: a table of what blocks for ever ---- */

static void select_nil_recv(chan(int) none)
{
    switch (chan_select(recv(a, none))) {
    case a: UNREACHABLE(); break;
    }
}
static void select_nil_send(chan(int) none)
{
    switch (chan_select(send(a, none, 7))) {
    case a: UNREACHABLE(); break;
    }
}
static void select_nil_both(chan(int) none)
{
    switch (chan_select(recv(a, none), send(b, none, 7))) {
    case a: UNREACHABLE(); break;
    case b: UNREACHABLE(); break;
    }
}
static void select_nothing(void) { (void)go_select_cases(NULL, 0); }

static void must_block(const char *state)
{
    await_parked(1, state);
    leave_blocked();
}

CASE(select, send_to_nil_blocks, "test/chan/select3.go")
{
    go(send_to, NULL, 7);
    must_block("chan send (nil chan)");
}

CASE(select, receive_from_nil_blocks, "test/chan/select3.go")
{
    go(receive_from, NULL);
    must_block("chan receive (nil chan)");
}

CASE(select, nil_send_is_never_chosen, "test/chan/select3.go")
{
    chan(int) none = NULL;
    switch (chan_select(send(a, none, 7), default)) {
    case a: UNREACHABLE(); break;
    default: break;
    }
}

CASE(select, nil_receive_is_never_chosen, "test/chan/select3.go")
{
    chan(int) none = NULL;
    switch (chan_select(recv(a, none), default)) {
    case a: UNREACHABLE(); break;
    default: break;
    }
}

CASE(select, send_with_room_does_not_block, "test/chan/select3.go")
{
    chan(int) c = chan_make(int, 1);
    chan_send(c, 7);
    EXPECT_EQ_INT(chan_len(c), 1);
    chan_free(c);
}

CASE(select, receive_from_closed_does_not_block, "test/chan/select3.go")
{
    chan(int) c = closed_channel();
    for (int i = 0; i < 10; i++) {
        int v = 7;
        EXPECT_EQ_INT(chan_recv(c), 0);
        EXPECT(!chan_recv_ok(c, &v) && v == 0);
    }
    chan_free(c);
}

CASE(select, send_to_closed_panics, "test/chan/select3.go")
{
    chan(int) c = closed_channel();
    EXPECT_EQ_STR(PANIC_OF(send_to, c, 7), "send on closed channel");
    chan_free(c);
}

CASE(select, receive_from_unready_blocks, "test/chan/select3.go")
{
    chan(int) c = chan_make(int);
    go(receive_from, c);
    must_block("chan receive");
}

CASE(select, empty_blocks, "test/chan/select3.go")
{
    go(select_nothing);
    must_block("select (no cases)");
}

CASE_DIFFERS(select, only_a_nil_receive_blocks, "test/chan/select3.go",
             "shown as [select] in a dump: Go's compiler turns a select of one case into the plain "
             "operation before the runtime sees it")
{
    go(select_nil_recv, NULL);
    must_block("select");
}

CASE_DIFFERS(select, only_a_nil_send_blocks, "test/chan/select3.go",
             "shown as [select] in a dump: Go's compiler turns a select of one case into the plain "
             "operation before the runtime sees it")
{
    go(select_nil_send, NULL);
    must_block("select");
}

CASE(select, only_nil_cases_block, "test/chan/select3.go")
{
    go(select_nil_both, NULL);
    must_block("select");
}

CASE(select, unready_case_blocks, "test/chan/select3.go")
{
    chan(int) c = chan_make(int);
    go(select_nil_recv, c);
    must_block("select");
}

CASE(select, default_alone_does_not_block, "test/chan/select3.go")
{
    struct go_case only[] = {go_case_default()};
    EXPECT_EQ_INT(chan_select(default), -1);
    EXPECT_EQ_INT(go_select_cases(only, 1), 0);
}

CASE(select, ready_send_is_chosen_over_default, "test/chan/select3.go")
{
    chan(int) c = chan_make(int, 1);
    switch (chan_select(send(a, c, 7), default)) {
    case a: break;
    default: UNREACHABLE(); break;
    }
    EXPECT_EQ_INT(chan_recv(c), 7);
    chan_free(c);
}

CASE(select, ready_receive_is_chosen_over_default, "test/chan/select3.go")
{
    chan(int) c = chan_make(int, 1);
    chan_send(c, 7);
    switch (chan_select(recv(a, c), default)) {
    case a: break;
    default: UNREACHABLE(); break;
    }
    chan_free(c);
}

CASE(select, closed_channel_is_ready, "test/chan/select3.go")
{
    chan(int) c = closed_channel();
    int v = 7;
    bool ok = true;
    EXPECT_EQ_INT(chan_select(recv(plain, c)), plain);
    EXPECT_EQ_INT(chan_select(recv(value, c, &v)), value);
    EXPECT_EQ_INT(v, 0);
    v = 7;
    EXPECT_EQ_INT(chan_select(recv(both, c, &v, &ok)), both);
    EXPECT(v == 0 && !ok);
    chan_free(c);
}

static void select_send(chan(int) c) { (void)chan_select(send(a, c, 7)); }

CASE(select, send_case_on_closed_panics, "test/chan/select3.go")
{
    chan(int) c = closed_channel();
    EXPECT_EQ_STR(PANIC_OF(select_send, c), "send on closed channel");
    chan_free(c);
}

static void select_itself(chan(int) c)
{
    switch (chan_select(send(a, c, 1), recv(b, c))) {
    case a: UNREACHABLE(); break;
    case b: UNREACHABLE(); break;
    }
}

CASE(select, does_not_meet_itself, "test/chan/select3.go")
{
    go(select_itself, chan_make(int));
    must_block("select");
}

/* ---- test/chan/select.go, select2, select4 ... select8, doubleselect, nonblock ---- */

static int shift;
static chan(unsigned) only_odd(chan(unsigned) a, int odd)
{
    return ((shift++ & 1) == odd) ? a : NULL;
}

static void send_counter(chan(unsigned) a, chan(unsigned) b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        /* One of both is nil each time, in turn. */
        chan(unsigned) x = only_odd(a, (int)i & 1);
        chan(unsigned) y = only_odd(b, (int)i & 1);
        (void)chan_select(send(first, x, i), send(second, y, i));
    }
    chan_close(a);
    chan_close(b);
}

CASE(select, counter_split_over_two_channels, "test/chan/select.go")
{
    enum { N = 1000 };
    chan(unsigned) a = chan_make(unsigned, 1);
    chan(unsigned) b = chan_make(unsigned, 1);
    chan(unsigned) x = a;
    chan(unsigned) y = b;
    unsigned v, sum = 0;
    bool ok;
    go(send_counter, a, b, (unsigned)N);
    while (x != NULL || y != NULL) {
        switch (chan_select(recv(first, x, &v, &ok), recv(second, y, &v, &ok))) {
        case first: x = ok ? x : NULL; break;
        case second: y = ok ? y : NULL; break;
        }
        sum += v;
    }
    EXPECT_EQ_INT(sum, N * (N - 1) / 2);
    chan_free(a);
    chan_free(b);
}

static void send_for_ever(chan(int) c, chan(int) quit, int n)
{
    for (int i = 0; i < n; i++) {
        (void)chan_select(send(put, c, i), recv(over, quit));
    }
    chan_send(quit, 0);
}
static void receive_for_ever(chan(int) c, chan(int) idle, chan(int) quit, int n)
{
    for (int i = 0; i < n; i++) {
        (void)chan_select(recv(got, c), recv(never, idle), recv(neither, idle));
    }
    chan_send(quit, 0);
}

CASE_DIFFERS(select, unready_cases_leave_no_records, "test/chan/select2.go",
             "looks at what the process maps, not at a collector's count of bytes")
{
    chan(int) c = chan_make(int);
    chan(int) idle = chan_make(int);
    chan(int) quit = chan_make(int);
    long before = 0;
    long least = LONG_MAX;
    bool measured = !test_under("thread") && !test_under("address");
    /* A thread may begin in any round, and has a stack and an arena; what selects leave grows in
     * each of them. */
    for (int round = 0; round < (measured ? 10 : 2) && least >= 64; round++) {
        int n = (int)test_iterations(20000);
        long pages = 0;
        go(send_for_ever, c, quit, n);
        go(receive_for_ever, c, idle, quit, n);
        (void)chan_recv(quit);
        (void)chan_recv(quit);
        FILE *f = fopen("/proc/self/statm", "re");
        REQUIRE(f != NULL && fscanf(f, "%*d %ld", &pages) == 1);
        fclose(f);
        if (round > 0) {
            least = pages - before < least ? pages - before : least;
        }
        before = pages;
    }
    EXPECT(!measured || least < 64);
    await_count(1);
    chan_free(c);
    chan_free(idle);
    chan_free(quit);
}

CASE(select, case_not_taken_assigns_nothing, "test/chan/select4.go")
{
    chan(int) c = chan_make(int);
    chan(int) full = chan_make(int, 1);
    int v = 7;
    bool ok = true;
    switch (chan_select(recv(a, c, &v, &ok), send(b, full, 42))) {
    case a: UNREACHABLE(); break;
    case b: break;
    }
    EXPECT_EQ_INT(v, 7);
    EXPECT(ok);
    chan_free(c);
    chan_free(full);
}

/* All combinations of one, two or three cases over the states a channel may be in: what select
 * chooses must be one of the ready ones, and must have happened, and nothing else. */
enum state { NIL, EMPTY, FULL, ROOM, CLOSED, STATES };
static bool is_ready(enum state s, bool send)
{
    return send ? s == ROOM : s == FULL || s == CLOSED;
}
static chan(int) channel_in(enum state s)
{
    chan(int) c = s == NIL ? NULL : chan_make(int, s == EMPTY ? 0 : 2);
    if (s == FULL) {
        chan_send(c, 1);
        chan_send(c, 2);
    } else if (s == CLOSED) {
        chan_close(c);
    }
    return c;
}

static void check_performed(enum state s, bool send, chan(int) c, int v, bool ok)
{
    if (send) {
        EXPECT_EQ_INT(chan_len(c), 1);
        EXPECT_EQ_INT(chan_recv(c), 9);
    } else if (s == CLOSED) {
        EXPECT(!ok && v == 0);
    } else {
        EXPECT(ok && v == 1);
        EXPECT_EQ_INT(chan_len(c), 1);
    }
}

static void generated(const int *kind, int n)
{
    chan(int) c[3];
    struct go_case cases[4];
    int v[3] = {7, 7, 7};
    int nine = 9;
    bool ok[3] = {true, true, true};
    int ready = 0;
    for (int i = 0; i < n; i++) {
        enum state s = (enum state)(kind[i] / 2);
        bool send = (kind[i] & 1) != 0;
        c[i] = channel_in(s);
        cases[i] = send ? go_case_send(c[i], &nine) : go_case_recv(c[i], &v[i], &ok[i]);
        ready += is_ready(s, send) ? 1 : 0;
    }
    cases[n] = go_case_default();
    int chosen = go_select_cases(cases, (size_t)n + 1);
    EXPECT_EQ_INT(chosen == n, ready == 0);
    for (int i = 0; i < n; i++) {
        enum state s = (enum state)(kind[i] / 2);
        bool send = (kind[i] & 1) != 0;
        if (i == chosen) {
            EXPECT(is_ready(s, send));
            check_performed(s, send, c[i], v[i], ok[i]);
        } else {
            EXPECT(v[i] == 7 && ok[i]);
            EXPECT_EQ_INT(chan_len(c[i]), s == FULL ? 2 : 0);
        }
        chan_free(c[i]);
    }
}

static bool may_be_generated(int kind) { return kind != 2 * CLOSED + 1; /* panics */ }

CASE_DIFFERS(select, every_combination_of_one_two_and_three_cases, "test/chan/select5.go",
             "Go generates the source of every shape of the statement; here the cases are built at "
             "run time, and tests/unit/surface has the shapes of the macro")
{
    for (int a = 0; a < 2 * STATES; a++) {
        for (int b = 0; b < 2 * STATES && may_be_generated(a); b++) {
            for (int c = 0; c < 2 * STATES && may_be_generated(b); c++) {
                const int kind[] = {a, b, c};
                if (may_be_generated(c)) {
                    generated(kind, 3);
                }
            }
            if (may_be_generated(b)) {
                const int kind[] = {a, b};
                generated(kind, 2);
            }
        }
        if (may_be_generated(a)) {
            generated(&a, 1);
        }
    }
}

static void wait_either(chan(bool) c1, chan(bool) c2, chan(bool) c3)
{
    switch (chan_select(recv(one, c1), recv(two, c2))) {
    case one: UNREACHABLE(); break;
    case two: chan_send(c3, true); break;
    }
    (void)chan_recv(c1);
}
static void receive_any(chan(bool) c) { (void)chan_recv(c); }

CASE(select, losing_case_leaves_the_other_waiters_in_line, "test/chan/select6.go")
{
    chan(bool) c1 = chan_make(bool);
    chan(bool) c2 = chan_make(bool);
    chan(bool) c3 = chan_make(bool);
    go(receive_any, c1);
    await_parked(1, "chan receive");
    go(wait_either, c1, c2, c3);
    await_parked(1, "select");
    chan_send(c2, true);
    (void)chan_recv(c3);
    chan_send(c1, true);
    chan_send(c1, true);
    await_count(1);
    chan_free(c1);
    chan_free(c2);
    chan_free(c3);
}

/* Values sent to a receiver of every shape, by a sender of every shape. */
static void send_shape(chan(int) c, int shape, int v)
{
    chan(int) idle = chan_make(int);
    switch (shape) {
    case 0: chan_send(c, v); break;
    case 1: (void)chan_select(send(put, c, v)); break;
    case 2: (void)chan_select(send(put2, c, v), recv(never, idle)); break;
    default:
        while (!chan_try_send(c, v)) {
            go_yield();
        }
        break;
    }
    chan_free(idle);
}
static void receive_shape(chan(int) c, int shape)
{
    chan(int) idle = chan_make(int);
    int v;
    bool ok;
    switch (shape) {
    case 0: (void)chan_recv(c); break;
    case 1: (void)chan_recv_ok(c, (int *)NULL); break;
    case 2: (void)chan_recv_ok(c, &v); break;
    case 3: (void)chan_select(recv(got, c)); break;
    case 4: (void)chan_select(recv(got4, c, &v), recv(never, idle)); break;
    default: (void)chan_select(recv(got5, c, &v, &ok), recv(never5, idle, &v)); break;
    }
    chan_free(idle);
}
CASE(select, received_values_may_be_dropped_in_every_shape, "test/chan/select7.go")
{
    for (int from = 0; from < 4; from++) {
        for (int to = 0; to < 6; to++) {
            chan(int) c = chan_make(int);
            go(send_shape, c, from, 5);
            receive_shape(c, to);
            await_count(1);
            chan_free(c);
        }
    }
}

CASE(select, break_leaves_the_select_only, "test/chan/select8.go")
{
    chan(int) c = chan_make(int, 1);
    int after = 0;
    for (int i = 0; i < 3; i++) {
        chan_send(c, i);
        switch (chan_select(recv(a, c), default)) {
        case a:
            if (i >= 0) {
                break;
            }
            UNREACHABLE();
            break;
        default: UNREACHABLE(); break;
        }
        after++;
        switch (chan_select(recv(a, c), default)) {
        case a: UNREACHABLE(); break;
        default:
            if (i == 1) {
                continue;
            }
            break;
        }
        after++;
    }
    EXPECT_EQ_INT(after, 5);
    chan_free(c);
}

struct quad {
    chan(int) c[4];
    go_waitgroup senders;
};
static void send_quad(struct quad *q, int n)
{
    for (int i = 0; i < n; i++) {
        (void)chan_select(send(a, q->c[0], i), send(b, q->c[1], i), send(d, q->c[2], i),
                          send(e, q->c[3], i));
    }
    for (int i = 0; i < 4; i++) {
        chan_close(q->c[i]);
    }
}
static void pass_on(chan(int) from, chan(int) to)
{
    chan_for(v, from) { chan_send(to, v); }
}
static void close_when_done(struct quad *q, chan(int) c)
{
    wg_wait(&q->senders);
    chan_close(c);
}

CASE(select, two_cases_never_both_happen, "test/chan/doubleselect.go")
{
    int n = (int)test_iterations(20000);
    struct quad q = {.senders = {0}};
    chan(int) mux = chan_make(int);
    char *seen = (char *)calloc((size_t)n, 1);
    int count = 0;
    for (int i = 0; i < 4; i++) {
        q.c[i] = chan_make(int);
        wg_go(&q.senders, pass_on, q.c[i], mux);
    }
    go(send_quad, &q, n);
    go(close_when_done, &q, mux);
    chan_for(v, mux)
    {
        REQUIRE_EQ_INT(seen[v], 0);
        seen[v] = 1;
        count++;
    }
    EXPECT_EQ_INT(count, n);
    await_count(1);
    for (int i = 0; i < 4; i++) {
        chan_free(q.c[i]);
    }
    chan_free(mux);
    free(seen);
}

/* A non-blocking operation meets a partner that is on its way, for one element type. */
#define NONBLOCK(T, first, second)                                                                 \
    static void receive_##T(chan(T) c, chan(bool) strobe)                                          \
    {                                                                                              \
        EXPECT(chan_recv(c) == (first));                                                           \
        chan_send(strobe, true);                                                                   \
    }                                                                                              \
    static void send_##T(chan(T) c, chan(bool) strobe)                                             \
    {                                                                                              \
        chan_send(c, (second));                                                                    \
        chan_send(strobe, true);                                                                   \
    }                                                                                              \
    CASE(select, nonblocking_##T, "test/chan/nonblock.go")                                         \
    {                                                                                              \
        for (int buffer = 0; buffer < 2; buffer++) {                                               \
            chan(T) c = chan_make(T, buffer);                                                      \
            chan(bool) strobe = chan_make(bool);                                                   \
            T v;                                                                                   \
            EXPECT(!chan_try_recv(c, &v));                                                         \
            go(receive_##T, c, strobe);                                                            \
            while (chan_select(send(put, c, (first)), default) < 0) {                              \
                go_yield();                                                                        \
            }                                                                                      \
            (void)chan_recv(strobe);                                                               \
            go(send_##T, c, strobe);                                                               \
            while (chan_select(recv(got, c, &v), default) < 0) {                                   \
                go_yield();                                                                        \
            }                                                                                      \
            EXPECT(v == (second));                                                                 \
            (void)chan_recv(strobe);                                                               \
            await_count(1);                                                                        \
            chan_free(c);                                                                          \
            chan_free(strobe);                                                                     \
        }                                                                                          \
    }
typedef const char *text;
static const char hello[] = "hello";
NONBLOCK(int32_t, 123, 234)
NONBLOCK(int64_t, 123456789012, 234567)
NONBLOCK(bool, true, true)
NONBLOCK(text, hello, hello + 1)

/* ---- runtime/chan_test.go ---- */

static void look_for_either(chan(int) a, chan(int) b, chan(bool) found)
{
    switch (chan_select(recv(x, a), recv(y, b), default)) {
    case x:
    case y: chan_send(found, true); break;
    default: chan_send(found, false); break;
    }
}

static void one_is_always_ready(bool by_close)
{
    chan(bool) found = chan_make(bool, 1);
    for (long i = test_iterations(3000); i > 0; i--) {
        chan(int) a = chan_make(int, 1);
        chan(int) b = chan_make(int, by_close ? 0 : 1);
        chan_send(a, 1);
        go(look_for_either, a, b, found);
        if (by_close) {
            chan_close(b);
        } else {
            chan_send(b, 1);
        }
        (void)chan_try_recv(a, (int *)NULL);
        REQUIRE(chan_recv(found));
        chan_free(a);
        chan_free(b);
    }
    await_count(1);
    chan_free(found);
}

CASE(select, sees_all_channels_at_one_moment, "runtime/chan_test.go TestNonblockSelectRace")
{
    one_is_always_ready(false);
}

CASE(select, sees_a_close_at_one_moment, "runtime/chan_test.go TestNonblockSelectRace2")
{
    one_is_always_ready(true);
}

static void self_select(chan(int) c, int p, int n, bool buffered)
{
    int v;
    for (int i = 0; i < n; i++) {
        int chosen;
        bool received;
        if (p == 0 || i % 2 == 0) {
            chosen = chan_select(send(put, c, p), recv(got, c, &v));
            received = chosen == got;
        } else {
            chosen = chan_select(recv(got2, c, &v), send(put2, c, p));
            received = chosen == got2;
        }
        EXPECT(buffered || !received || v != p);
    }
}

static void self_select_pair(int cap)
{
    go_waitgroup wg = {0};
    chan(int) c = chan_make(int, cap);
    for (int p = 0; p < 2; p++) {
        wg_go(&wg, self_select, c, p, 1000, cap > 0);
    }
    wg_wait(&wg);
    chan_free(c);
}

CASE(select, self_select_unbuffered, "runtime/chan_test.go TestSelfSelect")
{
    self_select_pair(0);
}

CASE(select, self_select_buffered, "runtime/chan_test.go TestSelfSelect")
{
    self_select_pair(10);
}

static void send_zeros(chan(int) c, int n)
{
    for (int i = 0; i < n; i++) {
        chan_send(c, 0);
    }
}
static void receive_zeros(chan(int) c, int n)
{
    for (int i = 0; i < n; i++) {
        EXPECT_EQ_INT(chan_recv(c), 0);
    }
}
/* All four in one select, in an order that is not that of the others; done ones become nil. */
static void all_in_one(const struct quad *q, int n, bool send)
{
    static const int order[2][4] = {{0, 1, 2, 3}, {3, 2, 0, 1}};
    int zero = 0;
    int done[4] = {0};
    struct go_case cases[4];
    for (int k = 0; k < 4; k++) {
        chan(int) c = q->c[order[send][k]];
        cases[k] = send ? go_case_send(c, &zero) : go_case_recv(c, (int *)NULL, NULL);
    }
    for (int i = 0; i < 4 * n; i++) {
        int k = go_select_cases(cases, 4);
        if (++done[k] == n) {
            cases[k].c = NULL;
        }
    }
}

CASE(select, stress_of_all_kinds_on_four_channels, "runtime/chan_test.go TestSelectStress")
{
    int n = (int)test_iterations(4000);
    struct quad q = {{chan_make(int), chan_make(int), chan_make(int, 2), chan_make(int, 3)}, {0}};
    go_waitgroup wg = {0};
    for (int k = 0; k < 4; k++) {
        wg_go(&wg, send_zeros, q.c[k], n);
        wg_go(&wg, receive_zeros, q.c[k], n);
    }
    wg_go(&wg, all_in_one, &q, n, true);
    wg_go(&wg, all_in_one, &q, n, false);
    wg_wait(&wg);
    for (int k = 0; k < 4; k++) {
        chan_free(q.c[k]);
    }
}

CASE(select, is_fair_between_ready_cases, "runtime/chan_test.go TestSelectFairness")
{
    enum { TRIALS = 10000 };
    chan(char) a = chan_make(char, TRIALS + 1);
    chan(char) b = chan_make(char, TRIALS + 1);
    chan(char) idle = chan_make(char);
    int first = 0;
    for (int i = 0; i < TRIALS + 1; i++) {
        chan_send(a, 1);
        chan_send(b, 2);
    }
    for (int i = 0; i < TRIALS; i++) {
        char v = 0;
        (void)chan_select(recv(w, idle, &v), recv(x, idle, &v), recv(y, a, &v), recv(z, b, &v));
        first += v == 1 ? 1 : 0;
    }
    /* The standard deviation is 50. */
    EXPECT_INT(first, >, TRIALS / 2 - 500);
    EXPECT_INT(first, <, TRIALS / 2 + 500);
    chan_free(a);
    chan_free(b);
    chan_free(idle);
}

static void tally_bits(chan(int) c, int n, int *ones)
{
    for (int i = 0; i < n; i++) {
        go_yield();
        *ones += chan_recv(c);
    }
}

static void random_bits(int cap)
{
    enum { N = 200 };
    chan(int) c = chan_make(int, cap);
    int ones = 0;
    go_waitgroup wg = {0};
    wg_go(&wg, tally_bits, c, (int)N, &ones);
    for (int i = 0; i < N; i++) {
        (void)chan_select(send(one, c, 1), send(zero, c, 0));
    }
    wg_wait(&wg);
    EXPECT_INT(ones, >, N / 10);
    EXPECT_INT(ones, <, N - N / 10);
    chan_free(c);
}

CASE(select, sends_at_random_unbuffered, "runtime/chan_test.go TestPseudoRandomSend")
{
    random_bits(0);
}

CASE(select, sends_at_random_buffered, "runtime/chan_test.go TestPseudoRandomSend")
{
    random_bits(200);
}

CASE(select, same_channel_twice, "runtime/chan_test.go TestSelectDuplicateChannel")
{
    chan(int) c = chan_make(int);
    chan(int) d = chan_make(int);
    chan(int) e = chan_make(int);
    go_do(c, d, e) {
        (void)chan_select(recv(x, c), recv(y, d), recv(z, c), recv(w, d));
        chan_send(e, 9);
    };
    await_parked(1, "select");
    go_do(c) {
        (void)chan_recv(c);
    };
    await_parked(1, "chan receive");
    chan_send(d, 7);
    (void)chan_recv(e);
    /* The plain receiver is still in line. */
    chan_send(c, 8);
    await_count(1);
    chan_free(c);
    chan_free(d);
    chan_free(e);
}

static int deep(int n)
{
    volatile char page[1024];
    page[0] = (char)n;
    return n == 0 ? 0 : deep(n - 1) + page[0] - (char)n;
}

CASE(select, targets_on_a_stack_that_was_deep, "runtime/chan_test.go TestSelectStackAdjust")
{
    chan(int) c = chan_make(int);
    chan(int) d = chan_make(int);
    chan(int) ready = chan_make(int);
    for (int round = 0; round < 2; round++) {
        go_do(c, d, ready, round) {
            int v[2] = {10, 11};
            EXPECT_EQ_INT(deep(40), 0);
            (void)chan_select(recv(x, c, &v[0]), recv(y, d, &v[1]));
            EXPECT_EQ_INT(deep(40), 0);
            chan_send(ready, v[round] * 100 + v[1 - round]);
        };
        await_parked(1, "select");
        chan_send(round == 0 ? c : d, 42);
        EXPECT_EQ_INT(chan_recv(ready), 42 * 100 + (round == 0 ? 11 : 10));
    }
    await_count(1);
    chan_free(c);
    chan_free(d);
    chan_free(ready);
}

/* ---- what is evaluated when (test/fixedbugs) ---- */

static int steps[8];
static int step_count;
static int step(int n)
{
    steps[step_count++] = n;
    return n;
}
static chan(int) channel_of(chan(int) c, int n)
{
    step(n);
    return c;
}

CASE(select, expressions_are_evaluated_once_and_in_order, "test/fixedbugs/issue4313.go")
{
    chan(int) a = chan_make(int, 1);
    chan(int) b = chan_make(int, 1);
    /* The values of cases that are not taken are evaluated as well. */
    int chosen = chan_select(send(x, channel_of(NULL, 1), step(2)), recv(y, channel_of(b, 3)),
                             send(z, channel_of(a, 4), step(5)));
    EXPECT_EQ_INT(chosen, z);
    EXPECT_EQ_INT(step_count, 5);
    for (int i = 0; i < step_count; i++) {
        EXPECT_EQ_INT(steps[i], i + 1);
    }
    EXPECT_EQ_INT(chan_recv(a), 5);
    chan_free(a);
    chan_free(b);
}

static chan(int) swapped;
static int swap_and(chan(int) to, int v)
{
    swapped = to;
    return v;
}

CASE(select, channel_variable_changed_while_cases_are_evaluated, "test/fixedbugs/issue43111.go")
{
    chan(int) a = chan_make(int, 1);
    chan(int) b = chan_make(int, 1);
    swapped = a;
    EXPECT_EQ_INT(chan_select(send(x, swapped, 1), send(y, NULL ? a : NULL, swap_and(b, 2))), x);
    EXPECT_EQ_PTR(swapped, b);
    EXPECT_EQ_INT(chan_len(a), 1);
    EXPECT_EQ_INT(chan_len(b), 0);
    chan_free(a);
    chan_free(b);
}

CASE(select, ok_is_written_each_time, "test/fixedbugs/issue8347.go")
{
    chan(int) c = chan_make(int, 1);
    chan(int) other = chan_make(int, 1);
    for (int i = 0; i < 12; i++) {
        int v = -1;
        bool ok = false;
        chan_send(c, i);
        (void)chan_select(recv(x, c, &v, &ok), recv(y, other, &v, &ok));
        EXPECT(ok);
        EXPECT_EQ_INT(v, i);
    }
    chan_close(c);
    for (int i = 0; i < 12; i++) {
        bool ok = true;
        (void)chan_select(recv(x, c, (int *)NULL, &ok), recv(y, other, (int *)NULL, &ok));
        EXPECT(!ok);
    }
    chan_free(c);
    chan_free(other);
}

CASE(select, sixty_thousand_cases, "runtime/chan_test.go TestSelectStress")
{
    enum { N = 60000 };
    chan(int) last = chan_make(int, 1);
    struct go_case *cases = (struct go_case *)calloc(N, sizeof *cases);
    for (int i = 0; i < N; i++) {
        cases[i] = go_case_recv((chan(int))NULL, (int *)NULL, NULL);
    }
    cases[N - 1] = go_case_recv(last, (int *)NULL, NULL);
    chan_send(last, 1);
    EXPECT_EQ_INT(go_select_cases(cases, N), N - 1);
    free(cases);
    chan_free(last);
}

static void select_many(chan(int) c, int n)
{
    struct go_case *cases = (struct go_case *)calloc((size_t)n, sizeof *cases);
    go_defer(free, cases);
    for (int i = 0; i < n; i++) {
        cases[i] = go_case_recv(c, (int *)NULL, NULL);
    }
    (void)go_select_cases(cases, (size_t)n);
}

CASE(select, too_many_cases_panic, "runtime/chan_test.go TestSelectStress")
{
    chan(int) c = closed_channel();
    EXPECT_EQ_STR(PANIC_OF(select_many, c, 65537), "reflect.Select: too many cases (max 65536)");
    chan_free(c);
}

OUTPUT(select, powers_of_two_by_turns, "test/chan/select.go")
{
    chan(int) c = chan_make(int);
    chan(int) quit = chan_make(int);
    go_do(c, quit) {
        for (int i = 0; i < 10; i++) {
            say("%d\n", chan_recv(c));
        }
        chan_send(quit, 0);
    };
    for (int v = 1;;) {
        switch (chan_select(send(put, c, v), recv(over, quit))) {
        case put: v *= 2; break;
        case over: say("quit\n"); return;
        }
    }
}
