/* SPDX-License-Identifier: MIT */
/* expect.c: expectations. They run on any thread and any goroutine of the test's process, so they
 * build their message on the stack and write it with one call. */
#include "internal.h"
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static void report(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void write_all(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t w = write(2, text, n);
        if (w <= 0) {
            return;
        }
        text += w;
        n -= (size_t)w;
    }
}

static void vreport(const char *file, int line, const char *format, va_list ap)
{
    char text[2048];
    int n = snprintf(text, sizeof text, "%s:%d: ", file, line);
    if (n < 0 || (size_t)n >= sizeof text) {
        n = 0;
    }
    size_t used = (size_t)n;
    n = vsnprintf(text + used, sizeof text - used - 1, format, ap);
    if (n > 0) {
        used += (size_t)n < sizeof text - used - 1 ? (size_t)n : sizeof text - used - 2;
    }
    text[used++] = '\n';
    __atomic_fetch_add(&test_shared->failures, 1, __ATOMIC_SEQ_CST);
    write_all(text, used);
}

static void report(const char *file, int line, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vreport(file, line, format, ap);
    va_end(ap);
}

void test_fail(const char *file, int line, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vreport(file, line, format, ap);
    va_end(ap);
}

bool test_expect(bool held, const char *text, const char *file, int line)
{
    if (!held) {
        report(file, line, "does not hold: %s", text);
    }
    return held;
}

bool test_expect_int(long long a, const char *op, long long b, bool held, const char *text,
                     const char *file, int line)
{
    if (!held) {
        report(file, line, "does not hold: %s (%lld %s %lld)", text, a, op, b);
    }
    return held;
}

bool test_expect_uint(unsigned long long a, const char *op, unsigned long long b, bool held,
                      const char *text, const char *file, int line)
{
    if (!held) {
        report(file, line, "does not hold: %s (%llu %s %llu, %#llx %s %#llx)", text, a, op, b, a,
               op, b);
    }
    return held;
}

bool test_expect_str(const char *a, const char *b, const char *text, const char *file, int line)
{
    bool held = a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
    if (!held) {
        report(file, line, "does not hold: %s\n    left:  %s\n    right: %s", text,
               a != NULL ? a : "(NULL)", b != NULL ? b : "(NULL)");
    }
    return held;
}

bool test_expect_mem(const void *a, const void *b, size_t size, const char *text, const char *file,
                     int line)
{
    const unsigned char *x = (const unsigned char *)a;
    const unsigned char *y = (const unsigned char *)b;
    for (size_t i = 0; i < size; i++) {
        if (x[i] != y[i]) {
            report(file, line, "does not hold: %s: byte %zu of %zu is %#x and %#x", text, i, size,
                   x[i], y[i]);
            return false;
        }
    }
    return true;
}

bool test_expect_match(const char *s, const char *regex, const char *file, int line)
{
    char error[256];
    bool held = test_matches(s, regex, error, sizeof error);
    if (!held) {
        report(file, line, "%s\n    expected: %s\n    text: %s", error, regex, s);
    }
    return held;
}

bool test_expect_contains(const char *s, const char *part, const char *file, int line)
{
    bool held = strstr(s, part) != NULL;
    if (!held) {
        report(file, line, "not contained\n    expected: %s\n    text: %s", part, s);
    }
    return held;
}

void test_require(bool held)
{
    if (!held) {
        fflush(NULL);
        _exit(1);
    }
}

void test_skip(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(test_shared->reason, sizeof test_shared->reason, format, ap);
    va_end(ap);
    test_shared->skipped = 1;
    fflush(NULL);
    _exit(0);
}

bool test_expect_run(const struct test_run *run, int status, const char *regex, const char *file,
                     int line)
{
    char is[128];
    char wanted[128];
    char error[256];
    test_child_status_text(run->status, is, sizeof is);
    test_child_status_text(status, wanted, sizeof wanted);
    if (run->timed_out) {
        report(file, line, "the child did not end in time\n    stderr: %s", run->err);
        return false;
    }
    if (run->status != status) {
        report(file, line, "the child %s, expected: %s\n    stderr: %s", is, wanted, run->err);
        return false;
    }
    if (regex != NULL && !test_matches(run->err, regex, error, sizeof error)) {
        report(file, line, "%s\n    expected: %s\n    stderr: %s", error, regex, run->err);
        return false;
    }
    return true;
}
