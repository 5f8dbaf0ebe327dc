/* SPDX-License-Identifier: MIT */
/* conform.h: what a conformance case sees.
 *
 * A case carries over, in meaning, what a test of Go's own says about a channel, a lock, a timer:
 *
 *     CASE(chan, receive_from_closed_gives_zero, "runtime/chan_test.go TestChan") { ... }
 *
 * CASE_DIFFERS says what is deliberately not as in Go, and why. Where a case has output it is an
 * OUTPUT: its body runs in a process of its own, and what that wrote (say), with the head of its
 * crash report and its exit status, must be what expected/SUITE.NAME.txt says; the program of the
 * same name in go/ wrote that file, and `make conform` lets it do so again.
 *
 * `table` reads these lines and writes docs/CONFORMANCE.md; go-tests.tsv says which of Go's tests
 * are answered for. Every case runs at GOMAXPROCS 1, 2 and 8. Nothing here sleeps to synchronise:
 * await_parked() looks at the runtime's own list of goroutines. */
#ifndef GORT_TEST_CONFORM_H
#define GORT_TEST_CONFORM_H
#include "dumped.h"
#include "harness.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gort.h>
#include <gort/short.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The texts after the name are for the table. */
#define CASE(suite, name, answers) TEST(suite, name)
#define CASE_LONG(suite, name, answers) TEST_LONG(suite, name, 60)
#define CASE_DIFFERS(suite, name, answers, difference) TEST(suite, name)
/* The process must end with that status, and standard error match the expression. */
#define DEATH_CASE(suite, name, status, regex, answers) DEATH_TEST(suite, name, status, regex)
#define DEATH_CASE_DIFFERS(suite, name, status, regex, answers, difference)                        \
    DEATH_TEST(suite, name, status, regex)
#define OUTPUT(suite, name, answers)                                                               \
    static void output_##suite##_##name(void);                                                     \
    TEST(suite, name) { conform_output(#suite "." #name, output_##suite##_##name); }               \
    static void output_##suite##_##name(void)
#define OUTPUT_DIFFERS(suite, name, answers, difference) OUTPUT(suite, name, answers)

/* ---- goroutines that wait ---- */

/* A dump's first use reads all debug information, 0.1 s long. Done here, before the fork of each
 * case, it is done once; where the library hides its names, once in every case that looks. */
struct goi_symbol;
GO_WEAK void goi_symbolize(uintptr_t pc, void (*fn)(const struct goi_symbol *s, void *arg),
                           void *arg);
GO_UNUSED static void conform_ignore(const struct goi_symbol *s, void *arg)
{
    (void)s;
    (void)arg;
}
__attribute__((constructor)) static void conform_read_symbols(void)
{
    if (goi_symbolize != NULL) {
        goi_symbolize((uintptr_t)conform_ignore, conform_ignore, NULL);
    }
}

/* How many goroutines stand in that state now, in the words of a dump: "chan receive". */
GO_UNUSED static int parked(const char *state)
{
    char head[64];
    int count = 0;
    int n = snprintf(head, sizeof head, " [%s", state);
    char *text = dumped();
    for (const char *at = strstr(text, head); at != NULL; at = strstr(at + 1, head)) {
        count += at[n] == ']' || at[n] == ',' ? 1 : 0;
    }
    free(text);
    return count;
}

/* Lets the others run until at least n of them are parked in that state. The time limit of the case
 * is the only one. */
GO_UNUSED static void await_parked(int n, const char *state)
{
    do {
        for (int i = 0; i < 20; i++) {
            go_yield();
        }
    } while (parked(state) < n);
}

/* Lets the others run until only n goroutines are left, the caller included. */
GO_UNUSED static void await_count(int n)
{
    while (go_count() > n) {
        go_yield();
    }
}

/* For the leak checkers: some end like Go's main, and nobody asks what they have not freed. */
static bool conform_frees_nothing;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return conform_frees_nothing ? 1 : 0; }

/* For cases that leave goroutines blocked for ever on purpose. */
GO_UNUSED static void leave_blocked(void)
{
    test_allow_leaks(TEST_LEAK_GOROUTINES);
    conform_frees_nothing = true;
}

/* ---- numbers that several goroutines count with ---- */

GO_UNUSED static int add(int *x, int n) { return __atomic_add_fetch(x, n, __ATOMIC_SEQ_CST); }
GO_UNUSED static int get(const int *x) { return __atomic_load_n(x, __ATOMIC_SEQ_CST); }
GO_UNUSED static void set(int *x, int n) { __atomic_store_n(x, n, __ATOMIC_SEQ_CST); }

/* ---- panics ---- */

/* Room for a message that several goroutines at once may ask for. */
GO_UNUSED static go_panic_info *panic_room(void)
{
    static go_panic_info rooms[64];
    static unsigned next;
    unsigned i = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 64;
    rooms[i].message[0] = '\0';
    return &rooms[i];
}

/* The message with which fn(args...) panicked; "" when it did not. Valid for some calls. */
#define PANIC_OF(...)                                                                              \
    __extension__({                                                                                \
        go_panic_info *panic_info_ = panic_room();                                                 \
        (void)go_try(panic_info_, __VA_ARGS__);                                                    \
        (const char *)panic_info_->message;                                                        \
    })

/* ---- output ---- */

/* One piece of output, at once and whole. */
GO_UNUSED GO_PRINTF(1, 2) static void say(const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    REQUIRE(n >= 0 && (size_t)n < sizeof text && write(STDOUT_FILENO, text, (size_t)n) == n);
}

GO_UNUSED static void conform_child(void *body)
{
    conform_frees_nothing = true;
    (*(void (**)(void))body)();
}

/* The head of a crash report: its lines up to the first goroutine, whose number only counts when it
 * is the first one's. What follows are frames, which are another language's. */
GO_UNUSED static void conform_head(FILE *to, const char *err)
{
    const char *line = err;
    while (*line != '\0') {
        const char *end = strchrnul(line, '\n');
        int n = (int)(end - line);
        if (strncmp(line, "goroutine ", 10) == 0 && isdigit((unsigned char)line[10])) {
            const char *rest = line + 10 + strspn(line + 10, "0123456789");
            bool first = rest == line + 11 && line[10] == '1';
            fprintf(to, "goroutine %s%.*s\n", first ? "1" : "N", (int)(end - rest), rest);
            return;
        }
        for (int i = 0; i < n; i++) { /* no tabs in the files */
            fputs(line[i] == '\t' ? "\\t" : (char[]){line[i], '\0'}, to);
        }
        fputc('\n', to);
        line = *end == '\0' ? end : end + 1;
    }
}

GO_UNUSED static char *conform_expected(const char *name)
{
    char path[4096];
    const char *dir = getenv("GORT_CONFORM_DIR");
    snprintf(path, sizeof path, "%s/expected/%s.txt", dir != NULL ? dir : "tests/conform", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        FAIL("%s: %s (run this in the top directory, or set GORT_CONFORM_DIR)", path,
             strerror(errno));
        return NULL;
    }
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = (char *)calloc(1, (size_t)size + 1);
    REQUIRE(pread(fd, text, (size_t)size, 0) == size);
    close(fd);
    return text;
}

GO_UNUSED static void conform_output(const char *name, void (*body)(void))
{
    struct test_run run;
    char *got = NULL;
    size_t size = 0;
    test_run_function(&run, 20, conform_child, (void *)&body);
    FILE *f = open_memstream(&got, &size);
    REQUIRE(f != NULL);
    fwrite(run.out, 1, run.out_size, f);
    if (run.status != 0) {
        fprintf(f, "-- exit status %d\n", run.status);
        conform_head(f, run.err);
    }
    fclose(f);
    char *expected = conform_expected(name);
    if (expected != NULL && !EXPECT_EQ_STR(got, expected)) {
        printf("%s", run.err);
    }
    free(expected);
    free(got);
    test_run_free(&run);
}
#endif
