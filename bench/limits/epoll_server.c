/* SPDX-License-Identifier: MIT */
/* epoll_server.c: the least that a TCP echo server can do: one thread and one epoll for each of
 * GOMAXPROCS, connections dealt out in turn. It answers in the loop that sees the event. */
#include "limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORKERS_MAX = 64, EVENTS = 256 };

static int epolls[WORKERS_MAX];
static int workers = 1;
static int listener;

static void accept_all(void)
{
    static unsigned turn; /* only the first worker accepts */
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
        epoll_ctl(epolls[turn++ % (unsigned)workers], EPOLL_CTL_ADD, fd, &e);
    }
}

static void answer(int fd)
{
    char buffer[4096];
    ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
    if (got <= 0 || send(fd, buffer, (size_t)got, MSG_NOSIGNAL) != got) {
        close(fd);
    }
}

static void *work(void *arg)
{
    int poll = epolls[(intptr_t)arg];
    struct epoll_event events[EVENTS];
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) {
                accept_all();
            } else {
                answer(events[i].data.fd);
            }
        }
    }
}

int serve_echo(void)
{
    const char *text = getenv("GOMAXPROCS");
    workers = text ? atoi(text) : 1;
    workers = workers < 1 ? 1 : workers > WORKERS_MAX ? WORKERS_MAX : workers;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(a);
    if (bind(listener, (struct sockaddr *)&a, size) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)&a, &size) != 0) {
        perror("bench_limit: echo");
        return 3;
    }
    for (int i = 0; i < workers; i++) {
        epolls[i] = epoll_create1(EPOLL_CLOEXEC);
    }
    struct epoll_event e = { .events = EPOLLIN, .data.fd = listener };
    epoll_ctl(epolls[0], EPOLL_CTL_ADD, listener, &e);
    printf("port %d\n", ntohs(a.sin_port));
    fflush(stdout);
    for (intptr_t i = 1; i < workers; i++) {
        pthread_t t;
        pthread_create(&t, NULL, work, (void *)i);
    }
    work(NULL);
    return 0;
}
