/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void square(int *slot, int i) { *slot = i * i; }

int main(void)
{
    go_waitgroup wg = { 0 };
    int squares[4];
    for (int i = 0; i < 4; i++) {
        wg_go(&wg, square, &squares[i], i); /* add, start, and done at its end */
    }
    wg_wait(&wg); /* what they wrote can be read now */
    for (int i = 0; i < 4; i++) {
        printf("%d\n", squares[i]);
    }
}
/* Output:
0
1
4
9
*/
