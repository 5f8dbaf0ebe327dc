/* SPDX-License-Identifier: MIT */
/* Channels as types: elements of every kind, conversions, directions, every operation of the
 * surface. What channels do is tested with the runtime. Compiled as C and as C++. */
#include "harness.h"
#include <gort/short.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct point {
    int x, y;
    double w;
};
enum color { RED, GREEN };
__extension__ typedef struct {
} nothing;
struct server {
    chan(int) requests;
    recv_chan(struct point) events;
    chan(int) shards[4];
};

static void produce(send_chan(int) out, int n)
{
    for (int i = 0; i < n; i++) {
        chan_send(out, i);
    }
    chan_close(out);
}

static int sum(recv_chan(int) in)
{
    int s = 0;
    chan_for(v, in) {
        if (v == 3) {
            continue;
        }
        if (v == 100) {
            break;
        }
        s += v;
    }
    return s;
}

static recv_chan(int) counter(int n)
{
    chan(int) c = chan_make(int);
    go(produce, c, n);
    return c;
}

TEST(chan_types, bidirectional_becomes_directional_by_itself)
{
    chan(int) c = chan_make(int, 2);
    go(produce, c, 10);
    EXPECT_EQ_INT(sum(c), 42);
    chan_free(c);
    recv_chan(int) r = counter(5);
    EXPECT_EQ_INT(sum(r), 7);
    chan_free(r);
}

TEST(chan_types, numbers_convert_as_in_an_assignment)
{
    chan(double) d = chan_make(double, 4);
    chan_send(d, 1);
    chan_send(d, 2.5f);
    EXPECT_EQ_UINT(chan_len(d), 2);
    EXPECT_EQ_UINT(chan_cap(d), 4);
    EXPECT(chan_recv(d) + chan_recv(d) == 3.5);
    chan_free(d);
}

TEST(chan_types, structs_and_braces)
{
    chan(struct point) p = chan_make(struct point, 4);
    struct point pt = { 1, 2, 3 };
    chan_send(p, pt);
    chan_send(p, { 4, 5, 6 });
#ifndef __cplusplus
    chan_send(p, (struct point){ .x = 7, .y = 8 });
#else
    chan_send(p, point{ 7, 8, 0 });
#endif
    EXPECT_EQ_INT(chan_recv(p).y, 2);
    struct point got;
    EXPECT(chan_recv_ok(p, &got));
    EXPECT(got.w == 6);
    EXPECT_EQ_INT(chan_recv(p).x, 7);
    chan_close(p);
    EXPECT(!chan_recv_ok(p, &got));
    EXPECT_EQ_INT(got.x, 0);
    EXPECT_EQ_INT(chan_recv(p).y, 0);
    chan_free(p);
}

static int add(int a, int b) { return a + b; }

TEST(chan_types, pointers_enums_functions_and_channels)
{
    chan(const char *) s = chan_make(const char *, 1);
    chan_send(s, "literal");
    EXPECT_EQ_STR(chan_recv(s), "literal");
    chan(enum color) e = chan_make(enum color, 1);
    chan_send(e, GREEN);
    EXPECT(chan_recv(e) == GREEN);
    chan(int (*)(int, int)) f = chan_make(int (*)(int, int), 1);
    chan_send(f, add);
    EXPECT_EQ_INT(chan_recv(f)(2, 3), 5);
    chan(void *) v = chan_make(void *, 1);
    chan_send(v, s);
    EXPECT_EQ_PTR(chan_recv(v), s);
    chan(chan(int)) cc = chan_make(chan(int), 1);
    chan(int) c = chan_make(int, 1);
    chan_send(c, 5);
    chan_send(cc, c);
    EXPECT_EQ_INT(chan_recv(chan_recv(cc)), 5);
    chan(bool) b = chan_make(bool, 1);
    chan_send(b, 3 > 2);
    EXPECT(chan_recv(b));
    chan_free(s);
    chan_free(e);
    chan_free(f);
    chan_free(v);
    chan_free(cc);
    chan_free(c);
    chan_free(b);
}

TEST(chan_types, elements_of_no_size)
{
    chan(nothing) c = chan_make(nothing, 2);
    nothing n = {};
    chan_send(c, n);
    chan_send(c, {});
    EXPECT(!chan_try_send(c, n));
    EXPECT_EQ_UINT(chan_len(c), 2);
    EXPECT_EQ_UINT(chan_cap(c), 2);
    n = chan_recv(c);
    EXPECT(chan_recv_ok(c, &n));
    EXPECT(!chan_try_recv(c, &n));
    EXPECT_EQ_INT(chan_recv_until(c, &n, go_now() + GO_MS), -ETIMEDOUT);
    chan_send(c, n);
    chan_close(c);
    EXPECT(chan_recv_ok(c, NULL));
    EXPECT(!chan_recv_ok(c, &n));
    chan_recv(c);
    chan_free(c);
}

static void send_nothings(send_chan(nothing) out, int n)
{
    for (int i = 0; i < n; i++) {
        chan_send(out, {});
    }
    chan_close(out);
}

TEST(chan_types, elements_of_no_size_between_goroutines)
{
    for (int room = 0; room < 2; room++) {
        chan(nothing) c = room == 0 ? chan_make(nothing) : chan_make(nothing, 3);
        go(send_nothings, c, 20);
        int n = 0;
        chan_recv(c);
        chan_for(v, c) {
            n++;
        }
        EXPECT_EQ_INT(n, 19);
        chan_free(c);
    }
}

/* Nothing is copied, whatever the language of either side takes for its size. */
TEST(chan_types, elements_of_no_size_are_none_in_both_languages)
{
    chan(nothing) c = chan_make(nothing, 1);
    struct {
        char before;
        nothing n;
        char after;
    } at = { 1, {}, 2 };
    chan_send(c, at.n);
    memset(&at, 0x55, sizeof at);
    EXPECT(chan_recv_ok(c, &at.n));
    chan_close(c);
    EXPECT(!chan_recv_ok(c, &at.n));
    for (size_t i = 0; i < sizeof at; i++) {
        EXPECT_EQ_INT(((char *)&at)[i], 0x55);
    }
    chan_free(c);
}

/* What is received from a chan(const int) are ints. */
TEST(chan_types, qualifiers_of_the_element_do_not_count)
{
    chan(const int) c = chan_make(const int, 3);
    chan(volatile int) d = chan_make(volatile int, 1);
    int v = 0;
    chan_send(c, 1);
    chan_send(c, 2);
    chan_send(c, 3);
    v = chan_recv(c);
    chan_send(d, v);
    EXPECT(chan_recv_ok(c, &v));
    EXPECT_EQ_INT(v, 2);
    EXPECT_EQ_INT(chan_recv(d), 1);
    chan_close(c);
    chan_for(x, c) {
        x++;
        v += x;
    }
    EXPECT_EQ_INT(v, 6);
    chan_free(c);
    chan_free(d);
}

TEST(chan_types, fields_and_arrays)
{
    chan(int) r = chan_make(int, 1);
    chan(struct point) p = chan_make(struct point);
    struct server server = { r, p, { r, r, r, r } };
    chan_send(server.shards[2], 9);
    EXPECT_EQ_INT(chan_recv(server.shards[0]), 9);
    chan_free(r);
    chan_free(p);
}

static int evaluations;
static chan(int) once(chan(int) c)
{
    evaluations++;
    return c;
}

TEST(chan_types, each_argument_is_evaluated_once)
{
    chan(int) c = chan_make(int, 4);
    int v = 0;
    int sent = 0;
    bool ok = false;
    chan_send(once(c), sent++);
    EXPECT_EQ_INT(chan_recv(once(c)), 0);
    ok = chan_try_send(once(c), sent++);
    EXPECT(ok);
    ok = chan_recv_ok(once(c), &v);
    EXPECT(ok);
    EXPECT_EQ_INT(chan_send_until(once(c), sent++, GO_FOREVER), 0);
    EXPECT_EQ_INT(chan_recv_until(once(c), &v, GO_FOREVER), 0);
    EXPECT_EQ_INT(v, 2);
    EXPECT_EQ_INT(sent, 3);
    EXPECT_EQ_UINT(chan_len(once(c)), 0);
    EXPECT_EQ_UINT(chan_cap(once(c)), 4);
    EXPECT_EQ_PTR(chan_ref(once(c)), c);
    chan_free(once(c));
    chan_close(once(c));
    chan_for(x, once(c)) {
        v += x;
    }
    EXPECT_EQ_INT(evaluations, 12);
    chan_free(c);
}

TEST(chan_types, received_value_may_be_ignored)
{
    chan(int) c = chan_make(int, 2);
    chan_send(c, 1);
    chan_send(c, 2);
    chan_recv(c);
    EXPECT(chan_recv_ok(c, NULL));
    EXPECT_EQ_UINT(chan_len(c), 0);
    chan_free(c);
}

TEST(chan_types, operations_that_do_not_wait)
{
    chan(int) c = chan_make(int, 1);
    int v = 7;
    EXPECT(!chan_try_recv(c, &v));
    EXPECT(chan_try_send(c, 1));
    EXPECT(!chan_try_send(c, 2));
    EXPECT(chan_try_recv(c, &v));
    EXPECT_EQ_INT(v, 1);
    EXPECT_EQ_INT(chan_recv_until(c, &v, go_now() + GO_MS), -ETIMEDOUT);
    EXPECT_EQ_INT(chan_send_until(c, 3, go_now()), 0);
    EXPECT_EQ_INT(chan_send_until(c, 4, go_now() + GO_MS), -ETIMEDOUT);
    chan_close(c);
    EXPECT_EQ_INT(chan_send_until(c, 5, go_now() + GO_MS), -EPIPE);
    EXPECT_EQ_INT(chan_recv_until(c, &v, go_now()), 0);
    EXPECT_EQ_INT(v, 3);
    EXPECT_EQ_INT(chan_recv_until(c, &v, GO_FOREVER), -EPIPE);
    EXPECT_EQ_INT(v, 0);
    EXPECT(!chan_try_recv(c, &v));
    chan_free(c);
}

TEST(chan_types, nested_operations)
{
    chan(int) a = chan_make(int, 1);
    chan(int) b = chan_make(int, 1);
    chan_send(a, 3);
    chan_send(b, chan_recv(a) + 1);
    chan_send(a, chan_recv(b));
    EXPECT_EQ_INT(chan_recv(a), 4);
    chan_free(a);
    chan_free(b);
}

TEST(chan_types, reference_keeps_the_channel)
{
    chan(int) c = chan_make(int, 1);
    recv_chan(int) r = chan_ref(c);
    chan_send(c, 1);
    chan_free(c);
    EXPECT_EQ_INT(chan_recv(r), 1);
    chan_free(r);
}

TEST(chan_types, loops_nest_and_break_alone)
{
    int n = 0;
    for (int i = 0; i < 2; i++) {
        recv_chan(int) outer = counter(3);
        chan_for(a, outer) {
            recv_chan(int) inner = counter(3);
            chan_for(b, inner) {
                n += a * 10 + b;
            }
            chan_free(inner);
        }
        chan_free(outer);
    }
    EXPECT_EQ_INT(n, 2 * (3 * 30 + 3 * 3));
}
