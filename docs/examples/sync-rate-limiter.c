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
    printf("%d\n", go_since(start) < GO_SEC);
}
/* Output:
1 1 1
*/
