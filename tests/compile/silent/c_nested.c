/* SPDX-License-Identifier: MIT */
/* A nested function of the user's own, beside go_do. Compiled only. */
#include <gort/short.h>

int adds(chan(int) c, int n);
#ifndef __clang__
void each(void (*f)(int));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtrampolines"
#pragma GCC diagnostic ignored "-Wpedantic"
int adds(chan(int) c, int n)
{
    int sum = n;
    void add(int v) { sum += v; }
    each(add);
    go_do(c, sum) {
        chan_send(c, sum);
    };
    return sum;
}
#pragma GCC diagnostic pop
#endif
