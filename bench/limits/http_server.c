/* SPDX-License-Identifier: MIT */
/* http_server.c: the least that an HTTP server can do: one thread, one epoll, answers made ready
 * beforehand, and of a request no more than its end and which of the two paths it names. A program
 * of its own: prints "port N" and serves until it is killed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, PAGE = 4096 };

static char answers[2][PAGE + 256];
static size_t sizes[2];

/* The same headers as the other sides send, the date as it is at the start. */
static void make_ready(int i, size_t n)
{
    int head = snprintf(answers[i], sizeof answers[i],
                        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                        "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", n);
    if (n == 13) {
        memcpy(answers[i] + head, "Hello, World!", n);
    } else {
        memset(answers[i] + head, 'x', n);
    }
    sizes[i] = (size_t)head + n;
}

static void accept_all(int poll, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd >= 0) {
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
}

/* A request of the load generator comes whole, and the answer fits the socket's buffer; a
 * connection where that is not so is closed, and the load generator counts an error. */
static void answer(int fd)
{
    char buffer[2048];
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got < 8 || memcmp(buffer + got - 4, "\r\n\r\n", 4) != 0) {
        close(fd);
        return;
    }
    int which = memcmp(buffer, "GET /4k ", 8) == 0;
    if (send(fd, answers[which], sizes[which], MSG_NOSIGNAL) != (ssize_t)sizes[which]) {
        close(fd);
    }
}

int main(void)
{
    make_ready(0, 13);
    make_ready(1, PAGE);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    if (bind(listener, (struct sockaddr *)&a, size) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)&a, &size) != 0) {
        perror("http_server");
        return 3;
    }
    int poll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = { .events = EPOLLIN, .data.fd = listener };
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &e);
    printf("port %d\n", ntohs(a.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) {
                accept_all(poll, listener);
            } else {
                answer(events[i].data.fd);
            }
        }
    }
}
