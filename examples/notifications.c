/* SPDX-License-Identifier: MIT */
/* notifications.c: telling many at once.
 *
 * First a thousand messages go out, each in a goroutine of its own, and their outcomes are counted
 * as they come back. Then the other direction: a thousand goroutines wait for one event. Closing a
 * channel is the broadcast: it wakes every receiver, now and later.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

enum { USERS = 1000 };

enum outcome { SENT, NO_ADDRESS, REFUSED, OUTCOMES };

static void notify(int user, send_chan(enum outcome) out)
{
    go_sleep(GO_MS); /* stands for the mail server */
    if (user % 50 == 0) {
        chan_send(out, NO_ADDRESS);
    } else if (user % 33 == 0) {
        chan_send(out, REFUSED);
    } else {
        chan_send(out, SENT);
    }
}

static void await(recv_chan(bool) event, go_waitgroup *ready, send_chan(int) woken)
{
    wg_done(ready);
    chan_recv(event);
    chan_send(woken, 1);
}

int main(void)
{
    chan(enum outcome) outcomes = chan_make(enum outcome, 10);
    for (int user = 1; user <= USERS; user++) {
        go(notify, user, outcomes);
    }
    int counts[OUTCOMES] = { 0 };
    for (int i = 0; i < USERS; i++) {
        counts[chan_recv(outcomes)]++;
    }
    printf("sent %d, without address %d, refused %d\n", counts[SENT], counts[NO_ADDRESS],
           counts[REFUSED]);

    chan(bool) event = chan_make(bool);
    chan(int) woken = chan_make(int);
    go_waitgroup ready = { 0 };
    wg_add(&ready, USERS);
    for (int i = 0; i < USERS; i++) {
        go(await, event, &ready, woken);
    }
    wg_wait(&ready);
    chan_close(event);

    int total = 0;
    for (int i = 0; i < USERS; i++) {
        total += chan_recv(woken);
    }
    printf("one close woke %d goroutines\n", total);

    chan_free(outcomes);
    chan_free(event);
    chan_free(woken);
    return 0;
}
