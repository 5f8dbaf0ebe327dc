/* SPDX-License-Identifier: MIT */
/* collect.c: samples that are alike, counted; and as text. */
#include "profile.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const struct who *who, size_t n, const uintptr_t *pc)
{
    uint64_t h = (uintptr_t)who;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ pc[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}

static struct stack *place(struct stack *table, size_t room, const struct who *who, size_t n,
                           const uintptr_t *pc)
{
    size_t at = (size_t)hash_of(who, n, pc);
    for (;; at++) { /* ends: it is never full */
        struct stack *s = &table[at & (room - 1)];
        if (s->n == 0 ||
            (s->who == who && s->n == n && memcmp(s->pc, pc, n * sizeof *pc) == 0)) {
            return s;
        }
    }
}

static void grow(struct profile *p)
{
    size_t room = p->room == 0 ? 1024 : 2 * p->room;
    struct stack *table = calloc(room, sizeof *table);
    if (table == NULL) {
        top_die(TOP_FAILED, "out of memory");
    }
    for (size_t i = 0; i < p->room; i++) {
        const struct stack *s = &p->stack[i];
        if (s->n != 0) {
            *place(table, room, s->who, s->n, s->pc) = *s;
        }
    }
    free(p->stack);
    p->stack = table;
    p->room = room;
}

/* How many frames are the program's: a goroutine's begin with its function, and what the library
 * has below that says nothing. Of the scheduler's own all are kept. */
static size_t frames(struct target *t, const struct sample *s)
{
    size_t n = s->n;
    while (n > 0 && symbol_of(t, s->pc[n - 1]).library) {
        n--;
    }
    return n > 0 ? n : s->n;
}

/* A goroutine's function is always the outermost: where a frame is missing, it is put there. */
static size_t add_root(struct target *t, struct sample *s, const struct who *who, size_t n)
{
    if (who->entry != 0 && n < FRAMES_MAX &&
        (n == 0 || strcmp(symbol_of(t, s->pc[n - 1]).name, symbol_of(t, who->entry).name) != 0)) {
        s->pc[n++] = who->entry;
    }
    return n;
}

void profile_add(struct profile *p, struct target *t, struct sample *s)
{
    if (2 * p->used >= p->room) {
        grow(p);
    }
    const struct who *who = who_of(t, s);
    size_t n = add_root(t, s, who, frames(t, s));
    struct stack *x = place(p->stack, p->room, who, n, s->pc);
    if (x->n == 0) {
        uintptr_t *pc = malloc(n * sizeof *pc);
        if (pc == NULL) {
            top_die(TOP_FAILED, "out of memory");
        }
        memcpy(pc, s->pc, n * sizeof *pc);
        *x = (struct stack){.who = who, .n = n, .pc = pc};
        p->used++;
    }
    x->count++;
    p->samples++;
}

/* As `perf script` prints samples, which is what programs that draw them read: a line that says
 * who, one for each frame, and an empty one. Stacks that were seen several times come so often. */
bool profile_write_text(const struct profile *p, struct target *t, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    double at = 0;
    if (f == NULL) {
        return false;
    }
    for (size_t i = 0; i < p->room; i++) {
        const struct stack *s = &p->stack[i];
        for (uint64_t k = 0; s->n != 0 && k < s->count; k++) {
            fprintf(f, "%s %lu %.6f: %ld cpu-clock:\n", s->who->title,
                    (unsigned long)s->who->goroutine, at, 1000000000l / p->hertz);
            for (size_t n = 0; n < s->n; n++) {
                fprintf(f, "\t%16lx %s (%s)\n", (unsigned long)s->pc[n],
                        symbol_of(t, s->pc[n]).name, t->name);
            }
            fputc('\n', f);
            at += 1.0 / p->hertz;
        }
    }
    if (f == stdout) {
        return fflush(f) == 0;
    }
    return fclose(f) == 0;
}
