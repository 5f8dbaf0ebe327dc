/* SPDX-License-Identifier: MIT */
/* sample.c: why goroutines park, and how long those that are runnable wait to run.
 *
 * To count each park by its reason costs three instructions, to time each wait two looks at the
 * clock: as much as a switch. Go times one goroutine in eight. Here nothing at all is added to the
 * paths of park, ready and pick; some goroutines are followed, and take branches that are there for
 * others:
 *
 *   park    Each GOI_PICK_BUDGETth pick of a P looks at the clock anyway (pick_slow). The goroutine
 *           that has parked before it stands for GOI_PICK_BUDGET parks. At most once in 5 ms it is
 *           followed as well, with all parks since the last one as its weight.
 *   ready   The test for foreign goroutines is one of a byte with several bits; GOI_ODD_FOLLOWED is
 *           another.
 *   pick    So is the test for goroutines that are locked to their threads.
 *   go      One in FOLLOW_SPAWN, where a P takes a new batch of ids.
 *
 * 61 is prime, so a program that does the same again and again is not met at the same place each
 * time. What is estimated is right on the average of many: a program that parks ten times a second
 * shows up in steps of 61 every few seconds. Goroutines that yield or are preempted are not
 * followed, nor are foreign threads, which no P runs.
 *
 * The wait for a go_mutex is not estimated: its slow path looks at the clock for its own purposes
 * (mutex.c) and tells the time. That of RWMutexes is, by the followed ones.
 *
 *   F1  A goroutine that is followed is changed by its owner only: by the P that it leaves before
 *       its commit has run, by its waker, by the P that picks it. Never a foreign one. (assert)
 *
 * No lock is waited for here: it may be between a park and its commit (park.c, P5).
 */
#include "sched/internal.h"
#include "base/assert.h"

_Static_assert(GOI_PICK_BUDGET % 2 == 1, "a period of its own");

static void add(goi_a64 *a, uint64_t x) { st_rlx(a, ld_rlx(a) + x); /* [stat] */ }

static void follow(struct g *g, uint32_t weight, int64_t now)
{
    goi_assert((g->odd & GOI_ODD_FOREIGN) == 0); /* F1 */
    g->odd |= GOI_ODD_FOLLOWED;
    g->followed_at = now;
    g->weight = weight;
}

void goi_sample_park(struct p *p, int64_t now)
{
    struct g *g = p->m->g;
    struct goi_sample *s = &p->sample;
    if ((g->flags & GOI_G_SCHED) != 0 || ld_rlx(&g->state) != GOI_G_WAITING) {
        return;
    }
    add(&s->parks[g->reason], GOI_PICK_BUDGET);
    s->due += GOI_PICK_BUDGET;
    if (now - s->last >= GOI_SAMPLE_EACH_NS) {
        follow(g, s->due, now);
        s->last = now;
        s->due = 0;
    }
}

void goi_sample_spawn(struct g *g, uint32_t weight) { follow(g, weight, goi_now()); }

void goi_sample_ready(struct m *m, struct g *g)
{
    int64_t now = goi_now();
    if (m->p != NULL && (g->reason == GOI_WAIT_RWMUTEX_R || g->reason == GOI_WAIT_RWMUTEX_W)) {
        add(&m->p->sample.mutex_ns, (uint64_t)(now - g->followed_at) * g->weight);
    }
    g->followed_at = now;
}

void goi_sample_run(struct p *p, struct g *g)
{
    struct goi_sample *s = &p->sample;
    uint64_t ns = (uint64_t)goi_max_i64(goi_now() - g->followed_at, 0);
    uint64_t above = ns / GOI_LATENCY_FIRST_NS;
    uint32_t i = above == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(above);
    add(&s->latency[i < GOI_LATENCY_BOUNDS ? i : GOI_LATENCY_BOUNDS], g->weight);
    add(&s->latency_ns, ns * g->weight);
    g->odd &= (uint8_t)~GOI_ODD_FOLLOWED;
}

void goi_sample_mutex(struct m *m, int64_t ns)
{
    if (m->p != NULL) {
        add(&m->p->sample.mutex_ns, (uint64_t)goi_max_i64(ns, 0));
    } else {
        add_rlx(&goi_sched.mutex_ns, (uint64_t)goi_max_i64(ns, 0));
    }
}
