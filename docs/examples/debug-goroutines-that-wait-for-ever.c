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
    go_sleep(20 * GO_MS);
    printf("%zu\n", go_leak_check(-1));
}
/* Output:
1
*/
