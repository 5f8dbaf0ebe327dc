/* SPDX-License-Identifier: MIT */
/* goroutines.c: starting goroutines, named and anonymous.
 *
 * go(fn, args...) runs any function with any arguments in a goroutine of its own; the arguments are
 * evaluated here and now. go_do(captures) { ... }; does the same with a block: what the block uses
 * is listed, and copied. Nobody gets a handle: goroutines tell their news through channels.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void square(int n, send_chan(int) out)
{
    chan_send(out, n * n);
}

struct point {
    double x, y;
};

/* Doubles, structures and string literals travel as they do in a plain call. */
static void describe(const char *name, struct point p, double scale, send_chan(double) out)
{
    printf("%s is at (%.1f, %.1f)\n", name, p.x, p.y);
    chan_send(out, (p.x + p.y) * scale);
}

int main(void)
{
    chan(int) numbers = chan_make(int);
    for (int i = 1; i <= 5; i++) {
        go(square, i, numbers);
    }
    int sum = 0;
    for (int i = 1; i <= 5; i++) {
        sum += chan_recv(numbers);
    }
    printf("the squares of 1 to 5 add up to %d\n", sum);

    chan(double) scaled = chan_make(double);
    struct point home = { 3, 4 };
    go(describe, "home", home, 0.5, scaled);
    printf("scaled sum %.2f\n", chan_recv(scaled));

    for (int i = 1; i <= 5; i++) {
        go_do(i, numbers) {
            i *= 10; /* a copy of its own */
            chan_send(numbers, i);
        };
    }
    sum = 0;
    for (int i = 1; i <= 5; i++) {
        sum += chan_recv(numbers);
    }
    printf("five anonymous goroutines sent %d in all\n", sum);

    chan_free(numbers);
    chan_free(scaled);
    return 0;
}
