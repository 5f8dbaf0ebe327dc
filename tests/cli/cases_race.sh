# SPDX-License-Identifier: MIT
# What -race finds, and what it must not report: on one thread, where nothing but the announced
# orders tells goroutines apart, and on two. Sourced by run.sh.

# Counters that two goroutines add to, on as many threads as the environment says. A hundred: of two
# adds at the same moment TSan may drop the report, and then it keeps silent about that address.
write_racy_counter() {
    cat >racy.c <<'END'
#include <gort.h>
#include <gort/short.h>
static int counter[100];
static void add(chan(int) done)
{
    for (int i = 0; i < 100; i++) {
        counter[i]++;
        go_yield();
    }
    chan_send(done, 1);
}
int main(void)
{
    chan(int) done = chan_make(int);
    go(add, done);
    go(add, done);
    (void)chan_recv(done);
    (void)chan_recv(done);
    return 0;
}
END
}

test_real_race_between_goroutines_on_one_thread_is_found() {
    need_real
    need_flag -fsanitize=thread
    write_racy_counter
    run env GOMAXPROCS=1 "$gort" run -race racy.c
    want_status 66
    want_err_has "racy.c:7"
    want_err_has "created at racy.c"
}

test_real_race_between_goroutines_on_two_threads_is_found() {
    need_real
    need_flag -fsanitize=thread
    write_racy_counter
    run env GOMAXPROCS=2 "$gort" run -race racy.c
    want_status 66
    want_err_has "racy.c:7"
}

# Long elements, which the library copies by memcpy; frames as deep as those of the goroutine that
# had the stack before; a value handed back and forth.
test_real_race_detector_is_silent_about_values_and_stacks() {
    need_real
    need_flag -fsanitize=thread
    cat >silent.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <string.h>
struct big { char b[300]; };
static void echo(chan(struct big) in, chan(struct big) out)
{
    for (int i = 0; i < 50; i++) {
        struct big v = chan_recv(in);
        v.b[3]++;
        chan_send(out, v);
    }
}
static int deep(int n)
{
    char frame[2000];
    memset(frame, n, sizeof frame);
    return n > 0 ? deep(n - 1) + frame[n] : frame[0];
}
static void dive(chan(int) done)
{
    chan_send(done, deep(5));
}
int main(void)
{
    chan(struct big) in = chan_make(struct big);
    chan(struct big) out = chan_make(struct big, 3);
    chan(int) done = chan_make(int);
    int sum = 0;
    go(echo, in, out);
    go(echo, in, out);
    for (int i = 0; i < 100; i++) {
        struct big v = {.b[3] = 1};
        chan_send(in, v);
        v = chan_recv(out);
        sum += v.b[3];
    }
    for (int i = 0; i < 100; i++) {
        go(dive, done);
    }
    for (int i = 0; i < 100; i++) {
        sum += chan_recv(done);
    }
    printf("%d\n", sum);
    return 0;
}
END
    for procs in 1 2; do
        run env GOMAXPROCS=$procs "$gort" run -race silent.c
        want_err ""
        want_status 0
        want_out "1700"
    done
}
