/* SPDX-License-Identifier: MIT */
/* process_items.c: one goroutine for each item, and a WaitGroup to wait for all.
 *
 * wg_go adds one, runs the function in a goroutine, and counts it off when the function ends. Each
 * goroutine writes to its own item, so that the items need no lock; after wg_wait everything they
 * wrote is visible.
 */
#include <gort.h>
#include <gort/short.h>
#include <ctype.h>
#include <stdio.h>

struct item {
    const char *name;
    char label[32];
    int letters;
};

static void process(struct item *it, int number)
{
    char title[16];
    size_t n = 0;
    for (; it->name[n] != '\0' && n < sizeof title - 1; n++) {
        title[n] = (char)toupper((unsigned char)it->name[n]);
    }
    title[n] = '\0';
    it->letters = (int)n;
    snprintf(it->label, sizeof it->label, "%d-%s", number, title);
}

int main(void)
{
    struct item items[] = {
        { .name = "apple" }, { .name = "pear" }, { .name = "quince" }, { .name = "medlar" }
    };
    const int count = sizeof items / sizeof items[0];

    go_waitgroup wg = { 0 };
    for (int i = 0; i < count; i++) {
        wg_go(&wg, process, &items[i], i + 1);
    }
    wg_wait(&wg);

    int letters = 0;
    for (int i = 0; i < count; i++) {
        printf("%-8s -> %s\n", items[i].name, items[i].label);
        letters += items[i].letters;
    }
    printf("%d items, %d letters\n", count, letters);
    return 0;
}
