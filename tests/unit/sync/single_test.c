/* SPDX-License-Identifier: MIT */
/* go_single: who runs, who waits, and what they all get. */
#include "unit/sync/parked.h"
#include <stdio.h>

static go_single single;
static int calls;
static chan(int) go_on;

static int answer(void *arg, void **result)
{
    calls++;
    *result = arg;
    return 42;
}

static int fails(void *arg, void **result)
{
    (void)arg, (void)result;
    return -EIO;
}

TEST(single, result_and_error_of_the_function)
{
    void *v = NULL;
    bool shared = true;
    EXPECT_EQ_INT(single_do(&single, "key", answer, &calls, &v, &shared), 42);
    EXPECT_EQ_PTR(v, &calls);
    EXPECT(!shared);
    EXPECT_EQ_INT(single_do(&single, "key", fails, NULL, &v, NULL), -EIO);
    EXPECT_EQ_PTR(v, NULL);
    EXPECT_EQ_INT(single_do(&single, "key", answer, NULL, NULL, NULL), 42);
    EXPECT_EQ_INT(calls, 2);
    EXPECT_EQ_PTR(single.impl, NULL); /* F5 */
}

static int slow(void *arg, void **result)
{
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED); /* of several keys at once */
    (void)chan_recv(go_on);
    *result = arg;
    return 7;
}

static int got, sharers;
static go_mutex mu;

static void ask(const char *key)
{
    void *v = NULL;
    bool shared = false;
    char copy[8];
    snprintf(copy, sizeof copy, "%s", key);
    EXPECT_EQ_INT(single_do(&single, copy, slow, &calls, &v, &shared), 7);
    EXPECT_EQ_PTR(v, &calls);
    with_lock(&mu) {
        got++;
        sharers += shared;
    }
}

TEST(single, calls_meanwhile_share_the_result)
{
    enum { N = 10 };
    go_on = chan_make(int);
    for (int i = 0; i < N; i++) {
        go(ask, "key");
    }
    parked_await(GOI_WAIT_WAITGROUP, N - 1);
    parked_await(GOI_WAIT_CHAN_RECV, 1);
    chan_send(go_on, 1);
    parked_alone();
    EXPECT_EQ_INT(calls, 1);
    EXPECT_EQ_INT(got, N);
    EXPECT_EQ_INT(sharers, N); /* the runner as well */
    EXPECT_EQ_PTR(single.impl, NULL);
    chan_free(go_on);
}

TEST(single, keys_do_not_wait_for_each_other)
{
    enum { N = 40 };
    static char keys[N][16];
    go_on = chan_make(int);
    for (int i = 0; i < N; i++) {
        snprintf(keys[i], sizeof keys[i], "key %d", i);
        go(ask, keys[i]);
    }
    parked_await(GOI_WAIT_CHAN_RECV, N);
    EXPECT_EQ_INT(calls, N);
    for (int i = 0; i < N; i++) {
        chan_send(go_on, 1);
    }
    parked_alone();
    EXPECT_EQ_INT(sharers, 0);
    EXPECT_EQ_PTR(single.impl, NULL);
    chan_free(go_on);
}

TEST(single, forget_lets_the_next_call_run)
{
    go_on = chan_make(int);
    single_forget(&single, "key");
    go(ask, "key");
    parked_await(GOI_WAIT_CHAN_RECV, 1);
    single_forget(&single, "key");
    go(ask, "key");
    parked_await(GOI_WAIT_CHAN_RECV, 2);
    go(ask, "key"); /* joins the second */
    parked_await(GOI_WAIT_WAITGROUP, 1);
    EXPECT_EQ_INT(calls, 2);
    chan_send(go_on, 1);
    chan_send(go_on, 1);
    parked_alone();
    EXPECT_EQ_INT(got, 3);
    EXPECT_EQ_INT(sharers, 2);
    EXPECT_EQ_PTR(single.impl, NULL);
    chan_free(go_on);
}

TEST(single, who_is_late_leaves_the_call_alone)
{
    void *v = &v;
    bool shared = true;
    go_on = chan_make(int);
    go(ask, "key");
    parked_await(GOI_WAIT_CHAN_RECV, 1);
    EXPECT_EQ_INT(go_single_do_until(&single, "key", slow, NULL, &v, &shared, go_now() + GO_MS),
                  -ETIMEDOUT);
    EXPECT_EQ_PTR(v, NULL);
    EXPECT(!shared);
    chan_send(go_on, 1);
    parked_alone();
    EXPECT_EQ_INT(calls, 1);
    chan_free(go_on);
}

/* ---- functions that do not return */

static int panics(void *arg, void **result)
{
    (void)slow(arg, result);
    go_panic("no %s today", "luck");
}

static int exits(void *arg, void **result)
{
    (void)slow(arg, result);
    go_exit();
}

static void ask_panics(void) { (void)single_do(&single, "key", panics, NULL, NULL, NULL); }

static void try_panics(void)
{
    go_panic_info info = {""};
    EXPECT(!go_try(&info, ask_panics));
    EXPECT_EQ_STR(info.message, "no luck today");
    with_lock(&mu) {
        got++;
    }
}

TEST(single, panics_reach_everybody)
{
    enum { N = 5 };
    go_on = chan_make(int);
    for (int i = 0; i < N; i++) {
        go(try_panics);
    }
    parked_await(GOI_WAIT_WAITGROUP, N - 1);
    parked_await(GOI_WAIT_CHAN_RECV, 1);
    chan_send(go_on, 1);
    parked_alone();
    EXPECT_EQ_INT(got, N);
    EXPECT_EQ_INT(calls, 1);
    EXPECT_EQ_PTR(single.impl, NULL);
    chan_free(go_on);
}

static void note_end(void)
{
    with_lock(&mu) {
        got++;
    }
}

static void ask_exits(void)
{
    defer(note_end);
    (void)single_do(&single, "key", exits, NULL, NULL, NULL);
    FAIL("go_exit did not reach the caller");
}

TEST(single, exits_reach_everybody)
{
    enum { N = 5 };
    go_on = chan_make(int);
    for (int i = 0; i < N; i++) {
        go(ask_exits);
    }
    parked_await(GOI_WAIT_WAITGROUP, N - 1);
    parked_await(GOI_WAIT_CHAN_RECV, 1);
    chan_send(go_on, 1);
    parked_alone();
    EXPECT_EQ_INT(got, N);
    EXPECT_EQ_PTR(single.impl, NULL);
    chan_free(go_on);
}

/* Many, on few keys, some forgotten: every answer belongs to its key. */
static int echo(void *arg, void **result)
{
    go_yield();
    *result = arg;
    return 0;
}

static void hammer(int seed, long times, go_waitgroup *wg)
{
    static int keys[4];
    for (long i = 0; i < times; i++) {
        int k = (int)((seed + i) % 4);
        char name[8];
        void *v = NULL;
        snprintf(name, sizeof name, "%d", k);
        EXPECT_EQ_INT(single_do(&single, name, echo, &keys[k], &v, NULL), 0);
        EXPECT_EQ_PTR(v, &keys[k]);
        if (i % 7 == 0) {
            single_forget(&single, name);
        }
    }
    wg_done(wg);
}

TEST(single, answers_belong_to_their_key)
{
    go_waitgroup wg = {0};
    wg_add(&wg, 8);
    for (int i = 0; i < 8; i++) {
        go(hammer, i, test_iterations(500), &wg);
    }
    wg_wait(&wg);
    EXPECT_EQ_PTR(single.impl, NULL);
}
