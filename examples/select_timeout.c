/* SPDX-License-Identifier: MIT */
/* select_timeout.c: waiting, but not for ever.
 *
 * chan_select waits for the first of its cases that can go on; after() is the case that comes with
 * time. The names are labels of the switch, and forgetting one is a compiler warning. The channel
 * has room for one answer, so that a service whose caller has gone away is not stuck with it.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void service(go_duration takes, int answer, send_chan(int) out)
{
    go_sleep(takes);
    chan_send(out, answer);
}

static void ask(const char *name, go_duration takes, go_duration patience)
{
    chan(int) reply = chan_make(int, 1);
    go(service, takes, 42, reply);

    int answer;
    switch (chan_select(recv(got, reply, &answer), after(late, patience))) {
    case got:
        printf("%s service: %d\n", name, answer);
        chan_free(reply);
        return;
    case late:
        /* The service still holds the channel: freeing it here would pull it from under its feet.
         * leaky_server_fixed.c shows how the two share it. */
        printf("%s service: no answer in time\n", name);
        return;
    }
}

int main(void)
{
    ask("quick", GO_MS, GO_MIN);
    ask("slow", GO_HOUR, 20 * GO_MS);

    /* A loop over several channels, until the last of them is closed. */
    chan(int) a = chan_make(int), b = chan_make(int);
    go_do(a) {
        for (int i = 1; i <= 3; i++) {
            chan_send(a, i);
        }
        chan_close(a);
    };
    go_do(b) {
        for (int i = 10; i <= 30; i += 10) {
            chan_send(b, i);
        }
        chan_close(b);
    };

    recv_chan(int) left = a, right = b;
    int sum = 0, v;
    bool ok;
    while (left != NULL || right != NULL) {
        switch (chan_select(recv(from_left, left, &v, &ok), recv(from_right, right, &v, &ok))) {
        case from_left:
            left = ok ? left : NULL; /* NULL, the nil channel, is never ready */
            break;
        case from_right:
            right = ok ? right : NULL;
            break;
        }
        sum += v; /* zero when closed */
    }
    printf("both channels ended, sum %d\n", sum);
    chan_free(a);
    chan_free(b);
    return 0;
}
