/* SPDX-License-Identifier: MIT */
/* tools/gdb/gort-gdb.py, on a live process and on a core file. The program under gdb is this one:
 * with GORT_GDB_VICTIM set the test `gdb.victim` stops itself with goroutines in it. */
#include "debug/internal.h"
#include "harness.h"
#include "stack/stack.h"
#include "unit/sync/parked.h"
#include <gort.h>
#include <gort/short.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN __attribute__((noinline, used))

/* --- the victim */

SHOWN static int digs(chan(int) c, int depth)
{
    volatile int here = depth * 7;
    if (depth > 0) {
        return digs(c, depth - 1) + here;
    }
    return chan_recv(c) + here;
}
SHOWN static void waits(chan(int) c, int depth)
{
    volatile int r = digs(c, depth);
    (void)r;
}
static void stop_here(void) { raise(SIGTRAP); }

TEST(gdb, victim)
{
    chan(int) c = chan_make(int);
    if (getenv("GORT_GDB_VICTIM") == NULL) {
        chan_free(c);
        return;
    }
    go_maxprocs(1);
    /* gdb's gcore leaves out a mapping that it cannot read as a whole, which guards of the other
     * kind prevent. The kernel's core files have no such trouble. */
    goi_stack_force_guard(GOI_STACK_GUARD_PROTECTED);
    for (int i = 0; i < 3; i++) {
        go(waits, c, i);
    }
    go_with(GO_OPTS(.name = "the deep one"), waits, c, 5);
    parked_await(GOI_WAIT_CHAN_RECV, 4);
    stop_here();
    chan_close(c);
}

/* --- the tests */

static void skip_without_gdb(void)
{
    struct test_run run;
    const char *const argv[] = {"gdb", "-nx", "-batch", "-ex", "python print('yes')", NULL};
    if (test_scale() > 2 || test_under("address") || test_under("thread") ||
        test_under("valgrind") || test_under("qemu")) {
        SKIP("a debugger under a tool");
    }
    test_run_program(&run, 20, argv);
    bool works = run.status == 0 && strstr(run.out, "yes") != NULL;
    test_run_free(&run);
    if (!works) {
        SKIP("there is no gdb with python");
    }
}

static char script[512]; /* "source /path/tools/gdb/gort-gdb.py" */
static char self[512];

/* The debug information knows where this file lies; __FILE__ is relative. */
static void find_script(const struct goi_symbol *s, void *arg)
{
    static const char here[] = "tests/unit/debug/gdb_test.c";
    size_t n = s->file != NULL ? strlen(s->file) : 0;
    (void)arg;
    if (n >= sizeof here && strcmp(s->file + n - (sizeof here - 1), here) == 0) {
        snprintf(script, sizeof script, "source %.*stools/gdb/gort-gdb.py",
                 (int)(n - (sizeof here - 1)), s->file);
    }
}
static void find_files(void)
{
    goi_symbolize((uintptr_t)stop_here, find_script, NULL);
    if (script[0] == '\0' || access(script + strlen("source "), R_OK) != 0) {
        SKIP("the sources are not where they were compiled");
    }
    REQUIRE(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
}

static const char all[] =
    "\\*    1 \\[running\\]  .*\n"
    " +[0-9]+ \\[chan receive\\]  digs at gdb_test\\.c:[0-9]+  by [a-z_]+ at gdb_test\\.c:[0-9]+\n";
static const char deep[] =
    " +[0-9]+ \\[chan receive\\]  digs at gdb_test\\.c:[0-9]+  by .*  \"the deep one\"";
static const char trace[] = "^#[0-9]+ .* waits \\(c=.*, depth=";

static void expect_goroutines(const struct test_run *run)
{
    EXPECT_EQ_INT(run->status, 0);
    EXPECT_MATCH(run->out, all);
    EXPECT_MATCH(run->out, deep);
    EXPECT_MATCH(run->out, "^#[0-9]+ .*goi_trampoline");
    EXPECT_MATCH(run->out, "^\\$1 = 35$"); /* depth 5, in the frame that was asked for, */
    EXPECT_MATCH(run->out, "^\\$2 = 35$"); /* which stays selected while others are looked at */
    if (strstr(run->out, "Python") != NULL || strstr(run->err, "Python") != NULL) {
        FAIL("the script failed:\n%s", run->err);
    }
}

/* Goroutine numbers of a fresh process on one processor: the fourth go statement made 5. */
#define LOOK                                                                                       \
    "-ex", "info goroutines", "-ex", "goroutine 5 bt", "-ex", "goroutine 5", "-ex",                \
        "python f = gdb.selected_frame()\n"                                                        \
        "while f.older().name() != 'waits': f = f.older()\n"                                       \
        "f.select()",                                                                              \
        "-ex", "print here", "-ex", "goroutine 2 bt 1", "-ex", "info goroutines", "-ex",           \
        "print here", "-ex", "goroutine off", "-ex", "goroutine all bt 1"

TEST_LONG(gdb, lists_and_shows_goroutines, 120)
{
    struct test_run run;
    char core[64];
    struct stat st;
    skip_without_gdb();
    find_files();
    snprintf(core, sizeof core, "/tmp/gort-core.%d", (int)getpid());
    char save[100];
    snprintf(save, sizeof save, "gcore %s", core);
    setenv("GORT_GDB_VICTIM", "1", 1);
    const char *const live[] = {
        "gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "set width 0", "-ex",
        "handle SIGTRAP nopass", "-ex", "run", "-ex", script, LOOK, "-ex", save, "--args", self,
        "--filter=gdb.victim", "--no-fork", NULL};
    test_run_program(&run, 100, live);
    if (strstr(run.err, "ptrace") != NULL) {
        SKIP("no process may be traced here");
    }
    expect_goroutines(&run);
    EXPECT_MATCH(run.out, trace);
    test_run_free(&run);
    if (stat(core, &st) != 0) {
        FAIL("gdb wrote no core");
        return;
    }
    const char *const dead[] = {"gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex",
                                "set width 0", "-ex", script, LOOK, self, core, NULL};
    test_run_program(&run, 100, dead);
    expect_goroutines(&run);
    unlink(core);
    test_run_free(&run);
}

TEST_LONG(gdb, script_says_when_there_is_nothing_to_show, 60)
{
    struct test_run run;
    skip_without_gdb();
    find_files();
    const char *const argv[] = {"gdb", "-nx", "-batch", "-ex", script, "-ex", "info goroutines",
                                "/bin/true", NULL};
    test_run_program(&run, 60, argv);
    EXPECT_CONTAINS(run.err, "no goroutines here");
    EXPECT(strstr(run.err, "Python") == NULL);
    test_run_free(&run);
}
