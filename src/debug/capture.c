/* SPDX-License-Identifier: MIT */
/* capture.c: all goroutines, copied at one moment, or some hundred at each of several moments.
 *
 * Printing a hundred thousand stacks takes seconds; walking them takes microseconds each. So the
 * world is stopped for the walk only (sched/world.c): what a report needs is copied into memory of
 * its own, each different stack once, and names and lines are looked up when the program runs
 * again. A program that goes on afterwards does not stand still for long even so: after each
 * millisecond it runs for half of one, and each goroutine is shown as it was in its turn. Windows
 * that goroutines are looked for in stay meanwhile (goi_stack_try_hold).
 *
 * With the world stopped every goroutine that is not running has its registers saved and will not
 * be resumed. Running ones go on in user code, where nobody can look at them; they keep away from
 * their descriptors, all but names and labels, of which only the name is read.
 *
 * Nothing here uses malloc: the walk may interrupt one, and the heap may be what the process dies
 * of.
 *
 *   K1  A stack is walked only when its goroutine cannot be resumed.     (asserted in take_stack)
 */
#include "debug/internal.h"
#include "os/os.h"
#include "sched/world.h"
#include <string.h>

enum { STOP_NS = 1000000, SLICE_NS = 10 * STOP_NS, LOOKS_PER_CLOCK = 16 };
enum { CHUNK = 1 << 20, TABLE = 1024, NAME_TEXT = GOI_NAME_MAX + 1, LABEL_TEXT = 512 };

struct goi_arena_chunk { struct goi_arena_chunk *next; size_t size; };

static void *arena_alloc(struct goi_capture *c, size_t size)
{
    size = goi_round_up(size, 16);
    if ((size_t)(c->arena_end - c->arena) < size) {
        size_t want = size + sizeof(struct goi_arena_chunk) > CHUNK
                          ? goi_round_up(size + 4096, gop_page_size())
                          : (size_t)CHUNK;
        struct goi_arena_chunk *k = gop_pages_reserve(want, gop_page_size());
        if (k == NULL) {
            return NULL;
        }
        k->next = c->chunks;
        k->size = want;
        c->chunks = k;
        c->arena = (char *)k + goi_round_up(sizeof *k, 16);
        c->arena_end = (char *)k + want;
    }
    void *p = c->arena;
    c->arena += size;
    return p;
}

static const char *arena_text(struct goi_capture *c, const char *s, size_t n)
{
    char *p = n > 0 ? arena_alloc(c, n + 1) : NULL;
    if (p != NULL) {
        memcpy(p, s, n);
        p[n] = '\0';
    }
    return p;
}

/* --- stacks, each once */

static uint64_t hash_of(const struct goi_frames *f)
{
    uint64_t h = f->total;
    for (uint32_t i = 0; i < f->n; i++) {
        h = (h ^ f->pc[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}

static bool trace_is(const struct goi_trace *t, const struct goi_frames *f, uint64_t hash)
{
    return t->hash == hash && t->total == f->total && t->n == f->n &&
           memcmp(t->pc, f->pc, f->n * sizeof f->pc[0]) == 0;
}

static struct goi_trace *trace_of(struct goi_capture *c, const struct goi_frames *f)
{
    uint64_t hash = hash_of(f);
    struct goi_trace **at = &c->table[hash % TABLE];
    for (struct goi_trace *t = *at; t != NULL; t = t->next) {
        if (trace_is(t, f, hash)) {
            return t;
        }
    }
    struct goi_trace *t = arena_alloc(c, sizeof *t + f->n * sizeof f->pc[0]);
    if (t != NULL) {
        t->hash = hash;
        t->shown = 0;
        t->total = f->total;
        t->n = f->n;
        t->cut = f->cut;
        memcpy(t->pc, f->pc, f->n * sizeof f->pc[0]);
        t->next = *at;
        *at = t;
    }
    return t;
}

/* --- one goroutine */

struct taking {
    struct goi_capture *c;
    const struct goi_capture_want *want;
    struct goi_frames frames;
    int64_t now;
    int64_t stopped_at, slice_at;
    uint32_t looks;
};

/* Key, value, key, value, each with its zero, and an empty key at the end. What does not fit is
 * left out. */
static const char *labels_of(struct goi_capture *c, const struct g_extra *x)
{
    char text[LABEL_TEXT];
    size_t n = 0;
    for (const struct goi_label *l = x->labels; l != NULL; l = l->next) {
        size_t key = strlen(l->key) + 1;
        size_t value = strlen(l->value) + 1;
        if (key == 1 || n + key + value > sizeof text) {
            continue;
        }
        memcpy(text + n, l->key, key);
        memcpy(text + n + key, l->value, value);
        n += key + value;
    }
    return arena_text(c, text, n); /* its zero is the empty key */
}

/* A goroutine that runs elsewhere may be freeing its extra part: the name is bounded and at worst
 * stale, the labels are left out. */
GOI_NO_SANITIZE static void take_extra(struct goi_capture *c, struct goi_shot *s, const struct g *g)
{
    const struct g_extra *x = g->extra;
    char name[NAME_TEXT];
    size_t n = 0;
    if (x == NULL) {
        return;
    }
    while (n < GOI_NAME_MAX && x->name[n] != '\0') {
        name[n] = x->name[n];
        n++;
    }
    s->name = arena_text(c, name, n);
    if (s->stack == GOI_SHOT_OWN) {
        s->labels = labels_of(c, x);
    }
}

/* K1. A runnable goroutine whose thread has lost its P may still be on its way off that thread. */
static bool walkable(const struct goi_capture *c, const struct g *g, enum gstate state)
{
    if (!c->stopped || (g->flags & GOI_G_FOREIGN) != 0) {
        return false;
    }
    return state == GOI_G_WAITING ||
           (state == GOI_G_RUNNABLE && (g->m == NULL || !g->m->detached));
}

/* To the second, which dumps do not show. */
static int64_t minutes_of(const struct g *g, enum gstate state, int64_t now)
{
    if (state != GOI_G_WAITING) {
        return 0;
    }
    uint32_t since = ld_rlx(&g->waits_from); /* [stat] */
    uint32_t waited = (uint32_t)(now >> GOI_COARSE_SHIFT) - since;
    return since != 0 && waited < UINT32_MAX / 2
               ? ((int64_t)waited << GOI_COARSE_SHIFT) / 60000000000
               : 0;
}

static void take_stack(struct taking *t, struct goi_shot *s, struct g *g)
{
    const struct goi_frames *f = t->want->frames;
    s->current = g == t->want->current;
    s->stack = s->current ? GOI_SHOT_OWN
               : walkable(t->c, g, s->state)
                   ? GOI_SHOT_OWN
                   : s->state == GOI_G_RUNNING || (g->flags & GOI_G_FOREIGN) != 0
                         ? GOI_SHOT_ELSEWHERE
                         : GOI_SHOT_UNKNOWN;
    if (s->stack != GOI_SHOT_OWN) {
        return;
    }
    if (!s->current) {
        goi_assert(t->c->stopped); /* K1 */
        goi_frames_stopped(&t->frames, &g->regs);
        f = &t->frames;
    }
    if (f != NULL && f->n > 0) {
        s->trace = trace_of(t->c, f);
    }
}

/* NULL: no memory. */
static struct goi_shot *take(struct taking *t, struct g *g)
{
    enum gstate state = (enum gstate)ld_rlx(&g->state);
    struct goi_shot *s = arena_alloc(t->c, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    *s = (struct goi_shot){.id = g->id,
                           .parent = g->parent_id,
                           .site = g->site,
                           .created_pc = (uintptr_t)g->created_pc,
                           .entry = (uintptr_t)g->entry,
                           .state = state,
                           .reason = (enum wait_reason)g->reason,
                           .locked = g->locked_m != NULL || (g->flags & GOI_G_FOREIGN) != 0,
                           .system = (g->flags & GOI_G_SYSTEM) != 0,
                           .leaked = (g->flags & GOI_G_LEAKED) != 0 && state == GOI_G_WAITING,
                           .minutes = minutes_of(g, state, t->now)};
    take_stack(t, s, g);
    take_extra(t->c, s, g);
    return s;
}

/* --- all of them */

/* Pointers to the shots, in blocks, linked from the newest: how many there are is not known. */
enum { BLOCK = 1000 };
struct block { struct block *next; size_t n; struct goi_shot *shot[BLOCK]; };

struct all { struct taking t; struct block *blocks; };

static bool wanted(const struct taking *t, const struct g *g)
{
    uint32_t state = ld_rlx(&g->state);
    if ((g->flags & GOI_G_SCHED) != 0 || state == GOI_G_IDLE || state == GOI_G_PENDING ||
        state == GOI_G_DEAD || state >= GOI_G_STATES) {
        return false;
    }
    return t->want->others || t->want->chosen != NULL || g == t->want->current;
}

static bool room_for_one(struct all *a)
{
    if (a->blocks == NULL || a->blocks->n == BLOCK) {
        struct block *b = arena_alloc(a->t.c, sizeof *b);
        if (b == NULL) {
            return false;
        }
        b->n = 0;
        b->next = a->blocks;
        a->blocks = b;
    }
    return true;
}

/* The goroutines of other Ps run for half as long as they stood still; those of this P have their
 * turn when a time slice is over. */
static void breathe(struct taking *t, int64_t now)
{
    int64_t until = now + goi_min_i64((now - t->stopped_at) / 2, STOP_NS);
    if (t->c->stopped) {
        goi_world_start();
    }
    goi_leave(goi_m());
    while (goi_procs() > 1 && goi_now() < until) { /* ends then */
        goi_pause();
    }
    struct m *m = goi_enter();
    if (now - t->slice_at >= SLICE_NS) {
        (void)goi_yield(m);
        t->slice_at = goi_now();
    }
    t->c->stopped = goi_world_stop(t->want->patience);
    t->stopped_at = goi_now();
}

static void breathe_sometimes(struct taking *t)
{
    if (!t->want->crashing && ++t->looks % LOOKS_PER_CLOCK == 0) {
        int64_t now = goi_now();
        if (now - t->stopped_at >= STOP_NS) {
            breathe(t, now);
        }
    }
}

static bool take_each(struct g *g, void *arg)
{
    struct all *a = arg;
    if (a->t.want->others) {
        breathe_sometimes(&a->t);
    }
    if (!wanted(&a->t, g)) {
        return true;
    }
    struct goi_shot *s = room_for_one(a) ? take(&a->t, g) : NULL;
    if (s == NULL) {
        a->t.c->lost++;
        return true;
    }
    a->blocks->shot[a->blocks->n++] = s;
    a->t.c->n++;
    return true;
}

static bool before(const struct goi_shot *a, const struct goi_shot *b)
{
    return a->current != b->current ? a->current : a->id < b->id;
}

/* Heap sort: in place, no recursion, no allocation. */
static void sift(struct goi_shot **s, size_t at, size_t n)
{
    struct goi_shot *x = s[at];
    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && before(s[child], s[child + 1])) {
            child++;
        }
        if (!before(x, s[child])) {
            break;
        }
        s[at] = s[child];
        at = child;
    }
    s[at] = x;
}

static void sort_shots(struct goi_shot **s, size_t n)
{
    for (size_t i = n / 2; i-- > 0;) {
        sift(s, i, n);
    }
    for (size_t end = n; end-- > 1;) {
        struct goi_shot *x = s[0];
        s[0] = s[end];
        s[end] = x;
        sift(s, 0, end);
    }
}

static void collect(struct goi_capture *c, const struct block *blocks)
{
    size_t n = 0;
    c->shots = arena_alloc(c, c->n * sizeof(struct goi_shot *) + 1);
    if (c->shots == NULL) {
        c->lost += c->n;
        c->n = 0;
        return;
    }
    for (const struct block *b = blocks; b != NULL; b = b->next) {
        for (size_t i = 0; i < b->n; i++) {
            c->shots[n++] = b->shot[i];
        }
    }
    goi_must(n == c->n);
    sort_shots(c->shots, n);
}

struct goi_capture *goi_capture_take(const struct goi_capture_want *want)
{
    size_t size = goi_round_up(sizeof(struct goi_capture) + sizeof(struct all), gop_page_size());
    struct goi_capture *c = gop_pages_reserve(size, gop_page_size());
    if (c == NULL) {
        return NULL;
    }
    struct all *a = (struct all *)(void *)(c + 1);
    a->t.c = c;
    a->t.want = want;
    a->t.now = goi_now();
    if (want->chosen != NULL) {
        c->stopped = true;
        for (size_t i = 0; i < want->nchosen; i++) {
            take_each(want->chosen[i], a);
        }
    } else if (want->others) {
        c->stopped = goi_world_stop(want->patience);
        a->t.stopped_at = a->t.slice_at = goi_now();
        goi_world_each(take_each, a, want->crashing);
        if (c->stopped) {
            goi_world_start();
        }
    } else if (want->current != NULL) {
        take_each(want->current, a);
    }
    collect(c, a->blocks);
    return c;
}

void goi_capture_free(struct goi_capture *c)
{
    for (struct goi_arena_chunk *k = c->chunks; k != NULL;) {
        struct goi_arena_chunk *next = k->next;
        gop_pages_release(k, k->size);
        k = next;
    }
    size_t size = goi_round_up(sizeof(struct goi_capture) + sizeof(struct all), gop_page_size());
    gop_pages_release(c, size);
}
