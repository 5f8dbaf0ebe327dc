/* SPDX-License-Identifier: MIT */
/* echo_client.c: the load for the servers. One thread, one epoll, N connections, each with one
 * request under way at any time.
 *
 *   echo_client echo|http PORT CONNECTIONS MILLISECONDS
 *
 * Prints the time an answer took on average over the whole run (wall time divided by answers), the
 * number of answers with those of the warming up, and the latency of single ones. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, BUCKETS = 1 << 19, BUCKET_NS = 1000, ANSWER_MAX = 2048 };

struct connection {
    int fd;
    int64_t sent_at;
    size_t have;   /* bytes of the answer so far */
    size_t expect; /* its length, 0 while unknown */
    char answer[ANSWER_MAX];
};

static const char http_request[] = "GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n";
static char echo_request[64];
static const char *request;
static size_t request_size;
static bool http;
static long histogram[BUCKETS];
static long answers;

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

static void ask(struct connection *c)
{
    c->have = 0;
    c->expect = http ? 0 : request_size;
    c->sent_at = now();
    if (send(c->fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size) {
        die("echo_client: send");
    }
}

/* The length of a whole answer, 0 when it cannot be told yet. */
static size_t http_length(struct connection *c)
{
    c->answer[c->have] = 0;
    const char *end = strstr(c->answer, "\r\n\r\n");
    if (!end) {
        return 0;
    }
    if (strncmp(c->answer, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "echo_client: %.40s\n", c->answer);
        exit(3);
    }
    const char *length = strcasestr(c->answer, "\r\ncontent-length:");
    if (!length || length > end) {
        fprintf(stderr, "echo_client: an answer without Content-Length\n");
        exit(3);
    }
    return (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10);
}

static void take(struct connection *c)
{
    ssize_t got = recv(c->fd, c->answer + c->have, ANSWER_MAX - 1 - c->have, 0);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        die("echo_client: recv");
    }
    c->have += (size_t)got;
    if (http && c->expect == 0) {
        c->expect = http_length(c);
    }
    if (c->expect == 0 || c->have < c->expect) {
        return;
    }
    int64_t bucket = (now() - c->sent_at) / BUCKET_NS;
    histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    answers++;
    ask(c);
}

static int dial(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        die("echo_client: connect");
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

static double percentile_us(double share)
{
    long wanted = (long)((double)answers * share);
    long seen = 0;
    for (int i = 0; i < BUCKETS; i++) {
        seen += histogram[i];
        if (seen > wanted) {
            return (double)i * BUCKET_NS / 1e3;
        }
    }
    return (double)BUCKETS * BUCKET_NS / 1e3;
}

static void run_until(int poll, int64_t end)
{
    struct epoll_event events[EVENTS];
    while (now() < end) {
        int ready = epoll_wait(poll, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            take(events[i].data.ptr);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: echo_client echo|http PORT CONNECTIONS MILLISECONDS\n");
        return 2;
    }
    http = strcmp(argv[1], "http") == 0;
    memset(echo_request, 'x', sizeof(echo_request));
    request = http ? http_request : echo_request;
    request_size = http ? sizeof(http_request) - 1 : sizeof(echo_request);
    long connections = strtol(argv[3], NULL, 10);
    struct connection *all = calloc((size_t)connections, sizeof(*all));
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (long i = 0; i < connections; i++) {
        all[i].fd = dial(atoi(argv[2]));
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = &all[i] };
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &e);
    }
    for (long i = 0; i < connections; i++) {
        ask(&all[i]);
    }
    int64_t length = strtol(argv[4], NULL, 10) * 1000000;
    run_until(poll, now() + length / 5); /* not measured: everybody gets going */
    memset(histogram, 0, sizeof(histogram));
    long warmup = answers;
    answers = 0;
    int64_t start = now();
    run_until(poll, start + length);
    int64_t took = now() - start;
    if (answers == 0) {
        fprintf(stderr, "echo_client: not one answer\n");
        return 3;
    }
    printf("%s %.6g ns\n", argv[1], (double)took / (double)answers);
    printf("%s.requests %ld count\n", argv[1], warmup + answers);
    printf("%s.p50 %.6g us\n", argv[1], percentile_us(0.5));
    printf("%s.p99 %.6g us\n", argv[1], percentile_us(0.99));
    printf("%s.p999 %.6g us\n", argv[1], percentile_us(0.999));
    return 0;
}
