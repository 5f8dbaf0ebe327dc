/* SPDX-License-Identifier: MIT */
/* trace_record.c: the recording side of the tracer: see trace.c, T1 to T4. Everything here is
 * inside the runtime, takes no lock but the tracer's own, and allocates nothing. */
#include "debug/trace.h"
#include "os/os.h"
#include "sched/internal.h"
#include <string.h>

struct goi_tracer goi_tracer;

enum { OPEN_TRACED = GOI_ODD_OPEN | GOI_ODD_TRACED };

/* --- rings */

static size_t ring_bytes(uint32_t size)
{
    return goi_round_up(sizeof(struct goi_tracer_ring) + size * sizeof(struct goi_tracer_event),
                        gop_page_size());
}

struct goi_tracer_ring *goi_tracer_ring_new(int id, uint32_t size)
{
    struct goi_tracer_ring *r = gop_pages_reserve(ring_bytes(size), gop_page_size());
    if (r != NULL) {
        r->id = id;
        r->size = size;
        r->limit = size - GOI_TR_RESERVE;
    }
    return r;
}

void goi_tracer_ring_free(struct goi_tracer_ring *r)
{
    if (r != NULL) {
        gop_pages_release(r, ring_bytes(r->size));
    }
}

static uint32_t slots(uint32_t more)
{
    const uint32_t each = sizeof(struct goi_tracer_event);
    return 1 + (more + each - 1) / each;
}

static bool has_room(struct goi_tracer_ring *r, uint32_t n)
{
    uint32_t head = ld_rlx(&r->head); /* our own */
    if (GOI_LIKELY((int32_t)(r->limit - (head + n)) >= 0)) {
        return true;
    }
    r->limit = ld_acq(&r->tail) + r->size - GOI_TR_RESERVE; /* [TRACER] written down */
    return (int32_t)(r->limit - (head + n)) >= 0;
}

/* There is room. */
static void put(struct goi_tracer_ring *r, const struct goi_tracer_event *e, const void *more)
{
    uint32_t head = ld_rlx(&r->head);
    const char *from = more;
    r->event[head & (r->size - 1)] = *e;
    for (uint32_t at = 0; at < e->more; at += sizeof *e) {
        uint32_t n = e->more - at < sizeof *e ? e->more - at : (uint32_t)sizeof *e;
        memcpy(&r->event[++head & (r->size - 1)], from + at, n);
    }
    st_rel(&r->head, head + 1); /* [TRACER] the event is complete */
}

static void put_simple(struct goi_tracer_ring *r, enum goi_tracer_kind kind, unsigned what,
                       uint64_t g, uint64_t other, int64_t at)
{
    struct goi_tracer_event e = {
        .at = at, .g = g, .other = other, .kind = (uint16_t)kind, .what = (uint16_t)what};
    put(r, &e, NULL);
}

/* --- the budget (T3) */

static void pause_p(struct p *p, struct goi_tracer_ring *r, int64_t at, unsigned why)
{
    put_simple(r, GOI_TR_PAUSE, why, 0, 0, at); /* into the reserve */
    r->on = false;
    r->picks = ld_rlx(&p->picks);
    p->m->watch &= (uint8_t)~GOI_WATCH_TRACE;
}

static GOI_COLD bool admit_slow(struct p *p, struct goi_tracer_ring *r, int64_t at, uint32_t n)
{
    if (at - r->window >= GOI_TR_WINDOW_NS) {
        r->window = at;
        r->left = GOI_TR_BUDGET_EVENTS;
    }
    bool room = has_room(r, n);
    if (r->left >= n && room) {
        r->left -= n;
        return true;
    }
    pause_p(p, r, at, room ? GOI_TR_BUDGET : GOI_TR_FULL);
    return false;
}

static bool admit(struct p *p, struct goi_tracer_ring *r, int64_t at, uint32_t n)
{
    if (GOI_UNLIKELY(r->left < n) || GOI_UNLIKELY(!has_room(r, n))) {
        return admit_slow(p, r, at, n);
    }
    r->left -= n;
    return true;
}

static bool is_system(const struct g *g) { return (g->flags & (GOI_G_SCHED | GOI_G_SYSTEM)) != 0; }

static uint64_t id_of(const struct g *g) { return is_system(g) ? 0 : g->id; }

/* --- who a goroutine is */

/* Other in each trace, and other for who had the descriptor before. */
static uint64_t seen_by_this(const struct g *g)
{
    return g->id ^ (uint64_t)ld_rlx(&goi_tracer.number) << 40; /* [stat] */
}

static bool is_known(const struct g *g) { return g->tracer_seen == seen_by_this(g); }

/* Before it is made known: g's slice, if one is open, ends with this event (T2). One was opened at
 * the start for who was there and had no P. */
static unsigned take_open(struct g *g)
{
    bool first = !is_known(g) && g->id < goi_tracer.first_id;
    unsigned open = first || (g->odd & GOI_ODD_OPEN) != 0 ? GOI_TR_OPEN : 0;
    g->odd &= (uint8_t)~OPEN_TRACED;
    return open;
}

struct known { struct goi_tracer_origin origin; char name[GOI_NAME_MAX + 1]; };

static uint32_t known_bytes(const struct g *g)
{
    bool named = g->extra != NULL && g->extra->name[0] != '\0';
    return named ? sizeof(struct known) : sizeof(struct goi_tracer_origin);
}

static struct goi_tracer_event known_event(const struct g *g, int64_t at, struct known *k)
{
    struct goi_tracer_event e = {.at = at,
                                 .g = g->id,
                                 .other = (uintptr_t)g->entry,
                                 .kind = GOI_TR_KNOWN,
                                 .what = g->flags & (GOI_G_MAIN | GOI_G_FOREIGN),
                                 .more = known_bytes(g)};
    k->origin.site = g->site;
    k->origin.parent = g->parent_id;
    k->origin.created_pc = (uintptr_t)g->created_pc;
    if (e.more == sizeof *k) {
        memcpy(k->name, g->extra->name, sizeof k->name);
        k->name[GOI_NAME_MAX] = '\0';
    }
    return e;
}

static void put_known(struct goi_tracer_ring *r, const struct g *g, int64_t at)
{
    struct known k;
    struct goi_tracer_event e = known_event(g, at, &k);
    put(r, &e, &k);
}

/* On p, whose ring is r: g is the current goroutine, or on its way to being it. */
static void make_known(struct p *p, struct goi_tracer_ring *r, struct g *g, int64_t at)
{
    if (GOI_UNLIKELY(!is_known(g)) && !is_system(g) && admit(p, r, at, slots(known_bytes(g)))) {
        put_known(r, g, at);
        g->tracer_seen = seen_by_this(g);
    }
}

static void resume_p(struct p *p, struct goi_tracer_ring *r, int64_t now)
{
    if (now - r->window < GOI_TR_WINDOW_NS || !has_room(r, GOI_TR_RING / 4)) {
        return;
    }
    struct g *g = p->m->g;
    bool runs = !is_system(g) && ld_rlx(&g->state) != GOI_G_DEAD;
    struct goi_tracer_event e = {.at = now,
                                 .g = runs ? g->id : 0,
                                 .other = ld_rlx(&p->picks) - r->picks,
                                 .kind = GOI_TR_RESUME,
                                 .what = (uint16_t)(runs ? take_open(g) : 0),
                                 .more = sizeof(uintptr_t)};
    uintptr_t entry = runs ? (uintptr_t)g->entry : 0;
    put(r, &e, &entry);
    r->on = true;
    r->window = now;
    r->left = GOI_TR_BUDGET_EVENTS;
    p->m->watch |= GOI_WATCH_TRACE;
    if (runs && !is_known(g)) {
        put_known(r, g, now);
        g->tracer_seen = seen_by_this(g);
    }
}

void goi_tracer_tick(struct p *p, int64_t now)
{
    if (!p->tracer->on) {
        resume_p(p, p->tracer, now);
    }
}

/* --- what happens on a P */

static unsigned what_of(const struct g *g)
{
    uint32_t state = ld_rlx(&g->state);
    return state == GOI_G_WAITING ? g->reason : state == GOI_G_DEAD ? GOI_TR_DEAD : GOI_TR_RUNNABLE;
}

void goi_tracer_switch(struct m *m, struct g *from, struct g *to)
{
    struct p *p = m->p;
    struct goi_tracer_ring *r = p->tracer;
    int64_t now = goi_now();
    make_known(p, r, from, now);
    if (!r->on || !admit(p, r, now, 1)) {
        return;
    }
    unsigned what = what_of(from);
    if (what != GOI_TR_DEAD && !is_system(from)) {
        from->odd |= OPEN_TRACED;
    }
    bool system = is_system(to);
    struct goi_tracer_event e = {.at = now,
                                 .g = system ? 0 : to->id,
                                 .other = system ? 0 : (uintptr_t)to->entry,
                                 .kind = GOI_TR_SWITCH,
                                 .what = (uint16_t)(what | (system ? 0 : take_open(to)))};
    put(r, &e, NULL);
    make_known(p, r, to, now);
}

/* --- and elsewhere: T4 */

static bool put_other(const struct goi_tracer_event *e, const void *more)
{
    bool done = false;
    goi_lock(&goi_tracer.lock);
    struct goi_tracer_ring *r = goi_tracer.others;
    if (ld_rlx(&goi_tracer.on)) {
        uint32_t n = slots(e->more);
        if (e->at - r->window >= GOI_TR_WINDOW_NS) {
            r->window = e->at;
            r->left = GOI_TR_BUDGET_EVENTS;
        }
        done = r->left >= n && has_room(r, n);
        if (done) {
            r->left -= n;
            put(r, e, more);
        } else {
            r->lost++;
        }
    }
    goi_unlock(&goi_tracer.lock);
    return done;
}

/* By who has no P; a thread's own goroutine, or one that it makes. */
static void make_known_elsewhere(struct g *g)
{
    struct known k;
    struct goi_tracer_event e = known_event(g, goi_now(), &k);
    if (!is_known(g) && put_other(&e, &k)) {
        if (g->id < goi_tracer.first_id && (g->flags & GOI_G_FOREIGN) == 0) {
            g->odd |= OPEN_TRACED; /* what take_open() knew until now */
        }
        g->tracer_seen = seen_by_this(g);
    }
}

static bool other_simple(enum goi_tracer_kind kind, unsigned what, uint64_t g, uint64_t other)
{
    if (!ld_rlx(&goi_tracer.on)) { /* a hint: asked again under the lock */
        return false;
    }
    struct goi_tracer_event e = {.at = goi_now(),
                                 .g = g,
                                 .other = other,
                                 .kind = (uint16_t)kind,
                                 .what = (uint16_t)what};
    return put_other(&e, NULL);
}

/* The event is of p's owner if there is a p. */
static bool record(struct p *p, enum goi_tracer_kind kind, unsigned what, uint64_t g,
                   uint64_t other)
{
    if (p == NULL) {
        return other_simple(kind, what, g, other);
    }
    struct goi_tracer_ring *r = p->tracer;
    if (r == NULL || !r->on) {
        return false;
    }
    int64_t now = goi_now();
    if (!admit(p, r, now, 1)) {
        return false;
    }
    put_simple(r, kind, what, g, other, now);
    return true;
}

void goi_tracer_ready(struct m *m, struct g *g)
{
    if (!ld_rlx(&goi_tracer.on)) { /* of an earlier trace */
        g->odd &= (uint8_t)~OPEN_TRACED;
        return;
    }
    if (m->foreign && !is_system(m->g)) {
        make_known_elsewhere(m->g);
    }
    if (!record(m->p, GOI_TR_READY, 0, g->id, id_of(m->g))) {
        g->odd &= (uint8_t)~GOI_ODD_TRACED; /* T3: nor will the next time be told, until it runs */
    }
}

void goi_tracer_started(struct m *m, struct g *g)
{
    struct p *p = m->p;
    if (p != NULL) {
        make_known(p, p->tracer, g, goi_now());
    } else if (ld_rlx(&goi_tracer.on)) {
        make_known_elsewhere(g);
        if (m->foreign && !is_system(m->g)) {
            make_known_elsewhere(m->g);
        }
    }
    if (record(p, GOI_TR_CREATED, 0, g->id, id_of(m->g))) {
        g->odd |= OPEN_TRACED;
    }
}

void goi_tracer_preempted(struct m *m)
{
    (void)record(m->p, GOI_TR_PREEMPTED, 0, id_of(m->g), 0);
}

void goi_tracer_stole(struct m *m, const struct p *victim)
{
    (void)record(m->p, GOI_TR_STOLE, 0, 0, (uint64_t)victim->id);
}

/* The slice of who runs without a P is one like the others from here on. */
static void take_away(struct m *m, struct g *g)
{
    if ((m->watch & GOI_WATCH_AWAY) != 0) {
        m->watch &= (uint8_t)~GOI_WATCH_AWAY;
        g->odd |= OPEN_TRACED;
    }
}

void goi_tracer_bound(struct p *p, struct m *m)
{
    struct goi_tracer_ring *r = p->tracer;
    struct g *g = m->g;
    bool runs = !is_system(g);
    take_away(m, g);
    if (!r->on) {
        resume_p(p, r, goi_now());
        return;
    }
    m->watch |= GOI_WATCH_TRACE;
    uintptr_t entry = runs ? (uintptr_t)g->entry : 0;
    struct goi_tracer_event e = {.at = goi_now(),
                                 .g = id_of(g),
                                 .other = (uint64_t)m->tid,
                                 .kind = GOI_TR_BOUND,
                                 .more = sizeof entry};
    if (admit(p, r, e.at, slots(e.more))) {
        e.what = (uint16_t)(runs ? take_open(g) : 0);
        put(r, &e, &entry);
        make_known(p, r, g, e.at);
    }
}

void goi_tracer_unbound(struct p *p, struct m *m)
{
    bool told = !is_system(m->g) && record(p, GOI_TR_TAKEN, 0, m->g->id, 0);
    m->watch &= (uint8_t)~GOI_WATCH_TRACE;
    m->watch |= told ? (unsigned)GOI_WATCH_AWAY : 0u;
}

void goi_tracer_queued(struct m *m, struct g *g)
{
    take_away(m, g);
    if (ld_rlx(&goi_tracer.on)) { /* a hint: asked again under the lock */
        unsigned open = take_open(g);
        make_known_elsewhere(g);
        if (other_simple(GOI_TR_QUEUED, open, g->id, 0) || open != 0) {
            g->odd |= OPEN_TRACED;
        }
    }
}

void goi_tracer_gone(struct g *g) { (void)other_simple(GOI_TR_GONE, 0, g->id, 0); }

void goi_tracer_thread_parks(struct g *g)
{
    if (!ld_rlx(&goi_tracer.on)) {
        g->odd &= (uint8_t)~OPEN_TRACED; /* of an earlier trace */
        return;
    }
    make_known_elsewhere(g);
    unsigned open = (g->odd & GOI_ODD_OPEN) != 0 ? GOI_TR_OPEN : 0; /* its end found no room */
    if (other_simple(GOI_TR_THREAD_PARKS, g->reason | open, g->id, 0)) {
        g->odd |= OPEN_TRACED;
    }
}

void goi_tracer_thread_runs(struct g *g)
{
    if ((g->odd & GOI_ODD_OPEN) != 0 && other_simple(GOI_TR_THREAD_RUNS, 0, g->id, 0)) {
        g->odd &= (uint8_t)~OPEN_TRACED;
    }
}

/* --- the beginning and the end */

void goi_tracer_attach(struct p *p, struct goi_tracer_ring *r, int64_t now)
{
    r->window = now;
    r->left = GOI_TR_BUDGET_EVENTS;
    r->on = true;
    p->tracer = r;
    p->id_next = p->id_end; /* ids from here on are new ones: first_id */
    st_rel(&goi_tracer.rings[p->id], r); /* [TRACER] */
    struct m *m = p->m;
    if (m != NULL) {
        bool runs = !is_system(m->g);
        uintptr_t entry = runs ? (uintptr_t)m->g->entry : 0;
        struct goi_tracer_event e = {.at = now,
                                     .g = id_of(m->g),
                                     .other = (uint64_t)m->tid,
                                     .kind = GOI_TR_BOUND,
                                     .more = sizeof entry};
        put(r, &e, &entry);
        m->watch |= GOI_WATCH_TRACE; /* T1: it is held */
        if (runs) { /* so it has no slice but this */
            m->g->odd &= (uint8_t)~OPEN_TRACED;
            m->g->tracer_seen = seen_by_this(m->g);
        }
    }
}

void goi_tracer_p_made_locked(struct p *p)
{
    if (ld_rlx(&goi_tracer.on)) {
        struct goi_tracer_ring *r = goi_tracer_ring_new(p->id, GOI_TR_RING);
        if (r != NULL) { /* else this P is not recorded */
            goi_tracer_attach(p, r, goi_now());
        }
    }
}

void goi_tracer_detach(struct p *p, int64_t now)
{
    struct goi_tracer_ring *r = p->tracer;
    if (r == NULL) {
        return;
    }
    put_simple(r, GOI_TR_STOP, 0, 0, r->on ? 0 : ld_rlx(&p->picks) - r->picks, now);
    p->tracer = NULL;
    if (p->m != NULL) {
        p->m->watch &= (uint8_t)~GOI_WATCH_TRACE;
    }
}

/* While the world is stopped. */
static bool has_p(const struct g *g)
{
    for (int i = 0; i < goi_procs_made(); i++) {
        const struct m *m = goi_sched.procs[i]->m;
        if (m != NULL && m->g == g) {
            return true;
        }
    }
    return false;
}

bool goi_tracer_snapshot(struct goi_tracer_ring *r, const struct g *g, int64_t now)
{
    if (!has_room(r, 2 + slots(sizeof(struct known)))) {
        return false;
    }
    put_known(r, g, now);
    bool runs = ld_rlx(&g->state) == GOI_G_RUNNING;
    if ((g->flags & GOI_G_FOREIGN) == 0 && !(runs && has_p(g))) { /* ends in take_open */
        put_simple(r, GOI_TR_STATE, runs ? GOI_TR_AWAY : what_of(g), g->id, 0, now);
    }
    return true;
}

/* --- the program's own events */

void goi_tracer_say(enum goi_tracer_kind kind, const char *text)
{
    if (!ld_rlx(&goi_tracer.on)) {
        return;
    }
    struct m *m = goi_enter();
    struct goi_tracer_event e = {.at = goi_now(), .g = id_of(m->g), .kind = (uint16_t)kind};
    e.more = text != NULL ? (uint32_t)strnlen(text, GOI_TR_TEXT_MAX) : 0;
    struct p *p = m->p;
    struct goi_tracer_ring *r = p != NULL ? p->tracer : NULL;
    if (p == NULL) {
        make_known_elsewhere(m->g);
        (void)put_other(&e, text);
    } else if (r != NULL && has_room(r, slots(e.more))) { /* also while the scheduler's pause */
        if (r->on) {
            make_known(p, r, m->g, e.at);
        }
        if (has_room(r, slots(e.more))) {
            put(r, &e, text);
        }
    }
    goi_leave(m);
}
