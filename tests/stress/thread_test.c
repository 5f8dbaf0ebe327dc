/* SPDX-License-Identifier: MIT */
/* Threads and Ps: foreign threads, threads that goroutines are locked to, GOMAXPROCS that changes,
 * fork, the end of the process. */
#include "harness.h"
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int tid(void) { return (int)syscall(SYS_gettid); }
static void drain(int left)
{
    while (go_count() > left) {
        go_yield();
    }
}

struct job {
    chan(int) c;
    chan(long) out;
    go_waitgroup *wg;
    int n;
};
static void sends(chan(int) c, int n, go_waitgroup *wg)
{
    for (int i = 0; i < n; i++) {
        chan_send(c, 1);
        if (i % 97 == 0) {
            go_yield();
        }
    }
    wg_done(wg);
}
static void sums(chan(int) c, chan(long) out)
{
    long s = 0;
    chan_for(v, c) { s += v; }
    chan_send(out, s);
}
static void sums_locked(chan(int) c, chan(long) out)
{
    long s = 0;
    go_lock_thread();
    int here = tid();
    chan_for(v, c)
    {
        s += v;
        REQUIRE_EQ_INT(tid(), here);
    }
    chan_send(out, s);
    go_unlock_thread();
}
static void sums_selecting(chan(int) a, chan(int) b, chan(long) out)
{
    long s = 0;
    int open = 2;
    while (open > 0) {
        int v = 0;
        bool ok = true;
        switch (chan_select(recv(x, a, &v, &ok), recv(y, b, &v, &ok), after(late, 10 * GO_SEC))) {
        case x:
            a = ok ? a : NULL;
            break;
        case y:
            b = ok ? b : NULL;
            break;
        case late:
            FAIL("nothing came for ten seconds");
            break;
        }
        s += v;
        open -= !ok;
    }
    chan_send(out, s);
}
static void *thread_sends(void *arg)
{
    struct job *j = arg;
    sends(j->c, j->n, j->wg);
    return NULL;
}
static void *thread_sums(void *arg)
{
    struct job *j = arg;
    sums(j->c, j->out);
    return NULL;
}

static void one_round(int cap)
{
    enum { N = 1000 };
    chan(int) c = chan_make(int, cap), d = chan_make(int, cap);
    chan(long) out = chan_make(long);
    go_waitgroup wg = {0};
    struct job job = {c, out, &wg, N};
    pthread_t t[2];
    long s = 0;
    wg_add(&wg, 6);
    for (int i = 0; i < 3; i++) {
        go(sends, c, N, &wg);
    }
    pthread_create(&t[0], NULL, thread_sends, &job);
    go(sends, d, N, &wg);
    go(sends, d, N, &wg);
    go(sums, c, out);
    go(sums, c, out);
    go(sums_locked, c, out);
    pthread_create(&t[1], NULL, thread_sums, &job);
    for (int i = 0; i < 3; i++) {
        go(sums_selecting, c, d, out);
    }
    wg_wait(&wg);
    chan_close(c);
    chan_close(d);
    for (int i = 0; i < 7; i++) {
        s += chan_recv(out);
    }
    REQUIRE_EQ_INT(s, 6 * N);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    chan_free(c);
    chan_free(d);
    chan_free(out);
}

TEST_LONG(thread, goroutines_locked_ones_and_threads_mix, 120)
{
    for (long i = test_iterations(20); i > 0; i--) {
        one_round((int)(i % 3) * 5);
    }
    drain(1);
}

static void shake(chan(bool) stop)
{
    for (int i = 0; !chan_try_recv(stop, NULL); i++) {
        go_maxprocs(1 + i % 5);
        go_sleep(300 * GO_US);
    }
}
TEST_LONG(thread, the_same_while_gomaxprocs_changes, 120)
{
    chan(bool) stop = chan_make(bool, 1);
    go(shake, stop);
    for (long i = test_iterations(20); i > 0; i--) {
        one_round((int)(i % 3) * 5);
    }
    chan_send(stop, true);
    drain(1);
    chan_free(stop);
}

TEST(thread, maxprocs_returns_the_previous_value)
{
    int n = go_maxprocs(0);
    EXPECT_EQ_INT(go_maxprocs(3), n);
    EXPECT_EQ_INT(go_maxprocs(-1), 3);
    EXPECT_EQ_INT(go_maxprocs(1024), 3);
    EXPECT_EQ_INT(go_maxprocs(2), 1024);
}

static void run_and_add(int *x, go_waitgroup *wg)
{
    __atomic_fetch_add(x, 1, __ATOMIC_RELAXED);
    wg_done(wg);
}
static void *thread_goes(void *arg)
{
    go_waitgroup wg = {0};
    int *x = arg;
    wg_add(&wg, 100);
    for (int i = 0; i < 100; i++) {
        go(run_and_add, x, &wg);
    }
    wg_wait(&wg);
    return NULL;
}
TEST(thread, foreign_threads_may_start_goroutines)
{
    int x = 0;
    pthread_t t[8];
    for (int i = 0; i < 8; i++) {
        pthread_create(&t[i], NULL, thread_goes, &x);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(t[i], NULL);
    }
    EXPECT_EQ_INT(x, 800);
    drain(1);
}

/* Many short-lived threads: what they leave is used again. */
static void *thread_receives(void *arg)
{
    chan(int) *c = arg;
    return (void *)(intptr_t)chan_recv(*c);
}
TEST(thread, foreign_threads_come_and_go)
{
    chan(int) c = chan_make(int);
    for (int i = 1; i < test_iterations(300); i++) {
        pthread_t t;
        void *r;
        pthread_create(&t, NULL, thread_receives, &c);
        chan_send(c, i);
        pthread_join(t, &r);
        REQUIRE_EQ_INT((intptr_t)r, i);
    }
    chan_free(c);
}

static void locked(go_waitgroup *wg)
{
    go_lock_thread();
    go_lock_thread(); /* nests */
    int here = tid();
    for (int i = 0; i < 200; i++) {
        go_yield();
        REQUIRE_EQ_INT(tid(), here);
        if (i % 50 == 0) {
            go_sleep(100 * GO_US);
            REQUIRE_EQ_INT(tid(), here);
        }
    }
    go_unlock_thread();
    go_yield();
    REQUIRE_EQ_INT(tid(), here);
    go_unlock_thread();
    wg_done(wg);
}
TEST(thread, locked_goroutines_stay_on_their_threads)
{
    go_waitgroup wg = {0};
    wg_add(&wg, 8);
    for (int i = 0; i < 8; i++) {
        go(locked, &wg);
    }
    wg_wait(&wg);
    drain(1);
}

TEST(thread, main_may_be_locked_too)
{
    go_waitgroup wg = {0};
    int here = tid();
    go_lock_thread();
    wg_add(&wg, 1);
    go(locked, &wg);
    wg_wait(&wg);
    EXPECT_EQ_INT(tid(), here);
    go_unlock_thread();
    drain(1);
}

static void nothing(void) {}
TEST(thread, child_of_fork_may_exec_or_exit)
{
    go(nothing);
    drain(1);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(7);
    }
    int status;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

TEST(thread, child_of_fork_that_goes_on_dies_clearly)
{
    go(nothing);
    drain(1);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        freopen("/dev/null", "w", stderr);
        go_yield();
        _exit(0);
    }
    int status;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 2);
}

static void write_for_ever(int fd)
{
    for (;;) {
        (void)!write(fd, "x", 1);
        go_yield();
    }
}
TEST(thread, when_main_returns_the_process_ends)
{
    for (int i = 0; i < test_iterations(30); i++) {
        int fd[2];
        REQUIRE(pipe(fd) == 0);
        pid_t pid = fork();
        if (pid == 0) {
            for (int k = 0; k < 4; k++) {
                go(write_for_ever, fd[1]);
            }
            go_sleep(200 * GO_US);
            exit(5); /* as a return from main */
        }
        close(fd[1]);
        char buf[4096];
        while (read(fd[0], buf, sizeof buf) > 0) {
        }
        close(fd[0]);
        int status;
        REQUIRE(waitpid(pid, &status, 0) == pid);
        REQUIRE(WIFEXITED(status));
        REQUIRE_EQ_INT(WEXITSTATUS(status), 5);
    }
}
