/* SPDX-License-Identifier: MIT */
/* A stack overflow is told from every other fault, and every other fault is left alone. */
#include "arch/arch.h"
#include "harness.h"
#include "os/os.h"
#include "stack/stack.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct goi_stack_cache cache;
static struct goi_regs thread_regs, goroutine_regs;
static struct goi_stack *window;
static char *nowhere; /* an address without memory that is no guard */

static void say(const char *text)
{
    if (write(2, text, strlen(text)) < 0) {
        _exit(99);
    }
}

/* The window found must be the one that overflowed, and the fault near its lowest address. */
static void report(const struct goi_stack *s, void *fault, void *ucontext)
{
    char *a = fault;
    say("overflow");
    say(window != NULL && s->top == window->top && s->lo == window->lo ? " window" : " other");
    say(a >= s->window && a < s->lo ? " guard" : " outside");
    say(ucontext != NULL ? " context\n" : "\n");
    _exit(2);
}

static volatile int sink;
static volatile bool enough;

static int recurse(int n)
{
    volatile char frame[256];
    frame[0] = (char)n;
    sink += frame[0];
    return enough ? 0 : recurse(n + 1) + frame[0];
}

static void start(void *param, void *arg)
{
    (void)arg;
    sink = recurse(*(int *)param);
    say("never overflowed\n");
    _exit(3);
}

static void overflow(size_t want)
{
    static int zero;
    window = goi_stack_get(&cache, want);
    REQUIRE(window != NULL);
    goi_regs_init(&goroutine_regs, window->top, start, &zero);
    goi_switch(&thread_regs, &goroutine_regs, NULL);
}

static void prepare(void)
{
    goi_stack_init();
    nowhere = mmap(NULL, gop_page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(nowhere != MAP_FAILED);
    REQUIRE_EQ_INT(goi_overflow_init(report), 0);
    REQUIRE_EQ_INT(goi_overflow_thread_init(NULL), 0);
}

/* A sanitizer has its own handler, and prints its own report at the end. */
static void need_default_action(void)
{
    struct sigaction old;
    sigaction(SIGSEGV, NULL, &old);
    if (old.sa_handler != SIG_DFL) {
        SKIP("another handler was there first");
    }
}

DEATH_TEXT(overflow, narrow_window_is_named, 2, "overflow window guard context\n")
{
    prepare();
    overflow(64 << 10);
}

DEATH_TEXT(overflow, wide_window_is_named, 2, "overflow window guard context\n")
{
    if (test_under("thread")) {
        SKIP("ThreadSanitizer's own stack of calls ends at 65536");
    }
    prepare();
    overflow(0);
}

DEATH_TEXT(overflow, reused_window_is_named, 2, "overflow window guard context\n")
{
    prepare();
    for (int i = 0; i < 100; i++) {
        goi_stack_put(&cache, goi_stack_get(&cache, 0));
    }
    struct goi_stack *s[50];
    for (int i = 0; i < 50; i++) {
        s[i] = goi_stack_get(&cache, 64 << 10);
    }
    for (int i = 0; i < 50; i++) {
        goi_stack_put(&cache, s[i]);
    }
    goi_stack_cache_flush(&cache);
    /* Cold windows keep their guards. */
    struct goi_stack *keep = goi_stack_get(&cache, 64 << 10);
    REQUIRE(keep != NULL);
    goi_stack_cache_flush(&cache);
    for (int64_t now = 1, i = 0; i < 5; i++) {
        now += 1000000000;
        goi_stack_trim_cached(now, gop_now);
    }
    overflow(64 << 10);
}

DEATH_TEXT(overflow, mprotect_guard_is_named, 2, "overflow window guard context\n")
{
    prepare();
    goi_stack_force_guard(GOI_STACK_GUARD_PROTECTED);
    overflow(64 << 10);
}

static void *overflow_thread(void *mem)
{
    if (goi_overflow_thread_init(mem) == 0) {
        overflow(128 << 10);
    }
    return NULL;
}

DEATH_TEXT(overflow, works_on_any_thread_with_memory_of_the_caller, 2, "overflow window guard")
{
    pthread_t t;
    if (test_under("valgrind")) {
        SKIP("valgrind takes the thread's stack and the window above it for one");
    }
    prepare();
    void *mem = malloc(goi_overflow_stack_size());
    REQUIRE(mem != NULL);
    REQUIRE_EQ_INT(pthread_create(&t, NULL, overflow_thread, mem), 0);
    pthread_join(t, NULL);
}

TEST(overflow, system_call_with_a_guard_address_fails_without_a_report)
{
    int p[2];
    prepare();
    struct goi_stack *s = goi_stack_get(&cache, 64 << 10);
    REQUIRE_EQ_INT(pipe(p), 0);
    EXPECT_EQ_INT(write(p[1], s->lo - 1, 1), -1);
    EXPECT_EQ_INT(errno, EFAULT);
    close(p[0]);
    close(p[1]);
}

DEATH_TEST(overflow, other_fault_has_its_default_end, DIED_BY(SIGSEGV), NULL)
{
    need_default_action();
    prepare();
    *(volatile char *)nowhere = 1;
}

DEATH_TEST(overflow, sent_signal_has_its_default_end, DIED_BY(SIGSEGV), NULL)
{
    need_default_action();
    prepare();
    raise(SIGSEGV);
    _exit(0);
}

DEATH_TEST(overflow, sent_bus_error_has_its_default_end, DIED_BY(SIGBUS), NULL)
{
    need_default_action();
    prepare();
    kill(getpid(), SIGBUS);
    _exit(0);
}

/* As without us: the kernel does not let a fault be ignored. */
DEATH_TEST(overflow, ignored_fault_ends_all_the_same, DIED_BY(SIGSEGV), NULL)
{
    signal(SIGSEGV, SIG_IGN);
    prepare();
    *(volatile char *)nowhere = 1;
}

TEST(overflow, ignored_sent_signal_stays_ignored)
{
    signal(SIGSEGV, SIG_IGN);
    prepare();
    EXPECT_EQ_INT(raise(SIGSEGV), 0);
}

static sigjmp_buf back;
static void *seen_address;
static int seen_blocked;

static void user_handler(int sig, siginfo_t *info, void *ucontext)
{
    sigset_t mask;
    (void)ucontext;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    seen_blocked = sigismember(&mask, SIGUSR1) + 2 * sigismember(&mask, sig);
    seen_address = info->si_addr;
    siglongjmp(back, sig);
}

static void install_user_handler(int flags)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = user_handler;
    sa.sa_flags = SA_SIGINFO | flags;
    sigaddset(&sa.sa_mask, SIGUSR1);
    REQUIRE_EQ_INT(sigaction(SIGSEGV, &sa, NULL), 0);
}

static void fault_and_return(void)
{
    if (test_under("valgrind")) {
        SKIP("valgrind counts the fault as an error");
    }
    if (sigsetjmp(back, 1) == 0) {
        *(volatile char *)nowhere = 1;
        FAIL("no fault");
    }
    EXPECT_EQ_PTR(seen_address, nowhere);
}

TEST(overflow, handler_installed_before_is_called_with_its_mask)
{
    install_user_handler(0);
    prepare();
    for (int i = 0; i < 3; i++) {
        fault_and_return();
        EXPECT_EQ_INT(seen_blocked, 3);
    }
}

TEST(overflow, handler_installed_before_with_nodefer_keeps_it)
{
    install_user_handler(SA_NODEFER);
    prepare();
    fault_and_return();
    EXPECT_EQ_INT(seen_blocked, 1);
}

TEST(overflow, handler_installed_later_works)
{
    prepare();
    install_user_handler(SA_ONSTACK);
    fault_and_return();
    EXPECT_EQ_INT(seen_blocked, 3);
}

static void plain_handler(int sig)
{
    siglongjmp(back, sig);
}

TEST(overflow, plain_handler_installed_before_is_called)
{
    signal(SIGSEGV, plain_handler);
    prepare();
    seen_address = nowhere;
    fault_and_return();
}

TEST(overflow, alternate_stack_of_the_thread_is_kept)
{
    static char mine[64 << 10];
    stack_t ss = {.ss_sp = mine, .ss_size = sizeof mine}, now;
    prepare();
    REQUIRE_EQ_INT(sigaltstack(&ss, NULL), 0);
    EXPECT_EQ_INT(goi_overflow_thread_init(NULL), 0);
    REQUIRE_EQ_INT(sigaltstack(NULL, &now), 0);
    EXPECT_EQ_PTR(now.ss_sp, mine);
}

static void *short_thread(void *arg)
{
    unsigned char resident[1];
    stack_t now;
    (void)arg;
    EXPECT_EQ_INT(goi_overflow_thread_init(NULL), 0);
    EXPECT_EQ_INT(sigaltstack(NULL, &now), 0);
    char *sp = now.ss_sp;
    bool ours = now.ss_size == goi_overflow_stack_size();
    goi_overflow_thread_fini();
    goi_overflow_thread_fini();
    /* A sanitizer may have given the thread one already, which is then kept. */
    if (ours && !test_under("address") && !test_under("thread")) {
        EXPECT_EQ_INT(sigaltstack(NULL, &now), 0);
        EXPECT_EQ_INT(now.ss_flags, SS_DISABLE);
        EXPECT_EQ_INT(mincore(sp - gop_page_size(), gop_page_size(), resident), -1);
        EXPECT_EQ_INT(errno, ENOMEM);
    }
    return NULL;
}

TEST(overflow, thread_that_ends_leaves_no_stack_behind)
{
    prepare();
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        REQUIRE_EQ_INT(pthread_create(&t, NULL, short_thread, NULL), 0);
        pthread_join(t, NULL);
    }
}
