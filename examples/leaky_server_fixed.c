/* SPDX-License-Identifier: MIT */
/* leaky_server_fixed.c: the leaky server repaired.
 *
 * The reply channel has room for the one answer it will ever carry. The backend can always send,
 * whether or not the handler still waits, and ends. Handler and backend each hold a reference to
 * the channel; whoever is last frees it.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void backend(int request, recv_chan(bool) database, send_chan(int) reply)
{
    chan_recv(database);
    chan_send(reply, request * request); /* never waits: there is room */
    chan_free(reply);
}

static bool handle(int request, recv_chan(bool) database)
{
    chan(int) reply = chan_make(int, 1);
    chan_ref(reply); /* one for us, one for the backend */
    go(backend, request, database, reply);

    int answer;
    bool answered = false;
    switch (chan_select(recv(got, reply, &answer), after(late, GO_MS))) {
    case got:
        answered = true;
        break;
    case late:
        break;
    }
    chan_free(reply);
    return answered;
}

int main(void)
{
    chan(bool) database = chan_make(bool);
    int timeouts = 0;
    for (int request = 1; request <= 10; request++) {
        if (!handle(request, database)) {
            timeouts++;
        }
    }
    printf("requests 10, timeouts %d\n", timeouts);

    chan_close(database);
    while (go_count() > 1) {
        go_sleep(GO_MS);
    }
    printf("goroutines left behind: %d\n", go_count() - 1);
    chan_free(database);
    return 0;
}
