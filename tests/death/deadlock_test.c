/* SPDX-License-Identifier: MIT */
/* Nothing can ever run again: the verdict, and every goroutine with what it waits for and where it
 * was made. And what must not be taken for that.
 *
 * gort:vet ignore-file unlock whoever returns with a lock is what the others wait for */
#include "death.h"
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <signal.h>

#define ASLEEP "fatal error: all goroutines are asleep - deadlock!\n"
#define HERE "\t*deadlock_test.c:#\n"

static void body_simple(void *arg)
{
    chan(int) c = chan_make(int);
    go_maxprocs(*(int *)arg);
    (void)chan_recv(c);
    STAY();
}
TEST(deadlock, of_main_alone)
{
    for (int procs = 1; procs <= 16; procs *= procs < 4 ? 2 : 4) {
        EXPECT_DEATH(body_simple, &procs, 2,
                     ASLEEP "\n"
                            "goroutine 1 [chan receive]:\n"
                            "body_simple(...)\n" HERE "...\n"
                            "main(...)\n"
                            "\t*main.c:#\n");
    }
}

/* --- every reason to wait, at once */

static struct {
    go_mutex mu, free_mu;
    go_rwmutex r, w;
    go_waitgroup wg;
    go_cond cond;
    chan(int) c;
    chan(int) full;
} on;

SHOWN static void recv_nil(void)
{
    chan(int) c = NULL;
    (void)chan_recv(c);
    STAY();
}
SHOWN static void send_nil(void)
{
    chan(int) c = NULL;
    chan_send(c, 1);
    STAY();
}
SHOWN static void recv_open(void)
{
    (void)chan_recv(on.c);
    STAY();
}
SHOWN static void range_open(void)
{
    chan_for(v, on.c) { (void)v; }
    STAY();
}
SHOWN static void send_full(void)
{
    chan_send(on.full, 2);
    STAY();
}
SHOWN static void select_two(void)
{
    switch (chan_select(recv(a, on.c), send(b, on.full, 3))) {
    case a:
    case b:
        break;
    }
    STAY();
}
SHOWN static void select_nothing(void)
{
    go_select_cases(NULL, 0);
    STAY();
}
SHOWN static void select_nil(void)
{
    chan(int) never = NULL;
    switch (chan_select(recv(a, never))) {
    case a:
        break;
    }
    STAY();
}
SHOWN static void lock(void)
{
    mutex_lock(&on.mu);
    STAY();
}
SHOWN static void rlock(void)
{
    rwmutex_rlock(&on.w);
    STAY();
}
SHOWN static void wlock(void)
{
    rwmutex_lock(&on.r);
    STAY();
}
SHOWN static void wait_group(void)
{
    wg_wait(&on.wg);
    STAY();
}
SHOWN static void wait_cond(void)
{
    mutex_lock(&on.free_mu);
    cond_wait(&on.cond, &on.free_mu);
    STAY();
}

static void body_reasons(void *arg)
{
    go_maxprocs(*(int *)arg);
    on.c = chan_make(int);
    on.full = chan_make(int, 1);
    chan_send(on.full, 1);
    mutex_lock(&on.mu);
    rwmutex_rlock(&on.r);
    rwmutex_lock(&on.w);
    wg_add(&on.wg, 1);
    go(recv_nil);
    go(send_nil);
    go(recv_open);
    go(range_open);
    go(send_full);
    go(select_two);
    go(select_nothing);
    go(select_nil);
    go(lock);
    go(rlock);
    go(wlock);
    go(wait_group);
    go(wait_cond);
    mutex_lock(&on.mu);
    STAY();
}

#define ONE(reason, function)                                                                      \
    "\n"                                                                                           \
    "goroutine # [" reason "]:\n" function "(...)\n" HERE                                          \
    "created by body_reasons in goroutine 1\n" HERE

TEST(deadlock, shows_every_goroutine_its_reason_and_its_origin)
{
    for (int procs = 1; procs <= 4; procs += 3) {
        EXPECT_DEATH(
            body_reasons, &procs, 2,
            ASLEEP "\n"
                   "goroutine 1 [sync.Mutex.Lock]:\n"
                   "body_reasons(...)\n" HERE "...\n"
                   "main(...)\n"
                   "\t*main.c:#\n" ONE("chan receive (nil chan)", "recv_nil")
            ONE("chan send (nil chan)", "send_nil") ONE("chan receive", "recv_open")
            ONE("chan receive", "range_open") ONE("chan send", "send_full")
            ONE("select", "select_two") ONE("select (no cases)", "select_nothing")
            ONE("select", "select_nil") ONE("sync.Mutex.Lock", "lock")
            ONE("sync.RWMutex.RLock", "rlock") ONE("sync.RWMutex.Lock", "wlock")
            ONE("sync.WaitGroup.Wait", "wait_group") ONE("sync.Cond.Wait", "wait_cond")
            "\n"
            "gort: deadlock: a goroutine waits for a mutex that it holds\n"
            "\tgoroutine 1 waits for 0x* (on), which it holds\n");
    }
}

/* --- where it was made, to the line; names; locked threads */

static int made_line[2];
static void body_lines(void *arg)
{
    chan(int) c = chan_make(int);
    (void)arg;
    go_with(GO_OPTS(.name = "a \"b\"\n"), recv_nil); made_line[0] = __LINE__;
    go(
        recv_nil
    ); made_line[1] = __LINE__;
    fprintf(stderr, "%d %d %d\n", made_line[0], made_line[1], __LINE__ + 1);
    (void)chan_recv(c);
    STAY();
}
TEST(deadlock, lines_are_right)
{
    struct test_run run;
    int one;
    int two;
    int three;
    char text[600];
    test_run_function(&run, 20, body_lines, NULL);
    REQUIRE_EQ_INT(sscanf(run.err, "%d %d %d", &one, &two, &three), 3);
    snprintf(text, sizeof text,
             "*\n" ASLEEP "\n"
             "goroutine 1 [chan receive]:\n"
             "body_lines(...)\n\t*deadlock_test.c:%d\n...\n"
             "\n"
             "goroutine # [chan receive (nil chan)] \"a \\\"b\\\"\\n\":\n"
             "recv_nil(...)\n" HERE "created by body_lines in goroutine 1\n\t*deadlock_test.c:%d\n"
             "\n"
             "goroutine # [chan receive (nil chan)]:\n"
             "recv_nil(...)\n" HERE "created by body_lines in goroutine 1\n\t*deadlock_test.c:%d\n",
             three, one, two - 2);
    (void)death_judge(&run, 2, text, __FILE__, __LINE__);
    test_run_free(&run);
}

SHOWN static void child_waits(void)
{
    go(recv_nil);
    recv_nil();
    STAY();
}
static void body_grandchild(void *arg)
{
    (void)arg;
    go(child_waits);
    recv_nil();
    STAY();
}
TEST(deadlock, parents_are_named_by_number)
{
    EXPECT_DEATH(body_grandchild, NULL, 2,
                 ASLEEP "\n"
                        "goroutine 1 [chan receive (nil chan)]:\n"
                        "recv_nil(...)\n" HERE "body_grandchild(...)\n" HERE "...\n"
                        "\n"
                        "goroutine # [chan receive (nil chan)]:\n"
                        "recv_nil(...)\n" HERE "child_waits(...)\n" HERE
                        "created by body_grandchild in goroutine 1\n" HERE "\n"
                        "goroutine # [chan receive (nil chan)]:\n"
                        "recv_nil(...)\n" HERE
                        "created by child_waits in goroutine #\n" HERE);
}

/* go1.27 TestLockedDeadlock, TestLockedDeadlock2 */
static void body_locked(void *arg)
{
    (void)arg;
    go_lock_thread();
    recv_nil();
    STAY();
}
static void body_locked_beside(void *arg)
{
    (void)arg;
    go(recv_nil);
    go_lock_thread();
    recv_nil();
    STAY();
}
TEST(deadlock, of_goroutines_locked_to_their_threads)
{
    EXPECT_DEATH(body_locked, NULL, 2,
                 ASLEEP "\n"
                        "goroutine 1 [chan receive (nil chan), locked to thread]:\n"
                        "recv_nil(...)\n" HERE "...\n");
    EXPECT_DEATH(body_locked_beside, NULL, 2,
                 ASLEEP "\n"
                        "goroutine 1 [chan receive (nil chan), locked to thread]:\n"
                        "recv_nil(...)\n" HERE "...\n"
                        "\n"
                        "goroutine # [chan receive (nil chan)]:\n"
                        "recv_nil(...)\n" HERE "...\n");
}

/* --- after main's go_exit */

static void body_exit(void *arg)
{
    go_maxprocs(*(int *)arg);
    go_exit();
    STAY();
}
static void nothing(void) {}
static void body_exit_later(void *arg)
{
    go_maxprocs(*(int *)arg);
    for (int i = 0; i < 10; i++) {
        go(nothing);
    }
    go(go_sleep, 10 * GO_MS);
    go_exit();
    STAY();
}
static void body_exit_blocked(void *arg)
{
    go_maxprocs(*(int *)arg);
    go(recv_nil);
    go_exit();
    STAY();
}
TEST(deadlock, after_main_has_left)
{
    for (int procs = 1; procs <= 4; procs += 3) {
        const char *none = "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n";
        EXPECT_DEATH(body_exit, &procs, 2, none);
        EXPECT_DEATH(body_exit_later, &procs, 2, none);
        EXPECT_DEATH(body_exit_blocked, &procs, 2,
                     ASLEEP "\n"
                            "goroutine # [chan receive (nil chan)]:\n"
                            "recv_nil(...)\n" HERE
                            "created by body_exit_blocked in goroutine 1\n" HERE);
    }
}

/* --- many */

static void body_many(void *arg)
{
    (void)arg;
    on.c = chan_make(int);
    for (int i = 0; i < 5000; i++) {
        go(recv_open);
    }
    for (int i = 0; i < 300; i++) {
        go(recv_nil);
    }
    recv_nil();
    STAY();
}
TEST(deadlock, of_many_goroutines_is_short)
{
    EXPECT_DEATH(body_many, NULL, 2,
                 ASLEEP "\n"
                        "goroutine 1 [chan receive (nil chan)]:\n"
                        "recv_nil(...)\n" HERE "body_many(...)\n" HERE "...\n"
                        "main(...)\n"
                        "\t*main.c:#\n"
                        "\n"
                        "goroutine # [chan receive]:\n"
                        "recv_open(...)\n" HERE
                        "created by body_many in goroutine 1\n" HERE
                        "5000 goroutines like this\n"
                        "\n"
                        "goroutine # [chan receive (nil chan)]:\n"
                        "recv_nil(...)\n" HERE
                        "created by body_many in goroutine 1\n" HERE
                        "300 goroutines like this\n");
}

/* --- and what is none: the child sees to its own end */

static void end_well(void) { _exit(0); }
static void body_timer(void *arg)
{
    (void)arg;
    go_timer *t = go_after_func(150 * GO_MS, end_well);
    if (t != NULL) {
        recv_nil();
    }
    STAY();
}
static void body_sleeper(void *arg)
{
    (void)arg;
    go(recv_nil);
    go_sleep(150 * GO_MS);
    end_well();
    STAY();
}
static void *thread_ends_it(void *arg)
{
    (void)arg;
    usleep(150000);
    end_well();
    return NULL;
}
static void body_thread(void *arg)
{
    pthread_t t;
    (void)arg;
    pthread_create(&t, NULL, thread_ends_it, NULL);
    recv_nil(); /* the thread may still send, for all that the runtime knows */
    STAY();
}
SHOWN static void blocks_outside(void)
{
    usleep(150000);
    end_well();
}
static void body_blocking(void *arg)
{
    (void)arg;
    go(blocks_outside);
    recv_nil();
    STAY();
}
TEST(deadlock, is_not_called_while_something_may_happen)
{
    EXPECT_DEATH(body_timer, NULL, 0, "");
    EXPECT_DEATH(body_sleeper, NULL, 0, "");
    EXPECT_DEATH(body_thread, NULL, 0, "");
    EXPECT_DEATH(body_blocking, NULL, 0, "");
}

/* A ticker that nobody reads can wake nobody: go1.23 has the same verdict. */
static void body_ticker(void *arg)
{
    (void)arg;
    go_ticker *t = go_ticker_make(20 * GO_MS);
    if (t != NULL) {
        recv_nil();
    }
    STAY();
}
TEST(deadlock, is_called_beside_a_ticker_without_a_reader)
{
    EXPECT_DEATH(body_ticker, NULL, 2,
                 ASLEEP "\n"
                        "goroutine 1 [chan receive (nil chan)]:\n"
                        "recv_nil(...)\n" HERE "...\n");
}
