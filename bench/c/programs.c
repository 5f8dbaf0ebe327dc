/* SPDX-License-Identifier: MIT */
/* programs.c: small programs that live on goroutines. */
#include "bench.h"

static void skynet_node(send_chan(long) up, long number, long size)
{
    if (size == 1) {
        chan_send(up, number);
        return;
    }
    chan(long) children = chan_make(long);
    long part = size / 10;
    for (long i = 0; i < 10; i++) {
        go(skynet_node, children, number + i * part, part);
    }
    long sum = 0;
    for (long i = 0; i < 10; i++) {
        sum += chan_recv(children);
    }
    chan_free(children);
    chan_send(up, sum);
}

/* A tree of goroutines, ten children each, n leaves (a power of ten); the ordinals of the leaves
 * are summed upwards through unbuffered channels. Whole program, in ms, and its peak memory. */
BENCH(skynet)
{
    chan(long) up = chan_make(long);
    int64_t start = bench_now();
    go(skynet_node, up, 0L, b->n);
    long sum = chan_recv(up);
    bench_ms(b, start);
    bench_report(b, "peak", (double)bench_memory_peak() / 1e6, "MB");
    if (sum != b->n * (b->n - 1) / 2) {
        bench_fail("skynet: wrong sum %ld", sum);
    }
}

static void sieve_generate(send_chan(long) out)
{
    for (long i = 2;; i++) {
        chan_send(out, i);
    }
}

static void sieve_filter(recv_chan(long) in, send_chan(long) out, long prime)
{
    for (;;) {
        long i = chan_recv(in);
        if (i % prime != 0) {
            chan_send(out, i);
        }
    }
}

/* The first n primes by a chain of filters. Whole program, in ms. */
BENCH(sieve)
{
    chan(long) c = chan_make(long);
    int64_t start = bench_now();
    go(sieve_generate, c);
    long prime = 0;
    for (long i = 0; i < b->n; i++) {
        prime = chan_recv(c);
        chan(long) next = chan_make(long);
        go(sieve_filter, c, next, prime);
        c = next;
    }
    bench_ms(b, start);
    if (b->n == 1000 && prime != 7919) {
        bench_fail("sieve: %ld is not the thousandth prime", prime);
    }
}

static void fib_node(send_chan(long) up, int n)
{
    if (n < 2) {
        chan_send(up, n);
        return;
    }
    chan(long) c = chan_make(long, 2);
    go(fib_node, c, n - 1);
    go(fib_node, c, n - 2);
    long x = chan_recv(c);
    long y = chan_recv(c);
    chan_free(c);
    chan_send(up, x + y);
}

/* Fibonacci number n with a goroutine for every call. Whole program, in ms. */
BENCH(fib)
{
    chan(long) c = chan_make(long, 1);
    int64_t start = bench_now();
    go(fib_node, c, (int)b->n);
    long result = chan_recv(c);
    bench_ms(b, start);
    long x = 0;
    long y = 1;
    for (long i = 0; i < b->n; i++) {
        long z = x + y;
        x = y;
        y = z;
    }
    if (result != x) {
        bench_fail("fib: %ld instead of %ld", result, x);
    }
}

static void insertion_sort(long *v, long count)
{
    for (long i = 1; i < count; i++) {
        long x = v[i];
        long k = i;
        while (k > 0 && v[k - 1] > x) {
            v[k] = v[k - 1];
            k--;
        }
        v[k] = x;
    }
}

static long partition(long *v, long count)
{
    long pivot = v[count / 2];
    long i = -1;
    long k = count;
    for (;;) {
        do {
            i++;
        } while (v[i] < pivot);
        do {
            k--;
        } while (v[k] > pivot);
        if (i >= k) {
            return k + 1;
        }
        long swap = v[i];
        v[i] = v[k];
        v[k] = swap;
    }
}

static void quicksort(long *v, long count, long alone)
{
    if (count <= 16) {
        insertion_sort(v, count);
        return;
    }
    long middle = partition(v, count);
    if (count <= alone) {
        quicksort(v, middle, alone);
        quicksort(v + middle, count - middle, alone);
        return;
    }
    go_waitgroup wg = { 0 };
    wg_go(&wg, quicksort, v, middle, alone);
    quicksort(v + middle, count - middle, alone);
    wg_wait(&wg);
}

/* Sorts n numbers, one half of every partition in a goroutine of its own. Whole program, in ms.
 * Parameter: the size from which a part is sorted without goroutines, 1000. */
BENCH(quicksort)
{
    long *v = bench_alloc((size_t)b->n, sizeof(*v));
    uint64_t seed = 42;
    for (long i = 0; i < b->n; i++) {
        v[i] = (long)(bench_random(&seed) >> 1);
    }
    int64_t start = bench_now();
    quicksort(v, b->n, bench_arg(b, 0, 1000));
    bench_ms(b, start);
    for (long i = 1; i < b->n; i++) {
        if (v[i - 1] > v[i]) {
            bench_fail("quicksort: not sorted at %ld", i);
        }
    }
}

struct block {
    const double *x;
    const double *y;
    double *z;
    int stride;
    int i0, i1, j0, j1, k0, k1;
};

static void multiply_leaf(const struct block *p)
{
    for (int i = p->i0; i < p->i1; i++) {
        for (int j = p->j0; j < p->j1; j++) {
            double sum = p->z[i * p->stride + j];
            for (int k = p->k0; k < p->k1; k++) {
                sum += p->x[i * p->stride + k] * p->y[k * p->stride + j];
            }
            p->z[i * p->stride + j] = sum;
        }
    }
}

static void multiply(const struct block *p)
{
    enum { THRESHOLD = 8 };
    int di = p->i1 - p->i0;
    int dj = p->j1 - p->j0;
    int dk = p->k1 - p->k0;
    struct block one = *p;
    struct block two = *p;
    if (di >= dj && di >= dk && di >= THRESHOLD) {
        one.i1 = two.i0 = p->i0 + di / 2;
    } else if (dj >= dk && dj >= THRESHOLD) {
        one.j1 = two.j0 = p->j0 + dj / 2;
    } else if (dk >= THRESHOLD) {
        one.k1 = two.k0 = p->k0 + dk / 2;
        multiply(&one);
        multiply(&two);
        return;
    } else {
        multiply_leaf(p);
        return;
    }
    go_waitgroup wg = { 0 };
    wg_go(&wg, multiply, &one);
    multiply(&two);
    wg_wait(&wg);
}

/* Product of two n by n matrices, divided down to blocks of less than 8, a goroutine for one half
 * of every division (Go's BenchmarkMatmult). Whole program, in ms. */
BENCH(matmul)
{
    size_t cells = (size_t)(b->n * b->n);
    double *x = bench_alloc(cells, sizeof(*x));
    double *y = bench_alloc(cells, sizeof(*y));
    double *z = bench_alloc(cells, sizeof(*z));
    for (size_t i = 0; i < cells; i++) {
        x[i] = (double)(i % 7);
        y[i] = (double)(i % 5);
        z[i] = 0;
    }
    int n = (int)b->n;
    struct block all = { x, y, z, n, 0, n, 0, n, 0, n };
    int64_t start = bench_now();
    multiply(&all);
    bench_ms(b, start);
    double sum = 0;
    for (int k = 0; k < n; k++) {
        sum += x[(n - 1) * n + k] * y[k * n + n - 1];
    }
    if (sum != z[cells - 1]) {
        bench_fail("matmul: %f instead of %f", z[cells - 1], sum);
    }
}
