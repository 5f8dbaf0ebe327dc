/* SPDX-License-Identifier: MIT */
/* Parked goroutines that give their page back, and get it again. */
#include "harness.h"
#include "stack/hibernate.h"
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* False: not possible here, and the library says so and stays off. */
static bool begin(void)
{
    int error;
    if (test_under("valgrind") || test_under("address") || test_under("thread")) {
        return false;
    }
    go_hibernate_after(10 * GO_MS);
    return goi_hibernate_open(&error) == NULL;
}

static uint64_t hibernating(void)
{
    struct goi_hibernate_stats stats;
    goi_hibernate_stats(&stats);
    return stats.stored;
}

/* Until n goroutines hibernate. */
static void await(uint64_t n)
{
    while (hibernating() < n) {
        go_sleep(GO_MS);
    }
}

#define BEGIN()                                                                                    \
    if (!begin()) {                                                                                \
        test_skip("hibernation does not work here");                                               \
        return;                                                                                    \
    }

static long sum;

static void add_one(recv_chan(int) c, int *mine)
{
    volatile int before[64];
    for (int i = 0; i < 64; i++) {
        before[i] = i * 3 + *mine;
    }
    int v = chan_recv(c);
    for (int i = 0; i < 64; i++) {
        v += before[i] == i * 3 + *mine ? 0 : 1000000;
    }
    __atomic_fetch_add(&sum, v, __ATOMIC_RELAXED);
}

static void worker(recv_chan(int) c, go_waitgroup *wg, int i)
{
    add_one(c, &i);
    wg_done(wg);
}

TEST(hibernate, a_receiver_goes_on_with_what_it_had_on_its_stack)
{
    BEGIN();
    chan(int) c = chan_make(int);
    go_waitgroup wg = {0};
    for (int i = 0; i < 100; i++) {
        wg_add(&wg, 1);
        go(worker, c, &wg, i);
    }
    await(100);
    for (int i = 0; i < 100; i++) {
        chan_send(c, i);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(sum, 4950);
    chan_free(c);
}

static void by_select(recv_chan(int) a, recv_chan(int) b, go_ctx *ctx, go_waitgroup *wg)
{
    int v = 0;
    switch (chan_select(recv(first, a, &v), recv(second, b, &v), recv(done, ctx_done(ctx)))) {
    case first:
        __atomic_fetch_add(&sum, v, __ATOMIC_RELAXED);
        break;
    case second:
        __atomic_fetch_add(&sum, 100 * v, __ATOMIC_RELAXED);
        break;
    case done:
        __atomic_fetch_add(&sum, 10000, __ATOMIC_RELAXED);
        break;
    }
    wg_done(wg);
}

TEST(hibernate, a_select_is_woken_by_a_channel_or_a_context)
{
    BEGIN();
    chan(int) a = chan_make(int), b = chan_make(int);
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go_waitgroup wg = {0};
    wg_add(&wg, 9);
    for (int i = 0; i < 9; i++) {
        go(by_select, a, b, ctx, &wg);
    }
    await(9);
    for (int i = 0; i < 3; i++) {
        chan_send(a, 1);
        chan_send(b, 1);
    }
    ctx_cancel(ctx);
    wg_wait(&wg);
    EXPECT_EQ_INT(sum, 3 + 300 + 30000);
    ctx_free(ctx);
    chan_free(a);
    chan_free(b);
}

static void by_mutex(go_mutex *mu, go_waitgroup *wg)
{
    mutex_lock(mu);
    __atomic_fetch_add(&sum, 1, __ATOMIC_RELAXED); /* those of the condition have another mutex */
    mutex_unlock(mu);
    wg_done(wg);
}

static void by_cond(go_mutex *mu, go_cond *cond, bool *go_on, go_waitgroup *wg)
{
    mutex_lock(mu);
    while (!*go_on) {
        cond_wait(cond, mu);
    }
    __atomic_fetch_add(&sum, 1, __ATOMIC_RELAXED);
    mutex_unlock(mu);
    wg_done(wg);
}

TEST(hibernate, mutexes_and_conditions_wake)
{
    BEGIN();
    go_mutex mu = {0}, other = {0};
    go_cond cond = {0};
    bool go_on = false;
    go_waitgroup wg = {0};
    wg_add(&wg, 20);
    mutex_lock(&mu);
    for (int i = 0; i < 10; i++) {
        go(by_mutex, &mu, &wg);
        go(by_cond, &other, &cond, &go_on, &wg);
    }
    await(20);
    mutex_unlock(&mu);
    mutex_lock(&other);
    go_on = true;
    cond_broadcast(&cond);
    mutex_unlock(&other);
    wg_wait(&wg);
    EXPECT_EQ_INT(sum, 20);
}

static void by_timer(go_waitgroup *wg)
{
    go_sleep(120 * GO_MS);
    __atomic_fetch_add(&sum, 1, __ATOMIC_RELAXED);
    wg_done(wg);
}

TEST(hibernate, sleepers_wake_in_time)
{
    BEGIN();
    go_waitgroup wg = {0};
    wg_add(&wg, 50);
    go_time start = go_now();
    for (int i = 0; i < 50; i++) {
        go(by_timer, &wg);
    }
    wg_wait(&wg);
    EXPECT_INT(go_since(start), >=, 120 * GO_MS);
    EXPECT_EQ_INT(sum, 50);
}

static void lend(long **out, recv_chan(char) c, chan(long) back)
{
    long mine = 41;
    *out = &mine;
    chan_recv(c);
    chan_send(back, mine);
}

static void *from_a_thread(void *arg)
{
    *(long *)arg += 1;
    return NULL;
}

TEST(hibernate, others_read_and_write_its_variables)
{
    BEGIN();
    chan(char) c = chan_make(char);
    chan(long) back = chan_make(long);
    long *theirs = NULL;
    go(lend, &theirs, c, back);
    await(1);
    EXPECT_EQ_INT(*theirs, 41);
    struct goi_hibernate_stats stats;
    goi_hibernate_stats(&stats);
    EXPECT_UINT(stats.restored_ever, >, 0);
    *theirs = 7;
    await(1);
    pthread_t t;
    REQUIRE_EQ_INT(pthread_create(&t, NULL, from_a_thread, theirs), 0);
    pthread_join(t, NULL);
    await(1);
    chan_send(c, 1);
    EXPECT_EQ_INT(chan_recv(back), 8);
    chan_free(c);
    chan_free(back);
}

struct buffers { char in[64]; char out[64]; };

static void lend_buffers(struct buffers **out, recv_chan(char) c, chan(int) back)
{
    struct buffers mine = {.out = "from a stack that hibernates"};
    *out = &mine;
    chan_recv(c);
    chan_send(back, strcmp(mine.in, mine.out));
}

TEST(hibernate, its_buffers_may_be_passed_to_calls_of_the_library)
{
    BEGIN();
    chan(char) c = chan_make(char);
    chan(int) back = chan_make(int);
    struct buffers *theirs = NULL;
    go_conn *reader, *writer;
    REQUIRE_EQ_INT(go_pipe(&reader, &writer), 0);
    go(lend_buffers, &theirs, c, back);
    await(1);
    char *in = __atomic_load_n(&theirs, __ATOMIC_RELAXED)->in;
    size_t n = sizeof "from a stack that hibernates";
    EXPECT_EQ_INT(conn_write(writer, in + 64, n), n);
    await(1);
    EXPECT_EQ_INT(conn_read(reader, in, 64), n);
    await(1);
    chan_send(c, 1);
    EXPECT_EQ_INT(chan_recv(back), 0);
    conn_close(reader);
    conn_close(writer);
    chan_free(c);
    chan_free(back);
}

TEST(hibernate, what_the_kernel_was_promised_stays)
{
    BEGIN();
    chan(char) c = chan_make(char);
    chan(long) back = chan_make(long);
    long *theirs = NULL;
    int fd[2];
    go(lend, &theirs, c, back);
    await(1);
    long *p = __atomic_load_n(&theirs, __ATOMIC_RELAXED);
    goi_a64 *word = goi_hibernate_keep(p);
    REQUIRE(word != NULL);
    EXPECT_EQ_UINT(hibernating(), 0);
    go_sleep(100 * GO_MS);
    EXPECT_EQ_UINT(hibernating(), 0);
    REQUIRE_EQ_INT(pipe(fd), 0);
    EXPECT_EQ_INT(write(fd[1], p, sizeof *p), sizeof *p);
    goi_hibernate_unkeep(word);
    await(1);
    EXPECT_EQ_INT(write(fd[1], p, sizeof *p), -1); /* as the manual says */
    close(fd[0]);
    close(fd[1]);
    chan_send(c, 1);
    EXPECT_EQ_INT(chan_recv(back), 41);
    chan_free(c);
    chan_free(back);
}

__attribute__((noinline)) static void deep(int n, recv_chan(int) c)
{
    volatile char frame[3000];
    memset((char *)(uintptr_t)frame, n, sizeof frame);
    if (n == 0) {
        __atomic_fetch_add(&sum, chan_recv(c), __ATOMIC_RELAXED);
    } else {
        deep(n - 1, c);
    }
    for (size_t i = 0; i < sizeof frame; i++) {
        if (frame[i] != (char)n) {
            __atomic_fetch_add(&sum, 1000, __ATOMIC_RELAXED);
        }
    }
}

static void go_deep(int n, recv_chan(int) c, go_waitgroup *wg)
{
    deep(n, c);
    wg_done(wg);
}

TEST(hibernate, several_pages_come_back_together)
{
    BEGIN();
    chan(int) c = chan_make(int);
    go_waitgroup wg = {0};
    wg_add(&wg, 5);
    for (int i = 0; i < 5; i++) {
        go(go_deep, i % 4, c, &wg); /* up to 13 KB */
    }
    await(5);
    for (int i = 0; i < 5; i++) {
        chan_send(c, 1);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(sum, 5);
    chan_free(c);
}

TEST(hibernate, those_with_much_on_their_stacks_do_not)
{
    BEGIN();
    chan(int) c = chan_make(int);
    go_waitgroup wg = {0};
    wg_add(&wg, 2);
    go(go_deep, 20, c, &wg);
    go(go_deep, 0, c, &wg);
    await(1);
    go_sleep(50 * GO_MS);
    EXPECT_EQ_UINT(hibernating(), 1);
    chan_send(c, 1);
    chan_send(c, 1);
    wg_wait(&wg);
    EXPECT_EQ_INT(sum, 2);
    chan_free(c);
}

TEST(hibernate, a_dump_shows_where_they_stand)
{
    BEGIN();
    chan(int) c = chan_make(int);
    go_waitgroup wg = {0};
    char text[16384];
    int fd[2];
    wg_add(&wg, 3);
    for (int i = 0; i < 3; i++) {
        go(worker, c, &wg, i);
    }
    await(3);
    REQUIRE_EQ_INT(pipe(fd), 0);
    go_dump(fd[1]);
    close(fd[1]);
    size_t n = 0;
    for (ssize_t got = 1; got > 0; n += (size_t)got) {
        got = read(fd[0], text + n, sizeof text - 1 - n);
    }
    close(fd[0]);
    text[n] = '\0';
    EXPECT_CONTAINS(text, "[chan receive");
    EXPECT_CONTAINS(text, "add_one(");
    await(3);
    for (int i = 0; i < 3; i++) {
        chan_send(c, 1);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(sum, 3);
    chan_free(c);
}

TEST(hibernate, switched_off_all_are_back)
{
    BEGIN();
    chan(int) c = chan_make(int);
    go_waitgroup wg = {0};
    wg_add(&wg, 1000);
    for (int i = 0; i < 1000; i++) {
        go(worker, c, &wg, i);
    }
    await(1000);
    go_hibernate_after(0);
    EXPECT_EQ_UINT(hibernating(), 0);
    go_sleep(50 * GO_MS);
    EXPECT_EQ_UINT(hibernating(), 0);
    go_hibernate_after(GO_MS);
    await(1000);
    chan_close(c);
    wg_wait(&wg);
    EXPECT_EQ_INT(sum, 0);
    chan_free(c);
}

TEST(hibernate, the_child_of_a_fork_sees_them)
{
    BEGIN();
    chan(char) c = chan_make(char);
    chan(long) back = chan_make(long);
    long *theirs = NULL;
    int status;
    go(lend, &theirs, c, back);
    await(1);
    long *p = __atomic_load_n(&theirs, __ATOMIC_RELAXED);
    pid_t pid = fork();
    if (pid == 0) {
        *p += 1;
        _exit(*p == 42 ? 3 : 4);
    }
    REQUIRE_EQ_INT(waitpid(pid, &status, 0), pid);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    EXPECT_EQ_UINT(hibernating(), 1);
    chan_send(c, 1);
    EXPECT_EQ_INT(chan_recv(back), 41);
    chan_free(c);
    chan_free(back);
}

static void ignore(int sig) { (void)sig; }

TEST(hibernate, ends_when_the_program_takes_the_signal)
{
    BEGIN();
    chan(int) c = chan_make(int);
    go_waitgroup wg = {0};
    wg_add(&wg, 10);
    for (int i = 0; i < 10; i++) {
        go(worker, c, &wg, i);
    }
    await(10);
    signal(SIGSEGV, ignore);
    while (hibernating() != 0) {
        go_sleep(GO_MS);
    }
    chan_close(c);
    wg_wait(&wg);
    chan_free(c);
}

static volatile long *volatile nowhere; /* a compiler may drop a read of what it knows is NULL */

static void *hand_over(void *arg)
{
    long *p = arg;
    *p = *nowhere;
    return NULL;
}

DEATH_TEST(hibernate, a_fault_of_the_program_is_one, DIED_BY(SIGSEGV), "")
{
    BEGIN();
    chan(char) c = chan_make(char);
    chan(long) back = chan_make(long);
    long *theirs = NULL;
    go(lend, &theirs, c, back); // gort:vet ignore lostsend nobody lives to receive
    await(1);
    hand_over(theirs);
}
