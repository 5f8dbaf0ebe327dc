/* SPDX-License-Identifier: MIT */
/* internal.h: what the files of src/context share. The essay is in context.c. */
#ifndef GOI_CONTEXT_INTERNAL_H
#define GOI_CONTEXT_INTERNAL_H
/* style: layer because a context's end is the runtime's own channel and timer, in one allocation
 * (context.c, Rejected). */
#include "chan/chan.h"
/* style: layer because the deadline is a timer inside the context, without a goroutine. */
#include "time/timer.h"
#include <gort/context.h>

enum goi_ctx_kind { GOI_CTX_ROOT, GOI_CTX_PLAIN, GOI_CTX_VALUE, GOI_CTX_END, GOI_CTX_TIMED };

/* Doubly linked, ended by NULL; `at` is the pointer that points here, NULL: on no list. */
struct goi_link { struct goi_link *next, **at; };

/* Tags as in HOUSE_STYLE: [c] constant, [l] under the lock of the end it belongs to. */
struct go_ctx {
    goi_a32 refs;                       /* [a:REF] users together, children, list, timer */
    goi_a32 users;                      /* [a:REF] references that users hold */
    uint8_t kind;                       /* [c] */
    struct go_ctx *parent;              /* [c] one of its refs is ours; NULL in a root */
    struct goi_end *scope;              /* [c] what ends it, itself or above; NULL: nothing */
    struct goi_value *values;           /* [c] the nearest value, itself or above; or NULL */
};

/* A context with an end of its own. */
struct goi_end {
    struct go_chan done;                /* first; its lock is ours, its `closed` is the end */
    struct go_ctx ctx;
    struct goi_end *above;              /* [c] the parent's scope, or NULL */
    struct goi_link sibling;            /* [l:above] on above->children */
    struct goi_link *children;          /* [l] ends to end with this one; NULL once closed */
    struct goi_link *waiting;           /* [l] functions to start at the end */
    struct goi_link *started;           /* [l] functions started, handles not released */
    goi_a32 left;                       /* [w:lock] X8: parts of the end that are under way */
    bool told;                          /* [l] X9: above waits for this one */
    bool top;                           /* [l] ended by itself: leaves its parent's list */
    const void *walk;                   /* [l] who is on the way through what is below */
    struct goi_end_wait *awaiting;      /* [l] who waits until nothing is left */
    int64_t deadline;                   /* [c] its own or an ancestor's */
    int err, cause_err;                 /* [w:lock] before closed, constant after */
    const char *cause;                  /* [w:lock] likewise; belongs to this or an ancestor */
    char *cause_own;                    /* [w:lock] what to free */
};

/* A goroutine that waits until all that is below has ended; on its stack. */
struct goi_end_wait {
    struct goi_end_wait *next;
    struct g *g;
};

struct goi_timed {
    struct goi_end end;
    struct goi_timer timer;             /* pending or firing: holds one ref */
    int why_err;                        /* [c] the cause, should the deadline pass */
    const char *why;                    /* [c] */
    char text[];                        /* [c] where why lies, unless it is the default */
};

struct goi_value {
    struct go_ctx ctx;
    const void *key;                    /* [c] */
    struct goi_value *above;            /* [c] the next one to look at */
    const void *data;                   /* [c] behind the struct */
};

struct go_ctx_after {
    struct goi_link link;               /* [l:scope] on waiting or started */
    struct goi_end *scope;              /* [c] */
    struct goi_call *call;              /* [l:scope] NULL: started */
    bool wakes_nobody;                  /* [l:scope] quiet.h */
};

GOI_INLINE struct goi_end *goi_end_of(struct go_ctx *ctx)
{
    return goi_container_of(ctx, struct goi_end, ctx);
}

GOI_INLINE void goi_link_push(struct goi_link **head, struct goi_link *l)
{
    goi_assert(l->at == NULL);
    l->next = *head;
    l->at = head;
    if (*head != NULL) {
        (*head)->at = &l->next;
    }
    *head = l;
}

GOI_INLINE void goi_link_remove(struct goi_link *l)
{
    goi_assert(*l->at == l);
    *l->at = l->next;
    if (l->next != NULL) {
        l->next->at = l->at;
    }
    l->at = NULL;
}

/* A parent that may be derived from: panics with Go's words otherwise. Outside the runtime. */
void goi_ctx_parent_check(const struct go_ctx *parent);
/* Sets up a child of a kind; takes a reference to the parent. scope stays the parent's. */
void goi_ctx_init(struct go_ctx *ctx, struct go_ctx *parent, enum goi_ctx_kind kind);

/* after.c: starts what waits for the end of e, which is closed. Inside the runtime. */
void goi_ctx_start_functions(struct m *m, struct goi_end *e);
/* after.c: releases the handles that users have left. Nobody else can reach e. */
void goi_ctx_free_handles(struct goi_end *e);

#endif
