/* SPDX-License-Identifier: MIT */
/* map.c: go_map, a hash table that goroutines share (Go's sync.Map).
 *
 * Reading takes no lock and writes nothing that others read: it hashes the key, follows a pointer
 * from a bucket and compares. Writers lock one bucket, by a bit of its pointer. The difficulties
 * are memory (an entry may go while it is read), growing and shrinking (everything moves while it
 * is read), and a range whose visitor may park, delete and store.
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
 * Shrinking is the same the other way: who deletes and finds the table sparse hangs one of a
 * quarter of the size at `next`, and who deletes or inserts moves. The buckets that become one are
 * locked together, their entries put into one chain (the last chain is shared, the others are
 * copied), the new bucket is published, and then each old one is MOVED. At an eighth of an entry
 * for each bucket it begins, and every move carries so many buckets that it ends long before the
 * next one is due; it leaves half an entry for each, so that a map whose size swings does not move
 * for ever. Tables of KEEP buckets and less stay.
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
 *   K5  The new buckets are written by the mover alone, before MOVED can be seen. It has claimed
 *       the old bucket when the table grows, the new one when it shrinks.              (asserts)
 *   K6  Entries, tables and generations are freed through reclaim.h; everybody who follows pointers
 *       is in a section, writers as well.                                   (ASan, tests/model/map)
 *   K7  A range visits hashes in ascending order and goes on behind the last bucket that it has
 *       copied out: no key twice. The visitor runs in no section and with no lock.
 *                                                              (tests/unit/sync/map, range tests)
 *   K8  A value that the visitor takes out before its turn is not handed over, so it may be freed.
 *       A range sets WATCHED in the map before it copies out; who takes a value out and finds that
 *       bit begins a new turn, without it. While the turn is the one the range remembers, what it
 *       has copied is what is there; otherwise it looks up each key before the visit. Deletions of
 *       others that are under way may be missed: they could come a moment later.
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

/* When to shrink: tables larger than 2^KEEP_BITS, with fewer than a SPARSE-th as many entries; by
 * that many bits. */
#ifndef GOI_MAP_KEEP_BITS
#define GOI_MAP_KEEP_BITS 9
#define GOI_MAP_SPARSE 8
#define GOI_MAP_SHRINK_BITS 2
#endif

enum { HELP = 8, COUNTS = GOI_MAP_COUNTS, EXACT = 128, SAMPLE = 16, SPREAD = 64 };
enum { JOINED = 1 << GOI_MAP_SHRINK_BITS }; /* as many buckets become one */

#define LOCK ((uintptr_t)1)
#define MOVED ((uintptr_t)2)
#define FLAGS (LOCK | MOVED)

_Static_assert(sizeof(go_map) == 16, "go_map is part of the ABI");

/* K8: the word of the map beside its kind. */
#define WATCHED ((uint32_t)1)
#define TURN ((uint32_t)2)

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
    goi_aptr next;                  /* [a:MAP] the one that everything moves to, if it does */
    struct counts *counts;          /* [c] of the generation */
    struct goi_retired retired;     /* [o] who took it out */
    goi_a64 claimed, moved;         /* units that somebody moves; that have been moved */
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
    bool same = goi_unseen_equal(e->key, w->string);
    goi_retired_seen();
    return GOI_LIKELY(same);
}

static struct entry *entry_new(const struct wanted *w)
{
    struct entry *e = must(malloc(sizeof *e + w->size));
    e->word = w->word;
    if (w->size != 0) {
        goi_unseen_copy(e->key, w->string, w->size);
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

static GOI_COLD void next_turn(goi_a32 *watch, uint32_t turn)
{
    while ((turn & WATCHED) != 0 && !cas_rlx(watch, &turn, (turn & ~WATCHED) + TURN)) {
        /* ends: who was faster has begun a turn after our change, and nobody else changes it */
    }
}

/* K8: a value was taken out; before it is handed to who may free it. */
GOI_INLINE void taken_out(go_map *m)
{
    uint32_t turn = ld_rlx(goi_word32(&m->spare)); /* K8: the visitor's own are in order */
    if (GOI_UNLIKELY((turn & WATCHED) != 0)) {
        next_turn(goi_word32(&m->spare), turn);
    }
}

/* --- reading, in a section */

GOI_INLINE struct entry *find(struct table *t, const struct wanted *w)
{
    uintptr_t head;
    for (;;) { /* ends: each table on the way has been moved completely or is the newest */
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
    for (;;) { /* ends: goi_word_wait; as in find() */
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

/* --- counting and moving */

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

/* A copy of e, which is in t, in front of a chain. */
static struct entry *entry_copy(const struct table *t, struct entry *e, struct entry *chain)
{
    goi_race_acquire(e);
    size_t size = t->kind == GO_MAP_STRING ? goi_unseen_length(e->key) + 1 : 0;
    struct entry *copy = must(malloc(sizeof *copy + size));
    copy->word = e->word;
    goi_unseen_copy(copy->key, e->key, size);
    st_rlx(&copy->value, ld_rlx(&e->value));
    st_rlx(&copy->next, chain); /* published with the bucket */
    goi_race_release(copy);
    goi_retired_seen();
    return copy;
}

/* Entries that have been copied, to be retired. */
static void copied_push(struct goi_retired **copied, struct entry *e)
{
    e->retired.next = *copied; /* ours: it is out with MOVED */
    *copied = &e->retired;
}

/* Moves bucket j, which is claimed, to the next table, which is larger. */
static void bucket_split(struct table *t, struct table *to, uint64_t j,
                         struct goi_retired **copied)
{
    struct spot s = {.t = t};
    bucket_lock(&s, j << t->shift);
    goi_assert(s.t == t); /* nobody else moves it */
    struct entry *run = first_of(s.head); /* the last run of entries that stay together */
    struct entry *chain[2] = {NULL, NULL};
    for (struct entry *e = run; e != NULL; e = ld_rlx(&e->next)) {
        if (index_of(to, hash_of(t, e)) != index_of(to, hash_of(t, run))) {
            run = e;
        }
    }
    if (run != NULL) {
        chain[index_of(to, hash_of(t, run)) & 1] = run;
    }
    for (struct entry *e = first_of(s.head); e != run; e = ld_rlx(&e->next)) {
        struct entry **at = &chain[index_of(to, hash_of(t, e)) & 1];
        *at = entry_copy(t, e, *at);
        copied_push(copied, e);
    }
    for (uint64_t i = 0; i < 2; i++) {
        goi_assert(ld_rlx(&to->bucket[2 * j + i]) == NULL); /* K5 */
        st_rel(&to->bucket[2 * j + i], chain[i]); /* [MAP] */
    }
    st_rel(s.bucket, (void *)MOVED); /* [WORD] [MAP] K5 */
}

/* Fills bucket j of the next table, which is claimed and smaller. Nobody else holds two locks. */
static void buckets_join(struct table *t, struct table *to, uint64_t j,
                         struct goi_retired **copied)
{
    struct spot s[JOINED];
    struct entry *chain = NULL;
    for (uint64_t i = 0; i < JOINED; i++) {
        s[i].t = t;
        bucket_lock(&s[i], (j * JOINED + i) << t->shift);
        goi_assert(s[i].t == t); /* nobody else moves it */
        struct entry *e = first_of(s[i].head);
        if (chain == NULL) {
            chain = e; /* shared */
            continue;
        }
        for (; e != NULL; e = ld_rlx(&e->next)) {
            chain = entry_copy(t, e, chain);
            copied_push(copied, e);
        }
    }
    goi_assert(ld_rlx(&to->bucket[j]) == NULL); /* K5 */
    st_rel(&to->bucket[j], chain); /* [MAP] */
    for (uint64_t i = 0; i < JOINED; i++) {
        st_rel(s[i].bucket, (void *)MOVED); /* [WORD] [MAP] K5 */
    }
}

static void table_retire(struct table *t, void (*dispose)(struct goi_retired *r))
{
    goi_retire_large(&t->retired, dispose, sizeof *t + size_of(t) * sizeof t->bucket[0]);
}

/* Moves some buckets of t to its next table. In a section, which ends. */
static GOI_COLD void help_move(go_map *m, struct table *t, struct m *reader)
{
    struct table *to = ld_acq(&t->next); /* [MAP] */
    struct goi_retired *copied = NULL;
    bool over = false;
    bool grows = to->shift < t->shift;
    uint64_t units = grows ? size_of(t) : size_of(to);
    uint64_t j = add_rlx(&t->claimed, HELP);
    for (uint64_t end = j + HELP; j < end && j < units; j++) {
        if (grows) {
            bucket_split(t, to, j, &copied);
        } else {
            buckets_join(t, to, j, &copied);
        }
        if (add_acqrel(&t->moved, 1) + 1 == units) { /* [MAP] all buckets of `to` */
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
        table_retire(t, table_free);
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

static bool sparse(const struct table *t, int64_t part)
{
    uint64_t size = size_of(t);
    if (64 - t->shift < GOI_MAP_KEEP_BITS + GOI_MAP_SHRINK_BITS ||
        (size > EXACT && part % SAMPLE != 0)) {
        return false;
    }
    int64_t n = counts_sum(t->counts);
    return n < 0 || (uint64_t)n < size / GOI_MAP_SPARSE;
}

/* Ends the section of s. Where entries move, helps; otherwise, after a change that made the
 * caller's part of the count `part`, asks whether the size is wrong, and begins to move. */
GOI_INLINE void resize(go_map *m, struct spot *s, int64_t part,
                       bool (*wrong)(const struct table *t, int64_t part), int by)
{
    struct table *t = ld_acq(place(m)); /* [MAP] */
    if (t == NULL || t->counts != s->t->counts) { /* cleared meanwhile */
        goi_read_end(s->reader);
        return;
    }
    if (ld_rlx(&t->next) == NULL) {
        if (GOI_LIKELY(!wrong(t, part))) {
            goi_read_end(s->reader);
            return;
        }
        if (size_of(t) >= SPREAD && ld_acq(&t->counts->many) == NULL) { /* [MAP] */
            counts_spread(t->counts);
        }
        struct table *other = table_new(m, (uint32_t)((int)(64 - t->shift) + by), t->counts);
        void *none = NULL;
        if (!cas_acqrel(&t->next, &none, other)) { /* [MAP] */
            free(other);
        }
    }
    help_move(m, t, s->reader);
}

static void grow(go_map *m, struct spot *s, int64_t part) { resize(m, s, part, crowded, 1); }

static void shrink(go_map *m, struct spot *s, int64_t part)
{
    resize(m, s, part, sparse, -GOI_MAP_SHRINK_BITS);
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
                taken_out(m);
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
    taken_out(m);
    shrink(m, &s, count(&s, -1));
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
        taken_out(m);
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
    taken_out(m);
    if (t != NULL) {
        table_retire(t, generation_free_retired);
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

enum { ENOUGH = 64, STRIDE = 64 };

/* Some buckets' entries, copied out: what the visitor does to the map does not move them. */
struct sight {
    uint64_t word;                  /* as in the entry */
    size_t at;                      /* of a string, in `text` */
    void *value;
};

struct tour {
    struct goi_cleanup cleanup;
    uint64_t hash;                  /* K7: what lies below has been copied out */
    uint32_t turn;                  /* K8: of which what was copied out is the truth */
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
    s->word = e->word;
    if (t->kind == GO_MAP_STRING) {
        size_t size = goi_unseen_length(e->key) + 1;
        if (r->used + size > r->text_room) {
            r->text_room = 2 * r->text_room + size;
            r->text = must(realloc(r->text, r->text_room));
        }
        goi_unseen_copy(r->text + r->used, e->key, size);
        goi_retired_seen();
        s->at = r->used;
        r->used += size;
    }
}

/* Copies out the bucket that r->hash lies in, and goes behind it. In a section. */
GOI_INLINE void tour_bucket(struct tour *r, struct table *t)
{
    const uint64_t hash = r->hash;
    uint64_t at = index_of(t, hash);
    uintptr_t head = bits(ld_acq(&t->bucket[at])); /* [MAP] */
    while (GOI_UNLIKELY((head & MOVED) != 0)) { /* ends: as in find() */
        t = ld_acq(&t->next); /* [MAP] */
        at = index_of(t, hash);
        head = bits(ld_acq(&t->bucket[at])); /* [MAP] */
    }
    bool whole = hash == at << t->shift; /* where the table was changed a bucket may begin before */
    for (struct entry *e = first_of(head); e != NULL; e = ld_acq(&e->next)) { /* [MAP] */
        if (GOI_LIKELY(whole) || hash_of(t, e) >= hash) {
            tour_add(r, t, e);
        }
    }
    r->over = at + 1 == size_of(t);
    r->hash = (at + 1) << t->shift;
}

/* K8: from now on, who takes a value out begins a new turn. */
static uint32_t watch(go_map *m)
{
    goi_a32 *word = goi_word32(&m->spare);
    uint32_t turn = ld_rlx(word);
    while ((turn & WATCHED) == 0 && !cas_rlx(word, &turn, turn | WATCHED)) {
        /* ends: only ranges set it */
    }
    return turn | WATCHED;
}

/* Copies out some buckets. False: there are no more. Leaves the section now and then, however few
 * entries there are (V1). */
static bool tour_next(struct tour *r, go_map *m)
{
    r->n = r->used = 0;
    r->turn = watch(m);
    while (!r->over && r->n == 0) { /* ends: K7 */
        struct m *reader = goi_read_begin();
        struct table *t = ld_acq(place(m)); /* [MAP] */
        r->over = t == NULL;
        for (int i = 0; i < STRIDE && !r->over && r->n < ENOUGH; i++) {
            tour_bucket(r, t);
        }
        goi_read_end(reader);
    }
    return r->n != 0;
}

/* K8: false: it is not there any more. */
static GOI_COLD bool look_again(go_map *m, const struct tour *r, struct sight *s)
{
    struct wanted w = {.word = s->word, .hash = s->word};
    if (m->kind == GO_MAP_STRING) {
        w.string = r->text + s->at;
    } else {
        w.hash = goi_hash_word(s->word, goi_sched.seed);
    }
    return load(m, &w, &s->value);
}

void go_map_range(go_map *m, bool (*visit)(go_map_key key, void *v, void *arg), void *arg)
{
    struct tour r GO_CLEANUP(tour_leave) = {.n = 0};
    goi_cleanup_push(&r.cleanup, tour_end, __builtin_frame_address(0));
    const bool strings = m->kind == GO_MAP_STRING;
    while (tour_next(&r, m)) {
        struct sight *end = r.sight + r.n;
        const uint32_t turn = r.turn;
        for (struct sight *s = r.sight; s != end; s++) {
            if (GOI_UNLIKELY(ld_rlx(goi_word32(&m->spare)) != turn) && !look_again(m, &r, s)) {
                continue;
            }
            go_map_key key = {.number = s->word};
            if (strings) {
                key.string = r.text + s->at;
            }
            if (!visit(key, s->value, arg)) {
                return;
            }
        }
    }
}
