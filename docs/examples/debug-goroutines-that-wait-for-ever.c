/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void answer(chan(int) c) { chan_send(c, 42); }

/* Nobody receives: it returns before the answer has come. */
static void ask(void) { go(answer, chan_make(int)); }

int main(void)
{
    go(ask);
    size_t leaked = 0;
    while (leaked == 0) { /* it has to get there first */
        go_sleep(20 * GO_MS);
        leaked = go_leak_check(-1);
    }
    printf("%zu\n", leaked);
}
/* Output:
1
*/
