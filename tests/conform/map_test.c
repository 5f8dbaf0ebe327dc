/* SPDX-License-Identifier: MIT */
/* The concurrent map: against a plain one that a lock guards, and with everything at once. */
#include "conform.h"

static char mark[64];
#define V(i) ((void *)&mark[i])

/* ---- sync/map_test.go ---- */

/* A small map of the obvious kind: what the real one is compared with. */
enum { KEYS = 8 };
struct model {
    void *v[KEYS];
};
static bool model_apply(struct model *m, go_map *real, unsigned op, uint64_t k, int v, int w)
{
    void *old = m->v[k];
    void *got = NULL;
    bool is;
    switch (op % 8) {
    case 0:
        EXPECT_EQ_INT(map_load(real, k, &got), old != NULL);
        return got == old;
    case 1:
        map_store(real, k, V(v));
        m->v[k] = V(v);
        return true;
    case 2:
        EXPECT_EQ_INT(map_load_or_store(real, k, V(v), &got), old != NULL);
        m->v[k] = old != NULL ? old : V(v);
        return got == m->v[k];
    case 3:
        EXPECT_EQ_INT(map_load_and_delete(real, k, &got), old != NULL);
        m->v[k] = NULL;
        return got == old;
    case 4:
        EXPECT_EQ_INT(map_swap(real, k, V(v), &got), old != NULL);
        m->v[k] = V(v);
        return got == old;
    case 5:
        is = map_compare_and_swap(real, k, V(w), V(v));
        m->v[k] = old == V(w) ? V(v) : old;
        return is == (old == V(w));
    case 6:
        is = map_compare_and_delete(real, k, V(w));
        m->v[k] = old == V(w) ? NULL : old;
        return is == (old == V(w));
    default:
        map_delete(real, k);
        m->v[k] = NULL;
        return true;
    }
}
static bool check_entry(go_map_key key, void *v, void *arg)
{
    struct model *m = (struct model *)arg;
    EXPECT(key.number < KEYS);
    EXPECT_EQ_PTR(v, m->v[key.number]);
    m->v[key.number] = NULL;
    return true;
}
static void compare_maps(go_map *real, const struct model *m)
{
    struct model left = *m;
    size_t n = 0;
    for (int i = 0; i < KEYS; i++) {
        n += m->v[i] != NULL ? 1 : 0;
    }
    EXPECT_EQ_UINT(map_len(real), n);
    map_range(real, check_entry, &left);
    for (int i = 0; i < KEYS; i++) {
        EXPECT_EQ_PTR(left.v[i], NULL);
    }
}
static void random_calls(uint64_t seed, int calls)
{
    struct model m = {{NULL}};
    go_map real = {0};
    for (int i = 0; i < calls; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        unsigned r = (unsigned)(seed >> 33);
        if (r % 101 == 0) {
            map_clear(&real);
            memset(&m, 0, sizeof m);
        }
        REQUIRE(model_apply(&m, &real, r, (r >> 3) % KEYS, (int)(r >> 8) % 4, (int)(r >> 12) % 4));
    }
    compare_maps(&real, &m);
    map_free(&real);
}

CASE(map, agrees_with_a_locked_one, "sync/map_test.go TestMapMatchesRWMutex")
{
    for (uint64_t i = 0; i < 20; i++) {
        random_calls(test_seed() + i, (int)test_iterations(2000));
    }
}

CASE(map, agrees_with_a_copied_one, "sync/map_test.go TestMapMatchesDeepCopy")
{
    random_calls(test_seed(), 10);
    random_calls(test_seed() + 1, 100);
    random_calls(test_seed() + 2, (int)test_iterations(20000));
}

static bool count_visits(go_map_key key, void *v, void *arg)
{
    (void)key;
    (void)v;
    ++*(int *)arg;
    return true;
}

static void fill_and_empty(go_map *m, uint64_t n, uint64_t step)
{
    void *v;
    for (uint64_t i = 1; i <= n; i++) {
        EXPECT(!map_load_or_store(m, i * step, V(i % 64), NULL));
        EXPECT_EQ_UINT(map_len(m), i);
    }
    int visits = 0;
    map_range(m, count_visits, &visits);
    EXPECT_EQ_INT(visits, n);
    for (uint64_t i = 1; i <= n; i++) {
        EXPECT(map_load(m, i * step, &v));
        EXPECT_EQ_PTR(v, V(i % 64));
        EXPECT(map_load_and_delete(m, i * step, NULL));
        EXPECT(!map_load(m, i * step, &v));
        EXPECT_EQ_UINT(map_len(m), n - i);
    }
    visits = 0;
    map_range(m, count_visits, &visits);
    EXPECT_EQ_INT(visits, 0);
}

CASE(map, grows_and_is_emptied_again_and_again, "sync/map_test.go TestMapMatchesHashTrieMap")
{
    go_map m = {0};
    fill_and_empty(&m, 3000, 0x9E3779B97F4A7C15u);
    fill_and_empty(&m, 5, 1);
    fill_and_empty(&m, 1000, 1);
    fill_and_empty(&m, 2000, (uint64_t)1 << 40);
    map_free(&m);
}

static void change_all(go_map *m, int me, const int *stop)
{
    for (int n = 0; get(stop) == 0; n++) {
        for (uint64_t k = 0; k < 512; k++) {
            if ((k + (uint64_t)n) % 4 == (uint64_t)me) {
                map_store(m, k, V((unsigned)n % 64));
            } else {
                (void)map_load(m, k, NULL);
            }
        }
        go_yield();
    }
}
static bool see_once(go_map_key key, void *v, void *arg)
{
    char *seen = (char *)arg;
    REQUIRE(key.number < 512 && v != NULL);
    EXPECT_EQ_INT(seen[key.number], 0);
    seen[key.number] = 1;
    return true;
}

CASE(map, range_beside_writers_sees_each_key_once, "sync/map_test.go TestConcurrentRange")
{
    go_map m = {0};
    go_waitgroup wg = {0};
    int stop = 0;
    for (uint64_t k = 0; k < 512; k++) {
        map_store(&m, k, V(0));
    }
    for (int i = 0; i < 3; i++) {
        wg_go(&wg, change_all, &m, i, &stop);
    }
    for (long i = test_iterations(100); i > 0; i--) {
        char seen[512] = {0};
        map_range(&m, see_once, seen);
        EXPECT(memchr(seen, 0, sizeof seen) == NULL);
        go_yield();
    }
    set(&stop, 1);
    wg_wait(&wg);
    map_free(&m);
}

CASE_DIFFERS(map, deleted_entries_are_released, "sync/map_test.go TestIssue40999",
             "there is no collector to ask: values are the user's, and ASan checks the map's own")
{
    go_map m = {0};
    for (uint64_t i = 0; i < 2000; i++) {
        map_store(&m, i, V(1));
        EXPECT(map_load_and_delete(&m, i, NULL));
    }
    EXPECT_EQ_UINT(map_len(&m), 0);
    map_free(&m);
}

static bool visit_inside(go_map_key key, void *v, void *arg)
{
    go_map *m = (go_map *)arg;
    void *got = NULL;
    EXPECT(map_load(m, key.number, &got));
    EXPECT_EQ_PTR(got, v);
    EXPECT(!map_load_or_store(m, 42, V(2), NULL));
    map_store(m, 42, V(3));
    EXPECT(map_load_and_delete(m, 42, &got));
    EXPECT_EQ_PTR(got, V(3));
    return true;
}
static bool visit_and_delete(go_map_key key, void *v, void *arg)
{
    go_map *m = (go_map *)arg;
    (void)v;
    map_range(m, visit_inside, m);
    map_delete(m, key.number);
    return true;
}

CASE(map, visitor_may_use_the_map, "sync/map_test.go TestMapRangeNestedCall")
{
    go_map m = {0};
    for (uint64_t i = 0; i < 3; i++) {
        map_store(&m, i, V(i));
    }
    map_range(&m, visit_and_delete, &m);
    int left = 0;
    map_range(&m, count_visits, &left);
    EXPECT_EQ_INT(left, 0);
    map_free(&m);
}

CASE(map, compare_and_swap_of_a_missing_key,
     "sync/map_test.go TestCompareAndSwap_NonExistingKey")
{
    go_map m = {0};
    EXPECT(!map_compare_and_swap(&m, 1, NULL, V(1)));
    EXPECT(!map_compare_and_delete(&m, 1, NULL));
    EXPECT(!map_load(&m, 1, NULL));
    map_free(&m);
}

static void clear_and_store(go_map *m, int n)
{
    for (int i = 0; i < n; i++) {
        map_store(m, (uint64_t)i % 16, V(i % 64));
        (void)map_load(m, (uint64_t)i % 16, NULL);
        if (i % 5 == 0) {
            map_clear(m);
        }
    }
}
static bool any(go_map_key key, void *v, void *arg)
{
    (void)key;
    (void)v;
    ++*(int *)arg;
    return true;
}

CASE(map, clear_beside_everything, "sync/map_test.go TestConcurrentClear")
{
    go_map m = {0};
    go_waitgroup wg = {0};
    int left = 0;
    for (int i = 0; i < 10; i++) {
        wg_go(&wg, clear_and_store, &m, (int)test_iterations(1000));
    }
    wg_wait(&wg);
    map_clear(&m);
    map_range(&m, any, &left);
    EXPECT_EQ_INT(left, 0);
    EXPECT_EQ_UINT(map_len(&m), 0);
    map_free(&m);
}

static bool stop_after_two(go_map_key key, void *v, void *arg)
{
    (void)key;
    (void)v;
    return ++*(int *)arg < 2;
}

CASE(map, range_stops_when_told, "sync/map_test.go TestMapMatchesRWMutex")
{
    go_map m = {0};
    int seen = 0;
    for (uint64_t i = 0; i < 10; i++) {
        map_store(&m, i, V(i));
    }
    map_range(&m, stop_after_two, &seen);
    EXPECT_EQ_INT(seen, 2);
    map_free(&m);
}

CASE_DIFFERS(map, string_keys_are_copied, "sync/map_test.go TestMapMatchesRWMutex",
             "keys are numbers or strings, chosen at map_init, instead of anything comparable")
{
    go_map m = {0};
    char key[] = "key";
    void *v = NULL;
    map_init(&m, GO_MAP_STRING);
    map_store(&m, key, V(1));
    key[0] = 'K';
    EXPECT(!map_load(&m, key, &v));
    EXPECT(map_load(&m, "key", &v));
    EXPECT_EQ_PTR(v, V(1));
    EXPECT(map_swap(&m, "key", V(2), &v));
    EXPECT_EQ_PTR(v, V(1));
    EXPECT_EQ_UINT(map_len(&m), 1);
    map_free(&m);
}

static void store_one(go_map *m, void *mine, int *stored)
{
    void *actual = NULL;
    bool was_there = map_load_or_store(m, 7, mine, &actual);
    EXPECT(was_there == (actual != mine));
    add(stored, was_there ? 0 : 1);
}

CASE(map, only_one_stores, "sync/map_test.go TestMapMatchesRWMutex")
{
    for (long i = test_iterations(100); i > 0; i--) {
        go_map m = {0};
        go_waitgroup wg = {0};
        int stored = 0;
        for (int k = 0; k < 8; k++) {
            wg_go(&wg, store_one, &m, V(k), &stored);
        }
        wg_wait(&wg);
        EXPECT_EQ_INT(stored, 1);
        map_free(&m);
    }
}

static void increment(go_map *m, int n)
{
    for (int i = 0; i < n; i++) {
        void *v;
        do {
            EXPECT(map_load(m, 1, &v));
        } while (!map_compare_and_swap(m, 1, v, (char *)v + 1));
    }
}

CASE(map, counter_by_compare_and_swap, "sync/map_test.go TestCompareAndSwap_NonExistingKey")
{
    enum { GOROUTINES = 8 };
    static char counted[100000];
    int each = (int)test_iterations(1000);
    go_map m = {0};
    go_waitgroup wg = {0};
    void *v = NULL;
    map_store(&m, 1, counted);
    for (int i = 0; i < GOROUTINES; i++) {
        wg_go(&wg, increment, &m, each);
    }
    wg_wait(&wg);
    EXPECT(map_load(&m, 1, &v));
    EXPECT_EQ_INT((char *)v - counted, GOROUTINES * each);
    map_free(&m);
}
