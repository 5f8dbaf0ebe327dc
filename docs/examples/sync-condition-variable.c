/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static go_mutex mu; /* guards ready */
static go_cond changed;
static bool ready;

static void prepare(void)
{
    with_lock(&mu) { ready = true; }
    cond_broadcast(&changed);
}

int main(void)
{
    go(prepare);
    with_lock(&mu)
    {
        while (!ready) { /* always in a loop: somebody else may have come first */
            cond_wait(&changed, &mu);
        }
        printf("ready\n");
    }
}
/* Output:
ready
*/
