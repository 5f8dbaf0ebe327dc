/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static go_once once;

static void use(go_waitgroup *wg)
{
    once_do(&once) { printf("set up\n"); } /* who comes meanwhile waits */
    wg_done(wg);
}

static go_once answer_once;
static int answer;
static int compute(int x)
{
    printf("compute\n");
    return x * 7;
}

int main(void)
{
    go_waitgroup wg = { 0 };
    wg_add(&wg, 3);
    for (int i = 0; i < 3; i++) {
        go(use, &wg);
    }
    wg_wait(&wg);
    for (int i = 0; i < 2; i++) {
        printf("%d\n", once_value(&answer_once, &answer, compute, 6));
    }
    /* Waits a second at most for somebody else's run. */
    if (once_value_until(&answer_once, &answer, go_now() + GO_SEC, compute, 6) == 0) {
        printf("%d\n", answer);
    }
}
/* Output:
set up
compute
42
42
42
*/
