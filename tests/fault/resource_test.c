/* SPDX-License-Identifier: MIT */
/* A program that uses all of the core, run again and again, and each time another call for memory,
 * pages, threads or descriptors fails, until none is left that could: it goes on without, or it
 * dies with the words of the manual. It never hangs and never crashes. */
#include "fault/fault.h"
#include "harness.h"
#include <fcntl.h>
#include <gort.h>
#include <gort/poll.h>
#include <gort/short.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static chan(long) results;
static go_waitgroup wg;

static void answer(long n) { chan_send(results, n); }

static void use_goroutines(void)
{
    enum { N = 300 };
    long sum = 0;
    results = chan_make(long, 4);
    if (results == NULL) {
        return;
    }
    for (long i = 0; i < N; i++) {
        go(answer, i);
    }
    for (long i = 0; i < N; i++) {
        sum += chan_recv(results);
    }
    EXPECT_EQ_INT(sum, N * (N - 1) / 2);
    go_with(GO_OPTS(.name = "large", .stack = 8 * GO_MIB), answer, 1);
    EXPECT_EQ_INT(chan_recv(results), 1);
    go_with(GO_OPTS(.stack = 200 * GO_MIB), answer, 2);
    EXPECT_EQ_INT(chan_recv(results), 2);
}

static void use_select(void)
{
    enum { N = 40 };
    struct go_case cases[N + 1];
    chan(int) c[N];
    for (int i = 0; i < N; i++) {
        c[i] = chan_make(int);
        cases[i] = go_case_recv(c[i], NULL, NULL);
    }
    cases[N] = go_case_after(1 * GO_US);
    EXPECT_EQ_INT(go_select_cases(cases, N + 1), N);
    for (int i = 0; i < N; i++) {
        chan_free(c[i]);
    }
}

static void fired(int *n) { __atomic_fetch_add(n, 1, __ATOMIC_RELEASE); }

static void use_time(void)
{
    static int n;
    go_timer *t = go_timer_make(20 * GO_US);
    go_timer *f = go_after_func(20 * GO_US, fired, &n);
    go_ticker *k = go_ticker_make(20 * GO_US);
    go_sleep(30 * GO_US);
    if (t != NULL) {
        chan_recv(go_timer_c(t));
        go_timer_free(t);
    }
    if (k != NULL) {
        chan_recv(go_ticker_c(k));
        go_ticker_free(k);
    }
    chan_recv(go_after(10 * GO_US));
    if (f != NULL) {
        while (__atomic_load_n(&n, __ATOMIC_ACQUIRE) == 0) {
            go_yield();
        }
        go_timer_free(f);
    }
}

static const go_ctx_key(int) number = 0;

static void use_contexts(void)
{
    static int n;
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 20 * GO_US);
    if (ctx == NULL) {
        return;
    }
    go_ctx *with = ctx_with_value(ctx, number, 7);
    go_ctx *child = ctx_with_cancel(with != NULL ? with : ctx);
    bool after = go_ctx_after_func(ctx, fired, &n) != NULL;
    if (child != NULL) {
        recv_chan(char) done = ctx_done(child);
        if (done != NULL) {
            chan_recv(done);
            EXPECT(ctx_err(child) != 0);
        }
        ctx_cancel_cause(child, -1, "too late");
    }
    ctx_cancel(ctx);
    while (after && __atomic_load_n(&n, __ATOMIC_ACQUIRE) == 0) {
        go_yield();
    }
    ctx_free(child);
    ctx_free(with);
    ctx_free(ctx);
}

static void *make(void) { return strdup("object"); }

static int value_of(void *arg, void **result)
{
    (void)arg;
    *result = NULL;
    return 0;
}

static void use_sync(void)
{
    go_map map = {0};
    go_single single = {0};
    go_pool pool = {.make = make, .free = free};
    void *v;
    map_init(&map, GO_MAP_UINT64);
    for (uint64_t i = 0; i < 100; i++) {
        map_store(&map, i, &map);
    }
    EXPECT(map_load(&map, (uint64_t)99, &v) && v == &map);
    map_free(&map);
    pool_put(&pool, pool_get(&pool));
    pool_clear(&pool);
    (void)single_do(&single, "key", value_of, NULL, NULL, NULL);
}

static void panics(long n) { go_panic("%0200ld", n); }
static void notes(long *n) { ++*n; }
static void defers(long *n)
{
    defer(notes, n);
    go_set_name("with a name of its own");
    go_set_label("key", "value");
}

static void use_unwinding(void)
{
    long n = 0;
    go_panic_info why;
    EXPECT(!go_try(&why, panics, 1));
    defers(&n);
    EXPECT_EQ_INT(n, 1);
}

static void blocks(int fd)
{
    char c;
    go_blocking { (void)!read(fd, &c, 1); }
    wg_done(&wg);
}
static void locked(void)
{
    go_lock_thread();
    go_yield();
    go_unlock_thread();
    wg_done(&wg);
}
static void *plain_thread(void *arg)
{
    (void)arg;
    answer(5);
    return NULL;
}

static void use_threads(void)
{
    int fd[2];
    pthread_t t;
    if (pipe2(fd, O_CLOEXEC) != 0) {
        return;
    }
    wg_add(&wg, 3);
    go(blocks, fd[0]);
    go(blocks, fd[0]);
    go(locked);
    go_yield();
    (void)!write(fd[1], "xx", 2);
    wg_wait(&wg);
    if (results != NULL && __real_pthread_create(&t, NULL, plain_thread, NULL) == 0) {
        EXPECT_EQ_INT(chan_recv(results), 5);
        pthread_join(t, NULL);
    }
    close(fd[0]);
    close(fd[1]);
}

static void writes(int fd) { (void)!write(fd, "x", 1); }

static void use_descriptors(void)
{
    int fd[2];
    if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) != 0) {
        return;
    }
    go(writes, fd[1]);
    int r = go_fd_wait(fd[0], GO_READ, GO_FOREVER);
    EXPECT(r == GO_READ || r < 0);
    close(fd[0]);
    close(fd[1]);
}

struct plan {
    enum fault_kind kind;
    long nth;
    bool for_good;
};

static void use_everything(void *arg)
{
    const struct plan *p = arg;
    setenv("GOMAXPROCS", "2", 1);
    /* The report reads the program's symbols, which takes longer than all else: now and then. */
    setenv("GORTTRACEBACK", p->nth % 16 == 1 ? "all" : "none", 1);
    fault_arm(p->kind, p->nth, p->for_good);
    use_goroutines();
    use_select();
    use_time();
    use_contexts();
    use_sync();
    use_unwinding();
    use_threads();
    use_descriptors();
    fault_disarm();
    printf("%s\n", fault_failed() == 0 ? "untouched" : "went on");
}

/* What the manual says about what cannot be gone without. */
static const char *const words = "^(panic|fatal error): .*(out of memory|newosproc)";

/* Fails call after call of that kind until the program meets none. */
static void fail_each(enum fault_kind kind, bool for_good)
{
    long step = test_scale() > 1 ? 7 : 1;
    long died = 0;
    long went_on = 0;
    bool untouched = false;
    for (long n = 1; !untouched; n += step) {
        struct plan p = {kind, n, for_good};
        struct test_run run;
        REQUIRE_INT(n, <, 5000);
        test_run_function(&run, 10, use_everything, &p);
        untouched = strstr(run.out, "untouched") != NULL;
        bool lived = run.status == 0 && (untouched || strstr(run.out, "went on") != NULL);
        if (!lived && !EXPECT_RUN(&run, 2, words)) {
            FAIL("call %ld%s failed; it wrote: %s%s", n, for_good ? " and all after it" : "",
                 run.out, run.err);
            return;
        }
        died += lived ? 0 : 1;
        went_on += lived && !untouched ? 1 : 0;
        test_run_free(&run);
    }
    printf("# died %ld times, went on %ld times\n", died, went_on);
    EXPECT_INT(died + went_on, >=, kind == FAULT_PROTECT ? 0 : 1); /* or nothing was tried */
}

TEST_LONG(fault, memory_is_missing_once, 120) { fail_each(FAULT_MEMORY, false); }
TEST_LONG(fault, memory_is_used_up, 120) { fail_each(FAULT_MEMORY, true); }
TEST_LONG(fault, no_pages_once, 120) { fail_each(FAULT_MAP, false); }
TEST_LONG(fault, no_more_pages, 120) { fail_each(FAULT_MAP, true); }
TEST_LONG(fault, advice_is_refused_once, 120) { fail_each(FAULT_ADVICE, false); }
TEST_LONG(fault, advice_is_refused_from_then_on, 120) { fail_each(FAULT_ADVICE, true); }
TEST_LONG(fault, protection_is_refused_once, 120) { fail_each(FAULT_PROTECT, false); }
TEST_LONG(fault, protection_is_refused_from_then_on, 120) { fail_each(FAULT_PROTECT, true); }
TEST_LONG(fault, no_thread_once, 120) { fail_each(FAULT_THREAD, false); }
TEST_LONG(fault, no_more_threads, 120) { fail_each(FAULT_THREAD, true); }
TEST_LONG(fault, no_descriptor_once, 120) { fail_each(FAULT_FD, false); }
TEST_LONG(fault, no_more_descriptors, 120) { fail_each(FAULT_FD, true); }
