/* SPDX-License-Identifier: MIT */
/* counter_mutex.c: the racy counter repaired with a mutex.
 *
 * The mutex lives beside what it protects; all zero is a valid, unlocked mutex. with_lock holds it
 * for one block, guard until the end of the enclosing one, on every way out. Yielding inside is
 * harmless now: the others queue.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static struct {
    go_mutex mu;
    int n;
} counter;

static void increment(int times)
{
    for (int i = 0; i < times; i++) {
        with_lock(&counter.mu) {
            int seen = counter.n;
            go_yield();
            counter.n = seen + 1;
        }
    }
}

static int value(void)
{
    guard(&counter.mu);
    return counter.n;
}

int main(void)
{
    go_waitgroup wg = { 0 };
    for (int i = 0; i < 100; i++) {
        wg_go(&wg, increment, 10);
    }
    wg_wait(&wg);
    printf("1000 increments; the counter says %d\n", value());
    return 0;
}
