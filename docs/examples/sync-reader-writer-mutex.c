/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static go_rwmutex mu; /* guards config */
static int config = 1;

static void reader(chan(int) seen)
{
    rwmutex_rlock(&mu); /* many at a time */
    chan_send(seen, config);
    rwmutex_runlock(&mu);
}

int main(void)
{
    chan(int) seen = chan_make(int);
    go(reader, seen);
    go(reader, seen);
    int sum = chan_recv(seen) + chan_recv(seen);
    rwmutex_lock(&mu); /* alone */
    config = 2;
    rwmutex_unlock(&mu);
    printf("%d %d\n", sum, config);
    chan_free(seen);
}
/* Output:
2 2
*/
