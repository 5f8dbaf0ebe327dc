/* SPDX-License-Identifier: MIT */
/* GORTDEBUG, GORTTRACEBACK and GOMAXPROCS, as a user meets them. */
#include "death.h"
#include "parked.h"
#include <gort.h>
#include <gort/short.h>

struct env { const char *name, *value; };

static void set(const struct env *e) { setenv(e->name, e->value, 1); }

#define KNOWN "; known are seed=N, schedtrace=1000*\n"

static void body_nothing(void *arg)
{
    set(arg);
    go_yield();
}
TEST(knob, what_is_not_understood_is_named_and_left_out)
{
    static const struct { const char *value, *text; } cases[] = {
        {"", ""},
        {"seed=1", ""},
        {"seed=1,,", ""},
        {"sede=1", "gort: GORTDEBUG: unknown key \"sede\"" KNOWN},
        {"seed", "gort: GORTDEBUG: bad value in \"seed\"" KNOWN},
        {"seed=", "gort: GORTDEBUG: bad value in \"seed=\"" KNOWN},
        {"seed=one", "gort: GORTDEBUG: bad value in \"seed=one\"" KNOWN},
        {"seed=-1", "gort: GORTDEBUG: bad value in \"seed=-1\"" KNOWN},
        {"seed=99999999999999999999", "gort: GORTDEBUG: bad value in \"seed=9*9\"" KNOWN},
        {"schedtrace=10parsec", "gort: GORTDEBUG: bad value in \"schedtrace=10parsec\"" KNOWN},
        {"x=1,seed=2,y", "gort: GORTDEBUG: unknown key \"x\"" KNOWN
                         "gort: GORTDEBUG: unknown key \"y\"" KNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct env e = {"GORTDEBUG", cases[i].value};
        EXPECT_DEATH(body_nothing, &e, 0, cases[i].text);
    }
}

/* --- the seed: the same choices again */

static void body_choices(void *arg)
{
    chan(int) a = chan_make(int, 64);
    chan(int) b = chan_make(int, 64);
    set(arg);
    go_maxprocs(1);
    for (int i = 0; i < 64; i++) {
        chan_send(a, 0);
        chan_send(b, 1);
    }
    for (int i = 0; i < 64; i++) {
        switch (chan_select(recv(x, a), recv(y, b))) {
        case x:
            putchar('a');
            break;
        case y:
            putchar('b');
            break;
        }
    }
    chan_free(a);
    chan_free(b);
}
static void choices(const char *seed, char *to)
{
    struct env e = {"GORTDEBUG", seed};
    struct test_run run;
    test_run_function(&run, 20, body_choices, &e);
    EXPECT_EQ_INT(run.status, 0);
    EXPECT_EQ_UINT(run.out_size, 64);
    snprintf(to, 65, "%s", run.out);
    test_run_free(&run);
}
TEST(knob, a_seed_repeats_the_choices)
{
    char one[65];
    char again[65];
    char other[65];
    /* Who stands still for long goes on on another thread, which has choices of its own; not ten
     * times. */
    for (int i = 0; i < 10; i++) {
        choices("seed=4711", one);
        choices("seed=4711", again);
        if (strcmp(one, again) == 0) {
            break;
        }
    }
    choices("seed=4712", other);
    EXPECT_EQ_STR(one, again);
    EXPECT(strcmp(one, other) != 0);
}

/* --- schedtrace */

static void body_schedtrace(void *arg)
{
    char text[8192] = "";
    set(arg);
    go_maxprocs(3);
    while (strstr(text, "gomaxprocs=3") == NULL) { /* ends: or the child's time does */
        go_sleep(20 * GO_MS);
        ssize_t n = pread(2, text, sizeof text - 1, 0);
        text[n > 0 ? n : 0] = '\0';
    }
}
TEST(knob, schedtrace_prints_at_its_interval)
{
    struct env e = {"GORTDEBUG", "schedtrace=20ms"};
    EXPECT_DEATH(body_schedtrace, &e, 0,
                 "...\n" /* before there were three */
                 "SCHED #ms: gomaxprocs=3 idleprocs=# threads=# spinningthreads=# needspinning=# "
                 "idlethreads=# runqueue=# [ # # # ] schedticks=[ # # # ]\n"
                 "...\n");
}
static void body_schedtrace_deadlock(void *arg)
{
    chan(int) c = NULL;
    set(arg);
    (void)chan_recv(c);
}
TEST(knob, schedtrace_does_not_hide_a_deadlock)
{
    struct env e = {"GORTDEBUG", "schedtrace=1000s"};
    EXPECT_DEATH(body_schedtrace_deadlock, &e, 2,
                 "fatal error: all goroutines are asleep - deadlock!\n...\n");
}

/* --- how much a crash prints */

SHOWN static void waits(chan(int) c)
{
    (void)chan_recv(c);
    STAY();
}
SHOWN static void panics(void)
{
    parked_await(1, "goroutine 1 [sleep]");
    parked_await(1, "[chan receive]");
    go_panic("at the disco");
}
static void body_panics(void *arg)
{
    chan(int) c = chan_make(int);
    set(arg);
    go_maxprocs(1);
    go(waits, c);
    go(panics);
    go_sleep(20 * GO_SEC);
    STAY();
}

#define PANIC "panic: at the disco\n"
#define FAULTY                                                                                     \
    "\n"                                                                                           \
    "goroutine # [running]:\n"                                                                     \
    "panics(...)\n"                                                                                \
    "\t*knob_test.c:#\n"                                                                           \
    "created by body_panics in goroutine 1\n"                                                      \
    "\t*knob_test.c:#\n"
#define OTHERS                                                                                     \
    "\n"                                                                                           \
    "goroutine 1 [sleep]:\n"                                                                       \
    "body_panics(...)\n"                                                                           \
    "...\n"                                                                                        \
    "\n"                                                                                           \
    "goroutine # [chan receive]:\n"                                                                \
    "waits(...)\n"                                                                                 \
    "\t*knob_test.c:#\n"                                                                           \
    "created by body_panics in goroutine 1\n"                                                      \
    "\t*knob_test.c:#\n"

TEST(knob, traceback_levels)
{
    static const struct { const char *value, *text; } cases[] = {
        {"none", PANIC},           {"0", PANIC},
        {"single", PANIC FAULTY},  {"", PANIC FAULTY},
        {"all", PANIC FAULTY OTHERS}, {"1", PANIC FAULTY OTHERS},
        {"system",
         PANIC "\n"
               "goroutine # [running]:\n"
               "...\n"
               "*panic*(...)\n"
               "\t*panic.c:#\n"
               "...\n"
               "panics(...)\n"
               "...\n"
               "goroutine 0 [*]:\n" /* sysmon */
               "...\n"
               "goroutine 1 [sleep]:\n"
               "...\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct env e = {"GORTTRACEBACK", cases[i].value};
        EXPECT_DEATH(body_panics, &e, 2, cases[i].text);
    }
    struct env go_name = {"GOTRACEBACK", "none"};
    EXPECT_DEATH(body_panics, &go_name, 2, PANIC);
}

TEST(knob, traceback_crash_aborts_for_a_core)
{
    struct env e = {"GORTTRACEBACK", "crash"};
    EXPECT_DEATH(body_panics, &e, DIED_BY(6), PANIC "...\npanics(...)\n...\n");
}

/* Fatal errors and signals show all goroutines: what failed is the program. */
SHOWN static void unlocks(void)
{
    go_mutex mu = {0};
    mutex_unlock(&mu);
    STAY();
}
static int *volatile nowhere;
SHOWN static void stores(void)
{
    *nowhere = 1;
    STAY();
}
static void start_others(const struct env *e)
{
    set(e);
    go_maxprocs(1);
    go(waits, chan_make(int));
    parked_await(1, "[chan receive]");
}
static void body_fatal(void *arg)
{
    start_others(arg);
    unlocks();
    STAY();
}
static void body_signal(void *arg)
{
    start_others(arg);
    stores();
    STAY();
}

#define ALL_OTHERS                                                                                 \
    "\n"                                                                                           \
    "goroutine 1 [running]:\n"                                                                     \
    "...\n"                                                                                        \
    "\n"                                                                                           \
    "goroutine # [chan receive]:\n"                                                                \
    "waits(...)\n"                                                                                 \
    "...\n"

TEST(knob, traceback_levels_of_fatal_errors_and_signals)
{
    static const struct { const char *value; int status; const char *rest; } cases[] = {
        {"none", 2, ""},
        {"single", 2, ALL_OTHERS},
        {"all", 2, ALL_OTHERS},
        {"system", 2, "\ngoroutine 1 [running]:\n...\ngoroutine 0 [*]:\n...\ngoi_*(...)\n...\n"},
        {"crash", DIED_BY(6), "\ngoroutine 1 [running]:\n...\ngoroutine 0 [*]:\n...\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct env e = {"GORTTRACEBACK", cases[i].value};
        char text[400];
        snprintf(text, sizeof text, "fatal error: sync: unlock of unlocked mutex\n%s",
                 cases[i].rest);
        EXPECT_DEATH(body_fatal, &e, cases[i].status, text);
        if (test_under("address") || test_under("thread")) {
            continue; /* the tool has its own handlers */
        }
        snprintf(text, sizeof text, "fatal error: unexpected signal\n[signal SIGSEGV: *]\n%s",
                 cases[i].rest);
        EXPECT_DEATH(body_signal, &e, DIED_BY(11), text);
    }
}

/* --- GOMAXPROCS */

static void body_procs(void *arg)
{
    set(arg);
    printf("%d", go_maxprocs(0));
}
TEST(knob, gomaxprocs)
{
    static const struct { const char *value; int n; } cases[] = {
        {"1", 1}, {"3", 3}, {"100000", 1024}};
    static const char *const bad[] = {"", "0", "-2", "many", "2x"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct env e = {"GOMAXPROCS", cases[i].value};
        struct test_run run;
        test_run_function(&run, 20, body_procs, &e);
        EXPECT_EQ_INT(run.status, 0);
        EXPECT_EQ_INT(atoi(run.out), cases[i].n);
        test_run_free(&run);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct env e = {"GOMAXPROCS", bad[i]};
        struct test_run run;
        test_run_function(&run, 20, body_procs, &e);
        EXPECT_EQ_INT(run.status, 0);
        EXPECT_INT(atoi(run.out), >=, 1);
        EXPECT_EQ_STR(run.err, ""); /* as Go: the default, without a word */
        test_run_free(&run);
    }
}
