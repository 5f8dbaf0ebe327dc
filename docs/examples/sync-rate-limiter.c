/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

int main(void)
{
    go_rate limit = { 0 };
    rate_set(&limit, 1000, 2); /* a thousand a second, two at once */
    printf("%d ", rate_allow(&limit));
    printf("%d ", rate_allow(&limit));
    go_time start = go_now();
    if (rate_wait(NULL, &limit) != 0) {
        return 1;
    }
    printf("%d ", go_since(start) < GO_SEC);

    rate_set(&limit, 0.1, 2); /* one in ten seconds */
    while (rate_allow(&limit)) {
        /* what has come in meanwhile, at the old rate */
    }
    go_reservation later = rate_book(&limit, 2);
    printf("%d ", later.at > go_now() + GO_SEC);
    rate_cancel(&limit, &later); /* too long: the tokens come back */
    printf("%d\n", go_rate_tokens(&limit) > -1);
}
/* Output:
1 1 1 1 1
*/
