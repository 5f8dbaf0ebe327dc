/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void wait_long(recv_chan(int) c, chan(int) done)
{
    int mine[] = {20, 22};
    int i = chan_recv(c);
    chan_send(done, mine[i] + 20);
}

int main(void)
{
    go_hibernate_after(10 * GO_MS);
    chan(int) c = chan_make(int);
    chan(int) done = chan_make(int);
    go(wait_long, c, done);
    go_sleep(100 * GO_MS); /* by now its page is gone */
    chan_send(c, 1);
    printf("%d\n", chan_recv(done));
    chan_free(c);
    chan_free(done);
}
/* Output:
42
*/
