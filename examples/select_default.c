/* SPDX-License-Identifier: MIT */
/* select_default.c: communicating only if it can be done at once.
 *
 * A select with a default case never waits. Here a queue with three places is offered five events:
 * two are dropped and counted, instead of making the sender wait. chan_try_send and chan_try_recv
 * are the short form for one channel.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

int main(void)
{
    chan(int) queue = chan_make(int, 3);
    int queued = 0, dropped = 0;
    for (int event = 1; event <= 5; event++) {
        switch (chan_select(send(put, queue, event), default)) {
        case put:
            queued++;
            break;
        default:
            dropped++;
            break;
        }
    }
    printf("queued %d, dropped %d\n", queued, dropped);

    for (bool more = true; more;) {
        int event;
        switch (chan_select(recv(got, queue, &event), default)) {
        case got:
            printf("event %d\n", event);
            break;
        default:
            printf("nothing left\n");
            more = false;
            break;
        }
    }

    int v = 0;
    printf("try_recv on an empty queue: %s\n", chan_try_recv(queue, &v) ? "true" : "false");
    printf("try_send: %s\n", chan_try_send(queue, 6) ? "true" : "false");
    bool got_six = chan_try_recv(queue, &v);
    printf("try_recv: %s, %d\n", got_six ? "true" : "false", v);

    /* An unbuffered channel without a partner is never ready. */
    chan(int) nobody = chan_make(int);
    printf("try_send to nobody: %s\n", chan_try_send(nobody, 7) ? "true" : "false");

    chan_free(queue);
    chan_free(nobody);
    return 0;
}
