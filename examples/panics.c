/* SPDX-License-Identifier: MIT */
/* panics.c: turning panics into errors.
 *
 * A panic ends the program, unless a go_try stands above it: then the functions in between are
 * abandoned, what they deferred runs, newest first, and go_try returns false with the message. A
 * panic never crosses into another goroutine, so each one that may fail has a go_try of its own.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void note(const char *what)
{
    printf("  deferred: %s\n", what);
}

static void divide(int a, int b, int *quotient)
{
    defer(note, "divide");
    if (b == 0) {
        go_panic("division by zero: %d / %d", a, b);
    }
    *quotient = a / b;
}

static void average(int sum, int count, int *out)
{
    defer(note, "average");
    divide(sum, count, out);
}

static void send_to(send_chan(int) c, int v)
{
    chan_send(c, v);
}

static void close_it(send_chan(int) c)
{
    chan_close(c);
}

static void report(const char *what, bool ok, const go_panic_info *info)
{
    printf("%s: %s%s\n", what, ok ? "fine" : "error: ", ok ? "" : info->message);
}

/* What a server does with each request: one bad request does not end the others. */
static void serve(int request, send_chan(int) failures)
{
    int result = 0;
    bool ok = go_try(NULL, divide, 100, request % 3, &result);
    chan_send(failures, ok ? 0 : 1);
}

int main(void)
{
    go_panic_info info;
    int out = 0;

    bool ok = go_try(&info, average, 42, 6, &out);
    report("average of 42 over 6", ok, &info);
    printf("  result %d\n", out);
    ok = go_try(&info, average, 42, 0, &out);
    report("average of 42 over 0", ok, &info);

    /* Misuse of channels panics too, with Go's words. */
    chan(int) c = chan_make(int, 1);
    chan_close(c);
    ok = go_try(&info, send_to, c, 1);
    report("send", ok, &info);
    ok = go_try(&info, close_it, c);
    report("close again", ok, &info);
    ok = go_try(&info, close_it, NULL);
    report("close nil", ok, &info);
    chan_free(c);

    chan(int) failures = chan_make(int);
    int failed = 0;
    for (int request = 1; request <= 6; request++) {
        go(serve, request, failures);
        failed += chan_recv(failures);
    }
    printf("6 requests, %d failed, the server lives\n", failed);
    chan_free(failures);
    return 0;
}
