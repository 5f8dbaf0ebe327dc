/* SPDX-License-Identifier: MIT */
/* Tests that pass, fail, hang and die in every way the harness must tell apart; run.sh beside it
 * knows the verdicts. A name begins with the verdict it must get. */
#include "harness.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TEST(self, ok_expectations)
{
    EXPECT(1);
    EXPECT_EQ_INT(-1, -1);
    EXPECT_INT(1, <, 2);
    EXPECT_EQ_UINT(1u, 1u);
    EXPECT_EQ_PTR(&test_seed, &test_seed);
    EXPECT_EQ_STR("x", "x");
    EXPECT_EQ_MEM("ab", "ab", 2);
    EXPECT_MATCH("one\ntwo", "^t.o$");
    EXPECT_CONTAINS("one", "n");
}

TEST(self, not_ok_expectations)
{
    int seven = 0;
    seven += EXPECT_INT(3, <, 2) ? 0 : 1;
    seven += EXPECT_EQ_UINT(3u, 4u) ? 0 : 1;
    seven += EXPECT_EQ_STR("x", NULL) ? 0 : 1;
    seven += EXPECT_EQ_MEM("ab", "ac", 2) ? 0 : 1;
    seven += EXPECT_MATCH("abc", "^b") ? 0 : 1;
    seven += EXPECT_CONTAINS("abc", "d") ? 0 : 1;
    seven += EXPECT(0) ? 0 : 1;
    printf("%d of seven\n", seven);
}

TEST(self, not_ok_message)
{
    FAIL("the number is %d", 42);
}

TEST(self, not_ok_require_ends_the_test)
{
    REQUIRE_EQ_INT(1, 2);
    printf("never printed\n");
}

TEST(self, skip_with_reason)
{
    SKIP("no %s here", "luck");
}

TEST(self, not_ok_leaks_descriptors)
{
    int fds[2];
    REQUIRE(pipe(fds) == 0);
}

TEST(self, ok_leaks_allowed)
{
    int fds[2];
    test_allow_leaks(TEST_LEAK_FDS);
    REQUIRE(pipe(fds) == 0);
}

static void *wait_for_ever(void *arg)
{
    (void)arg;
    for (;;) {
        pause();
    }
    return NULL;
}

TEST(self, not_ok_leaks_a_thread)
{
    pthread_t t;
    test_forbid_leaks(TEST_LEAK_THREADS);
    REQUIRE(pthread_create(&t, NULL, wait_for_ever, NULL) == 0);
}

TEST(self, not_ok_leaves_too_early)
{
    exit(0);
}

TEST(self, not_ok_crashes)
{
    raise(SIGSEGV);
}

TEST_LONG(self, not_ok_hangs, 1)
{
    wait_for_ever(NULL);
}

TEST_LONG(self, not_ok_hangs_deaf, 1)
{
    signal(SIGQUIT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    wait_for_ever(NULL);
}

TEST_LONG(hang, first, 1) { wait_for_ever(NULL); }
TEST_LONG(hang, second, 1) { wait_for_ever(NULL); }
TEST_LONG(hang, third, 1) { wait_for_ever(NULL); }
TEST(hang, fourth) {}

DEATH_TEST(self, ok_dies_as_said, 2, "^panic: .*x$")
{
    fprintf(stderr, "foo\npanic: ax\nbar\n");
    exit(2);
}

DEATH_TEXT(self, ok_dies_with_text, 2, "panic: [a]x\n")
{
    fprintf(stderr, "foo\npanic: [a]x\n");
    exit(2);
}

DEATH_TEST(self, ok_dies_by_signal, DIED_BY(SIGABRT), NULL)
{
    abort();
}

DEATH_TEST(self, not_ok_dies_otherwise, 2, "^panic: y$")
{
    fprintf(stderr, "panic: x\n");
    exit(2);
}

DEATH_TEST(self, not_ok_wrong_status, 2, "^panic: x$")
{
    fprintf(stderr, "panic: x\n");
    exit(3);
}

DEATH_TEST(self, not_ok_lives, 2, NULL)
{
}

static void says_and_exits(void *arg)
{
    fprintf(stderr, "arg %s", (const char *)arg);
    exit(3);
}

TEST(self, ok_child_function)
{
    struct test_run run;
    char arg[] = "z";
    test_run_function(&run, 10, says_and_exits, arg);
    EXPECT_RUN(&run, 3, "^arg z$");
    EXPECT_EQ_UINT(run.out_size, 0);
    test_run_free(&run);
}

TEST(self, ok_child_program)
{
    const char *argv[] = {"sh", "-c", "echo hi; echo ho >&2; kill -9 $$", NULL};
    struct test_run run;
    test_run_program(&run, 10, argv);
    EXPECT_RUN(&run, DIED_BY(SIGKILL), "ho");
    EXPECT_EQ_STR(run.out, "hi\n");
    test_run_free(&run);
}

TEST(self, ok_child_that_hangs)
{
    const char *argv[] = {"sh", "-c", "echo hi; sleep 60 & wait", NULL};
    for (int seconds = 1; seconds <= 8; seconds *= 2) { /* until it comes to say so */
        struct test_run run;
        test_run_program(&run, seconds, argv);
        EXPECT(run.timed_out);
        bool said = seconds == 8 || run.out_size > 0;
        EXPECT_EQ_STR(said ? run.out : "hi\n", "hi\n");
        test_run_free(&run);
        if (said) {
            break;
        }
    }
}

TEST_SEEDS(seeds, each_has_its_own, 3)
{
    const char *debug = getenv("GORTDEBUG");
    printf("%llu %s\n", (unsigned long long)test_seed(), debug != NULL ? debug : "-");
    FAIL("shown because it failed");
}

TEST(matrix, environment)
{
    const char *procs = getenv("GOMAXPROCS");
    const char *debug = getenv("GORTDEBUG");
    printf("%s %s\n", procs != NULL ? procs : "-", debug != NULL ? debug : "-");
    FAIL("shown because it failed");
}
