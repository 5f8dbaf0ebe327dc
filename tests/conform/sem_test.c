/* SPDX-License-Identifier: MIT */
/* Weighted semaphore and single flight. */
#include "conform.h"

/* ---- x/semaphore/semaphore_test.go ---- */

static void hammer_sem(go_sem *s, int64_t n, int loops)
{
    for (int i = 0; i < loops; i++) {
        EXPECT_EQ_INT(sem_acquire(NULL, s, n), 0);
        go_yield();
        sem_release(s, n);
    }
}

CASE(sem, hammered_with_every_weight, "x/semaphore/semaphore_test.go TestWeighted")
{
    int n = 4;
    go_sem s = {.size = n};
    go_waitgroup wg = {0};
    for (int i = 0; i < n; i++) {
        wg_go(&wg, hammer_sem, &s, (int64_t)i, (int)test_iterations(1000));
    }
    wg_wait(&wg);
    EXPECT(sem_try_acquire(&s, n));
    sem_release(&s, n);
}

static void release_it(go_sem *s, int64_t n) { sem_release(s, n); }

CASE(sem, release_of_too_much_panics, "x/semaphore/semaphore_test.go TestWeightedPanic")
{
    go_sem s = {.size = 1};
    EXPECT_EQ_STR(PANIC_OF(release_it, &s, 1), "semaphore: released more than held");
}

CASE(sem, try_acquire, "x/semaphore/semaphore_test.go TestWeightedTryAcquire")
{
    go_sem s = {.size = 2};
    EXPECT(sem_try_acquire(&s, 1));
    EXPECT(sem_try_acquire(&s, 1));
    EXPECT(!sem_try_acquire(&s, 1));
    sem_release(&s, 2);
    EXPECT(sem_try_acquire(&s, 1));
    sem_release(&s, 1);
}

static int acquire_within(go_sem *s, int64_t n, go_duration d)
{
    go_ctx *ctx = ctx_with_timeout(ctx_background(), d);
    int r = sem_acquire(ctx, s, n);
    ctx_free(ctx);
    return r;
}

CASE(sem, acquire_until_a_timeout, "x/semaphore/semaphore_test.go TestWeightedAcquire")
{
    go_sem s = {.size = 2};
    EXPECT_EQ_INT(sem_acquire(ctx_background(), &s, 1), 0);
    EXPECT_EQ_INT(sem_acquire(ctx_background(), &s, 1), 0);
    EXPECT_EQ_INT(acquire_within(&s, 1, 5 * GO_MS), -ETIMEDOUT);
    sem_release(&s, 2);
    EXPECT_EQ_INT(acquire_within(&s, 1, GO_MIN), 0);
    sem_release(&s, 1);
}

static void acquire_and_tell(go_ctx *ctx, go_sem *s, int64_t n, chan(int) result)
{
    chan_send(result, sem_acquire(ctx, s, n));
}

CASE(sem, too_big_request_does_not_block_others,
     "x/semaphore/semaphore_test.go TestWeightedDoesntBlockIfTooBig")
{
    enum { N = 2 };
    go_sem s = {.size = N};
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(int) result = chan_make(int, 1);
    go(acquire_and_tell, ctx, &s, (int64_t)N + 1, result);
    await_parked(1, "semacquire");
    go_waitgroup wg = {0};
    for (int i = 0; i < N * 3; i++) {
        wg_go(&wg, hammer_sem, &s, (int64_t)1, 10);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(chan_len(result), 0);
    ctx_cancel(ctx);
    EXPECT_EQ_INT(chan_recv(result), -ECANCELED);
    await_count(1);
    ctx_free(ctx);
    chan_free(result);
}

static void hold_again_and_again(go_sem *s, int *running)
{
    EXPECT_EQ_INT(sem_acquire(NULL, s, 1), 0);
    while (get(running)) {
        go_yield();
        sem_release(s, 1);
        EXPECT_EQ_INT(sem_acquire(NULL, s, 1), 0);
    }
    sem_release(s, 1);
}

CASE(sem, large_request_is_not_starved,
     "x/semaphore/semaphore_test.go TestLargeAcquireDoesntStarve")
{
    enum { N = 4 };
    go_sem s = {.size = N};
    go_waitgroup wg = {0};
    int running = 1;
    for (int i = 0; i < N; i++) {
        wg_go(&wg, hold_again_and_again, &s, &running);
    }
    EXPECT_EQ_INT(sem_acquire(NULL, &s, N), 0);
    set(&running, 0);
    sem_release(&s, N);
    wg_wait(&wg);
}

CASE(sem, cancelled_request_lets_the_next_ones_in,
     "x/semaphore/semaphore_test.go TestAllocCancelDoesntStarve")
{
    go_sem s = {.size = 10};
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(int) large = chan_make(int, 1);
    chan(int) small = chan_make(int, 1);
    EXPECT_EQ_INT(sem_acquire(NULL, &s, 1), 0);
    go(acquire_and_tell, ctx, &s, (int64_t)10, large);
    while (sem_try_acquire(&s, 1)) {
        sem_release(&s, 1);
        go_yield();
    }
    go(acquire_and_tell, NULL, &s, (int64_t)1, small);
    for (int i = 0; i < 100; i++) {
        go_yield();
    }
    EXPECT_EQ_INT(chan_len(small), 0);
    ctx_cancel(ctx);
    EXPECT_EQ_INT(chan_recv(large), -ECANCELED);
    EXPECT_EQ_INT(chan_recv(small), 0);
    sem_release(&s, 2);
    await_count(1);
    ctx_free(ctx);
    chan_free(large);
    chan_free(small);
}

CASE(sem, ended_context_wins_over_free_tokens,
     "x/semaphore/semaphore_test.go TestWeightedAcquireCanceled")
{
    go_sem s = {.size = 2};
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    EXPECT_EQ_INT(sem_acquire(ctx, &s, 1), 0);
    ctx_cancel(ctx);
    EXPECT_EQ_INT(sem_acquire(ctx, &s, 1), -ECANCELED);
    EXPECT(sem_try_acquire(&s, 1));
    EXPECT(!sem_try_acquire(&s, 1));
    sem_release(&s, 2);
    ctx_free(ctx);
}

static void acquire_and_note(go_sem *s, int64_t n, int me, chan(int) order)
{
    EXPECT_EQ_INT(sem_acquire(NULL, s, n), 0);
    chan_send(order, me);
    sem_release(s, n);
}

CASE_DIFFERS(sem, requests_are_served_in_order,
             "x/semaphore/semaphore_test.go TestLargeAcquireDoesntStarve",
             "shown as [semacquire] in a dump: Go's waits in a select of its own making, [select]")
{
    enum { N = 5 };
    go_sem s = {.size = 3};
    chan(int) order = chan_make(int, N);
    EXPECT_EQ_INT(sem_acquire(NULL, &s, 3), 0);
    for (int i = 0; i < N; i++) {
        /* Each takes all there is, so that they can only come one after another. */
        go(acquire_and_note, &s, (int64_t)3, i, order);
        await_parked(i + 1, "semacquire");
    }
    EXPECT(!sem_try_acquire(&s, 0));
    sem_release(&s, 3);
    for (int i = 0; i < N; i++) {
        EXPECT_EQ_INT(chan_recv(order), i);
    }
    await_count(1);
    chan_free(order);
}

static void hammer_as_mutex(go_sem *s, int *shared, int loops)
{
    for (int i = 0; i < loops; i++) {
        EXPECT_EQ_INT(sem_acquire(NULL, s, 1), 0);
        ++*shared;
        sem_release(s, 1);
    }
}

CASE(sem, used_as_a_mutex, "sync/mutex_test.go TestSemaphore")
{
    int loops = (int)test_iterations(1000);
    go_sem s = {.size = 1};
    go_waitgroup wg = {0};
    int shared = 0;
    for (int i = 0; i < 10; i++) {
        wg_go(&wg, hammer_as_mutex, &s, &shared, loops);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(shared, 10 * loops);
}

/* ---- x/singleflight/singleflight_test.go ---- */

static char bar[] = "bar";
static int give_bar(void *arg, void **result)
{
    (void)arg;
    *result = bar;
    return 0;
}

CASE(single, gives_the_result, "x/singleflight/singleflight_test.go TestDo")
{
    go_single s = {.impl = NULL};
    void *v = NULL;
    bool shared = true;
    EXPECT_EQ_INT(single_do(&s, "key", give_bar, NULL, &v, &shared), 0);
    EXPECT_EQ_PTR(v, bar);
    EXPECT(!shared);
}

static int give_error(void *arg, void **result)
{
    (void)arg;
    (void)result;
    return -EIO;
}

CASE(single, gives_the_error, "x/singleflight/singleflight_test.go TestDoErr")
{
    go_single s = {.impl = NULL};
    void *v = bar;
    EXPECT_EQ_INT(single_do(&s, "key", give_error, NULL, &v, NULL), -EIO);
    EXPECT_EQ_PTR(v, NULL);
}

struct flight {
    go_single s;
    chan(int) started, finish;
    int calls, shares, results;
};
static int slow_call(void *arg, void **result)
{
    struct flight *f = (struct flight *)arg;
    int call = add(&f->calls, 1);
    chan_send(f->started, call);
    int how = chan_recv(f->finish);
    if (how == 1) {
        go_panic("invalid memory address or nil pointer dereference");
    } else if (how == 2) {
        go_exit();
    }
    *result = bar;
    return call;
}
static void fly(struct flight *f)
{
    void *v = NULL;
    bool shared = false;
    EXPECT_EQ_INT(single_do(&f->s, "key", slow_call, f, &v, &shared), 1);
    EXPECT_EQ_PTR(v, bar);
    add(&f->results, 1);
    add(&f->shares, shared ? 1 : 0);
}
static struct flight make_flight(void)
{
    struct flight f = {.started = chan_make(int, 20), .finish = chan_make(int, 20)};
    return f;
}
static void free_flight(struct flight *f)
{
    await_count(1);
    chan_free(f->started);
    chan_free(f->finish);
}

CASE(single, same_key_meanwhile_shares_one_call,
     "x/singleflight/singleflight_test.go TestDoDupSuppress")
{
    enum { N = 10 };
    struct flight f = make_flight();
    go(fly, &f);
    (void)chan_recv(f.started);
    for (int i = 1; i < N; i++) {
        go(fly, &f);
    }
    await_parked(N - 1, "sync.WaitGroup.Wait");
    EXPECT_EQ_INT(f.calls, 1);
    chan_send(f.finish, 0);
    await_count(1);
    EXPECT_EQ_INT(f.calls, 1);
    EXPECT_EQ_INT(f.results, N);
    EXPECT_EQ_INT(f.shares, N);
    free_flight(&f);
}

CASE(single, other_keys_are_not_shared, "x/singleflight/singleflight_test.go TestDoDupSuppress")
{
    struct flight f = make_flight();
    void *v;
    go(fly, &f);
    (void)chan_recv(f.started);
    EXPECT_EQ_INT(single_do(&f.s, "other", give_bar, NULL, &v, NULL), 0);
    chan_send(f.finish, 0);
    free_flight(&f);
}

CASE(single, later_call_runs_again, "x/singleflight/singleflight_test.go TestDoDupSuppress")
{
    struct flight f = make_flight();
    void *v;
    bool shared = true;
    for (int i = 1; i <= 3; i++) {
        chan_send(f.finish, 0);
        EXPECT_EQ_INT(single_do(&f.s, "key", slow_call, &f, &v, &shared), i);
        EXPECT(!shared);
    }
    free_flight(&f);
}

static void fly_second(struct flight *f, int expected)
{
    void *v = NULL;
    EXPECT_EQ_INT(single_do(&f->s, "key", slow_call, f, &v, NULL), expected);
    add(&f->results, 1);
}

CASE(single, forgotten_key_is_called_again, "x/singleflight/singleflight_test.go TestForget")
{
    struct flight f = make_flight();
    go(fly_second, &f, 1);
    EXPECT_EQ_INT(chan_recv(f.started), 1);
    await_parked(1, "chan receive");
    single_forget(&f.s, "key");
    go(fly_second, &f, 2);
    EXPECT_EQ_INT(chan_recv(f.started), 2);
    chan_send(f.finish, 0); /* for the first, which has waited longer */
    while (get(&f.results) < 1) {
        go_yield();
    }
    /* The first has ended and must not have taken the second's place away: a third one joins
     * that. */
    go(fly_second, &f, 2);
    await_parked(1, "sync.WaitGroup.Wait");
    EXPECT_EQ_INT(get(&f.calls), 2);
    chan_send(f.finish, 0);
    await_count(1);
    EXPECT_EQ_INT(f.calls, 2);
    EXPECT_EQ_INT(f.results, 3);
    free_flight(&f);
}

static void single_do_of(struct flight *f)
{
    (void)single_do(&f->s, "key", slow_call, f, NULL, NULL);
}
static void fly_and_catch(struct flight *f)
{
    go_panic_info info;
    if (!go_try(&info, single_do_of, f)) {
        EXPECT_CONTAINS(info.message, "invalid memory address or nil pointer dereference");
        add(&f->results, 1);
    }
}

CASE(single, panic_reaches_everybody_who_waits, "x/singleflight/singleflight_test.go TestPanicDo")
{
    enum { N = 5 };
    struct flight f = make_flight();
    go(fly_and_catch, &f);
    (void)chan_recv(f.started);
    for (int i = 1; i < N; i++) {
        go(fly_and_catch, &f);
    }
    await_parked(N - 1, "sync.WaitGroup.Wait");
    chan_send(f.finish, 1);
    await_count(1);
    EXPECT_EQ_INT(f.results, N);
    EXPECT_EQ_INT(f.calls, 1);
    free_flight(&f);
}

static void fly_to_the_end(struct flight *f)
{
    go_defer(add, &f->results, 1);
    single_do_of(f);
    FAIL("single_do returned after an exit");
}

CASE(single, exit_ends_everybody_who_waits, "x/singleflight/singleflight_test.go TestGoexitDo")
{
    enum { N = 5 };
    struct flight f = make_flight();
    go(fly_to_the_end, &f);
    (void)chan_recv(f.started);
    for (int i = 1; i < N; i++) {
        go(fly_to_the_end, &f);
    }
    await_parked(N - 1, "sync.WaitGroup.Wait");
    chan_send(f.finish, 2);
    await_count(1);
    EXPECT_EQ_INT(f.results, N);
    free_flight(&f);
}

static void send_result(struct flight *f, chan(void *) out)
{
    void *v = NULL;
    (void)single_do(&f->s, "key", give_bar, NULL, &v, NULL);
    chan_send(out, v);
}

CASE_DIFFERS(single, result_through_a_channel, "x/singleflight/singleflight_test.go TestDoChan",
             "DoChan is a goroutine that calls single_do and sends the result, in one line")
{
    struct flight f = make_flight();
    chan(void *) out = chan_make(void *, 1);
    go(send_result, &f, out);
    EXPECT_EQ_PTR(chan_recv(out), bar);
    free_flight(&f);
    chan_free(out);
}

static int panic_call(void *arg, void **result)
{
    (void)arg;
    (void)result;
    go_panic("Panicking in DoChan");
}
static void panic_alone(go_single *s) { (void)single_do(s, "", panic_call, NULL, NULL, NULL); }

DEATH_CASE(single, uncaught_panic_in_a_call_ends_the_process, 2, "^panic: Panicking in DoChan\n",
           "x/singleflight/singleflight_test.go TestPanicDoChan")
{
    static go_single s;
    go(panic_alone, &s);
    (void)go_select_cases(NULL, 0);
}

static int panic_when_told(void *arg, void **result)
{
    struct flight *f = (struct flight *)arg;
    (void)result;
    chan_send(f->started, 1);
    (void)chan_recv(f->finish);
    go_panic("Panicking in Do");
}
static void share_panic(struct flight *f)
{
    (void)single_do(&f->s, "", panic_when_told, f, NULL, NULL);
}

DEATH_CASE(single, uncaught_panic_of_a_shared_call_ends_the_process, 2,
           "^panic: Panicking in Do\n",
           "x/singleflight/singleflight_test.go TestPanicDoSharedByDoChan")
{
    static struct flight f;
    f = make_flight();
    go(share_panic, &f);
    (void)chan_recv(f.started);
    for (int i = 0; i < 3; i++) {
        go(share_panic, &f);
    }
    await_parked(3, "sync.WaitGroup.Wait");
    chan_send(f.finish, 0);
    (void)go_select_cases(NULL, 0);
}
