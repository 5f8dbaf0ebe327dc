/* SPDX-License-Identifier: MIT */
/* The verdict that nothing can ever run again: beside what only looks as if it could wake somebody
 * it is given, and beside everything that could it is withheld (the essay of sched/deadlock.c).
 *
 * gort:vet ignore-file lostcancel that a context lasts is what each case is about */
#include "death.h"
#include <fcntl.h>
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define ASLEEP "fatal error: all goroutines are asleep - deadlock!\n"

SHOWN static void waits_for_ever(void)
{
    chan(int) nobody = NULL;
    (void)chan_recv(nobody);
    STAY();
}

static int opened_pipe[2];
static go_watch *watch_pipe(void)
{
    go_watch *w = NULL;
    if (pipe2(opened_pipe, O_CLOEXEC | O_NONBLOCK) != 0 || go_watch_open(opened_pipe[0], &w) != 0) {
        _exit(9);
    }
    return w;
}

struct situation { const char *name; void (*make)(void); };
#define CASE(name) {#name, name}

static void expect(void (*body)(void *), int n, int status, const char *text, const char *name)
{
    struct test_run run;
    test_run_function(&run, 20, body, &n);
    if (!death_judge(&run, status, text, __FILE__, __LINE__)) {
        FAIL("beside %s", name);
    }
    test_run_free(&run);
}

/* --- given: what is pending here would wake nobody */

static void an_ended_sleeper(void) { go_sleep(GO_MS); }
static void a_context_with_a_deadline(void)
{
    go_ctx *ctx = ctx_with_timeout(ctx_background(), GO_HOUR);
    go_ctx *below = ctx_with_timeout(ctx, 30 * GO_MIN);
    if (ctx_with_cancel(below) == NULL || ctx_with_timeout(ctx, GO_MIN) == NULL) {
        _exit(9);
    }
}
static void a_deadline_that_passes(void)
{
    if (ctx_with_timeout(ctx_background(), 40 * GO_MS) == NULL) {
        _exit(9);
    }
}
static void a_timer_that_lost_its_select(void)
{
    chan(int) c = chan_make(int);
    go_do(c) { chan_send(c, 1); };
    switch (chan_select(recv(came, c), after(late, GO_HOUR))) {
    case came:
        break;
    case late:
        _exit(9);
    }
}
static void timers_that_nobody_reads(void)
{
    go_timer *t = go_timer_make(GO_HOUR);
    go_ticker *k = go_ticker_make(5 * GO_MS);
    go_timer *f = go_after_func(GO_HOUR, waits_for_ever);
    if (t == NULL || k == NULL || !go_timer_stop(f)) {
        _exit(9);
    }
}
static void a_signal_that_nobody_reads(void)
{
    chan(int) c = chan_make(int, 1);
    if (go_signal_notify(c, SIGUSR1, SIGTERM) != 0) {
        _exit(9);
    }
}
static void a_signal_that_came_and_was_read(void)
{
    chan(int) c = chan_make(int, 1);
    if (go_signal_notify(c, SIGUSR1) != 0 || raise(SIGUSR1) != 0 || chan_recv(c) != SIGUSR1) {
        _exit(9);
    }
}
static void a_context_of_signals(void)
{
    go_ctx *ctx = go_signal_ctx(ctx_background(), SIGTERM);
    if (ctx_with_timeout(ctx, GO_HOUR) == NULL) {
        _exit(9);
    }
}
static void a_descriptor_with_a_deadline(void)
{
    if (go_watch_set_deadline(watch_pipe(), GO_READ, go_now() + GO_HOUR) != 0) {
        _exit(9);
    }
}

static const struct situation idle[] = {
    CASE(an_ended_sleeper),
    CASE(a_context_with_a_deadline),
    CASE(a_deadline_that_passes),
    CASE(a_timer_that_lost_its_select),
    CASE(timers_that_nobody_reads),
    CASE(a_signal_that_nobody_reads),
    CASE(a_signal_that_came_and_was_read),
    CASE(a_context_of_signals),
    CASE(a_descriptor_with_a_deadline),
};
enum { IDLE = sizeof idle / sizeof *idle };

static void make_idle(int n)
{
    setenv("GORTTRACEBACK", "none", 1);
    for (int i = 0; i < IDLE; i++) {
        if (n == i || n == IDLE) {
            idle[i].make();
        }
    }
}
static void body_idle(void *arg)
{
    make_idle(*(int *)arg);
    waits_for_ever();
}
TEST(verdict, is_given_beside_what_would_wake_nobody)
{
    for (int n = 0; n <= IDLE; n++) {
        expect(body_idle, n, 2, ASLEEP, n < IDLE ? idle[n].name : "all of them together");
    }
}

/* --- withheld: the child sees to its own end */

static void end_well(void) { _exit(0); }

static void *thread_for_ever(void *arg)
{
    (void)arg;
    for (;;) {
        pause();
    }
    return NULL;
}
static void *thread_receives(void *arg)
{
    waits_for_ever();
    return arg;
}
/* Only the handler ends it: for all that the runtime knows, the thread could call any time. */
static void on_alarm(int sig) { _exit(sig - SIGALRM); }
static void beside(void *(*fn)(void *))
{
    pthread_t t;
    signal(SIGALRM, on_alarm);
    ualarm(100000, 0);
    if (pthread_create(&t, NULL, fn, NULL) != 0) {
        _exit(9);
    }
}
static void a_foreign_thread(void) { beside(thread_for_ever); }
static void a_foreign_thread_that_waits(void) { beside(thread_receives); }

static void ends_when_done(go_ctx *ctx)
{
    (void)chan_recv(ctx_done(ctx));
    end_well();
}
static void a_deadline_that_is_waited_for(void)
{
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 100 * GO_MS);
    go_ctx *other = ctx_with_cancel(ctx);
    go_ctx *below = ctx_with_cancel(ctx_with_cancel(ctx));
    if (other != NULL) {
        go(ends_when_done, below);
    }
}
static void a_deadline_with_a_function(void)
{
    if (ctx_after_func(ctx_with_timeout(ctx_background(), 100 * GO_MS), end_well) == NULL) {
        _exit(9);
    }
}
static void a_function_called_later(void)
{
    if (go_after_func(100 * GO_MS, end_well) == NULL) {
        _exit(9);
    }
}
static void a_timer_in_a_select(void)
{
    chan(int) nobody = NULL;
    go_do(nobody) {
        switch (chan_select(recv(came, nobody), after(late, 100 * GO_MS))) {
        case came:
        case late:
            end_well();
        }
    };
}

/* A child of the child, so that no thread of it is there. */
static pid_t after_a_while(void (*fn)(pid_t parent))
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        usleep(100000);
        fn(parent);
        _exit(0);
    }
    return pid;
}
static void sends_signal(pid_t parent) { kill(parent, SIGUSR1); }
static void writes(pid_t parent)
{
    (void)parent;
    (void)!write(opened_pipe[1], "x", 1);
}
static void only_ends(pid_t parent) { (void)parent; }

static void receives_then_ends(chan(int) c)
{
    _exit(chan_recv(c) == SIGUSR1 ? 0 : 9);
}
static void a_signal_with_a_reader(void)
{
    chan(int) c = chan_make(int, 1);
    if (go_signal_notify(c, SIGUSR1) != 0) {
        _exit(9);
    }
    go(receives_then_ends, c);
    (void)after_a_while(sends_signal);
}
static void a_context_of_signals_that_is_waited_for(void)
{
    go_ctx *ctx = go_signal_ctx(ctx_background(), SIGUSR1);
    go(ends_when_done, ctx_with_cancel(ctx));
    (void)after_a_while(sends_signal);
}
static void reads_then_ends(go_watch *w)
{
    char c;
    go_mark mark;
    if (go_watch_try(w, GO_READ, &mark) < 0) {
        _exit(9);
    }
    while (read(opened_pipe[0], &c, 1) != 1) {
        if (go_watch_wait(w, GO_READ, mark) != 0 || go_watch_try(w, GO_READ, &mark) < 0) {
            _exit(9);
        }
    }
    end_well();
}
static void a_descriptor(void)
{
    go(reads_then_ends, watch_pipe());
    (void)after_a_while(writes);
}
static void waits_for_process(pid_t pid)
{
    int status;
    _exit(go_process_wait(NULL, pid, &status) == 0 && status == 0 ? 0 : 9);
}
static void a_process(void) { go(waits_for_process, after_a_while(only_ends)); }
static void blocks_then_ends(void)
{
    usleep(100000);
    end_well();
}
static void a_blocking_call(void) { go(blocks_then_ends); }

static const struct situation live[] = {
    CASE(a_foreign_thread),
    CASE(a_foreign_thread_that_waits),
    CASE(a_deadline_that_is_waited_for),
    CASE(a_deadline_with_a_function),
    CASE(a_function_called_later),
    CASE(a_timer_in_a_select),
    CASE(a_signal_with_a_reader),
    CASE(a_context_of_signals_that_is_waited_for),
    CASE(a_descriptor),
    CASE(a_process),
    CASE(a_blocking_call),
};
enum { LIVE = sizeof live / sizeof *live };

static void body_live(void *arg)
{
    make_idle(IDLE);
    live[*(int *)arg].make();
    waits_for_ever();
}
TEST(verdict, is_withheld_while_something_may_wake_somebody)
{
    for (int n = 0; n < LIVE; n++) {
        expect(body_live, n, 0, "", live[n].name);
    }
}
