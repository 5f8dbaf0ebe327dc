/* SPDX-License-Identifier: MIT */
/* pipeline.c: stages connected by channels.
 *
 * Each stage is a goroutine that receives from the stage before it and sends to the next. A stage
 * closes what it sends to when its input ends, so the end runs down the pipeline by itself; and it
 * frees its input, being the only one that still knows it.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void generate_loop(int n, send_chan(int) out)
{
    for (int i = 1; i <= n; i++) {
        chan_send(out, i);
    }
    chan_close(out);
}

static recv_chan(int) generate(int n)
{
    chan(int) out = chan_make(int);
    go(generate_loop, n, out);
    return out;
}

static void map_loop(recv_chan(int) in, int (*fn)(int), send_chan(int) out)
{
    chan_for(v, in) {
        chan_send(out, fn(v));
    }
    chan_free(in);
    chan_close(out);
}

static recv_chan(int) map(recv_chan(int) in, int (*fn)(int))
{
    chan(int) out = chan_make(int);
    go(map_loop, in, fn, out);
    return out;
}

static void keep_loop(recv_chan(int) in, bool (*test)(int), send_chan(int) out)
{
    chan_for(v, in) {
        if (test(v)) {
            chan_send(out, v);
        }
    }
    chan_free(in);
    chan_close(out);
}

static recv_chan(int) keep(recv_chan(int) in, bool (*test)(int))
{
    chan(int) out = chan_make(int);
    go(keep_loop, in, test, out);
    return out;
}

static int square(int v)
{
    return v * v;
}

static bool is_odd(int v)
{
    return v % 2 != 0;
}

int main(void)
{
    recv_chan(int) out = keep(map(generate(10), square), is_odd);
    int sum = 0;
    chan_for(v, out) {
        printf("%d\n", v);
        sum += v;
    }
    chan_free(out);
    printf("sum %d\n", sum);
    return 0;
}
