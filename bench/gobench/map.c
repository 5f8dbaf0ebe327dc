/* SPDX-License-Identifier: MIT */
/* map.c: the benchmarks of sync.Map, with numbers as keys. A value is a number as well, plus one,
 * because a NULL looks like nothing. */
#include "gobench.h"

static void *value(uint64_t v)
{
    return (void *)(uintptr_t)(v + 1);
}

struct run {
    go_map map;
    long n;
    atomic_long goroutines;
    uint64_t hits, sum;  /* keys that are there, and all that are asked for */
};

/* The keys of a goroutine begin where those of the one before end. */
static uint64_t first_key(struct run *s)
{
    return (uint64_t)(atomic_fetch_add(&s->goroutines, 1) * s->n);
}

static void run(struct gobench *b, struct run *s, void (*body)(struct gobench_pb *pb, void *arg))
{
    s->n = b->n;
    for (uint64_t k = 0; k < s->hits; k++) {
        go_map_load_or_store(&s->map, k, value(k), NULL);
    }
    gobench_reset(b);
    gobench_parallel(b, body, s);
    gobench_stop(b);
    go_map_free(&s->map);
}

/* --- load */

static void load_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    void *v;
    for (uint64_t i = first_key(s); gobench_next(pb); i++) {
        go_map_load(&s->map, i % s->sum, &v);
    }
}

/* arg[0] keys are there, of arg[0] + arg[1]. */
static void load(struct gobench *b)
{
    struct run s = { .hits = (uint64_t)b->arg[0], .sum = (uint64_t)(b->arg[0] + b->arg[1]) };
    run(b, &s, load_body);
}

/* --- load or store */

static void load_or_store_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    for (uint64_t i = first_key(s); gobench_next(pb); i++) {
        uint64_t j = i % s->sum;
        bool hit = j < s->hits;
        if (go_map_load_or_store(&s->map, hit ? j : i, value(i), NULL) != hit) {
            gobench_fail("map: load_or_store found the wrong thing");
        }
    }
}

static void load_or_store(struct gobench *b)
{
    struct run s = { .hits = 128, .sum = 256 };
    run(b, &s, load_or_store_body);
}

static void load_or_store_unique_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    for (uint64_t i = first_key(s); gobench_next(pb); i++) {
        go_map_load_or_store(&s->map, i, value(i), NULL);
    }
}

static void load_or_store_unique(struct gobench *b)
{
    struct run s = { .hits = 0 };
    run(b, &s, load_or_store_unique_body);
}

static void load_or_store_collision_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    GOBENCH_EACH(pb) {
        go_map_load_or_store(&s->map, 0, value(0), NULL);
    }
}

static void load_or_store_collision(struct gobench *b)
{
    struct run s = { .hits = 1 };
    run(b, &s, load_or_store_collision_body);
}

/* --- load and delete */

static void load_and_delete_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    for (uint64_t i = first_key(s); gobench_next(pb); i++) {
        uint64_t j = i % s->sum;
        go_map_load_and_delete(&s->map, j < s->hits ? j : i, NULL);
    }
}

static void load_and_delete(struct gobench *b)
{
    struct run s = { .hits = 128, .sum = 256 };
    run(b, &s, load_and_delete_body);
}

static void load_and_delete_unique(struct gobench *b)
{
    struct run s = { .hits = 0, .sum = 1 };
    run(b, &s, load_and_delete_body);
}

static void load_and_delete_collision_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    GOBENCH_EACH(pb) {
        if (go_map_load_and_delete(&s->map, 0, NULL)) {
            go_map_store(&s->map, 0, value(0));
        }
    }
}

static void load_and_delete_collision(struct gobench *b)
{
    struct run s = { .hits = 1 };
    run(b, &s, load_and_delete_collision_body);
}

/* --- range */

static bool see(go_map_key key, void *v, void *arg)
{
    (void)key;
    (void)v;
    (void)arg;
    return true;
}

static void range_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    GOBENCH_EACH(pb) {
        go_map_range(&s->map, see, NULL);
    }
}

static void range(struct gobench *b)
{
    struct run s = { .hits = 1024 };
    run(b, &s, range_body);
}

/* --- adversaries of a map with a copy for readers, which sync.Map once was */

static void adversarial_alloc_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    uint64_t stores = 0;
    uint64_t loads = 0;
    void *v;
    for (uint64_t i = first_key(s); gobench_next(pb); i++) {
        go_map_load(&s->map, i, &v);
        if (++loads > stores) {
            go_map_load_or_store(&s->map, i, value(stores), NULL);
            loads = 0;
            stores++;
        }
    }
}

static void adversarial_alloc(struct gobench *b)
{
    struct run s = { .hits = 0 };
    run(b, &s, adversarial_alloc_body);
}

static bool delete_one(go_map_key key, void *v, void *arg)
{
    (void)v;
    go_map_delete((go_map *)arg, key.number);
    return false;
}

static void adversarial_delete_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    void *v;
    for (uint64_t i = first_key(s); gobench_next(pb); i++) {
        go_map_load(&s->map, i, &v);
        if (i % s->hits == 0) {
            go_map_range(&s->map, delete_one, &s->map);
            go_map_store(&s->map, i, value(i));
        }
    }
}

static void adversarial_delete(struct gobench *b)
{
    struct run s = { .hits = 1024 };
    run(b, &s, adversarial_delete_body);
}

/* --- delete, swap */

static void delete_collision_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    GOBENCH_EACH(pb) {
        go_map_delete(&s->map, 0);
    }
}

static void delete_collision(struct gobench *b)
{
    struct run s = { .hits = 1 };
    run(b, &s, delete_collision_body);
}

static void swap_collision_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    GOBENCH_EACH(pb) {
        go_map_swap(&s->map, 0, value(0), NULL);
    }
}

static void swap_collision(struct gobench *b)
{
    struct run s = { .hits = 1 };
    run(b, &s, swap_collision_body);
}

static void swap_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    for (uint64_t i = first_key(s); gobench_next(pb); i++) {
        uint64_t j = i % s->sum;
        if (j < s->hits) {
            go_map_swap(&s->map, j, value(j), NULL);
        } else {
            go_map_swap(&s->map, i, value(i), NULL);
            go_map_delete(&s->map, i);
        }
    }
}

static void swap(struct gobench *b)
{
    struct run s = { .hits = (uint64_t)b->arg[0], .sum = 1024 };
    run(b, &s, swap_body);
}

/* --- compare and swap */

static void cas_collision_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    GOBENCH_EACH(pb) {
        if (go_map_compare_and_swap(&s->map, 0, value(0), value(42))) {
            go_map_compare_and_swap(&s->map, 0, value(42), value(0));
        }
    }
}

static void cas_collision(struct gobench *b)
{
    struct run s = { .hits = 1 };
    run(b, &s, cas_collision_body);
}

static void cas_no_key_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    for (uint64_t i = first_key(s); gobench_next(pb); i++) {
        if (go_map_compare_and_swap(&s->map, i, value(0), value(0))) {
            go_map_delete(&s->map, i);
        }
    }
}

static void cas_no_key(struct gobench *b)
{
    struct run s = { .hits = 0 };
    run(b, &s, cas_no_key_body);
}

static void cas_not_equal_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    GOBENCH_EACH(pb) {
        go_map_compare_and_swap(&s->map, 0, value(1), value(2));
    }
}

static void cas_not_equal(struct gobench *b)
{
    struct run s = { .hits = 1 };
    run(b, &s, cas_not_equal_body);
}

static void cas_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    for (uint64_t i = first_key(s); gobench_next(pb); i++) {
        uint64_t v = i % s->sum < s->hits ? i % s->sum : i;
        go_map_compare_and_swap(&s->map, v, value(v), value(v));
    }
}

static void cas(struct gobench *b)
{
    struct run s = { .hits = (uint64_t)b->arg[0], .sum = 1024 };
    run(b, &s, cas_body);
}

/* --- compare and delete, clear */

static void cad_collision_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    GOBENCH_EACH(pb) {
        if (go_map_compare_and_delete(&s->map, 0, value(0))) {
            go_map_store(&s->map, 0, value(0));
        }
    }
}

static void cad_collision(struct gobench *b)
{
    struct run s = { .hits = 1 };
    run(b, &s, cad_collision_body);
}

static void cad_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    for (uint64_t i = first_key(s); gobench_next(pb); i++) {
        uint64_t v = i % s->sum < s->hits ? i % s->sum : i;
        if (go_map_compare_and_delete(&s->map, v, value(v))) {
            go_map_store(&s->map, v, value(v));
        }
    }
}

static void cad(struct gobench *b)
{
    struct run s = { .hits = (uint64_t)b->arg[0], .sum = 1024 };
    run(b, &s, cad_body);
}

static void clear_body(struct gobench_pb *pb, void *arg)
{
    struct run *s = arg;
    for (uint64_t i = first_key(s); gobench_next(pb); i++) {
        go_map_clear(&s->map);
        go_map_store(&s->map, i % 256, value(i % 256));
    }
}

static void clear(struct gobench *b)
{
    struct run s = { .hits = 0 };
    run(b, &s, clear_body);
}

const struct gobench_row gobench_map[] = {
    { "MapLoadMostlyHits", load, { 1023, 1 } },
    { "MapLoadMostlyMisses", load, { 1, 1023 } },
    { "MapLoadOrStoreBalanced", load_or_store, { 0 } },
    { "MapLoadOrStoreUnique", load_or_store_unique, { 0 } },
    { "MapLoadOrStoreCollision", load_or_store_collision, { 0 } },
    { "MapLoadAndDeleteBalanced", load_and_delete, { 0 } },
    { "MapLoadAndDeleteUnique", load_and_delete_unique, { 0 } },
    { "MapLoadAndDeleteCollision", load_and_delete_collision, { 0 } },
    { "MapRange", range, { 0 } },
    { "MapAdversarialAlloc", adversarial_alloc, { 0 } },
    { "MapAdversarialDelete", adversarial_delete, { 0 } },
    { "MapDeleteCollision", delete_collision, { 0 } },
    { "MapSwapCollision", swap_collision, { 0 } },
    { "MapSwapMostlyHits", swap, { 1023 } },
    { "MapSwapMostlyMisses", swap, { 1 } },
    { "MapCompareAndSwapCollision", cas_collision, { 0 } },
    { "MapCompareAndSwapNoExistingKey", cas_no_key, { 0 } },
    { "MapCompareAndSwapValueNotEqual", cas_not_equal, { 0 } },
    { "MapCompareAndSwapMostlyHits", cas, { 1023 } },
    { "MapCompareAndSwapMostlyMisses", cas, { 1 } },
    { "MapCompareAndDeleteCollision", cad_collision, { 0 } },
    { "MapCompareAndDeleteMostlyHits", cad, { 1023 } },
    { "MapCompareAndDeleteMostlyMisses", cad, { 1 } },
    { "MapClear", clear, { 0 } },
    { NULL, NULL, { 0 } },
};
