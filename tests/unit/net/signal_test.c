/* SPDX-License-Identifier: MIT */
/* signal_test.c: signals to channels and contexts. */
#include "net_test.h"
#include <gort/short.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static void hand(int sig) { (void)sig; }

static bool handler_is(int sig, void (*handler)(int))
{
    struct sigaction sa;
    sigaction(sig, NULL, &sa);
    return sa.sa_handler == handler;
}

static void settle(int sig, void (*handler)(int))
{
    while (!handler_is(sig, handler)) { /* a goroutine is on its way to put it back */
        go_yield();
    }
}

TEST(signal, its_number_comes_on_the_channel)
{
    chan(int) c = chan_make(int, 4);
    REQUIRE_EQ_INT(go_signal_notify(c, SIGUSR1, SIGUSR2), 0);
    for (int i = 0; i < 10; i++) {
        kill(getpid(), SIGUSR1);
        EXPECT_EQ_INT(chan_recv(c), SIGUSR1);
        raise(SIGUSR2);
        EXPECT_EQ_INT(chan_recv(c), SIGUSR2);
    }
    go_signal_stop(c);
    chan_free(c);
}

TEST(signal, stop_puts_the_old_action_back)
{
    chan(int) c = chan_make(int, 1);
    chan(int) d = chan_make(int, 1);
    signal(SIGUSR1, hand);
    REQUIRE_EQ_INT(go_signal_notify(c, SIGUSR1), 0);
    REQUIRE_EQ_INT(go_signal_notify(d, SIGUSR1), 0);
    EXPECT(!handler_is(SIGUSR1, hand));
    go_signal_stop(c);
    EXPECT(!handler_is(SIGUSR1, hand));
    raise(SIGUSR1);
    EXPECT_EQ_INT(chan_recv(d), SIGUSR1);
    EXPECT_EQ_UINT(chan_len(c), 0);
    go_signal_stop(d);
    EXPECT(handler_is(SIGUSR1, hand));
    raise(SIGUSR1);
    go_signal_stop(d); /* not there any more: nothing */
    chan_free(c);
    chan_free(d);
}

TEST(signal, one_that_finds_no_room_is_dropped)
{
    chan(int) c = chan_make(int, 1);
    chan(int) all = chan_make(int, 8);
    REQUIRE_EQ_INT(go_signal_notify(c, SIGUSR1), 0);
    REQUIRE_EQ_INT(go_signal_notify(all, SIGUSR1), 0);
    for (int i = 0; i < 3; i++) {
        raise(SIGUSR1);
        EXPECT_EQ_INT(chan_recv(all), SIGUSR1);
    }
    EXPECT_EQ_UINT(chan_len(c), 1);
    go_signal_stop(c);
    go_signal_stop(all);
    chan_free(c);
    chan_free(all);
}

TEST(signal, a_signal_before_the_stop_does_not_come_after_the_next_start)
{
    chan(int) c = chan_make(int, 8);
    for (int i = 0; i < 50; i++) {
        REQUIRE_EQ_INT(go_signal_notify(c, SIGUSR1), 0);
        raise(SIGUSR1);
        go_signal_stop(c);
        while (chan_len(c) > 0) {
            chan_recv(c);
        }
    }
    REQUIRE_EQ_INT(go_signal_notify(c, SIGUSR1), 0);
    REQUIRE_EQ_INT(go_signal_notify(c, SIGUSR2), 0);
    raise(SIGUSR2);
    EXPECT_EQ_INT(chan_recv(c), SIGUSR2);
    EXPECT_EQ_UINT(chan_len(c), 0);
    go_signal_stop(c);
    chan_free(c);
}

TEST(signal, without_a_list_all_come)
{
    chan(int) c = chan_make(int, 4);
    REQUIRE_EQ_INT(go_signal_notify(c), 0);
    raise(SIGHUP);
    EXPECT_EQ_INT(chan_recv(c), SIGHUP);
    raise(SIGTERM);
    EXPECT_EQ_INT(chan_recv(c), SIGTERM);
    raise(SIGQUIT);
    EXPECT_EQ_INT(chan_recv(c), SIGQUIT);
    go_signal_stop(c);
    chan_free(c);
}

TEST(signal, those_that_cannot_be_caught_are_refused)
{
    chan(int) c = chan_make(int, 1);
    EXPECT_EQ_INT(go_signal_notify(c, SIGKILL), -EINVAL);
    EXPECT_EQ_INT(go_signal_notify(c, SIGUSR1, SIGSEGV), -EINVAL);
    EXPECT_EQ_INT(go_signal_notify(c, 0), -EINVAL);
    EXPECT_EQ_INT(go_signal_notify(c, 65), -EINVAL);
    EXPECT_EQ_INT(go_signal_notify(c, 32), -EINVAL);
    EXPECT(handler_is(SIGUSR1, SIG_DFL));
    chan_free(c);
}

TEST(signal, ends_a_context)
{
    go_ctx *ctx = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
    REQUIRE(ctx != NULL);
    EXPECT_EQ_INT(ctx_err(ctx), 0);
    kill(getpid(), SIGINT);
    chan_recv(ctx_done(ctx));
    EXPECT_EQ_INT(ctx_err(ctx), -ECANCELED);
    EXPECT_EQ_STR(ctx_cause(ctx), "interrupt signal received");
    ctx_free(ctx);
    settle(SIGINT, SIG_DFL);
}

TEST(signal, a_context_that_is_freed_gives_the_signal_back)
{
    for (int i = 0; i < 20; i++) {
        go_ctx *parent = ctx_with_cancel(ctx_background());
        go_ctx *ctx = go_signal_ctx(parent, SIGUSR1);
        EXPECT(!handler_is(SIGUSR1, SIG_DFL));
        if (i % 2 == 0) {
            ctx_cancel(parent);
            EXPECT_EQ_INT(ctx_err(ctx), -ECANCELED);
        }
        ctx_free(ctx);
        ctx_free(parent);
        settle(SIGUSR1, SIG_DFL);
    }
}

TEST(signal, no_deadlock_verdict_while_one_is_waited_for)
{
    chan(int) c = chan_make(int, 1);
    REQUIRE_EQ_INT(go_signal_notify(c, SIGALRM), 0);
    alarm(1); /* all goroutines sleep meanwhile, for longer than the verdict takes */
    EXPECT_EQ_INT(chan_recv(c), SIGALRM);
    go_signal_stop(c);
    chan_free(c);
}

static void spin(atomic_bool *stop)
{
    while (!atomic_load(stop)) {
    }
}

TEST(signal, reaches_its_channel_while_all_processors_compute)
{
    atomic_bool stop = false;
    go_waitgroup over = {0};
    chan(int) c = chan_make(int, 1);
    REQUIRE_EQ_INT(go_signal_notify(c, SIGUSR1), 0);
    for (int i = 0; i < 2 * go_maxprocs(0); i++) {
        wg_go(&over, spin, &stop);
    }
    raise(SIGUSR1);
    EXPECT_EQ_INT(chan_recv(c), SIGUSR1);
    stop = true;
    wg_wait(&over);
    go_signal_stop(c);
    chan_free(c);
}
