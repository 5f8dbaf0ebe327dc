/* SPDX-License-Identifier: MIT */
/* echo.c: a TCP server that sends back what it receives; the load comes from echo_client. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void serve(go_conn *c)
{
    char buffer[4096];
    for (;;) {
        ssize_t got = conn_read(c, buffer, sizeof(buffer));
        if (got <= 0 || conn_write(c, buffer, (size_t)got) < 0) {
            break;
        }
    }
    conn_close(c);
}

static void accept_all(struct bench *b)
{
    go_listener *l;
    int error = go_listen("tcp", "127.0.0.1:0", &l);
    if (error < 0) {
        bench_fail("echo: cannot listen: %s", strerror(-error));
    }
    const char *port = strrchr(listener_addr(l), ':');
    printf("port %s\n", port + 1);
    fflush(stdout);
    for (;;) {
        go_conn *c;
        error = go_accept(l, &c);
        if (error < 0) {
            bench_fail("%s: cannot accept: %s", b->name, strerror(-error));
        }
        go(serve, c);
    }
}

/* Prints "port N" and serves until it is killed. n is not used. */
BENCH(echo)
{
    accept_all(b);
}

static void compute(void)
{
    for (volatile unsigned long i = 0;; i++) {
    }
}

/* The same beside two goroutines per processor that compute and never call the library. The load
 * comes from clock_client. */
BENCH(echo_busy)
{
    for (int i = 0; i < 2 * go_maxprocs(0); i++) {
        go(compute);
    }
    accept_all(b);
}
