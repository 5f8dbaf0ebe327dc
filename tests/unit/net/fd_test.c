/* SPDX-License-Identifier: MIT */
/* fd_test.c: waiting for descriptors that belong to somebody else. */
#include "net_test.h"
#include <fcntl.h>
#include <gort/short.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static void make_pipe(int fd[2]) { REQUIRE_EQ_INT(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0); }

static void close_both(const int fd[2])
{
    close(fd[0]);
    close(fd[1]);
}

static void put(int fd) { EXPECT_EQ_INT(write(fd, "x", 1), 1); }

static void take(int fd)
{
    char c;
    EXPECT_EQ_INT(read(fd, &c, 1), 1);
}

static void wait_and_note(int fd, int events, int *result, go_waitgroup *over)
{
    *result = go_fd_wait(fd, events, GO_FOREVER);
    wg_done(over);
}

/* For whoever looks before that is over: readiness orders nothing, only reading what came does. */
static void wait_and_show(int fd, int events, _Atomic int *result, go_waitgroup *over)
{
    *result = go_fd_wait(fd, events, GO_FOREVER);
    wg_done(over);
}

TEST(fd, what_is_ready_is_not_waited_for)
{
    int fd[2];
    make_pipe(fd);
    put(fd[1]);
    EXPECT_EQ_INT(go_fd_wait(fd[0], GO_READ, 0), GO_READ);
    EXPECT_EQ_INT(go_fd_wait(fd[1], GO_WRITE, 0), GO_WRITE);
    close_both(fd);
}

TEST(fd, a_deadline_ends_the_wait)
{
    int fd[2];
    make_pipe(fd);
    go_time t = go_now() + 3 * GO_MS;
    EXPECT_EQ_INT(go_fd_wait(fd[0], GO_READ, t), -ETIMEDOUT);
    EXPECT_INT(go_now(), >=, t);
    EXPECT_EQ_INT(go_fd_wait(fd[0], GO_READ, 0), -ETIMEDOUT);
    close_both(fd);
}

TEST(fd, files_and_wrong_numbers_are_refused)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int fd[2];
    make_pipe(fd);
    close_both(fd);
    EXPECT_EQ_INT(go_fd_wait(file, GO_READ, GO_FOREVER), -EPERM);
    EXPECT_EQ_INT(go_fd_wait(fd[0], GO_READ, GO_FOREVER), -EBADF);
    EXPECT_EQ_INT(go_fd_wait(-1, GO_READ, GO_FOREVER), -EBADF);
    EXPECT_EQ_INT(go_fd_wait(file, 0, GO_FOREVER), -EINVAL);
    close(file);
}

TEST(fd, wakes_when_ready_again_and_again)
{
    int fd[2];
    make_pipe(fd);
    for (int i = 0; i < 50; i++) {
        int r = 0;
        go_waitgroup over = {0};
        wg_add(&over, 1);
        go(wait_and_note, fd[0], GO_READ, &r, &over);
        wait_for_io_waiters(1);
        put(fd[1]);
        wg_wait(&over);
        EXPECT_EQ_INT(r, GO_READ);
        take(fd[0]);
    }
    close_both(fd);
}

TEST(fd, readers_and_writers_of_one_descriptor_wait_for_their_own)
{
    enum { N = 5 };
    int fd[2];
    int in[N] = {0};
    int out[N] = {0};
    char big[65536] = {0};
    go_waitgroup readers = {0};
    go_waitgroup writers = {0};
    REQUIRE_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
    while (write(fd[0], big, sizeof big) > 0) { /* until there is no room */
    }
    wg_add(&readers, N);
    wg_add(&writers, N);
    for (int i = 0; i < N; i++) {
        go(wait_and_note, fd[0], GO_READ, &in[i], &readers);
        go(wait_and_note, fd[0], GO_WRITE, &out[i], &writers);
    }
    wait_for_io_waiters(2 * N);
    put(fd[1]);
    wg_wait(&readers);
    while (read(fd[1], big, sizeof big) > 0) {
    }
    wg_wait(&writers);
    for (int i = 0; i < N; i++) {
        EXPECT_EQ_INT(in[i], GO_READ);
        EXPECT_EQ_INT(out[i], GO_WRITE);
    }
    close_both(fd);
}

TEST(fd, a_hang_up_counts_as_ready)
{
    int r = 0;
    int fd[2];
    go_waitgroup over = {0};
    make_pipe(fd);
    wg_add(&over, 1);
    go(wait_and_note, fd[0], GO_READ, &r, &over);
    wait_for_io_waiters(1);
    close(fd[1]);
    wg_wait(&over);
    EXPECT_EQ_INT(r, GO_READ);
    close(fd[0]);
}

TEST(fd, a_number_that_is_used_again_is_another_descriptor)
{
    int old[2];
    int new[2];
    setenv("GORTDEBUG", "", 1); /* a look for leaks has descriptors of its own for a moment */
    make_pipe(old);
    /* Leaves a registration behind, armed, that lives on in the copy. */
    EXPECT_EQ_INT(go_fd_wait(old[0], GO_READ, go_now() + GO_MS), -ETIMEDOUT);
    int copy = dup(old[0]);
    int number = old[0];
    close(old[0]);
    make_pipe(new);
    EXPECT_EQ_INT(new[0], number);
    _Atomic int r = 0;
    go_waitgroup over = {0};
    wg_add(&over, 1);
    go(wait_and_show, new[0], GO_READ, &r, &over);
    wait_for_io_waiters(1);
    put(old[1]); /* reported under the old number: concerns nobody */
    go_sleep(5 * GO_MS);
    EXPECT_EQ_INT(r, 0);
    put(new[1]);
    wg_wait(&over);
    EXPECT_EQ_INT(r, GO_READ);
    close(copy);
    close(old[1]);
    close_both(new);
}

TEST(fd, a_copy_is_waited_for_by_its_own_number)
{
    int fd[2];
    int r[2] = {0};
    go_waitgroup over = {0};
    make_pipe(fd);
    int copy = dup(fd[0]);
    wg_add(&over, 2);
    go(wait_and_note, fd[0], GO_READ, &r[0], &over);
    go(wait_and_note, copy, GO_READ, &r[1], &over);
    wait_for_io_waiters(2);
    put(fd[1]);
    wg_wait(&over);
    EXPECT_EQ_INT(r[0], GO_READ);
    EXPECT_EQ_INT(r[1], GO_READ);
    close(copy);
    close_both(fd);
}

TEST(fd, of_a_connection_may_be_waited_for_beside_it)
{
    char buf[8];
    int r = 0;
    go_waitgroup over = {0};
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    wg_add(&over, 1);
    go(wait_and_note, conn_fd(a), GO_READ, &r, &over);
    wait_for_io_waiters(1);
    EXPECT_EQ_INT(conn_write(b, "x", 1), 1);
    wg_wait(&over);
    EXPECT_EQ_INT(r, GO_READ);
    EXPECT_EQ_INT(conn_read(a, buf, sizeof buf), 1);
    conn_close(a);
    conn_close(b);
}

static void *outside(void *arg)
{
    const int *fd = arg;
    EXPECT_EQ_INT(go_fd_wait(fd[0], GO_READ, GO_FOREVER), GO_READ);
    return NULL;
}

static void *outside_for_a_while(void *arg)
{
    const int *fd = arg;
    EXPECT_EQ_INT(go_fd_wait(fd[0], GO_READ, go_now() + GO_MS), -ETIMEDOUT);
    return NULL;
}

TEST(fd, a_thread_may_wait_as_well)
{
    int fd[2];
    pthread_t t;
    make_pipe(fd);
    REQUIRE_EQ_INT(pthread_create(&t, NULL, outside, fd), 0);
    wait_for_io_waiters(1);
    put(fd[1]);
    pthread_join(t, NULL);
    close_both(fd);
}

TEST(fd, a_deadline_ends_the_wait_of_a_thread)
{
    int fd[2];
    pthread_t t;
    make_pipe(fd);
    REQUIRE_EQ_INT(pthread_create(&t, NULL, outside_for_a_while, fd), 0);
    pthread_join(t, NULL);
    close_both(fd);
}

TEST(fd, a_thread_waits_while_all_goroutines_sleep)
{
    int fd[2];
    pthread_t t;
    make_pipe(fd);
    go_sleep(GO_MS); /* the runtime is there, and idle from now on */
    REQUIRE_EQ_INT(pthread_create(&t, NULL, outside, fd), 0);
    go_sleep(20 * GO_MS);
    put(fd[1]);
    pthread_join(t, NULL);
    close_both(fd);
}

TEST(fd, an_eventfd_is_as_good)
{
    uint64_t n = 1;
    int e = eventfd(0, EFD_CLOEXEC);
    EXPECT_EQ_INT(go_fd_wait(e, GO_READ, go_now() + GO_MS), -ETIMEDOUT);
    EXPECT_EQ_INT(go_fd_wait(e, GO_READ | GO_WRITE, GO_FOREVER), GO_WRITE);
    EXPECT_EQ_INT(write(e, &n, sizeof n), (ssize_t)sizeof n);
    EXPECT_EQ_INT(go_fd_wait(e, GO_READ | GO_WRITE, GO_FOREVER), GO_READ | GO_WRITE);
    close(e);
}
