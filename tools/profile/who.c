/* SPDX-License-Identifier: MIT */
/* who.c: the goroutine of a sample.
 *
 * The stack pointer says it: each goroutine has a window of its own, and its struct g lies at the
 * top of it (src/stack/stack.h). The kernel has copied the top of the stack into the sample, and
 * for a stack of ordinary depth the struct is in that copy: what it says is of that moment, however
 * soon the goroutine ended. Of a deeper one it is read from the process some milliseconds later.
 * By then the window may be another goroutine's, which is seen when its state, or the place of its
 * stack, does not fit, and not when the other runs at the same depth.
 *
 * Names and labels lie elsewhere and are read from the process in any case; when the goroutine has
 * gone meanwhile, they are left out.
 */
#include "profile.h"
#include <stdlib.h>
#include <string.h>

enum { KEPT = 1 << 16, CHUNKS_MAX = 1 << 16, TEXT_MAX_BYTES = 256, LIST_MAX = 65536 };

static void *must(void *p)
{
    if (p == NULL) {
        top_die(TOP_FAILED, "out of memory");
    }
    return p;
}

/* A text of the process, as far as it is one. Read to the end of a line of memory at a time, which
 * is on one page: at 10,000 samples a second a call for each character is too much. */
static char *text_at(const struct target *t, const void *at)
{
    enum { LINE = 64 };
    char s[TEXT_MAX_BYTES + LINE + 1] = "";
    size_t n = 0;
    while (at != NULL && n < TEXT_MAX_BYTES) {
        uintptr_t next = (uintptr_t)at + n;
        size_t most = LINE - next % LINE;
        most = target_read(t, next, s + n, most) ? most : 0;
        s[n + most] = '\0';
        size_t got = strlen(s + n);
        n += got;
        if (most == 0 || got < most) {
            break;
        }
    }
    s[TEXT_MAX_BYTES] = '\0';
    return must(strdup(s));
}

/* --- windows */

/* The struct g of the window that sp points into; 0: it points into none. */
static uintptr_t descriptor(const struct target *t, uintptr_t sp)
{
    const struct goi_arena_view *v = &t->at.arena;
    static struct goi_stack_class classes[GOI_STACK_CLASSES];
    static char *table;
    uint32_t used = 0;
    if (!target_read(t, (uintptr_t)v->used, &used, sizeof used) || used > CHUNKS_MAX ||
        !target_read(t, (uintptr_t)v->classes, classes, sizeof classes)) {
        return 0;
    }
    table = must(realloc(table, (size_t)(used + 1) * v->entry));
    if (!target_read(t, (uintptr_t)v->table, table, (size_t)used * v->entry)) {
        return 0;
    }
    for (uint32_t id = 1; id < used; id++) {
        const char *entry = table + (size_t)id * v->entry;
        uintptr_t map;
        uint32_t klass;
        uint32_t carved;
        memcpy(&map, entry + v->map, sizeof map);
        memcpy(&klass, entry + v->klass, sizeof klass);
        memcpy(&carved, entry + v->carved, sizeof carved);
        if (map == 0 || klass >= GOI_STACK_CLASSES || classes[klass].stride == 0 ||
            sp < map + v->page || sp >= map + v->page + carved * classes[klass].stride) {
            continue;
        }
        uintptr_t i = (sp - map - v->page) / classes[klass].stride;
        uintptr_t end = map + v->page + (i + 1) * classes[klass].stride;
        uintptr_t colour = ((id + i) % v->colours) * v->colour_step;
        return end - colour - sizeof(struct goi_stack) - GOI_STACK_DESC_BYTES;
    }
    return 0;
}

static bool is_alive(const struct g *g)
{
    uint32_t state = ld_rlx(&g->state);
    return g->id != 0 && state > GOI_G_PENDING && state < GOI_G_DEAD;
}

static bool on_a_window(const struct target *t, const struct sample *s, uintptr_t at, struct g *g)
{
    if (at >= s->sp && at - s->sp + sizeof *g <= s->nstack) {
        memcpy(g, s->stack + (at - s->sp), sizeof *g);
        return g->id != 0;
    }
    return target_read(t, at, g, sizeof *g) && is_alive(g) &&
           (uintptr_t)g->stack == at + GOI_STACK_DESC_BYTES;
}

/* Of main, whose stack is that of the process, and of threads that the program made. */
static bool of_a_thread(struct target *t, const struct sample *s, uintptr_t *at, struct g *g)
{
    bool first = false;
    for (int again = 0; again < 2 && !first; again++) {
        for (size_t i = 0; i < t->maps; i++) {
            first |= strcmp(t->map[i].path, "[stack]") == 0 && s->sp < t->map[i].hi &&
                     s->sp + (64 << 20) >= t->map[i].hi;
        }
        if (t->maps > 0) {
            break;
        }
        target_read_maps(t);
    }
    static struct goi_sched sched;
    if (!target_read(t, (uintptr_t)t->at.sched, &sched, sizeof sched)) {
        return false;
    }
    const struct g *next = sched.foreign_list;
    for (int i = 0; next != NULL && i < LIST_MAX; i++) {
        struct m m;
        *at = (uintptr_t)next;
        if (!target_read(t, *at, g, sizeof *g)) {
            return false;
        }
        bool is_main = (g->flags & GOI_G_MAIN) != 0;
        if (is_main ? first
                    : !first && (g->flags & GOI_G_SYSTEM) == 0 &&
                          target_read(t, (uintptr_t)g->m, &m, sizeof m) && m.tid == s->tid) {
            return true;
        }
        next = g->foreign_next;
    }
    return false;
}

/* --- what is said of it */

/* Takes both. */
static void add(struct who *w, char *key, char *value)
{
    if (value[0] != '\0' && w->n < LABELS_MAX) {
        w->label[w->n++] = (struct label){key, value};
    } else {
        free(key);
        free(value);
    }
}

static void add_own(struct who *w, const char *key, char *value)
{
    add(w, must(strdup(key)), value);
}

static void forget(struct who *w, size_t from)
{
    while (w->n > from) {
        w->n--;
        free(w->label[w->n].key);
        free(w->label[w->n].value);
    }
}

static void add_extra(const struct target *t, struct who *w, uintptr_t at, const struct g *g)
{
    struct g_extra x;
    struct g now;
    if (g->extra == NULL || !target_read(t, (uintptr_t)g->extra, &x, sizeof x)) {
        return;
    }
    size_t before = w->n;
    const char *title = w->title;
    x.name[GOI_NAME_MAX] = '\0';
    add_own(w, "name", must(strdup(x.name)));
    w->title = x.name[0] != '\0' ? w->label[w->n - 1].value : w->title;
    const struct goi_label *next = x.labels;
    for (int i = 0; next != NULL && i < LABELS_MAX; i++) {
        struct goi_label l;
        if (!target_read(t, (uintptr_t)next, &l, sizeof l)) {
            break;
        }
        add(w, text_at(t, next->key), text_at(t, l.value));
        next = l.next;
    }
    if (!target_read(t, at, &now, sizeof now) || now.id != g->id || now.extra != g->extra) {
        forget(w, before); /* it has ended, and what was read may be anybody's */
        w->title = title;
    }
}

static void describe(struct target *t, struct who *w, uintptr_t at, const struct g *g)
{
    char number[32];
    bool is_main = (g->flags & GOI_G_MAIN) != 0;
    const char *entry = is_main                            ? "main"
                        : (g->flags & GOI_G_FOREIGN) != 0 ? "thread"
                                          : symbol_of(t, (uintptr_t)g->entry).name;
    w->goroutine = g->id;
    w->entry = is_main || (g->flags & GOI_G_FOREIGN) != 0 ? 0 : (uintptr_t)g->entry;
    w->title = entry;
    add_own(w, "function", must(strdup(entry)));
    add_extra(t, w, at, g);
    if (!is_main && g->site != NULL) {
        add_own(w, "created_at", text_at(t, g->site));
    }
    if (!is_main && g->created_pc != NULL) {
        add_own(w, "created_by", must(strdup(symbol_of(t, (uintptr_t)g->created_pc - 1).name)));
    }
    if (g->parent_id != 0) {
        snprintf(number, sizeof number, "%lu", (unsigned long)g->parent_id);
        add_own(w, "parent", must(strdup(number)));
    }
}

static void describe_thread(const struct target *t, struct who *w, int tid)
{
    char path[64];
    char name[32] = "thread";
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", t->pid, tid);
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        if (fgets(name, sizeof name, f) != NULL) {
            name[strcspn(name, "\n")] = '\0';
        }
        fclose(f);
    }
    add_own(w, "thread", must(strdup(name)));
    w->title = w->n > 0 ? w->label[0].value : "thread";
}

/* --- kept once */

static bool same(const struct who *a, const struct who *b)
{
    bool r = a->goroutine == b->goroutine && a->n == b->n;
    for (size_t i = 0; r && i < a->n; i++) {
        r = strcmp(a->label[i].key, b->label[i].key) == 0 &&
            strcmp(a->label[i].value, b->label[i].value) == 0;
    }
    return r;
}

/* What is there already keeps its own texts, and those of `w` go. */
static const struct who *keep(struct who *w)
{
    static struct who *kept[KEPT];
    static size_t used;
    uint64_t hash = w->goroutine * 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < w->n; i++) {
        for (const char *c = w->label[i].value; *c != '\0'; c++) {
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
        }
    }
    size_t at = hash >> 40;
    for (;; at++) { /* ends: it is never full */
        struct who *there = kept[at % KEPT];
        if (there == NULL) {
            break;
        }
        if (same(there, w)) {
            forget(w, 0);
            return there;
        }
    }
    if (used == KEPT / 2) {
        static const struct who others = {.title = "other goroutines"};
        forget(w, 0);
        return &others;
    }
    used++;
    kept[at % KEPT] = must(malloc(sizeof *w));
    *kept[at % KEPT] = *w;
    return kept[at % KEPT];
}

const struct who *who_of(struct target *t, const struct sample *s)
{
    struct who w = {0};
    struct g g;
    uintptr_t at = s->sp != 0 ? descriptor(t, s->sp) : 0;
    if (at != 0 ? on_a_window(t, s, at, &g) : of_a_thread(t, s, &at, &g)) {
        describe(t, &w, at, &g);
    } else if (at != 0) {
        w.title = "a goroutine that has ended";
    } else {
        describe_thread(t, &w, s->tid);
    }
    return keep(&w);
}
