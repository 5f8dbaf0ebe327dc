/* SPDX-License-Identifier: MIT */
/* context.c: the tree of cancellation: making contexts, ending them, letting them go.
 *
 * Go keeps a context for as long as somebody can reach it; here somebody must say so. The
 * difficulty is that everybody reaches for it at once: users cancel and release, a deadline fires
 * on another thread, a parent ends and takes its children along, a child releases itself while its
 * parent is at it, goroutines wait for the end in the middle of a select.
 *
 * Shape. A context with an end of its own (struct goi_end) *is* a channel that is closed at the
 * end, with the rest behind it in the same allocation: the channel's lock guards the rest, and the
 * channel's `closed` is the one word that says whether it has ended. So go_ctx_done() makes
 * nothing, go_ctx_err() is one load, and "err is set, done is closed" cannot be seen apart.
 * Contexts without an end of their own (values, without_cancel) are small and point at the end
 * above them (scope). The deadline is a timer inside the context: no goroutine, and nothing
 * allocated, waits for it.
 *
 * Ending. Under its lock a context is marked closed, and its waiters and children are taken off;
 * the children go to the front of a work list that only the canceller knows. After the unlock the
 * waiters are made runnable, on this P, and the next of the work list is ended in the same manner,
 * with the same error and cause. No two contexts are ever locked at once, nothing recurses, and a
 * chain of 10,000 needs no more stack than one. A context that had children stays in the work list
 * behind them, so that it comes by a second time when all below has ended. Who has ended itself
 * then leaves its parent's list: not before all below it has ended, or the parent's canceller would
 * miss that.
 *
 *   X1  A context ends once: who finds it open under its lock ends it; err and cause are written
 *       before `closed` and never again.                                        (end_one)
 *   X2  An ended context has no children and starts every function added later at once; an open one
 *       has started none.                                                       (end_check)
 *   X3  Being on the parent's list holds a reference. Who takes the child off, under the parent's
 *       lock, owns that reference: the child that leaves or the parent that ends. (leave, end_one)
 *   X4  A pending or firing timer holds a reference. Who stops it in time owns that; otherwise the
 *       firing does. So the memory outlives late(), and no timer outlives the end: the one who ends
 *       a context stops it.                           (tests/unit/context/deadline_test.c)
 *   X5  The timer is started before the context can be found by anybody who would stop it.
 *                                                                               (attach)
 *   X6  After the last reference nothing is left: no timer, no goroutine, no entry in a parent.
 *                                                     (tests/unit/context/leak_test.c)
 *   X8  The end of a context is complete when `left` is 0: until then somebody is on the way
 *       through what was below it. go_ctx_cancel() and go_ctx_free() return when it is complete,
 *       whoever has begun it.         (part_done; tests/unit/context/cancel_test.c)
 *   X9  A walk that finds a context whose end is under way elsewhere does not wait for it: it adds
 *       that to what is left of the parent, and the other walk takes it off.       (adopt)
 *   X7  A text that go_ctx_cause() has returned lies in the context or an ancestor, which the
 *       context keeps: it lives as long as the context.    (tests/unit/context/cause_test.c)
 *
 * Ownership. `users` counts what go_ctx_ref and go_ctx_free count; the last one to go ends the
 * context. `refs` counts reasons to keep the memory: the users together, each child (for its values
 * and causes), the parent's list, the timer. The last frees it, which may free the parent: a loop.
 * The channel has its own count, so that go_chan_ref(go_ctx_done(ctx)) keeps what it needs: the
 * context owns one of its references, and the channel, being first, frees the whole.
 *
 * A function added by go_ctx_after_func is on the list `waiting`, and moves to `started` when its
 * goroutine is made. Its handle is freed by stop or with the context, so a context has no more
 * handles than were made and not stopped. A function that waits for what never ends is dropped at
 * once, and its handle is a static one that stands for all of them.
 *
 * A cancel returns when all descendants have ended, also when another goroutine was first and is
 * still at it (in Go that waits for the parent's mutex). A walk itself never waits, because it may
 * be the work of a timer; what it leaves to another walk is counted (X8, X9). Waiting goes towards
 * the leaves only, and who walks does not wait, so that there is no circle.
 *
 * Waiting for a context that is freed meanwhile. The channel's memory outlives those who have been
 * woken and are on their way (chan.c, C6). Calls that are given a context and look at it after a
 * wait hold one of `refs` meanwhile (keep.h), which does not count as a user: the last go_ctx_free
 * ends the context, wakes them, and what they still read is there. So does who cancels, because
 * whoever that wakes may free the context on another processor.
 *
 * Memory order. [CHAN-TRY] the release of `closed` pairs with the acquire in go_ctx_err() and its
 * like: who sees the end sees its error and cause. [CTX-LEFT] the release when a part is done pairs
 * with the acquire in cancel(): who returns sees all below ended. [REF] the counts. All else is
 * under the lock.
 *
 * Lock order: a context's lock is a channel's lock: before the heap of timers, and two are never
 * held. The timer's callback takes none (time/timer.h); late() does, after the heap's unlock.
 *
 * Rejected: writing it on the public headers. A mutex, a channel, a timer, a recorded call and a
 * goroutine for each context with a deadline are what Go pays; here it is one allocation and no
 * goroutine. Rejected: a channel made when first asked for, as in Go: it saves 150 bytes in
 * contexts that nobody waits for, and costs an allocation and a second word of state in all others.
 * Rejected: holding the parent's lock while its children end, as Go does: a stack frame for each
 * level, and everybody who makes a child waits for the whole tree.
 */
#include "context/internal.h"
#include "context/keep.h"
#include "context/quiet.h"
/* style: layer because an end is announced to the race detector as the close of a channel is. */
#include "annot/annot.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef go_recv_chan(char) done_chan;

static struct go_ctx background = {.kind = GOI_CTX_ROOT};
static struct go_ctx todo = {.kind = GOI_CTX_ROOT};

static const char canceled_text[] = "context canceled";
static const char deadline_text[] = "context deadline exceeded";

enum { BREATH = 64 };   /* contexts ended before others may have the P */

/* What one walk still has to end, linked by `sibling`. Its address is its name. */
struct walk { struct goi_link *work; };

/* What a walk finds at a context. */
enum found {
    FOUND_LEAF,         /* open, without children: ended now, completely */
    FOUND_PARENT,       /* open: ended now, its children are first in the work list */
    FOUND_AGAIN,        /* ended by this walk, which has been through its children */
    FOUND_UNDER_WAY,    /* ended by another walk that is not through */
    FOUND_OVER,
};

/* Why a context ends. */
struct reason {
    int err, cause_err;
    const char *cause;
    char *own;          /* the text, to be kept by the one that ends first; or NULL */
};

static const struct reason plain_cancel = {-ECANCELED, -ECANCELED, canceled_text, NULL};

GOI_INLINE bool ended(const struct goi_end *e)
{
    return ld_acq(&e->done.closed) != 0; /* [CHAN-TRY] X1 */
}

/* Under the lock. */
static void end_check(const struct goi_end *e)
{
    if (ld_rlx(&e->done.closed) != 0) {
        goi_assert(e->children == NULL); /* X2 */
        goi_assert(e->err < 0);          /* X1 */
        goi_assert(e->cause != NULL);
    } else {
        goi_assert(e->started == NULL); /* X2 */
        goi_assert(e->err == 0);        /* X1 */
        goi_assert(ld_rlx(&e->left) == 0); /* X8 */
    }
}

/* --- letting go */

static void destroy(struct go_ctx *ctx)
{
    if (ctx->kind < GOI_CTX_END) {
        free(ctx);
        return;
    }
    struct goi_end *e = goi_end_of(ctx);
    goi_assert(ld_rlx(&e->done.closed) != 0); /* X6 */
    goi_assert(e->sibling.at == NULL);        /* X3 */
    goi_assert(e->waiting == NULL);
    goi_assert(ld_rlx(&e->left) == 0); /* X8 */
    goi_assert(e->awaiting == NULL);
    if (e->started != NULL) {
        goi_ctx_free_handles(e);
    }
    free(e->cause_own); /* X7 */
    goi_chan_free(&e->done); /* the whole, unless somebody has kept the channel */
}

/* Gives n references back; the last frees, and then the parent may follow. */
static void drop(struct go_ctx *ctx, uint32_t n)
{
    while (ctx->kind != GOI_CTX_ROOT) { /* ends: towards the root */
        /* [REF] acquire: if only ours are left nobody else can add or drop one. */
        if (ld_acq(&ctx->refs) != n) {
            uint32_t before = sub_acqrel(&ctx->refs, n); /* [REF] */
            goi_must(before >= n);
            if (before != n) {
                return;
            }
        }
        struct go_ctx *parent = ctx->parent;
        destroy(ctx);
        ctx = parent;
        n = 1;
    }
}

/* --- ending */

/* As in chan.c: the waiters of a channel that has just been closed, off its queue. */
static struct goi_waiter *take_waiters(struct go_chan *c)
{
    struct goi_waiter *first = NULL;
    struct goi_waiter **at = &first;
    while (c->recvq.first != NULL) { /* ends: each turn shortens the queue */
        struct goi_waiter *w = goi_waitq_pop(&c->recvq);
        if (w == NULL) {
            break;
        }
        w->ok = false;
        w->next = NULL;
        *at = w;
        at = &w->next;
    }
    return first;
}

static void wake(struct m *m, struct goi_waiter *w)
{
    while (w != NULL) { /* ends: with the chain */
        struct goi_waiter *next = w->next; /* w is gone once its goroutine runs */
        w->g->wake_arg = w;
        goi_race_release(w);
        goi_ready_back(m, w->g);
        w = next;
    }
}

/* The children, with the references that their places on the list held, come first in the work
 * list. Under the lock. */
static void take_children(struct goi_end *e, struct walk *walk)
{
    struct goi_link *first = e->children;
    for (struct goi_link *l = first; l != NULL;) { /* ends: with the list */
        struct goi_link *next = l->next;
        l->at = NULL; /* X3 */
        if (next == NULL) {
            l->next = walk->work;
            walk->work = first;
        }
        l = next;
    }
    e->children = NULL; /* X2 */
}

/* A look at e, which is ended if it is open. The caller holds a reference. Inside the runtime. */
static enum found end_one(struct m *m, struct goi_end *e, const struct reason *why,
                          struct walk *walk, bool top)
{
    goi_lock(&e->done.lock);
    end_check(e);
    if (ld_rlx(&e->done.closed) != 0) {
        enum found found = e->walk == walk            ? FOUND_AGAIN
                           : ld_rlx(&e->left) != 0 ? FOUND_UNDER_WAY
                                                   : FOUND_OVER;
        goi_unlock(&e->done.lock);
        return found;
    }
    bool parent = e->children != NULL;
    e->err = why->err;
    e->cause_err = why->cause_err;
    e->cause = why->cause;
    e->top = top;
    if (parent) {
        e->walk = walk;
        st_rlx(&e->left, 1); /* X8: seen by whoever sees `closed` */
    }
    goi_race_release(&e->done);
    st_rel(&e->done.closed, 1); /* [CHAN-TRY] X1 */
    struct goi_waiter *w = take_waiters(&e->done);
    take_children(e, walk);
    bool functions = e->waiting != NULL;
    end_check(e);
    goi_unlock(&e->done.lock);
    wake(m, w);
    if (functions) {
        goi_ctx_start_functions(m, e);
    }
    return parent ? FOUND_PARENT : FOUND_LEAF;
}

/* X4: 1 when the timer was stopped in time and its reference is the caller's. */
static uint32_t stop_timer(struct goi_end *e)
{
    if (e->ctx.kind != GOI_CTX_TIMED) {
        return 0;
    }
    return goi_timer_stop(&goi_container_of(e, struct goi_timed, end)->timer) ? 1 : 0;
}

/* X3: 1 when e was on its parent's list and that reference is the caller's. */
static uint32_t leave(struct goi_end *e)
{
    struct goi_end *above = e->above;
    uint32_t n = 0;
    if (above != NULL) {
        goi_lock(&above->done.lock);
        if (e->sibling.at != NULL) {
            goi_link_remove(&e->sibling);
            n = 1;
        }
        goi_unlock(&above->done.lock);
    }
    return n;
}

/* One of the things that the end of e waits for has happened. If it was the last, e is complete,
 * and that may be one of the things that the context above waits for (X9). The caller holds a
 * reference to e, which keeps all above as well. */
static void part_done(struct m *m, struct goi_end *e)
{
    bool told = true;
    while (told) { /* ends: towards the root */
        goi_lock(&e->done.lock);
        uint32_t left = ld_rlx(&e->left) - 1;
        st_rel(&e->left, left); /* [CTX-LEFT] */
        if (left != 0) {
            goi_unlock(&e->done.lock);
            return;
        }
        struct goi_end_wait *waiting = e->awaiting;
        bool top = e->top;
        told = e->told;
        e->awaiting = NULL;
        e->told = false;
        goi_unlock(&e->done.lock);
        while (waiting != NULL) { /* ends: with the list */
            struct goi_end_wait *next = waiting->next; /* gone once its goroutine runs */
            goi_ready_back(m, waiting->g);
            waiting = next;
        }
        struct goi_end *above = e->above;
        uint32_t refs = (told ? 1 : 0) + (top ? leave(e) : 0);
        if (refs != 0) {
            drop(&e->ctx, refs);
        }
        e = above;
    }
}

/* X9: another walk has the child. True: it takes the reference that our caller has. */
static bool adopt(struct goi_end *child)
{
    struct goi_end *above = child->above;
    goi_lock(&above->done.lock); /* first, so that what is taken off is there */
    st_rlx(&above->left, ld_rlx(&above->left) + 1);
    goi_unlock(&above->done.lock);
    goi_lock(&child->done.lock);
    bool under_way = ld_rlx(&child->left) != 0;
    child->told = under_way;
    goi_unlock(&child->done.lock);
    if (!under_way) {
        goi_lock(&above->done.lock);
        st_rlx(&above->left, ld_rlx(&above->left) - 1); /* not to 0: our own way is not over */
        goi_unlock(&above->done.lock);
    }
    return under_way;
}

/* The next step of a walk. */
static void end_next(struct m *m, const struct reason *why, struct walk *walk)
{
    struct goi_link *at = walk->work;
    struct goi_end *child = goi_container_of(at, struct goi_end, sibling);
    uint32_t refs = 1; /* X3 */
    enum found found = end_one(m, child, why, walk, false);
    if (found == FOUND_PARENT) {
        if (stop_timer(child) != 0) {
            drop(&child->ctx, 1);
        }
        return; /* comes again behind its children */
    }
    walk->work = at->next;
    if (found == FOUND_AGAIN) {
        goi_lock(&child->done.lock);
        child->walk = NULL;
        goi_unlock(&child->done.lock);
        part_done(m, child);
    } else if (found == FOUND_LEAF) {
        refs += stop_timer(child);
    } else if (found == FOUND_UNDER_WAY && adopt(child)) {
        refs = 0;
    }
    if (refs != 0) {
        drop(&child->ctx, refs);
    }
}

/* Ends e and everything below. Inside the runtime; leaves it now and then if `m` may change. The
 * caller holds a reference, and owns the number of references returned in addition. */
static uint32_t end_tree(struct m **m, struct goi_end *e, const struct reason *why, bool breathe)
{
    struct walk walk = {NULL};
    enum found found = end_one(*m, e, why, &walk, true);
    if (found != FOUND_LEAF && found != FOUND_PARENT) {
        free(why->own);
        return 0;
    }
    e->cause_own = why->own; /* nobody reads it before destroy() */
    uint32_t surplus = stop_timer(e);
    if (found == FOUND_LEAF) {
        return surplus + leave(e);
    }
    for (uint32_t n = 1; walk.work != NULL; n++) { /* ends: with the tree; it does not grow (X2) */
        end_next(*m, why, &walk);
        if (breathe && n % BREATH == 0) {
            goi_leave(*m);
            *m = goi_enter();
        }
    }
    goi_lock(&e->done.lock);
    e->walk = NULL;
    goi_unlock(&e->done.lock);
    part_done(*m, e);
    return surplus;
}

/* Parks until the end of e is complete. X8 */
static GOI_NOINLINE void await(struct goi_end *e)
{
    struct m *m = goi_enter();
    struct goi_end_wait w = {.g = m->g};
    goi_lock(&e->done.lock);
    if (ld_rlx(&e->left) != 0) {
        w.next = e->awaiting;
        e->awaiting = &w;
        m = goi_park(m, GOI_WAIT_MUTEX, NULL, NULL, &e->done.lock);
    } else {
        goi_unlock(&e->done.lock);
    }
    goi_leave(m);
}

static void cancel(struct goi_end *e, const struct reason *why, uint32_t and_drop)
{
    if (!ended(e)) {
        struct m *m = goi_enter();
        and_drop += end_tree(&m, e, why, true);
        goi_leave(m);
    } else {
        free(why->own);
    }
    if (GOI_UNLIKELY(ld_acq(&e->left) != 0)) { /* [CTX-LEFT] */
        await(e);
    }
    if (and_drop != 0) {
        drop(&e->ctx, and_drop);
    }
}

/* --- deadlines */

static void late(struct m *m, void *arg, int64_t now)
{
    struct goi_timed *t = arg;
    const struct reason why = {-ETIMEDOUT, t->why_err, t->why, NULL};
    (void)now;
    /* X4: the firing's reference, 1. Another timer is never stopped in here: this one has fired. */
    drop(&t->end.ctx, 1 + end_tree(&m, &t->end, &why, false));
}

static void fire(struct goi_fired *f, struct goi_timer *timer, int64_t now)
{
    (void)now;
    goi_fired_late(f, late, goi_container_of(timer, struct goi_timed, timer));
}

/* --- whom an end would wake (quiet.h) */

static bool wakes_here(struct goi_end *e)
{
    if (ld_rlx(&e->done.closed) != 0) {
        return false;
    }
    for (struct goi_link *l = e->waiting; l != NULL; l = l->next) {
        if (!goi_container_of(l, struct go_ctx_after, link)->wakes_nobody) {
            return true;
        }
    }
    return ld_rlx(&e->done.recvq.n) != 0;
}

/* Where a way through the tree below `top` goes on behind e and what is below it. */
static struct goi_end *behind(struct goi_end *e, struct goi_end *top)
{
    while (e != top && e->sibling.next == NULL) { /* ends: towards top */
        e = e->above;
    }
    return e == top ? NULL : goi_container_of(e->sibling.next, struct goi_end, sibling);
}

static bool end_wakes(struct goi_end *top)
{
    struct goi_end *e = top;
    while (e != NULL && !wakes_here(e)) { /* ends: each comes once */
        e = e->children != NULL ? goi_container_of(e->children, struct goi_end, sibling)
                                : behind(e, top);
    }
    return e != NULL;
}

bool goi_ctx_wakes(const go_ctx *ctx) { return ctx->scope != NULL && end_wakes(ctx->scope); }

static bool timer_wakes(struct goi_timer *t)
{
    return end_wakes(&goi_container_of(t, struct goi_timed, timer)->end);
}

static GOI_CONSTRUCTOR void tell_kind(void) { goi_timer_kind(fire, timer_wakes); }

/* --- making */

static GOI_COLD void no_parent(void)
{
    goi_panic_text("cannot create context from nil parent");
}

void goi_ctx_parent_check(const struct go_ctx *parent)
{
    if (GOI_UNLIKELY(parent == NULL)) {
        no_parent();
    }
}

void goi_ctx_init(struct go_ctx *ctx, struct go_ctx *parent, enum goi_ctx_kind kind)
{
    st_rlx(&ctx->refs, 1);
    st_rlx(&ctx->users, 1);
    ctx->kind = (uint8_t)kind;
    ctx->parent = parent;
    ctx->scope = parent->scope;
    ctx->values = parent->values;
    if (parent->kind != GOI_CTX_ROOT) {
        uint32_t before = add_rlx(&parent->refs, 1); /* [REF] relaxed: the caller holds one */
        goi_must(before > 0);
    }
}

/* An open context, on nobody's list. NULL: out of memory. */
static struct goi_end *new_end(struct go_ctx *parent, enum goi_ctx_kind kind, size_t size)
{
    struct goi_end *e = malloc(size);
    if (e == NULL) {
        return NULL;
    }
    memset(e, 0, sizeof *e);
    st_rlx(&e->done.refs, 1);
    e->done.elem = sizeof(char);
    e->done.type = "char";
    e->done.site = "context";
    goi_ctx_init(&e->ctx, parent, kind);
    e->above = parent->scope;
    e->ctx.scope = e;
    e->deadline = e->above != NULL ? e->above->deadline : GOI_FOREVER;
    return e;
}

/* Puts e on its parent's list, or ends it at once if the parent has ended. A timer, already
 * started, may have ended e before: then it stays off the list, for nobody would take it off again;
 * if the timer comes later it finds e there, because both look under the parent's lock. Returns how
 * many references e has lost. */
static uint32_t attach(struct m **m, struct goi_end *e)
{
    struct goi_end *above = e->above;
    goi_lock(&above->done.lock);
    bool over = ld_rlx(&above->done.closed) != 0;
    bool join = !over && ld_rlx(&e->done.closed) == 0;
    if (join) {
        goi_link_push(&above->children, &e->sibling); /* X3: with the reference counted before */
    }
    goi_unlock(&above->done.lock);
    if (join) {
        return 0;
    }
    uint32_t lost = 1;
    if (over) {
        const struct reason why = {above->err, above->cause_err, above->cause, NULL};
        lost += end_tree(m, e, &why, true);
    }
    return lost;
}

go_ctx *go_ctx_with_cancel(go_ctx *parent)
{
    goi_ctx_parent_check(parent);
    struct goi_end *e = new_end(parent, GOI_CTX_END, sizeof *e);
    if (e == NULL) {
        return NULL;
    }
    if (e->above != NULL) {
        st_rlx(&e->ctx.refs, 2); /* X3 */
        struct m *m = goi_enter();
        uint32_t lost = attach(&m, e);
        goi_leave(m);
        if (GOI_UNLIKELY(lost != 0)) {
            drop(&e->ctx, lost);
        }
    }
    return &e->ctx;
}

/* A cause given by the user, made whole. */
static const char *cause_text(int *err, const char *why, int dflt_err, const char *dflt)
{
    if (*err >= 0) {
        *err = dflt_err;
    }
    if (why != NULL) {
        return why;
    }
    return *err == dflt_err ? dflt : strerror(-*err);
}

go_ctx *go_ctx_with_deadline_cause(go_ctx *parent, go_time when, int err, const char *why)
{
    goi_ctx_parent_check(parent);
    int64_t before = parent->scope != NULL ? parent->scope->deadline : GOI_FOREVER;
    if (when >= before) {
        return go_ctx_with_cancel(parent); /* the parent's deadline comes first */
    }
    why = cause_text(&err, why, -ETIMEDOUT, deadline_text);
    size_t text = why != deadline_text ? strlen(why) + 1 : 0;
    struct goi_end *e = new_end(parent, GOI_CTX_TIMED, sizeof(struct goi_timed) + text);
    if (e == NULL) {
        return NULL;
    }
    struct goi_timed *t = goi_container_of(e, struct goi_timed, end);
    t->why_err = err;
    t->why = text != 0 ? memcpy(t->text, why, text) : why;
    goi_timer_init(&t->timer, fire);
    e->deadline = when;
    bool past = when <= goi_now();
    uint32_t lost = 0;
    st_rlx(&e->ctx.refs, 1 + (e->above != NULL) + !past); /* X3 X4 */
    struct m *m = goi_enter();
    if (!past) {
        goi_timer_start(m, &t->timer, when); /* X5 */
    }
    if (e->above != NULL) {
        lost = attach(&m, e);
    }
    if (past) {
        const struct reason timeout = {-ETIMEDOUT, t->why_err, t->why, NULL};
        lost += end_tree(&m, e, &timeout, true);
    }
    goi_leave(m);
    if (GOI_UNLIKELY(lost != 0)) {
        drop(&e->ctx, lost);
    }
    return &e->ctx;
}

go_ctx *go_ctx_with_deadline(go_ctx *parent, go_time when)
{
    return go_ctx_with_deadline_cause(parent, when, 0, NULL);
}

go_ctx *go_ctx_with_timeout_cause(go_ctx *parent, go_duration d, int err, const char *why)
{
    int64_t now = goi_now();
    int64_t when = d > 0 ? goi_after(now, d) : now;
    /* However long it is, it is a timeout: GO_FOREVER would be none. */
    when = when < GOI_FOREVER ? when : GOI_FOREVER - 1;
    return go_ctx_with_deadline_cause(parent, when, err, why);
}

go_ctx *go_ctx_with_timeout(go_ctx *parent, go_duration d)
{
    return go_ctx_with_timeout_cause(parent, d, 0, NULL);
}

go_ctx *go_ctx_without_cancel(go_ctx *parent)
{
    goi_ctx_parent_check(parent);
    struct go_ctx *ctx = malloc(sizeof *ctx);
    if (ctx != NULL) {
        goi_ctx_init(ctx, parent, GOI_CTX_PLAIN);
        ctx->scope = NULL;
    }
    return ctx;
}

/* --- using */

go_ctx *go_ctx_background(void) { return &background; }

go_ctx *go_ctx_todo(void) { return &todo; }

void goi_ctx_keep(struct go_ctx *ctx)
{
    if (ctx != NULL && ctx->kind != GOI_CTX_ROOT) {
        uint32_t before = add_rlx(&ctx->refs, 1); /* [REF] relaxed: the caller's caller holds one */
        goi_must(before > 0);
    }
}

void goi_ctx_unkeep(struct go_ctx *ctx)
{
    if (ctx != NULL) {
        drop(ctx, 1);
    }
}

go_ctx *go_ctx_ref(go_ctx *ctx)
{
    if (ctx != NULL && ctx->kind != GOI_CTX_ROOT) {
        uint32_t before = add_rlx(&ctx->users, 1); /* [REF] relaxed: the caller holds one */
        goi_must(before > 0);
    }
    return ctx;
}

void go_ctx_free(go_ctx *ctx)
{
    if (ctx == NULL || ctx->kind == GOI_CTX_ROOT) {
        return;
    }
    /* [REF] acquire: as in drop(). */
    if (ld_acq(&ctx->users) == 1) {
        st_rlx(&ctx->users, 0);
    } else {
        uint32_t before = sub_acqrel(&ctx->users, 1); /* [REF] */
        goi_must(before > 0);
        if (before > 1) {
            return;
        }
    }
    if (ctx->kind >= GOI_CTX_END) {
        cancel(goi_end_of(ctx), &plain_cancel, 1);
    } else {
        drop(ctx, 1);
    }
}

done_chan go_ctx_done(go_ctx *ctx)
{
    struct goi_end *e = ctx->scope;
    return e != NULL ? (done_chan)(void *)&e->done : NULL;
}

/* Apart, so that asking a context that lasts needs no stack frame. */
static GOI_NOINLINE int err_of(const struct goi_end *e)
{
    goi_race_acquire(&e->done);
    return e->err;
}

GOI_HOT int go_ctx_err(go_ctx *ctx)
{
    const struct goi_end *e = ctx->scope;
    if (GOI_UNLIKELY(e == NULL)) {
        return 0;
    }
    return GOI_LIKELY(!ended(e)) ? 0 : err_of(e);
}

/* For a user who cancels: whoever the end wakes may free the context before this has returned. */
static void cancel_kept(struct go_ctx *ctx, const struct reason *why)
{
    add_rlx(&ctx->refs, 1); /* [REF] */
    cancel(goi_end_of(ctx), why, 1);
}

void go_ctx_cancel(go_ctx *ctx)
{
    if (ctx->kind >= GOI_CTX_END) {
        cancel_kept(ctx, &plain_cancel);
    }
}

void go_ctx_cancel_cause(go_ctx *ctx, int err, const char *why)
{
    if (ctx->kind < GOI_CTX_END || ended(ctx->scope)) {
        return;
    }
    const char *text = cause_text(&err, why, -ECANCELED, canceled_text);
    struct reason r = {-ECANCELED, err, canceled_text, NULL};
    if (text != canceled_text) {
        r.own = strdup(text);
        r.cause = r.own != NULL ? r.own : canceled_text; /* out of memory: the error remains */
    }
    cancel_kept(ctx, &r);
}

const char *go_ctx_cause(go_ctx *ctx)
{
    return go_ctx_err(ctx) != 0 ? ctx->scope->cause : NULL;
}

int go_ctx_cause_err(go_ctx *ctx)
{
    return go_ctx_err(ctx) != 0 ? ctx->scope->cause_err : 0;
}

bool go_ctx_deadline(go_ctx *ctx, go_time *t)
{
    const struct goi_end *e = ctx->scope;
    if (e == NULL || e->deadline == GOI_FOREVER) {
        return false;
    }
    if (t != NULL) {
        *t = e->deadline;
    }
    return true;
}
