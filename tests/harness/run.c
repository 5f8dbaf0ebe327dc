/* SPDX-License-Identifier: MIT */
/* run.c: one test in a process of its own, and the line that says how it went.
 *
 * When a test runs out of time, the interesting thing is where it stands. Before it is killed, gdb
 * prints every thread's stack (when there is a gdb), and SIGQUIT makes the runtime print every
 * goroutine.
 */
#include "internal.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int test_hung;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* To name lines a crash reads all debug information there is, which takes seconds where everything
 * is slow, and most tests that die look at the message alone. */
static bool dies_untraced(const struct test *t)
{
    return test_options.scale >= TEST_SCALE_TOOL && t->pattern != NULL &&
           strstr(t->pattern, "goroutine ") == NULL;
}

/* With GORT_TEST_LEAKS=1 goroutines that nothing can wake are looked for while each test runs, and
 * when it ends; one that lives fails when any is reported, unless it leaves some on purpose. */
static bool leaks_are_looked_for(void)
{
    const char *s = getenv("GORT_TEST_LEAKS");
    return s != NULL && strcmp(s, "1") == 0;
}

static void set_environment(const struct test_case *c)
{
    char text[512];
    if (c->procs > 0) {
        snprintf(text, sizeof text, "%d", c->procs);
        setenv("GOMAXPROCS", text, 1);
    }
    if (dies_untraced(c->test)) {
        setenv("GORTTRACEBACK", "none", 0);
    }
    if (c->seeded) {
        const char *old = getenv("GORTDEBUG");
        bool more = old != NULL && *old != '\0';
        snprintf(text, sizeof text, "%s%sseed=%llu", more ? old : "", more ? "," : "",
                 (unsigned long long)c->seed);
        setenv("GORTDEBUG", text, 1);
    }
    if (leaks_are_looked_for()) { /* a test that sets knobs of its own goes without */
        const char *old = getenv("GORTDEBUG");
        bool more = old != NULL && *old != '\0';
        snprintf(text, sizeof text, "%s%sleaks=1,leakscan=5ms", more ? old : "",
                 more ? "," : "");
        setenv("GORTDEBUG", text, 1);
    }
}

void test_run_here(const struct test_case *c)
{
    test_options.seed = c->seed;
    set_environment(c);
    test_leak_begin();
    c->test->fn();
    test_leak_end();
    test_shared->finished = 1;
    fflush(NULL);
    exit(test_shared->failures == 0 ? 0 : 1);
}

/* A slow environment stretches a test's limit, but never beyond a minute: what hangs under a
 * sanitizer or an emulator must not take the suite with it. */
static int timeout_of(const struct test *t)
{
    int seconds = t->timeout > 0 ? t->timeout : TEST_TIMEOUT_DEFAULT;
    if (test_options.traced) {
        return 0;
    }
    if (test_options.timeout > 0) {
        return test_options.timeout;
    }
    if (seconds < TEST_TIMEOUT_MAX) {
        seconds *= test_options.scale;
        seconds = seconds < TEST_TIMEOUT_MAX ? seconds : TEST_TIMEOUT_MAX;
    }
    return seconds;
}

/* Every thread's stack as gdb sees it; the caller frees the text. NULL without gdb. */
static char *look_with_gdb(pid_t pid, size_t *size)
{
    char target[32];
    struct test_child gdb;
    int status;
    if (!test_options.gdb) {
        return NULL;
    }
    snprintf(target, sizeof target, "%d", (int)pid);
    if (test_child_start(&gdb, true) == 0) {
        execlp("gdb", "gdb", "-nx", "-batch", "-p", target, "-ex", "set width 0", "-ex",
               "thread apply all bt 40", (char *)NULL);
        _exit(127);
    }
    if (!test_child_wait(&gdb, 20, &status)) {
        test_child_kill(&gdb);
    }
    return test_child_text(gdb.out, size);
}

/* The test has not ended in time. Notes where it stands, then kills it. */
static char *end_hanging(struct test_child *child, size_t *size)
{
    int status;
    char *stacks = look_with_gdb(child->pid, size);
    kill(child->pid, SIGQUIT);
    if (!test_child_wait(child, 2, &status)) {
        test_child_kill(child);
    } else {
        kill(-child->pid, SIGKILL);
    }
    return stacks;
}

static bool judge_death(const struct test *t, int status, const char *err, char *why, size_t size)
{
    char error[256];
    char is[128];
    char wanted[128];
    test_child_status_text(status, is, sizeof is);
    test_child_status_text(t->status, wanted, sizeof wanted);
    if (test_shared->finished) {
        snprintf(why, size, "it lived to its end, expected: %s", wanted);
        return false;
    }
    if (status != t->status) {
        snprintf(why, size, "it %s, expected: %s", is, wanted);
        return false;
    }
    if (t->pattern == NULL) {
        return true;
    }
    if (t->literal) {
        snprintf(why, size, "standard error does not contain: %s", t->pattern);
        return strstr(err, t->pattern) != NULL;
    }
    bool matched = test_matches(err, t->pattern, error, sizeof error);
    snprintf(why, size, "standard error (%s): %s", error, t->pattern);
    return matched;
}

static bool judge_life(int status, char *why, size_t size)
{
    char is[128];
    test_child_status_text(status, is, sizeof is);
    if (test_shared->failures > 0) {
        snprintf(why, size, "%d expectation%s failed", test_shared->failures,
                 test_shared->failures == 1 ? "" : "s");
        return false;
    }
    snprintf(why, size, "it %s%s", is, test_shared->finished ? "" : " before its end");
    return status == 0 && test_shared->finished;
}

static bool judge_leaks(const char *out, char *why, size_t size)
{
    snprintf(why, size, "goroutines were reported that nothing can wake");
    return !leaks_are_looked_for() || test_shared->leaves ||
           strstr(out, " leaked: nothing can wake ") == NULL;
}

static void print_case(const struct test_case *c, int number, const char *verdict)
{
    printf("%s %d - %s.%s", verdict, number, c->test->suite, c->test->name);
    if (c->procs > 0) {
        printf(" GOMAXPROCS=%d", c->procs);
    }
    if (c->seeded) {
        printf(" seed=%llu", (unsigned long long)c->seed);
    }
}

static void print_failure(const struct test_case *c, const char *why, const char *out,
                          size_t out_size, const char *err, size_t err_size)
{
    printf("#   at %s:%d\n", c->test->file, c->test->line);
    test_print_quoted("#   ", why, strlen(why));
    if (out_size > 0) {
        printf("#   it wrote:\n");
        test_print_quoted("#   | ", out, out_size);
    }
    if (err_size > 0) {
        printf("#   to standard error:\n");
        test_print_quoted("#   | ", err, err_size);
    }
}

enum test_outcome test_run_case(const struct test_case *c, int number)
{
    const struct test *t = c->test;
    struct test_child child;
    bool dies = t->status != TEST_LIVES;
    char why[1024] = "";
    size_t out_size = 0;
    size_t err_size = 0;
    int status = 0;
    char *stacks = NULL;
    size_t stacks_size = 0;

    memset(test_shared, 0, sizeof *test_shared);
    int64_t start = now_us();
    if (test_child_start(&child, !dies) == 0) {
        test_run_here(c);
    }
    int seconds = timeout_of(t);
    bool ended = test_child_wait(&child, seconds, &status);
    if (!ended) {
        test_hung++;
        stacks = end_hanging(&child, &stacks_size);
        snprintf(why, sizeof why, "it did not end within %d seconds", seconds);
    } else {
        kill(-child.pid, SIGKILL); /* its own children, if any are left */
    }
    double ms = (double)(now_us() - start) / 1000.0;
    char *out = test_child_text(child.out, &out_size);
    char *err = dies ? test_child_text(child.err, &err_size) : NULL;
    int plain = WIFSIGNALED(status) ? DIED_BY(WTERMSIG(status)) : WEXITSTATUS(status);
    enum test_outcome outcome = TEST_FAILED;
    if (test_shared->skipped && ended) {
        outcome = TEST_SKIPPED;
    } else if (ended && (dies ? judge_death(t, plain, err, why, sizeof why)
                              : judge_life(plain, why, sizeof why) &&
                                    judge_leaks(out, why, sizeof why))) {
        outcome = TEST_PASSED;
    }
    print_case(c, number, outcome == TEST_FAILED ? "not ok" : "ok");
    if (outcome == TEST_SKIPPED) {
        printf(" # SKIP %s\n", test_shared->reason);
    } else {
        printf(" (%.1f ms)\n", ms);
    }
    if (outcome == TEST_FAILED) {
        print_failure(c, why, out, out_size, err, err_size);
    }
    if (stacks != NULL) {
        test_print_quoted("#   gdb: ", stacks, stacks_size);
    }
    fflush(stdout);
    free(out);
    free(err);
    free(stacks);
    return outcome;
}
