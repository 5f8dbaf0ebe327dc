/* SPDX-License-Identifier: MIT */
/* call.c: recording calls, and starting goroutines with them.
 *
 * `go(f, x, y)` must store a call of any prototype. The macro (gort/detail/call.h) calls a begin
 * function here, which notes f in a *pending record* and returns the address of a stub; then it
 * calls the stub as if it were f. The compiler has converted the arguments; the stub (record.S)
 * hands the argument registers to goi_commit(), which completes the record on top of the list.
 *
 * Between the two the arguments are evaluated: user code, which may park, start goroutines, record
 * calls itself, or never come back. Hence the pending records form a list of the goroutine, not of
 * the thread, and the innermost is completed first.
 *
 *   C1  commit completes the record that the matching begin made. Arguments nest properly, so it is
 *       the newest; whoever leaves the evaluation for good (go_exit, a panic, a C++ exception)
 *       drops the records of the frames left.                      (tests/unit/surface/go_test.c)
 *   C2  A record's memory belongs to what it is for, so nothing is allocated for it and begin
 *       cannot fail: the new goroutine's stack (GO), the caller's frame (DEFER, TRY), a goi_call
 *       (CALL).                                                    (tests/unit/surface/go_test.c)
 *   C3  Nobody else sees a GO record before goi_g_start, and its goroutine sees it complete: start
 *       publishes it.
 *
 * The arguments are copied twice, into the record and into the registers of the replay. Vector
 * registers (128 bytes) are copied only when the macro cannot exclude them, stack arguments up to
 * the macro's upper bound, which may read a little of the caller's frame beyond them.
 *
 * Rejected: nested functions (an executable stack at -O0), a thunk per call site (126 bytes of code
 * instead of 54, and the type of NULL is lost), va_list (no type check, no structs by value).
 */
#include "sched/call.h"
#include "annot/annot.h"
#include "base/assert.h"
#include "sched/panic.h"
#include "sched/sched.h"
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct goi_record) == 112, "record.S and the public headers agree on it");
_Static_assert(sizeof(struct goi_record) % 16 == 0, "the vector registers follow it");

/* record.S: store the argument registers, then goi_commit(). */
void goi_record(void) GOI_HIDDEN;
void goi_record_vec(void) GOI_HIDDEN;
void goi_commit(const uint64_t *regs, const void *stack) GOI_HIDDEN;

enum { REGS_BYTES = 64 };

struct goi_call {
    goi_a32 refs;                           /* [a:REF] */
    const char *site;                       /* [c] */
    void *created_pc;                       /* [c] */
    struct goi_call **out;                  /* [o] while pending */
    const struct goi_closure_ops *ops;      /* [c] a C++ closure; NULL: the record */
    void *closure;                          /* [c] */
    struct goi_record record;               /* [c] once complete; its tail follows */
};

static inline size_t tail_bytes(size_t stack_bytes, unsigned flags)
{
    return stack_bytes + ((flags & GOI_REC_VEC) != 0 ? (size_t)GOI_REC_VEC_BYTES : 0);
}

/* Where the stack arguments lie in a complete record. */
static inline char *record_stack(struct goi_record *r)
{
    return (char *)(r + 1) + tail_bytes(0, r->flags);
}

static inline goi_fn push(struct g *self, struct goi_record *r, goi_fn fn, void *owner,
                          size_t stack_bytes, unsigned flags, int kind)
{
    goi_assert_hot(stack_bytes % 16 == 0);
    r->next = self->unwind.pending;
    r->fn = fn;
    r->frame = __builtin_frame_address(0);
    r->owner = owner;
    r->stack_bytes = (uint32_t)stack_bytes;
    r->kind = (uint16_t)kind;
    r->flags = (uint16_t)flags;
    self->unwind.pending = r;
    return GOI_LIKELY(flags == 0) ? goi_record : goi_record_vec;
}

/* --- go */

/* A PENDING goroutine with room for a record and its tail at the top of its stack. */
static inline struct g *new_g(struct m *m, size_t stack, size_t tail, goi_fn entry,
                              const char *site, void *pc)
{
    struct g *g = goi_g_new(m, stack);
    g->unwind.record = (void *)((char *)g->stack->top - sizeof(struct goi_record) - tail);
    g->entry = entry;
    g->site = site;
    g->created_pc = pc;
    return g;
}

static inline goi_fn begin_go(goi_fn fn, size_t stack_bytes, unsigned flags, const char *site,
                              void *pc, const go_opts *opts, goi_done done, void *arg)
{
    struct m *m = goi_enter();
    struct g *self = m->g;
    size_t stack = opts != NULL ? opts->stack : 0;
    struct g *g = new_g(m, stack, tail_bytes(stack_bytes, flags), fn, site, pc);
    goi_leave(m);
    g->done = done;
    g->done_arg = arg;
    if (opts != NULL && opts->name != NULL) {
        goi_g_set_name(g, opts->name);
    }
    return push(self, g->unwind.record, fn, g, stack_bytes, flags, GOI_REC_GO);
}

GOI_HOT goi_fn goi_go_begin(goi_fn fn, size_t stack_bytes, unsigned flags, const char *site)
{
    return begin_go(fn, stack_bytes, flags, site, __builtin_return_address(0), NULL, NULL, NULL);
}

GOI_HOT goi_fn goi_go_begin_done(goi_fn fn, size_t stack_bytes, unsigned flags, const char *site,
                                 goi_done done, void *arg)
{
    return begin_go(fn, stack_bytes, flags, site, __builtin_return_address(0), NULL, done, arg);
}

goi_fn goi_go_begin_with(goi_fn fn, size_t stack_bytes, unsigned flags, const char *site,
                         const go_opts *opts)
{
    return begin_go(fn, stack_bytes, flags, site, __builtin_return_address(0), opts, NULL, NULL);
}

static inline void start(struct g *g)
{
    struct m *m = goi_enter();
    goi_g_start(m, g); /* C3 */
    m = goi_spawn_pace(m);
    goi_leave(m);
}

long goi_replay_record(const struct goi_record *r)
{
    const char *tail = (const char *)(r + 1);
    const void *vec = (r->flags & GOI_REC_VEC) != 0 ? tail : NULL;
    return goi_replay(r->fn, r->gp, vec, tail + tail_bytes(0, r->flags), r->stack_bytes);
}

void goi_call_ended(struct g *g, int ret)
{
    struct goi_unwind *u = &g->unwind;
    if (GOI_UNLIKELY(u->pending != NULL)) {
        goi_pending_drop(g, UINTPTR_MAX);
    }
    u->cleanups = NULL;
    u->tries = NULL;
    if (GOI_UNLIKELY(u->panics != NULL)) {
        goi_panics_free(g);
    }
    goi_done done = g->done;
    if (done != NULL) {
        g->done = NULL;
        done(g->done_arg, ret);
    }
}

void goi_call_run_entry(struct g *g)
{
    long ret = goi_replay_record(g->unwind.record);
    goi_call_ended(g, (int)ret);
}

void goi_go_of_null(void) { goi_fatal("go of nil func value"); }

/* --- commit */

/* The bound on the stack arguments may reach beyond them; words, so that it is no memcpy. */
static GOI_NO_SANITIZE void copy_stack(char *to, const char *from, size_t n)
{
    /* style: volatile because the loop must not become a call of memcpy, which is sanitized. */
    volatile uint64_t *t = (volatile uint64_t *)(void *)to;
    const uint64_t *f = (const uint64_t *)(const void *)from;
    for (size_t i = 0; i < n / sizeof *t; i++) {
        t[i] = f[i];
    }
}

struct try_call {
    const struct goi_record *record;
    const uint64_t *regs;
    const void *stack;
};

static void run_try_call(void *arg)
{
    const struct try_call *c = arg;
    const struct goi_record *r = c->record;
    const void *vec = (r->flags & GOI_REC_VEC) != 0 ? (const char *)c->regs + REGS_BYTES : NULL;
    (void)goi_replay(r->fn, c->regs, vec, c->stack, r->stack_bytes);
}

static GOI_NOINLINE void commit_other(struct g *self, struct goi_record *r, const uint64_t *regs,
                                      const void *stack)
{
    if (r->kind == GOI_REC_DEFER) {
        goi_defer_push(self, r->owner);
    } else if (r->kind == GOI_REC_TRY) {
        struct goi_try *t = r->owner;
        struct try_call c = {.record = r, .regs = regs, .stack = stack};
        t->ok = goi_try_run(t->out, run_try_call, &c);
    } else {
        goi_must(r->kind == GOI_REC_CALL);
        struct goi_call *c = r->owner;
        *c->out = c;
    }
}

GOI_HOT void goi_commit(const uint64_t *regs, const void *stack)
{
    struct g *self = goi_call_self();
    struct goi_record *r = self->unwind.pending; /* C1 */
    goi_assert_hot(r != NULL);
    self->unwind.pending = r->next;
    if (GOI_LIKELY(r->kind != GOI_REC_TRY)) {
        memcpy(r->gp, regs, REGS_BYTES);
        if ((r->flags & GOI_REC_VEC) != 0) {
            memcpy(r + 1, (const char *)regs + REGS_BYTES, GOI_REC_VEC_BYTES);
        }
        if (r->stack_bytes != 0) {
            copy_stack(record_stack(r), stack, r->stack_bytes);
        }
    }
    if (GOI_LIKELY(r->kind == GOI_REC_GO)) {
        if (GOI_UNLIKELY(r->fn == NULL)) {
            goi_go_of_null();
        }
        start(r->owner);
        return;
    }
    commit_other(self, r, regs, stack);
}

void goi_pending_drop(struct g *g, uintptr_t limit)
{
    while (g->unwind.pending != NULL && (uintptr_t)g->unwind.pending->frame < limit) {
        struct goi_record *r = g->unwind.pending;
        g->unwind.pending = r->next;
        if (r->kind == GOI_REC_CALL) {
            free(r->owner);
        } else if (r->kind == GOI_REC_GO) {
            struct g *unborn = r->owner;
            goi_done done = unborn->done;
            void *arg = unborn->done_arg;
            struct m *m = goi_enter();
            goi_g_abandon(m, unborn);
            goi_leave(goi_m());
            if (done != NULL) {
                done(arg, 0);
            }
        }
    }
}

/* --- defer and go_try */

goi_fn goi_defer_begin(struct goi_deferred *d, goi_fn fn, size_t stack_bytes, unsigned flags,
                       void *frame)
{
    d->cleanup.run = NULL;
    d->cleanup.frame = frame;
    return push(goi_call_self(), &d->record, fn, d, stack_bytes, flags, GOI_REC_DEFER);
}

goi_fn goi_try_begin(struct goi_try *t, goi_fn fn, size_t stack_bytes, unsigned flags,
                     go_panic_info *out)
{
    t->out = out;
    t->ok = false;
    return push(goi_call_self(), &t->record, fn, t, stack_bytes, flags, GOI_REC_TRY);
}

bool goi_try_end(struct goi_try *t) { return t->ok; }

/* --- C++ closures as goroutines: the record calls ops->run_int(closure), which is its tail. */

void *goi_closure_begin(const struct goi_closure_ops *ops, const char *site, goi_done done,
                        void *arg, const go_opts *opts)
{
    size_t align = ops->align > 16 ? ops->align : 16;
    size_t tail = goi_round_up(ops->size + align, 16);
    struct m *m = goi_enter();
    struct g *g = new_g(m, opts != NULL ? opts->stack : 0, tail, (goi_fn)ops->run_int, site,
                        __builtin_return_address(0));
    goi_leave(m);
    g->done = done;
    g->done_arg = arg;
    if (opts != NULL && opts->name != NULL) {
        goi_g_set_name(g, opts->name);
    }
    struct goi_record *r = g->unwind.record;
    char *closure = (char *)goi_round_up((uintptr_t)(r + 1), align);
    r = (struct goi_record *)(void *)closure - 1;
    g->unwind.record = r;
    *r = (struct goi_record){.fn = (goi_fn)ops->run_int, .owner = g, .kind = GOI_REC_GO};
    r->gp[0] = (uintptr_t)closure;
    return closure;
}

static struct g *closure_g(void *closure)
{
    return ((struct goi_record *)closure - 1)->owner;
}

void goi_closure_start(void *closure) { start(closure_g(closure)); }

void goi_closure_abandon(void *closure)
{
    struct m *m = goi_enter();
    goi_g_abandon(m, closure_g(closure));
    goi_leave(m);
}

/* --- calls kept for later */

static struct goi_call *call_new(size_t tail, size_t align, const char *site, void *pc)
{
    size_t size = goi_round_up(sizeof(struct goi_call) + tail, align);
    struct goi_call *c = aligned_alloc(align, size);
    if (c == NULL) {
        goi_fatal("out of memory (keeping a call)");
    }
    memset(c, 0, sizeof *c);
    st_rlx(&c->refs, 1);
    c->site = site;
    c->created_pc = pc;
    return c;
}

goi_fn goi_call_begin(struct goi_call **out, goi_fn fn, size_t stack_bytes, unsigned flags,
                      const char *site)
{
    struct goi_call *c =
        call_new(tail_bytes(stack_bytes, flags), 16, site, __builtin_return_address(0));
    c->out = out;
    return push(goi_call_self(), &c->record, fn, c, stack_bytes, flags, GOI_REC_CALL);
}

void *goi_call_closure(struct goi_call **out, const struct goi_closure_ops *ops, const char *site)
{
    size_t align = ops->align > 16 ? ops->align : 16;
    struct goi_call *c = call_new(ops->size + align, align, site, __builtin_return_address(0));
    c->ops = ops;
    c->closure = (void *)goi_round_up((uintptr_t)(c + 1), align);
    c->record.fn = (goi_fn)ops->run;
    *out = c;
    return c->closure;
}

void goi_call_run(struct goi_call *c)
{
    goi_race_acquire(c); /* released where it was kept: a timer, the end of a context */
    if (c->ops != NULL) {
        c->ops->run(c->closure);
    } else {
        (void)goi_replay_record(&c->record);
    }
}

void goi_call_free(struct goi_call *c)
{
    /* [REF] acq_rel: the last owner destroys what the others wrote; they are done with it. */
    if (c == NULL || sub_acqrel(&c->refs, 1) != 1) {
        return;
    }
    if (c->ops != NULL) {
        c->ops->destroy(c->closure);
    }
    goi_unseen_free(c); /* the runtime's, whoever was the last: [REF] orders it for us alone */
}

static void call_done(void *arg, int ret)
{
    (void)ret;
    goi_call_free(arg);
}

void goi_call_ref(struct goi_call *c)
{
    add_rlx(&c->refs, 1); /* [REF] relaxed: the caller holds one */
}

void goi_call_spawn(struct m *m, struct goi_call *c)
{
    goi_call_ref(c);
    goi_call_spawn_last(m, c);
}

void goi_call_spawn_last(struct m *m, struct goi_call *c)
{
    struct g *g = new_g(m, 0, 0, c->record.fn, c->site, c->created_pc);
    g->done = call_done;
    g->done_arg = c;
    struct goi_record *r = g->unwind.record;
    *r = (struct goi_record){.fn = (goi_fn)goi_call_run, .owner = g, .kind = GOI_REC_GO};
    r->gp[0] = (uintptr_t)c;
    goi_g_start(m, g);
}

void goi_call_start(struct goi_call *c)
{
    struct m *m = goi_enter();
    goi_call_spawn(m, c);
    goi_leave(m);
}
