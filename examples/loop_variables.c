/* SPDX-License-Identifier: MIT */
/* loop_variables.c: what a goroutine started in a loop sees of the loop's variable.
 *
 * Arguments of go() and captures of go_do() are copied when the goroutine is started, so each one
 * has the value of its round. A pointer is copied too, but what it points at is shared: then all of
 * them see what the loop left behind.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

enum { ROUNDS = 4 };

static void by_value(int i, int *seen)
{
    *seen = i;
}

/* The gate is closed after the loop, so that every goroutine looks when it is over. */
static void by_pointer(const int *i, recv_chan(bool) gate, int *seen)
{
    chan_recv(gate);
    *seen = *i;
}

static void show(const char *how, const int *seen)
{
    printf("%-12s", how);
    for (int i = 0; i < ROUNDS; i++) {
        printf(" %d", seen[i]);
    }
    printf("\n");
}

int main(void)
{
    int seen[ROUNDS] = { 0 };
    go_waitgroup wg = { 0 };

    for (int i = 0; i < ROUNDS; i++) {
        wg_go(&wg, by_value, i, &seen[i]);
    }
    wg_wait(&wg);
    show("argument:", seen);

    chan(bool) done = chan_make(bool);
    for (int i = 0; i < ROUNDS; i++) {
        int *out = &seen[i];
        go_do(i, out, done) {
            *out = i * 10;
            chan_send(done, true);
        };
    }
    for (int i = 0; i < ROUNDS; i++) {
        chan_recv(done);
    }
    show("capture:", seen);

    chan(bool) gate = chan_make(bool);
    int i;
    for (i = 0; i < ROUNDS; i++) {
        /* gort:vet ignore loopaddr this is the mistake that the example shows */
        wg_go(&wg, by_pointer, &i, gate, &seen[i]);
    }
    chan_close(gate);
    wg_wait(&wg);
    show("pointer:", seen);

    chan_free(done);
    chan_free(gate);
    return 0;
}
