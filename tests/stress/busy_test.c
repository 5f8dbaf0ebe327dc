/* SPDX-License-Identifier: MIT */
/* Readiness reaches goroutines though every P computes: an echo, asked for on a fixed clock by a
 * process of real-time priority, beside two goroutines for each P that never call the library. */
#include "harness.h"
#include "spent.h"
#include <arpa/inet.h>
#include <gort.h>
#include <gort/net.h>
#include <gort/short.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUESTS = 500, ROUNDS = 5, BYTES = 64 };
static const int64_t every = 2000000, bound = 4000000; /* ns */

static int64_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Of one round, by the clock: who is late once does not get fewer chances to be late again. */
static int64_t p99(int fd)
{
    static int64_t took[REQUESTS];
    char text[BYTES] = "";
    int64_t due = clock_now() + every;
    for (int i = 0; i < REQUESTS; i++, due += every) {
        const struct timespec t = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        if (send(fd, text, BYTES, MSG_NOSIGNAL) != BYTES ||
            recv(fd, text, BYTES, MSG_WAITALL) != BYTES) {
            _exit(1);
        }
        took[i] = clock_now() - due;
    }
    qsort(took, REQUESTS, sizeof took[0], by_value);
    return took[REQUESTS - 1 - REQUESTS / 100];
}

/* The client's process: of `start` comes the server's address and a byte for each round; into `out`
 * goes what it has measured. */
static _Noreturn void client(int start, int out)
{
    struct sockaddr_in to;
    const struct sched_param high = {.sched_priority = 10};
    const int one = 1;
    char go_on;
    bool real_time = sched_setscheduler(0, SCHED_FIFO, &high) == 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (read(start, &to, sizeof to) != sizeof to || read(start, &go_on, 1) != 1 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) {
        _exit(1);
    }
    do {
        int64_t worst = real_time ? p99(fd) : -1;
        if (write(out, &worst, sizeof worst) != sizeof worst) {
            _exit(1);
        }
    } while (read(start, &go_on, 1) == 1);
    _exit(0);
}

static void echo(go_listener *l)
{
    char text[BYTES];
    go_conn *c;
    REQUIRE_EQ_INT(go_accept(l, &c), 0);
    for (;;) {
        ssize_t n = go_conn_read(c, text, sizeof text);
        if (n <= 0 || go_conn_write(c, text, (size_t)n) != n) {
            break;
        }
    }
    go_conn_close(c);
}

static void compute(void)
{
    for (volatile unsigned long i = 0;; i++) {
    }
}

static void answers_in_time(int procs)
{
    int start[2], out[2];
    struct sockaddr_in to;
    socklen_t n = sizeof to;
    go_listener *l;
    if (test_scale() > 1 || test_under("qemu")) {
        SKIP("timing means nothing under a tool");
    }
    test_allow_leaks(TEST_LEAK_GOROUTINES | TEST_LEAK_FDS);
    REQUIRE(pipe(start) == 0 && pipe(out) == 0);
    if (fork() == 0) {
        close(start[1]);
        client(start[0], out[1]);
    }
    close(out[1]);
    REQUIRE_EQ_INT(go_listen("tcp4", "127.0.0.1:0", &l), 0);
    REQUIRE_EQ_INT(getsockname(go_listener_fd(l), (struct sockaddr *)&to, &n), 0);
    REQUIRE(write(start[1], &to, sizeof to) == sizeof to);
    go_maxprocs(procs);
    go(echo, l);
    for (int i = 0; i < 2 * procs; i++) {
        go(compute);
    }
    int64_t best = INT64_MAX;
    bool quiet = false;
    for (int i = 0; i < ROUNDS && best >= bound; i++) { /* others take processor time as well */
        int64_t took = 0;
        double others = spent_by_all() - spent_by_us();
        int64_t begin = clock_now();
        REQUIRE(write(start[1], "x", 1) == 1);
        REQUIRE(read(out[0], &took, sizeof took) == sizeof took);
        others = (spent_by_all() - spent_by_us() - others) * 1e9 / (double)(clock_now() - begin);
        printf("# p99 %.2f ms; others used %.2f of a processor\n", (double)took / 1e6, others);
        if (took < 0) {
            SKIP("no real-time priority for the client");
        }
        best = took < best ? took : best;
        quiet |= others < 0.1;
    }
    close(start[1]);
    if (best >= bound && !quiet) {
        SKIP("the machine was never quiet");
    }
    EXPECT_INT(best, <, bound);
}

TEST_LONG(busy, echo_is_answered_in_time_with_one_p, 120) { answers_in_time(1); }
TEST_LONG(busy, echo_is_answered_in_time_with_two, 120) { answers_in_time(2); }
