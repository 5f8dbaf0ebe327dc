/* SPDX-License-Identifier: MIT */
/* leaky_server.c: a server that leaks a goroutine for every request that times out.
 *
 * The handler gives up after a millisecond and returns. The goroutine it started still wants to
 * hand over its answer, on an unbuffered channel from which nobody will ever receive: it waits for
 * ever, and its stack with it. The repair is in leaky_server_fixed.c.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

/* The backend answers when the database does; here, when main opens the gate. */
static void backend(int request, recv_chan(bool) database, send_chan(int) reply)
{
    chan_recv(database);
    chan_send(reply, request * request); /* the leak: nobody is left to receive */
}

static bool handle(int request, recv_chan(bool) database)
{
    chan(int) reply = chan_make(int);
    /* gort:vet ignore lostsend it is what the example is about */
    go(backend, request, database, reply);

    int answer;
    switch (chan_select(recv(got, reply, &answer), after(late, GO_MS))) {
    case got:
        return true;
    case late:
        return false;
    }
    return false;
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

    /* Now the database answers everybody, and every backend could end. None does. */
    chan_close(database);
    go_sleep(50 * GO_MS);
    printf("goroutines left behind: %d\n", go_count() - 1);
    return 0;
}
