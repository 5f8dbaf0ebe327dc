/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    int r = go_metrics_write(STDERR_FILENO, GO_METRICS_PROMETHEUS);
    printf("%d\n", r);
}
/* Output:
0
*/
