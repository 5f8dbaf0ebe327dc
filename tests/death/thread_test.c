/* SPDX-License-Identifier: MIT */
/* Threads that cannot be had, and processes that are half of one: fork. */
#include "death.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int never[2]; /* a pipe that nobody writes to */

SHOWN static void blocks(void)
{
    char c;
    go_blocking { (void)!read(never[0], &c, 1); }
}
static void body_exhausts(void *arg)
{
    (void)arg;
    if (pipe(never) != 0) {
        return;
    }
    for (int i = 0; i < 11000; i++) {
        go_with(GO_OPTS(.stack = 64 * GO_KIB), blocks);
        if (i % 16 == 15) {
            go_yield();
        }
    }
    go_sleep(GO_HOUR);
}

static bool may_have_threads(long n)
{
    static const char *const files[] = {"/sys/fs/cgroup/pids.max", "/proc/sys/kernel/threads-max",
                                        "/proc/sys/kernel/pid_max"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        FILE *f = fopen(files[i], "re");
        long limit;
        bool low = f != NULL && fscanf(f, "%ld", &limit) == 1 && limit < n;
        if (f != NULL) {
            fclose(f);
        }
        if (low) {
            return false;
        }
    }
    struct rlimit r;
    return getrlimit(RLIMIT_NPROC, &r) != 0 || r.rlim_cur == RLIM_INFINITY ||
           r.rlim_cur > (rlim_t)n;
}

/* go1.27 TestThreadExhaustion, with the limit as it is. */
TEST_LONG(thread, ten_thousand_are_the_limit, 120)
{
    struct test_run run;
    if (test_scale() > 1) {
        SKIP("ten thousand threads are too much under a tool");
    }
    if (!may_have_threads(12000)) {
        SKIP("this machine does not allow ten thousand threads");
    }
    test_run_function(&run, 100, body_exhausts, NULL);
    (void)death_judge(&run, 2,
                      "runtime: program exceeds 10000-thread limit\n"
                      "fatal error: thread exhaustion\n"
                      "...\n"
                      "goroutine # [running]:\n"
                      "\tgoroutine running on other thread; stack unavailable\n"
                      "created by body_exhausts in goroutine 1\n"
                      "\t*thread_test.c:#\n"
                      "# goroutines like this\n"
                      "...\n",
                      __FILE__, __LINE__);
    test_run_free(&run);
}

/* --- pthread_exit, where a goroutine is */

SHOWN static void ends_its_thread(void)
{
    defer(puts, "not run");
    pthread_exit(NULL);
}
/* Its last call replaces its frame. (pthread_exit itself will not do: under clang what never
 * returns needs a function of one's own around it.) */
static void only_exits(void *value) { pthread_exit(value); }
static void body_goroutine_ends_its_thread(void *arg)
{
    chan(int) nobody = NULL;
    go_maxprocs(*(int *)arg);
    go(ends_its_thread);
    (void)chan_recv(nobody);
    STAY();
}
static void body_goroutine_only_exits(void *arg)
{
    chan(int) nobody = NULL;
    go_maxprocs(*(int *)arg);
    go(only_exits, NULL);
    (void)chan_recv(nobody);
    STAY();
}

#define NAMED                                                                                      \
    "fatal error: pthread_exit in a goroutine (go_exit ends one)\n"                                \
    "\n"                                                                                           \
    "goroutine # [running]*:\n"

TEST(thread, a_goroutine_that_calls_pthread_exit_is_named)
{
    for (int procs = 1; procs <= 4; procs += 3) {
        EXPECT_DEATH(body_goroutine_ends_its_thread, &procs, 2,
                     NAMED "...\n"
                           "ends_its_thread(...)\n"
                           "\t*thread_test.c:#\n"
                           "created by body_goroutine_ends_its_thread in goroutine 1\n"
                           "\t*thread_test.c:#\n"
                           "...\n");
        EXPECT_DEATH(body_goroutine_only_exits, &procs, 2,
                     NAMED "only_exits(...)\n"
                           "\t*thread_test.c:#\n"
                           "created by body_goroutine_only_exits in goroutine 1\n"
                           "\t*thread_test.c:#\n"
                           "...\n");
    }
}

SHOWN static void receives(chan(int) c)
{
    (void)chan_recv(c);
    STAY();
}
static void says(const char *what) { fprintf(stderr, "%s\n", what); }
/* As go_exit: what waits for nobody is a deadlock still. */
static void body_main_ends_its_thread(void *arg)
{
    chan(int) c = chan_make(int);
    defer(says, "deferred by main");
    if (*(int *)arg != 0) {
        go_sleep(GO_MS); /* and goes on wherever it is woken */
    }
    go(receives, c);
    go_yield();
    pthread_exit(NULL);
}
static void body_main_leaves_the_others(void *arg)
{
    (void)arg;
    go(says, "the others go on");
    pthread_exit(NULL);
}

TEST(thread, pthread_exit_in_main_ends_main_alone)
{
    int sleeps[] = {0, 1};
    for (int i = 0; i < 2; i++) {
        EXPECT_DEATH(body_main_ends_its_thread, &sleeps[i], 2,
                     "deferred by main\n"
                     "fatal error: all goroutines are asleep - deadlock!\n"
                     "\n"
                     "goroutine # [chan receive]:\n"
                     "receives(...)\n"
                     "\t*thread_test.c:#\n"
                     "created by body_main_ends_its_thread in goroutine 1\n"
                     "\t*thread_test.c:#\n");
    }
    EXPECT_DEATH(body_main_leaves_the_others, NULL, 2,
                 "the others go on\n"
                 "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n");
}

/* Threads of the program's own end as they always did, with their value and their destructors. */
static pthread_key_t key;
static int destroyed;
static void destructor(void *value)
{
    (void)value;
    __atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
}
static void *thread_exits(void *arg)
{
    pthread_setspecific(key, arg);
    if (*(int *)arg != 0) {
        go_yield(); /* the runtime has met this thread */
    }
    pthread_exit(arg);
}
TEST(thread, pthread_exit_on_a_thread_of_the_program_is_libcs)
{
    int met[] = {0, 1};
    REQUIRE(pthread_key_create(&key, destructor) == 0);
    go_yield();
    for (int i = 0; i < 2; i++) {
        pthread_t t;
        void *value = NULL;
        REQUIRE(pthread_create(&t, NULL, thread_exits, &met[i]) == 0);
        REQUIRE(pthread_join(t, &value) == 0);
        EXPECT(value == &met[i]);
    }
    EXPECT_EQ_INT(destroyed, 2);
}

/* --- fork */

static const char forked[] =
    "fatal error: goroutines used in the child of fork: it may only exec or _exit\n...\n";

static void nothing(void) {}
static void uses_yield(void) { go_yield(); }
static void uses_go(void) { go(nothing); }
static void uses_channel(void)
{
    chan(int) c = chan_make(int, 1);
    chan_send(c, 1);
    (void)chan_recv(c);
    chan_free(c);
}
static void uses_sleep(void) { go_sleep(GO_MS); }
static void body_forks(void *arg)
{
    void (*const use)(void) = *(void (**)(void))arg;
    int status;
    uses_yield();
    pid_t pid = fork();
    if (pid == 0) {
        use();
        _exit(0);
    }
    if (waitpid(pid, &status, 0) == pid && WIFEXITED(status)) {
        uses_channel(); /* the parent is none the worse */
        _exit(WEXITSTATUS(status));
    }
}
TEST(fork, child_that_goes_on_dies_with_a_clear_text)
{
    void (*uses[])(void) = {uses_yield, uses_go, uses_sleep};
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        EXPECT_DEATH(body_forks, &uses[i], 2, forked);
    }
}

static void execs(void)
{
    execlp("true", "true", (char *)NULL);
    _exit(9);
}
static void exits_only(void) { _exit(0); }
TEST(fork, child_may_exec_or_exit)
{
    void (*uses[])(void) = {execs, exits_only};
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        EXPECT_DEATH(body_forks, &uses[i], 0, "");
    }
}

static void body_forks_in_goroutine(void *arg)
{
    go(body_forks, arg);
    go_sleep(20 * GO_SEC);
}
TEST(fork, from_a_goroutine)
{
    void (*uses[])(void) = {uses_yield, execs};
    EXPECT_DEATH(body_forks_in_goroutine, &uses[0], 2, forked);
    EXPECT_DEATH(body_forks_in_goroutine, &uses[1], 0, "");
}

/* Before the runtime has started a fork is nothing special. */
static void body_forks_early(void *arg)
{
    int status;
    (void)arg;
    pid_t pid = fork();
    uses_channel();
    uses_sleep();
    if (pid != 0 && (waitpid(pid, &status, 0) != pid || status != 0)) {
        _exit(1);
    }
}
TEST(fork, before_the_first_goroutine)
{
    EXPECT_DEATH(body_forks_early, NULL, 0, "");
}
