/* SPDX-License-Identifier: MIT */
/* Panics that nobody catches: Go's words, the goroutine at fault, exit status 2. */
#include "death.h"
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>

#define IN_MAIN(line)                                                                              \
    line "\n"                                                                                      \
         "\n"                                                                                      \
         "goroutine 1 [running]:\n"                                                                \
         "body_*(...)\n"                                                                           \
         "\t*panic_test.c:#\n"                                                                     \
         "...\n"                                                                                   \
         "main(...)\n"                                                                             \
         "\t*main.c:#\n"

/* --- misuse that panics: the words of each, and whose fault it was */

static void body_close_nil(void *arg)
{
    chan(int) c = NULL;
    (void)arg;
    chan_close(c);
    STAY();
}
static void body_close_closed(void *arg)
{
    chan(int) c = chan_make(int);
    (void)arg;
    chan_close(c);
    chan_close(c);
    STAY();
}
static void body_send_closed(void *arg)
{
    chan(int) c = chan_make(int, *(int *)arg);
    chan_close(c);
    chan_send(c, 1);
    STAY();
}
static void body_try_send_closed(void *arg)
{
    chan(int) c = chan_make(int, *(int *)arg);
    chan_close(c);
    (void)chan_try_send(c, 1);
    STAY();
}
static void body_select_send_closed(void *arg)
{
    chan(int) c = chan_make(int, *(int *)arg);
    chan(int) never = NULL;
    chan_close(c);
    switch (chan_select(send(out, c, 1), recv(in, never))) {
    case out:
    case in:
        break;
    }
    STAY();
}
/* Its body is a function with a name for the compiler's messages, and that is not shown. */
static void body_anonymous(void *arg)
{
    chan(int) never = NULL;
    (void)arg;
    go_do(never) {
        chan_close(never);
        STAY();
    };
    (void)chan_recv(never);
    STAY();
}
TEST(panic, in_an_anonymous_goroutine)
{
#if defined(__clang__)
    const char *name = "*_block_invoke(...)\n";
#else
    const char *name = "go_do(...)\n";
#endif
    char text[200];
    snprintf(text, sizeof text,
             "panic: close of nil channel\n\ngoroutine # [running]:\n%s\t*panic_test.c:#\n"
             "created by body_anonymous in goroutine 1\n\t*panic_test.c:#\n...\n",
             name);
    EXPECT_DEATH(body_anonymous, NULL, 2, text);
}

TEST(panic, channels)
{
    int caps[] = {0, 1};
    EXPECT_DEATH(body_close_nil, NULL, 2, IN_MAIN("panic: close of nil channel"));
    EXPECT_DEATH(body_close_closed, NULL, 2, IN_MAIN("panic: close of closed channel"));
    for (int i = 0; i < 2; i++) {
        const char *text = IN_MAIN("panic: send on closed channel");
        EXPECT_DEATH(body_send_closed, &caps[i], 2, text);
        EXPECT_DEATH(body_try_send_closed, &caps[i], 2, text);
        EXPECT_DEATH(body_select_send_closed, &caps[i], 2, text);
    }
}

SHOWN static void blocked_sender(chan(int) c)
{
    chan_send(c, 1);
    STAY();
}
SHOWN static void blocked_selecter(chan(int) c)
{
    switch (chan_select(send(out, c, 1))) {
    case out:
        break;
    }
    STAY();
}
static void body_close_under_sender(void *arg)
{
    chan(int) c = chan_make(int);
    if (*(int *)arg != 0) {
        go(blocked_selecter, c);
    } else {
        go(blocked_sender, c);
    }
    for (int i = 0; i < 100; i++) {
        go_yield(); /* it blocks meanwhile, or else finds the channel closed */
    }
    chan_close(c);
    go_sleep(20 * GO_SEC);
}
TEST(panic, close_wakes_a_sender_to_panic)
{
    for (int i = 0; i < 2; i++) {
        EXPECT_DEATH(body_close_under_sender, &i, 2,
                     "panic: send on closed channel\n"
                     "\n"
                     "goroutine # [running]:\n"
                     "blocked_se*er(...)\n"
                     "\t*panic_test.c:#\n"
                     "created by body_close_under_sender in goroutine 1\n"
                     "\t*panic_test.c:#\n");
    }
}

static void body_negative(void *arg)
{
    go_waitgroup wg = {0};
    (void)arg;
    wg_add(&wg, 2);
    wg_add(&wg, -3);
    STAY();
}
static void body_done(void *arg)
{
    go_waitgroup wg = {0};
    (void)arg;
    wg_done(&wg);
    STAY();
}
static void body_cond_copied(void *arg)
{
    go_cond c = {0};
    (void)arg;
    cond_signal(&c);
    go_cond d = c; // gort:vet ignore copylocks that it is noticed is the test
    cond_signal(&d);
    STAY();
}
static void body_ticker(void *arg)
{
    (void)arg;
    go_ticker *t = go_ticker_make(0);
    ticker_free(t);
}
static void body_makechan(void *arg)
{
    (void)arg;
    chan(int) c = chan_make(int, (size_t)-1);
    chan_free(c);
}
TEST(panic, sync_time_and_sizes)
{
    EXPECT_DEATH(body_negative, NULL, 2, IN_MAIN("panic: sync: negative WaitGroup counter"));
    EXPECT_DEATH(body_done, NULL, 2, IN_MAIN("panic: sync: negative WaitGroup counter"));
    EXPECT_DEATH(body_cond_copied, NULL, 2, IN_MAIN("panic: sync.Cond is copied"));
    EXPECT_DEATH(body_ticker, NULL, 2, IN_MAIN("panic: non-positive interval for NewTicker"));
    EXPECT_DEATH(body_makechan, NULL, 2, IN_MAIN("panic: makechan: size out of range"));
}

/* --- messages */

static void body_says(void *arg)
{
    go_panic("%s", (const char *)arg);
}
TEST(panic, messages)
{
    EXPECT_DEATH(body_says, "hello", 2, IN_MAIN("panic: hello"));
    EXPECT_DEATH(body_says, "", 2, IN_MAIN("panic: "));
    EXPECT_DEATH(body_says, "100%s sure, \303\274", 2, IN_MAIN("panic: 100%s sure, \303\274"));
    /* Nobody shall take the second line for one of ours. */
    EXPECT_DEATH(body_says, "two\ngoroutine 7 [running]:", 2,
                 IN_MAIN("panic: two\n\tgoroutine 7 [running]:"));
}

static void body_formats(void *arg)
{
    go_panic("%d of %s: %.2f %c %#x", 3, (char *)arg, 1.5, 'x', 255u);
}
TEST(panic, formats_as_printf)
{
    EXPECT_DEATH(body_formats, "seven", 2, IN_MAIN("panic: 3 of seven: 1.50 x 0xff"));
}

static void body_long(void *arg)
{
    char *text = malloc(100001);
    (void)arg;
    memset(text, 'x', 100000);
    text[100000] = '\0';
    go_panic("%s", text);
}
TEST(panic, a_long_message_is_complete)
{
    struct test_run run;
    test_run_function(&run, 20, body_long, NULL);
    EXPECT_EQ_INT(run.status, 2);
    EXPECT_EQ_UINT(strspn(run.err, "panic: x"), 7 + 100000);
    test_run_free(&run);
}

/* --- what still happens */

static void say(const char *text) { fprintf(stderr, "%s\n", text); }

SHOWN static void inner(void)
{
    defer(say, "inner");
    go_panic("the reason");
}
SHOWN static void outer(void)
{
    go_mutex mu = {0};
    guard(&mu);
    defer(say, "outer 1");
    defer(say, "outer 2");
    inner();
    STAY();
}
static void body_defers(void *arg)
{
    (void)arg;
    printf("printed before"); /* no newline: it stands in stdio's buffer */
    outer();
}
TEST(panic, deferred_calls_run_first_and_the_panicking_frames_are_shown)
{
    struct test_run run;
    test_run_function(&run, 20, body_defers, NULL);
    (void)death_judge(&run, 2,
                      "inner\n"
                      "outer 2\n"
                      "outer 1\n"
                      "panic: the reason\n"
                      "\n"
                      "goroutine 1 [running]:\n"
                      "inner(...)\n"
                      "\t*panic_test.c:#\n"
                      "outer(...)\n"
                      "\t*panic_test.c:#\n"
                      "body_defers(...)\n"
                      "\t*panic_test.c:#\n"
                      "...\n",
                      __FILE__, __LINE__);
    EXPECT_EQ_STR(run.out, "printed before");
    test_run_free(&run);
}

/* --- panics in panics */

SHOWN static void panics(const char *text)
{
    go_panic("%s", text);
}
SHOWN static void panics_in_defer(void)
{
    defer(panics, "third");
    defer(panics, "second");
    go_panic("first");
}
static void body_nested(void *arg)
{
    (void)arg;
    panics_in_defer();
    STAY();
}
TEST(panic, a_deferred_call_that_panics_is_printed_below)
{
    EXPECT_DEATH(body_nested, NULL, 2,
                 "panic: first\n"
                 "\tpanic: second\n"
                 "\tpanic: third\n"
                 "\n"
                 "goroutine 1 [running]:\n"
                 "panics(...)\n"
                 "\t*panic_test.c:#\n"
                 "...\n"
                 "panics_in_defer(...)\n"
                 "...\n");
}

static void panics_and_recovers(void)
{
    go_panic_info info;
    if (!go_try(&info, panics, "caught")) {
        fprintf(stderr, "recovered %s\n", info.message);
    }
}
static void body_recovered_inside(void *arg)
{
    (void)arg;
    defer(panics_and_recovers);
    go_panic("first");
}
static void body_again(void *arg)
{
    go_panic_info info;
    (void)arg;
    if (!go_try(&info, panics, "once")) {
        go_panic("%s again", info.message);
    }
}
TEST(panic, what_was_caught_is_over)
{
    EXPECT_DEATH(body_recovered_inside, NULL, 2, IN_MAIN("recovered caught\npanic: first"));
    EXPECT_DEATH(body_again, NULL, 2, IN_MAIN("panic: once again"));
}

static void body_exit(void *arg)
{
    (void)arg;
    defer(panics, "while leaving");
    go_exit();
}
TEST(panic, while_a_goroutine_leaves)
{
    EXPECT_DEATH(body_exit, NULL, 2,
                 "panic: while leaving\n"
                 "\n"
                 "goroutine 1 [running]:\n"
                 "panics(...)\n"
                 "\t*panic_test.c:#\n"
                 "...\n");
}

/* --- in goroutines and threads */

static int panic_line;
static void body_goroutine(void *arg)
{
    (void)arg;
    panic_line = __LINE__ + 1;
    go_with(GO_OPTS(.name = "worker"), panics, "in a goroutine");
    go_sleep(20 * GO_SEC);
}
TEST(panic, names_the_goroutine_and_where_it_was_made)
{
    EXPECT_DEATH(body_goroutine, NULL, 2,
                 "panic: in a goroutine\n"
                 "\n"
                 "goroutine # [running] \"worker\":\n"
                 "panics(...)\n"
                 "\t*panic_test.c:#\n"
                 "created by body_goroutine in goroutine 1\n"
                 "\t*panic_test.c:#\n");
}

SHOWN static void labelled(void)
{
    go_set_label("req", "42");
    go_set_label("user", "a b");
    go_panic("labelled");
}
static void body_labelled(void *arg)
{
    (void)arg;
    go(labelled);
    go_sleep(20 * GO_SEC);
}
TEST(panic, shows_labels)
{
    EXPECT_DEATH(body_labelled, NULL, 2,
                 "panic: labelled\n"
                 "\n"
                 "goroutine # [running] {req: 42, user: \"a b\"}:\n"
                 "labelled(...)\n"
                 "...\n");
}

SHOWN static void *thread_panics(void *arg)
{
    go_panic("on %s thread", (const char *)arg);
    return NULL;
}
static void body_thread(void *arg)
{
    pthread_t t;
    (void)arg;
    pthread_create(&t, NULL, thread_panics, "a foreign");
    pthread_join(t, NULL);
}
SHOWN static void *thread_misuses(void *arg)
{
    chan(int) *c = arg;
    chan_close(*c);
    STAY();
    return NULL;
}
static void body_thread_misuses(void *arg)
{
    chan(int) c = chan_make(int);
    pthread_t t;
    (void)arg;
    chan_close(c);
    pthread_create(&t, NULL, thread_misuses, &c);
    pthread_join(t, NULL);
}
TEST(panic, on_threads_that_others_made)
{
    EXPECT_DEATH(body_thread, NULL, 2,
                 "panic: on a foreign thread\n"
                 "\n"
                 "goroutine # [running, locked to thread]:\n"
                 "thread_panics(...)\n"
                 "\t*panic_test.c:#\n");
    EXPECT_DEATH(body_thread_misuses, NULL, 2,
                 "panic: close of closed channel\n"
                 "\n"
                 "goroutine # [running, locked to thread]:\n"
                 "thread_misuses(...)\n"
                 "\t*panic_test.c:#\n");
}

static void body_crowd(void *arg)
{
    (void)arg;
    for (int i = 0; i < 50; i++) {
        go(panics, "one of many");
    }
    go_sleep(20 * GO_SEC);
}
TEST(panic, of_many_at_once_one_is_reported)
{
    for (int i = 0; i < 5; i++) {
        EXPECT_DEATH(body_crowd, NULL, 2,
                     "panic: one of many\n"
                     "\n"
                     "goroutine # [running]:\n"
                     "panics(...)\n"
                     "\t*panic_test.c:#\n"
                     "created by body_crowd in goroutine 1\n"
                     "\t*panic_test.c:#\n");
    }
}

/* go1.27 TestPanicRace: main returns while another goroutine dies. The panic began first. */
static void tell(chan(int) c)
{
    chan_send(c, 1);
    go_yield();
}
SHOWN static void panics_slowly(chan(int) c)
{
    defer(tell, c);
    go_panic("beside the end of main");
}
static void body_race(void *arg)
{
    chan(int) c = chan_make(int);
    (void)arg;
    go(panics_slowly, c);
    (void)chan_recv(c);
}
TEST(panic, wins_over_the_end_of_main)
{
    for (int i = 0; i < 10; i++) {
        struct test_run run;
        go_time begin = go_now();
        test_run_function(&run, 20, body_race, NULL);
        /* The end of main waits for a tenth of a second, and a thread that writes may stand still
         * for longer: the machine's doing if it took that long, and a fault if it did not. */
        for (int again = 0; again < 2 && run.status == 0; again++) {
            EXPECT(go_since(begin) >= 100 * GO_MS);
            test_run_free(&run);
            begin = go_now();
            test_run_function(&run, 20, body_race, NULL);
        }
        (void)death_judge(&run, 2,
                          "panic: beside the end of main\n"
                          "\n"
                          "goroutine # [running]:\n"
                          "panics_slowly(...)\n"
                          "...\n",
                          __FILE__, __LINE__);
        test_run_free(&run);
    }
}
