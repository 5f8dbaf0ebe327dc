/* SPDX-License-Identifier: MIT */
/* chan_select as a statement: the names, the ways out of the switch, every kind of case, and cases
 * built at run time. Compiled as C and as C++, where the names are declared before. */
#include "harness.h"
#include <gort/short.h>
#include <stdio.h>
#include <stdlib.h>
/* The words of the macro are those of POSIX. */
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

struct point {
    int x, y;
};
#ifdef __cplusplus
#define POINT(a, b) (point{ a, b })
#else
#define POINT(a, b) (struct point){ a, b }
#endif

static int loop(recv_chan(int) in, send_chan(struct point) out, recv_chan(char) quit)
{
    int v;
    int n = 0;
    bool ok;
    go_select_names(got, put, stop);
    for (;;) {
        switch (chan_select(recv(got, in, &v, &ok), send(put, out, POINT(n, 1)),
                            recv(stop, quit))) {
        case got:
            if (!ok) {
                in = NULL;
                continue; /* the for loop; a NULL channel is never ready */
            }
            n += v;
            break; /* the switch */
        case put:
            n++;
            continue;
        case stop:
            return n;
        }
        if (n > 1000000) {
            return -1;
        }
    }
}

static void feed(send_chan(int) c)
{
    for (int i = 1; i <= 3; i++) {
        chan_send(c, i);
    }
    chan_close(c);
}

static void drain(recv_chan(struct point) c, send_chan(char) quit)
{
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ_INT(chan_recv(c).y, 1);
    }
    chan_send(quit, 1);
}

TEST(select, statement_with_every_way_out)
{
    chan(int) a = chan_make(int);
    chan(struct point) b = chan_make(struct point);
    chan(char) quit = chan_make(char);
    go(feed, a);
    go(drain, b, quit);
    int n = loop(a, b, quit);
    EXPECT(n >= 5 && n <= 11);
    if (n < 11) {
        chan_for(v, a) {
            n += v;
        }
    }
    EXPECT_EQ_INT(n, 11);
    chan_free(a);
    chan_free(b);
    chan_free(quit);
}

TEST(select, default_and_after)
{
    chan(int) c = chan_make(int, 1);
    int x = -1;
    go_select_names(got, late);
    switch (chan_select(recv(got, c, &x), default)) {
    case got:
        FAIL("nothing was sent");
        break;
    default:
        x = 7;
    }
    EXPECT_EQ_INT(x, 7);
    go_time t = go_now();
    switch (chan_select(recv(got, c, &x), after(late, 5 * GO_MS))) {
    case got:
        FAIL("nothing was sent");
        break;
    case late:
        x = 8;
    }
    EXPECT_EQ_INT(x, 8);
    EXPECT(go_since(t) >= 5 * GO_MS);
    chan_free(c);
}

TEST(select, is_an_expression)
{
    chan(int) c = chan_make(int, 1);
    go_select_names(sent, again, taken);
    if (chan_select(send(sent, c, 5), default) < 0) {
        FAIL("there was room");
    }
    EXPECT(chan_select(send(again, c, 5), default) == -1);
    chan_select(default);
    chan_select(recv(taken, c));
    EXPECT_EQ_UINT(chan_len(c), 0);
    chan_free(c);
}

static int evaluations;
static chan(int) once(chan(int) c)
{
    evaluations++;
    return c;
}
static int value(void) { return ++evaluations; }

TEST(select, each_argument_is_evaluated_once)
{
    chan(int) c = chan_make(int, 1);
    int v = 0;
    bool ok = false;
    go_select_names(got, put);
    chan_select(send(put, once(c), value()), recv(got, NULL == c ? c : once(c), &v, &ok));
    EXPECT_EQ_INT(evaluations, 3);
    chan_free(c);
}

TEST(select, pointers_may_be_null)
{
    chan(int) c = chan_make(int, 2);
    bool ok = false;
    go_select_names(got, also);
    chan_send(c, 1);
    chan_send(c, 2);
    chan_select(recv(got, c, NULL));
    chan_select(recv(also, c, NULL, &ok));
    EXPECT(ok);
    EXPECT_EQ_UINT(chan_len(c), 0);
    chan_free(c);
}

TEST(select, nests)
{
    chan(int) a = chan_make(int, 1);
    chan(int) b = chan_make(int, 1);
    int x = 0;
    go_select_names(first, second);
    chan_send(a, 1);
    chan_send(b, 2);
    switch (chan_select(recv(first, a, &x))) {
    case first:
        switch (chan_select(recv(second, b, &x), default)) {
        case second:
            x += 10;
            break;
        default:
            FAIL("b was ready");
        }
        break;
    }
    EXPECT_EQ_INT(x, 12);
    chan_free(a);
    chan_free(b);
}

#ifndef __cplusplus
TEST(select, twenty_four_cases)
{
    chan(int) m[24];
    int x = 0;
    for (int i = 0; i < 24; i++) {
        m[i] = chan_make(int, 1);
    }
    chan_send(m[23], 77);
    switch (chan_select(recv(c0, m[0]), recv(c1, m[1]), recv(c2, m[2]), recv(c3, m[3]),
                        recv(c4, m[4]), recv(c5, m[5]), recv(c6, m[6]), recv(c7, m[7]),
                        recv(c8, m[8]), recv(c9, m[9]), recv(c10, m[10]), recv(c11, m[11]),
                        recv(c12, m[12]), recv(c13, m[13]), recv(c14, m[14]), recv(c15, m[15]),
                        recv(c16, m[16]), recv(c17, m[17]), recv(c18, m[18]), recv(c19, m[19]),
                        recv(c20, m[20]), recv(c21, m[21]), recv(c22, m[22]),
                        recv(c23, m[23], &x))) {
    case c23:
        break;
    default:
        FAIL("another channel was ready");
    }
    EXPECT_EQ_INT(x, 77);
    for (int i = 0; i < 24; i++) {
        chan_free(m[i]);
    }
}
#endif

TEST(select, cases_built_at_run_time)
{
    enum { N = 100 };
    chan(int) c[N];
    struct go_case cases[N + 2];
    int v = 0;
    int out = 5;
    bool ok = false;
    for (int i = 0; i < N; i++) {
        c[i] = chan_make(int, 1);
        cases[i] = go_case_recv(c[i], &v, &ok);
    }
    chan_send(c[60], 9);
    EXPECT_EQ_INT(go_select_cases(cases, N), 60);
    EXPECT_EQ_INT(v, 9);
    EXPECT(ok);
    cases[N] = go_case_default();
    EXPECT_EQ_INT(go_select_cases(cases, N + 1), N);
    cases[N] = go_case_after(GO_MS);
    EXPECT_EQ_INT(go_select_cases(cases, N + 1), N);
    cases[N] = go_case_recv(c[0], NULL, NULL);
    cases[N + 1] = go_case_send(c[7], &out);
    for (int i = 0; i < N; i++) {
        cases[i] = go_case_recv(c[1], NULL, NULL);
    }
    EXPECT_EQ_INT(go_select_cases(cases, N + 2), N + 1);
    EXPECT_EQ_INT(chan_recv(c[7]), 5);
    for (int i = 0; i < N; i++) {
        chan_free(c[i]);
    }
}

TEST(select, words_of_posix_stay_usable)
{
    int sv[2];
    char b[4] = { 0 };
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
    EXPECT_EQ_INT(send(sv[0], "hi", 2, 0), 2);
    EXPECT_EQ_INT(recv(sv[1], b, 2, 0), 2);
    fd_set set;
    FD_ZERO(&set);
    struct timeval tv = { 0, 0 };
    EXPECT_EQ_INT(select(0, &set, NULL, NULL, &tv), 0);
    chan(int) c = chan_make(int, 1);
    int v = 0;
    go_select_names(got);
    chan_send(c, 3);
    switch (chan_select(recv(got, c, &v), default)) {
    case got:
        break;
    default:
        FAIL("c was ready");
    }
    EXPECT_EQ_INT(v, 3);
    chan_free(c);
    close(sv[0]);
    close(sv[1]);
}
