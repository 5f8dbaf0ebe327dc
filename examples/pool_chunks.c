/* SPDX-License-Identifier: MIT */
/* pool_chunks.c: a worker pool where each worker takes one chunk of the data.
 *
 * The array is cut into as many pieces as there are workers. Each worker sums its own piece and
 * writes to its own slot, so that nothing is shared and nothing is locked; the WaitGroup is the
 * only meeting point.
 */
#include <gort.h>
#include <gort/short.h>
#include <stddef.h>
#include <stdio.h>

enum { ITEMS = 1000, WORKERS = 4 };

static void sum_chunk(const int *items, size_t n, long *sum)
{
    long total = 0;
    for (size_t i = 0; i < n; i++) {
        total += items[i];
    }
    *sum = total;
}

int main(void)
{
    static int items[ITEMS];
    for (int i = 0; i < ITEMS; i++) {
        items[i] = i + 1;
    }

    long sums[WORKERS];
    go_waitgroup wg = { 0 };
    for (size_t w = 0; w < WORKERS; w++) {
        size_t first = ITEMS * w / WORKERS;
        size_t last = ITEMS * (w + 1) / WORKERS;
        wg_go(&wg, sum_chunk, items + first, last - first, &sums[w]);
    }
    wg_wait(&wg);

    long total = 0;
    for (size_t w = 0; w < WORKERS; w++) {
        printf("worker %zu: %ld\n", w, sums[w]);
        total += sums[w];
    }
    printf("total: %ld\n", total);
    return 0;
}
