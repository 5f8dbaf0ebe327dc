/* SPDX-License-Identifier: MIT */
/* leaks.h: bugs of real programs in which goroutines wait for ever, and their repaired versions.
 *
 *     KERNEL(etcd, 6857, 1, "Communication", "status after stop") { ... }
 *
 * A kernel is the heart of one bug of the collection GoKer (Yuan et al., "GoBench: A Benchmark
 * Suite of Real-World Go Concurrency Bugs", CGO 2021), told again in C; number and project are
 * those of the report that it answers to. Its body runs in a goroutine of its own. With `repaired`
 * set it does what the program did after the bug was mended. The third argument is how many
 * goroutines the bug leaves behind.
 *
 * Each makes two tests. The bug must be found: that many goroutines, no more at any time before.
 * The repaired version must come to its end, and at no time on the way may anything be reported.
 *
 * Where the bug needs an order of events it is forced: set(i) says that something has happened,
 * await(i) lets others run until then. Numbers, so that no pointer leads from one to the other.
 *
 * With GORT_LEAKS_TABLE=FILE each test adds a line to that file; `table` makes docs/LEAKS.md of it.
 * */
#ifndef GORT_TEST_LEAKS_H
#define GORT_TEST_LEAKS_H
#include "death/told.h"
#include "harness.h"
#include <gort.h>
#include <gort/short.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define new(T) ((T *)calloc(1, sizeof(T)))

static atomic_int happened[8];
GO_UNUSED static void set(int i) { atomic_fetch_add(&happened[i], 1); }
GO_UNUSED static void await_n(int i, int n)
{
    while (atomic_load(&happened[i]) < n) {
        go_yield();
    }
}
GO_UNUSED static void await(int i) { await_n(i, 1); }

/* Until a writer waits for the lock, which the caller has for reading. */
GO_UNUSED static void await_writer(go_rwmutex *mu)
{
    while (rwmutex_tryrlock(mu)) {
        rwmutex_runlock(mu);
        go_yield();
    }
}

GO_UNUSED static void leaks_row(const char *name, const char *kind, const char *about,
                                const char *version, size_t want, size_t got)
{
    const char *path = getenv("GORT_LEAKS_TABLE");
    FILE *f = path != NULL ? fopen(path, "ae") : NULL;
    if (f != NULL) {
        fprintf(f, "%s\t%s\t%s\t%s\t%zu\t%zu\n", name, kind, about, version, want, got);
        fclose(f);
    }
}

/* Where there is no verdict a test of verdicts has nothing to say. */
GO_UNUSED static void leaks_or_skip(void)
{
    if (test_under("address") || test_under("thread") || test_under("valgrind")) {
        SKIP("no verdict is given under this tool");
    }
    test_allow_leaks(TEST_LEAK_GOROUTINES);
}

/* Looks until `want` are found, or more, or it has taken too long. */
GO_UNUSED static size_t leaks_await(size_t want)
{
    size_t got = go_leak_check(-1);
    for (int i = 0; i < 2000 * test_scale() && got < want; i++) {
        go_sleep(GO_MS);
        got = go_leak_check(-1);
    }
    return got;
}

/* Until nobody but the caller and n others is there: who has let go of the last thing that he had
 * still needs a moment for his own end. */
GO_UNUSED static void leaks_are_all(size_t n)
{
    for (int i = 0; i < 5000 * test_scale() && go_count() > (int)n + 1; i++) {
        go_sleep(GO_MS);
    }
    EXPECT_EQ_INT(go_count(), (int)n + 1);
}

/* Looks until all goroutines but the caller have ended; the most that was found on the way. */
GO_UNUSED static size_t leaks_until_alone(void)
{
    size_t most = 0;
    for (int i = 0; i < 5000 * test_scale() && go_count() > 1 && most == 0; i++) {
        most = go_leak_check(-1);
        go_sleep(GO_MS / 2);
    }
    return most;
}

/* A cycle of mutexes is said without a knob, while the program goes on. */
#define IS_TOLD(project, number)                                                                   \
    static void told_##project##_##number(void *arg)                                               \
    {                                                                                              \
        (void)arg;                                                                                 \
        setenv("GORTTRACEBACK", "none", 1); /* reading names is slow under tools */                \
        told_begin();                                                                              \
        go(kernel_##project##_##number, false);                                                    \
        told_await(1);                                                                             \
        _exit(0);                                                                                  \
    }                                                                                              \
    TEST(project##_##number, is_told)                                                              \
    {                                                                                              \
        struct test_run run;                                                                       \
        test_run_function(&run, 20, told_##project##_##number, NULL);                              \
        EXPECT_RUN(&run, 0, TOLD "2 goroutines wait for each other's mutexes");                    \
        test_run_free(&run);                                                                       \
    }

#define KERNEL(project, number, count, kind, about)                                                \
    static void kernel_##project##_##number(bool repaired);                                        \
    TEST(project##_##number, is_found)                                                             \
    {                                                                                              \
        leaks_or_skip();                                                                           \
        go(kernel_##project##_##number, false);                                                    \
        size_t got = leaks_await(count);                                                           \
        leaks_row(#project "#" #number, kind, about, "buggy", count, got);                         \
        EXPECT_EQ_UINT(got, count);                                                                \
        leaks_are_all(got);                                                                        \
    }                                                                                              \
    TEST(project##_##number, repaired_is_not_reported)                                             \
    {                                                                                              \
        leaks_or_skip();                                                                           \
        go(kernel_##project##_##number, true);                                                     \
        size_t got = leaks_until_alone();                                                          \
        leaks_row(#project "#" #number, kind, about, "repaired", 0, got);                          \
        EXPECT_EQ_UINT(got, 0);                                                                    \
        EXPECT_EQ_INT(go_count(), 1);                                                              \
    }                                                                                              \
    static void kernel_##project##_##number(bool repaired)

#endif
