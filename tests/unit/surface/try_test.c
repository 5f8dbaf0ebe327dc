/* SPDX-License-Identifier: MIT */
/* go_panic and go_try: what is caught where, with which words, and what the crash output says when
 * nothing catches it. Compiled as C and as C++. */
#include "harness.h"
#include <gort/short.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char log_text[256];

static void mark(const char *s) { strcat(log_text, s); }
static void says(const char *s) { go_panic("%s", s); }
static void fine(void) {}

TEST(panic, try_returns_true_without_a_panic)
{
    go_panic_info info;
    strcpy(info.message, "untouched");
    EXPECT(go_try(&info, fine));
    EXPECT_EQ_STR(info.message, "untouched");
    EXPECT(go_try(NULL, fine));
}

struct point {
    int x, y;
    double w;
};

static long any_arguments(int a, double b, struct point p, const char *s, int c, int d, int e,
                          int f, int g)
{
    EXPECT(a == 1 && b == 2.5 && p.x == 3 && p.y == 4 && p.w == 5.5);
    EXPECT(c == 6 && d == 7 && e == 8 && f == 9 && g == 10);
    mark(s);
    if (a == 1) {
        go_panic("%s %d %.1f", s, a, b);
    }
    return 0;
}

TEST(panic, try_passes_any_arguments)
{
    go_panic_info info;
    struct point p = { 3, 4, 5.5 };
    EXPECT(!go_try(&info, any_arguments, 1, 2.5, p, "s", 6, 7, 8, 9, 10));
    EXPECT_EQ_STR(info.message, "s 1 2.5");
    EXPECT_EQ_STR(log_text, "s");
}

TEST(panic, message_is_cut_off_in_the_info_only)
{
    char text[1000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    go_panic_info info;
    EXPECT(!go_try(&info, says, text));
    EXPECT_EQ_UINT(strlen(info.message), GO_PANIC_MESSAGE_MAX);
    EXPECT_EQ_STR(go_panic_caught(), text);
    EXPECT(!go_try(&info, says, ""));
    EXPECT_EQ_STR(info.message, "");
    EXPECT_EQ_STR(go_panic_caught(), "");
    EXPECT(!go_try(NULL, says, "nobody asked"));
    EXPECT_EQ_STR(go_panic_caught(), "nobody asked");
}

DEATH_TEST(panic, long_message_is_printed_whole, 2, "^panic: x{999}\n")
{
    char text[1000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    says(text);
}

static void again(int levels)
{
    go_panic_info info;
    if (levels == 0) {
        go_panic("bottom");
    }
    if (!go_try(&info, again, levels - 1)) {
        go_panic("%s %d", info.message, levels);
    }
}

TEST(panic, try_at_several_levels)
{
    go_panic_info info;
    EXPECT(!go_try(&info, again, 4));
    EXPECT_EQ_STR(info.message, "bottom 1 2 3 4");
}

static void inner_try_then_panic(void)
{
    EXPECT(!go_try(NULL, says, "inner"));
    EXPECT(go_try(NULL, fine));
    go_panic("outer");
}

TEST(panic, goes_to_the_innermost_try_that_is_still_there)
{
    go_panic_info info;
    EXPECT(!go_try(&info, inner_try_then_panic));
    EXPECT_EQ_STR(info.message, "outer");
}

static void panic_while_panicking(void)
{
    defer(mark, "3");
    defer(says, "third");
    defer(mark, "2");
    defer(says, "second");
    defer(mark, "1");
    go_panic("first");
}

TEST(panic, newer_panic_replaces_the_older)
{
    go_panic_info info;
    EXPECT(!go_try(&info, panic_while_panicking));
    EXPECT_EQ_STR(info.message, "third");
    EXPECT_EQ_STR(log_text, "123");
}

DEATH_TEXT(panic, nested_panics_are_all_printed, 2,
           "panic: first\n\tpanic: second\n\tpanic: third\n\ngoroutine 1 [running]:\n")
{
    panic_while_panicking();
}

static void tries(const char *s)
{
    go_panic_info info;
    EXPECT(!go_try(&info, says, s));
    mark(info.message);
}

static void try_while_panicking(void)
{
    defer(mark, "2");
    defer(tries, "(caught)");
    defer(mark, "1");
    go_panic("first");
}

TEST(panic, deferred_call_may_try_while_panicking)
{
    go_panic_info info;
    EXPECT(!go_try(&info, try_while_panicking));
    EXPECT_EQ_STR(info.message, "first");
    EXPECT_EQ_STR(log_text, "1(caught)2");
}

DEATH_TEXT(panic, caught_panic_is_not_printed, 2, "panic: first\n\ngoroutine 1 [running]:\n")
{
    try_while_panicking();
}

static void exit_then_panic(void)
{
    defer(says, "at the end");
    go_exit();
}

DEATH_TEXT(panic, during_an_exit_is_fatal, 2, "panic: at the end\n\ngoroutine 2 [running]:\n")
{
    chan(int) c = chan_make(int);
    go(exit_then_panic);
    chan_recv(c);
}

/* ---- the library's own panics ---- */

static void send_on_closed(chan(int) c)
{
    chan_close(c);
    chan_send(c, 1);
}
static void close_twice(chan(int) c)
{
    chan_close(c);
    chan_close(c);
}
static void close_null(void)
{
    chan(int) c = NULL;
    chan_close(c);
}
static void negative_counter(go_waitgroup *wg) { wg_done(wg); }

TEST(panic, misuse_is_caught_with_the_words_of_go)
{
    go_panic_info info;
    chan(int) a = chan_make(int, 1);
    chan(int) b = chan_make(int, 1);
    go_waitgroup wg = { 0, 0 };
    EXPECT(!go_try(&info, send_on_closed, a));
    EXPECT_EQ_STR(info.message, "send on closed channel");
    EXPECT(!go_try(&info, close_twice, b));
    EXPECT_EQ_STR(info.message, "close of closed channel");
    EXPECT(!go_try(&info, close_null));
    EXPECT_EQ_STR(info.message, "close of nil channel");
    EXPECT(!go_try(&info, negative_counter, &wg));
    EXPECT_EQ_STR(info.message, "sync: negative WaitGroup counter");
    chan_free(a);
    chan_free(b);
}

/* ---- many ---- */

static void worker(send_chan(int) out, int n)
{
    int caught = 0;
    for (int i = 0; i < n; i++) {
        if (!go_try(NULL, says, "again")) {
            caught++;
        }
        if (i % 16 == 0) {
            go_yield();
        }
    }
    chan_send(out, caught);
}

TEST(panic, many_goroutines_panic_at_once)
{
    enum { WORKERS = 8 };
    int n = (int)test_iterations(500);
    chan(int) out = chan_make(int);
    for (int i = 0; i < WORKERS; i++) {
        go(worker, out, n);
    }
    for (int i = 0; i < WORKERS; i++) {
        EXPECT_EQ_INT(chan_recv(out), n);
    }
    chan_free(out);
}

static int parks_and_panics(recv_chan(int) in)
{
    int v = chan_recv(in);
    go_panic("got %d", v);
}

static void tries_and_reports(recv_chan(int) in, send_chan(int) out)
{
    go_panic_info info;
    EXPECT(!go_try(&info, parks_and_panics, in));
    EXPECT_EQ_STR(info.message, "got 5");
    chan_send(out, 1);
}

TEST(panic, try_survives_parking_inside)
{
    chan(int) in = chan_make(int);
    chan(int) out = chan_make(int);
    go(tries_and_reports, in, out);
    chan_send(in, 5);
    EXPECT_EQ_INT(chan_recv(out), 1);
    chan_free(in);
    chan_free(out);
}
