/* SPDX-License-Identifier: MIT */
/* explore.h: runs a small concurrent program under every interleaving, within bounds.
 *
 * The code under test is compiled into the test with base/atomic.h replaced by model/atomic.h, so
 * that each access to a shared word is a point where another thread may go on. A run is made of
 * choices: which thread continues, what ex_choose() returns, when a buffered store becomes visible.
 * The explorer runs the program again and again, each time with another sequence of choices, depth
 * first, until all have been tried (stateless model checking). Threads are coroutines on
 * one processor, so a run is exact and repeatable, and a failure is printed with its trace.
 *
 *   X1  A thread goes on by itself until it blocks or ends; taking it off before costs one
 *       preemption, of which a run has a bounded number. Most bugs need two (CHESS, Musuvathi and
 *       Qadeer 2007); what a bound leaves out is what the test's author decides.
 *   X2  A loop that waits for another thread calls ex_spin(): it goes on only after some other
 *       thread has written something. If nobody can go on, the run has deadlocked and fails.
 *   X3  With store buffers (x86-TSO) a store stays invisible to others until its thread fences,
 *       does a read-modify-write, blocks or ends, or until another thread that accesses the same
 *       word chooses to find it there. That loses no behaviour, because an invisible store matters
 *       only to who looks.
 *
 * Weaker orders than TSO are not modelled: tests on Arm hardware and the arguments in
 * docs/MEMORY_MODEL.md stand for them. Rejected: real threads with a token (300 times slower);
 * partial order reduction (these programs are small enough without).
 *
 *     static void setup(void);                        before each run
 *     static void thread_0(void) ...                  up to EX_THREADS
 *     static void check(void);                        after each run
 *     static const struct ex_program p = {.name = "...", .setup = setup,
 *                                         .threads = {thread_0, thread_1}, .check = check,
 *                                         .preemptions = 3};
 *     EXPECT(ex_explore(&p));
 */
#ifndef GORT_TEST_EXPLORE_H
#define GORT_TEST_EXPLORE_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/arch.h"
#include "harness.h"

enum {
    EX_THREADS = 6,
    EX_CHOICES = 4096,   /* choices in one run */
    EX_BUFFER = 8,       /* stores that one thread may have outstanding */
    EX_STEPS = 20000,    /* points in one run; more is a livelock */
    EX_STACK = 64 << 10,
    EX_FREED = 16,       /* ranges that ex_freed() may name in one run */
};

struct ex_program {
    const char *name;
    void (*setup)(void);
    void (*threads[EX_THREADS])(void);
    unsigned daemons;       /* bit i: thread i need not end */
    void (*check)(void);
    int preemptions;        /* X1 */
    bool store_buffers;     /* X3 */
    long max_runs;          /* 0: all; the test says so when the bound was hit */
};

enum ex_state { EX_NONE, EX_RUNNABLE, EX_SPINNING, EX_BLOCKED, EX_ENDED };

struct ex_store {
    void *at;
    uint64_t value;
    uint8_t size;
};

struct ex_thread {
    enum ex_state state;
    struct goi_regs regs;
    char *stack;
    void (*body)(void);
    bool (*may_go_on)(void *arg); /* of a blocked thread */
    void *arg;
    uint64_t seen;                /* writes when it began to spin */
    struct ex_store buffer[EX_BUFFER];
    int buffered;
};

struct ex_choice { uint16_t taken, of; };

static struct {
    const struct ex_program *program;
    struct goi_regs main;
    struct ex_thread t[EX_THREADS];
    int threads, now;
    int preemptions;
    long steps;
    uint64_t writes;
    struct ex_choice choices[EX_CHOICES];
    int made, known;          /* choices of this run; choices to repeat from the last */
    struct { const char *lo, *hi; } freed[EX_FREED];
    int nfreed;
    bool failed, tracing;
    char why[256];
} ex;

/* ---- failing and tracing ---- */

__attribute__((format(printf, 1, 2))) static inline void ex_trace(const char *format, ...)
{
    if (!ex.tracing) {
        return;
    }
    va_list ap;
    va_start(ap, format);
    fprintf(stderr, "  %3d: ", ex.now);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
}

/* Ends this run: it has shown a bug. Does not return when called by a thread. */
__attribute__((format(printf, 1, 2))) static inline void ex_fail(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (!ex.failed) {
        vsnprintf(ex.why, sizeof(ex.why), format, ap);
    }
    va_end(ap);
    ex.failed = true;
    ex_trace("FAILED: %s", ex.why);
    if (ex.now >= 0) {
        goi_switch(&ex.t[ex.now].regs, &ex.main, NULL);
        abort();
    }
}

/* What goi_must() and goi_assert() call in a model. */
void ex_bug(const char *why, const char *file, int line) __attribute__((noreturn, cold, noinline));
void ex_bug(const char *why, const char *file, int line)
{
    ex_fail("%s:%d: %s", file, line, why);
    abort();
}

#define EX_CHECK(x) ((x) ? (void)0 : ex_fail("%s:%d: %s", __FILE__, __LINE__, #x))

/* ---- choices ---- */

/* One of 0 .. n - 1, each in some run. */
static inline int ex_choose(int n)
{
    if (n <= 1) {
        return 0;
    }
    if (ex.made >= EX_CHOICES) {
        fprintf(stderr, "explore: %s makes more than %d choices\n", ex.program->name, EX_CHOICES);
        abort();
    }
    struct ex_choice *c = &ex.choices[ex.made];
    if (ex.made >= ex.known) {
        c->taken = 0;
        c->of = (uint16_t)n;
        ex.known = ex.made + 1;
    } else if (c->of != n) {
        fprintf(stderr, "explore: %s is not deterministic\n", ex.program->name);
        abort();
    }
    ex.made++;
    return c->taken;
}

/* The next sequence of choices; false when all have been tried. */
static inline bool ex_next(void)
{
    while (ex.known > 0) {
        struct ex_choice *c = &ex.choices[ex.known - 1];
        if (c->taken + 1 < c->of) {
            c->taken++;
            return true;
        }
        ex.known--;
    }
    return false;
}

/* ---- threads ---- */

static inline bool ex_can_run(const struct ex_thread *t)
{
    switch (t->state) {
    case EX_RUNNABLE:
        return true;
    case EX_SPINNING:
        return ex.writes != t->seen;
    case EX_BLOCKED:
        return t->may_go_on(t->arg);
    case EX_NONE:
    case EX_ENDED:
        break;
    }
    return false;
}

/* Gives the processor to a thread that can run, or ends the run. `free`: leaving costs nothing. */
static inline void ex_switch(bool free)
{
    int self = ex.now;
    int can[EX_THREADS];
    int n = 0;
    if (++ex.steps > EX_STEPS) {
        ex_fail("no end after %d steps", EX_STEPS);
    }
    if (ex_can_run(&ex.t[self])) {
        can[n++] = self;
    }
    if (n == 0 || free || ex.preemptions < ex.program->preemptions) {
        for (int i = 0; i < ex.threads; i++) {
            if (i != self && ex_can_run(&ex.t[i])) {
                can[n++] = i;
            }
        }
    }
    if (n == 0) { /* over, or a deadlock: the main program looks */
        goi_switch(&ex.t[self].regs, &ex.main, NULL);
        abort();
    }
    bool stays = can[0] == self;
    int to = can[ex_choose(n)];
    if (to != self) {
        ex.preemptions += stays && !free ? 1 : 0;
        ex.now = to;
        goi_switch(&ex.t[self].regs, &ex.t[to].regs, NULL);
    }
    ex.t[ex.now].state = EX_RUNNABLE;
}

/* ---- memory ---- */

static inline uint64_t ex_peek(const void *at, size_t size)
{
    uint64_t v = 0;
    memcpy(&v, at, size);
    return v;
}

static inline void ex_flush_first(struct ex_thread *t)
{
    struct ex_store *s = &t->buffer[0];
    memcpy(s->at, &s->value, s->size);
    ex_trace("(store of thread %d to %p becomes visible)", (int)(t - ex.t), s->at);
    t->buffered--;
    memmove(&t->buffer[0], &t->buffer[1], sizeof(*s) * (size_t)t->buffered);
    ex.writes++;
}

static inline void ex_flush(void)
{
    while (ex.t[ex.now].buffered > 0) {
        ex_flush_first(&ex.t[ex.now]);
    }
}

/* X3: another thread's store to this word may or may not have arrived. */
static inline void ex_find(const void *at)
{
    for (int i = 0; i < ex.threads; i++) {
        struct ex_thread *t = &ex.t[i];
        for (int k = t->buffered; i != ex.now && k > 0; k--) {
            if (t->buffer[k - 1].at == at) {
                for (int n = ex_choose(2) == 0 ? k : 0; n > 0; n--) {
                    ex_flush_first(t);
                }
                break;
            }
        }
    }
}

/* Before every access: others may go first; the word must still exist. */
static inline void ex_point(const void *at)
{
    ex_switch(false);
    for (int i = 0; i < ex.nfreed; i++) {
        if ((const char *)at >= ex.freed[i].lo && (const char *)at < ex.freed[i].hi) {
            ex_fail("access to freed memory");
        }
    }
    ex_find(at);
}

static inline uint64_t ex_load(const void *at, size_t size)
{
    ex_point(at);
    const struct ex_thread *t = &ex.t[ex.now];
    uint64_t v = ex_peek(at, size);
    for (int k = t->buffered; k > 0; k--) {
        if (t->buffer[k - 1].at == at) {
            v = t->buffer[k - 1].value;
            break;
        }
    }
    ex_trace("load %p = %#llx", at, (unsigned long long)v);
    return v;
}

static inline void ex_store(void *at, uint64_t v, size_t size, bool fence)
{
    ex_point(at);
    ex_trace("store %p := %#llx", at, (unsigned long long)v);
    struct ex_thread *t = &ex.t[ex.now];
    if (!ex.program->store_buffers) {
        memcpy(at, &v, size);
        ex.writes++;
        return;
    }
    if (t->buffered == EX_BUFFER) {
        ex_flush_first(t);
    }
    t->buffer[t->buffered++] = (struct ex_store){.at = at, .value = v, .size = (uint8_t)size};
    if (fence) {
        ex_flush();
    }
}

enum ex_op { EX_XCHG, EX_ADD, EX_SUB, EX_OR, EX_AND };

static inline uint64_t ex_rmw(void *at, size_t size, enum ex_op op, uint64_t x)
{
    ex_point(at);
    ex_flush();
    uint64_t old = ex_peek(at, size);
    uint64_t v = op == EX_XCHG ? x
                 : op == EX_ADD ? old + x
                 : op == EX_SUB ? old - x
                 : op == EX_OR  ? (old | x)
                                : (old & x);
    memcpy(at, &v, size);
    ex.writes++;
    ex_trace("rmw %p: %#llx -> %#llx", at, (unsigned long long)old, (unsigned long long)v);
    return old;
}

static inline bool ex_cas(void *at, size_t size, void *expected, uint64_t x)
{
    ex_point(at);
    ex_flush();
    uint64_t old = ex_peek(at, size);
    bool same = old == ex_peek(expected, size);
    ex_trace("cas %p: %#llx -> %#llx %s", at, (unsigned long long)old, (unsigned long long)x,
             same ? "yes" : "no");
    if (same) {
        memcpy(at, &x, size);
        ex.writes++;
    } else {
        memcpy(expected, &old, size);
    }
    return same;
}

static inline void ex_fence(void)
{
    ex_flush();
}

/* ---- what models of the scheduler use ---- */

/* X2: waits until somebody else writes. */
static inline void ex_spin(void)
{
    struct ex_thread *t = &ex.t[ex.now];
    ex_flush();
    t->state = EX_SPINNING;
    t->seen = ex.writes;
    ex_switch(true);
}

/* Blocks until may_go_on(arg), which looks at plain memory. */
static inline void ex_block(bool (*may_go_on)(void *arg), void *arg)
{
    struct ex_thread *t = &ex.t[ex.now];
    ex_flush();
    t->state = EX_BLOCKED;
    t->may_go_on = may_go_on;
    t->arg = arg;
    ex_switch(true);
}

/* From now on nobody may access [p, p + size). */
static inline void ex_freed(const void *p, size_t size)
{
    if (ex.nfreed == EX_FREED) {
        ex_fail("too many frees");
    }
    ex_trace("free %p", p);
    ex.freed[ex.nfreed].lo = p;
    ex.freed[ex.nfreed].hi = (const char *)p + size;
    ex.nfreed++;
}

/* ---- running ---- */

static void ex_entry(void *param, void *arg)
{
    struct ex_thread *t = param;
    (void)arg;
    t->state = EX_RUNNABLE;
    t->body();
    ex_flush();
    t->state = EX_ENDED;
    ex_switch(true);
    abort();
}

static inline void ex_run(void)
{
    const struct ex_program *p = ex.program;
    ex.made = ex.preemptions = ex.nfreed = 0;
    ex.steps = 0;
    ex.writes = 1;
    ex.failed = false;
    ex.now = -1;
    ex.threads = 0;
    for (int i = 0; i < EX_THREADS && p->threads[i] != NULL; i++) {
        struct ex_thread *t = &ex.t[i];
        char *stack = t->stack;
        memset(t, 0, sizeof(*t));
        t->stack = stack != NULL ? stack : malloc(EX_STACK);
        t->state = EX_RUNNABLE;
        t->body = p->threads[i];
        goi_regs_init(&t->regs, t->stack + EX_STACK, ex_entry, t);
        ex.threads++;
    }
    p->setup();
    ex.now = ex_choose(ex.threads);
    goi_switch(&ex.main, &ex.t[ex.now].regs, NULL);
    ex.now = -1;
    for (int i = 0; i < ex.threads && !ex.failed; i++) {
        if (ex.t[i].state != EX_ENDED && (p->daemons >> i & 1) == 0) {
            ex_fail("deadlock: thread %d waits for ever", i);
        }
    }
    if (!ex.failed && p->check != NULL) {
        p->check();
    }
}

/* True: no run has failed. Says on standard error how many there were. */
static inline bool ex_explore(const struct ex_program *p)
{
    long runs = 0;
    bool all = true;
    ex.program = p;
    ex.known = 0;
    do {
        ex_run();
        runs++;
        if (ex.failed) {
            char why[sizeof(ex.why)];
            memcpy(why, ex.why, sizeof(why));
            fprintf(stderr, "%s: run %ld failed: %s\n", p->name, runs, why);
            ex.tracing = true;
            ex_run();
            ex.tracing = false;
            return false;
        }
        all = p->max_runs == 0 || runs < p->max_runs;
    } while (all && ex_next());
    fprintf(stderr, "%s: %ld runs%s\n", p->name, runs, all ? "" : ", not all");
    return true;
}

#endif
