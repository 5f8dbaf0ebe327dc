/* SPDX-License-Identifier: MIT */
/* trace_read.h: reads a trace as a test wants it: what is on the tracks, in order of time. Knows of
 * Perfetto's format what the tracer writes, and nothing of the tracer. */
#ifndef GORT_TEST_TRACE_READ_H
#define GORT_TEST_TRACE_READ_H
#include "harness.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BEGIN = 1, END = 2, INSTANT = 3 };

struct event {
    uint64_t at, track, flow_from, flow_to, note;
    const char *name;       /* NULL: of an END */
    size_t order;
    int type;
};

struct track { uint64_t id, parent; char *name; size_t order; };

struct trace {
    unsigned char *bytes;
    struct event *events;
    struct track *tracks;
    char **texts;           /* everything allocated */
    char *names[1 << 16];
    size_t n, ntracks, ntexts;
};

struct view { const unsigned char *at, *end; };
struct field { unsigned number; uint64_t value; struct view bytes; };

static inline uint64_t read_varint(struct view *v)
{
    uint64_t x = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        REQUIRE(v->at < v->end);
        unsigned char c = *v->at++;
        x |= (uint64_t)(c & 127) << shift;
        if (c < 128) {
            break;
        }
    }
    return x;
}

static inline bool next_field(struct view *v, struct field *f)
{
    if (v->at == v->end) {
        return false;
    }
    uint64_t tag = read_varint(v);
    *f = (struct field){.number = (unsigned)(tag >> 3)};
    if ((tag & 7) == 0) {
        f->value = read_varint(v);
    } else if ((tag & 7) == 1) {
        REQUIRE(v->end - v->at >= 8);
        memcpy(&f->value, v->at, 8);
        v->at += 8;
    } else {
        REQUIRE((tag & 7) == 2);
        uint64_t n = read_varint(v);
        REQUIRE(n <= (uint64_t)(v->end - v->at));
        f->bytes = (struct view){v->at, v->at + n};
        v->at += n;
    }
    return true;
}

static inline char *text_of(struct trace *t, struct view v)
{
    char *s = strndup((const char *)v.at, (size_t)(v.end - v.at));
    if ((t->ntexts & (t->ntexts - 1)) == 0) {
        size_t room = t->ntexts == 0 ? 1 : 2 * t->ntexts;
        t->texts = realloc(t->texts, room * sizeof *t->texts);
    }
    REQUIRE(s != NULL && t->texts != NULL);
    t->texts[t->ntexts++] = s;
    return s;
}

static inline void read_names(struct trace *t, struct view v)
{
    struct field f;
    while (next_field(&v, &f)) {
        struct field part;
        uint64_t number = 0;
        char *text = NULL;
        while (next_field(&f.bytes, &part)) {
            if (part.number == 1) {
                number = part.value;
            } else if (part.number == 2) {
                text = text_of(t, part.bytes);
            }
        }
        if (f.number == 2) {
            REQUIRE(number < sizeof t->names / sizeof *t->names);
            t->names[number] = text;
        }
    }
}

static inline void read_track(struct trace *t, struct view v)
{
    struct track k = {.order = t->ntracks};
    struct field f;
    while (next_field(&v, &f)) {
        if (f.number == 1) {
            k.id = f.value;
        } else if (f.number == 2) {
            k.name = text_of(t, f.bytes);
        } else if (f.number == 5) {
            k.parent = f.value;
        }
    }
    if ((t->ntracks & (t->ntracks - 1)) == 0) {
        size_t room = t->ntracks == 0 ? 1 : 2 * t->ntracks;
        t->tracks = realloc(t->tracks, room * sizeof *t->tracks);
        REQUIRE(t->tracks != NULL);
    }
    t->tracks[t->ntracks++] = k;
}

static inline uint64_t read_note(struct view v)
{
    struct field f;
    uint64_t value = 0;
    while (next_field(&v, &f)) {
        value = f.number == 3 ? f.value : value;
    }
    return value;
}

static inline void read_event(struct trace *t, uint64_t at, struct view v)
{
    struct event e = {.at = at, .order = t->n};
    struct field f;
    while (next_field(&v, &f)) {
        switch (f.number) {
        case 4: e.note = read_note(f.bytes); break;
        case 9: e.type = (int)f.value; break;
        case 10: e.name = t->names[f.value]; break;
        case 11: e.track = f.value; break;
        case 23: e.name = text_of(t, f.bytes); break;
        case 47: e.flow_from = f.value; break;
        case 48: e.flow_to = f.value; break;
        default: break;
        }
    }
    if ((t->n & (t->n - 1)) == 0) {
        t->events = realloc(t->events, (t->n == 0 ? 1 : 2 * t->n) * sizeof *t->events);
        REQUIRE(t->events != NULL);
    }
    t->events[t->n++] = e;
}

static inline int by_time(const void *x, const void *y)
{
    const struct event *a = x;
    const struct event *b = y;
    return a->at != b->at ? (a->at > b->at) - (a->at < b->at)
                          : (a->order > b->order) - (a->order < b->order);
}

/* By number; of several descriptions of one the last is kept. */
static inline int by_track(const void *x, const void *y)
{
    const struct track *a = x;
    const struct track *b = y;
    return a->id != b->id ? (a->id > b->id) - (a->id < b->id)
                          : (a->order < b->order) - (a->order > b->order);
}

static inline void sort_tracks(struct trace *t)
{
    size_t n = 0;
    qsort(t->tracks, t->ntracks, sizeof *t->tracks, by_track);
    for (size_t i = 0; i < t->ntracks; i++) {
        if (n == 0 || t->tracks[n - 1].id != t->tracks[i].id) {
            t->tracks[n++] = t->tracks[i];
        }
    }
    t->ntracks = n;
}

/* The index of a track; the number of tracks if there is none. */
static inline size_t track_place(const struct trace *t, uint64_t id)
{
    size_t lo = 0;
    size_t hi = t->ntracks;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (t->tracks[mid].id < id) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < t->ntracks && t->tracks[lo].id == id ? lo : t->ntracks;
}

static inline struct trace *trace_read(const char *path)
{
    FILE *f = fopen(path, "re");
    REQUIRE(f != NULL);
    (void)fseek(f, 0, SEEK_END);
    size_t size = (size_t)ftell(f);
    rewind(f);
    struct trace *t = calloc(1, sizeof *t);
    REQUIRE(t != NULL);
    t->bytes = malloc(size + 1);
    REQUIRE(t->bytes != NULL && fread(t->bytes, 1, size, f) == size);
    fclose(f);
    struct view v = {t->bytes, t->bytes + size};
    struct field packet;
    while (next_field(&v, &packet)) {
        struct field p;
        uint64_t at = 0;
        REQUIRE(packet.number == 1);
        while (next_field(&packet.bytes, &p)) {
            if (p.number == 8) {
                at = p.value;
            } else if (p.number == 11) {
                read_event(t, at, p.bytes);
            } else if (p.number == 12) {
                read_names(t, p.bytes);
            } else if (p.number == 60) {
                read_track(t, p.bytes);
            }
        }
    }
    qsort(t->events, t->n, sizeof *t->events, by_time);
    sort_tracks(t);
    return t;
}

static inline void trace_free(struct trace *t)
{
    for (size_t i = 0; i < t->ntexts; i++) {
        free(t->texts[i]);
    }
    free(t->texts);
    free(t->events);
    free(t->tracks);
    free(t->bytes);
    free(t);
}

/* "" when there is none. */
static inline const char *track_name(const struct trace *t, uint64_t id)
{
    size_t k = track_place(t, id);
    return k < t->ntracks && t->tracks[k].name != NULL ? t->tracks[k].name : "";
}

/* The track whose name contains the text; 0: none. */
static inline uint64_t track_named(const struct trace *t, const char *part)
{
    for (size_t i = 0; i < t->ntracks; i++) {
        if (t->tracks[i].name != NULL && strstr(t->tracks[i].name, part) != NULL) {
            return t->tracks[i].id;
        }
    }
    return 0;
}

static inline uint64_t child_track(const struct trace *t, uint64_t parent)
{
    for (size_t i = 0; i < t->ntracks; i++) {
        if (t->tracks[i].parent == parent) {
            return t->tracks[i].id;
        }
    }
    return 0;
}

/* How many events of a kind and name there are on a track (0: on any). */
static inline size_t trace_count(const struct trace *t, uint64_t track, int type, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct event *e = &t->events[i];
        n += (track == 0 || e->track == track) && e->type == type && e->name != NULL &&
             strcmp(e->name, name) == 0;
    }
    return n;
}

#endif
