/* SPDX-License-Identifier: MIT */
/* conn_test.c: pipes, vectors, files, and what happens when the descriptors run out. */
#include "net_test.h"
#include "unit/sync/parked.h"
#include <fcntl.h>
#include <gort/short.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BIG = 3 << 20 };
static char big[BIG];
static char back[BIG];

static void fill(void)
{
    for (size_t i = 0; i < BIG; i++) {
        big[i] = (char)(i * 2654435761u >> 13);
    }
}

static void read_back(go_conn *c, ssize_t *got, go_waitgroup *over)
{
    *got = read_all(c, back, BIG);
    wg_done(over);
}

TEST(conn, a_pipe_carries_more_than_it_holds)
{
    ssize_t got = 0;
    go_waitgroup over = {0};
    go_conn *r;
    go_conn *w;
    fill();
    REQUIRE_EQ_INT(go_pipe(&r, &w), 0);
    EXPECT_EQ_STR(conn_local_addr(r), "");
    EXPECT_EQ_STR(conn_remote_addr(r), "");
    wg_add(&over, 1);
    go(read_back, r, &got, &over);
    EXPECT_EQ_INT(conn_write(w, big, BIG), BIG);
    wg_wait(&over);
    EXPECT_EQ_INT(got, BIG);
    EXPECT_EQ_MEM(big, back, BIG);
    conn_close(w);
    EXPECT_EQ_INT(conn_read(r, back, 1), 0);
    conn_close(r);
}

TEST(conn, a_pipe_that_nobody_reads_is_an_error_and_no_signal)
{
    go_conn *r;
    go_conn *w;
    signal(SIGPIPE, SIG_DFL);
    REQUIRE_EQ_INT(go_pipe(&r, &w), 0);
    conn_close(r);
    EXPECT_EQ_INT(conn_write(w, "x", 1), -EPIPE);
    EXPECT_EQ_INT(conn_write(w, "x", 1), -EPIPE);
    conn_close(w);
}

TEST(conn, close_wakes_who_waits_at_a_pipe)
{
    ssize_t got = 1;
    go_waitgroup over = {0};
    go_conn *r;
    go_conn *w;
    REQUIRE_EQ_INT(go_pipe(&r, &w), 0);
    wg_add(&over, 1);
    go(read_back, r, &got, &over);
    wait_for_io_waiters(1);
    conn_close(r);
    wg_wait(&over);
    EXPECT_EQ_INT(got, -ECANCELED);
    conn_close(w);
}

static void write_two(int fd, const char *one, const char *two)
{
    parked_await(GOI_WAIT_IO, 1);
    EXPECT_EQ_INT(write(fd, one, strlen(one)), (ssize_t)strlen(one));
    EXPECT_EQ_INT(write(fd, two, strlen(two)), (ssize_t)strlen(two));
}

/* Both may come with one edge; a read gives one line, however short. */
TEST(conn, a_terminal_gives_line_after_line)
{
    char buf[100];
    int keys = posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE_INT(keys, >=, 0);
    REQUIRE(grantpt(keys) == 0 && unlockpt(keys) == 0);
    int tty = open(ptsname(keys), O_RDWR | O_NOCTTY);
    REQUIRE_INT(tty, >=, 0);
    go_conn *c;
    REQUIRE_EQ_INT(go_conn_open(tty, &c), 0);
    go_maxprocs(1);
    go(write_two, keys, "one\n", "two\n");
    go_conn_set_read_deadline(c, go_now() + 60 * GO_SEC);
    EXPECT_EQ_INT(go_conn_read(c, buf, sizeof buf), 4);
    EXPECT_EQ_INT(go_conn_read(c, buf, sizeof buf), 4);
    EXPECT_EQ_MEM(buf, "two\n", 4);
    go_conn_close(c);
    close(keys);
}

/* A pipe of packets: the same. */
TEST(conn, a_pipe_of_packets_gives_one_after_the_other)
{
    char buf[100];
    int fd[2];
    REQUIRE_EQ_INT(pipe2(fd, O_DIRECT), 0);
    go_conn *c;
    REQUIRE_EQ_INT(go_conn_open(fd[0], &c), 0);
    go_maxprocs(1);
    go(write_two, fd[1], "one", "two");
    go_conn_set_read_deadline(c, go_now() + 60 * GO_SEC);
    EXPECT_EQ_INT(go_conn_read(c, buf, sizeof buf), 3);
    EXPECT_EQ_INT(go_conn_read(c, buf, sizeof buf), 3);
    EXPECT_EQ_MEM(buf, "two", 3);
    go_conn_close(c);
    close(fd[1]);
}

/* All three come with one report, and a read stops where the urgent byte was. */
static void send_urgent(go_conn *c)
{
    int fd = go_conn_fd(c);
    parked_await(GOI_WAIT_IO, 1);
    EXPECT_EQ_INT(send(fd, "abc", 3, 0), 3);
    EXPECT_EQ_INT(send(fd, "!", 1, MSG_OOB), 1);
    EXPECT_EQ_INT(send(fd, "efg", 3, 0), 3);
}

TEST(conn, what_comes_behind_an_urgent_byte_is_read)
{
    char buf[100];
    go_conn *a;
    go_conn *b;
    if (test_under("qemu")) {
        SKIP("urgent data is the host's");
    }
    pair(&a, &b);
    go_maxprocs(1);
    go(send_urgent, a);
    go_conn_set_read_deadline(b, go_now() + 60 * GO_SEC);
    for (size_t n = 0; n < 6;) { /* ends: or the read fails */
        ssize_t got = go_conn_read(b, buf + n, sizeof buf - n);
        REQUIRE_INT(got, >, 0);
        n += (size_t)got;
    }
    EXPECT_EQ_MEM(buf, "abcefg", 6);
    go_conn_close(a);
    go_conn_close(b);
}

TEST(conn, a_regular_file_is_no_connection)
{
    go_conn *c;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ_INT(go_conn_open(fd, &c), -EPERM);
    EXPECT_EQ_PTR(c, NULL);
    EXPECT_EQ_INT(close(fd), 0);
    EXPECT_EQ_INT(go_conn_open(fd, &c), -EBADF);
}

TEST(conn, a_vector_is_written_in_order)
{
    enum { PARTS = 100 };
    struct iovec iov[PARTS];
    ssize_t got = 0;
    size_t at = 0;
    go_waitgroup over = {0};
    go_conn *a;
    go_conn *b;
    fill();
    for (size_t i = 0; i < PARTS; i++) { /* of all lengths, nothing among them */
        size_t n = i + 1 < PARTS ? (i % 10) * 5000 : BIG - at;
        iov[i] = (struct iovec){.iov_base = big + at, .iov_len = n};
        at += n;
    }
    pair(&a, &b);
    wg_add(&over, 1);
    go(read_back, b, &got, &over);
    EXPECT_EQ_INT(conn_writev(a, iov, PARTS), BIG);
    wg_wait(&over);
    EXPECT_EQ_INT(got, BIG);
    EXPECT_EQ_MEM(big, back, BIG);
    EXPECT_EQ_INT(conn_writev(a, iov, 0), 0);
    EXPECT_EQ_INT(conn_writev(a, iov, -1), -EINVAL);
    conn_close(a);
    conn_close(b);
}

static int file_of_big(void)
{
    char name[] = "/tmp/gort-test-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    REQUIRE(fd >= 0);
    unlink(name);
    fill();
    REQUIRE_EQ_INT(write(fd, big, BIG), BIG);
    REQUIRE_EQ_INT(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

TEST(conn, sendfile_sends_what_there_is_and_moves_on)
{
    ssize_t got = 0;
    off_t offset = 1000;
    go_waitgroup over = {0};
    go_conn *a;
    go_conn *b;
    int fd = file_of_big();
    pair(&a, &b);
    wg_add(&over, 1);
    go(read_back, b, &got, &over);
    EXPECT_EQ_INT(conn_sendfile(a, fd, &offset, (size_t)2 * BIG), BIG - 1000);
    EXPECT_EQ_INT(offset, BIG);
    EXPECT_EQ_INT(lseek(fd, 0, SEEK_CUR), 0);
    EXPECT_EQ_INT(conn_sendfile(a, fd, NULL, 1000), 1000);
    EXPECT_EQ_INT(lseek(fd, 0, SEEK_CUR), 1000);
    EXPECT_EQ_INT(conn_sendfile(a, fd, &offset, 10), 0);
    wg_wait(&over);
    EXPECT_EQ_INT(got, BIG);
    EXPECT_EQ_MEM(back, big + 1000, BIG - 1000);
    EXPECT_EQ_MEM(back + BIG - 1000, big, 1000);
    conn_close(a);
    conn_close(b);
    close(fd);
}

TEST(conn, sendfile_copies_what_has_no_pages)
{
    char buf[16];
    int fd[2];
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    REQUIRE_EQ_INT(pipe2(fd, O_CLOEXEC), 0);
    EXPECT_EQ_INT(write(fd[1], "through", 7), 7);
    close(fd[1]);
    EXPECT_EQ_INT(conn_sendfile(a, fd[0], NULL, 100), 7);
    EXPECT_EQ_INT(conn_read(b, buf, sizeof buf), 7);
    conn_close(a);
    conn_close(b);
    close(fd[0]);
}

TEST(conn, sendfile_to_who_has_gone_is_an_error_and_no_signal)
{
    ssize_t r = 0;
    go_conn *a;
    go_conn *b;
    signal(SIGPIPE, SIG_DFL);
    int fd = file_of_big();
    pair(&a, &b);
    conn_close(b);
    while (r >= 0) { /* ends with the peer's reset, whenever the kernel delivers it */
        off_t offset = 0;
        r = conn_sendfile(a, fd, &offset, 100);
    }
    EXPECT(r == -EPIPE || r == -ECONNRESET);
    r = 0;
    for (int i = 0; i < 1000 && r >= 0; i++) { /* and no more reset, which comes only once */
        off_t offset = 0;
        r = conn_sendfile(a, fd, &offset, 100);
    }
    EXPECT_EQ_INT(r, -EPIPE);
    conn_close(a);
    close(fd);
}

static void free_one(const int *fd)
{
    go_sleep(12 * GO_MS); /* accept has tried more than once by then */
    close(*fd);
}

/* From now on there is no descriptor but the one that is returned; `before` is the limit so far. */
static int take_descriptors(struct rlimit *before)
{
    REQUIRE_EQ_INT(getrlimit(RLIMIT_NOFILE, before), 0);
    int last = dup(0);
    const struct rlimit low = {.rlim_cur = (rlim_t)last + 1, .rlim_max = before->rlim_max};
    REQUIRE_EQ_INT(setrlimit(RLIMIT_NOFILE, &low), 0);
    return last;
}

TEST(conn, accept_waits_while_there_are_no_descriptors)
{
    struct rlimit before;
    go_conn *a;
    go_conn *b;
    int last = -1;
    if (test_under("valgrind")) {
        SKIP("valgrind has its own idea of the limit of descriptors");
    }
    setenv("GORTDEBUG", "", 1); /* a look for leaks has descriptors of its own for a moment */
    go_listener *l = listen_here();
    REQUIRE_EQ_INT(go_dial(NULL, "tcp", listener_addr(l), &a), 0);
    last = take_descriptors(&before);
    REQUIRE_EQ_INT(dup(0), -1);
    go_time start = go_now();
    go(free_one, &last);
    EXPECT_EQ_INT(go_accept(l, &b), 0);
    EXPECT_INT(go_since(start), >=, 12 * GO_MS);
    setrlimit(RLIMIT_NOFILE, &before);
    conn_close(a);
    conn_close(b);
    listener_close(l);
}

static void accept_and_note(go_listener *l, int *r, go_waitgroup *over)
{
    go_conn *c;
    *r = go_accept(l, &c);
    wg_done(over);
}

TEST(conn, close_ends_an_accept_that_backs_off)
{
    struct rlimit before;
    int r = 0;
    go_waitgroup over = {0};
    go_conn *a;
    go_listener *l = listen_here();
    REQUIRE_EQ_INT(go_dial(NULL, "tcp", listener_addr(l), &a), 0);
    int last = take_descriptors(&before);
    wg_add(&over, 1);
    go(accept_and_note, l, &r, &over);
    wait_for_io_waiters(1);
    listener_close(l);
    wg_wait(&over);
    EXPECT_EQ_INT(r, -ECANCELED);
    setrlimit(RLIMIT_NOFILE, &before);
    close(last);
    conn_close(a);
}

/* After a second and a half it tries but once a second. Best of three: a thread may stand still. */
TEST(conn, deadline_ends_an_accept_that_backs_off)
{
    struct rlimit before;
    int r = 0;
    go_waitgroup over = {0};
    go_duration took = GO_HOUR;
    go_conn *a;
    go_listener *l = listen_here();
    REQUIRE_EQ_INT(go_dial(NULL, "tcp", listener_addr(l), &a), 0);
    int last = take_descriptors(&before);
    for (int i = 0; i < 3 && took > 200 * GO_MS; i++) {
        REQUIRE_EQ_INT(go_listener_set_deadline(l, GO_FOREVER), 0);
        wg_add(&over, 1);
        go(accept_and_note, l, &r, &over);
        go_sleep(1500 * GO_MS);
        go_time start = go_now();
        REQUIRE_EQ_INT(go_listener_set_deadline(l, start + 50 * GO_MS), 0);
        wg_wait(&over);
        took = go_since(start);
        EXPECT_EQ_INT(r, -ETIMEDOUT);
        EXPECT_INT(took, >=, 50 * GO_MS);
    }
    EXPECT_INT(took, <=, 200 * GO_MS);
    setrlimit(RLIMIT_NOFILE, &before);
    close(last);
    listener_close(l);
    conn_close(a);
}

static void nothing(int sig) { (void)sig; }

static void pester(int tid, atomic_bool *stop)
{
    while (!atomic_load(stop)) {
        syscall(SYS_tgkill, getpid(), tid, SIGUSR1);
        go_sleep(20 * GO_US);
    }
}

TEST(conn, interrupted_calls_go_on)
{
    atomic_bool stop = false;
    struct sigaction sa = {.sa_handler = nothing}; /* without SA_RESTART */
    ssize_t got = 0;
    go_waitgroup over = {0};
    go_conn *a;
    go_conn *b;
    fill();
    sigaction(SIGUSR1, &sa, NULL);
    pair(&a, &b);
    wg_add(&over, 1);
    wg_go(&over, pester, (int)syscall(SYS_gettid), &stop);
    go(read_back, b, &got, &over);
    for (int i = 0; i < 3 * 1024; i++) {
        if (!EXPECT_EQ_INT(conn_write(a, big + i * 1024, 1024), 1024)) {
            break;
        }
    }
    conn_close(a);
    stop = true;
    wg_wait(&over);
    EXPECT_EQ_INT(got, BIG);
    EXPECT_EQ_MEM(big, back, BIG);
    conn_close(b);
}

static void count_ticks(atomic_int *ticks, atomic_bool *stop, go_waitgroup *over)
{
    while (!atomic_load(stop)) {
        go_sleep(GO_MS);
        ++*ticks;
    }
    wg_done(over);
}

static void read_slowly(int fd, go_waitgroup *over)
{
    char c;
    EXPECT_EQ_INT(read(fd, &c, 1), 1); /* plain and blocking: the thread sits in the kernel */
    wg_done(over);
}

static void read_slowly_as_said(int fd, go_waitgroup *over)
{
    char c;
    go_blocking {
        EXPECT_EQ_INT(read(fd, &c, 1), 1);
    }
    wg_done(over);
}

static void others_go_on(void (*reader)(int, go_waitgroup *))
{
    enum { N = 6 };
    int fd[2];
    atomic_int ticks = 0;
    atomic_bool stop = false;
    go_waitgroup reading = {0};
    go_waitgroup ticking = {0};
    REQUIRE_EQ_INT(pipe2(fd, O_CLOEXEC), 0);
    wg_add(&reading, N);
    wg_add(&ticking, 1);
    go(count_ticks, &ticks, &stop, &ticking);
    for (int i = 0; i < N; i++) { /* more than there are processors */
        go(reader, fd[0], &reading);
    }
    while (ticks < 20) { /* ends only when sleepers are woken while all readers block */
        go_sleep(GO_MS);
    }
    EXPECT_EQ_INT(write(fd[1], "123456", N), N);
    wg_wait(&reading);
    stop = true;
    wg_wait(&ticking);
    close(fd[0]);
    close(fd[1]);
}

TEST(conn, plain_blocking_reads_do_not_stop_others) { others_go_on(read_slowly); }

TEST(conn, announced_blocking_reads_do_not_stop_others) { others_go_on(read_slowly_as_said); }
