/* SPDX-License-Identifier: MIT */
/* defer.c: what a block leaves to be done when it ends.
 *
 * Deferred calls and guards are variables of the block with the cleanup attribute, so a block that
 * ends by itself, by break, return or goto runs them where the compiler says so. go_exit and panics
 * leave frames without asking the compiler, and C is usually compiled without -fexceptions; so each
 * of them is also on a list of its goroutine, newest first, and whoever gets there first (the
 * compiler's code or the unwinder in panic.c) takes it off and runs it.
 *
 *   D1  A cleanup is on the list exactly while its `run` is not NULL.
 *   D2  The list is ordered by nesting: a block's cleanups are popped before its parent's. Hence
 *       the end of a block may cut the list at its own cleanup; anything above it was left behind
 *       by a longjmp and its memory is not looked at.
 *   D3  A cleanup is off the list before it runs, so it runs once even when it panics itself.
 *                                                            (tests/unit/surface/unwind_test.c)
 */
#include "base/assert.h"
#include "sched/call.h"
#include "sched/panic.h"

void goi_cleanup_push(struct goi_cleanup *c, void (*run)(struct goi_cleanup *), void *frame)
{
    struct g *g = goi_call_self();
    c->run = run;
    c->frame = frame;
    c->next = g->unwind.cleanups;
    g->unwind.cleanups = c;
}

bool goi_cleanup_pop(struct goi_cleanup *c)
{
    if (c->run == NULL) { /* D1 */
        return false;
    }
    struct g *g = goi_call_self();
    g->unwind.cleanups = c->next; /* D2 */
    c->run = NULL;
    return true;
}

bool goi_cleanup_end(struct goi_cleanup *c)
{
    void (*run)(struct goi_cleanup *) = c->run;
    if (!goi_cleanup_pop(c)) {
        return false;
    }
    struct g *g = goi_call_self();
    if (GOI_LIKELY(g->unwind.panics == NULL)) {
        run(c); /* D3 */
    } else {
        goi_cleanup_run_at_end(g, c, run);
    }
    return true;
}

/* --- deferred calls */

static void run_deferred(struct goi_cleanup *c)
{
    struct goi_deferred *d = goi_container_of(c, struct goi_deferred, cleanup);
    (void)goi_replay_record(&d->record);
}

void goi_defer_push(struct g *g, struct goi_deferred *d)
{
    d->cleanup.run = run_deferred;
    d->cleanup.next = g->unwind.cleanups;
    g->unwind.cleanups = &d->cleanup;
}

void goi_defer_end(void *p)
{
    struct goi_deferred *d = p;
    if (goi_cleanup_end(&d->cleanup)) {
        return;
    }
    /* Its arguments were never complete (an exception passes), or it has run. */
    struct g *g = goi_call_self();
    if (g->unwind.pending == &d->record) {
        g->unwind.pending = d->record.next;
    }
}

void goi_guard_end(struct goi_guard *guard) { (void)goi_cleanup_end(&guard->cleanup); }
