/* SPDX-License-Identifier: MIT */
/* map.c: the concurrent map. */
#include "bench.h"

enum { KEYS = 1024 };

static char values[KEYS];

static void load_all(go_map *m, long times, long hits)
{
    long found = 0;
    for (long i = 0; i < times; i++) {
        void *v;
        found += map_load(m, (uint64_t)i % (hits ? KEYS : 8 * KEYS), &v);
    }
    if (found == 0) {
        bench_fail("map_load: nothing found");
    }
}

/* One op: a load from a map of 1024 keys by GOMAXPROCS goroutines.
 * Parameter: 1 for keys that are there, 0 for one hit in eight. */
BENCH(map_load)
{
    long workers = go_maxprocs(0);
    go_map m = { 0 };
    for (uint64_t k = 0; k < KEYS; k++) {
        map_store(&m, k, &values[k]);
    }
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < workers; i++) {
        wg_go(&wg, load_all, &m, b->n / workers, bench_arg(b, 0, 1));
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / workers * workers);
}

static void store_all(go_map *m, long times, uint64_t seed)
{
    for (long i = 0; i < times; i++) {
        uint64_t k = bench_random(&seed) % KEYS;
        if (i % 4 == 3) {
            map_delete(m, k);
        } else {
            map_store(m, k, &values[k]);
        }
    }
}

/* One op: a store, or one time in four a delete, of random keys out of 1024, by GOMAXPROCS
 * goroutines. */
BENCH(map_store)
{
    long workers = go_maxprocs(0);
    go_map m = { 0 };
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < workers; i++) {
        wg_go(&wg, store_all, &m, b->n / workers, (uint64_t)i + 1);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / workers * workers);
}
