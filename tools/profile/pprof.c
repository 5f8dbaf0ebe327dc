/* SPDX-License-Identifier: MIT */
/* pprof.c: a profile as pprof reads it: profile.proto (github.com/google/pprof/proto), in gzip.
 *
 * Names of functions are in it, so that it can be read where the program is not. The gzip has the
 * bytes as they are, in blocks that are `stored`: a profile has some ten thousand, and this needs
 * no library.
 */
#include "profile.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bytes { unsigned char *at; size_t n, room; };

/* Field numbers. */
enum {
    SAMPLE_TYPE = 1, SAMPLE = 2, MAPPING = 3, LOCATION = 4, FUNCTION = 5, STRINGS = 6,
    TIME_NANOS = 9, DURATION_NANOS = 10, PERIOD_TYPE = 11, PERIOD = 12, DEFAULT_TYPE = 14,
    TYPE_TYPE = 1, TYPE_UNIT = 2,
    SAMPLE_LOCATION = 1, SAMPLE_VALUE = 2, SAMPLE_LABEL = 3,
    LABEL_KEY = 1, LABEL_TEXT = 2, LABEL_NUMBER = 3,
    MAPPING_ID = 1, MAPPING_START = 2, MAPPING_LIMIT = 3, MAPPING_OFFSET = 4, MAPPING_FILE = 5,
    MAPPING_FUNCTIONS = 7,
    LOCATION_ID = 1, LOCATION_MAPPING = 2, LOCATION_ADDRESS = 3, LOCATION_LINE = 4,
    LINE_FUNCTION = 1,
    FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_SYSTEM_NAME = 3,
};

static void put(struct bytes *b, const void *from, size_t n)
{
    if (b->n + n > b->room) {
        b->room = 2 * (b->n + n) + 64;
        b->at = realloc(b->at, b->room);
        if (b->at == NULL) {
            top_die(TOP_FAILED, "out of memory");
        }
    }
    memcpy(b->at + b->n, from, n);
    b->n += n;
}

static void varint(struct bytes *b, uint64_t x)
{
    unsigned char c[10];
    size_t n = 0;
    do {
        c[n++] = (unsigned char)((x & 127) | (x > 127 ? 128 : 0));
        x >>= 7;
    } while (x != 0);
    put(b, c, n);
}

static void number(struct bytes *b, unsigned field, uint64_t x)
{
    varint(b, field << 3);
    varint(b, x);
}

static void message(struct bytes *b, unsigned field, struct bytes *inner)
{
    varint(b, field << 3 | 2);
    varint(b, inner->n);
    put(b, inner->at != NULL ? (const void *)inner->at : "", inner->n);
    inner->n = 0;
}

/* --- numbers of texts, functions and places */

struct texts { const char **s; uint32_t *slot; size_t n, room; };

static size_t slot_of(const struct texts *t, const char *s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *c = s; *c != '\0'; c++) {
        h = (h ^ (unsigned char)*c) * 0x100000001b3u;
    }
    size_t at = (size_t)(h ^ h >> 32) & (2 * t->room - 1);
    while (t->slot[at] != 0 && strcmp(t->s[t->slot[at] - 1], s) != 0) { /* ends: half is empty */
        at = (at + 1) & (2 * t->room - 1);
    }
    return at;
}

static uint64_t text(struct texts *t, const char *s)
{
    if (t->n == t->room) {
        t->room = t->room == 0 ? 256 : 2 * t->room;
        free(t->slot);
        t->s = realloc(t->s, t->room * sizeof *t->s);
        t->slot = calloc(2 * t->room, sizeof *t->slot);
        if (t->s == NULL || t->slot == NULL) {
            top_die(TOP_FAILED, "out of memory");
        }
        for (size_t i = 0; i < t->n; i++) {
            t->slot[slot_of(t, t->s[i])] = (uint32_t)i + 1;
        }
    }
    size_t at = slot_of(t, s);
    if (t->slot[at] == 0) {
        t->s[t->n++] = s;
        t->slot[at] = (uint32_t)t->n;
    }
    return t->slot[at] - 1;
}

struct places { uintptr_t *pc; size_t n, room; };

static int by_value(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a;
    uintptr_t y = *(const uintptr_t *)b;
    return x < y ? -1 : x > y;
}

static void collect(struct places *l, const struct profile *p)
{
    for (size_t i = 0; i < p->room; i++) {
        l->room += p->stack[i].n;
    }
    l->pc = malloc((l->room + 1) * sizeof *l->pc);
    if (l->pc == NULL) {
        top_die(TOP_FAILED, "out of memory");
    }
    for (size_t i = 0; i < p->room; i++) {
        if (p->stack[i].n > 0) {
            memcpy(l->pc + l->n, p->stack[i].pc, p->stack[i].n * sizeof *l->pc);
            l->n += p->stack[i].n;
        }
    }
    qsort(l->pc, l->n, sizeof *l->pc, by_value);
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (n == 0 || l->pc[n - 1] != l->pc[i]) {
            l->pc[n++] = l->pc[i];
        }
    }
    l->n = n;
}

static uint64_t place_of(const struct places *l, uintptr_t pc)
{
    const uintptr_t *at = bsearch(&pc, l->pc, l->n, sizeof pc, by_value);
    return (uint64_t)(at - l->pc) + 1;
}

/* --- the parts */

static void put_type(struct bytes *b, unsigned field, struct texts *t, const char *type,
                     const char *unit)
{
    struct bytes inner = {0};
    number(&inner, TYPE_TYPE, text(t, type));
    number(&inner, TYPE_UNIT, text(t, unit));
    message(b, field, &inner);
    free(inner.at);
}

static void put_label(struct bytes *one, struct bytes *inner, struct texts *t, const char *key,
                      const char *value, uint64_t x)
{
    number(inner, LABEL_KEY, text(t, key));
    if (value != NULL) {
        number(inner, LABEL_TEXT, text(t, value));
    } else {
        number(inner, LABEL_NUMBER, x);
    }
    message(one, SAMPLE_LABEL, inner);
}

static void put_samples(struct bytes *b, struct texts *t, const struct profile *p,
                        const struct places *l)
{
    struct bytes one = {0};
    struct bytes inner = {0};
    uint64_t period = 1000000000u / (uint64_t)p->hertz;
    for (size_t i = 0; i < p->room; i++) {
        const struct stack *s = &p->stack[i];
        if (s->n == 0) {
            continue;
        }
        for (size_t k = 0; k < s->n; k++) {
            varint(&inner, place_of(l, s->pc[k]));
        }
        message(&one, SAMPLE_LOCATION, &inner);
        varint(&inner, s->count);
        varint(&inner, s->count * period);
        message(&one, SAMPLE_VALUE, &inner);
        if (s->who->goroutine != 0) {
            put_label(&one, &inner, t, "goroutine", NULL, s->who->goroutine);
        }
        for (size_t k = 0; k < s->who->n; k++) {
            put_label(&one, &inner, t, s->who->label[k].key, s->who->label[k].value, 0);
        }
        message(b, SAMPLE, &one);
    }
    free(one.at);
    free(inner.at);
}

static void put_mappings(struct bytes *b, struct texts *t, const struct target *of)
{
    struct bytes one = {0};
    for (size_t i = 0; i < of->maps; i++) {
        const struct mapping *m = &of->map[i];
        if (m->from_file) {
            number(&one, MAPPING_ID, i + 1);
            number(&one, MAPPING_START, m->lo);
            number(&one, MAPPING_LIMIT, m->hi);
            number(&one, MAPPING_OFFSET, m->offset);
            number(&one, MAPPING_FILE, text(t, m->path));
            number(&one, MAPPING_FUNCTIONS, 1);
            message(b, MAPPING, &one);
        }
    }
    free(one.at);
}

/* A function has the number of its name's text: names are what tells functions apart here. */
static void put_places(struct bytes *b, struct texts *t, struct target *of, const struct places *l)
{
    struct bytes one = {0};
    struct bytes line = {0};
    struct texts functions = {0};
    for (size_t i = 0; i < l->n; i++) {
        const char *name = symbol_of(of, l->pc[i]).name;
        size_t before = functions.n;
        uint64_t function = text(&functions, name) + 1;
        if (functions.n > before) {
            number(&one, FUNCTION_ID, function);
            number(&one, FUNCTION_NAME, text(t, name));
            number(&one, FUNCTION_SYSTEM_NAME, text(t, name));
            message(b, FUNCTION, &one);
        }
        number(&one, LOCATION_ID, i + 1);
        for (size_t k = 0; k < of->maps; k++) {
            if (of->map[k].from_file && l->pc[i] >= of->map[k].lo && l->pc[i] < of->map[k].hi) {
                number(&one, LOCATION_MAPPING, k + 1);
                break;
            }
        }
        number(&one, LOCATION_ADDRESS, l->pc[i]);
        number(&line, LINE_FUNCTION, function);
        message(&one, LOCATION_LINE, &line);
        message(b, LOCATION, &one);
    }
    free(one.at);
    free(line.at);
    free(functions.s);
    free(functions.slot);
}

/* --- gzip */

static uint32_t crc32_of(const unsigned char *p, size_t n)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

static void put_little(FILE *f, uint32_t x, int n)
{
    for (int i = 0; i < n; i++) {
        fputc((int)(x >> (8 * i) & 255), f);
    }
}

static void put_gzip(FILE *f, const unsigned char *p, size_t n)
{
    static const unsigned char head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    enum { BLOCK = 65535 };
    fwrite(head, 1, sizeof head, f);
    size_t at = 0;
    do {
        uint32_t part = n - at < BLOCK ? (uint32_t)(n - at) : BLOCK;
        fputc(at + part == n, f); /* the last block; stored */
        put_little(f, part, 2);
        put_little(f, ~part & 0xffff, 2);
        fwrite(p + at, 1, part, f);
        at += part;
    } while (at < n);
    put_little(f, crc32_of(p, n), 4);
    put_little(f, (uint32_t)n, 4);
}

bool profile_write_pprof(const struct profile *p, struct target *t, const char *path)
{
    struct bytes b = {0};
    struct texts texts = {0};
    struct places places = {0};
    FILE *f = fopen(path, "we");
    if (f == NULL) {
        return false;
    }
    (void)text(&texts, "");     /* number 0 */
    collect(&places, p);
    put_type(&b, SAMPLE_TYPE, &texts, "samples", "count");
    put_type(&b, SAMPLE_TYPE, &texts, "cpu", "nanoseconds");
    put_samples(&b, &texts, p, &places);
    put_mappings(&b, &texts, t);
    put_places(&b, &texts, t, &places);
    number(&b, TIME_NANOS,
           (uint64_t)p->begin.tv_sec * 1000000000u + (uint64_t)p->begin.tv_nsec);
    number(&b, DURATION_NANOS, (uint64_t)(p->seconds * 1e9));
    put_type(&b, PERIOD_TYPE, &texts, "cpu", "nanoseconds");
    number(&b, PERIOD, 1000000000u / (uint64_t)p->hertz);
    number(&b, DEFAULT_TYPE, text(&texts, "cpu"));
    for (size_t i = 0; i < texts.n; i++) {
        struct bytes s = {.at = (unsigned char *)(uintptr_t)texts.s[i], .n = strlen(texts.s[i])};
        message(&b, STRINGS, &s);
    }
    put_gzip(f, b.at, b.n);
    free(b.at);
    free(texts.s);
    free(texts.slot);
    free(places.pc);
    return fclose(f) == 0;
}
