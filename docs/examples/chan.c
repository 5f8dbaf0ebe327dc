/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void count(send_chan(int) out, int n)
{
    for (int i = 0; i < n; i++) {
        chan_send(out, i);
    }
    chan_close(out);
}

int main(void)
{
    chan(int) c = chan_make(int, 2);
    int v;
    go(count, c, 3);
    chan_for(x, c) { printf("%d ", x); }
    printf("%d\n", chan_recv_ok(c, &v)); /* closed and drained: false, and v is 0 */
    chan_free(c);
}
/* Output:
0 1 2 0
*/
