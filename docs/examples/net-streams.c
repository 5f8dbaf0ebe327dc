/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <string.h>

static void serve(go_listener *l)
{
    char buf[64];
    go_conn *c;
    while (go_accept(l, &c) == 0) {
        ssize_t n = conn_read(c, buf, sizeof buf);
        if (n > 0 && conn_write(c, buf, (size_t)n) < 0) {
            printf("the client has gone\n");
        }
        conn_close(c);
    }
}

int main(void)
{
    char buf[64];
    go_listener *l;
    go_conn *c;
    if (go_listen("tcp", "127.0.0.1:0", &l) != 0) {
        return 1;
    }
    go_waitgroup serving = {0};
    wg_go(&serving, serve, l);

    go_ctx *soon = ctx_with_timeout(ctx_background(), 10 * GO_SEC);
    if (go_dial(soon, "tcp", listener_addr(l), &c) == 0) {
        conn_set_deadline(c, go_now() + 10 * GO_SEC);
        ssize_t n = conn_write(c, "hello", 5);
        n = n == 5 ? conn_read(c, buf, sizeof buf) : n;
        printf("%.*s\n", n > 0 ? (int)n : 0, buf);
        printf("%zd\n", conn_read(c, buf, sizeof buf)); /* the end of the stream */
        conn_set_read_deadline(c, go_now());
        printf("%s\n", strerror((int)-conn_read(c, buf, sizeof buf)));
        conn_close(c);
    }
    ctx_free(soon);
    listener_close(l);
    wg_wait(&serving);
}
/* Output:
hello
0
Connection timed out
*/
