/* SPDX-License-Identifier: MIT */
/* early_exit.c: main does not wait.
 *
 * When main returns, the program ends at once: goroutines that are still running or waiting are not
 * waited for, and what they deferred does not run. Whoever needs their results must wait for them,
 * as the second goroutine here is waited for.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void say(const char *what)
{
    printf("%s\n", what);
}

static void slow(void)
{
    defer(say, "slow: this deferred line is never printed");
    go_sleep(GO_HOUR);
    say("slow: nor is this one");
}

static void quick(send_chan(bool) done)
{
    say("quick: done");
    chan_send(done, true);
}

int main(void)
{
    chan(bool) done = chan_make(bool);
    go(slow);
    go(quick, done);
    chan_recv(done);
    chan_free(done);
    say("main: leaving, with one goroutine still asleep");
    return 0;
}
