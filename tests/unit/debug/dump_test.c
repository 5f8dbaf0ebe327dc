/* SPDX-License-Identifier: MIT */
/* go_dump: every goroutine of a program that goes on. */
#include "debug/internal.h"
#include "harness.h"
#include "sched/internal.h"
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SHOWN __attribute__((noinline, used))
#define STAY() __asm__ volatile("" ::: "memory")

/* The caller frees it. */
static char *dump(void)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);
    REQUIRE(fd >= 0);
    go_dump(fd);
    off_t n = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)n + 1);
    REQUIRE(text != NULL && pread(fd, text, (size_t)n, 0) == n);
    close(fd);
    return text;
}

static bool dump_contains(const char *part)
{
    char *text = dump();
    bool found = strstr(text, part) != NULL;
    free(text);
    return found;
}

static void yield_until_dump_contains(const char *part)
{
    while (!dump_contains(part)) {
        go_yield();
    }
}

SHOWN static void consumer(chan(int) c)
{
    go_set_label("role", "consumer");
    go_set_label("what", "a \"b\"");
    (void)chan_recv(c);
    STAY();
}

static void note_file(const struct goi_symbol *s, void *arg)
{
    *(bool *)arg = s->file != NULL;
}
/* False in a build without libbacktrace. */
static bool lines_are_known(void)
{
    bool known = false;
    goi_symbolize((uintptr_t)consumer, note_file, &known);
    return known;
}

static void done(void)
{
    while (go_count() > 1) {
        go_yield();
    }
}

TEST(dump, shows_state_place_origin_name_and_labels)
{
    chan(int) c = chan_make(int);
    go_with(GO_OPTS(.name = "the one"), consumer, c);
    yield_until_dump_contains("[chan receive]");
    char *text = dump();
    EXPECT_MATCH(text, "^goroutine 1 \\[running\\]:$");
    EXPECT_MATCH(text, "^goroutine [0-9]+ \\[chan receive\\] \\{role: consumer, "
                       "what: \"a \\\\\"b\\\\\"\"\\} \"the one\":$");
    EXPECT_MATCH(text, "^created by .* in goroutine 1$");
    EXPECT_MATCH(text, "dump_test\\.c:[0-9]+$");
    if (lines_are_known()) {
        EXPECT_MATCH(text, "^consumer\\(\\.\\.\\.\\)$");
        EXPECT(strstr(text, "goi_") == NULL);
    }
    free(text);
    chan_send(c, 1);
    done();
    chan_free(c);
}

TEST(dump, labels_and_names_go_away)
{
    go_set_name("me");
    go_set_label("a", "1");
    go_set_label("b", "");
    EXPECT(dump_contains("goroutine 1 [running] {a: 1, b: \"\"} \"me\":"));
    go_set_label("a", NULL);
    go_set_label("b", "2");
    EXPECT(dump_contains("goroutine 1 [running] {b: 2} \"me\":"));
    go_set_label("b", NULL);
    go_set_name(NULL);
    EXPECT(dump_contains("goroutine 1 [running]:"));
}

/* --- for how long it waits: known from the first dump on */

static struct g *waiter;
static void receives_twice(chan(int) c)
{
    waiter = goi_m()->g;
    (void)chan_recv(c);
    (void)chan_recv(c);
}
static uint32_t minutes(int n) { return (uint32_t)(n * INT64_C(60000000000) >> GOI_COARSE_SHIFT); }

TEST(dump, shows_for_how_many_minutes)
{
    chan(int) c = chan_make(int);
    go(receives_twice, c);
    yield_until_dump_contains("[chan receive]");
    /* It is parked, and nobody else looks there. */
    st_rlx(&waiter->waits_from, ld_rlx(&waiter->waits_from) - minutes(3) - 30);
    EXPECT(dump_contains(" [chan receive, 3 minutes]:"));
    st_rlx(&waiter->waits_from, ld_rlx(&waiter->waits_from) - minutes(100));
    EXPECT(dump_contains(" [chan receive, 103 minutes]:"));
    chan_send(c, 1);
    yield_until_dump_contains("[chan receive]:"); /* from the beginning */
    chan_send(c, 1);
    done();
    chan_free(c);
}

/* After hours in which nothing ran nobody has kept the time: who is first to run reads it. */
static chan(int) sent;
static void *sends_after_hours(void *c)
{
    while (!ld_acq(&goi_sched.sysmon_asleep)) {
        sched_yield();
    }
    st_rlx(&goi_coarse.now, ld_rlx(&goi_coarse.now) - minutes(500));
    chan_send((chan(int))c, 1);
    chan_send(sent, 1);
    return NULL;
}
TEST(dump, shows_no_minutes_of_a_long_sleep)
{
    chan(int) c = chan_make(int);
    pthread_t t;
    go(receives_twice, c);
    yield_until_dump_contains("[chan receive]:");
    sent = chan_make(int);
    REQUIRE(pthread_create(&t, NULL, sends_after_hours, c) == 0);
    (void)chan_recv(sent);
    pthread_join(t, NULL);
    yield_until_dump_contains("[chan receive]:");
    chan_send(c, 1);
    done();
    chan_free(c);
    chan_free(sent);
}

/* go1.27 fixedbugs/issue9321: dumps while others dump, come, go, and switch. */
static bool stop;
static void comes_and_goes(go_waitgroup *wg) { wg_done(wg); }
static void churns(void)
{
    go_waitgroup wg = {0};
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        wg_add(&wg, 20);
        for (int i = 0; i < 20; i++) {
            go(comes_and_goes, &wg);
        }
        wg_wait(&wg);
    }
}
static void ping(chan(int) in, chan(int) out)
{
    chan_for(v, in) { chan_send(out, v + 1); }
    chan_close(out);
}
static void dumps(go_waitgroup *wg)
{
    for (long i = 0; i < test_iterations(20); i++) {
        char *text = dump();
        EXPECT_CONTAINS(text, "goroutine 1 [");
        free(text);
    }
    wg_done(wg);
}
TEST(dump, while_everything_moves)
{
    chan(int) a = chan_make(int);
    chan(int) b = chan_make(int);
    go_waitgroup wg = {0};
    go_maxprocs(4);
    go(churns);
    go(churns);
    go(ping, a, b);
    wg_add(&wg, 2);
    go(dumps, &wg);
    go(dumps, &wg);
    for (int i = 0; i < test_iterations(2000); i++) {
        chan_send(a, i);
        REQUIRE_EQ_INT(chan_recv(b), i + 1);
    }
    wg_wait(&wg);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    chan_close(a);
    EXPECT(!chan_recv_ok(b, NULL));
    done();
    chan_free(a);
    chan_free(b);
}

/* A dump does not take a bad descriptor for a reason to die. */
TEST(dump, to_nowhere)
{
    go_dump(-1);
    go_dump(1000);
}

/* All that the entries stand for which stand for many. */
static long folded(void)
{
    char *text = dump();
    long sum = 0;
    for (const char *s = strstr(text, " goroutines like this"); s != NULL;
         s = strstr(s + 1, " goroutines like this")) {
        const char *at = s;
        while (at > text && at[-1] != '\n') {
            at--;
        }
        sum += strtol(at, NULL, 10);
    }
    free(text);
    return sum;
}

/* Many that look alike are one entry: to the function and line, where these are known. */
TEST(dump, of_many_is_folded)
{
    chan(int) c = chan_make(int);
    long n = test_iterations(2000);
    n = n > 200 ? n : 200;
    for (long i = 0; i < n; i++) {
        go(consumer, c);
    }
    char want[64];
    snprintf(want, sizeof want, "\n%ld goroutines like this\n", n);
    if (lines_are_known()) {
        yield_until_dump_contains(want);
    } else {
        while (folded() < n) { /* ends when all have parked, in whichever copy of the code */
            go_yield();
        }
    }
    chan_close(c);
    done();
    chan_free(c);
}
