/* SPDX-License-Identifier: MIT */
/* A member's panic reaches the waiter as the member's crash report. */
#include "harness.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>

static GO_NOINLINE int deeper(int n)
{
    if (n >= 0) {
        go_panic("member %d failed", 7);
    }
    return n + 1;
}

static GO_NOINLINE int member(int n) { return deeper(n) + 1; }

static bool has_ended;

static int until_canceled(go_ctx *ctx)
{
    chan_recv(ctx_done(ctx));
    has_ended = true;
    return ctx_err(ctx);
}

static void wait_for(go_group *g) { (void)!group_wait(g); }

TEST(group_panic, is_caught_by_the_waiter_after_all_have_ended)
{
    go_panic_info info;
    go_group g = group_with(ctx_background());
    go_ctx *ctx = ctx_ref(g.ctx);
    group_go(&g, until_canceled, g.ctx);
    group_go(&g, member, 2);
    EXPECT(!go_try(&info, wait_for, &g));
    EXPECT_CONTAINS(info.message, "member 7 failed\n\ngoroutine ");
    EXPECT_CONTAINS(info.message, " [running]:\n");
    EXPECT_EQ_INT(ctx_cause_err(ctx), -ECANCELED);
    EXPECT_EQ_STR(ctx_cause(ctx), "member 7 failed");
    EXPECT(has_ended);
    EXPECT_EQ_INT(group_wait(&g), -ECANCELED); /* said once; the error that followed remains */
    ctx_free(ctx);
}

static GO_NOINLINE int far_down(int n)
{
    if (n == 0) {
        go_panic("the member's reason, %0200d", 1);
    }
    return n > 0 ? far_down(n - 1) + 1 : 0;
}

static int member_far_down(void) { return far_down(20); }

TEST(group_panic, report_reaches_who_catches_it_whole)
{
    go_panic_info info;
    go_group g = {0};
    group_go(&g, member_far_down);
    EXPECT(!go_try(&info, wait_for, &g));
    EXPECT_EQ_UINT(strlen(info.message), GO_PANIC_MESSAGE_MAX);
    EXPECT_EQ_INT(strncmp(go_panic_caught(), info.message, GO_PANIC_MESSAGE_MAX), 0);
    if (!test_under("qemu")) { /* no debug information is read there */
        EXPECT_CONTAINS(go_panic_caught(), "member_far_down");
    }
    EXPECT_CONTAINS(go_panic_caught(), "\ncreated by ");
}

static int deferred_ran;

static void note(int by) { deferred_ran += by; }

static int member_with_deferred(go_mutex *mu)
{
    guard(mu);
    defer(note, 1);
    (void)member(0);
    return 0;
}

TEST(group_panic, runs_the_members_deferred_calls_and_gives_its_place_back)
{
    go_mutex mu = {0};
    go_group g = {0};
    group_set_limit(&g, 1);
    for (int i = 0; i < 5; i++) {
        group_go(&g, member_with_deferred, &mu);
    }
    EXPECT(!go_try(NULL, wait_for, &g));
    EXPECT_EQ_INT(deferred_ran, 5);
    EXPECT(mutex_trylock(&mu));
    EXPECT_EQ_INT(group_wait(&g), 0);
}

static void try_member(bool *caught) { *caught = !go_try(NULL, member, 1); }

static int member_that_copes(bool *caught)
{
    try_member(caught);
    return 0;
}

TEST(group_panic, that_the_member_catches_is_its_own_affair)
{
    bool caught = false;
    go_group g = {0};
    group_go(&g, member_that_copes, &caught);
    EXPECT_EQ_INT(group_wait(&g), 0);
    EXPECT(caught);
}

static void panic_again(void) { go_panic("and again"); }

static int member_that_panics_twice(void)
{
    defer(panic_again);
    (void)member(0);
    return 0;
}

TEST(group_panic, started_by_a_deferred_call_is_the_one_reported)
{
    go_panic_info info;
    go_group g = {0};
    group_go(&g, member_that_panics_twice);
    EXPECT(!go_try(&info, wait_for, &g));
    EXPECT_CONTAINS(info.message, "and again\n");
}

static int inner(void)
{
    go_group g = {0};
    group_go(&g, member, 0);
    return group_wait(&g);
}

TEST(group_panic, passes_through_groups_of_groups)
{
    go_panic_info info;
    go_group g = {0};
    group_go(&g, inner);
    EXPECT(!go_try(&info, wait_for, &g));
    EXPECT_CONTAINS(info.message, "member 7 failed\n");
}

static int misuse(void)
{
    chan(int) c = chan_make(int);
    defer(goi_chan_free, GOI_RAW(c));
    chan_close(c);
    chan_send(c, 1);
    return 0;
}

TEST(group_panic, of_the_library_is_one_too)
{
    go_panic_info info;
    go_group g = {0};
    group_go(&g, misuse);
    EXPECT(!go_try(&info, wait_for, &g));
    EXPECT_CONTAINS(info.message, "send on closed channel\n");
}

/* Uncaught: the member's report with its frames and its maker, then the waiter's. Without
 * libbacktrace a static function's name is a question mark. */
DEATH_TEST(group_panic, uncaught_shows_the_member_and_the_waiter, 2,
           "^panic: member 7 failed\n\t\n\tgoroutine [0-9]+ \\[running\\]:\n(.*\n)*"
           "\t(deeper|[?])\\(\\.\\.\\.\\)\n(.*\n)*\t(member|[?])\\(\\.\\.\\.\\)\n(.*\n)*"
           "\tcreated by .* in goroutine 1\n(.*\n)*\n"
           "goroutine 1 \\[running\\]:\n(.*\n)*(wait_for|[?])")
{
    go_group g = {0};
    group_go(&g, member, 1);
    wait_for(&g);
}
