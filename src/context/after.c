/* SPDX-License-Identifier: MIT */
/* after.c: functions that are started when a context ends. The essay is in context.c. */
/* style: layer because a function that is kept has an order for the race detector. */
#include "annot/annot.h"
#include "context/internal.h"
#include "context/quiet.h"
/* style: layer because a call kept for later becomes a goroutine inside the runtime. */
#include "sched/call.h"
#include <stdlib.h>

enum { BATCH = 16 };

/* The handle of every function that waits for what never ends: nothing is kept for it. */
static go_ctx_after never;

void goi_ctx_start_functions(struct m *m, struct goi_end *e)
{
    struct goi_call *calls[BATCH];
    int n;
    do { /* ends: nobody adds to `waiting` once e is closed (X2) */
        n = 0;
        goi_lock(&e->done.lock);
        goi_assert(ld_rlx(&e->done.closed) != 0);
        while (n < BATCH && e->waiting != NULL) {
            go_ctx_after *a = goi_container_of(e->waiting, go_ctx_after, link);
            goi_link_remove(&a->link);
            goi_link_push(&e->started, &a->link);
            calls[n++] = a->call;
            a->call = NULL;
        }
        goi_unlock(&e->done.lock);
        for (int i = 0; i < n; i++) {
            goi_call_spawn_last(m, calls[i]);
        }
    } while (n == BATCH);
}

void goi_ctx_free_handles(struct goi_end *e)
{
    while (e->started != NULL) { /* ends: each turn shortens the list */
        go_ctx_after *a = goi_container_of(e->started, go_ctx_after, link);
        goi_assert(a->call == NULL);
        goi_link_remove(&a->link);
        free(a);
    }
}

go_ctx_after *goi_ctx_after_func(go_ctx *ctx, struct goi_call *call)
{
    struct goi_end *e = ctx->scope;
    go_ctx_after *a = e != NULL ? malloc(sizeof *a) : &never;
    if (e == NULL || a == NULL) {
        goi_call_free(call);
        return a;
    }
    a->scope = e;
    a->link.at = NULL;
    a->wakes_nobody = false;
    goi_race_release_store(call); /* acquired by goi_call_run */
    struct m *m = goi_enter();
    goi_lock(&e->done.lock);
    bool over = ld_rlx(&e->done.closed) != 0;
    a->call = over ? NULL : call;
    goi_link_push(over ? &e->started : &e->waiting, &a->link);
    goi_unlock(&e->done.lock);
    if (over) {
        goi_call_spawn_last(m, call);
    }
    goi_leave(m);
    return a;
}

void goi_ctx_after_wakes_nobody(go_ctx_after *a)
{
    struct m *m = goi_enter();
    if (a != &never) {
        goi_lock(&a->scope->done.lock);
        a->wakes_nobody = true;
        goi_unlock(&a->scope->done.lock);
    }
    goi_leave(m);
}

bool go_ctx_after_stop(go_ctx_after *a)
{
    if (a == NULL) {
        return false;
    }
    if (a == &never) {
        return true;
    }
    struct goi_end *e = a->scope;
    struct m *m = goi_enter();
    goi_lock(&e->done.lock);
    struct goi_call *call = a->call;
    goi_link_remove(&a->link);
    goi_unlock(&e->done.lock);
    goi_leave(m);
    free(a);
    goi_call_free(call); /* outside: may run a C++ destructor */
    return call != NULL;
}
