/* SPDX-License-Identifier: MIT */
/* Every interleaving of go_map's buckets: reading while entries come and go and while the table
 * grows, writers of the same key, clearing. The hash is the key's own upper byte, and the first
 * table has two buckets. Reclaiming is taken for granted (model/reclaim): sections cost no steps,
 * and what is retired is freed when all sections that had begun are over. */
#include "model/sync.h"

/* Keys choose their bucket. */
#define GOI_SYNC_HASH_H
static inline uint64_t goi_hash_word(uint64_t key, uint64_t seed)
{
    (void)seed;
    return key << 56;
}
static inline uint64_t goi_hash_bytes(const char *key, size_t n, uint64_t seed)
{
    (void)n, (void)seed;
    return (uint64_t)(unsigned char)key[0] << 56;
}

/* Memory is never used again within a run, and nobody may touch what was freed. */
static char arena[1 << 16] GOI_ALIGNED(64);
static size_t used;
static int frees;

static GOI_NOINLINE void *model_alloc(size_t align, size_t size)
{
    used = goi_round_up(used, align);
    void *p = arena + used;
    used += size;
    EX_CHECK(used <= sizeof(arena));
    memset(p, 0, size);
    return p;
}

static void model_free(void *p)
{
    frees += p != NULL;
    if (p != NULL) {
        ex_freed(p, 1); /* its first word: next, or the table's shift */
    }
}

/* ---- sections */

#define GOI_SYNC_RECLAIM_H
struct goi_retired {
    struct goi_retired *next;
    void (*dispose)(struct goi_retired *r);
};

static int sections[EX_THREADS]; /* odd: in one */
static int seen[EX_THREADS][EX_THREADS];

static void goi_retired_seen(void) { }

static struct m *goi_read_begin(void)
{
    EX_CHECK(sections[ex.now]++ % 2 == 0);
    return &model_m[ex.now];
}

static void goi_read_end(struct m *m)
{
    EX_CHECK(m == &model_m[ex.now]);
    EX_CHECK(sections[ex.now]++ % 2 == 1);
}

static bool all_have_left(void *arg)
{
    const int *then = arg;
    for (int i = 0; i < ex.threads; i++) {
        if (then[i] % 2 == 1 && sections[i] == then[i]) {
            return false;
        }
    }
    return true;
}

static void goi_retire(struct goi_retired *r, void (*dispose)(struct goi_retired *r))
{
    EX_CHECK(sections[ex.now] % 2 == 0);
    memcpy(seen[ex.now], sections, sizeof(sections));
    ex_block(all_have_left, seen[ex.now]);
    dispose(r);
}

static void goi_retire_large(struct goi_retired *r, void (*dispose)(struct goi_retired *r),
                             size_t bytes)
{
    (void)bytes;
    goi_retire(r, dispose);
}

static struct m *goi_reader_slow(void) { return &model_m[ex.now]; }

#define malloc(size) model_alloc(16, size)
#define calloc(n, size) model_alloc(16, (n) * (size))
#define aligned_alloc(align, size) model_alloc(align, size)
#define free(p) model_free(p)
#define GOI_MAP_FIRST_BITS 1
#define GOI_MAP_COUNTS 1
/* Four buckets become two with the first deletion that leaves fewer than four entries. */
#define GOI_MAP_KEEP_BITS 1
#define GOI_MAP_SPARSE 1
#define GOI_MAP_SHRINK_BITS 1
#include "sync/map.c"
#undef malloc
#undef calloc
#undef aligned_alloc
#undef free

void goi_cleanup_push(struct goi_cleanup *c, void (*run)(struct goi_cleanup *), void *frame)
{
    (void)c, (void)run, (void)frame;
}

bool goi_cleanup_end(struct goi_cleanup *c)
{
    (void)c;
    return false;
}

/* ---- the programs: thread 0 fills the map while the others wait */

static go_map map;
static bool filled;
static int won;

#define V(x) ((void *)(uintptr_t)(x))

static void setup(void)
{
    model_reset();
    memset(&map, 0, sizeof(map));
    memset(sections, 0, sizeof(sections));
    goi_sched.have_membarrier = true;
    goi_sched.seed = 1;
    used = 0;
    frees = won = 0;
    filled = false;
}

static bool is_filled(void *arg)
{
    (void)arg;
    return filled;
}

static void *get(uint64_t key)
{
    void *v = NULL;
    (void)go_map_load(&map, key, &v);
    return v;
}

/* The first bit of a key's byte is its bucket of two, the second that of four. */
enum { A = 0x00, B = 0x40, C = 0x10, D = 0x80, E = 0x50 };

static void fill_chain(void)
{
    go_map_store(&map, A, V(1));
    go_map_store(&map, B, V(2)); /* the chain of bucket 0: B, A */
    filled = true;
}

static void after_filling(void) { ex_block(is_filled, NULL); }

static void fill_and_grow(void)
{
    fill_chain();
    go_map_store(&map, D, V(4)); /* the third of two: the table doubles, both buckets are moved */
    EX_CHECK(get(D) == V(4));
}

static void read_a(void)
{
    after_filling();
    EX_CHECK(get(A) == V(1)); /* K3: it was there all the time */
    EX_CHECK(get(A) == V(1));
}

static void read_b(void)
{
    after_filling();
    EX_CHECK(get(B) == V(2));
}

static void complete(void)
{
    EX_CHECK(filled);
    for (int i = 0; i < ex.threads; i++) {
        EX_CHECK(sections[i] % 2 == 0);
    }
}

TEST_LONG(model_map, what_is_there_is_found_while_the_table_grows, 120)
{
    const struct ex_program p = {.name = "one grows, two read",
                                 .setup = setup,
                                 .threads = {fill_and_grow, read_a, read_b},
                                 .check = complete,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
}

/* A value that is changed while its entry is copied. */
static void change_a(void)
{
    after_filling();
    go_map_store(&map, A, V(9));
    EX_CHECK(get(A) == V(9)); /* K4: nobody else writes it */
}

static void read_a_twice(void)
{
    after_filling();
    void *first = get(A);
    void *second = get(A);
    EX_CHECK(first == V(1) || first == V(9));
    EX_CHECK(second == V(9) || first == V(1)); /* it does not go back */
}

TEST_LONG(model_map, values_do_not_go_back_while_the_table_grows, 120)
{
    const struct ex_program p = {.name = "one grows, one stores, one reads",
                                 .setup = setup,
                                 .threads = {fill_and_grow, change_a, read_a_twice},
                                 .check = complete,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
}

/* Deleting in front of, and under, a reader. */
static void fill_and_delete_b(void)
{
    fill_chain();
    void *v = NULL;
    EX_CHECK(go_map_load_and_delete(&map, B, &v));
    EX_CHECK(v == V(2));
    EX_CHECK(get(B) == NULL);
}

static void read_b_or_not(void)
{
    after_filling();
    void *first = get(B);
    void *second = get(B);
    EX_CHECK(first == V(2) || first == NULL);
    EX_CHECK(second == first || second == NULL);
}

TEST_LONG(model_map, deleting_does_not_disturb_readers, 120)
{
    const struct ex_program p = {.name = "one deletes, two read",
                                 .setup = setup,
                                 .threads = {fill_and_delete_b, read_a, read_b_or_not},
                                 .check = complete,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "one deletes, one reads, with store buffers",
                                 .setup = setup,
                                 .threads = {fill_and_delete_b, read_b_or_not},
                                 .check = complete,
                                 .preemptions = 3,
                                 .store_buffers = true};
    EXPECT(ex_explore(&q));
}

static void delete_b(void)
{
    after_filling();
    won += go_map_load_and_delete(&map, B, (void **)NULL);
}

static void one_deleted_it(void)
{
    complete();
    EX_CHECK(won == 1);
}

static void grow_and_delete_b(void)
{
    fill_and_grow();
    won += go_map_load_and_delete(&map, B, (void **)NULL);
    EX_CHECK(get(B) == NULL);
}

TEST_LONG(model_map, one_of_two_deletes_while_the_table_grows, 120)
{
    const struct ex_program p = {.name = "one grows and deletes, one deletes",
                                 .setup = setup,
                                 .threads = {grow_and_delete_b, delete_b},
                                 .check = one_deleted_it,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
}

static void read_some(void)
{
    after_filling();
    void *v = get(B);
    EX_CHECK(v == NULL || v == V(2));
}

/* Shrinking: four buckets, A and C in the first, B in the second, D in the third. Deleting D leaves
 * two of them empty, and moves the first two into one: C and A are shared or B is copied. */
static void fill_four(void)
{
    go_map_store(&map, A, V(1));
    go_map_store(&map, B, V(2));
    go_map_store(&map, D, V(4)); /* four buckets */
    go_map_store(&map, C, V(3));
    filled = true;
}

static void fill_and_shrink(void)
{
    fill_four();
    go_map_delete(&map, D);
    EX_CHECK(get(D) == NULL);
    EX_CHECK(get(A) != NULL); /* what others change is a value */
    struct table *t = ld_acq(place(&map));
    EX_CHECK(size_of(t) == 2);
}

TEST_LONG(model_map, what_is_there_is_found_while_the_table_shrinks, 120)
{
    const struct ex_program p = {.name = "one shrinks, two read",
                                 .setup = setup,
                                 .threads = {fill_and_shrink, read_a, read_b},
                                 .check = complete,
                                 .preemptions = 1};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "one shrinks, one reads",
                                 .setup = setup,
                                 .threads = {fill_and_shrink, read_b},
                                 .check = complete,
                                 .preemptions = 3};
    EXPECT(ex_explore(&q));
}

static void change_b(void)
{
    after_filling();
    go_map_store(&map, B, V(9)); /* the one that is copied */
    EX_CHECK(get(B) == V(9)); /* K4: nobody else writes it */
}

static void read_b_twice(void)
{
    after_filling();
    void *first = get(B);
    void *second = get(B);
    EX_CHECK(first == V(2) || first == V(9));
    EX_CHECK(second == V(9) || first == V(2)); /* it does not go back */
}

TEST_LONG(model_map, values_do_not_go_back_while_the_table_shrinks, 120)
{
    const struct ex_program p = {.name = "one shrinks, one stores, one reads",
                                 .setup = setup,
                                 .threads = {fill_and_shrink, change_b, read_b_twice},
                                 .check = complete,
                                 .preemptions = 1};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "one shrinks, one stores",
                                 .setup = setup,
                                 .threads = {fill_and_shrink, change_b},
                                 .check = complete,
                                 .preemptions = 3};
    EXPECT(ex_explore(&q));
}

static void shrink_and_delete_b(void)
{
    fill_four();
    go_map_delete(&map, D);
    won += go_map_load_and_delete(&map, B, (void **)NULL);
    EX_CHECK(get(B) == NULL);
    EX_CHECK(get(A) == V(1));
    EX_CHECK(get(C) == V(3));
}

TEST_LONG(model_map, one_of_two_deletes_while_the_table_shrinks, 120)
{
    const struct ex_program p = {.name = "one shrinks and deletes, one deletes",
                                 .setup = setup,
                                 .threads = {shrink_and_delete_b, delete_b},
                                 .check = one_deleted_it,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
}

static void one_won(void)
{
    complete();
    EX_CHECK(won == 1);
}

/* A new key while the table shrinks, which makes it crowded again. */
static void store_e(void)
{
    void *actual = NULL;
    after_filling();
    if (!go_map_load_or_store(&map, E, V(10 + ex.now), &actual)) {
        won++;
    }
    EX_CHECK(get(E) == actual);
}

static void shrink_and_store_e(void)
{
    fill_four();
    go_map_delete(&map, D);
    store_e();
}

TEST_LONG(model_map, one_of_two_stores_a_new_key_while_the_table_shrinks, 120)
{
    const struct ex_program p = {.name = "one shrinks, two store the same key",
                                 .setup = setup,
                                 .threads = {shrink_and_store_e, store_e},
                                 .check = one_won,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
}

static void fill_shrink_and_clear(void)
{
    fill_four();
    go_map_delete(&map, D);
    go_map_clear(&map);
    EX_CHECK(get(A) == NULL);
}

TEST_LONG(model_map, clear_beside_one_who_shrinks, 120)
{
    const struct ex_program p = {.name = "one deletes and clears, one deletes, one reads",
                                 .setup = setup,
                                 .threads = {fill_shrink_and_clear, delete_b, read_some},
                                 .check = complete,
                                 .preemptions = 1};
    EXPECT(ex_explore(&p));
}

/* The same key from several sides, with the table growing: one entry, one winner. */
static void store_c(void)
{
    void *actual = NULL;
    after_filling();
    if (!go_map_load_or_store(&map, C, V(10 + ex.now), &actual)) {
        won++;
        EX_CHECK(actual == V(10 + ex.now));
    }
    EX_CHECK(get(C) == actual);
}

static void fill_and_store_c(void)
{
    fill_chain();
    store_c();
}

TEST_LONG(model_map, one_of_many_stores_a_new_key, 120)
{
    const struct ex_program p = {.name = "two store the same key, the table grows",
                                 .setup = setup,
                                 .threads = {fill_and_store_c, store_c},
                                 .check = one_won,
                                 .preemptions = 3};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "three store the same key, the table grows",
                                 .setup = setup,
                                 .threads = {fill_and_store_c, store_c, store_c},
                                 .check = one_won,
                                 .preemptions = 1};
    EXPECT(ex_explore(&q));
}

static void swap_a(void)
{
    after_filling();
    won += go_map_compare_and_swap(&map, A, V(1), V(20 + ex.now));
}

static void fill_and_swap_a(void)
{
    fill_chain();
    swap_a();
}

TEST_LONG(model_map, one_of_many_swaps, 120)
{
    const struct ex_program p = {.name = "three compare and swap",
                                 .setup = setup,
                                 .threads = {fill_and_swap_a, swap_a, swap_a},
                                 .check = one_won,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
}

/* Clear takes everything that was there before, and writers that are at it do no harm. */
static void fill_and_clear(void)
{
    fill_chain();
    go_map_clear(&map);
    EX_CHECK(get(A) == NULL);
    EX_CHECK(get(B) == NULL);
}

static void store_d_and_e(void)
{
    after_filling();
    go_map_store(&map, D, V(4));
    go_map_store(&map, E, V(5)); /* the table may double */
    void *v = get(E);
    EX_CHECK(v == NULL || v == V(5));
}

TEST_LONG(model_map, clear_takes_all_and_frees_it_when_nobody_is_in_it, 120)
{
    const struct ex_program p = {.name = "one clears, one stores, one reads",
                                 .setup = setup,
                                 .threads = {fill_and_clear, store_d_and_e, read_some},
                                 .check = complete,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
}
