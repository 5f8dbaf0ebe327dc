/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void say(const char *word, double x, chan(int) done)
{
    defer(puts, "bye");
    printf("%s %.1f\n", word, x);
    chan_send(done, 1);
}

static void fail(int code) { go_panic("code %d", code); }

int main(void)
{
    chan(int) done = chan_make(int, 1);
    go(say, "hello", 1.5, done);
    while (go_count() > 1) {
        go_yield();
    }
    int n = 2;
    go_do(n, done) { chan_send(done, n); };
    printf("%d\n", chan_recv(done) + chan_recv(done));
    go_panic_info why;
    if (!go_try(&why, fail, 7)) {
        printf("%s\n", why.message);
    }
    chan_free(done);
}
/* Output:
hello 1.5
bye
3
code 7
*/
