/* SPDX-License-Identifier: MIT */
/* A TCP server that sends back what it receives: one goroutine for each connection, in code that
 * reads as if there were only one.
 *
 *     gort run examples/echo.c                     talks to itself, and ends
 *     gort run examples/echo.c -- 127.0.0.1:7000   serves until Ctrl-C */
#include <gort.h>
#include <gort/short.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends with the connection, or after a minute of silence. */
static void serve(go_conn *c)
{
    char buf[4096];
    for (;;) {
        conn_set_read_deadline(c, go_now() + GO_MIN);
        ssize_t n = conn_read(c, buf, sizeof buf);
        if (n <= 0 || conn_write(c, buf, (size_t)n) < 0) {
            break;
        }
    }
    conn_close(c);
}

static void accept_all(go_listener *l, go_waitgroup *serving)
{
    go_conn *c;
    while (go_accept(l, &c) == 0) {
        wg_go(serving, serve, c);
    }
}

/* Sends a line and counts what comes back. */
static void client(const char *address, int number, int *correct)
{
    char line[32];
    char back[32] = "";
    size_t have = 0;
    go_conn *c;
    if (go_dial(NULL, "tcp", address, &c) != 0) {
        return;
    }
    size_t size = (size_t)snprintf(line, sizeof line, "hello from client %d\n", number);
    if (conn_write(c, line, size) == (ssize_t)size) {
        ssize_t n = 1;
        while (have < size && n > 0) {
            n = conn_read(c, back + have, size - have);
            have += n > 0 ? (size_t)n : 0;
        }
    }
    *correct = have == size && memcmp(line, back, size) == 0;
    conn_close(c);
}

static void demonstrate(const char *address)
{
    enum { CLIENTS = 100 };
    int correct[CLIENTS] = {0};
    int sum = 0;
    go_waitgroup asking = {0};
    for (int i = 0; i < CLIENTS; i++) {
        wg_go(&asking, client, address, i, &correct[i]);
    }
    wg_wait(&asking);
    for (int i = 0; i < CLIENTS; i++) {
        sum += correct[i];
    }
    printf("%d of %d clients got their own line back\n", sum, CLIENTS);
}

int main(int argc, char **argv)
{
    go_listener *l;
    int error = go_listen("tcp", argc > 1 ? argv[1] : "127.0.0.1:0", &l);
    if (error != 0) {
        fprintf(stderr, "echo: cannot listen: %s\n", strerror(-error));
        return 1;
    }
    go_waitgroup accepting = {0};
    go_waitgroup serving = {0};
    wg_go(&accepting, accept_all, l, &serving);
    if (argc > 1) {
        go_ctx *stop = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
        printf("listening on %s\n", listener_addr(l));
        chan_recv(ctx_done(stop));
        ctx_free(stop);
        return 0; /* connections end with the process */
    }
    demonstrate(listener_addr(l));
    listener_close(l);
    wg_wait(&accepting);
    wg_wait(&serving);
    printf("all connections have ended\n");
}
