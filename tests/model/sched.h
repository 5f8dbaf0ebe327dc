/* SPDX-License-Identifier: MIT */
/* sched.h: a scheduler for models: what src/sched, src/time and src/annot offer to src/sync.
 *
 * Each explorer thread is a goroutine on a thread of its own. Parking marks the goroutine before
 * the commit runs, as the real one does, and a waker that finds it not marked has broken the
 * protocol. A deadline is another explorer thread, model_timer, which may fire at any time once it
 * is armed.
 * Time stands still unless a choice lets it pass. */
#ifndef GORT_TEST_MODEL_SCHED_H
#define GORT_TEST_MODEL_SCHED_H
#include "model/atomic.h"
#include "base/base.h"
#include "base/assert.h"
#include <errno.h>
#include <string.h>

#define GOI_ANNOT_H
#define GOP_OS_H
#define GOI_LOCK_H
#define GOI_SCHED_TYPES_H
#define GOI_SCHED_SCHED_H
#define GOI_TIME_TIMER_H
#define GOI_TIME_CLOCK_H
#define GOI_TIME_DEADLINE_H
#define GOI_SYNC_WANTS_H

enum { goi_annot = 0, GOI_ANNOT_TSAN = 1 }; /* no tool looks on */
static inline void goi_race_acquire(const void *p) { (void)p; }
static inline void goi_race_release(const void *p) { (void)p; }
static inline void goi_race_release_merge(const void *p) { (void)p; }
static inline void goi_race_read(const void *p, size_t n) { (void)p, (void)n; }
static inline void goi_race_write(const void *p, size_t n) { (void)p, (void)n; }
static inline void goi_race_release_store(const void *p) { (void)p; }
static inline void goi_race_nobody_begin(void) {}
static inline void goi_race_nobody_end(void) {}
static inline void goi_inside_acquire(const void *p) { (void)p; }
static inline void goi_inside_release(const void *p) { (void)p; }
static inline void goi_unseen_begin(void) {}
static inline void goi_unseen_end(void) {}
static inline void goi_unseen_copy(void *to, const void *from, size_t n) { memcpy(to, from, n); }
static inline size_t goi_unseen_length(const char *s) { return strlen(s); }
static inline bool goi_unseen_equal(const char *a, const char *b) { return strcmp(a, b) == 0; }

struct goi_lock { goi_a32 word; };

static inline void goi_lock(struct goi_lock *l)
{
    uint32_t free = 0; /* an exchange that fails would count as a write, and two wait for ever */
    while (!cas_acq(&l->word, &free, 1)) {
        free = 0;
        ex_spin();
    }
}

static inline bool goi_lock_try(struct goi_lock *l)
{
    uint32_t free = 0;
    return cas_acq(&l->word, &free, 1);
}

static inline void goi_unlock(struct goi_lock *l)
{
    EX_CHECK(l->word.v == 1);
    st_rel(&l->word, 0);
}

enum wait_reason { GOI_WAIT_MUTEX, GOI_WAIT_WAITGROUP, GOI_WAIT_COND, GOI_WAIT_RWMUTEX_R,
                   GOI_WAIT_RWMUTEX_W, GOI_WAIT_ONCE, GOI_WAIT_SEMACQUIRE };

struct p { int unused; };
struct g {
    goi_a32 claim;
    bool parked, ready, armed, timed_out;
    uint32_t ticket;
};
struct m {
    struct g *g;
    struct p *p;
    bool inside;
    int id;
    goi_a64 reading;
};
GOI_UNUSED static struct { uint64_t seed; bool have_membarrier; } goi_sched;

static struct g model_g[EX_THREADS];
static struct m model_m[EX_THREADS];
static struct p model_p;
static bool model_time_passes; /* goi_now() may jump by two milliseconds at each reading */
static int64_t model_now;

static inline void model_reset(void)
{
    memset(model_g, 0, sizeof(model_g));
    memset(model_m, 0, sizeof(model_m));
    model_now = 1;
}

static inline void goi_sample_mutex(struct m *m, int64_t ns)
{
    (void)m;
    (void)ns;
}

static inline int64_t goi_now(void)
{
    if (model_time_passes && ex_choose(2) == 1) {
        model_now += 2000000;
    }
    return model_now;
}

static inline struct m *goi_enter(void)
{
    struct m *m = &model_m[ex.now];
    m->g = &model_g[ex.now];
    m->p = &model_p;
    EX_CHECK(!m->inside);
    m->inside = true;
    return m;
}

static inline struct m *goi_m(void) { return &model_m[ex.now]; }
static inline struct g *goi_self_g(void) { return &model_g[ex.now]; }

/* Notes for reports, which decide nothing. */
static inline void goi_held_by_me(const void *mu) { (void)mu; }
static inline void goi_held_by_none(const void *mu) { (void)mu; }
static inline void goi_wants_prepare(void) {}
static inline void goi_wants_begin(struct g *g, const void *mu) { (void)g, (void)mu; }
static inline void goi_wants_end(struct g *g) { (void)g; }

static bool model_barrier_broken; /* to see that a test notices */

/* Every thread executes a full barrier. */
GOI_UNUSED static void gop_membarrier(void)
{
    for (int i = 0; i < ex.threads && !model_barrier_broken; i++) {
        while (ex.t[i].buffered > 0) {
            ex_flush_first(&ex.t[i]);
        }
    }
}

GOI_UNUSED static bool gop_membarrier_init(void) { return false; } /* tests choose */

static inline void goi_leave(struct m *m)
{
    EX_CHECK(m == &model_m[ex.now]);
    EX_CHECK(m->inside);
    m->inside = false;
}

static bool model_is_ready(void *arg) { return ((struct g *)arg)->ready; }

static inline struct m *goi_park(struct m *m, enum wait_reason reason, void *object,
                                 void (*commit)(struct m *m, void *arg), void *arg)
{
    struct g *g = m->g;
    (void)reason, (void)object;
    EX_CHECK(m->inside);
    g->ready = false;
    g->parked = true;
    commit(m, arg);
    ex_block(model_is_ready, g);
    ex_trace("resumed");
    return m;
}

static inline void goi_ready(struct m *m, struct g *g)
{
    EX_CHECK(m->inside);
    EX_CHECK(g->parked);
    ex_trace("ready %d", (int)(g - model_g));
    g->parked = false;
    g->ready = true;
}

static inline void goi_ready_back(struct m *m, struct g *g) { goi_ready(m, g); }

static inline struct m *goi_yield_next(struct m *m)
{
    ex_switch(true);
    return m;
}

static inline uint32_t goi_claim_begin(struct g *g)
{
    uint32_t c = (ld_rlx(&g->claim) | 1) + 1;
    st_rlx(&g->claim, c);
    return c;
}

static inline bool goi_claim(struct g *g, uint32_t ticket)
{
    uint32_t expected = ticket;
    return cas_acqrel(&g->claim, &expected, ticket | 1);
}

static inline bool goi_claim_end(struct g *g, uint32_t ticket)
{
    uint32_t expected = ticket;
    return cas_acqrel(&g->claim, &expected, ticket | 1);
}

struct model_wait {
    struct g *g;
    void (*commit)(struct m *m, void *arg);
    void *arg;
};

static void model_commit(struct m *m, void *arg)
{
    struct model_wait *w = arg;
    w->g->armed = true; /* as if under the heap's lock: it fires after the commit at the earliest */
    w->commit(m, w->arg);
}

static inline int goi_park_until(struct m **m, enum wait_reason reason, void *object,
                                 void (*commit)(struct m *m, void *arg), void *arg,
                                 uint32_t ticket, int64_t deadline)
{
    struct g *g = (*m)->g;
    struct model_wait w = {.g = g, .commit = commit, .arg = arg};
    (void)deadline;
    g->timed_out = false;
    g->ticket = ticket;
    *m = goi_park(*m, reason, object, model_commit, &w);
    g->armed = false;
    return g->timed_out ? -ETIMEDOUT : 0;
}

static bool model_is_armed(void *arg)
{
    const struct g *g = arg;
    return g->armed && g->parked;
}

/* The body of a daemon thread: the timer of goroutine i. */
static inline void model_timer(int i)
{
    struct g *g = &model_g[i];
    struct m *m = &model_m[ex.now];
    for (;;) {
        ex_block(model_is_armed, g);
        uint32_t ticket = g->ticket;
        g->armed = false;
        if (goi_claim(g, ticket)) {
            g->timed_out = true;
            m->inside = true;
            goi_ready(m, g);
            m->inside = false;
        }
    }
}

static inline void model_fatal(const char *text) { ex_fail("fatal error: %s", text); }
#define goi_fatal model_fatal
#define goi_panic_text model_fatal

#endif
