/* SPDX-License-Identifier: MIT */
/* harness.h: what a test sees.
 *
 * A test is a sentence about behaviour:
 *
 *     #include "harness.h"
 *
 *     TEST(chan, recv_from_closed_empty_returns_zero_value)
 *     {
 *         ...
 *         EXPECT_EQ_INT(v, 0);
 *     }
 *
 * There is no list to keep and no main to write: a test registers itself, and main lives in the
 * harness. Each test runs in a process of its own, forked before the runtime has started; its body
 * runs on that process's main thread, which is the main goroutine once the runtime starts. It fails
 * when an expectation failed, when it died, when it did not come to its end, when it ran out of
 * time, and when it left descriptors or goroutines behind.
 *
 * A death test describes its own end. The body must end the process with that status, and what it
 * wrote to standard error must match the extended regular expression (or contain the text):
 *
 *     DEATH_TEST(chan, close_of_nil_panics, 2, "^panic: close of nil channel$") { ... }
 *     DEATH_TEXT(chan, close_of_nil_panics, 2, "panic: close of nil channel\n") { ... }
 *
 * Options of every test program: --list, --filter=TEXT, --procs=1,2,4,16 and --seeds=N (every test
 * once per GOMAXPROCS and seed), --seed=N, --repeat=N, --timeout=SECONDS, --no-fork (for a
 * debugger). README.md in this directory describes them and the environment.
 */
#ifndef GORT_TEST_HARNESS_H
#define GORT_TEST_HARNESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef NDEBUG
#error "tests run with asserts on; build without NDEBUG"
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*test_fn)(void);

/* A test as it registered itself. Storage belongs to the macros below. */
struct test {
    struct test *next;
    const char *suite;
    const char *name;
    const char *file;
    int line;
    test_fn fn;
    int timeout;         /* seconds; 0: the default */
    int status;          /* of a death test: TEST_LIVES, or how it must end */
    const char *pattern; /* of a death test: standard error; NULL: anything */
    bool literal;        /* the pattern is a text to contain, not an expression */
    int seeds;           /* how many seeds it is run with, at least; 0: as the options say */
};

/* For what one compiler is enough for. */
#ifdef __clang__
#define TEST_CLANG 1
#else
#define TEST_CLANG 0
#endif

#define TEST_LIVES (-1)
#define TEST_TIMEOUT_DEFAULT 30
#define TEST_SCALE_TOOL 4   /* from here on a sanitizer, memcheck or an emulator is what is slow */
#define TEST_TIMEOUT_MAX 60 /* the longest that a slow environment makes of a limit below it */

/* How a death test, or a child, ended: an exit status as it is, a signal as DIED_BY(SIGABRT). */
#define DIED_BY(sig) (256 + (sig))

void test_register(struct test *t);

#define TEST_DEFINE_(suite, name, timeout, status, pattern, literal, seeds)                        \
    static void test_##suite##_##name(void);                                                       \
    static struct test test_entry_##suite##_##name = {                                             \
        NULL, #suite, #name, __FILE__, __LINE__, test_##suite##_##name,                            \
        timeout, status, pattern, literal, seeds};                                                 \
    __attribute__((constructor)) static void test_register_##suite##_##name(void)                  \
    {                                                                                              \
        test_register(&test_entry_##suite##_##name);                                               \
    }                                                                                              \
    static void test_##suite##_##name(void)

#define TEST(suite, name) TEST_DEFINE_(suite, name, 0, TEST_LIVES, NULL, false, 0)
/* A test that is expected to need up to that many seconds on a quiet machine. */
#define TEST_LONG(suite, name, seconds)                                                            \
    TEST_DEFINE_(suite, name, seconds, TEST_LIVES, NULL, false, 0)
/* A test whose course is drawn from test_seed(): it runs with that many seeds, one after another,
 * unless one was asked for. */
#define TEST_SEEDS(suite, name, seeds) TEST_DEFINE_(suite, name, 0, TEST_LIVES, NULL, false, seeds)
#define DEATH_TEST(suite, name, status, regex) TEST_DEFINE_(suite, name, 0, status, regex, false, 0)
#define DEATH_TEXT(suite, name, status, text) TEST_DEFINE_(suite, name, 0, status, text, true, 0)

/* ---- expectations ----
 *
 * EXPECT_* records a failure, prints it and goes on; the value is whether it held. REQUIRE_* ends
 * the test on failure. All may be used from any goroutine and any thread of the test's process. */
bool test_expect(bool held, const char *text, const char *file, int line);
bool test_expect_int(long long a, const char *op, long long b, bool held, const char *text,
                     const char *file, int line);
bool test_expect_uint(unsigned long long a, const char *op, unsigned long long b, bool held,
                      const char *text, const char *file, int line);
bool test_expect_str(const char *a, const char *b, const char *text, const char *file, int line);
bool test_expect_mem(const void *a, const void *b, size_t size, const char *text, const char *file,
                     int line);
bool test_expect_match(const char *s, const char *regex, const char *file, int line);
bool test_expect_contains(const char *s, const char *part, const char *file, int line);
void test_require(bool held);

#define EXPECT(x) test_expect(!!(x), #x, __FILE__, __LINE__)
/* EXPECT_INT(n, <=, 10) prints both values when it fails. Each side is evaluated once. */
#define EXPECT_INT(a, op, b) TEST_COMPARE_(long long, test_expect_int, a, op, b)
#define EXPECT_UINT(a, op, b) TEST_COMPARE_(unsigned long long, test_expect_uint, a, op, b)
#define EXPECT_EQ_INT(a, b) EXPECT_INT(a, ==, b)
#define EXPECT_EQ_UINT(a, b) EXPECT_UINT(a, ==, b)
#define EXPECT_EQ_PTR(a, b) EXPECT_UINT((uintptr_t)(a), ==, (uintptr_t)(b))
#define EXPECT_EQ_STR(a, b) test_expect_str(a, b, #a " == " #b, __FILE__, __LINE__)
#define EXPECT_EQ_MEM(a, b, n) test_expect_mem(a, b, n, #a " == " #b, __FILE__, __LINE__)
#define EXPECT_MATCH(s, regex) test_expect_match(s, regex, __FILE__, __LINE__)
#define EXPECT_CONTAINS(s, part) test_expect_contains(s, part, __FILE__, __LINE__)

#define REQUIRE(x) test_require(EXPECT(x))
#define REQUIRE_INT(a, op, b) test_require(EXPECT_INT(a, op, b))
#define REQUIRE_EQ_INT(a, b) test_require(EXPECT_EQ_INT(a, b))
#define REQUIRE_EQ_STR(a, b) test_require(EXPECT_EQ_STR(a, b))

#define TEST_COMPARE_(T, expect, a, op, b)                                                         \
    __extension__({                                                                                \
        const T test_a_ = (T)(a);                                                                  \
        const T test_b_ = (T)(b);                                                                  \
        expect(test_a_, #op, test_b_, test_a_ op test_b_, #a " " #op " " #b, __FILE__, __LINE__);  \
    })

/* Records a failure with a message of its own, printf style. */
void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

/* Ends the test as skipped, loudly: the reason is printed and counted. */
void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
#define SKIP(...) test_skip(__VA_ARGS__)

/* ---- what a test may ask ---- */

/* The seed of this run. Printed before the first test; --seed=N brings it back. */
uint64_t test_seed(void);

/* How slow this environment is: 1 natively, more under valgrind, an emulator or a sanitizer. */
int test_scale(void);

/* Does this run under a tool, or was it built with one? "valgrind", "qemu", "address" (sanitizer),
 * "undefined", "thread". For tests of what a tool takes over: faults, guards, memory counts. */
bool test_under(const char *tool);

/* n natively, fewer where everything is slow; never less than 1. */
long test_iterations(long n);

/* ---- what must be gone at the end ----
 *
 * Descriptors and goroutines are checked in every test. Threads are checked where a test asks,
 * since the runtime keeps its own (they are called gort-*) for the life of the process. */
#define TEST_LEAK_FDS 1
#define TEST_LEAK_GOROUTINES 2
#define TEST_LEAK_THREADS 4
void test_allow_leaks(int what);
void test_forbid_leaks(int what);

/* ---- children ----
 *
 * A function or a program in a process of its own, with what it wrote and how it ended. A function
 * is run in a fork, so the caller's process must not have started the runtime; a program may be run
 * at any time. Both are killed, with their descendants, when the test's own time runs out, and
 * after `seconds` (0: no limit of their own). */
struct test_run {
    int status;     /* exit status, or DIED_BY(signal) */
    bool timed_out; /* killed by the limit */
    char *out;      /* standard output, zero-terminated */
    size_t out_size;
    char *err; /* standard error, zero-terminated */
    size_t err_size;
};
void test_run_function(struct test_run *run, int seconds, void (*fn)(void *arg), void *arg);
void test_run_program(struct test_run *run, int seconds, const char *const argv[]);
void test_run_free(struct test_run *run);

/* Expects the end and standard error of a child; the regex may be NULL. */
#define EXPECT_RUN(run, how, regex) test_expect_run(run, how, regex, __FILE__, __LINE__)
bool test_expect_run(const struct test_run *run, int status, const char *regex, const char *file,
                     int line);

#ifdef __cplusplus
}
#endif
#endif
