/* SPDX-License-Identifier: MIT */
/* crowd_test.c: ten thousand keep-alive connections at a server in a process of its own: each is
 * served, twice, the second time all at once; and what an idle one costs is measured. */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gort.h>
#include <gort/http.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CROWD = 10000,
    CROWD_LEAST = 100,
    BYTES_MAX = 12 << 10,   /* of an idle connection, with page tables, without the kernel's */
    PATIENCE_SECONDS = 25,
};

static const char question[] = "GET /hello HTTP/1.1\r\nHost: crowd\r\n\r\n";
static const char answer[] = "Hello, World!";

static int hello(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    return go_http_write(res, answer, sizeof answer - 1) < 0 ? -1 : 0;
}

/* The server's process: says its port, and serves until it is killed. */
static void serve(int out)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    go_listener *l;
    if (go_listen("tcp", "127.0.0.1:0", &l) < 0) {
        _exit(2);
    }
    int port = atoi(strrchr(go_listener_addr(l), ':') + 1);
    if (write(out, &port, sizeof port) != (ssize_t)sizeof port) {
        _exit(2);
    }
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "GET /hello", hello, NULL);
    go_http_options options = { .idle_timeout = -1 };
    go_http_serve(NULL, l, &options, mux);
    _exit(3);
}

static pid_t start(int *port)
{
    int ends[2];
    REQUIRE_EQ_INT(pipe(ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    REQUIRE_INT(pid, >=, 0);
    if (pid == 0) {
        close(ends[0]);
        serve(ends[1]);
    }
    close(ends[1]);
    REQUIRE_EQ_INT(read(ends[0], port, sizeof *port), sizeof *port);
    close(ends[0]);
    return pid;
}

/* Both processes hold a descriptor for each connection. */
static void want_descriptors(int n)
{
    struct rlimit have;
    getrlimit(RLIMIT_NOFILE, &have);
    rlim_t need = (rlim_t)n + 200;
    struct rlimit more = { need, have.rlim_max > need ? have.rlim_max : need };
    if (have.rlim_cur < need && setrlimit(RLIMIT_NOFILE, &more) != 0) {
        SKIP("%d descriptors are needed and %llu allowed: %s", n + 200,
             (unsigned long long)have.rlim_max, strerror(errno));
    }
}

static int join(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE_INT(fd, >=, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE_EQ_INT(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void ask(int fd)
{
    REQUIRE_EQ_INT(send(fd, question, sizeof question - 1, MSG_NOSIGNAL), sizeof question - 1);
}

/* One whole answer, whose body ends it. */
static void hear(int fd)
{
    char buf[512];
    size_t n = 0;
    const size_t len = sizeof answer - 1;
    while (n < len || memcmp(buf + n - len, answer, len) != 0) {
        REQUIRE_INT(n, <, sizeof buf - 1);
        ssize_t r = recv(fd, buf + n, sizeof buf - 1 - n, 0);
        REQUIRE_INT(r, >, 0);
        n += (size_t)r;
    }
    buf[n] = '\0';
    EXPECT(strncmp(buf, "HTTP/1.1 200 OK\r\n", 17) == 0);
}

/* The kilobytes behind a word at the start of a line of /proc/PID/FILE; -1: there are none. */
static long kilobytes(pid_t pid, const char *file, const char *word)
{
    char path[64];
    char line[256];
    long found = -1;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *f = fopen(path, "r");
    while (f != NULL && found < 0 && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, word, strlen(word)) == 0) {
            found = strtol(line + strlen(word), NULL, 10);
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return found;
}

static long memory(pid_t pid)
{
    long pss = kilobytes(pid, "smaps_rollup", "Pss:");
    long tables = kilobytes(pid, "status", "VmPTE:");
    if (pss < 0) {
        pss = kilobytes(pid, "status", "VmRSS:");
    }
    REQUIRE(pss >= 0 && tables >= 0);
    return (pss + tables) * 1024;
}

static void serve_twice(int *fd, int n, int port)
{
    for (int i = 0; i < n; i++) {
        fd[i] = join(port);
        ask(fd[i]);
        hear(fd[i]);
    }
    for (int i = 0; i < n; i++) {
        ask(fd[i]);
    }
    for (int i = 0; i < n; i++) {
        hear(fd[i]);
    }
}

TEST_LONG(http_load, ten_thousand_keep_alive_connections_are_all_served_and_idle_in_12_KiB, 45)
{
    int n = (int)test_iterations(CROWD);
    n = n < CROWD_LEAST ? CROWD_LEAST : n;
    want_descriptors(n);
    int port;
    pid_t pid = start(&port);
    int first = join(port);
    ask(first);
    hear(first);
    long before = memory(pid);
    int *fd = calloc((size_t)n, sizeof *fd);
    REQUIRE(fd != NULL);
    serve_twice(fd, n, port);
    long each = (memory(pid) - before) / n;
    printf("# %d connections, %ld bytes for each that is idle\n", n, each);
    /* Tools keep books of their own, and few connections share the cost of a burst among few. */
    if (n == CROWD) {
        EXPECT_INT(each, <=, BYTES_MAX);
    }
    for (int i = 0; i < n; i++) {
        close(fd[i]);
    }
    close(first);
    free(fd);
    int status;
    EXPECT_EQ_INT(waitpid(pid, &status, WNOHANG), 0); /* it lives */
    kill(pid, SIGKILL);
    EXPECT_EQ_INT(waitpid(pid, &status, 0), pid);
}
