/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static const char *ask(recv_chan(int) in)
{
    int v;
    switch (chan_select(recv(got, in, &v), after(late, GO_MS))) {
    case got:
        return "an answer";
    case late:
        return "no answer";
    }
    return NULL;
}

int main(void)
{
    chan(int) c = chan_make(int, 1);
    puts(ask(c));
    switch (chan_select(send(put, c, 1), default)) {
    case put:
        puts("sent");
        break;
    default:
        puts("full");
    }
    puts(ask(c));
    chan_free(c);
}
/* Output:
no answer
sent
an answer
*/
