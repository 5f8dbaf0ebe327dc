/* SPDX-License-Identifier: MIT */
/* snapshot.c: what is read of the process at one time.
 *
 * The process goes on meanwhile. So nothing that is read is believed without a bound: lists are
 * followed for so many steps, and where a goroutine stands is told only if its descriptor says the
 * same before and after its stack was read. What goes wrong all the same is a wrong name in one
 * picture.
 *
 * A goroutine that is parked has its registers at its stack pointer, and the runtime is built with
 * frame pointers: its frames lead to the return address in the function that called it, whatever
 * that one was built with. No further frame is needed.
 *
 * Of more than LOOK_MAX goroutines every so-manieth is looked at, and counts for its neighbours.
 */
#include "top.h"
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LOOK_MAX = 100000,      /* stacks that are looked at */
    LIST_MAX = 20000,       /* threads, of the program or of the runtime */
    BATCH = 256,            /* goroutines at a time */
    PIECE = 1024,           /* bytes of a stack */
    FRAMES = 24,
    CHUNKS_MAX = 1 << 20,
    CARVED_MAX = 1 << 20,
};

static struct goi_sched sched;
static struct goi_stack_class classes[GOI_STACK_CLASSES];

/* --- texts of the process */

struct text { uintptr_t at; char *text; };

const char *snapshot_text(struct target *t, uintptr_t at)
{
    static struct text known[1024];
    struct text *k = &known[(at ^ at >> 10) % goi_countof(known)];
    char text[256];
    if (at == 0) {
        return "?";
    }
    if (k->at != at) {
        size_t n = 0;
        while (n < sizeof text - 1 && target_read(t, at + n, text + n, 1) && text[n] != '\0') {
            n++;
        }
        text[n] = '\0';
        free(k->text);
        k->text = strdup(text);
        k->at = at;
    }
    return k->text != NULL ? k->text : "?";
}

const char *snapshot_state(struct target *t, const struct group *g)
{
    static const char *const states[] = {
#define GSTATE(name, text, from) text,
#include "sched/gstate.def"
#undef GSTATE
    };
    uintptr_t text = 0;
    if (g->state == GOI_G_WAITING && g->reason < GOI_WAIT_REASONS &&
        target_read(t, (uintptr_t)(t->at.reasons + g->reason), &text, sizeof text)) {
        return snapshot_text(t, text);
    }
    return g->state < GOI_G_STATES ? states[g->state] : "?";
}

/* --- where a goroutine stands */

static bool begins(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }

/* The body of a go_do has a name that is made to be read in a compiler's message. */
static const char *shown(const char *name)
{
    return strstr(name, "_go_do_uses_a_variable") != NULL || begins(name, "go_do_unoptimised_")
               ? "go_do"
               : name;
}

/* Return addresses from the registers at `sp` on, by frame pointers. */
static size_t walk(const struct target *t, const uint64_t *stack, size_t n, uint64_t sp,
                   uintptr_t *pc)
{
    bool arm = t->machine == EM_AARCH64; /* switch.S: x19 .. x30; or r15 .. rbx rbp rip */
    size_t fp_at = arm ? 10 : 5;
    size_t frames = 0;
    if (n < (fp_at + 2) * sizeof *stack) {
        return 0;
    }
    uint64_t fp = stack[fp_at];
    pc[frames++] = stack[fp_at + 1];
    while (frames < FRAMES && fp >= sp && fp + 16 <= sp + n && fp % 8 == 0) {
        uint64_t next = stack[(fp - sp) / 8];
        pc[frames++] = stack[(fp - sp) / 8 + 1];
        fp = next > fp ? next : 0;
    }
    return frames;
}

/* The function that called the library, or NULL. The innermost frame is the library's, whatever is
 * known of it: who parks is in there. */
static const char *where(struct target *t, const uint64_t *stack, size_t n, uint64_t sp)
{
    uintptr_t pc[FRAMES];
    struct function f[FRAMES];
    size_t frames = walk(t, stack, n, sp, pc);
    size_t last = 0;
    for (size_t i = 0; i < frames; i++) {
        f[i] = symbol_of(t, pc[i] - 1);
    }
    if (frames > 0) {
        f[0].library = true;
    }
    while (frames > 0 && (f[frames - 1].library || *f[frames - 1].name == '?')) {
        frames--; /* how a goroutine begins */
    }
    for (size_t i = 0; i < frames; i++) {
        last = f[i].library ? i + 1 : last;
    }
    return last > 0 && last < frames ? shown(f[last].name) : NULL;
}

/* --- groups */

static uint64_t hash_text(uint64_t h, const char *s)
{
    for (; s != NULL && *s != '\0'; s++) {
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    }
    return h;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool alike(const struct group *a, const struct group *b)
{
    return a->state == b->state && a->reason == b->reason && a->site == b->site &&
           same_text(a->where, b->where) && same_text(a->entry, b->entry);
}

static uint32_t table[4 * GROUPS_MAX];      /* index + 1 into the groups; 0: empty */

static void count(struct snapshot *s, const struct group *g)
{
    uint64_t h = hash_text(hash_text(g->site * 31 + g->state * 7 + g->reason, g->where), g->entry);
    size_t at = (h ^ h >> 29) % goi_countof(table);
    while (table[at] != 0 && !alike(&s->group[table[at] - 1], g)) {
        at = (at + 1) % goi_countof(table); /* ends: the table is never full */
    }
    if (table[at] != 0) {
        s->group[table[at] - 1].count += g->count;
    } else if (s->groups < GROUPS_MAX) {
        s->group[s->groups] = *g;
        table[at] = (uint32_t)++s->groups;
    }
}

static int by_count(const void *a, const void *b)
{
    const struct group *x = a;
    const struct group *y = b;
    if (x->count != y->count) {
        return x->count < y->count ? 1 : -1;
    }
    return x->state != y->state ? (x->state < y->state ? -1 : 1) : x->site < y->site ? -1 : 1;
}

/* --- goroutines */

struct batch {
    size_t n;
    uintptr_t at[BATCH];
    struct g before[BATCH], after[BATCH];
    uint64_t stack[BATCH][PIECE / 8];
    struct iovec local[BATCH], remote[BATCH];
    bool there[BATCH];
    size_t bytes[BATCH];
};

static struct batch batch;
static uint64_t weight;     /* each counts for so many */

static void read_descriptors(struct target *t, struct batch *b, struct g *to, bool first)
{
    for (size_t i = 0; i < b->n; i++) {
        b->local[i] = (struct iovec){&to[i], sizeof *to};
        b->remote[i] = (struct iovec){(void *)b->at[i], sizeof *to};
    }
    target_read_all(t, b->local, b->remote, b->n);
    for (size_t i = 0; i < b->n; i++) {
        b->there[i] = b->local[i].iov_len != 0 && (first || b->there[i]);
    }
}

static bool is_goroutine(const struct g *g)
{
    uint32_t state = ld_rlx(&g->state);
    return (g->flags & (GOI_G_SYSTEM | GOI_G_SCHED)) == 0 && state != GOI_G_IDLE &&
           state != GOI_G_PENDING && state != GOI_G_DEAD && state < GOI_G_STATES;
}

/* Its registers and frames are in memory. */
static bool is_stopped(const struct g *g)
{
    uint32_t state = ld_rlx(&g->state);
    return is_goroutine(g) && (g->flags & GOI_G_FOREIGN) == 0 &&
           (state == GOI_G_WAITING || state == GOI_G_RUNNABLE);
}

static void read_stacks(struct target *t, struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        uintptr_t sp = (uintptr_t)b->before[i].regs.sp;
        /* A descriptor lies above its stack; main's is elsewhere. */
        size_t room = b->before[i].stack != NULL && sp < b->at[i] ? b->at[i] - sp : PIECE;
        bool any = b->there[i] && is_stopped(&b->before[i]) && sp % 8 == 0;
        size_t n = any ? (room < PIECE ? room : PIECE) : 0;
        b->bytes[i] = n;
        b->local[i] = (struct iovec){b->stack[i], n};
        b->remote[i] = (struct iovec){(void *)sp, n};
    }
    target_read_all(t, b->local, b->remote, b->n);
    for (size_t i = 0; i < b->n; i++) {
        b->bytes[i] = b->local[i].iov_len;
    }
}

static void count_one(struct target *t, struct snapshot *s, const struct batch *b, size_t i)
{
    const struct g *g = &b->before[i];
    const struct g *again = &b->after[i];
    uint32_t state = ld_rlx(&g->state);
    if (!b->there[i] || !is_goroutine(g)) {
        return;
    }
    bool still = again->id == g->id && ld_rlx(&again->state) == state &&
                 again->reason == g->reason && again->regs.sp == g->regs.sp;
    struct group x = {.state = state,
                      .reason = state == GOI_G_WAITING ? g->reason : 0,
                      .site = (uintptr_t)g->site,
                      .count = g->stack != NULL ? weight : 1};
    if ((g->flags & GOI_G_MAIN) != 0) {
        x.entry = "main";
    } else if ((g->flags & GOI_G_FOREIGN) != 0) {
        x.entry = "a thread of the program";
    } else {
        x.entry = shown(symbol_of(t, (uintptr_t)g->entry).name);
    }
    if (still && b->bytes[i] > 0) {
        x.where = where(t, b->stack[i], b->bytes[i], (uint64_t)(uintptr_t)g->regs.sp);
    }
    s->states[state] += x.count;
    s->looked_at++;
    count(s, &x);
}

static void flush(struct target *t, struct snapshot *s)
{
    struct batch *b = &batch;
    read_descriptors(t, b, b->before, true);
    read_stacks(t, b);
    read_descriptors(t, b, b->after, false);
    for (size_t i = 0; i < b->n; i++) {
        count_one(t, s, b, i);
    }
    b->n = 0;
}

static void add(struct target *t, struct snapshot *s, uintptr_t g)
{
    batch.at[batch.n++] = g;
    if (batch.n == BATCH) {
        flush(t, s);
    }
}

static void look_at_threads(struct target *t, struct snapshot *s)
{
    struct g g;
    const struct g *at = sched.foreign_list;
    for (int i = 0; at != NULL && i < LIST_MAX; i++) {
        if (!target_read(t, (uintptr_t)at, &g, sizeof g)) {
            break;
        }
        add(t, s, (uintptr_t)at);
        at = g.foreign_next;
    }
    flush(t, s);
}

struct chunk { uintptr_t map; uint32_t id, klass, carved; };

static bool read_chunk(const struct target *t, uint32_t id, struct chunk *c)
{
    const struct goi_arena_view *v = &t->at.arena;
    char entry[256];
    uint32_t seq;
    uintptr_t at = (uintptr_t)v->table + (uintptr_t)id * v->entry;
    if (v->entry > sizeof entry || v->map + 8 > v->entry ||
        !target_read(t, at, entry, v->entry)) {
        return false;
    }
    c->id = id;
    memcpy(&seq, entry + v->seq, sizeof seq);
    memcpy(&c->map, entry + v->map, sizeof c->map);
    memcpy(&c->klass, entry + v->klass, sizeof c->klass);
    memcpy(&c->carved, entry + v->carved, sizeof c->carved);
    return seq % 2 == 0 && c->map != 0 && c->klass < GOI_STACK_CLASSES && c->carved <= CARVED_MAX;
}

/* Calls add() for every `step`th window with memory, or only counts them. */
static uint64_t windows(struct target *t, struct snapshot *s, uint64_t step)
{
    static uint64_t cold[CARVED_MAX / 64 + 1];
    const struct goi_arena_view *v = &t->at.arena;
    uint32_t used = 0;
    uint64_t n = 0;
    (void)target_read(t, (uintptr_t)v->used, &used, sizeof used);
    for (uint32_t id = 1; id < used && id < CHUNKS_MAX; id++) {
        struct chunk c;
        if (!read_chunk(t, id, &c) ||
            !target_read(t, c.map, cold, (size_t)(c.carved + 63) / 64 * 8)) {
            continue;
        }
        for (uint32_t i = 0; i < c.carved; i++) {
            if ((cold[i / 64] >> (i % 64) & 1) != 0 || n++ % (step != 0 ? step : 1) != 0 ||
                step == 0) {
                continue;
            }
            uintptr_t end = c.map + v->page + (uintptr_t)(i + 1) * classes[c.klass].stride;
            uintptr_t colour = (uintptr_t)((id + i) % v->colours) * v->colour_step;
            add(t, s, end - colour - sizeof(struct goi_stack) - GOI_STACK_DESC_BYTES);
        }
    }
    flush(t, s);
    return n;
}

/* --- Ps and threads */

static void read_proc(struct target *t, struct snapshot *s, const struct p *at)
{
    static struct p p;
    struct m m;
    struct g g;
    if (!target_read(t, (uintptr_t)at, &p, sizeof p)) {
        return;
    }
    s->started += ld_rlx(&p.spawned);
    s->ended += ld_rlx(&p.exited);
    s->steals += ld_rlx(&p.steals);
    s->handoffs += ld_rlx(&p.handoffs);
    s->io_waiters += ld_rlx(&p.io_waiters);
    s->mutex_ns += ld_rlx(&p.sample.mutex_ns);
    for (size_t i = 0; i < GOI_WAIT_REASONS; i++) {
        s->parks += ld_rlx(&p.sample.parks[i]);
    }
    for (size_t i = 0; i < goi_countof(s->latency); i++) {
        s->latency[i] += ld_rlx(&p.sample.latency[i]);
    }
    if (p.retired || s->nproc == PROCS_SHOWN) {
        return;
    }
    struct proc *x = &s->proc[s->nproc++];
    *x = (struct proc){.id = p.id,
                       .idle = p.idle,
                       .held = p.m != NULL,
                       .picks = ld_rlx(&p.picks),
                       .queue = goi_runq_len(&p.woken) + goi_runq_len(&p.fresh) +
                                ld_rlx(&p.has_next)};
    if (p.m != NULL && target_read(t, (uintptr_t)p.m, &m, sizeof m)) {
        x->tid = m.tid;
        if (target_read(t, (uintptr_t)m.g, &g, sizeof g) && (g.flags & GOI_G_SCHED) == 0) {
            x->g = g.id;
            x->entry = (g.flags & GOI_G_MAIN) != 0 ? 0 : (uintptr_t)g.entry;
        }
    }
}

static void read_threads(struct target *t, struct snapshot *s)
{
    struct m m;
    const struct m *at = sched.all_m;
    for (int i = 0; at != NULL && i < LIST_MAX && target_read(t, (uintptr_t)at, &m, sizeof m);
         i++) {
        s->idle_threads += m.idle;
        at = m.all_next;
    }
}

static bool read_sched(struct target *t, struct snapshot *s)
{
    if (!target_read(t, (uintptr_t)t->at.sched, &sched, sizeof sched) ||
        !target_read(t, (uintptr_t)t->at.arena.classes, classes, sizeof classes)) {
        return false;
    }
    s->procs = (int)ld_rlx(&sched.nprocs);
    s->idle_procs = (int)ld_rlx(&sched.npidle);
    s->threads = sched.nm + sched.nother_threads;
    s->searching = (int)ld_rlx(&sched.nspinning);
    s->foreign = sched.nforeign;
    s->not_in_go = ld_rlx(&sched.ndetached);
    s->started = ld_rlx(&sched.ngoroutines_started);
    s->ended = ld_rlx(&sched.ngoroutines_exited);
    s->wakes = ld_rlx(&sched.wakes);
    s->io_polls = ld_rlx(&sched.io_polls);
    s->io_ready = ld_rlx(&sched.io_ready);
    s->io_waiters = ld_rlx(&sched.io_waiters);
    s->mutex_ns = ld_rlx(&sched.mutex_ns);
    uint32_t made = ld_rlx(&sched.nprocs_made);
    for (uint32_t i = 0; i < made && i < GOI_MAXPROCS_MAX; i++) {
        read_proc(t, s, sched.procs[i]);
    }
    read_threads(t, s);
    return true;
}

bool snapshot_take(struct target *t, struct snapshot *s)
{
    struct group *group = s->group;
    struct timespec now;
    memset(s, 0, sizeof *s);
    memset(table, 0, sizeof table);
    s->group = group != NULL ? group : calloc(GROUPS_MAX, sizeof *group);
    if (s->group == NULL) {
        top_die(TOP_FAILED, "out of memory");
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    s->now = now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
    if (!read_sched(t, s)) {
        return false;
    }
    weight = 1;
    look_at_threads(t, s);
    uint64_t n = windows(t, s, 0);
    weight = (n + LOOK_MAX - 1) / LOOK_MAX;
    weight = weight > 0 ? weight : 1;
    (void)windows(t, s, weight);
    s->left_out = weight > 1 ? n - n / weight : 0;
    qsort(s->group, s->groups, sizeof *s->group, by_count);
    return target_lives(t);
}
