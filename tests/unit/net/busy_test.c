/* SPDX-License-Identifier: MIT */
/* busy_test.c: readiness reaches goroutines while all processors compute.
 *
 * How late answers are is measured by the benchmark echo_busy on a quiet machine. Here it is asked
 * whether they come at all, and through which door: the ones who compute never call the library. */
#include "net_test.h"
#include "sched/rt.h"
#include <gort/short.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

static void compute(atomic_bool *stop)
{
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
    }
}

/* Computes as well, but calls the library now and then. */
static void compute_politely(atomic_bool *stop)
{
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        for (volatile int i = 0; i < 100000; i++) {
        }
        go_yield();
    }
}

static void echo(go_conn *c, go_waitgroup *over)
{
    char buf[64];
    ssize_t n = conn_read(c, buf, sizeof buf);
    while (n > 0 && conn_write(c, buf, (size_t)n) == n) {
        n = conn_read(c, buf, sizeof buf);
    }
    conn_close(c);
    wg_done(over);
}

/* A plain thread: it does not depend on what it measures. */
static void *client(void *arg)
{
    const int *fd = arg;
    char byte = 'x';
    for (int i = 0; i < 50; i++) {
        const struct timespec pause = {0, 500000}; /* the clock of the requests, not a wait */
        nanosleep(&pause, NULL);
        EXPECT_EQ_INT(write(*fd, &byte, 1), 1);
        EXPECT_EQ_INT(read(*fd, &byte, 1), 1);
    }
    close(*fd);
    return NULL;
}

/* A goroutine that answers, and a thread that asks. */
struct talk {
    int fd[2];
    pthread_t asks;
    go_waitgroup over; /* the thread has closed its end */
};

static void start_server(struct talk *t)
{
    go_conn *c;
    REQUIRE_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, t->fd), 0);
    REQUIRE_EQ_INT(go_conn_open(t->fd[1], &c), 0);
    wg_add(&t->over, 1);
    go(echo, c, &t->over);
}

static void ask_to_the_end(struct talk *t, void *(*asker)(void *))
{
    REQUIRE_EQ_INT(pthread_create(&t->asks, NULL, asker, &t->fd[0]), 0);
    wg_wait(&t->over);
}

static void answers_come(int workers, void (*work)(atomic_bool *), void *(*asker)(void *))
{
    struct talk t = {0};
    atomic_bool stop = false;
    go_waitgroup working = {0};
    start_server(&t);
    for (int i = 0; i < workers; i++) {
        wg_go(&working, work, &stop);
    }
    ask_to_the_end(&t, asker);
    atomic_store(&stop, true);
    wg_wait(&working);
    pthread_join(t.asks, NULL);
}

TEST(busy, answers_come_while_all_processors_compute)
{
    answers_come(2 * go_maxprocs(0), compute, client);
}

TEST(busy, answers_come_while_all_processors_are_shared)
{
    answers_come(2 * go_maxprocs(0), compute_politely, client);
}

static void ping(chan(int) in, chan(int) out)
{
    int v;
    while (chan_recv_ok(in, &v)) {
        chan_send(out, v + 1);
    }
    chan_close(out);
}

static void pong(chan(int) in, chan(int) out, atomic_bool *stop)
{
    chan_send(out, 0);
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        chan_send(out, chan_recv(in));
    }
    chan_close(out);
}

/* Two that wake each other keep runnext to themselves. */
TEST(busy, answers_come_while_pairs_play_ping_pong)
{
    struct talk t = {0};
    atomic_bool stop = false;
    go_waitgroup playing = {0};
    chan(int) a[4];
    chan(int) b[4];
    start_server(&t);
    for (int i = 0; i < 4; i++) {
        a[i] = chan_make(int, 1);
        b[i] = chan_make(int, 1);
        wg_go(&playing, ping, a[i], b[i]);
        wg_go(&playing, pong, b[i], a[i], &stop);
    }
    ask_to_the_end(&t, client);
    atomic_store(&stop, true);
    wg_wait(&playing);
    pthread_join(t.asks, NULL);
    for (int i = 0; i < 4; i++) {
        chan_free(a[i]);
        chan_free(b[i]);
    }
}

/* Asks when somebody sleeps in the poller. Who computes may have looked there the moment before he
 * began, and then nobody is wanted, until sysmon wakes somebody for it. */
static void *client_of_sleepers(void *arg)
{
    enum { ROUNDS = 20 };
    const int *fd = arg;
    char byte = 'x';
    for (int i = 0; i < ROUNDS; i++) {
        while (ld_rlx(&goi_sched.poller) == NULL) { /* the test's own limit ends it */
            sched_yield();
        }
        EXPECT_EQ_INT(write(*fd, &byte, 1), 1);
        EXPECT_EQ_INT(read(*fd, &byte, 1), 1);
    }
    close(*fd);
    return NULL;
}

/* What comes next shall not have to wait for sysmon's look: the thread that has answered and has
 * nothing else to do stays there, or is sent there. */
TEST(busy, an_idle_thread_sleeps_in_the_poller_beside_one_that_computes)
{
    if (go_maxprocs(0) < 2) {
        SKIP("one processor");
    }
    answers_come(1, compute, client_of_sleepers);
}
