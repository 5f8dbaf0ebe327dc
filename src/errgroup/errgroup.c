/* SPDX-License-Identifier: MIT */
/* errgroup.c: groups of goroutines with a first error, a limit, a context, and a way for panics.
 *
 * A group is a wait group that remembers. A member is counted, and has its place under the limit,
 * before its goroutine exists; the goroutine carries goi_group_done() as what to tell when it ends,
 * which gets the function's result. A member without an error touches nothing but the count.
 *
 *   E1  A member is counted from before its goroutine is made until its result is known to the
 *       group and the context has been cancelled, and its place under the limit given back: the
 *       count is the last that it touches, because the waiter may free the group.
 *                                                              (goi_group_done)
 *   E2  The first error and the first panic stay, under the mutex.  (fail)
 *   E4  Whether there is a limit does not change while there are members: who has taken a place
 *       gives it back, who has not does not.                 (go_group_set_limit)
 *   E3  A member's panic is in the group before the member is uncounted, so the waiter finds it.
 *                                                              (tests/unit/errgroup/panic_test.c)
 *
 * Panics. The scheduler offers the panics of goroutines that end with goi_group_done() to the group
 * (sched/panic.h): the report is written while the member's frames are there, then they are left as
 * by go_exit, which leads to goi_group_done(). The header says why the waiter gets it.
 *
 * Rejected: running members under go_try. The frames are gone when go_try returns, and the report
 * would show the group's stack instead of the member's.
 */
#include <gort/errgroup.h>
/* style: layer because the public surface has no way to take a goroutine's panic from outside. */
#include "sched/panic.h"
#include "base/assert.h" /* style: layer because asserts are worth it. */
#include "base/atomic.h" /* style: layer because the wait group has no way to ask its counter. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

go_group go_group_with(go_ctx *parent)
{
    go_group g = {.ctx = go_ctx_with_cancel(parent)};
    if (g.ctx == NULL) {
        go_panic("errgroup: out of memory");
    }
    return g;
}

void go_group_set_limit(go_group *g, int n)
{
    /* E4. A member without a place must not give one back. (waitgroup.c: the upper half.) */
    int active = (int)(ld_acq(goi_word64(&g->wg.state)) >> 32); /* [WG] */
    if (active != 0) {
        go_panic("errgroup: modify limit while %d goroutines in the group are still active",
                 active);
    }
    g->limited = n >= 0;
    g->slots.size = n >= 0 ? n : 0;
}

/* --- members */

/* What stands for a report that could not be written: a panic is not lost for want of memory. */
static char no_report[] = "panic in a member of a group (out of memory for the report)";

static void drop(char *report)
{
    if (report != no_report) {
        free(report);
    }
}

/* E2: true when it is the first. */
static bool fail(go_group *g, int err, char *report)
{
    go_mutex_lock(&g->mu);
    bool first = g->err == 0 && g->report == NULL;
    if (err != 0 && g->err == 0) {
        g->err = err;
    }
    if (report != NULL && g->report == NULL) {
        g->report = report;
        report = NULL;
    }
    go_mutex_unlock(&g->mu);
    drop(report);
    return first;
}

static void take_panic(void *arg, const char *message, char *report)
{
    go_group *g = arg;
    if (fail(g, 0, report != NULL ? report : no_report) && g->ctx != NULL) {
        go_ctx_cancel_cause(g->ctx, -ECANCELED, message);
    }
}

static GOI_CONSTRUCTOR void offer_to_take(void) { goi_panics_to(goi_group_done, take_panic); }

go_group *goi_group_enter(go_group *g)
{
    if (g->limited != 0) {
        int r = go_sem_acquire(NULL, &g->slots, 1);
        goi_must(r == 0);
    }
    go_wg_add(&g->wg, 1); /* E1 */
    return g;
}

int goi_group_enter_until(go_group *g, go_time deadline)
{
    int r = g->limited != 0 ? go_sem_acquire_until(&g->slots, 1, deadline) : 0;
    if (r == 0) {
        go_wg_add(&g->wg, 1); /* E1 */
    }
    return r;
}

bool goi_group_try_enter(go_group *g)
{
    if (g->limited != 0 && !go_sem_try_acquire(&g->slots, 1)) {
        return false;
    }
    go_wg_add(&g->wg, 1); /* E1 */
    return true;
}

static void cancel_with(go_ctx *ctx, int err)
{
    char text[64];
    if (err < 0) {
        go_ctx_cancel_cause(ctx, err, NULL);
    } else {
        (void)snprintf(text, sizeof text, "a function of the group returned %d", err);
        go_ctx_cancel_cause(ctx, -ECANCELED, text);
    }
}

void goi_group_done(void *arg, int ret)
{
    go_group *g = arg;
    if (ret != 0 && fail(g, ret, NULL) && g->ctx != NULL) {
        cancel_with(g->ctx, ret);
    }
    if (g->limited != 0) {
        go_sem_release(&g->slots, 1);
    }
    go_wg_done(&g->wg); /* E1: the last touch */
}

/* --- the waiter */

static void free_text(char **text) { drop(*text); }

static GO_NOINLINE void panic_with(char *report)
{
    char *text GO_CLEANUP(free_text) = report; /* freed when the panic passes */
    go_panic("%s", text);
}

/* All members have ended. */
static int finish(go_group *g)
{
    int err = g->err; /* all members have ended: the group is ours alone */
    char *report = g->report;
    g->report = NULL;
    if (g->ctx != NULL) {
        go_ctx *ctx = g->ctx;
        g->ctx = NULL;
        go_ctx_cancel(ctx); /* others may hold it */
        go_ctx_free(ctx);
    }
    if (report != NULL) { /* E3 */
        panic_with(report);
    }
    return err;
}

int go_group_wait(go_group *g)
{
    go_wg_wait(&g->wg);
    return finish(g);
}

int go_group_wait_until(go_group *g, int *result, go_time deadline)
{
    int r = go_wg_wait_until(&g->wg, deadline);
    if (r != 0) {
        return r;
    }
    int err = finish(g);
    if (result != NULL) {
        *result = err;
    }
    return 0;
}
