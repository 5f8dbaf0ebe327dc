/* SPDX-License-Identifier: MIT */
/* clock_client.c: how late are answers? One connection, 64 bytes every so often by the clock, at
 * real-time priority where that is allowed, so that what is late is the server.
 *
 *   clock_client PORT INTERVAL_US REQUESTS
 *
 * A request that is due while the last is under way is counted from when it was due: who is slow
 * once does not get fewer chances to be slow again. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(3);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_until(int64_t t)
{
    const struct timespec ts = { .tv_sec = t / 1000000000, .tv_nsec = t % 1000000000 };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: clock_client PORT INTERVAL_US REQUESTS\n");
        return 2;
    }
    const struct sched_param high = { .sched_priority = 10 };
    if (sched_setscheduler(0, SCHED_FIFO, &high) != 0) {
        fprintf(stderr, "clock_client: no real-time priority: figures include its own delays\n");
    }
    int64_t interval = strtol(argv[2], NULL, 10) * 1000;
    long count = strtol(argv[3], NULL, 10);
    int64_t *took = calloc((size_t)count, sizeof(*took));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        die("clock_client: connect");
    }
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    int64_t due = now() + interval;
    for (long i = 0; i < count; i++, due += interval) {
        char text[64] = "";
        sleep_until(due);
        if (send(fd, text, sizeof(text), MSG_NOSIGNAL) != (ssize_t)sizeof(text) ||
            recv(fd, text, sizeof(text), MSG_WAITALL) != (ssize_t)sizeof(text)) {
            die("clock_client: no answer");
        }
        took[i] = now() - due;
    }
    qsort(took, (size_t)count, sizeof(*took), by_value);
    printf("echo_busy.p50 %.6g us\n", (double)took[count / 2] / 1e3);
    printf("echo_busy.p99 %.6g us\n", (double)took[count - 1 - count / 100] / 1e3);
    printf("echo_busy.p999 %.6g us\n", (double)took[count - 1 - count / 1000] / 1e3);
    printf("echo_busy.max %.6g us\n", (double)took[count - 1] / 1e3);
    return 0;
}
