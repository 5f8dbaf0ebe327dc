/* SPDX-License-Identifier: MIT */
/* single_cache.c: a cache that loads each entry once, however many ask at the same time.
 *
 * Without care, a hundred goroutines that miss the same key load it a hundred times. single_do lets
 * the first one load and gives its result to all who came meanwhile. The load looks into the cache
 * once more: a caller may have missed just before an earlier load ended.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    go_map map; /* string keys, struct page values */
    go_single loading;
    go_mutex mu;
    int loads;
} cache;

struct page {
    char text[32];
};

static int load(void *arg, void **result)
{
    const char *key = *(const char **)arg;
    if (map_load(&cache.map, key, result)) {
        return 0;
    }
    go_sleep(5 * GO_MS); /* stands for the database */
    with_lock(&cache.mu) {
        cache.loads++;
    }
    struct page *p = malloc(sizeof *p);
    if (p == NULL) {
        return -ENOMEM;
    }
    snprintf(p->text, sizeof p->text, "page of %s", key);
    map_store(&cache.map, key, p);
    *result = p;
    return 0;
}

static const struct page *get(const char *key)
{
    void *v = NULL;
    if (map_load(&cache.map, key, &v)) {
        return v;
    }
    int err = single_do(&cache.loading, key, load, &key, &v, NULL);
    return err == 0 ? v : NULL;
}

static const char *const keys[] = { "ada", "bob", "cyd" };

enum { KEYS = sizeof keys / sizeof keys[0], CALLERS = 300 };

static void caller(int i, send_chan(const struct page *) out)
{
    chan_send(out, get(keys[i % KEYS]));
}

int main(void)
{
    map_init(&cache.map, GO_MAP_STRING);
    chan(const struct page *) out = chan_make(const struct page *);
    for (int i = 0; i < CALLERS; i++) {
        go(caller, i, out);
    }
    int answered = 0;
    for (int i = 0; i < CALLERS; i++) {
        answered += chan_recv(out) != NULL;
    }
    printf("%d callers answered, %d loads\n", answered, cache.loads);
    for (int i = 0; i < KEYS; i++) {
        printf("%s: %s\n", keys[i], get(keys[i])->text);
    }

    for (int i = 0; i < KEYS; i++) {
        void *page = NULL;
        if (map_load_and_delete(&cache.map, keys[i], &page)) {
            free(page);
        }
    }
    chan_free(out);
    return 0;
}
