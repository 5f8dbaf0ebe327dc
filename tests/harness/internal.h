/* SPDX-License-Identifier: MIT */
/* internal.h: what the files of the harness share. */
#ifndef GORT_TEST_INTERNAL_H
#define GORT_TEST_INTERNAL_H
#include "harness.h"
#include <stdio.h>
#include <sys/types.h>

enum test_outcome { TEST_PASSED, TEST_FAILED, TEST_SKIPPED };

/* What the forked process tells the runner; in memory shared by both. The counters are touched with
 * atomic builtins, since expectations may fail on several threads at once. */
struct test_shared {
    int failures;
    int finished; /* the body came to its end */
    int leaves;   /* it said that goroutines stay behind */
    int skipped;
    char reason[256]; /* why skipped */
};
extern struct test_shared *test_shared;

struct test_options {
    const char *filter;
    const char *procs; /* comma-separated values of GOMAXPROCS; NULL: leave it alone */
    uint64_t seed;
    int seeds; /* 0: the runtime chooses its own seed */
    bool seed_given; /* asked for: no test takes more seeds than `seeds` */
    int repeat;
    int timeout; /* replaces every test's own; 0: does not */
    int scale;
    bool list;
    bool no_fork;
    bool traced; /* by a debugger: no timeouts */
    bool gdb;    /* look at a test that hangs with gdb */
};
extern struct test_options test_options;

/* One run of one test: the environment it gets. */
struct test_case {
    const struct test *test;
    int procs; /* 0: leave GOMAXPROCS alone */
    uint64_t seed;
    bool seeded; /* hand the seed to the runtime */
};

/* run.c: runs it in a process of its own, prints one line of TAP and, on failure, what it wrote. */
enum test_outcome test_run_case(const struct test_case *c, int number);
/* How many tests of this program have run out of time. */
extern int test_hung;
/* The body, its leak checks and its end: called in the test's own process. */
void test_run_here(const struct test_case *c) __attribute__((noreturn));

/* leak.c */
void test_leak_begin(void);
void test_leak_end(void);

/* child.c */
struct test_child {
    pid_t pid;
    int out; /* memory files that hold what it wrote; the same one when merged */
    int err;
};
/* Forks with both outputs captured. Returns 0 in the child, its pid in the parent. */
pid_t test_child_start(struct test_child *child, bool merged);
/* Waits until it ends or the seconds (0: no limit) are over. True when it ended. */
bool test_child_wait(struct test_child *child, int seconds, int *status);
/* Kills it with its descendants and reaps it. */
void test_child_kill(struct test_child *child);
/* All that was written, zero-terminated; the caller frees it. Closes the file. */
char *test_child_text(int fd, size_t *size);
void test_child_status_text(int status, char *text, size_t size);
bool test_matches(const char *s, const char *regex, char *error, size_t size);
/* Prints text with every line behind a prefix, the middle left out when it is long. */
void test_print_quoted(const char *prefix, const char *text, size_t size);

#endif
