/* SPDX-License-Identifier: MIT */
/* The execution tracer: what a trace says of a program, that it says so while everybody runs, and
 * what happens when it cannot be written. The format is read by trace_read.h alone. */
#include "debug/knobs.h"
#include "trace_read.h"
#include "unit/sync/parked.h"
#include <errno.h>
#include <fcntl.h>
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static const char *file(void)
{
    snprintf(path, sizeof path, "/tmp/gort-trace-test-%d", (int)getpid());
    return path;
}

static struct trace *stopped(void)
{
    EXPECT_EQ_INT(go_trace_stop(), 0);
    struct trace *t = trace_read(path);
    unlink(path);
    return t;
}

static void all_gone(void)
{
    while (go_count() > 1) {
        go_yield();
    }
}

/* What must be true of every trace: events are on tracks that exist, slices of a P or of a
 * goroutine's state do not nest, and an arrow comes from where it began. Returns the ends of slices
 * that nobody began. */
static size_t check(const struct trace *t)
{
    size_t *open = calloc(t->ntracks + 1, sizeof *open);
    uint64_t flows = 0;
    size_t unbegun = 0;
    size_t wrong = 0;
    REQUIRE(open != NULL);
    for (size_t i = 0; i < t->n; i++) {
        const struct event *e = &t->events[i];
        size_t k = track_place(t, e->track);
        wrong += k == t->ntracks; /* a track that nobody described */
        bool regions = (e->track & 3) == 3;
        if (e->type == BEGIN) {
            open[k]++;
            wrong += !regions && open[k] > 1;
        } else if (e->type == END && open[k] > 0) {
            open[k]--;
        } else if (e->type == END) {
            unbegun++;
        }
        flows = e->flow_from > flows ? e->flow_from : flows;
        wrong += e->flow_to > flows;
    }
    free(open);
    EXPECT_EQ_UINT(wrong, 0);
    return unbegun;
}

static void consumer(chan(int) c, chan(int) back)
{
    go_set_name("the consumer");
    for (int x = chan_recv(c); x != 0; x = chan_recv(c)) {
        go_region("work") {
            go_region("inner") {
                go_trace_log("hello");
            }
        }
        chan_send(back, x);
    }
}

static size_t both(const struct trace *t, uint64_t a, uint64_t b, int kind, const char *name)
{
    return trace_count(t, a, kind, name) + trace_count(t, b, kind, name);
}

TEST(trace, shows_who_ran_who_waited_and_who_woke_whom)
{
    chan(int) c = chan_make(int);
    chan(int) back = chan_make(int);
    EXPECT(!go_trace_enabled());
    EXPECT_EQ_INT(go_trace_start(file()), 0);
    EXPECT(go_trace_enabled());
    go(consumer, c, back);
    for (int i = 1; i <= 10; i++) {
        chan_send(c, i);
        EXPECT_EQ_INT(chan_recv(back), i);
    }
    chan_send(c, 0);
    all_gone();
    struct trace *t = stopped();
    EXPECT_EQ_UINT(check(t), 0);
    uint64_t g = track_named(t, "\"the consumer\"");
    uint64_t first = track_named(t, "1 main");
    EXPECT_MATCH(track_name(t, g), "^[0-9]+ .* \"the consumer\" \\(trace_test.c:[0-9]+\\)$");
    EXPECT_EQ_UINT(g & 3, first & 3);
    /* Of two who meet one has waited, whichever, and is woken by the other. */
    EXPECT_UINT(both(t, g, first, BEGIN, "running"), >=, 21);
    EXPECT_UINT(both(t, g, first, BEGIN, "chan receive") + both(t, g, first, BEGIN, "chan send"),
                >=, 21);
    EXPECT_UINT(trace_count(t, g, BEGIN, "running"), >=, 1);
    EXPECT_UINT(trace_count(t, first, BEGIN, "running"), >=, 1);
    EXPECT_EQ_UINT(trace_count(t, first, INSTANT, "go"), 1);
    EXPECT_UINT(both(t, g, first, INSTANT, "wakes"), >=, 21);
    EXPECT_UINT(trace_count(t, 0, INSTANT, "thread"), >=, 1);
    EXPECT(track_named(t, "P 0") != 0);
    uint64_t r = child_track(t, g);
    EXPECT_EQ_STR(track_name(t, r), "regions");
    EXPECT_EQ_UINT(trace_count(t, r, BEGIN, "work"), 10);
    EXPECT_EQ_UINT(trace_count(t, r, BEGIN, "inner"), 10);
    EXPECT_EQ_UINT(trace_count(t, r, INSTANT, "hello"), 10);
    EXPECT_EQ_UINT(trace_count(t, 0, INSTANT,
                               "end of the trace: 0 switches in 0 pauses, and 0 other events, not "
                               "recorded"), 1);
    trace_free(t);
    chan_free(c);
    chan_free(back);
}

static void wait_for(chan(int) c) { (void)chan_recv(c); }

/* Who does nothing during the trace is in it as well. */
TEST(trace, begins_with_everybody_as_they_are)
{
    enum { N = 500 };
    chan(int) c = chan_make(int);
    for (int i = 0; i < N; i++) {
        go(wait_for, c);
    }
    while (parked_now(GOI_WAIT_CHAN_RECV) == 0) { /* of the others some may not have run yet */
        go_yield();
    }
    EXPECT_EQ_INT(go_trace_start(file()), 0);
    struct trace *t = stopped();
    EXPECT_EQ_UINT(check(t), 0);
    size_t waiting = trace_count(t, 0, BEGIN, "chan receive");
    EXPECT_UINT(waiting + trace_count(t, 0, BEGIN, "runnable") +
                       trace_count(t, 0, BEGIN, "running") +
                       trace_count(t, 0, BEGIN, "runs without a P"), >=, N);
    EXPECT_UINT(waiting, >=, 1);
    trace_free(t);
    chan_close(c);
    all_gone();
    chan_free(c);
}

static atomic_bool over;

static void play(chan(int) in, chan(int) out)
{
    for (;;) {
        int x = chan_recv(in);
        chan_send(out, x);
        if (x < 0) {
            return;
        }
    }
}

static void serve(chan(int) out, chan(int) in)
{
    for (int i = 0; !atomic_load(&over); i++) {
        chan_send(out, i);
        (void)chan_recv(in);
    }
    chan_send(out, -1);
    (void)chan_recv(in);
}

static void start_many(void)
{
    go_waitgroup wg = {0};
    while (!atomic_load(&over)) {
        wg_add(&wg, 20);
        for (int i = 0; i < 20; i++) {
            go(wg_done, &wg);
        }
        go_sleep(50 * GO_US);
        wg_wait(&wg); /* or a slow machine would have more and more of them */
    }
}

static void *wake_from_a_thread(void *arg)
{
    chan(int) c = arg;
    while (!atomic_load(&over)) {
        chan_send(c, 1);
        go_region("on a thread") {
            go_yield();
        }
    }
    chan_send(c, -1);
    return NULL;
}

static void drain(chan(int) c)
{
    while (chan_recv(c) >= 0) {
    }
}

/* Start and stop while pairs switch as fast as they can, others are started and end, a thread sends
 * and timers fire: each trace is whole, and has its limits. */
TEST(trace, starts_and_stops_while_everybody_runs)
{
    enum { PAIRS = 3, TRACES = 4 };
    chan(int) c[2 * PAIRS + 1];
    pthread_t thread;
    for (int i = 0; i < 2 * PAIRS + 1; i++) {
        c[i] = chan_make(int);
    }
    for (int i = 0; i < PAIRS; i++) {
        go(serve, c[2 * i], c[2 * i + 1]);
        go(play, c[2 * i], c[2 * i + 1]);
    }
    go(start_many);
    go(drain, c[2 * PAIRS]);
    REQUIRE(pthread_create(&thread, NULL, wake_from_a_thread, c[2 * PAIRS]) == 0);
    for (int i = 0; i < TRACES; i++) {
        EXPECT_EQ_INT(go_trace_start(file()), 0);
        EXPECT_EQ_INT(go_trace_start("/dev/null"), -EBUSY);
        go_sleep(2 * GO_MS);
        struct trace *t = stopped();
        (void)check(t); /* while a P pauses, an end may be recorded whose beginning was not */
        EXPECT_UINT(trace_count(t, 0, BEGIN, "running"), >=, 1);
        trace_free(t);
    }
    atomic_store(&over, true);
    go_blocking {
        pthread_join(thread, NULL);
    }
    all_gone();
    for (int i = 0; i < 2 * PAIRS + 1; i++) {
        chan_free(c[i]);
    }
}

/* More switches than are recorded: the trace says where it has gaps and how many are missing. */
TEST(trace, says_what_it_did_not_record)
{
    EXPECT_EQ_INT(go_trace_start(file()), 0);
    chan(int) c = chan_make(int);
    chan(int) d = chan_make(int);
    go(play, c, d);
    for (int i = 0; i < 20000; i++) {
        chan_send(c, i);
        (void)chan_recv(d);
    }
    chan_send(c, -1);
    (void)chan_recv(d);
    all_gone();
    struct trace *t = stopped();
    (void)check(t);
    size_t gaps = trace_count(t, 0, BEGIN, "not recorded: too many events") +
                  trace_count(t, 0, BEGIN, "not recorded: slow file");
    unsigned long missed = 0;
    unsigned long pauses = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (t->events[i].name != NULL &&
            strncmp(t->events[i].name, "end of the trace", 16) == 0) {
            EXPECT_EQ_INT(sscanf(t->events[i].name, "end of the trace: %lu switches in %lu pauses",
                                 &missed, &pauses), 2);
        }
    }
    EXPECT_EQ_UINT(gaps, pauses);
    if (pauses > 0) { /* a machine may be so slow that nothing is left out */
        EXPECT_UINT(missed, >, 0);
    }
    trace_free(t);
    chan_free(c);
    chan_free(d);
}

TEST(trace, grows_with_gomaxprocs)
{
    int before = go_maxprocs(0);
    EXPECT_EQ_INT(go_trace_start(file()), 0);
    go_maxprocs(before + 3);
    chan(int) c = chan_make(int);
    for (int i = 0; i < 8; i++) {
        go(wait_for, c);
    }
    go_sleep(GO_MS);
    go_maxprocs(before);
    chan_close(c);
    all_gone();
    struct trace *t = stopped();
    EXPECT_EQ_UINT(check(t), 0);
    trace_free(t);
    chan_free(c);
}

static void blocks(void)
{
    go_blocking {
        usleep(2000);
    }
    go_yield();
}

TEST(trace, shows_who_goes_on_without_a_p)
{
    go_maxprocs(1); /* or each may have one to itself, and nobody to give it to */
    EXPECT_EQ_INT(go_trace_start(file()), 0);
    for (int i = 0; i < 3; i++) { /* the others are what the P is given away for */
        go(blocks);
    }
    all_gone();
    struct trace *t = stopped();
    EXPECT_EQ_UINT(check(t), 0);
    EXPECT_UINT(trace_count(t, 0, BEGIN, "runs without a P"), >=, 1);
    trace_free(t);
}

TEST(trace, files_that_cannot_be_written)
{
    EXPECT_EQ_INT(go_trace_stop(), -EINVAL);
    EXPECT_EQ_INT(go_trace_start("/nonexistent/file"), -ENOENT);
    EXPECT_EQ_INT(go_trace_stop(), -EINVAL);
    EXPECT_EQ_INT(go_trace_start("/dev/full"), 0);
    all_gone();
    EXPECT_EQ_INT(go_trace_stop(), -ENOSPC);
    EXPECT_EQ_INT(go_trace_start(file()), 0);
    trace_free(stopped());
}

/* Each region without a trace is a call and a look; ends without a beginning do no harm. */
TEST(trace, regions_without_a_trace)
{
    go_region("never seen") {
        go_region_end();
        go_trace_log("nobody listens");
    }
    EXPECT_EQ_INT(go_trace_start(file()), 0);
    go_region_end();
    go_region_begin(NULL);
    go_region_begin("a name that is much too long for a trace, so that its end is not in the file, "
                    "which has 255 bytes for it and no more, so this here must go on for a while "
                    "until they are over, and what comes then is nowhere to be found, which is "
                    "what shall be seen: the last word here is the end");
    struct trace *t = stopped();
    EXPECT_EQ_UINT(check(t), 1);
    uint64_t r = child_track(t, track_named(t, "1 main"));
    size_t longest = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (t->events[i].track == r && t->events[i].name != NULL) {
            size_t n = strlen(t->events[i].name);
            longest = n > longest ? n : longest;
        }
    }
    EXPECT_EQ_UINT(longest, 255);
    trace_free(t);
}

TEST(trace, knob)
{
    struct goi_knobs k = {0};
    goi_knobs_parse(&k, "seed=1,trace=/tmp/a=b,schedtrace=1", -1);
    EXPECT_EQ_STR(goi_knob_text(k.trace), "/tmp/a=b");
    EXPECT_EQ_UINT(k.seed, 1);
    free((void *)(uintptr_t)k.trace);
    k.trace = 0;
    goi_knobs_parse(&k, "trace=", -1);
    EXPECT(goi_knob_text(k.trace) == NULL);
}
