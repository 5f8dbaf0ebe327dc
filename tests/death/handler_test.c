/* SPDX-License-Identifier: MIT */
/* Faults in goroutines beside handlers of the program's own, installed before the runtime started
 * or after: they are called as if it were not there, and may repair, jump away, or give up. And
 * what is left when nobody handles a fault: a core file. */
#include "death.h"
#include <dirent.h>
#include <fcntl.h>
#include <gort.h>
#include <gort/short.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { PAGE = 4096, TIMES = 50, ALT = 128 << 10 };

static void skip_under_tools(void)
{
    if (test_under("address") || test_under("thread") || test_under("valgrind")) {
        SKIP("the tool has its own handlers");
    }
}

static void handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
    struct sigaction sa = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&sa.sa_mask);
    if (sigaction(sig, &sa, NULL) != 0) {
        _exit(9);
    }
}

/* How each of these is set up: the handler before the first call of the runtime, or after. */
struct setup { bool after; int flags; };
static const struct setup setups[] = {
    {false, 0}, {false, SA_ONSTACK}, {false, SA_NODEFER}, {true, 0}, {true, SA_ONSTACK}};

static void install(const struct setup *s, int sig, void (*fn)(int, siginfo_t *, void *))
{
    if (s->after) {
        go_yield();
    }
    handle(sig, fn, s->flags);
    go_yield();
}

/* --- repair and return: the instruction runs again, and the goroutine goes on */

static char *volatile page;
static int repaired;

static void repairs(int sig, siginfo_t *info, void *context)
{
    if (sig != SIGSEGV || (char *)info->si_addr != page + 5 || context == NULL ||
        mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0) {
        _exit(9);
    }
    repaired++;
}
static void writes_there(chan(int) c)
{
    for (int i = 0; i < TIMES; i++) {
        if (mprotect(page, PAGE, PROT_NONE) != 0) {
            _exit(9);
        }
        page[5] = (char)i;
        go_yield();
    }
    chan_send(c, page[5]);
}
static void body_repairs(void *arg)
{
    page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    install(arg, SIGSEGV, repairs);
    chan(int) c = chan_make(int);
    go(writes_there, c);
    _exit(chan_recv(c) == TIMES - 1 && repaired == TIMES ? 0 : 8);
}

/* --- jump out of the handler: the goroutine goes on elsewhere, and faults again */

static sigjmp_buf back;
static int *volatile nowhere;

static void jumps(int sig, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    siglongjmp(back, sig);
}
static void tries(chan(int) c)
{
    volatile int caught = 0;
    for (volatile int i = 0; i < TIMES; i++) {
        if (sigsetjmp(back, 1) == SIGSEGV) {
            caught++;
        } else {
            *nowhere = 1;
        }
        go_yield();
    }
    chan_send(c, caught);
}
static void body_jumps(void *arg)
{
    install(arg, SIGSEGV, jumps);
    chan(int) c = chan_make(int);
    go(tries, c);
    _exit(chan_recv(c) == TIMES ? 0 : 8);
}

/* --- on the alternate stack that the program has given its main thread */

static char alt[ALT];

static void looks_where_it_is(int sig, siginfo_t *info, void *context)
{
    char here;
    (void)sig;
    (void)info;
    (void)context;
    _exit(&here >= alt && &here < alt + ALT ? 0 : 8);
}
static void body_alternate(void *arg)
{
    stack_t ss = {.ss_sp = alt, .ss_size = ALT};
    struct setup s = *(const struct setup *)arg;
    if (sigaltstack(&ss, NULL) != 0) {
        _exit(9);
    }
    s.flags |= SA_ONSTACK;
    install(&s, SIGSEGV, looks_where_it_is);
    *nowhere = 1;
}

static void each_setup(void (*body)(void *), const char *name)
{
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        struct setup s = setups[i];
        struct test_run run;
        test_run_function(&run, 20, body, &s);
        if (!death_judge(&run, 0, "", __FILE__, __LINE__)) {
            FAIL("%s, setup %zu", name, i);
        }
        test_run_free(&run);
    }
}

TEST(handler, of_the_program_may_repair_and_return)
{
    skip_under_tools();
    each_setup(body_repairs, "repairs");
}
TEST(handler, of_the_program_may_jump_away)
{
    skip_under_tools();
    each_setup(body_jumps, "jumps");
}
TEST(handler, of_the_program_has_its_own_stack)
{
    skip_under_tools();
    each_setup(body_alternate, "alternate");
}

/* --- once only, if it was asked for once */

static void says_mine(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    (void)context;
    (void)!write(2, "mine\n", 5);
}
static void body_once(void *arg)
{
    struct setup s = *(const struct setup *)arg;
    s.flags = SA_RESETHAND;
    install(&s, SIGSEGV, says_mine);
    *nowhere = 1; /* again when it returns, and then nobody is there */
}
TEST(handler, of_the_program_may_be_for_once)
{
    skip_under_tools();
    for (int after = 0; after < 2; after++) {
        struct setup s = {after != 0, 0};
        EXPECT_DEATH(body_once, &s, DIED_BY(SIGSEGV), "mine\n");
    }
}

/* --- a core file, of the faulting place */

SHOWN static void stores(void)
{
    *nowhere = 1;
    STAY();
}
SHOWN static void aborts(void) { abort(); }
SHOWN static void panics(void) { go_panic("for a core"); }

struct end { void (*fn)(void); int sig; };
static const struct end ends[] = {{stores, SIGSEGV}, {aborts, SIGABRT}, {panics, SIGABRT}};

static void dies_in_goroutine(const struct end *e)
{
    chan(int) nobody = NULL;
    setenv("GORTTRACEBACK", "crash", 1);
    go(e->fn);
    (void)chan_recv(nobody);
}

/* Does the process of fn end by the signal, and with a core? */
static bool dumps_core(const struct end *e, void (*run)(const struct end *), const char *dir)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null < 0 || dup2(null, 2) < 0 || chdir(dir) != 0) {
            _exit(9);
        }
        if (setrlimit(RLIMIT_CORE, &r) != 0 && getrlimit(RLIMIT_CORE, &r) == 0) {
            r.rlim_cur = r.rlim_max;
            (void)setrlimit(RLIMIT_CORE, &r);
        }
        run(e);
        _exit(8);
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == e->sig);
    return WCOREDUMP(status);
}

static void dies_plainly(const struct end *e)
{
    signal(e->sig, SIG_DFL);
    raise(e->sig);
}

static void empty(const char *dir)
{
    DIR *d = opendir(dir);
    REQUIRE(d != NULL);
    for (const struct dirent *f = readdir(d); f != NULL; f = readdir(d)) {
        (void)unlinkat(dirfd(d), f->d_name, 0);
    }
    closedir(d);
}

TEST(handler, without_one_there_is_a_core_file)
{
    char dir[] = "/tmp/gort-core.XXXXXX";
    skip_under_tools();
    REQUIRE(mkdtemp(dir) != NULL);
    bool works = dumps_core(&ends[0], dies_plainly, dir);
    for (size_t i = 0; i < sizeof ends / sizeof *ends && works; i++) {
        EXPECT(dumps_core(&ends[i], dies_in_goroutine, dir));
        empty(dir);
    }
    empty(dir);
    rmdir(dir);
    if (!works) {
        SKIP("this machine writes no core files");
    }
}
