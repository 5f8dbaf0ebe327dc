/* SPDX-License-Identifier: MIT */
/* findex_words.h: a table of words and how often each was seen; plain C without goroutines.
 *
 * Open addressing, a power of two of slots, at most three quarters of them used. The words lie one
 * after the other in blocks of text that belong to the table, so that freeing it frees everything,
 * and handing over the pointer hands over everything. */
#ifndef FINDEX_WORDS_H
#define FINDEX_WORDS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
    char *name; /* NULL: free slot */
    uint64_t count;
    uint32_t hash, size;
};

struct words {
    struct word *slots;
    size_t mask, used; /* the number of slots is mask + 1, a power of two */
    struct text {
        struct text *next;
        char bytes[];
    } *text;
    size_t text_used, text_size;
    uint64_t total;
};

/* The index: a word is in the table that the upper bits of its hash name. What does not overlap can
 * be merged by as many goroutines as there are tables. */
enum { SHARDS = 8, SHARD_SHIFT = 29, WORDS_FIRST = 1 << 11, TEXT_SIZE = 1 << 16 };

struct index {
    struct words *shard[SHARDS];
};

static inline void *must_have(void *p)
{
    if (p == NULL) {
        fprintf(stderr, "findex: out of memory\n");
        exit(1);
    }
    return p;
}

/* Free slots. Written at once: calloc's untouched pages would first be read, and then copied on the
 * first write, which interrupts every processor that runs a thread of this process. */
static inline struct word *slots_make(size_t n)
{
    struct word *slots = must_have(aligned_alloc(64, n * sizeof *slots));
    memset(slots, 0, n * sizeof *slots); /* of this and malloc a compiler makes calloc */
    return slots;
}

static inline struct words *words_make(void)
{
    struct words *w = must_have(calloc(1, sizeof *w));
    w->mask = WORDS_FIRST - 1;
    w->slots = slots_make(WORDS_FIRST);
    return w;
}

static inline void words_free(struct words *w)
{
    for (struct text *t = w->text, *next; t != NULL; t = next) {
        next = t->next;
        free(t);
    }
    free(w->slots);
    free(w);
}

static inline void words_grow(struct words *w)
{
    size_t mask = w->mask * 2 + 1;
    struct word *slots = slots_make(mask + 1);
    for (size_t i = 0; i <= w->mask; i++) {
        if (w->slots[i].name != NULL) {
            size_t at = w->slots[i].hash & mask;
            while (slots[at].name != NULL) {
                at = (at + 1) & mask;
            }
            slots[at] = w->slots[i];
        }
    }
    free(w->slots);
    w->slots = slots;
    w->mask = mask;
}

static inline char *words_copy(struct words *w, const char *name, size_t size)
{
    if (size > w->text_size - w->text_used) {
        size_t room = size > TEXT_SIZE ? size : TEXT_SIZE;
        struct text *t = must_have(malloc(sizeof *t + room));
        t->next = w->text;
        w->text = t;
        w->text_size = room;
        w->text_used = 0;
    }
    w->text_used += size;
    return memcpy(w->text->bytes + w->text_used - size, name, size);
}

static inline void words_add(struct words *w, const char *name, size_t size, uint32_t hash,
                             uint64_t count)
{
    size_t at = hash & w->mask;
    struct word *s = &w->slots[at];
    while (s->name != NULL &&
           (s->hash != hash || s->size != size || memcmp(s->name, name, size) != 0)) {
        at = (at + 1) & w->mask;
        s = &w->slots[at];
    }
    w->total += count;
    s->count += count;
    if (s->name == NULL) {
        s->name = words_copy(w, name, size);
        s->hash = hash;
        s->size = (uint32_t)size;
        if (++w->used > w->mask / 4 * 3) {
            words_grow(w);
        }
    }
}

static inline void index_init(struct index *x)
{
    for (int i = 0; i < SHARDS; i++) {
        x->shard[i] = words_make();
    }
}

/* Adds everything in the second table to the first, and frees the second. */
static inline void words_merge(struct words *into, struct words *from)
{
    for (size_t i = 0; i <= from->mask; i++) {
        const struct word *s = &from->slots[i];
        if (s->name != NULL) {
            words_add(into, s->name, s->size, s->hash, s->count);
        }
    }
    words_free(from);
}

#endif
