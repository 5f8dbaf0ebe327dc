/* SPDX-License-Identifier: MIT */
/* philosophers.c: five philosophers, five forks, no deadlock.
 *
 * Each needs both forks beside him, and each fork is a mutex. If all took their left fork first,
 * all could wait for the right one for ever. Here everyone takes the fork with the lower number
 * first: an order among the locks, kept by all, makes a circle of waiting impossible.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

enum { SEATS = 5, MEALS = 100 };

static go_mutex forks[SEATS];

struct philosopher {
    const char *name;
    int seat, meals;
};

static void dine(struct philosopher *p)
{
    int left = p->seat, right = (p->seat + 1) % SEATS;
    go_mutex *first = &forks[left < right ? left : right];
    go_mutex *second = &forks[left < right ? right : left];
    while (p->meals < MEALS) {
        with_lock(first) {
            go_yield(); /* invites trouble: the others run while we hold one fork */
            with_lock(second) {
                p->meals++;
            }
        }
    }
}

int main(void)
{
    struct philosopher table[SEATS] = {
        { "Aspasia", 0, 0 }, { "Hypatia", 1, 0 }, { "Kant", 2, 0 }, { "Marx", 3, 0 },
        { "Russell", 4, 0 },
    };
    go_waitgroup wg = { 0 };
    for (int i = 0; i < SEATS; i++) {
        wg_go(&wg, dine, &table[i]);
    }
    wg_wait(&wg);
    for (int i = 0; i < SEATS; i++) {
        printf("%s ate %d times\n", table[i].name, table[i].meals);
    }
    return 0;
}
