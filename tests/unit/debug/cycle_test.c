/* SPDX-License-Identifier: MIT */
/* Goroutines that wait for each other's mutexes are reported, without being asked for and while the
 * others go on: once, with who holds what. And what looks like that and is none is not.
 *
 * gort:vet ignore-file unlock whoever returns with a lock is what the others wait for
 * gort:vet ignore-file lockpark the order in which they come is made */
#include "death/death.h"
#include "death/told.h"
#include "debug/internal.h"
#include "unit/sync/parked.h"
#include <pthread.h>

#define HERE "\t*cycle_test.c:#\n"
#define MADE_BY(f) "created by " f " in goroutine 1\n" HERE

static struct { go_mutex a, b, ring[5]; go_rwmutex r; go_cond cond; go_once once; } on;
static go_mutex plain_a, plain_b;
static chan(int) has_one;
static chan(int) go_on;

static void note_name(const struct goi_symbol *s, void *arg)
{
    *(bool *)arg = s->file != NULL;
}
static void meet(void);
static bool names_are_known(void)
{
    bool known = false;
    goi_symbolize((uintptr_t)meet, note_name, &known);
    return known;
}

static void meet(void)
{
    chan_send(has_one, 0);
    (void)chan_recv(go_on);
}
/* Lets n of them go on when all have their first lock. */
static void let_go(int n)
{
    for (int i = 0; i < n; i++) {
        (void)chan_recv(has_one);
    }
    for (int i = 0; i < n; i++) {
        chan_send(go_on, 0);
    }
}

static void channels(void)
{
    has_one = chan_make(int);
    go_on = chan_make(int);
}

static void setup(void *arg)
{
    (void)arg;
    told_begin();
    channels();
}

/* Without stacks and names, which take their time under tools. */
static void setup_short(void *arg)
{
    setenv("GORTTRACEBACK", "none", 1);
    setup(arg);
}

/* Locks one, waits until all have, locks the other. */
SHOWN static void takes(go_mutex *one, go_mutex *other)
{
    mutex_lock(one);
    meet();
    mutex_lock(other);
    STAY();
}

static void body_two(void *arg)
{
    setup(arg);
    go(takes, &plain_a, &plain_b);
    go(takes, &plain_b, &plain_a);
    let_go(2);
    told_await(1);
    go(mutex_lock, &plain_a); /* joins those who wait: that is no new cycle */
    parked_await(GOI_WAIT_MUTEX, 3);
}
TEST(cycle, of_two)
{
    if (!names_are_known()) {
        SKIP("built without libbacktrace");
    }
    EXPECT_DEATH(body_two, NULL, 0,
                 TOLD "2 goroutines wait for each other's mutexes\n"
                      "\tgoroutine # waits for 0x* (plain_*), which goroutine # holds\n"
                      "\tgoroutine # waits for 0x* (plain_*), which goroutine # holds\n"
                      "\n"
                      "goroutine # [sync.Mutex.Lock]:\n"
                      "takes(...)\n" HERE MADE_BY("body_two") "\n"
                      "goroutine # [sync.Mutex.Lock]:\n"
                      "takes(...)\n" HERE MADE_BY("body_two") "\n");
}

static void body_five(void *arg)
{
    setup_short(arg);
    for (int i = 0; i < 5; i++) {
        go(takes, &on.ring[i], &on.ring[(i + 1) % 5]);
    }
    let_go(5);
    told_await(1);
}
TEST(cycle, of_five)
{
    EXPECT_DEATH(body_five, NULL, 0,
                 TOLD "5 goroutines wait for each other's mutexes\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n"
                      "\n");
}

/* Main as well; when the other has ended, which goes on until it is told, all are asleep. */
static void body_main(void *arg)
{
    setup(arg);
    go(takes, &on.a, &on.b);
    mutex_lock(&on.b);
    let_go(1);
    go(told_await, 1);
    mutex_lock(&on.a);
}
TEST(cycle, of_main)
{
    struct test_run run;
    test_run_function(&run, 20, body_main, NULL);
    EXPECT(strstr(run.err, TOLD "2 goroutines wait for each other's mutexes\n"
                                "\tgoroutine 1 waits for 0x") != NULL);
    EXPECT(strstr(run.err, "fatal error: all goroutines are asleep - deadlock!\n\n") != NULL);
    EXPECT_EQ_INT(run.status, 2);
    test_run_free(&run);
}

/* --- what else is held by one */

SHOWN static void writes(void)
{
    rwmutex_lock(&on.r);
    meet();
    mutex_lock(&on.a);
    STAY();
}
SHOWN static void reads(void)
{
    mutex_lock(&on.a);
    meet();
    rwmutex_rlock(&on.r);
    STAY();
}
static void body_writer(void *arg)
{
    setup_short(arg);
    go(writes);
    go(reads);
    let_go(2);
    told_await(1);
}
TEST(cycle, of_a_writer_and_a_reader)
{
    EXPECT_DEATH(body_writer, NULL, 0,
                 TOLD "2 goroutines wait for each other's mutexes\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n\n");
}

SHOWN static void writes_too(void)
{
    mutex_lock(&on.a);
    meet();
    rwmutex_lock(&on.r);
    STAY();
}
static void body_writers(void *arg)
{
    setup_short(arg);
    go(writes);
    go(writes_too);
    let_go(2);
    told_await(1);
}
TEST(cycle, of_two_writers)
{
    EXPECT_DEATH(body_writers, NULL, 0,
                 TOLD "2 goroutines wait for each other's mutexes\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n\n");
}

/* A broadcast gives its waiters to the mutex without their running. */
SHOWN static void waits(void)
{
    mutex_lock(&on.b);
    mutex_lock(&on.a);
    go_cond_wait(&on.cond, &on.a);
    STAY();
}
static void waits_beside(void)
{
    mutex_lock(&on.a);
    go_cond_wait(&on.cond, &on.a);
    mutex_unlock(&on.a);
}
static void wakes(void)
{
    mutex_lock(&on.a);
    go_cond_broadcast(&on.cond);
    mutex_lock(&on.b);
}
static void body_cond(void *arg)
{
    setup_short(arg);
    on.a.state = MUTEX_SHARED;
    go(waits);
    go(waits_beside);
    parked_await(GOI_WAIT_COND, 2);
    go(wakes);
    told_await(1);
}
TEST(cycle, of_one_who_waits_for_a_condition)
{
    EXPECT_DEATH(body_cond, NULL, 0,
                 TOLD "2 goroutines wait for each other's mutexes\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n\n");
}

static void *thread_main(void *arg)
{
    (void)arg;
    takes(&on.a, &on.b);
    return NULL;
}
static void body_threads(void *arg)
{
    pthread_t t;
    setup_short(arg);
    pthread_create(&t, NULL, thread_main, NULL);
    go(takes, &on.b, &on.a);
    let_go(2);
    told_await(1);
    _exit(0);
}
TEST(cycle, with_a_thread_that_the_program_made)
{
    EXPECT_DEATH(body_threads, NULL, 0,
                 TOLD "2 goroutines wait for each other's mutexes\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n\n");
}

/* --- with oneself: a second later, since some use a mutex as a signal */

SHOWN static void locks_twice(void)
{
    mutex_lock(&on.a);
    mutex_lock(&on.a);
    STAY();
}
SHOWN static void reads_what_it_writes(void)
{
    rwmutex_lock(&on.r);
    rwmutex_rlock(&on.r);
    STAY();
}
static void once_more(void) { go_once_call(&on.once, once_more); }
static void body_self(void *arg)
{
    setup(arg);
    go(locks_twice);
    go(reads_what_it_writes);
    go(once_more);
    told_await(3);
}
TEST(cycle, with_oneself)
{
    if (!names_are_known()) {
        SKIP("built without libbacktrace");
    }
    struct test_run run;
    test_run_function(&run, 20, body_self, NULL);
    const char *at = run.err;
    for (int i = 0; i < 3; i++) {
        at = strstr(at, TOLD "a goroutine waits for a mutex that it holds\n"
                             "\tgoroutine ");
        REQUIRE(at != NULL);
        at++;
    }
    EXPECT(strstr(run.err, "which it holds, unless another one unlocks it\n\ngoroutine ") != NULL);
    EXPECT(strstr(run.err, "[sync.RWMutex.RLock]:\nreads_what_it_writes(...)\n") != NULL);
    EXPECT_EQ_INT(run.status, 0);
    test_run_free(&run);
}

/* --- the end */

static void body_asleep(void *arg)
{
    (void)arg;
    channels();
    go(takes, &plain_a, &plain_b);
    go(takes, &plain_b, &plain_a);
    let_go(2);
    (void)chan_recv(go_on);
    STAY();
}
/* While anybody is still on his way to sleep it is told as of a program that goes on. */
static void run_asleep(struct test_run *run)
{
    test_run_function(run, 20, body_asleep, NULL);
    while (strncmp(run->err, TOLD, strlen(TOLD)) == 0) { /* ends: or the test's time does */
        test_run_free(run);
        test_run_function(run, 20, body_asleep, NULL);
    }
}
TEST(cycle, is_part_of_the_report_when_all_are_asleep)
{
    if (!names_are_known()) {
        SKIP("built without libbacktrace");
    }
    struct test_run run;
    run_asleep(&run);
    (void)death_judge(&run, 2,
                      "fatal error: all goroutines are asleep - deadlock!\n"
                      "\n"
                      "goroutine 1 [chan receive]:\n"
                      "...\n"
                      "\n" TOLD "2 goroutines wait for each other's mutexes\n"
                      "\tgoroutine # waits for 0x* (plain_*), which goroutine # holds\n"
                      "\tgoroutine # waits for 0x* (plain_*), which goroutine # holds\n",
                      __FILE__, __LINE__);
    test_run_free(&run);
}

static void body_ends(void *arg)
{
    (void)arg;
    setenv("GORTTRACEBACK", "none", 1);
    channels();
    go(takes, &plain_a, &plain_b);
    go(takes, &plain_b, &plain_a);
    let_go(2);
    parked_await(GOI_WAIT_MUTEX, 2);
    exit(3);
}
TEST(cycle, is_told_when_the_program_ends_before)
{
    EXPECT_DEATH(body_ends, NULL, 3,
                 TOLD "2 goroutines wait for each other's mutexes\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n"
                      "\tgoroutine # waits for 0x*, which goroutine # holds\n\n");
}

/* --- and what is none */

static void gives_up(go_mutex *one, go_mutex *other, chan(int) done)
{
    mutex_lock(one);
    meet();
    int r = go_mutex_lock_until(other, go_now() + 50 * GO_MS);
    mutex_unlock(one);
    if (r == 0) {
        mutex_unlock(other);
    }
    chan_send(done, r);
}
static void body_deadline(void *arg)
{
    (void)arg;
    channels();
    chan(int) done = chan_make(int);
    go(gives_up, &on.a, &on.b, done);
    go(gives_up, &on.b, &on.a, done);
    let_go(2);
    (void)chan_recv(done);
    (void)chan_recv(done);
    chan_free(done);
}
TEST(cycle, that_a_deadline_ends_is_none) { EXPECT_DEATH(body_deadline, NULL, 0, ""); }

/* A mutex as a signal: another unlocks it. What is told after a second must not be then; a machine
 * on which this took as long says nothing. */
enum { TOO_LATE = 7 };
static void signals(void)
{
    parked_await(GOI_WAIT_MUTEX, 1);
    go_sleep(50 * GO_MS);
    mutex_unlock(&on.a);
}
static void body_signal(void *arg)
{
    (void)arg;
    mutex_lock(&on.a);
    go_time start = go_now();
    go(signals);
    mutex_lock(&on.a);
    mutex_unlock(&on.a);
    if (go_since(start) > 500 * GO_MS) {
        exit(TOO_LATE);
    }
}
TEST(cycle, that_another_ends_soon_is_none)
{
    struct test_run run;
    test_run_function(&run, 20, body_signal, NULL);
    while (run.status == TOO_LATE) { /* ends: or the test's time does */
        test_run_free(&run);
        test_run_function(&run, 20, body_signal, NULL);
    }
    (void)death_judge(&run, 0, "", __FILE__, __LINE__);
    test_run_free(&run);
}

/* A chain is none, however long it lasts, nor is one who leads to a cycle a part of it. */
static void body_chain(void *arg)
{
    (void)arg;
    channels();
    mutex_lock(&on.ring[4]);
    for (int i = 0; i < 4; i++) {
        go(takes, &on.ring[i], &on.ring[i + 1]);
    }
    let_go(4);
    parked_await(GOI_WAIT_MUTEX, 4);
    go_sleep(50 * GO_MS);
}
TEST(cycle, that_does_not_close_is_none) { EXPECT_DEATH(body_chain, NULL, 0, ""); }
