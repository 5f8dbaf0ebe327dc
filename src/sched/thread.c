/* SPDX-License-Identifier: MIT */
/* thread.c: Ms, the threads that run goroutines, and threads that others made.
 *
 * An M never exits while the program runs (gone.c: when somebody tries): libc caches per-thread
 * addresses (errno, ctype tables, pthread_self) that compilers keep across calls, and a goroutine
 * may come back to any of them.
 *
 * Four kinds of thread meet the runtime:
 *   - Ms made here: g0 is the thread's own stack;
 *   - the process's first thread: its stack is the main goroutine's, so its M gets a separate g0;
 *     it enters like a goroutine whose P was taken, whenever it makes its first call;
 *   - foreign threads (pthread_create): a struct m that never has a P and a struct g that parks on
 *     a futex, made at the first call and kept for reuse when the thread ends (T1);
 *   - sysmon: like a foreign thread, but not counted as one.
 *
 *   T1  m's and g's of foreign threads are never freed: a waker may touch the futex word of a
 *       goroutine that it has just released (park.c, TPARK).
 */
#include "annot/annot.h"
#include "sched/internal.h"
#include "base/fmt.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__thread struct m *goi_tls_m;
static pthread_key_t thread_end;

extern uintptr_t *__cxa_get_globals(void) GOI_WEAK;

static void *must_alloc(size_t size)
{
    void *p = aligned_alloc(GOI_CACHE_LINE, goi_round_up(size, GOI_CACHE_LINE));
    if (p == NULL) {
        goi_fatal("out of memory (allocating a thread)");
    }
    memset(p, 0, size);
    return p;
}

static GOI_COLD void exhausted(void)
{
    struct goi_out o;
    goi_out_init(&o, 2);
    goi_outf(&o, "runtime: program exceeds %d-thread limit\n", GOI_THREADS_MAX);
    goi_out_flush(&o);
    goi_fatal("thread exhaustion");
}

struct m *goi_m_new(void)
{
    struct m *m = must_alloc(sizeof *m);
    struct g *g0 = must_alloc(sizeof *g0);
    g0->flags = GOI_G_SCHED | GOI_G_SYSTEM;
    st_rlx(&g0->state, GOI_G_RUNNING);
    g0->m = m;
    m->g0 = g0;
    m->g = g0;
    m->watch = goi_annot_follows() ? (unsigned)GOI_WATCH_ANNOT : 0u;
    st_rlx(&m->in_rt, 1);
    st_rlx(&m->attn, GOI_ATTN_NO_P | (goi_sched.have_membarrier ? 0u : (unsigned)GOI_ATTN_FENCE));
    goi_lock(&goi_sched.lock);
    m->id = goi_sched.nm++;
    m->rand.s = goi_sched.seed + (uint64_t)m->id * 0x632be59bd9b4e019u;
    m->all_next = goi_sched.all_m;
    goi_sched.all_m = m;
    bool full = goi_sched.nm > GOI_THREADS_MAX;
    goi_unlock(&goi_sched.lock);
    if (full) {
        exhausted();
    }
    return m;
}

void goi_m_init_thread(struct m *m)
{
    goi_tls_m = m;
    m->errno_place = &errno;
    m->cxx_place = __cxa_get_globals != NULL ? __cxa_get_globals() : NULL;
    m->tid = gop_thread_id();
    m->cpu_clock = gop_thread_clock();
    goi_overflow_thread_init(NULL);
    m->sigstack = goi_overflow_thread_stack();
    pthread_setspecific(thread_end, m);
}

static void *m_main(void *arg)
{
    struct m *m = arg;
    char *here = goi_stack_pointer();
    goi_m_init_thread(m);
    gop_thread_name("gort");
    gop_timer_slack_small();
    gop_thread_slice(0, 100000);
    m->g0->annot.hi = here;
    m->g0->annot.lo = here - GOI_M_STACK / 2;
    goi_annot_adopt(&m->g0->annot);
    goi_loop(m->g0, m);
}

void goi_m_start(struct m *m)
{
    goi_lock(&goi_sched.lock);
    if (ld_rlx(&goi_sched.exiting)) {
        or_rlx(&m->attn, GOI_ATTN_EXIT); /* [EXIT] made after at_exit told all that there were */
    }
    goi_unlock(&goi_sched.lock);
    int r = gop_thread_start(m_main, m, GOI_M_STACK);
    if (r != 0) {
        struct goi_out o;
        goi_out_init(&o, 2);
        goi_outf(&o, "runtime: failed to create new OS thread (have %d already; errno=%d)\n",
                 goi_sched.nm - 1, -r);
        goi_out_flush(&o);
        goi_fatal("newosproc");
    }
}

/* The first thread's M: a scheduler stack of its own, and the main goroutine running on it. */
static struct m *adopt_main(void)
{
    /* Before the thread counts as one of ours: sysmon runs already, and a main thread that it knows
     * but that nobody says is running would be a deadlock (V2, V5 in deadlock.c). */
    goi_lock(&goi_sched.lock);
    st_rlx(&goi_sched.ndetached, ld_rlx(&goi_sched.ndetached) + 1);
    goi_unlock(&goi_sched.lock);
    struct m *m = goi_m_new();
    char *stack = gop_pages_reserve(GOI_M_STACK, gop_page_size());
    struct g *g = must_alloc(sizeof *g);
    if (stack == NULL) {
        goi_fatal("out of memory (allocating a scheduler stack)");
    }
    m->g0->annot.lo = stack;
    m->g0->annot.hi = stack + GOI_M_STACK;
    goi_annot_register(stack, stack + GOI_M_STACK);
    if (goi_annot != 0) {
        (void)goi_annot_begin(&m->g0->annot, 0, "scheduler", NULL);
    }
    goi_regs_init(&m->g0->regs, stack + GOI_M_STACK, goi_loop, m->g0);
    g->id = 1;
    g->flags = GOI_G_MAIN;
    g->m = m;
    st_rlx(&g->state, GOI_G_RUNNING);
    goi_annot_adopt(&g->annot);
    if (goi_annot != 0) {
        char *lo;
        char *hi;
        gop_thread_stack(&lo, &hi);
        g->annot.lo = lo;
        g->annot.hi = hi;
    }
    m->g = g;
    goi_m_init_thread(m);
    gop_timer_slack_small(); /* it runs goroutines and sleeps for timers like the others */
    goi_lock(&goi_sched.lock);
    goi_sched.main_g = g;
    g->foreign_next = goi_sched.foreign_list;
    st_rel(goi_wordptr(&goi_sched.foreign_list), g); /* [OWN] with on_page in sync/wants.c */
    m->detached = true; /* it enters like a goroutine whose P was taken; counted above */
    goi_unlock(&goi_sched.lock);
    st_rlx(&m->in_rt, 0); /* [RT] nobody else knows this M yet; who enters sets it */
    return m;
}

static void thread_ends(void *arg)
{
    struct m *m = arg;
    if (!m->foreign) {
        goi_thread_gone(m);
    }
    m->sigstack = NULL;
    goi_overflow_thread_fini();
    goi_lock(&goi_sched.lock);
    goi_sched.nforeign--;
    st_rlx(&m->g->state, GOI_G_IDLE);
    st_rlx(&m->g->own_hi, 0); /* the next thread has another stack */
    m->link = goi_sched.foreign_free;
    goi_sched.foreign_free = m; /* T1 */
    goi_unlock(&goi_sched.lock);
    goi_tls_m = NULL;
}

static struct m *foreign_new(void)
{
    struct m *m = must_alloc(sizeof *m);
    struct g *g = must_alloc(sizeof *g);
    m->foreign = true;
    m->watch = goi_annot_follows() ? (unsigned)GOI_WATCH_ANNOT : 0u;
    m->g = g;
    g->m = m;
    g->flags = GOI_G_FOREIGN;
    g->odd = GOI_ODD_FOREIGN;
    st_rlx(&m->attn, GOI_ATTN_NO_P);
    goi_lock(&goi_sched.lock);
    g->foreign_next = goi_sched.foreign_list;
    st_rel(goi_wordptr(&goi_sched.foreign_list), g); /* [OWN] with on_page in sync/wants.c */
    goi_unlock(&goi_sched.lock);
    return m;
}

struct m *goi_m_new_system(void)
{
    struct m *m = foreign_new();
    m->g->flags |= GOI_G_SYSTEM;
    st_rlx(&m->g->state, GOI_G_RUNNING);
    goi_lock(&goi_sched.lock);
    goi_sched.nother_threads++;
    goi_unlock(&goi_sched.lock);
    return m;
}

static struct m *adopt_foreign(void)
{
    goi_lock(&goi_sched.lock);
    struct m *m = goi_sched.foreign_free;
    if (m != NULL) {
        goi_sched.foreign_free = m->link;
        m->link = NULL;
    }
    goi_unlock(&goi_sched.lock);
    if (m == NULL) {
        m = foreign_new();
    }
    goi_lock(&goi_sched.lock);
    goi_sched.nforeign++;
    m->rand.s = goi_sched.seed - ++goi_sched.nadopted * 0x632be59bd9b4e019u;
    m->g->id = add_rlx(&goi_sched.id_next, 1);
    goi_unlock(&goi_sched.lock);
    st_rlx(&m->g->state, GOI_G_RUNNING);
    goi_annot_adopt(&m->g->annot);
    goi_m_init_thread(m);
    return m;
}

struct m *goi_adopt(void)
{
    goi_init();
    if (goi_sched.forked) {
        goi_fatal("goroutines used in the child of fork: it may only exec or _exit");
    }
    if (gop_thread_id() == (int)getpid() && goi_sched.main_g == NULL) {
        return adopt_main();
    }
    return adopt_foreign();
}

struct g *goi_self_g(void)
{
    struct m *m = goi_m();
    if (GOI_UNLIKELY(m == NULL)) {
        m = goi_adopt();
    }
    return m->g;
}

void goi_thread_init(void)
{
    int r = pthread_key_create(&thread_end, thread_ends);
    goi_must(r == 0);
}
