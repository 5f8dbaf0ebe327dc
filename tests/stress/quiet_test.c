/* SPDX-License-Identifier: MIT */
/* Processes in which everything sleeps for about as long as it takes until the verdict of a
 * deadlock is thought of (20 ms), over and over, and then something from outside wakes somebody,
 * beside timers and signals that would wake nobody. A false verdict ends the process. */
#include "stress.h"
#include <signal.h>
#include <sys/time.h>

enum { ROUNDS = 16 };

static struct stress_rand chance;

/* Between 12 and 44 ms: some before sysmon looks, some while it does, some after. */
static go_duration a_while(void) { return stress_between(&chance, 12000, 44000) * GO_US; }

static void alarm_in(go_duration d)
{
    struct itimerval t = {.it_value = {0, d / GO_US}};
    REQUIRE(setitimer(ITIMER_REAL, &t, NULL) == 0);
}

static void by_deadline(void)
{
    go_ctx *top = ctx_with_timeout(ctx_background(), a_while());
    go_ctx *below = ctx_with_cancel(top);
    (void)chan_recv(ctx_done(below));
    ctx_free(below);
    ctx_free(top);
}
static void by_select(void)
{
    chan(int) nobody = NULL;
    switch (chan_select(recv(came, nobody), after(late, a_while()))) {
    case came:
        FAIL("a value of nobody's");
        break;
    case late:
        break;
    }
}
static void by_signal(chan(int) signals)
{
    int of_before;
    (void)chan_try_recv(signals, &of_before); /* the one that ended a context */
    alarm_in(a_while());
    EXPECT_EQ_INT(chan_recv(signals), SIGALRM);
}
static void by_context_of_signals(void)
{
    go_ctx *top = go_signal_ctx(ctx_background(), SIGALRM);
    go_ctx *below = ctx_with_timeout(top, GO_HOUR);
    alarm_in(a_while());
    (void)chan_recv(ctx_done(below));
    ctx_free(below);
    ctx_free(top);
}
static void says(chan(int) c) { chan_send(c, 1); }
static void by_function(void)
{
    chan(int) c = chan_make(int);
    go_timer *t = go_after_func(a_while(), says, c);
    (void)chan_recv(c);
    go_timer_free(t);
    chan_free(c);
}

TEST(quiet, nothing_from_outside_is_overlooked)
{
    chan(int) signals = chan_make(int, 1);
    go_ctx *far = ctx_with_timeout(ctx_background(), GO_HOUR);
    chance = stress_rand(0);
    for (long i = test_iterations(ROUNDS); i > 0; i--) {
        if (i % 8 == 0) { /* registered now and then only */
            REQUIRE(go_signal_notify(signals, SIGALRM) == 0);
        }
        switch (stress_below(&chance, i % 8 == 0 ? 6 : 5)) {
        case 0:
            by_deadline();
            break;
        case 1:
            by_select();
            break;
        case 2:
            go_sleep(a_while());
            break;
        case 3:
            by_function();
            break;
        case 4:
            by_context_of_signals();
            break;
        default:
            by_signal(signals);
        }
        if (i % 8 == 0) {
            go_signal_stop(signals);
        }
    }
    ctx_free(far);
    chan_free(signals);
}
