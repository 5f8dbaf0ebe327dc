/* SPDX-License-Identifier: MIT */
/* go_exit and panics leave frames that do not know it: everything deferred runs once, the innermost
 * first, whether a frame has landing pads or not. Compiled as C, where frames have none unless
 * -fexceptions is given, and as C++, where they have; a frame without them is also imitated by a
 * cleanup that is put on the list and never taken off by its block. */
#include "harness.h"
#include <gort/short.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char log_text[256];
static go_waitgroup wg;

static void mark(const char *s) { strcat(log_text, s); }

/* What a C frame without landing pads leaves on the list. */
struct left {
    struct goi_cleanup cleanup;
    const char *text;
};
static void run_left(struct goi_cleanup *c) { mark(((struct left *)(void *)c)->text); }
#define LEAVE(variable, s) \
    struct left variable; \
    variable.text = s; \
    goi_cleanup_push(&variable.cleanup, run_left, __builtin_frame_address(0))

__attribute__((noinline)) static void leaf(void (*end)(void))
{
    defer(mark, "B");
    defer(mark, "A");
    end();
    mark("never");
}

__attribute__((noinline)) static void without_pads(void (*end)(void))
{
    LEAVE(d, "C");
    leaf(end);
    mark("never");
    (void)d;
}

__attribute__((noinline)) static void two_more(void (*end)(void))
{
    LEAVE(e, "E");
    LEAVE(f, "D");
    without_pads(end);
    mark("never");
    (void)e;
    (void)f;
}

__attribute__((noinline)) static void outer(void (*end)(void))
{
    defer(mark, "G");
    defer(mark, "F");
    two_more(end);
    mark("never");
}

#define ORDER "ABCDEFG"

TEST(unwind, exit_runs_everything_once_innermost_first)
{
    wg_go(&wg, outer, go_exit);
    wg_wait(&wg);
    EXPECT_EQ_STR(log_text, ORDER);
}

static void panics(void) { go_panic("here"); }

TEST(unwind, panic_runs_everything_once_innermost_first)
{
    go_panic_info info;
    EXPECT(!go_try(&info, outer, panics));
    EXPECT_EQ_STR(info.message, "here");
    EXPECT_EQ_STR(log_text, ORDER);
}

static void print_log(void)
{
    fputs(log_text, stderr);
    fputs("\n", stderr);
}

DEATH_TEXT(unwind, uncaught_panic_runs_everything_before_the_crash_output, 2,
           ORDER "\npanic: here\n\ngoroutine 1 [running]:\n")
{
    defer(print_log);
    outer(panics);
}

/* ---- guards ---- */

static go_mutex mu;

static void holds(void (*end)(void))
{
    guard(&mu);
    end();
}

static void holds_in_block(void (*end)(void))
{
    with_lock(&mu) {
        end();
    }
}

static bool is_free(void)
{
    if (!mutex_trylock(&mu)) {
        return false;
    }
    mutex_unlock(&mu);
    return true;
}

TEST(unwind, guards_are_released)
{
    EXPECT(!go_try(NULL, holds, panics));
    EXPECT(is_free());
    EXPECT(!go_try(NULL, holds_in_block, panics));
    EXPECT(is_free());
    wg_go(&wg, holds, go_exit);
    wg_go(&wg, holds_in_block, go_exit);
    wg_wait(&wg);
    EXPECT(is_free());
}

/* ---- ends inside ends ---- */

static void exits_itself(void)
{
    mark("x");
    go_exit();
}

static void exit_in_deferred(void)
{
    defer(mark, "3");
    defer(exits_itself);
    defer(mark, "2");
    defer(exits_itself);
    defer(mark, "1");
    go_exit();
}

TEST(unwind, deferred_call_may_exit_again)
{
    wg_go(&wg, exit_in_deferred);
    wg_wait(&wg);
    EXPECT_EQ_STR(log_text, "1x2x3");
}

static void tries(void (*f)(void))
{
    go_panic_info info;
    mark(go_try(&info, f) ? "+" : info.message);
}

static void exit_with_try_in_deferred(void)
{
    defer(mark, "2");
    defer(tries, panics);
    defer(mark, "1");
    go_exit();
}

TEST(unwind, exit_goes_on_after_a_panic_caught_inside)
{
    wg_go(&wg, exit_with_try_in_deferred);
    wg_wait(&wg);
    EXPECT_EQ_STR(log_text, "1here2");
}

static void exit_with_panic_in_deferred(void)
{
    defer(mark, "2");
    defer(panics);
    defer(mark, "1");
    go_exit();
}

static void exit_inside_try(void)
{
    defer(mark, "4");
    tries(exit_with_panic_in_deferred);
    mark("never");
}

TEST(unwind, exit_goes_on_after_a_panic_caught_outside)
{
    wg_go(&wg, exit_inside_try);
    wg_wait(&wg);
    EXPECT_EQ_STR(log_text, "124");
}

static void exit_in_try(void)
{
    defer(mark, "2");
    tries(go_exit);
    mark("never");
}

TEST(unwind, exit_passes_through_try)
{
    wg_go(&wg, exit_in_try);
    wg_wait(&wg);
    EXPECT_EQ_STR(log_text, "2");
}

static void exit_in_deferred_of_panic(void)
{
    defer(mark, "2");
    defer(go_exit);
    defer(mark, "1");
    go_panic("dropped");
}

TEST(unwind, exit_in_a_deferred_call_drops_the_panic)
{
    wg_go(&wg, exit_in_deferred_of_panic);
    wg_wait(&wg);
    EXPECT_EQ_STR(log_text, "12");
    wg_go(&wg, tries, exit_in_deferred_of_panic);
    wg_wait(&wg);
    EXPECT_EQ_STR(log_text, "1212");
}

/* ---- parking meanwhile ---- */

static void pass_on(chan(int) in, chan(int) out)
{
    for (int i = 0; i < 3; i++) {
        int v = chan_recv(in);
        go_yield();
        chan_send(out, v + 1);
    }
}

static void parks_while_leaving(chan(int) in, chan(int) out, void (*end)(void))
{
    defer(pass_on, in, out);
    defer(mark, "1");
    end();
}

TEST(unwind, deferred_calls_may_park)
{
    chan(int) in = chan_make(int);
    chan(int) out = chan_make(int);
    wg_go(&wg, parks_while_leaving, in, out, go_exit);
    for (int i = 0; i < 3; i++) {
        chan_send(in, i);
        EXPECT_EQ_INT(chan_recv(out), i + 1);
    }
    wg_wait(&wg);
    chan_free(in);
    chan_free(out);
}

/* ---- other kinds of stacks ---- */

static void *foreign(void *arg)
{
    (void)arg;
    outer(go_exit);
    return NULL;
}

TEST(unwind, exit_ends_a_thread_of_the_user)
{
    pthread_t t;
    REQUIRE(pthread_create(&t, NULL, foreign, NULL) == 0);
    REQUIRE(pthread_join(t, NULL) == 0);
    EXPECT_EQ_STR(log_text, ORDER);
}

static void *foreign_try(void *arg)
{
    (void)arg;
    EXPECT(!go_try(NULL, outer, panics));
    return NULL;
}

TEST(unwind, try_on_a_thread_of_the_user)
{
    pthread_t t;
    REQUIRE(pthread_create(&t, NULL, foreign_try, NULL) == 0);
    REQUIRE(pthread_join(t, NULL) == 0);
    EXPECT_EQ_STR(log_text, ORDER);
}

static void outlives_main(chan(int) c)
{
    int v = chan_recv(c);
    fprintf(stderr, "main has left %d\n", v);
}

static void tell(chan(int) c) { chan_send(c, 7); }

DEATH_TEST(unwind, exit_in_main_lets_the_others_end_first, 2,
           "main has left 7\n(.*\n)*fatal error: no goroutines "
           "\\(main called runtime\\.Goexit\\) - deadlock!\n")
{
    chan(int) c = chan_make(int);
    go(outlives_main, c);
    defer(tell, c);
    go_exit();
}

static void *calls_back(const void *a, const void *b)
{
    (void)b;
    outer(go_exit);
    return (void *)(uintptr_t)a;
}

static int compare(const void *a, const void *b) { return calls_back(a, b) != NULL; }

static void sorts(void)
{
    int v[] = { 3, 1, 2 };
    defer(mark, "!");
    qsort(v, 3, sizeof v[0], compare);
}

TEST(unwind, exit_passes_through_a_library)
{
    wg_go(&wg, sorts);
    wg_wait(&wg);
    EXPECT_EQ_STR(log_text, ORDER "!");
}
