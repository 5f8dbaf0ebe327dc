/* SPDX-License-Identifier: MIT */
/* Every way to wait for ever is found, and every way in which somebody can still be woken keeps him
 * from being reported. The first are those of Go's own tests (goroutineleakprofile_test.go), in
 * meaning; the second are the list at the top of src/debug/leak.c. */
#include "leaks.h"
#include <errno.h>
#include <fcntl.h>
#include <gort/net.h>
#include <gort/poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

/* A goroutine that waits is found, and nothing else. */
#define WAITS(name, count)                                                                         \
    static void name(void);                                                                        \
    TEST(leak, name)                                                                               \
    {                                                                                              \
        leaks_or_skip();                                                                           \
        go(name);                                                                                  \
        EXPECT_EQ_UINT(leaks_await(count), count);                                                 \
        leaks_are_all(count);                                                                      \
    }                                                                                              \
    static void name(void)

WAITS(receive_from_nil, 1)
{
    chan(int) c = NULL;
    (void)chan_recv(c);
}
WAITS(send_to_nil, 1)
{
    chan(int) c = NULL;
    chan_send(c, 1);
}
WAITS(select_without_cases, 1) { (void)go_select_cases(NULL, 0); }
WAITS(receive_from_nobody, 1) { (void)chan_recv(chan_make(int)); }
WAITS(send_to_nobody, 1) { chan_send(chan_make(int), 1); }
WAITS(select_of_two, 1)
{
    switch (chan_select(recv(a, chan_make(int)), send(b, chan_make(int), 1))) {
    case a:
    case b:
        break;
    }
}
WAITS(select_of_many, 1)
{
    enum { MANY = 40 };
    struct go_case cases[MANY];
    for (int i = 0; i < MANY; i++) {
        chan(int) c = chan_make(int);
        cases[i] = go_case_recv(c, (int *)NULL, NULL);
    }
    (void)go_select_cases(cases, MANY);
}
WAITS(wait_group, 1)
{
    go_waitgroup *wg = new(go_waitgroup);
    wg_add(wg, 1);
    wg_wait(wg);
}
WAITS(mutex_on_the_stack, 1)
{
    go_mutex mu = {0};
    mutex_lock(&mu);
    mutex_lock(&mu);
}
WAITS(mutex_in_the_heap, 1)
{
    go_mutex *mu = new(go_mutex);
    mutex_lock(mu);
    mutex_lock(mu);
}
WAITS(rwmutex_for_reading, 1)
{
    go_rwmutex *mu = new(go_rwmutex);
    rwmutex_lock(mu);
    rwmutex_rlock(mu);
}
WAITS(rwmutex_for_writing, 1)
{
    go_rwmutex *mu = new(go_rwmutex);
    rwmutex_rlock(mu);
    rwmutex_lock(mu);
}
WAITS(condition, 1)
{
    go_cond *c = new(go_cond);
    go_mutex *mu = new(go_mutex);
    mutex_lock(mu);
    cond_wait(c, mu);
}
WAITS(semaphore, 1)
{
    go_sem *s = new(go_sem);
    (void)!sem_acquire(NULL, s, 1);
}
WAITS(context, 1) { (void)chan_recv(ctx_done(ctx_with_cancel(ctx_background()))); }
WAITS(receive_with_a_context, 1)
{
    char v;
    chan(char) c = chan_make(char);
    (void)chan_recv_ctx(ctx_with_cancel(ctx_background()), c, &v);
}
WAITS(mutex_with_a_context, 1)
{
    go_mutex *mu = new(go_mutex);
    mutex_lock(mu);
    (void)!mutex_lock_ctx(ctx_with_cancel(ctx_background()), mu);
}
WAITS(stopped_timer, 1)
{
    go_timer *t = go_timer_make(GO_MS);
    (void)timer_stop(t);
    (void)chan_recv(timer_c(t));
}

/* --- patterns */

static void wait_on(chan(int) c) { (void)chan_recv(c); }
static void send_on(chan(int) c) { chan_send(c, 1); }

WAITS(range_over_what_nobody_closes, 3)
{
    chan(int) c = chan_make(int);
    for (int i = 0; i < 3; i++) {
        go(wait_on, c);
    }
}

WAITS(many_senders_one_receiver, 4)
{
    chan(int) c = chan_make(int);
    for (int i = 0; i < 5; i++) {
        go(send_on, c);
    }
    (void)chan_recv(c);
}

static void relay(chan(int) from, chan(int) to) { chan_send(to, chan_recv(from)); }

WAITS(a_daisy_chain, 50)
{
    chan(int) first = chan_make(int);
    for (int i = 0; i < 50; i++) {
        chan(int) next = chan_make(int);
        go(relay, first, next);
        first = next;
    }
}

static void slow_answer(chan(int) c)
{
    go_sleep(GO_MS);
    chan_send(c, 1);
}

WAITS(an_answer_after_the_timeout, 1)
{
    chan(int) c = chan_make(int);
    go(slow_answer, c);
    switch (chan_select(recv(in_time, c), after(late, GO_MS / 10))) {
    case in_time:
    case late:
        break;
    }
}

/* The same where others are not lost: only who is, is reported. */
WAITS(among_others_of_their_kind, 2)
{
    chan(int) c = chan_make(int);
    go_mutex *mu = new(go_mutex);
    mutex_lock(mu);
    go(send_on, c);
    mutex_lock(mu);
}

/* --- what can still happen */

/* The body starts goroutines that wait, and says how they can be woken. */
#define AWAKES(name)                                                                               \
    static void name(void);                                                                        \
    TEST(alive, name)                                                                              \
    {                                                                                              \
        leaks_or_skip();                                                                           \
        go(name);                                                                                  \
        await(0);                                                                                  \
        for (int i = 0; i < 5; i++) {                                                              \
            EXPECT_EQ_UINT(go_leak_check(-1), 0);                                                  \
            go_sleep(GO_MS);                                                                       \
        }                                                                                          \
        EXPECT_INT(go_count(), >, 1);                                                              \
    }                                                                                              \
    static void name(void)

/* Nothing of the body's own frames stays: who waits stands here. */
static void lies_down(chan(int) c)
{
    set(0);
    (void)chan_recv(c);
}

chan(int) global_channel; /* not static: what nobody reads is not written */
AWAKES(by_a_variable)
{
    global_channel = chan_make(int);
    lies_down(global_channel);
}

struct box { struct box *next; chan(int) c; } *global_box;
AWAKES(by_the_heap_behind_a_variable)
{
    global_box = new(struct box);
    global_box->next = new(struct box);
    global_box->next->c = chan_make(int);
    lies_down(global_box->next->c);
}

static go_mutex global_mutex;
AWAKES(by_a_mutex_that_is_a_variable)
{
    mutex_lock(&global_mutex);
    set(0);
    mutex_lock(&global_mutex);
}

AWAKES(by_memory_of_unknown_kind)
{
    chan(int) *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *place = chan_make(int);
    lies_down(*place);
}

static void sends_late(chan(int) c) { chan_send(c, 1); }
AWAKES(by_a_function_to_be_called_later)
{
    chan(int) c = chan_make(int);
    (void)!go_after_func(100 * GO_SEC, sends_late, c);
    lies_down(c);
}

AWAKES(by_a_deadline)
{
    int v;
    chan(int) c = chan_make(int);
    set(0);
    (void)chan_recv_until(c, &v, go_now() + 100 * GO_SEC);
}

AWAKES(by_a_deadline_on_a_mutex)
{
    go_mutex *mu = new(go_mutex);
    mutex_lock(mu);
    set(0);
    (void)!mutex_lock_until(mu, go_now() + 100 * GO_SEC);
}

AWAKES(by_a_case_after)
{
    chan(int) c = chan_make(int);
    set(0);
    switch (chan_select(recv(got, c), after(late, 100 * GO_SEC))) {
    case got:
    case late:
        break;
    }
}

AWAKES(by_a_timer)
{
    go_timer *t = go_timer_make(100 * GO_SEC);
    set(0);
    (void)chan_recv(timer_c(t));
}

AWAKES(by_a_context_with_a_deadline)
{
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 100 * GO_SEC);
    go_ctx *below = ctx_with_cancel(ctx);
    set(0);
    (void)chan_recv(ctx_done(below));
}

static void sleeps_and_sends(chan(int) c)
{
    go_sleep(100 * GO_SEC);
    chan_send(c, 1);
}
AWAKES(by_a_sleeper)
{
    chan(int) c = chan_make(int);
    go(sleeps_and_sends, c);
    lies_down(c);
}

AWAKES(by_a_chain_of_others)
{
    chan(int) first = chan_make(int);
    chan(int) c = first;
    for (int i = 0; i < 20; i++) {
        chan(int) next = chan_make(int);
        go(relay, c, next);
        c = next;
    }
    go(sleeps_and_sends, first);
    lies_down(c);
}

static void done_at_its_end(void) { go_sleep(100 * GO_SEC); }
AWAKES(by_the_end_of_a_goroutine)
{
    go_waitgroup *wg = new(go_waitgroup);
    go_wg_go(wg, done_at_its_end);
    set(0);
    wg_wait(wg);
}

static void sends_when_it_unwinds(chan(int) c)
{
    defer(sends_late, c);
    c = NULL;
    go_sleep(100 * GO_SEC);
}
AWAKES(by_a_deferred_call)
{
    chan(int) c = chan_make(int);
    go(sends_when_it_unwinds, c);
    lies_down(c);
}

static void reads_and_sends(chan(int) c, int fd)
{
    (void)!go_fd_wait(fd, GO_READ, GO_FOREVER);
    chan_send(c, 1);
}
AWAKES(by_a_descriptor)
{
    int fds[2];
    REQUIRE(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
    test_allow_leaks(TEST_LEAK_FDS);
    chan(int) c = chan_make(int);
    go(reads_and_sends, c, fds[0]);
    lies_down(c);
}

/* The channel is in a register of a goroutine that computes, and nowhere else. */
static void computes_and_sends(chan(int) c)
{
    uintptr_t hidden = (uintptr_t)c;
    c = NULL;
    while (atomic_load(&happened[7]) == 0) { /* never: the test ends before */
        __asm__ volatile("" : "+r"(hidden));
    }
    chan_send((chan(int))hidden, 1);
}
AWAKES(by_a_register)
{
    chan(int) c = chan_make(int);
    go(computes_and_sends, c);
    lies_down(c);
}

/* A thread that the runtime has never seen. */
static atomic_bool thread_ends;
static void *thread_holds(void *arg)
{
    uintptr_t hidden = (uintptr_t)arg;
    arg = NULL;
    while (!atomic_load(&thread_ends)) {
        __asm__ volatile("" : "+r"(hidden));
    }
    return (void *)hidden;
}
TEST(alive, by_a_thread_that_knows_no_goroutines)
{
    pthread_t thread;
    leaks_or_skip();
    chan(int) c = chan_make(int);
    REQUIRE(pthread_create(&thread, NULL, thread_holds, (void *)(uintptr_t)c) == 0);
    go(lies_down, c);
    __asm__ volatile("" : "=r"(c));
    await(0);
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ_UINT(go_leak_check(-1), 0);
        go_sleep(GO_MS);
    }
    atomic_store(&thread_ends, true);
    void *held;
    pthread_join(thread, &held);
    chan_close((chan(int))held);
}

static void waits_in_a_thread(void *held) { (void)chan_recv((chan(int))held); }
static void *thread_waits(void *arg)
{
    set(0);
    waits_in_a_thread(arg);
    return NULL;
}
TEST(alive, a_thread_itself)
{
    pthread_t thread;
    leaks_or_skip();
    chan(int) c = chan_make(int);
    REQUIRE(pthread_create(&thread, NULL, thread_waits, (void *)(uintptr_t)c) == 0);
    await(0);
    go_sleep(GO_MS);
    EXPECT_EQ_UINT(go_leak_check(-1), 0);
    chan_close(c);
    pthread_join(thread, NULL);
}

static void main_waits(void *arg)
{
    (void)arg;
    (void)chan_recv(chan_make(int));
}
static void looks_from_below(void)
{
    size_t got = leaks_await(1);
    (void)go_leak_check(2);
    _exit(got == 1 ? 3 : 4);
}
static void main_is_lost(void *arg)
{
    go(looks_from_below);
    main_waits(arg);
}
TEST(leak, main_too)
{
    struct test_run run;
    leaks_or_skip();
    test_run_function(&run, 20, main_is_lost, NULL);
    EXPECT_RUN(&run, 3, "^gort: 1 goroutine leaked: nothing can wake it any more\n\n"
                        "goroutine 1 \\[chan receive \\(leaked\\)\\]:\n");
    test_run_free(&run);
}

/* --- what is written */

static void named_and_labelled(void)
{
    go_set_name("worker");
    go_set_label("request", "42");
    chan_send(chan_make(int), 1);
}
static void writes(void *arg)
{
    (void)arg;
    go(named_and_labelled);
    size_t got = leaks_await(1);
    (void)go_leak_check(2);
    exit(got == 1 ? 0 : 1);
}
TEST(leak, is_written_as_a_dump)
{
    struct test_run run;
    leaks_or_skip();
    test_run_function(&run, 20, writes, NULL);
    EXPECT_RUN(&run, 0,
               "^gort: 1 goroutine leaked: nothing can wake it any more\n\n"
               "goroutine [0-9]+ \\[chan send \\(leaked\\)\\] \\{request: 42\\} \"worker\":\n"
               "named_and_labelled\\(\\.\\.\\.\\)\n\t.*simple_test\\.c:[0-9]+\n"
               "created by writes in goroutine 1\n\t.*simple_test\\.c:[0-9]+\n\n$");
    test_run_free(&run);
}

static void starts_one(void)
{
    go(wait_on, chan_make(int));
    go_yield();
    set(0);
}
static void at_exit_body(void *arg)
{
    (void)arg;
    setenv("GORTDEBUG", "leaks=1", 1);
    go(starts_one);
    await(0);
    (void)leaks_await(1); /* it may not have been there yet */
    exit(7);
}
TEST(leak, is_written_at_exit_when_asked_for)
{
    struct test_run run;
    leaks_or_skip();
    test_run_function(&run, 20, at_exit_body, NULL);
    EXPECT_RUN(&run, 7, "\\[chan receive \\(leaked\\)\\]:\nwait_on");
    test_run_free(&run);
}

/* Dumps say who has been found. */
static int marked(void)
{
    static char text[4096];
    int n = 0;
    int fd = memfd_create("dump", MFD_CLOEXEC);
    go_dump(fd);
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    for (const char *at = strstr(text, "(leaked)"); at; at = strstr(at + 1, "(leaked)")) {
        n++;
    }
    return n;
}

static void scan_body(void *arg)
{
    (void)arg;
    setenv("GORTDEBUG", "leakscan=2ms", 1);
    for (int i = 1; i <= 2; i++) {
        go(starts_one);
        while (marked() < i) {
            go_sleep(GO_MS);
        }
    }
    (void)go_leak_check(-1); /* waits for the other to have written */
    _exit(0);
}
TEST(leak, is_written_once_by_the_periodic_look)
{
    struct test_run run;
    leaks_or_skip();
    test_run_function(&run, 20, scan_body, NULL);
    EXPECT_EQ_INT(run.status, 0);
    int found = 0;
    for (const char *at = strstr(run.err, "wait_on("); at; at = strstr(at + 1, "wait_on(")) {
        found++;
    }
    EXPECT_EQ_INT(found, 2);
    test_run_free(&run);
}
