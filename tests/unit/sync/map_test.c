/* SPDX-License-Identifier: MIT */
/* go_map: its operations one by one, against a plain array, and with many at it. */
#include "unit/sync/parked.h"
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define V(x) ((void *)(uintptr_t)(x))

static go_map map;

static void *get(uint64_t key)
{
    void *v = V(99);
    bool there = map_load(&map, key, &v);
    EXPECT(there || v == NULL);
    return v;
}

TEST(map, zero_map_is_empty)
{
    void *v = V(1);
    EXPECT(!map_load(&map, 0, &v));
    EXPECT_EQ_PTR(v, NULL);
    EXPECT(!map_load_and_delete(&map, 1, &v));
    EXPECT(!map_compare_and_swap(&map, 1, NULL, V(1)));
    EXPECT(!map_compare_and_delete(&map, 1, NULL));
    map_delete(&map, 1);
    map_clear(&map);
    EXPECT_EQ_UINT(map_len(&map), 0);
    map_free(&map);
}

TEST(map, stores_loads_and_deletes)
{
    void *v = NULL;
    map_store(&map, 0, V(10));
    map_store(&map, UINT64_MAX, V(11));
    map_store(&map, 7, NULL); /* a value like any other */
    EXPECT_EQ_UINT(map_len(&map), 3);
    EXPECT_EQ_PTR(get(0), V(10));
    EXPECT_EQ_PTR(get(UINT64_MAX), V(11));
    EXPECT(map_load(&map, 7, &v));
    EXPECT_EQ_PTR(v, NULL);
    EXPECT(map_load(&map, 7, (void **)NULL));
    map_store(&map, 0, V(12));
    EXPECT_EQ_PTR(get(0), V(12));
    EXPECT(map_load_and_delete(&map, 0, &v));
    EXPECT_EQ_PTR(v, V(12));
    EXPECT(!map_load_and_delete(&map, 0, &v));
    EXPECT_EQ_PTR(v, NULL);
    map_delete(&map, 7);
    EXPECT_EQ_UINT(map_len(&map), 1);
    map_free(&map);
    EXPECT_EQ_UINT(map_len(&map), 0);
}

TEST(map, swaps_and_compares)
{
    void *v = V(5);
    EXPECT(!map_swap(&map, 1, V(10), &v));
    EXPECT_EQ_PTR(v, NULL);
    EXPECT(map_swap(&map, 1, V(11), &v));
    EXPECT_EQ_PTR(v, V(10));
    EXPECT(map_load_or_store(&map, 1, V(12), &v));
    EXPECT_EQ_PTR(v, V(11));
    EXPECT(!map_load_or_store(&map, 2, V(13), &v));
    EXPECT_EQ_PTR(v, V(13));
    EXPECT(!map_compare_and_swap(&map, 1, V(10), V(20)));
    EXPECT(map_compare_and_swap(&map, 1, V(11), V(20)));
    EXPECT(!map_compare_and_swap(&map, 3, NULL, V(20)));
    EXPECT_EQ_PTR(get(1), V(20));
    EXPECT(!map_compare_and_delete(&map, 1, V(11)));
    EXPECT(map_compare_and_delete(&map, 1, V(20)));
    EXPECT(!map_compare_and_delete(&map, 3, NULL));
    EXPECT_EQ_UINT(map_len(&map), 1);
    map_free(&map);
}

TEST(map, keys_may_be_strings)
{
    char key[32] = "one";
    void *v = NULL;
    map_init(&map, GO_MAP_STRING);
    map_store(&map, key, V(1));
    map_store(&map, "", V(2));
    memset(key, 'x', sizeof key - 1); /* it was copied */
    map_store(&map, key, V(3));
    EXPECT(map_load(&map, "one", &v));
    EXPECT_EQ_PTR(v, V(1));
    EXPECT(map_load(&map, "", &v));
    EXPECT_EQ_PTR(v, V(2));
    EXPECT(map_load(&map, key, &v));
    EXPECT_EQ_PTR(v, V(3));
    EXPECT(!map_load(&map, "on", &v));
    EXPECT(!map_load(&map, "onee", &v));
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "key number %d", i);
        map_store(&map, key, V(i));
    }
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "key number %d", i);
        EXPECT(map_load(&map, key, &v));
        EXPECT_EQ_PTR(v, V(i));
    }
    EXPECT_EQ_UINT(map_len(&map), 3003);
    map_clear(&map);
    EXPECT(!map_load(&map, "one", &v));
    map_store(&map, "one", V(4));
    EXPECT_EQ_UINT(map_len(&map), 1);
    map_free(&map);
}

DEATH_TEXT(map, wrong_kind_of_key_is_fatal, 2, "fatal error: go_map: key of the wrong kind\n")
{
    map_store(&map, "text", V(1));
}

TEST(map, grows)
{
    const uint64_t n = (uint64_t)test_iterations(100000);
    for (uint64_t i = 0; i < n; i++) {
        map_store(&map, i << 40, V(i + 1));
    }
    EXPECT_EQ_UINT(map_len(&map), n);
    for (uint64_t i = 0; i < n; i++) {
        EXPECT_EQ_PTR(get(i << 40), V(i + 1));
    }
    EXPECT_EQ_PTR(get(n << 40), NULL);
    for (uint64_t i = 0; i < n; i++) {
        void *v = NULL;
        EXPECT(map_load_and_delete(&map, i << 40, &v));
        EXPECT_EQ_PTR(v, V(i + 1));
    }
    EXPECT_EQ_UINT(map_len(&map), 0);
    map_free(&map);
}

/* Random operations, compared with an array. */
TEST(map, does_what_an_array_does)
{
    enum { KEYS = 200 };
    static uintptr_t want[KEYS]; /* 0: not there */
    srand((unsigned)test_seed());
    for (long i = test_iterations(50000); i > 0; i--) {
        uint64_t k = (uint64_t)rand() % KEYS;
        uintptr_t x = (uintptr_t)rand() % 4 + 1;
        void *old = NULL;
        bool there = want[k] != 0;
        switch (rand() % 8) {
        case 0:
            map_store(&map, k, V(x));
            want[k] = x;
            break;
        case 1:
            EXPECT_EQ_INT(map_swap(&map, k, V(x), &old), there);
            EXPECT_EQ_PTR(old, V(want[k]));
            want[k] = x;
            break;
        case 2:
            EXPECT_EQ_INT(map_load_or_store(&map, k, V(x), &old), there);
            want[k] = there ? want[k] : x;
            EXPECT_EQ_PTR(old, V(want[k]));
            break;
        case 3:
            EXPECT_EQ_INT(map_load_and_delete(&map, k, &old), there);
            EXPECT_EQ_PTR(old, V(want[k]));
            want[k] = 0;
            break;
        case 4:
            EXPECT_EQ_INT(map_compare_and_swap(&map, k, V(x), V(5)), want[k] == x);
            want[k] = want[k] == x ? 5 : want[k];
            break;
        case 5:
            EXPECT_EQ_INT(map_compare_and_delete(&map, k, V(x)), want[k] == x);
            want[k] = want[k] == x ? 0 : want[k];
            break;
        default:
            EXPECT_EQ_PTR(get(k), V(want[k]));
            break;
        }
    }
    size_t n = 0;
    for (int k = 0; k < KEYS; k++) {
        n += want[k] != 0;
    }
    EXPECT_EQ_UINT(map_len(&map), n);
    map_free(&map);
}

/* ---- range */

enum { RANGE_KEYS = 3000 };
static uint8_t times[RANGE_KEYS];

static bool note(go_map_key key, void *v, void *arg)
{
    REQUIRE(key.number < RANGE_KEYS);
    EXPECT_EQ_PTR(v, V(key.number + 1));
    times[key.number]++;
    int *left = arg;
    return left == NULL || --*left > 0;
}

static void fill(void)
{
    memset(times, 0, sizeof times);
    for (uint64_t k = 0; k < RANGE_KEYS; k++) {
        map_store(&map, k, V(k + 1));
    }
}

TEST(map, range_visits_each_key_once)
{
    map_range(&map, note, NULL);
    fill();
    map_range(&map, note, NULL);
    for (int k = 0; k < RANGE_KEYS; k++) {
        EXPECT_EQ_INT(times[k], 1);
    }
    int left = 70;
    map_range(&map, note, &left);
    EXPECT_EQ_INT(left, 0);
    map_free(&map);
}

/* What the visitor deletes before its turn, it may free. */
enum { OWNED = 300 };

static int *owned(uint64_t key)
{
    int *v = malloc(sizeof *v);
    *v = (int)key;
    return v;
}

static bool free_others(go_map_key key, void *v, void *arg)
{
    int *visits = arg;
    int *mine = v;
    EXPECT_EQ_UINT(*mine, key.number); /* ASan: not freed */
    for (uint64_t k = 0; k < OWNED; k++) {
        void *other = NULL;
        if (k != key.number && map_load_and_delete(&map, k, &other)) {
            free(other);
        }
    }
    ++*visits;
    return true;
}

TEST(map, range_does_not_hand_over_what_its_visitor_has_deleted)
{
    int visits = 0;
    for (uint64_t k = 0; k < OWNED; k++) {
        map_store(&map, k, owned(k));
    }
    map_range(&map, free_others, &visits);
    EXPECT_EQ_INT(visits, 1);
    EXPECT_EQ_UINT(map_len(&map), 1);
    for (uint64_t k = 0; k < OWNED; k++) {
        free(get(k));
    }
    map_free(&map);
}

/* By every way there is. */
static bool replace_others(go_map_key key, void *v, void *arg)
{
    int *visits = arg;
    int *mine = v;
    EXPECT_EQ_UINT(*mine, key.number);
    uint64_t k = (key.number + 1 + (uint64_t)*visits) % OWNED;
    void *other = NULL;
    if (*visits % 3 == 0) {
        int *fresh = owned(k);
        if (map_swap(&map, k, fresh, &other)) {
            free(other);
        }
    } else if (*visits % 3 == 1 && map_load(&map, k, &other)) {
        int *fresh = owned(k);
        EXPECT(map_compare_and_swap(&map, k, other, fresh));
        free(other);
    } else if (k != key.number && map_load(&map, k, &other)) {
        EXPECT(map_compare_and_delete(&map, k, other));
        free(other);
    }
    ++*visits;
    return true;
}

static bool clear_it(go_map_key key, void *v, void *arg)
{
    (void)key, (void)v;
    ++*(int *)arg;
    map_clear(&map);
    return true;
}

TEST(map, range_does_not_hand_over_what_its_visitor_has_replaced)
{
    int visits = 0;
    for (uint64_t k = 0; k < OWNED; k++) {
        map_store(&map, k, owned(k));
    }
    map_range(&map, replace_others, &visits);
    EXPECT_INT(visits, >=, OWNED / 2);
    for (uint64_t k = 0; k < OWNED; k++) {
        free(get(k));
    }
    visits = 0;
    map_range(&map, clear_it, &visits);
    EXPECT_EQ_INT(visits, 1);
    map_free(&map);
}

static bool note_text(go_map_key key, void *v, void *arg)
{
    EXPECT_EQ_INT(atoi(key.string), (long)(uintptr_t)v);
    map_delete((go_map *)arg, key.string); /* the key stays valid */
    EXPECT_EQ_INT(atoi(key.string), (long)(uintptr_t)v);
    times[(uintptr_t)v]++;
    return true;
}

TEST(map, range_lends_string_keys_that_may_be_deleted)
{
    char key[16];
    map_init(&map, GO_MAP_STRING);
    for (uintptr_t i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%d", (int)i);
        map_store(&map, key, V(i));
    }
    map_range(&map, note_text, &map);
    for (int i = 0; i < 1000; i++) {
        EXPECT_EQ_INT(times[i], 1);
    }
    EXPECT_EQ_UINT(map_len(&map), 0);
    map_free(&map);
}

/* The visitor stores so much that the table grows under the range, deletes, clears and ranges. */
static bool meddle(go_map_key key, void *v, void *arg)
{
    (void)arg;
    if (key.number < RANGE_KEYS) {
        note(key, v, NULL);
        for (uint64_t i = 0; i < 8; i++) {
            map_store(&map, (key.number * 8 + i) << 20 | RANGE_KEYS, v);
        }
    }
    return true;
}

static bool delete_next(go_map_key key, void *v, void *arg)
{
    note(key, v, arg);
    map_delete(&map, (key.number + 1) % RANGE_KEYS);
    return true;
}

static bool clear_and_store(go_map_key key, void *v, void *arg)
{
    note(key, v, NULL);
    int *left = arg;
    if (--*left == 0) {
        map_clear(&map);
        for (uint64_t k = 0; k < RANGE_KEYS; k += 100) {
            map_store(&map, k, V(k + 1));
        }
    }
    return true;
}

static bool nested(go_map_key key, void *v, void *arg)
{
    int left = 3;
    (void)arg, (void)v;
    map_range(&map, note, &left);
    return key.number % 50 != 0;
}

TEST(map, visitor_may_use_the_map)
{
    fill();
    map_range(&map, meddle, NULL);
    for (int k = 0; k < RANGE_KEYS; k++) {
        EXPECT_EQ_INT(times[k], 1);
    }
    map_clear(&map);
    fill();
    map_range(&map, delete_next, NULL);
    for (int k = 0; k < RANGE_KEYS; k++) {
        EXPECT_INT(times[k], <=, 1);
    }
    map_clear(&map);
    fill();
    int left = RANGE_KEYS / 2;
    map_range(&map, clear_and_store, &left);
    for (int k = 0; k < RANGE_KEYS; k++) {
        EXPECT_INT(times[k], <=, 1);
    }
    memset(times, 0, sizeof times);
    map_range(&map, nested, NULL);
    map_free(&map);
}

static bool leave(go_map_key key, void *v, void *arg)
{
    (void)key, (void)v;
    if (arg != NULL) {
        go_panic("visitor");
    }
    go_exit();
}

static void range_and_leave(void *arg) { map_range(&map, leave, arg); }

TEST(map, visitor_may_panic_and_exit)
{
    fill();
    go(range_and_leave, (void *)NULL);
    parked_alone();
    EXPECT(!go_try(NULL, range_and_leave, (void *)&map));
    map_free(&map);
}

/* ---- many at it */

static goi_a32 stop;

/* Keys of one's own: whatever the others do, they are as one left them. */
static void own_keys(uint64_t id, long n, go_waitgroup *wg)
{
    for (long i = 0; i < n; i++) {
        uint64_t k = id << 32 | (uint64_t)(i % 64);
        void *v = NULL;
        map_store(&map, k, V(i + 1));
        if (get(k) != V(i + 1)) {
            FAIL("a value that nobody else stores has changed");
        }
        if (i % 3 == 0) {
            EXPECT(map_load_and_delete(&map, k, &v));
            EXPECT_EQ_PTR(v, V(i + 1));
            EXPECT_EQ_PTR(get(k), NULL);
        }
    }
    for (uint64_t i = 0; i < 64; i++) {
        map_delete(&map, id << 32 | i);
    }
    wg_done(wg);
}

/* Keys that nobody deletes are always there, exactly once. */
enum { STABLE = 500 };

static bool count_stable(go_map_key key, void *v, void *arg)
{
    uint8_t *count = arg;
    if (key.number < STABLE) {
        EXPECT_EQ_PTR(v, V(key.number + 1));
        count[key.number]++;
    }
    return true;
}

static void range_all(go_waitgroup *wg)
{
    uint8_t *count = malloc(STABLE);
    do {
        memset(count, 0, STABLE);
        map_range(&map, count_stable, count);
        for (int k = 0; k < STABLE; k++) {
            if (count[k] != 1) {
                FAIL("key %d seen %d times", k, count[k]);
            }
        }
    } while (ld_rlx(&stop) == 0);
    free(count);
    wg_done(wg);
}

static void read_stable(go_waitgroup *wg)
{
    uint64_t k = 0;
    do {
        k = (k + 7) % STABLE;
        if (get(k) != V(k + 1)) {
            FAIL("key %d is lost", (int)k);
        }
        if (k % 64 == 0) {
            go_yield();
        }
    } while (ld_rlx(&stop) == 0);
    wg_done(wg);
}

static void *thread_reads(void *arg)
{
    read_stable(arg);
    return NULL;
}

TEST(map, many_read_write_and_range)
{
    go_waitgroup readers = {0};
    go_waitgroup writers = {0};
    pthread_t thread;
    for (uint64_t k = 0; k < STABLE; k++) {
        map_store(&map, k, V(k + 1));
    }
    wg_add(&readers, 4);
    go(range_all, &readers);
    go(read_stable, &readers);
    go(read_stable, &readers);
    pthread_create(&thread, NULL, thread_reads, &readers);
    wg_add(&writers, 6);
    for (uint64_t i = 1; i <= 6; i++) {
        go(own_keys, i, test_iterations(10000), &writers);
    }
    wg_wait(&writers);
    st_rlx(&stop, 1);
    wg_wait(&readers);
    pthread_join(thread, NULL);
    EXPECT_EQ_UINT(map_len(&map), STABLE);
    map_free(&map);
}

/* The table grows all the time, with keys that others look at. */
static void grow_range(uint64_t from, long n, go_waitgroup *wg)
{
    for (long i = 0; i < n; i++) {
        map_store(&map, STABLE + from + (uint64_t)i * 8, V(i));
    }
    wg_done(wg);
}

TEST(map, many_grow_it_while_others_read)
{
    for (long round = test_iterations(4); round > 0; round--) {
        go_waitgroup readers = {0};
        go_waitgroup writers = {0};
        st_rlx(&stop, 0);
        for (uint64_t k = 0; k < STABLE; k++) {
            map_store(&map, k, V(k + 1));
        }
        wg_add(&readers, 2);
        go(range_all, &readers);
        go(read_stable, &readers);
        wg_add(&writers, 4);
        for (uint64_t i = 0; i < 4; i++) {
            go(grow_range, i, 5000, &writers);
        }
        wg_wait(&writers);
        st_rlx(&stop, 1);
        wg_wait(&readers);
        EXPECT_EQ_UINT(map_len(&map), STABLE + 4 * 5000);
        map_clear(&map);
        EXPECT_EQ_UINT(map_len(&map), 0);
    }
    map_free(&map);
}

static void add_by_swap(long n, go_waitgroup *wg)
{
    for (long i = 0; i < n; i++) {
        void *v = NULL;
        do { /* ends: another one's progress */
            (void)map_load_or_store(&map, 1, V(0), &v);
        } while (!map_compare_and_swap(&map, 1, v, V((uintptr_t)v + 1)));
    }
    wg_done(wg);
}

TEST(map, compare_and_swap_loses_nothing)
{
    go_waitgroup wg = {0};
    const long n = test_iterations(5000);
    wg_add(&wg, 8);
    for (int i = 0; i < 8; i++) {
        go(add_by_swap, n, &wg);
    }
    wg_wait(&wg);
    EXPECT_EQ_PTR(get(1), V(8 * n));
    map_free(&map);
}

static goi_a32 winners;

static void race(uintptr_t me, uint64_t n, go_waitgroup *wg)
{
    for (uint64_t k = 0; k < n; k++) {
        void *v = NULL;
        if (!map_load_or_store(&map, k, V(me), &v)) {
            add_rlx(&winners, 1);
            EXPECT_EQ_PTR(v, V(me));
        }
        EXPECT_EQ_PTR(get(k), v);
    }
    wg_done(wg);
}

TEST(map, one_of_many_stores_a_new_key)
{
    go_waitgroup wg = {0};
    const long n = test_iterations(5000);
    wg_add(&wg, 8);
    for (uintptr_t i = 1; i <= 8; i++) {
        go(race, i, (uint64_t)n, &wg);
    }
    wg_wait(&wg);
    EXPECT_EQ_UINT(ld_rlx(&winners), n);
    EXPECT_EQ_UINT(map_len(&map), n);
    map_free(&map);
}

static void store_until_stopped(uint64_t k, go_waitgroup *wg)
{
    do {
        for (uint64_t i = 0; i < 50; i++) {
            map_store(&map, k * 1000 + i, V(i + 1));
            void *v = get(k * 1000 + i);
            EXPECT(v == NULL || v == V(i + 1));
        }
        go_yield();
    } while (ld_rlx(&stop) == 0);
    wg_done(wg);
}

TEST(map, clear_beside_writers)
{
    go_waitgroup wg = {0};
    wg_add(&wg, 4);
    for (uint64_t i = 0; i < 4; i++) {
        go(store_until_stopped, i, &wg);
    }
    for (long i = test_iterations(300); i > 0; i--) {
        map_clear(&map);
        go_yield();
    }
    st_rlx(&stop, 1);
    wg_wait(&wg);
    map_clear(&map);
    EXPECT_EQ_UINT(map_len(&map), 0);
    map_free(&map);
}

/* What is deleted is freed, not kept until the end. */
TEST(map, memory_is_given_back)
{
    if (test_under("valgrind") || test_under("address") || test_under("thread")) {
        SKIP("the allocator is the tool's");
    }
    for (int round = 0; round < 3; round++) {
        size_t before = mallinfo2().uordblks;
        for (uint64_t k = 0; k < 50000; k++) {
            map_store(&map, k % 16, V(k));
            map_delete(&map, k % 16);
        }
        EXPECT_INT((long)(mallinfo2().uordblks - before), <, 8 * 300 * 64);
    }
    map_free(&map);
}

static bool count_visit(go_map_key key, void *v, void *arg)
{
    EXPECT_EQ_PTR(v, V(key.number + 1));
    ++*(int *)arg;
    return true;
}

static void delete_some(uint64_t from, uint64_t to, uint64_t step)
{
    for (uint64_t k = from; k < to; k += step) {
        map_delete(&map, k);
    }
}

/* Most of a large map is deleted: what is left is there, and its memory is in proportion. */
TEST(map, shrinks_and_grows_again)
{
    enum { MANY = 40000, FEW = 100 };
    bool look = !test_under("valgrind") && !test_under("address") && !test_under("thread");
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (int round = 0; round < 2; round++) {
        for (uint64_t k = 0; k < MANY; k++) {
            map_store(&map, k, V(k + 1));
        }
        delete_some(FEW, MANY, 2);
        delete_some(FEW + 1, MANY, 2);
        EXPECT_EQ_UINT(map_len(&map), FEW);
        for (uint64_t k = 0; k < 2 * FEW; k++) {
            EXPECT_EQ_PTR(get(k), k < FEW ? V(k + 1) : NULL);
        }
        int visits = 0;
        map_range(&map, count_visit, &visits);
        EXPECT_EQ_INT(visits, FEW);
        if (look) { /* 512 KiB of buckets are gone; some entries wait to be freed */
            size_t now = mallinfo2().uordblks + mallinfo2().hblkhd;
            EXPECT_INT((long)(now - before), <, 8 * 300 * 64 + 64 * 1024);
        }
    }
    map_free(&map);
}

/* Goroutines that fill and empty it, each with its own keys, while others look and range. */
static goi_a32 swinging;

static void swing(uint64_t first, go_waitgroup *wg)
{
    for (long i = test_iterations(4); i > 0; i--) {
        for (uint64_t k = first; k < first + 4000; k++) {
            map_store(&map, k, V(k + 1));
        }
        for (uint64_t k = first; k < first + 4000; k++) {
            void *v = NULL;
            EXPECT(map_load_and_delete(&map, k, &v));
            EXPECT_EQ_PTR(v, V(k + 1));
        }
    }
    sub_acqrel(&swinging, 1);
    wg_done(wg);
}

static void look_on(go_waitgroup *wg)
{
    while (ld_acq(&swinging) != 0) { /* ends: those who swing do */
        int visits = 0;
        map_range(&map, count_visit, &visits);
        EXPECT_INT(visits, >=, 50);
        for (uint64_t k = 0; k < 50; k++) {
            EXPECT_EQ_PTR(get(k), V(k + 1));
        }
        go_yield();
    }
    wg_done(wg);
}

TEST(map, shrinks_while_others_use_it)
{
    go_waitgroup wg = {0};
    wg_add(&wg, 4);
    for (uint64_t k = 0; k < 50; k++) {
        map_store(&map, k, V(k + 1));
    }
    st_rlx(&swinging, 3);
    for (uint64_t i = 1; i <= 3; i++) {
        go(swing, i * 10000, &wg);
    }
    go(look_on, &wg);
    wg_wait(&wg);
    EXPECT_EQ_UINT(map_len(&map), 50);
    map_free(&map);
}
