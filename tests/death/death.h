/* SPDX-License-Identifier: MIT */
/* death.h: processes that die, and every word of what they say on the way.
 *
 *     static void body(void *arg) { ... }
 *     TEST(panic, close_of_nil)
 *     {
 *         EXPECT_DEATH(body, NULL, 2, "panic: close of nil channel\n"
 *                                     "\n"
 *                                     "goroutine 1 [running]:\n"
 *                                     "body(...)\n"
 *                                     "\t*panic_test.c:#\n"
 *                                     "...\n");
 *     }
 *
 * The body runs in a child of the test, as its main goroutine. The text is all that the child may
 * write to standard error, line by line. In a line, * stands for any text and # for a number; a
 * line `...` stands for any number of lines. Below `body` there are the harness's own functions. */
#ifndef GORT_TEST_DEATH_H
#define GORT_TEST_DEATH_H
#include "harness.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* For functions that a trace shall show by their own names: not inlined, not merged with equals. */
#define SHOWN __attribute__((noinline, used))
/* After the last call of such a function: keeps the call from becoming a jump. */
#define STAY() __asm__ volatile("" ::: "memory")

static inline bool death_digits(const char **s)
{
    const char *from = *s;
    while (**s >= '0' && **s <= '9') {
        ++*s;
    }
    return *s > from;
}

/* One line (without its end) against one line of the pattern. */
static inline bool death_line(const char *p, const char *p_end, const char *s, const char *s_end)
{
    while (p < p_end) {
        if (*p == '*') {
            for (const char *at = s; at <= s_end; at++) {
                if (death_line(p + 1, p_end, at, s_end)) {
                    return true;
                }
            }
            return false;
        }
        if (*p == '#') {
            if (!death_digits(&s) || s > s_end) {
                return false;
            }
        } else if (s == s_end || *s++ != *p) {
            return false;
        }
        p++;
    }
    return s == s_end;
}

static inline const char *death_end(const char *s) { return s + strcspn(s, "\n"); }
static inline const char *death_next(const char *end) { return *end == '\n' ? end + 1 : end; }

static inline bool death_text(const char *p, const char *s)
{
    while (*p != '\0') {
        const char *p_end = death_end(p);
        if (p_end - p == 3 && memcmp(p, "...", 3) == 0) {
            for (const char *at = s;; at = death_next(death_end(at))) {
                if (death_text(death_next(p_end), at)) {
                    return true;
                }
                if (*at == '\0') {
                    return false;
                }
            }
        }
        const char *s_end = death_end(s);
        if (*s == '\0' || !death_line(p, p_end, s, s_end)) {
            return false;
        }
        p = death_next(p_end);
        s = death_next(s_end);
    }
    return *s == '\0';
}

/* The judgement on a child that has run: how it ended and what it wrote to standard error. */
static inline bool death_judge(const struct test_run *run, int status, const char *text,
                               const char *file, int line)
{
    if (run->timed_out) {
        test_fail(file, line, "it did not end; it wrote:\n%s", run->err);
    } else if (run->status != status) {
        test_fail(file, line, "it ended with %d, expected %d (256: signal); it wrote:\n%s",
                  run->status, status, run->err);
    } else if (!death_text(text, run->err)) {
        fprintf(stderr, "--- wanted:\n%s--- wrote:\n%s---\n", text, run->err);
        test_fail(file, line, "it did not die with the words wanted");
    } else {
        return true;
    }
    return false;
}

static inline void death_expect(void (*fn)(void *), void *arg, int status, const char *text,
                                const char *file, int line)
{
    struct test_run run;
    test_run_function(&run, 20, fn, arg);
    (void)death_judge(&run, status, text, file, line);
    test_run_free(&run);
}

#define EXPECT_DEATH(fn, arg, status, text)                                                        \
    death_expect(fn, arg, status, text, __FILE__, __LINE__)

#endif
