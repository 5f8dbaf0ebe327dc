/* SPDX-License-Identifier: MIT */
/* leak.c: goroutines that nothing can wake any more.
 *
 * A total deadlock shows itself: everything stands still. A goroutine that waits for ever while
 * others run shows nothing, but it keeps its stack, all that it holds, and whoever waits for it.
 * Here is found which ones those are, by what a garbage collector would do (Go 1.26's goroutineleak
 * profile; Saioc et al., "Dynamic partial deadlock detection and recovery via garbage collection",
 * ASPLOS 2025): whoever wakes a goroutine must be able to find it.
 *
 * The rule. Every wait in Gort publishes a record: {goroutine, value, ...}. It lies on the stack of
 * the one who waits (for a select of many cases in the heap, and says who it is). A waker reaches
 * it through what is waited for: channel, mutex, waitgroup, condition, context point at the first
 * record, that at the next. So: a parked goroutine is alive if and only if something that is alive
 * holds a word that points into its stack, at its descriptor, or at such a thing. Nothing needs to
 * be known about what it waits for, nor how many things it waits for, nor what kinds there are.
 *
 * Alive to begin with, and so the ways in which a goroutine can be woken at all:
 *
 *   - by another one: all that run or are runnable, with stack and registers; one whose go
 *     statement is being evaluated; main; threads that the program made, with their whole stacks,
 *     whether they have called the runtime or not;
 *   - by time: every pending timer. Sleepers; waits with a deadline, whose timer lies on their
 *     stack; contexts, whose timer lies in them; functions to be called later, with their
 *     arguments; timers and tickers that somebody waits for, which are in the heap for as long as
 *     somebody does;
 *   - from outside: who waits for a descriptor (sockets, child processes, names); for a signal,
 *     since the list of registered channels is a variable;
 *   - by variables: data of the program and of all libraries, thread-local and goroutine-local
 *     ones; memory of which nobody knows what it is: mappings, other allocators, shared memory.
 *
 * From these all words are followed, conservatively: a word that looks like an address is one, also
 * into the middle of something. A piece of the heap that is reached is looked through
 * (leak_heap.c); one that is not reached is not, so that a channel known only to a structure which
 * nobody has any more is not within reach. A parked goroutine that is reached is looked through
 * like the others; and so on until nothing more is found. Who is left has leaked, and stays so:
 * nothing that is alive knows the way to it, and nobody can make up an address.
 *
 * Not followed, because they say what there is and not what can be done with it: descriptors,
 * queues and stacks of the scheduler, the heaps of timers (entry by entry instead), stacks in
 * caches, sysmon's while it has nothing in hand, what is below a stack pointer. One thing in the
 * runtime is found by other means than a pointer: who waits for a mutex as the first in its life
 * stands in the hall (mutex.c); for those, the mutex must be within reach.
 *
 *   K1  The world is stopped from before goroutines are listed until their stacks have been copied
 *       for the report; threads stand still while memory is looked at (leak_stop.c).
 *   K2  Whoever is in the middle of a wake has the address of the goroutine or of its record in a
 *       register or on a stack that is looked at. Owners of Ps are waited for until they are
 *       outside the runtime; other threads are stopped, and looked at where they are.
 *                            (by_a_register, by_a_thread_that_knows_no_goroutines in leaks/simple)
 *   K3  No memory of the check itself is looked at.                              (goi_leak_alloc)
 *   K4  Without certainty there is no verdict: a thread that does not stop, memory that cannot be
 *       seen, a tool that keeps memory of its own (ASan, TSan, Valgrind).        (`problem`)
 *   K5  A goroutine is marked when it has been found, so that dumps say so and a repeated look
 *       reports it once.                                                          (GOI_G_LEAKED)
 *
 * Limits. Missed is what stale words keep alive: on a stack that is alive, in memory that is not
 * the C library's heap; what a global variable can reach, although nobody will use it (as in Go);
 * what a live goroutine's pointer to a variable on the leaked one's stack keeps alive. Wrongly
 * reported could only be who is known by a word that is not an address in memory: pointers that are
 * disguised (compressed, written to a file, on another machine), or in memory that was protected
 * from reading. Where the C library is not glibc its heap counts as reachable as a whole.
 *
 * Cost: nothing until it is asked for. Then the program stands still for the time that reading its
 * memory takes: what is there of the heap, of data, and of stacks the part above the stack pointer.
 * Scans at an interval take a tenth of the time at most, or come less often.
 *
 * Rejected: reference counts of goroutines on handles (every copy of a pointer would have to be
 * told). Rejected: all of the heap as reachable: a structure that has been lost would keep its
 * channel alive, which is what most leaks look like. Rejected: which object each goroutine waits
 * for as the question, instead of whether it can be reached: there are twenty kinds of waits, some
 * for two things at once, and each new one would be a wrong report until it was taught.
 */
#include "debug/leak.h"
#include "debug/crash.h"
#include "debug/cycle.h"
#include "debug/dump.h"
#include "annot/annot.h"
#include "os/os.h"
#include "sched/internal.h"
#include "sched/world.h"
#include "sync/view.h"
#include "time/timer.h"
#include <gort/debug.h>
#include <string.h>
#include <unwind.h>

enum { PATIENCE_NS = 1000000000, SLACK = 256, SCAN_STACK = GOI_M_STACK, RED_ZONE = 128,
       SHARE = 9 /* of the time a scanned program has for itself, to one for the scan */ };

struct goi_lock goi_check_lock;

void *goi_leak_alloc(struct goi_leak *l, size_t size)
{
    size = goi_round_up(size + 1, gop_page_size());
    void *p = l->nown < GOI_LEAK_OWN ? gop_pages_reserve(size, gop_page_size()) : NULL;
    if (p == NULL) {
        l->problem = "out of memory";
        return NULL;
    }
    l->own[l->nown++] = (struct goi_range){(uintptr_t)p, (uintptr_t)p + size}; /* K3 */
    return p;
}

static void release(struct goi_leak *l)
{
    for (size_t i = l->nown; i-- > 0;) { /* the check itself lies in the first */
        const struct goi_range r = l->own[i];
        gop_pages_release((void *)r.lo, r.hi - r.lo);
    }
}

static struct goi_leak *begin(void)
{
    size_t size = goi_round_up(sizeof(struct goi_leak), gop_page_size());
    struct goi_leak *l = gop_pages_reserve(size, gop_page_size());
    if (l != NULL) {
        l->own[l->nown++] = (struct goi_range){(uintptr_t)l, (uintptr_t)l + size};
        l->look = -1;
    }
    return l;
}

/* --- who there is. The world is stopped; threads run. */

static bool counts(const struct g *g, uint32_t state)
{
    return (g->flags & (GOI_G_SCHED | GOI_G_SYSTEM)) == 0 && state != GOI_G_IDLE &&
           state != GOI_G_DEAD && state < GOI_G_STATES;
}

static bool count_g(struct g *g, void *arg)
{
    struct goi_leak *l = arg;
    l->gs_room += counts(g, ld_rlx(&g->state));
    return true;
}

/* Its registers are saved, and nobody but a waker can resume it. */
static bool is_parked(const struct g *g, uint32_t state)
{
    return state == GOI_G_WAITING && (g->flags & GOI_G_FOREIGN) == 0 &&
           g->reason != GOI_WAIT_SLEEP && g->reason != GOI_WAIT_IO;
}

static void is_main(const struct goi_symbol *s, void *arg)
{
    *(bool *)arg |= s->function != NULL && strcmp(s->function, "main") == 0;
}

static bool named_main(uintptr_t pc)
{
    bool yes = false;
    goi_symbolize(pc, is_main, &yes);
    return yes;
}

/* The program's, or NULL: nobody said to the linker that a library asks for it. */
extern int main(int argc, char **argv) GOI_WEAK;

static bool lies_in_main(uintptr_t pc)
{
    return _Unwind_FindEnclosingFunction((void *)pc) == (void *)(uintptr_t)&main;
}

/* The process's own stack holds more than the main goroutine's frames: arguments, environment, and
 * what the C library keeps in the frame that calls main. Everybody points there. Where main's frame
 * is not found, main is alive. It does not move. */
static void end_of_main(struct goi_leak_g *lg)
{
    static uintptr_t end;           /* under goi_check_lock */
    if (end == 0 && &main != NULL) {
        end = goi_frames_end(&lg->g->regs, lies_in_main);
    }
    if (end == 0) { /* or a part of it that the compiler has put elsewhere */
        end = goi_frames_end(&lg->g->regs, named_main);
    }
    lg->end = end;
    lg->parked = end > lg->sp;
}

static bool list_g(struct g *g, void *arg)
{
    struct goi_leak *l = arg;
    uint32_t state = ld_rlx(&g->state);
    if (!counts(g, state) || l->ngs == l->gs_room) {
        return true;
    }
    struct goi_leak_g *lg = &l->gs[l->ngs++];
    bool saved = (g->flags & GOI_G_FOREIGN) == 0 &&
                 (state == GOI_G_WAITING ||
                  (state == GOI_G_RUNNABLE && (g->m == NULL || !g->m->detached)));
    lg->g = g;
    lg->parked = is_parked(g, state);
    lg->sp = saved ? (uintptr_t)g->regs.sp : 0;
    lg->top = g->stack != NULL ? (uintptr_t)g : 0;
    lg->end = (uintptr_t)(g + 1);
    if (lg->parked && (g->flags & GOI_G_MAIN) != 0) {
        end_of_main(lg);
    }
    return true;
}

static void list_goroutines(struct goi_leak *l)
{
    goi_world_each(count_g, l, false);
    l->gs_room += SLACK; /* threads may be met by the runtime meanwhile */
    l->gs = goi_leak_alloc(l, l->gs_room * sizeof *l->gs);
    l->targets = goi_leak_alloc(l, 2 * l->gs_room * sizeof *l->targets);
    l->edges_room = l->gs_room;
    l->edges = goi_leak_alloc(l, l->edges_room * sizeof *l->edges);
    if (l->problem == NULL) {
        goi_world_each(list_g, l, false);
    }
}

static bool count_thread(int tid, void *arg)
{
    struct goi_leak *l = arg;
    (void)tid;
    l->threads_room++;
    return true;
}

static bool count_mapping(const struct gop_mapping *m, void *arg)
{
    struct goi_leak *l = arg;
    (void)m;
    l->maps_room++;
    return true;
}

static void count_range(const void *lo, size_t bytes, void *arg)
{
    (void)lo;
    (void)bytes;
    ++*(size_t *)arg;
}

/* All memory is had before threads stop, but for what depends on the heap's size. */
static void make_room(struct goi_leak *l)
{
    size_t ms = 0;
    for (const struct m *m = goi_sched.all_m; m != NULL; m = m->all_next) {
        ms++;
    }
    for (const struct g *g = goi_sched.foreign_list; g != NULL; g = g->foreign_next) {
        ms++;
    }
    if (!gop_threads(count_thread, l) || !gop_mappings(count_mapping, l)) {
        l->problem = "the system does not say what is in the process";
        return;
    }
    size_t ranges = 0;
    goi_stack_ranges(count_range, &ranges);
    l->threads_room += SLACK;
    l->maps_room += GOI_LEAK_OWN + SLACK;
    l->skip_room = GOI_LEAK_OWN + l->threads_room + 2 * ms + ranges + SLACK +
                   (size_t)goi_procs_made() * (GOI_HEAP_SEGMENTS + 1);
    l->threads = goi_leak_alloc(l, l->threads_room * sizeof *l->threads);
    l->maps = goi_leak_alloc(l, l->maps_room * sizeof *l->maps);
    l->skip = goi_leak_alloc(l, l->skip_room * sizeof *l->skip);
    l->look = gop_pages_look_open();
    if (l->look < 0 && l->problem == NULL) {
        l->problem = "the system does not say which pages are there";
    }
}

/* --- what memory there is. Threads stand still from here on. */

static bool list_mapping(const struct gop_mapping *m, void *arg)
{
    struct goi_leak *l = arg;
    if (l->nmaps == l->maps_room) {
        return false;
    }
    l->maps[l->nmaps++] = *m;
    return true;
}

static bool is_there(const struct goi_leak *l, uintptr_t at)
{
    uint8_t state;
    return gop_pages_look(l->look, at, 1, &state) && state == GOP_PAGE_PRESENT;
}

/* A mapping without a file may hold heaps of the C library, each at a multiple of its size. What
 * lies between them stays; those parts are appended. */
static void find_arenas(struct goi_leak *l, size_t i)
{
    struct gop_mapping *m = &l->maps[i];
    uintptr_t at = m->lo - 1;
    while (goi_leak_heap_next(at, &at) && at < m->hi) { /* ends: `at` grows */
        uintptr_t end = at;
        if (l->nmaps < l->maps_room && is_there(l, at) &&
            goi_leak_heap_arena(l, at, m->hi, &end) != 0) {
            l->maps[l->nmaps++] = (struct gop_mapping){m->lo, at, GOP_MAPPING_ANONYMOUS};
            m->lo = end;
        }
    }
}

static void find_heaps(struct goi_leak *l)
{
    size_t n = l->nmaps;
    for (size_t i = 0; i < n && l->problem == NULL; i++) {
        struct gop_mapping *m = &l->maps[i];
        if (m->kind == GOP_MAPPING_BREAK) {
            m->hi = goi_leak_heap_break(l, m->lo, m->hi);
        } else if (m->kind == GOP_MAPPING_STACK) {
            l->main_stack = (struct goi_range){m->lo, m->hi};
        } else if (m->kind == GOP_MAPPING_ANONYMOUS) {
            find_arenas(l, i);
        }
    }
    goi_leak_heap_caches(l);
}

/* Variables of an object: the pages that are there lie together, or apart. */
static void find_state(struct goi_leak *l, const struct gop_mapping *m)
{
    size_t page = gop_page_size();
    struct goi_range state;
    for (uintptr_t from = m->lo; from < m->hi;) { /* ends: `from` grows */
        uintptr_t to = from;
        while (to < m->hi && is_there(l, to)) { /* ends at the end */
            to += page;
        }
        if (goi_leak_heap_state(l, from, to, &state)) {
            goi_leak_skip(l, state.lo, state.hi);
        }
        from = to + page;
    }
}

static void skip_memory(const void *lo, size_t size, void *arg)
{
    goi_leak_skip(arg, (uintptr_t)lo, (uintptr_t)lo + size);
}

static void no_node(const void *node, void *arg) { (void)node, (void)arg; }

static void note_edge(const void *mutex, const void *record, void *arg)
{
    struct goi_leak *l = arg;
    if (l->nedges < l->edges_room) {
        l->edges[l->nedges++] = (struct goi_leak_edge){(uintptr_t)mutex, (uintptr_t)record};
    }
}

/* What was there when a signal came last. Who stands in a handler is looked at by himself. */
static void skip_signal_stack(struct goi_leak *l, const struct m *m)
{
    uintptr_t lo = (uintptr_t)m->sigstack;
    if (lo != 0) {
        goi_leak_skip(l, lo, lo + goi_overflow_stack_size() + gop_page_size());
    }
}

/* What is below the stack pointer. Below the stack lies another one, which may be anybody's. */
static void skip_left_over(struct goi_leak *l, const struct goi_leak_thread *t)
{
    uintptr_t lo;
    uintptr_t hi;
    if (gop_thread_stack_ours(t->tid, &lo, &hi) && t->sp <= hi && t->sp > lo + RED_ZONE) {
        goi_leak_skip(l, lo, t->sp - RED_ZONE);
    }
}

/* Of a thread of ours half of its stack is taken for the scheduler's (thread.c), but with many
 * thread-local variables, which lie on it as well, there is less. */
static void skip_scheduler_stack(struct goi_leak *l, const struct m *m)
{
    uintptr_t from = (uintptr_t)m->g0->annot.lo;
    uintptr_t lo;
    uintptr_t hi;
    if (gop_thread_stack_ours(m->tid, &lo, &hi)) {
        from = from > lo ? from : lo;
    }
    goi_leak_skip(l, from, (uintptr_t)m->g0->annot.hi);
}

/* The scheduler's own, which knows everybody. */
static void leave_out(struct goi_leak *l)
{
    const struct goi_timers_view timers = {.held = no_node, .memory = skip_memory, .arg = l};
    const void *halls;
    size_t halls_size;
    l->halls_known = goi_mutex_halls_view(note_edge, l, &halls, &halls_size);
    skip_memory(halls, halls_size, l);
    skip_memory(&goi_sched, sizeof goi_sched, l);
    goi_cycles_memory(skip_memory, l);
    char *lo;
    char *hi;
    if (goi_sysmon_rests(&lo, &hi)) {
        goi_leak_skip(l, (uintptr_t)lo, (uintptr_t)hi);
    }
    goi_stack_ranges(skip_memory, l); /* stacks are looked at one by one, as they are found */
    for (const struct m *m = goi_sched.all_m; m != NULL; m = m->all_next) {
        goi_leak_skip_object(l, m);
        goi_leak_skip_object(l, m->g0);
        skip_scheduler_stack(l, m);
        skip_signal_stack(l, m);
    }
    for (struct g *g = goi_sched.foreign_list; g != NULL; g = g->foreign_next) {
        goi_leak_skip_object(l, g);
        goi_leak_skip_object(l, g->m);
        if ((g->flags & GOI_G_FOREIGN) != 0) {
            skip_signal_stack(l, g->m);
        }
    }
    for (int i = 0; i < goi_procs_made(); i++) {
        goi_leak_skip_object(l, goi_sched.procs[i]);
        goi_timers_view(goi_sched.procs[i]->timers, &timers);
    }
    for (size_t i = 0; i < l->nthreads; i++) {
        const struct goi_leak_thread *t = &l->threads[i];
        goi_leak_skip(l, t->handler.lo, t->handler.hi);
        if (t->ours) {
            skip_left_over(l, t);
        }
    }
    for (size_t i = 0; i < l->nmaps; i++) {
        if (l->maps[i].kind == GOP_MAPPING_DATA) {
            find_state(l, &l->maps[i]);
        }
    }
    for (size_t i = 0; i < l->nown; i++) {
        goi_leak_skip(l, l->own[i].lo, l->own[i].hi); /* K3 */
    }
    goi_leak_sort_skips(l);
}

static void make_targets(struct goi_leak *l)
{
    for (size_t i = 0; i < l->ngs; i++) {
        struct goi_leak_g *lg = &l->gs[i];
        if ((lg->g->flags & GOI_G_MAIN) != 0) {
            lg->top = l->main_stack.hi;
        }
        if (!lg->parked) {
            continue;
        }
        uintptr_t end = (uintptr_t)(lg->g + 1);
        l->targets[l->ntargets++] = (struct goi_leak_target){lg->sp, lg->end, i};
        if (lg->g->stack == NULL) { /* main's descriptor lies elsewhere */
            l->targets[l->ntargets++] = (struct goi_leak_target){(uintptr_t)lg->g, end, i};
        }
    }
    goi_leak_sort_targets(l);
}

/* --- who is alive */

/* Where the stack of a goroutine begins that runs on a thread which stands still. 0: no such. */
static uintptr_t running_sp(const struct goi_leak *l, uintptr_t lo, uintptr_t hi)
{
    for (size_t i = 0; i < l->nthreads; i++) {
        if (l->threads[i].sp >= lo && l->threads[i].sp < hi) {
            return l->threads[i].sp - RED_ZONE;
        }
    }
    return 0;
}

static void mark_goroutine(struct goi_leak *l, struct goi_leak_g *lg)
{
    const struct g *g = lg->g;
    bool main = (g->flags & GOI_G_MAIN) != 0;
    lg->live = true;
    goi_leak_descriptor(l, g);
    if (g->stack == NULL && !main) {
        return; /* a thread's: its stack is memory like other */
    }
    uintptr_t lo = main ? l->main_stack.lo : (uintptr_t)g->stack->lo;
    uintptr_t sp = lg->sp != 0 ? lg->sp : running_sp(l, lo, lg->top);
    if (sp != 0) {
        goi_leak_stack(l, lg, sp);
    } else {
        goi_leak_mapping(l, lo, lg->top, true);
    }
}

static void mark_node(const void *node, void *arg) { goi_leak_word(arg, (uintptr_t)node); }

static void no_memory(const void *lo, size_t size, void *arg)
{
    (void)lo;
    (void)size;
    (void)arg;
}

/* The halls' waiters: alive when the mutex is within reach. True: some have been found. */
static bool follow_edges(struct goi_leak *l)
{
    bool any = false;
    for (size_t i = 0; i < l->nedges; i++) {
        struct goi_leak_edge *e = &l->edges[i];
        if (e->record != 0 && goi_leak_reached(l, e->object)) {
            goi_leak_word(l, e->record);
            e->record = 0;
            any = true;
        }
    }
    goi_leak_drain(l);
    return any;
}

static void mark_all(struct goi_leak *l)
{
    const struct goi_timers_view timers = {.held = mark_node, .memory = no_memory, .arg = l};
    for (size_t i = 0; i < l->ngs; i++) {
        struct goi_leak_g *lg = &l->gs[i];
        if (!lg->parked || (!l->halls_known && lg->g->reason == GOI_WAIT_MUTEX)) {
            mark_goroutine(l, lg);
        }
    }
    for (size_t i = 0; i < l->nthreads; i++) {
        goi_leak_words(l, l->threads[i].regs.lo, l->threads[i].regs.hi);
    }
    for (int i = 0; i < goi_procs_made(); i++) {
        goi_timers_view(goi_sched.procs[i]->timers, &timers);
    }
    goi_leak_drain(l);
    for (size_t i = 0; i < l->nmaps && l->problem == NULL; i++) {
        const struct gop_mapping *m = &l->maps[i];
        if (m->kind != GOP_MAPPING_STACK) {
            goi_leak_mapping(l, m->lo, m->hi, false);
        }
    }
    while (follow_edges(l)) { /* ends: each edge once */
    }
}

/* Everything between the first thread that stops and the last that goes on. The caller's frame,
 * with what its caller had in registers, lies above this one. */
static GOI_NOINLINE void look(struct goi_leak *l)
{
    l->threads[0].tid = gop_thread_id(); /* ourselves */
    l->threads[0].sp = (uintptr_t)goi_stack_pointer();
    st_rlx(&l->threads[0].stopped, 1);
    l->nthreads = 1;
    if (goi_leak_stop(l)) {
        if (!gop_mappings(list_mapping, l)) {
            l->problem = "the system does not say what memory there is";
        } else {
            find_heaps(l);
            leave_out(l);
            make_targets(l);
        }
        if (l->problem == NULL) {
            mark_all(l);
        }
    }
    goi_leak_go_on(l);
}

/* --- the verdict */

struct verdict { size_t all, fresh; const char *problem; struct goi_capture *capture; };

static void sentence(struct goi_leak *l, bool again, struct verdict *v)
{
    struct g **chosen = goi_leak_alloc(l, (l->ngs + 1) * sizeof *chosen);
    for (size_t i = 0; chosen != NULL && i < l->ngs; i++) {
        const struct goi_leak_g *lg = &l->gs[i];
        if (lg->live) {
            continue;
        }
        bool fresh = (lg->g->flags & GOI_G_LEAKED) == 0;
        lg->g->flags |= GOI_G_LEAKED; /* K5 */
        v->all++;
        if (fresh || again) {
            chosen[v->fresh++] = lg->g;
        }
    }
    if (v->fresh > 0) {
        const struct goi_capture_want want = {.chosen = chosen, .nchosen = v->fresh};
        v->capture = goi_capture_take(&want);
    }
}

/* The caller's registers come to lie on its stack. `again`: also those that were found before. */
static GOI_NOINLINE struct verdict check(bool again)
{
    struct verdict v = {0};
    struct goi_leak *l = goi_annot == 0 ? begin() : NULL;
    if (&main == NULL) {
        (void)named_main(0); /* the first look at names reads all there is: now, not later */
    }
    __builtin_unwind_init();
    if (l == NULL) {
        v.problem = goi_annot != 0 ? "a tool keeps memory of its own" : "out of memory"; /* K4 */
        return v;
    }
    if (!goi_world_stop(PATIENCE_NS)) {
        v.problem = "goroutines do not stop";
        release(l);
        return v;
    }
    list_goroutines(l); /* K1 */
    make_room(l);
    if (l->problem == NULL) {
        look(l);
    }
    if (l->problem == NULL) {
        sentence(l, again, &v);
    }
    goi_world_start();
    v.problem = l->problem;
    if (l->look >= 0) {
        gop_pages_look_close(l->look);
    }
    release(l);
    return v;
}

static void write_verdict(struct goi_out *o, const struct verdict *v)
{
    if (v->problem != NULL) {
        goi_outf(o, "gort: no verdict on leaked goroutines: %s\n", v->problem);
    } else if (v->fresh > 0) {
        goi_outf(o, "gort: %zu goroutine%s leaked: nothing can wake %s any more\n", v->fresh,
                 v->fresh == 1 ? "" : "s", v->fresh == 1 ? "it" : "them");
        if (v->capture != NULL) {
            goi_dump_write(o, v->capture, goi_traceback >= GOI_TRACEBACK_SYSTEM, true);
        }
        goi_out_str(o, "\n");
    }
}

/* *took: for how long the program stood still, about. */
static size_t check_and_write(int fd, bool again, int64_t *took)
{
    static struct goi_out o;        /* under goi_check_lock */
    goi_lock(&goi_check_lock);
    int64_t begin = goi_now();
    struct verdict v = check(again);
    *took = goi_now() - begin;
    if (fd >= 0 && !goi_crash_elsewhere()) { /* its report is not to be cut in two */
        goi_out_init(&o, fd);
        write_verdict(&o, &v);
        goi_out_flush(&o);
    }
    if (v.capture != NULL) {
        goi_capture_free(v.capture);
    }
    goi_unlock(&goi_check_lock);
    return v.all;
}

size_t go_leak_check(int fd)
{
    goi_leave(goi_enter()); /* there is a runtime, and a goroutine */
    int64_t took;
    return check_and_write(fd, true, &took);
}

/* --- knobs */

void goi_debug_exit(void)
{
    goi_cycles_exit();
    int64_t took;
    if (goi_knobs.leaks != 0) {
        (void)check_and_write(2, true, &took);
    }
}

static int64_t interval;            /* [c] */

static void *scan(void *arg)
{
    (void)arg;
    gop_thread_name("gort-leaks");
    int64_t took = 0;
    for (;;) { /* for the life of the process */
        gop_sleep_ns(goi_max_i64(interval, took * SHARE));
        if (ld_acq(&goi_sched.started) && !ld_rlx(&goi_sched.exiting)) { /* [INIT] */
            (void)check_and_write(2, false, &took);
        }
    }
    return NULL;
}

void goi_leak_scan_start(int64_t every)
{
    interval = goi_max_i64(every, 1000000);
    goi_lock(&goi_sched.lock);
    goi_sched.nother_threads++;
    goi_unlock(&goi_sched.lock);
    if (gop_thread_start(scan, NULL, SCAN_STACK) != 0) {
        goi_lock(&goi_sched.lock);
        goi_sched.nother_threads--;
        goi_unlock(&goi_sched.lock);
    }
}
