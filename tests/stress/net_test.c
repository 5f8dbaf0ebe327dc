/* SPDX-License-Identifier: MIT */
/* net_test.c: connections by the thousand, made, used, broken and closed at the same time. */
#include "harness.h"
#include <gort/short.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(go_conn *c)
{
    char buf[512];
    ssize_t n = conn_read(c, buf, sizeof buf);
    while (n > 0 && conn_write(c, buf, (size_t)n) == n) {
        n = conn_read(c, buf, sizeof buf);
    }
    conn_close(c);
}

static void accept_all(go_listener *l, go_waitgroup *serving)
{
    go_conn *c;
    while (go_accept(l, &c) == 0) {
        wg_go(serving, serve, c);
    }
    wg_done(serving);
}

static bool ask(go_conn *c, uint64_t question)
{
    uint64_t answer = 0;
    size_t have = 0;
    if (conn_write(c, &question, sizeof question) != (ssize_t)sizeof question) {
        return false;
    }
    while (have < sizeof answer) {
        ssize_t n = conn_read(c, (char *)&answer + have, sizeof answer - have);
        if (n <= 0) {
            return false;
        }
        have += (size_t)n;
    }
    return EXPECT_EQ_UINT(answer, question);
}

static void many_short(const char *where, uint64_t id, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        go_conn *c;
        int r = go_dial(NULL, "unix", where, &c);
        if (!EXPECT_EQ_INT(r, 0)) {
            return;
        }
        for (uint64_t k = 0; k < 1 + (id + (uint64_t)i) % 5; k++) {
            EXPECT(ask(c, id << 32 | (uint64_t)i << 8 | k));
        }
        conn_close(c);
    }
}

/* Numbers of descriptors are used again at once, while reports of the last ones are under way. */
TEST_LONG(net, numbers_are_used_again_and_nobody_gets_anothers_bytes, 30)
{
    char where[64];
    go_listener *l;
    go_waitgroup serving = {0};
    go_waitgroup asking = {0};
    snprintf(where, sizeof where, "@gort-stress-%d", (int)getpid());
    REQUIRE_EQ_INT(go_listen("unix", where, &l), 0);
    for (int i = 0; i < 3; i++) {
        wg_add(&serving, 1);
        go(accept_all, l, &serving);
    }
    for (int i = 0; i < 50; i++) {
        wg_go(&asking, many_short, (const char *)where, (uint64_t)i + 1, (int)test_iterations(40));
    }
    wg_wait(&asking);
    listener_close(l);
    wg_wait(&serving);
}

/* One watch with users of all kinds, each of which has announced its use before. */
static void put_back(go_watch *w)
{
    if (go_watch_end(w)) {
        close(go_watch_fd(w));
        go_watch_free(w);
    }
}

static void read_on(go_watch *w)
{
    int r = 0;
    while (r >= 0 || r == -ETIMEDOUT) { /* until the close */
        char buf[8];
        go_mark mark;
        r = go_watch_try(w, GO_READ, &mark);
        if (r == 1) {
            ssize_t n = recv(go_watch_fd(w), buf, sizeof buf, MSG_DONTWAIT);
            if (n > 0 && n < (ssize_t)sizeof buf) {
                go_watch_drained(w, GO_READ, mark);
            }
            if (n > 0) {
                continue;
            }
        }
        if (r >= 0) {
            r = go_watch_wait(w, GO_READ, mark);
        } else if (r == -ETIMEDOUT) {
            go_yield();
        }
    }
    EXPECT_EQ_INT(r, -ECANCELED);
    put_back(w);
}

static void move_deadlines(go_watch *w)
{
    for (int i = 0; i < 10; i++) {
        go_time t = i % 3 == 0 ? GO_FOREVER : go_now() + (i % 4 - 1) * 10 * GO_US;
        (void)go_watch_set_deadline(w, GO_READ, t);
        go_yield();
    }
    (void)go_watch_set_deadline(w, GO_READ, GO_FOREVER);
    put_back(w);
}

static void close_it(go_watch *w)
{
    EXPECT_INT(go_watch_close(w), <=, 0); /* put_back is still to come */
    put_back(w);
}

static void use_and_close(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        int fd[2];
        go_watch *w;
        go_waitgroup over = {0};
        REQUIRE_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd), 0);
        REQUIRE_EQ_INT(go_watch_open(fd[0], &w), 0);
        for (int k = 0; k < 4; k++) {
            EXPECT_EQ_INT(go_watch_begin(w), 0);
        }
        wg_go(&over, read_on, w);
        wg_go(&over, read_on, w);
        wg_go(&over, move_deadlines, w);
        for (int k = 0; k < i % 4; k++) {
            EXPECT_EQ_INT(write(fd[1], "x", 1), 1);
            go_yield();
        }
        wg_go(&over, close_it, w);
        wg_wait(&over);
        close(fd[1]);
    }
}

TEST_LONG(net, one_closes_while_others_wait_and_move_deadlines, 30)
{
    go_waitgroup over = {0};
    for (int i = 0; i < 8; i++) {
        wg_go(&over, use_and_close, (int)test_iterations(150));
    }
    wg_wait(&over);
}

struct pipe_pair { int fd[2]; int rounds; };

static void wait_and_take(struct pipe_pair *p)
{
    char c;
    for (int i = 0; i < p->rounds; i++) {
        EXPECT_EQ_INT(go_fd_wait(p->fd[0], GO_READ, GO_FOREVER), GO_READ);
        EXPECT_EQ_INT(read(p->fd[0], &c, 1), 1);
    }
}

static void *put_from_outside(void *arg)
{
    struct pipe_pair *p = arg;
    for (int i = 0; i < p->rounds; i++) {
        EXPECT_EQ_INT(write(p->fd[1], "x", 1), 1);
    }
    return NULL;
}

static void *take_from_outside(void *arg)
{
    wait_and_take(arg);
    return NULL;
}

/* Threads and goroutines, each at its own pipe; the number of pipes is larger than that of the
 * reports of one look. */
TEST_LONG(net, threads_and_goroutines_wait_for_pipes, 30)
{
    enum { PIPES = 100, THREADS = 5 };
    static struct pipe_pair p[PIPES];
    pthread_t put[THREADS];
    pthread_t take[THREADS];
    go_waitgroup over = {0};
    for (int i = 0; i < PIPES; i++) {
        p[i].rounds = (int)test_iterations(50);
        REQUIRE_EQ_INT(pipe(p[i].fd), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        REQUIRE_EQ_INT(pthread_create(&take[i], NULL, take_from_outside, &p[i]), 0);
    }
    for (int i = THREADS; i < PIPES; i++) {
        wg_go(&over, wait_and_take, &p[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        REQUIRE_EQ_INT(pthread_create(&put[i], NULL, put_from_outside, &p[i]), 0);
    }
    for (int i = THREADS; i < PIPES; i++) {
        put_from_outside(&p[i]);
    }
    wg_wait(&over);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(put[i], NULL);
        pthread_join(take[i], NULL);
    }
    for (int i = 0; i < PIPES; i++) {
        close(p[i].fd[0]);
        close(p[i].fd[1]);
    }
}
