/* SPDX-License-Identifier: MIT */
/* deadlock.c: everybody waits for somebody else.
 *
 * Each of the two goroutines wants to receive before it sends, and main waits for both. No thread
 * is busy, no timer is running: nothing can ever happen again. The program ends with Go's words,
 * the state of every goroutine and where it was started, and exit status 2.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void first_you(recv_chan(int) from, send_chan(int) to)
{
    int v = chan_recv(from);
    chan_send(to, v + 1);
}

int main(void)
{
    chan(int) a = chan_make(int), b = chan_make(int);
    go_waitgroup wg = { 0 };
    wg_go(&wg, first_you, a, b);
    wg_go(&wg, first_you, b, a);

    printf("main waits for two goroutines that wait for each other\n");
    fflush(stdout); /* the crash does not run exit handlers */
    wg_wait(&wg);
    printf("never printed\n");
    return 0;
}
