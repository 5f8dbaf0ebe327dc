/* SPDX-License-Identifier: MIT */
/* map.c: go_map, a hash table that goroutines share (Go's sync.Map).
 *
 * Reading takes no lock and writes nothing that others read: it hashes the key, follows a pointer
 * from a bucket and compares. Writers lock one bucket, by a bit of its pointer. The difficulties
 * are memory (an entry may go while it is read), growing (everything moves while it is read), and
 * a range whose visitor may park, delete and store.
 *
 * Structure. A table is an array of buckets, each the head of a chain of entries. The upper bits of
 * the hash are the index, so when a table doubles, bucket j becomes 2j and 2j + 1, and the order of
 * the hashes, which is the order of a range, stays. An entry's key never changes; its value is one
 * word, stored in place.
 *
 *     head    pointer to the first entry | LOCK | MOVED
 *
 * Growing. Who finds the table crowded hangs a larger one at `next`; who inserts moves a few
 * buckets over. To move a bucket: lock it, build the two chains in the new table, then store
 * MOVED, which is also the unlock. From then on readers and writers of that bucket go on to the
 * next table. Readers that were in the old chain must find it as it was, so nothing of it is
 * changed: entries before the last run of those that go to the same new bucket are copied, that
 * run is shared by the old chain and the new one (most chains are one entry long, and are only
 * shared). Who moves the last bucket puts the new table in the old one's place.
 *
 *   K1  A key is in at most one entry that can be reached from the current table.
 *       (tests/model/map)
 *   K2  A chain changes under its bucket's lock only: insertion at the head, unlinking by one
 *       store. An entry that was unlinked keeps its own link: who stands on it finds the rest.
 *                                                                               (tests/model/map)
 *   K3  A reader that does not find a key: there was an instant in its call when it was not there.
 *       Chains are never re-linked, so it has seen every entry that was there all the time.
 *                                                                               (tests/model/map)
 *   K4  A reader that finds a value: it was the key's value at an instant of the call. An entry
 *       that was copied keeps its last value; who reads that began before the bucket was moved.
 *                                                                               (tests/model/map)
 *   K5  The two new buckets are written by the mover alone, before MOVED can be seen.  (asserts)
 *   K6  Entries, tables and generations are freed through reclaim.h; everybody who follows pointers
 *       is in a section, writers as well.                                   (ASan, tests/model/map)
 *   K7  A range visits hashes in ascending order and goes on behind the last bucket that it has
 *       copied out: no key twice. The visitor runs in no section and with no lock.
 *                                                              (tests/unit/sync/map, range tests)
 *
 * Clear takes the whole generation (tables, entries, counts) out by one exchange. A generation
 * begins as one allocation: the first table, which has the counts in it and stays for as long as
 * they do. A writer that is at work in it then has done so before the clear: its call began before
 * the clear ended.
 *
 * Memory order: [MAP] release of the store that publishes a table, a bucket, a link or a value,
 * acquire of the load that finds it. [WORD] the lock bit. [EPOCH] see reclaim.h.
 *
 * Rejected: Go's hash trie (a lock for each node, no growing as a whole; three dependent loads more
 * for a thousand keys). Rejected: open addressing with versions: readers would wait for a writer
 * that lost its processor. Rejected: moving entries by re-linking, as saves the copies: readers
 * would have to look again, and wait for the mover.
 */
#include "sync/hash.h"
#include "sync/internal.h"
#include "sync/reclaim.h"
#include <stdlib.h>

#ifndef GOI_MAP_FIRST_BITS
#define GOI_MAP_FIRST_BITS 3
#endif

#ifndef GOI_MAP_COUNTS
#define GOI_MAP_COUNTS 8
#endif

enum { HELP = 8, COUNTS = GOI_MAP_COUNTS, EXACT = 128, SAMPLE = 16, SPREAD = 64 };

#define LOCK ((uintptr_t)1)
#define MOVED ((uintptr_t)2)
#define FLAGS (LOCK | MOVED)

_Static_assert(sizeof(go_map) == 16, "go_map is part of the ABI");

struct entry {
    goi_aptr next;                  /* [a:MAP] K2 */
    goi_aptr value;                 /* [a:MAP] stored under the bucket's lock */
    uint64_t word;                  /* [c] the number, or the hash of the string */
    struct goi_retired retired;     /* [o] who unlinked it */
    char key[];                     /* [c] a string's */
};
_Static_assert(sizeof(struct entry) == 40, "what malloc gives for 32 and for 40 is the same");

/* Parts of a number, so that writers do not meet at one word. */
struct spread {
    struct { goi_ai64 n; } GOI_ALIGNED(GOI_CACHE_LINE) part[COUNTS];
};

/* How many entries: the sum of `few` and `many`, which is made when more than SPREAD come. */
struct counts {
    goi_ai64 few;
    goi_aptr many;                  /* [a:MAP] struct spread */
};

struct table {
    struct counts own;              /* the generation's, in its first table, which stays for that */
    uint32_t shift;                 /* [c] index = hash >> shift */
    uint32_t kind;                  /* [c] enum go_map_kind */
    uint64_t seed;                  /* [c] */
    goi_aptr next;                  /* [a:MAP] the larger one, once it grows */
    struct counts *counts;          /* [c] of the generation */
    struct goi_retired retired;     /* [o] who took it out */
    goi_a64 claimed, moved;         /* buckets that somebody moves; that have been moved */
    goi_aptr bucket[];              /* [a:MAP] */
};

/* A key as it is looked for. */
struct wanted {
    uint64_t hash, word;
    const char *string;             /* NULL: a number */
    size_t size;                    /* of the string, with its end */
};

static GOI_COLD void die(void) { goi_fatal("out of memory (go_map)"); }

static void *must(void *p)
{
    if (GOI_UNLIKELY(p == NULL)) {
        die();
    }
    return p;
}

GOI_INLINE goi_aptr *place(go_map *m) { return goi_wordptr(&m->impl); }
GOI_INLINE uintptr_t bits(void *head) { return (uintptr_t)head; }
GOI_INLINE struct entry *first_of(uintptr_t head) { return (struct entry *)(head & ~FLAGS); }
GOI_INLINE uint64_t size_of(const struct table *t) { return (uint64_t)1 << (64 - t->shift); }
GOI_INLINE uint64_t index_of(const struct table *t, uint64_t hash) { return hash >> t->shift; }

static uint64_t hash_of(const struct table *t, const struct entry *e)
{
    return t->kind == GO_MAP_STRING ? e->word : goi_hash_word(e->word, t->seed);
}

/* --- keys */

static GOI_COLD void wrong_kind(void) { goi_fatal("go_map: key of the wrong kind"); }

/* The seed is the process's, not the map's: a key's place in a range outlives a clear (K7). */
GOI_INLINE struct wanted wanted_of(const go_map *m, enum go_map_kind kind, go_map_key k)
{
    struct wanted w;
    if (GOI_UNLIKELY(m->kind != (go_word)kind)) {
        wrong_kind();
    }
    if (GOI_UNLIKELY(goi_sched.seed == 0)) {
        (void)goi_reader_slow(); /* the runtime, and the seed with it */
    }
    if (kind == GO_MAP_STRING) {
        w.string = k.string;
        w.size = strlen(k.string) + 1;
        w.hash = w.word = goi_hash_bytes(k.string, w.size - 1, goi_sched.seed);
    } else {
        w.string = NULL;
        w.size = 0;
        w.word = k.number;
        w.hash = goi_hash_word(k.number, goi_sched.seed);
    }
    return w;
}

GOI_INLINE bool matches(const struct entry *e, const struct wanted *w)
{
    if (e->word != w->word || w->string == NULL) {
        return e->word == w->word;
    }
    goi_race_acquire(e); /* the race detector watches strcmp */
    bool same = strcmp(e->key, w->string) == 0;
    goi_retired_seen();
    return GOI_LIKELY(same);
}

static struct entry *entry_new(const struct wanted *w)
{
    struct entry *e = must(malloc(sizeof *e + w->size));
    e->word = w->word;
    if (w->size != 0) {
        memcpy(e->key, w->string, w->size);
    }
    goi_retired_seen();
    return e;
}

/* --- memory */

static void entry_free(struct goi_retired *r)
{
    free(goi_container_of(r, struct entry, retired));
}

static void table_free(struct goi_retired *r)
{
    free(goi_container_of(r, struct table, retired));
}

/* `counts`: of the generation; NULL: its own, it is the first. */
static struct table *table_new(const go_map *m, uint32_t log, struct counts *counts)
{
    struct table *t = must(calloc(1, sizeof *t + sizeof(goi_aptr) * ((size_t)1 << log)));
    goi_retired_seen();
    t->shift = 64 - log;
    t->kind = m->kind;
    t->seed = goi_sched.seed;
    t->counts = counts != NULL ? counts : &t->own;
    return t;
}

/* All of it: nobody looks at it any more. Entries that were copied have been retired by the mover,
 * those that are shared are found in the newest table. */
static void generation_free(struct table *t)
{
    struct table *first = goi_container_of(t->counts, struct table, own);
    free(ld_rlx(&first->own.many));
    if (t != first) {
        free(first);
    }
    while (t != NULL) {
        struct table *next = ld_rlx(&t->next);
        for (uint64_t i = 0; i < size_of(t); i++) {
            struct entry *e = first_of(bits(ld_rlx(&t->bucket[i])));
            while (e != NULL) {
                struct entry *after = ld_rlx(&e->next);
                free(e);
                e = after;
            }
        }
        free(t);
        t = next;
    }
}

static void generation_free_retired(struct goi_retired *r)
{
    generation_free(goi_container_of(r, struct table, retired));
}

/* The current table, made if there is none. Not in a section; a hint outside one. */
static GOI_COLD void generation_ensure(go_map *m)
{
    struct table *t = table_new(m, GOI_MAP_FIRST_BITS, NULL);
    void *none = NULL;
    if (!cas_acqrel(place(m), &none, t)) { /* [MAP] */
        generation_free(t);
    }
}

/* --- reading, in a section */

GOI_INLINE struct entry *find(struct table *t, const struct wanted *w)
{
    uintptr_t head;
    for (;;) { /* ends: there are as many tables as the memory has bits */
        head = bits(ld_acq(&t->bucket[index_of(t, w->hash)])); /* [MAP] */
        if (GOI_LIKELY((head & MOVED) == 0)) {
            break;
        }
        t = ld_acq(&t->next); /* [MAP] */
    }
    struct entry *e = first_of(head);
    while (e != NULL && !matches(e, w)) { /* ends: K2, K3 */
        e = ld_acq(&e->next); /* [MAP] */
    }
    return e;
}

GOI_INLINE bool load(go_map *m, const struct wanted *w, void **v)
{
    struct m *reader = goi_read_begin();
    struct table *t = ld_acq(place(m)); /* [MAP] */
    struct entry *e = GOI_LIKELY(t != NULL) ? find(t, w) : NULL;
    void *value = NULL;
    if (e != NULL) {
        value = ld_acq(&e->value); /* [MAP] K4 */
        goi_race_acquire(e);
    }
    goi_read_end(reader);
    if (v != NULL) {
        *v = value;
    }
    return e != NULL;
}

bool goi_map_load(go_map *m, enum go_map_kind kind, go_map_key k, void **v)
{
    if (GOI_LIKELY(kind == GO_MAP_UINT64)) { /* each has its own code */
        const struct wanted w = wanted_of(m, GO_MAP_UINT64, k);
        return load(m, &w, v);
    }
    const struct wanted w = wanted_of(m, GO_MAP_STRING, k);
    return load(m, &w, v);
}

/* --- writing: a bucket under its lock */

struct spot {
    struct m *reader;
    struct table *t;
    goi_aptr *bucket;
    uintptr_t head;                 /* without LOCK */
    struct entry *before, *e;       /* the key's entry, or NULL; the one that links to it */
};

static void bucket_lock(struct spot *s, uint64_t hash)
{
    uint32_t round = 0;
    for (;;) { /* ends: goi_word_wait; as many tables as the memory has bits */
        s->bucket = &s->t->bucket[index_of(s->t, hash)];
        void *head = ld_rlx(s->bucket);
        if ((bits(head) & MOVED) != 0) {
            s->t = ld_acq(&s->t->next); /* [MAP] */
        } else if ((bits(head) & LOCK) != 0) {
            goi_word_wait(&round);
        } else if (cas_acq(s->bucket, &head, (void *)(bits(head) | LOCK))) { /* [WORD] [MAP] */
            s->head = bits(head);
            return;
        }
    }
}

/* Unlocks, with a new head. */
GOI_INLINE void bucket_unlock(const struct spot *s, struct entry *first)
{
    st_rel(s->bucket, first); /* [WORD] [MAP] */
}

/* False: the map is empty, and nothing was begun. Otherwise spot_leave follows. */
static bool spot_enter(struct spot *s, go_map *m, const struct wanted *w)
{
    s->reader = goi_read_begin();
    s->t = ld_acq(place(m)); /* [MAP] */
    if (s->t == NULL) {
        goi_read_end(s->reader);
        return false;
    }
    bucket_lock(s, w->hash);
    s->before = NULL;
    s->e = first_of(s->head);
    while (s->e != NULL && !matches(s->e, w)) { /* ends: K2 */
        s->before = s->e;
        s->e = ld_rlx(&s->e->next); /* under the lock */
    }
    return true;
}

static void spot_leave(struct spot *s)
{
    bucket_unlock(s, first_of(s->head));
    goi_read_end(s->reader);
}

/* --- counting and growing */

static int64_t counts_sum(struct counts *c)
{
    int64_t sum = ld_rlx(&c->few);
    struct spread *many = ld_acq(&c->many); /* [MAP] */
    for (int i = 0; many != NULL && i < COUNTS; i++) {
        sum += ld_rlx(&many->part[i].n); /* [stat] exact when nobody writes */
    }
    return sum;
}

/* Returns the caller's part. */
static int64_t count(const struct spot *s, int64_t change)
{
    struct counts *c = s->t->counts;
    struct spread *many = ld_acq(&c->many); /* [MAP] */
    goi_ai64 *n = many != NULL ? &many->part[(uint32_t)s->reader->id % COUNTS].n : &c->few;
    return add_rlx(n, change) + change;
}

static void counts_spread(struct counts *c)
{
    struct spread *many = must(aligned_alloc(GOI_CACHE_LINE, sizeof *many));
    void *none = NULL;
    memset(many, 0, sizeof *many);
    if (!cas_acqrel(&c->many, &none, many)) { /* [MAP] */
        free(many);
    }
}

/* Moves bucket j, which is claimed, to the next table. Returns the entries that were copied. */
static struct entry *bucket_move(struct table *t, struct table *to, uint64_t j)
{
    struct spot s = {.t = t};
    bucket_lock(&s, j << t->shift);
    goi_assert(s.t == t); /* nobody else moves it */
    struct entry *run = first_of(s.head); /* the last run of entries that stay together */
    struct entry *chain[2] = {NULL, NULL};
    struct entry *copied = NULL;
    for (struct entry *e = run; e != NULL; e = ld_rlx(&e->next)) {
        if (index_of(to, hash_of(t, e)) != index_of(to, hash_of(t, run))) {
            run = e;
        }
    }
    if (run != NULL) {
        chain[index_of(to, hash_of(t, run)) & 1] = run;
    }
    for (struct entry *e = first_of(s.head); e != run; e = ld_rlx(&e->next)) {
        goi_race_acquire(e);
        size_t size = t->kind == GO_MAP_STRING ? strlen(e->key) + 1 : 0;
        struct entry *copy = must(malloc(sizeof *copy + size));
        struct entry **at = &chain[index_of(to, hash_of(t, e)) & 1];
        copy->word = e->word;
        memcpy(copy->key, e->key, size);
        st_rlx(&copy->value, ld_rlx(&e->value));
        st_rlx(&copy->next, *at); /* published with the bucket */
        goi_race_release(copy);
        goi_retired_seen();
        *at = copy;
        e->retired.next = copied != NULL ? &copied->retired : NULL; /* ours: it is out with MOVED */
        copied = e;
    }
    for (uint64_t i = 0; i < 2; i++) {
        goi_assert(ld_rlx(&to->bucket[2 * j + i]) == NULL); /* K5 */
        st_rel(&to->bucket[2 * j + i], chain[i]); /* [MAP] */
    }
    st_rel(s.bucket, (void *)MOVED); /* [WORD] [MAP] K5 */
    return copied;
}

/* Moves some buckets of t. In a section, which ends. */
static GOI_COLD void help_grow(go_map *m, struct table *t, struct m *reader)
{
    struct table *to = ld_acq(&t->next); /* [MAP] */
    struct goi_retired *copied = NULL;
    bool over = false;
    uint64_t j = add_rlx(&t->claimed, HELP);
    for (uint64_t end = j + HELP; j < end && j < size_of(t); j++) {
        struct entry *e = bucket_move(t, to, j);
        while (e != NULL) {
            struct goi_retired *next = e->retired.next;
            e->retired.next = copied;
            copied = &e->retired;
            e = next != NULL ? goi_container_of(next, struct entry, retired) : NULL;
        }
        if (add_acqrel(&t->moved, 1) + 1 == size_of(t)) { /* [MAP] all buckets of `to` */
            void *current = t;
            over = cas_acqrel(place(m), &current, to); /* [MAP]; no: it was cleared */
        }
    }
    goi_read_end(reader);
    while (copied != NULL) {
        struct goi_retired *next = copied->next;
        goi_retire(copied, entry_free);
        copied = next;
    }
    if (over && t->counts != &t->own) { /* the first table has the counts */
        goi_retire(&t->retired, table_free);
    }
}

static bool crowded(const struct table *t, int64_t part)
{
    uint64_t size = size_of(t);
    if (size > EXACT && part % SAMPLE != 0) {
        return false;
    }
    int64_t n = counts_sum(t->counts);
    return n > 0 && (uint64_t)n > size;
}

/* After an insertion, which made the caller's part of the count `part`. Ends the section. */
static void grow(go_map *m, struct spot *s, int64_t part)
{
    struct table *t = ld_acq(place(m)); /* [MAP] */
    if (t == NULL || t->counts != s->t->counts) { /* cleared meanwhile */
        goi_read_end(s->reader);
        return;
    }
    if (ld_rlx(&t->next) == NULL) {
        if (GOI_LIKELY(!crowded(t, part))) {
            goi_read_end(s->reader);
            return;
        }
        if (size_of(t) >= SPREAD && ld_acq(&t->counts->many) == NULL) { /* [MAP] */
            counts_spread(t->counts);
        }
        struct table *larger = table_new(m, 64 - t->shift + 1, t->counts);
        void *none = NULL;
        if (!cas_acqrel(&t->next, &none, larger)) { /* [MAP] */
            free(larger);
        }
    }
    help_grow(m, t, s->reader);
}

/* --- the operations */

/* Stores v, or finds out what is there. IF_ABSENT: after a look that did not find it. */
enum store { ALWAYS, IF_ABSENT };

static bool store(go_map *m, const struct wanted *w, void *v, enum store how, void **old)
{
    /* Who looked for it just now in vain will need it; otherwise it is seen when locked. */
    struct entry *fresh = how == IF_ABSENT ? entry_new(w) : NULL;
    struct spot s;
    *old = NULL;
    for (;;) { /* ends: the second turn has a fresh entry; a clear in between may add one */
        if (!spot_enter(&s, m, w)) {
            generation_ensure(m);
            fresh = fresh == NULL ? entry_new(w) : fresh;
            continue;
        }
        if (s.e != NULL) {
            *old = ld_rlx(&s.e->value);
            if (how == ALWAYS) {
                goi_race_release(s.e);
                st_rel(&s.e->value, v); /* [MAP] */
            }
            goi_race_acquire(s.e);
            spot_leave(&s);
            free(fresh);
            return true;
        }
        if (fresh != NULL) {
            break;
        }
        spot_leave(&s);
        fresh = entry_new(w);
    }
    st_rlx(&fresh->value, v);
    st_rlx(&fresh->next, first_of(s.head)); /* published with the head */
    goi_race_release(fresh);
    bucket_unlock(&s, fresh); /* K1 */
    grow(m, &s, count(&s, 1));
    return false;
}

/* Takes the key out, if its value is the expected one (or `any`). */
static bool take(go_map *m, const struct wanted *w, bool any, void *expected, void **v)
{
    struct spot s;
    if (!spot_enter(&s, m, w)) {
        return false;
    }
    void *value = s.e != NULL ? ld_rlx(&s.e->value) : NULL;
    if (s.e == NULL || (!any && value != expected)) {
        spot_leave(&s);
        return false;
    }
    struct entry *after = ld_rlx(&s.e->next);
    goi_race_acquire(s.e);
    if (s.before != NULL) {
        st_rel(&s.before->next, after); /* [MAP] K2 */
        after = first_of(s.head);
    }
    bucket_unlock(&s, after);
    (void)count(&s, -1);
    goi_read_end(s.reader);
    goi_retire(&s.e->retired, entry_free); /* K6 */
    *v = value;
    return true;
}

void goi_map_store(go_map *m, enum go_map_kind kind, go_map_key k, void *v)
{
    const struct wanted w = wanted_of(m, kind, k);
    void *old;
    (void)store(m, &w, v, ALWAYS, &old);
}

bool goi_map_swap(go_map *m, enum go_map_kind kind, go_map_key k, void *v, void **previous)
{
    const struct wanted w = wanted_of(m, kind, k);
    void *old;
    bool there = store(m, &w, v, ALWAYS, &old);
    if (previous != NULL) {
        *previous = old;
    }
    return there;
}

bool goi_map_load_or_store(go_map *m, enum go_map_kind kind, go_map_key k, void *v, void **actual)
{
    const struct wanted w = wanted_of(m, kind, k);
    void *old;
    bool there = load(m, &w, &old) || store(m, &w, v, IF_ABSENT, &old);
    if (actual != NULL) {
        *actual = there ? old : v;
    }
    return there;
}

bool goi_map_load_and_delete(go_map *m, enum go_map_kind kind, go_map_key k, void **v)
{
    const struct wanted w = wanted_of(m, kind, k);
    void *old = NULL;
    bool there = load(m, &w, NULL) && take(m, &w, true, NULL, &old);
    if (v != NULL) {
        *v = there ? old : NULL;
    }
    return there;
}

void goi_map_delete(go_map *m, enum go_map_kind kind, go_map_key k)
{
    (void)goi_map_load_and_delete(m, kind, k, NULL);
}

bool goi_map_compare_and_swap(go_map *m, enum go_map_kind kind, go_map_key k, void *expected,
                              void *v)
{
    const struct wanted w = wanted_of(m, kind, k);
    struct spot s;
    void *old;
    if (!load(m, &w, &old) || old != expected || !spot_enter(&s, m, &w)) {
        return false;
    }
    bool same = s.e != NULL && ld_rlx(&s.e->value) == expected;
    if (same) {
        goi_race_acquire(s.e);
        goi_race_release(s.e);
        st_rel(&s.e->value, v); /* [MAP] */
    }
    spot_leave(&s);
    return same;
}

bool goi_map_compare_and_delete(go_map *m, enum go_map_kind kind, go_map_key k, void *expected)
{
    const struct wanted w = wanted_of(m, kind, k);
    void *old;
    return load(m, &w, &old) && old == expected && take(m, &w, false, expected, &old);
}

/* --- the map as a whole */

void go_map_init(go_map *m, enum go_map_kind kind)
{
    *m = (go_map){.kind = (go_word)kind};
}

void go_map_free(go_map *m)
{
    struct table *t = xchg_acqrel(place(m), NULL); /* [MAP] */
    if (t != NULL) {
        generation_free(t);
    }
}

void go_map_clear(go_map *m)
{
    struct m *reader = goi_read_begin();
    struct table *t = xchg_acqrel(place(m), NULL); /* [MAP] */
    goi_read_end(reader);
    if (t != NULL) {
        goi_retire(&t->retired, generation_free_retired);
    }
}

size_t go_map_len(const go_map *m)
{
    struct m *reader = goi_read_begin();
    const struct table *t = ld_acq(goi_wordptr((void *)(uintptr_t)&m->impl)); /* [MAP] */
    int64_t n = t != NULL ? counts_sum(t->counts) : 0;
    goi_read_end(reader);
    return n > 0 ? (size_t)n : 0;
}

/* --- range */

enum { ENOUGH = 64 };

/* Some buckets' entries, copied out: what the visitor does to the map does not matter to them. */
struct sight {
    go_map_key key;
    size_t at;                      /* of a string, in `text` */
    void *value;
};

struct tour {
    struct goi_cleanup cleanup;
    uint64_t hash;                  /* K7: what lies below has been copied out */
    bool over;
    size_t n, room, used, text_room;
    struct sight *sight;
    char *text;
};

static void tour_end(struct goi_cleanup *c)
{
    struct tour *r = goi_container_of(c, struct tour, cleanup);
    free(r->sight);
    free(r->text);
}

static void tour_leave(struct tour *r) { (void)goi_cleanup_end(&r->cleanup); }

GOI_INLINE void tour_add(struct tour *r, const struct table *t, struct entry *e)
{
    if (r->n == r->room) {
        r->room = r->room == 0 ? ENOUGH + 8 : 2 * r->room;
        r->sight = must(realloc(r->sight, r->room * sizeof *r->sight));
    }
    struct sight *s = &r->sight[r->n++];
    s->value = ld_acq(&e->value); /* [MAP] */
    goi_race_acquire(e);
    s->key.number = e->word;
    if (t->kind == GO_MAP_STRING) {
        size_t size = strlen(e->key) + 1;
        if (r->used + size > r->text_room) {
            r->text_room = 2 * r->text_room + size;
            r->text = must(realloc(r->text, r->text_room));
        }
        memcpy(r->text + r->used, e->key, size);
        goi_retired_seen();
        s->at = r->used;
        r->used += size;
    }
}

/* Copies out the bucket that r->hash lies in, and goes behind it. In a section. */
static void tour_bucket(struct tour *r, struct table *t)
{
    uintptr_t head = bits(ld_acq(&t->bucket[index_of(t, r->hash)])); /* [MAP] */
    while ((head & MOVED) != 0) { /* ends: as many tables as the memory has bits */
        t = ld_acq(&t->next); /* [MAP] */
        head = bits(ld_acq(&t->bucket[index_of(t, r->hash)])); /* [MAP] */
    }
    uint64_t next = index_of(t, r->hash) + 1;
    bool whole = r->hash == (next - 1) << t->shift; /* after a clear a bucket may begin before */
    for (struct entry *e = first_of(head); e != NULL; e = ld_acq(&e->next)) { /* [MAP] */
        if (whole || hash_of(t, e) >= r->hash) {
            tour_add(r, t, e);
        }
    }
    r->over = next == size_of(t);
    r->hash = next << t->shift;
}

/* Copies out some buckets. False: there are no more. */
static bool tour_next(struct tour *r, go_map *m)
{
    struct m *reader = goi_read_begin();
    struct table *t = ld_acq(place(m)); /* [MAP] */
    r->n = r->used = 0;
    r->over = r->over || t == NULL;
    while (!r->over && r->n < ENOUGH) { /* ends: K7 */
        tour_bucket(r, t);
    }
    goi_read_end(reader);
    return r->n != 0;
}

void go_map_range(go_map *m, bool (*visit)(go_map_key key, void *v, void *arg), void *arg)
{
    struct tour r GO_CLEANUP(tour_leave) = {.n = 0};
    goi_cleanup_push(&r.cleanup, tour_end, __builtin_frame_address(0));
    while (tour_next(&r, m)) {
        for (size_t i = 0; i < r.n; i++) {
            struct sight *s = &r.sight[i];
            if (m->kind == GO_MAP_STRING) {
                s->key.string = r.text + s->at;
            }
            if (!visit(s->key, s->value, arg)) {
                return;
            }
        }
    }
}
