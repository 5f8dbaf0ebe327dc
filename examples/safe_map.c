/* SPDX-License-Identifier: MIT */
/* safe_map.c: a map of counters that many goroutines may use, made safe by a mutex.
 *
 * The map is a plain open-addressed table that knows nothing of goroutines; the mutex stands beside
 * it in the same structure, and every function that touches the table takes it first. guard keeps
 * it until the function returns.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <string.h>

enum { SLOTS = 64 };

struct counters {
    go_mutex mu;
    struct {
        const char *key;
        int count;
    } slots[SLOTS];
};

/* The slot of the key, or the empty one where it belongs. The caller holds c->mu. */
static size_t find(const struct counters *c, const char *key)
{
    size_t i = 5381;
    for (const char *p = key; *p; p++) {
        i = i * 33 + (unsigned char)*p;
    }
    for (i %= SLOTS; c->slots[i].key != NULL && strcmp(c->slots[i].key, key) != 0;) {
        i = (i + 1) % SLOTS;
    }
    return i;
}

static void increment(struct counters *c, const char *key)
{
    guard(&c->mu);
    size_t i = find(c, key);
    c->slots[i].key = key;
    c->slots[i].count++;
}

static int value(struct counters *c, const char *key)
{
    guard(&c->mu);
    return c->slots[find(c, key)].count;
}

static const char *const words[] = { "to", "be", "or", "not", "to", "be" };

static void count_words(struct counters *c, int times)
{
    for (int n = 0; n < times; n++) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            increment(c, words[i]);
        }
    }
}

int main(void)
{
    static struct counters c; /* all zero: unlocked and empty */
    go_waitgroup wg = { 0 };
    for (int i = 0; i < 50; i++) {
        wg_go(&wg, count_words, &c, 20);
    }
    wg_wait(&wg);

    printf("to %d, be %d, or %d, not %d, that %d\n", value(&c, "to"), value(&c, "be"),
           value(&c, "or"), value(&c, "not"), value(&c, "that"));
    return 0;
}
