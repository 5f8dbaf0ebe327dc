/* SPDX-License-Identifier: MIT */
/* g.c: making and ending goroutines.
 *
 * The descriptor sits at the top of the goroutine's stack window, so that a parked goroutine
 * touches one page and a new one needs nothing but a warm window from the P's cache. A goroutine
 * that ends cannot free the stack it stands on: the next one does, in the commit of the last
 * switch.
 *
 *   N1  A window is put back only after the switch away from it.  (put_back runs as a post action)
 *       [COUNT] release of P's exited here, acquire by goi_g_count: who no longer counts a
 *       goroutine sees what it did.
 *   N2  A descriptor found IDLE belongs to nobody; a window that was trimmed reads as zeros, which
 *       is IDLE.
 */
#include "annot/annot.h"
#include "sched/fast.h"
#include "sched/call.h"
#include "base/fmt.h"
#include <stdlib.h>
#include <string.h>

enum { ID_BATCH = 16, FOLLOW_SPAWN = 256 };

static uint64_t next_id(struct p *p, struct g *g)
{
    if (GOI_UNLIKELY(p == NULL)) {
        return add_rlx(&goi_sched.id_next, 1);
    }
    if (GOI_UNLIKELY(p->id_next == p->id_end)) {
        p->id_next = add_rlx(&goi_sched.id_next, ID_BATCH);
        p->id_end = p->id_next + ID_BATCH;
        if (p->id_next / ID_BATCH % (FOLLOW_SPAWN / ID_BATCH) == 0) {
            goi_sample_spawn(g, FOLLOW_SPAWN);
        }
    }
    return p->id_next++;
}

static GOI_COLD void no_stack(size_t want)
{
    struct goi_out o;
    goi_out_init(&o, 2);
    goi_outf(&o, "runtime: cannot allocate a goroutine stack of %zu bytes\n",
             want != 0 ? want : GOI_STACK_SIZE_MIN);
    goi_out_flush(&o);
    goi_fatal("out of memory");
}

static GOI_COLD struct goi_stack *get_spare(size_t want)
{
    goi_lock(&goi_sched.spare_lock);
    struct goi_stack *s = goi_stack_get(&goi_sched.spare_stacks, want);
    goi_unlock(&goi_sched.spare_lock);
    return s;
}

struct g *goi_g_new(struct m *m, size_t want)
{
    struct p *p = m->p;
    struct goi_stack *s = GOI_LIKELY(p != NULL) ? goi_stack_get(&p->stacks, want) : get_spare(want);
    if (GOI_UNLIKELY(s == NULL)) {
        no_stack(want);
    }
    struct g *g = goi_stack_desc(s);
    goi_assert(ld_rlx(&g->state) == GOI_G_IDLE); /* N2 */
    if (GOI_UNLIKELY(g->stack != s)) {
        memset(g, 0, sizeof *g);
        g->stack = s;
        g->klass = s->klass;
        g->annot.lo = s->lo;
        g->annot.hi = s->top;
        goi_annot_register(s->lo, s->top);
    }
    g->flags = 0;
    g->odd = 0;
    g->hasty = 0;
    g->id = next_id(p, g);
    g->parent_id = m->g->id;
    g->done = NULL;
    g->extra = NULL;
    g->lock_depth = 0;
    g->locked_m = NULL;
    g->cxx[0] = g->cxx[1] = 0;
    g->saved_errno = 0;
    goi_gset(g, GOI_G_IDLE, GOI_G_PENDING);
    return g;
}

/* The first code on a new stack. */
static void g_main(void *param, void *post)
{
    struct g *g = param;
    struct m *m = goi_arrive_inline(g, post);
    *m->errno_place = 0;
    goi_leave(m);
    goi_call_run_entry(g);
    goi_g_exit();
}

static GOI_COLD void too_many(void)
{
    struct goi_out o;
    goi_out_init(&o, 2);
    goi_outf(&o, "runtime: ThreadSanitizer follows no more than %u goroutines at a time\n"
                 "Run with -race what is smaller, or let fewer live at once (go_sem,"
                 " go_group_set_limit).\n", goi_annot_most);
    goi_out_flush(&o);
    goi_fatal("too many goroutines for the race detector");
}

static GOI_COLD void start_watched(struct m *m, struct g *g)
{
    if ((m->watch & GOI_WATCH_ANNOT) != 0) {
        const char *name = g->extra != NULL ? g->extra->name : NULL;
        if (!goi_annot_begin(&g->annot, g->id, name, g->site)) {
            too_many();
        }
    }
    if ((m->watch & GOI_WATCH_TRACE) != 0) {
        goi_tracer_started(m, g);
    }
}

void goi_g_start(struct m *m, struct g *g)
{
    struct p *p = m->p;
    if (GOI_UNLIKELY(m->watch != 0)) {
        start_watched(m, g);
    }
    goi_regs_init(&g->regs, goi_call_stack_top(g), g_main, g);
    goi_gset(g, GOI_G_PENDING, GOI_G_RUNNABLE);
    if (GOI_UNLIKELY(p == NULL)) {
        goi_tracer_started(goi_m(), g);
        add_rlx(&goi_sched.ngoroutines_started, 1);
        goi_global_push(g);
        return;
    }
    st_rlx(&p->spawned, ld_rlx(&p->spawned) + 1); /* [stat] */
    goi_runq_push_head(&p->fresh, &g->run);
    if (p->spawn_run++ == 0) {
        p->spawn_first = g;
    }
    goi_wake_maybe();
}

struct m *goi_spawn_pace_slow(struct m *m)
{
    struct g *g = m->g;
    if (g->locked_m != NULL) {
        return m;
    }
    struct p *p = m->p;
    goi_gset(g, GOI_G_RUNNING, GOI_G_RUNNABLE);
    if (p->spawn_first != NULL && goi_runq_len(&p->fresh) >= GOI_FRESH_MAX) {
        goi_runq_insert_after(&p->fresh, &p->spawn_first->run, &g->run);
    } else {
        goi_runq_push_tail(&p->fresh, &g->run);
    }
    struct g *to = goi_pick(p);
    goi_must(to != NULL || p->due);
    if (to == g) {
        goi_gset(g, GOI_G_RUNNABLE, GOI_G_RUNNING);
        return m;
    }
    if (to == NULL || goi_pick_odd(p, to) == NULL) {
        return goi_switch_to(m, g, m->g0, NULL);
    }
    goi_gset(to, GOI_G_RUNNABLE, GOI_G_RUNNING);
    return goi_switch_to(m, g, to, NULL);
}

static void put_window(struct m *m, struct g *g)
{
    goi_assert_hot(ld_rlx(&g->state) == GOI_G_DEAD || ld_rlx(&g->state) == GOI_G_PENDING);
    st_rlx(&g->state, GOI_G_IDLE);
    if (GOI_UNLIKELY(goi_annot != 0)) {
        goi_annot_end(&g->annot);
    }
    if (GOI_LIKELY(m->p != NULL)) {
        goi_stack_put_as(&m->p->stacks, g->stack, g->klass);
    } else {
        goi_lock(&goi_sched.spare_lock);
        goi_stack_put(&goi_sched.spare_stacks, g->stack);
        goi_unlock(&goi_sched.spare_lock);
    }
}

void goi_g_abandon(struct m *m, struct g *g) { put_window(m, g); }

static void put_back(struct m *m, void *arg) { put_window(m, arg); } /* N1 */

/* Main called go_exit: its stack is the process's and stays; it never runs again. */
static void main_gone(struct m *m, void *arg)
{
    (void)m;
    (void)arg;
}

static GOI_COLD void end_odd(struct g *g)
{
    if (g->locked_m != NULL) {
        g->locked_m->locked_g = NULL;
        g->locked_m = NULL;
        g->lock_depth = 0;
        g->odd &= (uint8_t)~GOI_ODD_LOCKED;
    }
    if ((g->odd & GOI_ODD_OPEN) != 0) {
        goi_tracer_gone(g);
    }
}

void goi_g_exit(void)
{
    struct m *m = goi_m();
    struct g *g = m->g;
    if (GOI_UNLIKELY(g->extra != NULL)) {
        goi_g_extra_free(g);
    }
    if (GOI_UNLIKELY(m->foreign)) {
        goi_thread_exit();
    }
    goi_inside_release(&goi_sched.ngoroutines_exited);
    m = goi_enter();
    if (GOI_UNLIKELY(g->odd != 0)) {
        end_odd(g);
    }
    goi_gset(g, GOI_G_RUNNING, GOI_G_DEAD);
    struct p *p = m->p;
    if ((g->flags & GOI_G_MAIN) == 0) { /* main was never counted as started */
        st_rel(&p->exited, ld_rlx(&p->exited) + 1); /* [COUNT] */
    }
    struct goi_post post = {.fn = (g->flags & GOI_G_MAIN) != 0 ? main_gone : put_back, .arg = g};
    goi_schedule_inline(m, g, &post);
    goi_unreachable("a dead goroutine was resumed");
}

size_t goi_g_count(void)
{
    uint64_t started = ld_rlx(&goi_sched.ngoroutines_started);
    uint64_t exited = ld_rlx(&goi_sched.ngoroutines_exited);
    for (int i = 0; i < goi_procs_made(); i++) {
        started += ld_rlx(&goi_sched.procs[i]->spawned);
        exited += ld_acq(&goi_sched.procs[i]->exited); /* [COUNT] */
    }
    bool main_alive = goi_sched.main_g != NULL &&
                      ld_rlx(&goi_sched.main_g->state) != GOI_G_DEAD;
    return (size_t)(started - exited) + (main_alive ? 1 : 0);
}

struct each { bool (*fn)(struct g *g, void *arg); void *arg; };

static bool each_window(struct goi_stack *s, void *arg)
{
    struct each *e = arg;
    struct g *g = goi_stack_desc(s);
    uint32_t state = ld_rlx(&g->state);
    return state == GOI_G_IDLE || state == GOI_G_PENDING || e->fn(g, e->arg);
}

void goi_each_g(bool (*fn)(struct g *g, void *arg), void *arg)
{
    struct each e = {.fn = fn, .arg = arg};
    goi_lock(&goi_sched.lock);
    struct g *list = goi_sched.foreign_list;
    goi_unlock(&goi_sched.lock);
    for (struct g *g = list; g != NULL; g = g->foreign_next) {
        uint32_t state = ld_rlx(&g->state);
        if ((g->flags & GOI_G_SYSTEM) == 0 && state != GOI_G_IDLE && state != GOI_G_DEAD &&
            !fn(g, arg)) {
            return;
        }
    }
    goi_stack_hold();
    goi_stack_each(each_window, &e);
    goi_stack_unhold();
}
