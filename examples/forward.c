/* SPDX-License-Identifier: MIT */
/* A port-forwarder: what arrives here goes there, and back. Each connection has two goroutines, one
 * for each direction, and each direction may end before the other (half close).
 *
 *     gort run examples/forward.c                                  shows itself, and ends
 *     gort run examples/forward.c -- :8080 www.example.org:80      forwards until Ctrl-C */
#include <gort.h>
#include <gort/short.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void copy(go_conn *from, go_conn *to)
{
    char buf[16384];
    ssize_t n = conn_read(from, buf, sizeof buf);
    while (n > 0 && conn_write(to, buf, (size_t)n) == n) {
        n = conn_read(from, buf, sizeof buf);
    }
    conn_close_write(to); /* the end goes on, the other direction stays */
}

static void forward(go_conn *near, const char *target)
{
    go_conn *far;
    go_ctx *soon = ctx_with_timeout(ctx_background(), 10 * GO_SEC);
    int error = go_dial(soon, "tcp", target, &far);
    ctx_free(soon);
    if (error != 0) {
        fprintf(stderr, "forward: %s: %s\n", target, strerror(-error));
        conn_close(near);
        return;
    }
    go_waitgroup both = {0};
    wg_go(&both, copy, near, far);
    wg_go(&both, copy, far, near);
    wg_wait(&both);
    conn_close(near);
    conn_close(far);
}

static void accept_all(go_listener *l, const char *target, go_waitgroup *forwarding)
{
    go_conn *c;
    while (go_accept(l, &c) == 0) {
        wg_go(forwarding, forward, c, target);
    }
}

/* The target of the demonstration: adds up all bytes until the end, and answers with the sum. */
static void add_up(go_listener *l)
{
    unsigned char buf[4096];
    char text[32];
    unsigned long sum = 0;
    go_conn *c;
    if (go_accept(l, &c) != 0) {
        return;
    }
    ssize_t n = conn_read(c, buf, sizeof buf);
    while (n > 0) {
        for (ssize_t i = 0; i < n; i++) {
            sum += buf[i];
        }
        n = conn_read(c, buf, sizeof buf);
    }
    int size = snprintf(text, sizeof text, "the sum is %lu\n", sum);
    if (conn_write(c, text, (size_t)size) < 0) {
        fprintf(stderr, "forward: the client has gone\n");
    }
    conn_close(c);
}

static void demonstrate(const char *address)
{
    enum { BYTES = 1000000 };
    static unsigned char data[BYTES];
    char answer[64] = "";
    go_conn *c;
    for (int i = 0; i < BYTES; i++) {
        data[i] = (unsigned char)i;
    }
    if (go_dial(NULL, "tcp", address, &c) != 0 || conn_write(c, data, BYTES) != BYTES) {
        return;
    }
    conn_close_write(c); /* through the forwarder, and the answer comes back through it */
    size_t have = 0;
    ssize_t n = 1;
    while (n > 0 && have < sizeof answer - 1) {
        n = conn_read(c, answer + have, sizeof answer - 1 - have);
        have += n > 0 ? (size_t)n : 0;
    }
    printf("%s", answer);
    conn_close(c);
}

int main(int argc, char **argv)
{
    go_listener *l;
    go_listener *target;
    go_waitgroup running = {0};
    go_waitgroup forwarding = {0};
    int error = go_listen("tcp", argc == 3 ? argv[1] : "127.0.0.1:0", &l);
    if (error != 0 || go_listen("tcp", "127.0.0.1:0", &target) != 0) {
        fprintf(stderr, "forward: cannot listen: %s\n", strerror(-error));
        return 1;
    }
    const char *where = argc == 3 ? argv[2] : listener_addr(target);
    wg_go(&running, accept_all, l, where, &forwarding);
    if (argc == 3) {
        go_ctx *stop = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
        printf("%s goes to %s\n", listener_addr(l), where);
        chan_recv(ctx_done(stop));
        ctx_free(stop);
        return 0; /* connections end with the process */
    }
    wg_go(&running, add_up, target);
    demonstrate(listener_addr(l));
    listener_close(l);
    wg_wait(&running);
    wg_wait(&forwarding);
    listener_close(target);
    printf("all connections have ended\n");
}
