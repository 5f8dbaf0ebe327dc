/* SPDX-License-Identifier: MIT */
/* Signals that kill, SIGQUIT, and the signals that are never sent. */
#include "death.h"
#include "parked.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define HERE "\t*signal_test.c:#\n"

static void skip_under_tools(void)
{
    if (test_under("address") || test_under("thread") || test_under("valgrind")) {
        SKIP("the tool has its own handlers");
    }
}

/* --- faults: named, shown, and then the end that the process would have had anyway */

static int *volatile nowhere;
static volatile int zero;
static volatile int one = 1;

SHOWN static void stores(void)
{
    *nowhere = 1;
    STAY();
}
SHOWN static void divides(void)
{
    zero = one / zero;
    STAY();
}
SHOWN static void illegal(void)
{
    __builtin_trap();
}
SHOWN static void aborts(void)
{
    abort();
}
SHOWN static void reads_past_a_file(void)
{
    FILE *f = tmpfile();
    char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(f), 0);
    zero = p[0];
    STAY();
}
SHOWN static void kills_itself(void)
{
    raise(SIGSEGV);
    STAY();
}
SHOWN static void waits(void)
{
    chan(int) c = NULL;
    (void)chan_recv(c);
    STAY();
}

struct fault { void (*fn)(void); int sig; const char *text; };

static void body_main(void *arg)
{
    const struct fault *f = arg;
    go_yield();
    f->fn();
    STAY();
}
SHOWN static void faults_beside(const struct fault *f)
{
    parked_await(2, "[chan receive (nil chan)]");
    f->fn();
    STAY();
}
static void body_goroutine(void *arg)
{
    const struct fault *f = arg;
    go_maxprocs(1);
    go(waits);
    go_with(GO_OPTS(.name = "faulty"), faults_beside, f);
    waits();
    STAY();
}

static const struct fault faults[] = {
    {stores, SIGSEGV,
     "fatal error: unexpected signal\n"
     "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x*]\n"
     "\n"
     "goroutine # [running]*:\n"
     "stores(...)\n" HERE},
    {reads_past_a_file, SIGBUS,
     "fatal error: unexpected signal\n"
     "[signal SIGBUS: bus error code=0x2 addr=0x* pc=0x*]\n"
     "\n"
     "goroutine # [running]*:\n"
     "reads_past_a_file(...)\n" HERE},
#if defined(__x86_64__)
    {divides, SIGFPE,
     "fatal error: unexpected signal\n"
     "[signal SIGFPE: floating-point exception code=0x1 addr=0x* pc=0x*]\n"
     "\n"
     "goroutine # [running]*:\n"
     "divides(...)\n" HERE},
    {illegal, SIGILL,
     "fatal error: unexpected signal\n"
     "[signal SIGILL: illegal instruction code=0x* addr=0x* pc=0x*]\n"
     "\n"
     "goroutine # [running]*:\n"
     "illegal(...)\n" HERE},
#endif
    {aborts, SIGABRT,
     "SIGABRT: abort\n"
     "\n"
     "goroutine # [running]*:\n"
     "...\n"
     "aborts(...)\n" HERE},
    {kills_itself, SIGSEGV,
     "fatal error: unexpected signal\n"
     "[signal SIGSEGV: segmentation violation code=0x* addr=0x* pc=0x*]\n"
     "\n"
     "goroutine # [running]*:\n"
     "...\n"
     "kills_itself(...)\n" HERE},
};

TEST(signal, faults_in_main)
{
    skip_under_tools();
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char text[800];
        struct fault f = faults[i];
        snprintf(text, sizeof text, "%sbody_main(...)\n" HERE "...\n", f.text);
        EXPECT_DEATH(body_main, &f, DIED_BY(f.sig), text);
    }
}

TEST(signal, faults_in_a_goroutine_show_all)
{
    skip_under_tools();
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char text[1200];
        struct fault f = faults[i];
        snprintf(text, sizeof text,
                 "%sfaults_beside(...)\n" HERE "created by body_goroutine in goroutine 1\n" HERE
                 "\n"
                 "goroutine 1 [chan receive (nil chan)]:\n"
                 "waits(...)\n" HERE "body_goroutine(...)\n" HERE "...\n"
                 "\n"
                 "goroutine # [chan receive (nil chan)]:\n"
                 "waits(...)\n" HERE "created by body_goroutine in goroutine 1\n" HERE,
                 f.text);
        EXPECT_DEATH(body_goroutine, &f, DIED_BY(f.sig), text);
    }
}

/* A call through a bad pointer: the caller is shown. */
SHOWN static void calls_nowhere(void)
{
    void (*volatile f)(void) = NULL;
    f();
    STAY();
}
TEST(signal, call_of_a_null_pointer_shows_the_caller)
{
    struct fault f = {calls_nowhere, SIGSEGV, NULL};
    skip_under_tools();
    EXPECT_DEATH(body_main, &f, DIED_BY(SIGSEGV),
                 "fatal error: unexpected signal\n"
                 "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x0]\n"
                 "\n"
                 "goroutine 1 [running]:\n"
                 "calls_nowhere(...)\n" HERE "body_main(...)\n" HERE "...\n");
}

/* Threads that never met the runtime die as if it were not there. */
static void *thread_faults(void *arg)
{
    (void)arg;
    stores();
    return NULL;
}
static void body_thread(void *arg)
{
    pthread_t t;
    (void)arg;
    go_yield();
    pthread_create(&t, NULL, thread_faults, NULL);
    pthread_join(t, NULL);
}
TEST(signal, a_strange_thread_dies_in_silence)
{
    skip_under_tools();
    EXPECT_DEATH(body_thread, NULL, DIED_BY(SIGSEGV), "");
}

/* --- handlers of the program */

static void own_handler(int sig)
{
    (void)!write(2, "mine\n", 5);
    _exit(sig);
}
static void body_own_before(void *arg)
{
    const struct fault *f = arg;
    signal(f->sig, own_handler);
    go_yield();
    f->fn();
}
static void body_own_after(void *arg)
{
    const struct fault *f = arg;
    go_yield();
    signal(f->sig, own_handler);
    f->fn();
}
static void sends_quit(void) { raise(SIGQUIT); }
TEST(signal, the_programs_own_handlers_stay)
{
    static const struct fault quit = {sends_quit, SIGQUIT, NULL};
    skip_under_tools();
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct fault f = faults[i];
        EXPECT_DEATH(body_own_before, &f, f.sig, "mine\n");
        EXPECT_DEATH(body_own_after, &f, f.sig, "mine\n");
    }
    struct fault f = quit;
    EXPECT_DEATH(body_own_before, &f, f.sig, "mine\n");
    EXPECT_DEATH(body_own_after, &f, f.sig, "mine\n");
}

static void ignore(int sig) { (void)sig; }
static void body_ignored(void *arg)
{
    (void)arg;
    signal(SIGQUIT, SIG_IGN);
    signal(SIGFPE, ignore);
    go_yield();
    raise(SIGQUIT);
    raise(SIGFPE);
}
TEST(signal, what_was_ignored_stays_ignored)
{
    EXPECT_DEATH(body_ignored, NULL, 0, "");
}

/* --- SIGQUIT: a child is asked from outside, when it has said that it is ready */

static int ready[2];

static void say_ready(void) { (void)!write(ready[1], "x", 1); }

/* Runs body in a child, sends `times` SIGQUITs, and judges. */
static void quit_child(void (*body)(void *), int times, const char *text, int line)
{
    struct test_run run;
    char c;
    REQUIRE(pipe(ready) == 0);
    pid_t asker = fork();
    if (asker == 0) {
        /* The child's process group is its own pid, which is what comes through the pipe. */
        pid_t pid;
        close(ready[1]);
        if (read(ready[0], &pid, sizeof pid) == (ssize_t)sizeof pid &&
            read(ready[0], &c, 1) == 1) {
            for (int i = 0; i < times; i++) {
                kill(pid, SIGQUIT);
            }
        }
        _exit(0);
    }
    test_run_function(&run, 20, body, NULL);
    (void)death_judge(&run, 2, text, __FILE__, line);
    test_run_free(&run);
    close(ready[0]);
    close(ready[1]);
    waitpid(asker, NULL, 0);
}
static void say_pid(void)
{
    pid_t pid = getpid();
    (void)!write(ready[1], &pid, sizeof pid);
}

/* Says that it is ready when main and the two others are parked. */
static void watches(void)
{
    parked_await(2, "[sleep]");
    parked_await(1, "[chan receive (nil chan)]");
    say_ready();
}
static void body_idle(void *arg)
{
    (void)arg;
    say_pid();
    go(waits);
    go(go_sleep, GO_HOUR);
    go(watches);
    go_sleep(GO_HOUR);
    STAY();
}
static int spinning;
SHOWN static void spins(void)
{
    __atomic_fetch_add(&spinning, 1, __ATOMIC_RELAXED);
    for (volatile unsigned long i = 0;; i++) {
    }
}
SHOWN static void yields(void)
{
    for (;;) {
        go_yield();
    }
}
static void body_busy(void *arg)
{
    (void)arg;
    say_pid();
    go_maxprocs(2);
    go(spins);
    go(spins);
    go(yields);
    go(waits);
    while (__atomic_load_n(&spinning, __ATOMIC_RELAXED) < 2) {
        go_sleep(5 * GO_MS);
    }
    say_ready();
    waits();
    STAY();
}

#define IDLE                                                                                       \
    "SIGQUIT: quit\n"                                                                              \
    "\n"                                                                                           \
    "goroutine 1 [sleep]:\n"                                                                       \
    "body_idle(...)\n" HERE "...\n"                                                                \
    "\n"                                                                                           \
    "goroutine # [chan receive (nil chan)]:\n"                                                     \
    "waits(...)\n" HERE "created by body_idle in goroutine 1\n" HERE "\n"                          \
    "goroutine # [sleep]:\n"                                                                       \
    "go_sleep(...)\n"                                                                              \
    "\t*sleep.c:#\n"                                                                               \
    "created by body_idle in goroutine 1\n" HERE "...\n"

TEST(signal, quit_shows_an_idle_process)
{
    for (int i = 0; i < 3; i++) {
        quit_child(body_idle, 1, IDLE, __LINE__);
    }
}

TEST(signal, quit_shows_a_busy_process)
{
    for (int i = 0; i < 2; i++) {
        quit_child(body_busy, 1,
                   "SIGQUIT: quit\n"
                   "\n"
                   "goroutine 1 [*]:\n"
                   "...\n"
                   "goroutine # [running]:\n"
                   "\tgoroutine running on other thread; stack unavailable\n"
                   "created by body_busy in goroutine 1\n" HERE "...\n"
                   /* The busy ones may have left it no time to begin. */
                   "goroutine # [*]:\n"
                   "waits(...)\n" HERE "created by body_busy in goroutine 1\n" HERE,
                   __LINE__);
    }
}

/* --- nothing is sent to the program's threads */

static bool caught(int sig)
{
    struct sigaction sa;
    return sigaction(sig, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL && sa.sa_handler != SIG_IGN;
}

static bool stop_now;
static void hog(void)
{
    while (!__atomic_load_n(&stop_now, __ATOMIC_RELAXED)) {
    }
}
static void sleeps(int *interrupted)
{
    while (!__atomic_load_n(&stop_now, __ATOMIC_RELAXED)) {
        struct timespec t = {0, 3000000};
        if (nanosleep(&t, NULL) != 0 || (poll(NULL, 0, 3) < 0 && errno == EINTR)) {
            __atomic_fetch_add(interrupted, 1, __ATOMIC_RELAXED);
        }
    }
}
static void *thread_sleeps(void *arg)
{
    sleeps(arg);
    return NULL;
}

TEST(signal, none_is_installed_but_those_that_kill)
{
    go_maxprocs(4);
    go(go_sleep, GO_MS);
    go_sleep(2 * GO_MS);
    for (int sig = 1; sig < 65; sig++) {
        bool ours = sig == SIGQUIT || sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE ||
                    sig == SIGILL || sig == SIGABRT;
        if (!ours && caught(sig) && !test_under("valgrind") && test_scale() == 1) {
            FAIL("there is a handler for signal %d (%s)", sig, strsignal(sig));
        }
    }
}

/* Goroutines and threads that sit in the kernel while Ps are taken away from them, the world is
 * stopped for dumps, and GOMAXPROCS changes: their calls are never interrupted. */
TEST(signal, no_call_of_the_program_is_interrupted)
{
    int interrupted = 0;
    int null = dup(2);
    pthread_t t[2];
    REQUIRE(freopen("/dev/null", "w", stderr) != NULL);
    go_maxprocs(2);
    for (int i = 0; i < 2; i++) {
        go(hog);
        go(sleeps, &interrupted);
        pthread_create(&t[i], NULL, thread_sleeps, &interrupted);
    }
    for (int i = 0; i < 30; i++) {
        go_dump(2);
        go_maxprocs(1 + i % 4);
        go_sleep(10 * GO_MS);
    }
    __atomic_store_n(&stop_now, true, __ATOMIC_RELAXED);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    dup2(null, 2);
    close(null);
    EXPECT_EQ_INT(interrupted, 0);
}
