/* SPDX-License-Identifier: MIT */
/* threadlocal.c: a _Thread_local variable across a call that may park.
 *
 * Afterwards the goroutine may be on another thread: an address taken before is another thread's
 * variable by then, and a value read before is written back to another variable than it came from.
 * Both are reported where that happens. So is giving the address to a call that parks or to another
 * goroutine. go_local is a variable of the goroutine's own. */
#include "vet.h"
#include <string.h>

static const char rule[] = "threadlocal";

/* ---- the address and the value in a variable ------------------------------------------------ */

struct kept {
    const struct decl *in;      /* the variable that has it */
    const struct decl *of;      /* the thread-local one */
    bool address;
};

static bool parks_here(const struct point *p)
{
    return p->kind == POINT_NODE && p->n->kind == CXCursor_CallExpr &&
           (p->deferred || !vet_is_later(p->n)) && vet_parks(p->n);
}

struct names {
    const struct decl *of;
    bool found;
};

static bool find_name(struct node *n, void *data)
{
    struct names *f = data;
    f->found = f->found || (n->kind == CXCursor_DeclRefExpr && n->decl == f->of);
    return !f->found;
}

static bool is_named(struct node *n, const struct decl *of)
{
    struct names f = {of, false};
    vet_visit(n, find_name, &f);
    return f.found;
}

/* tls = ... v ... */
static bool writes_back(const struct node *n, const struct kept *k)
{
    return n->op == OP_ASSIGN && n->count == 2 && vet_variable(n->child[0]) == k->of &&
           is_named(n->child[1], k->in);
}

static bool step(struct walk *w, const struct point *p, struct state *s)
{
    struct kept *k = w->data;
    if (parks_here(p)) {
        vet_item_add(s, (struct item){vet_intern("parked"), p->n, NULL, false});
        return true;
    }
    if (p->kind != POINT_NODE) {
        return true;
    }
    if (s->items > 0 && k->address && p->n->kind == CXCursor_DeclRefExpr && p->n->decl == k->in &&
        p->n->parent->op != OP_ASSIGN) {
        vet_report(rule, p->n,
                   "%s has the address of thread-local %s from before %s, which may have parked: "
                   "the goroutine may be on another thread",
                   k->in->name, k->of->name, s->item[0].at->decl->name);
        w->done = true;
    } else if (s->items > 0 && !k->address && writes_back(p->n, k)) {
        vet_report(rule, p->n,
                   "thread-local %s was read before %s, which may have parked: what is written "
                   "back may be another thread's",
                   k->of->name, s->item[0].at->decl->name);
        w->done = true;
    }
    bool anew = (p->n->kind == CXCursor_VarDecl && p->n->decl == k->in) ||
                (p->n->op == OP_ASSIGN && vet_variable(p->n->child[0]) == k->in);
    return !w->done && !anew;
}

static bool find_value(struct node *n, void *data)
{
    const struct decl **found = data;
    if (n->op == OP_ADDRESS && n->kind == CXCursor_UnaryOperator) {
        return false;
    }
    if (n->kind == CXCursor_DeclRefExpr && n->decl != NULL && n->decl->tls) {
        *found = n->decl;
    }
    return n->kind != CXCursor_CallExpr || vet_api(n) == NULL;
}

static void follow(struct func *f, struct node *n, const struct decl *in, struct node *value)
{
    const struct decl *of = vet_addressed(value);
    bool address = of != NULL && of->tls;
    if (!address) {
        of = NULL;
        vet_visit(value, find_value, &of);
    }
    if (of != NULL && in != NULL && in->local) {
        struct kept k = {in, of, address};
        struct walk w = {.flow = vet_flow(f), .step = step, .data = &k};
        vet_after(&w, n);
    }
}

/* ---- at once -------------------------------------------------------------------------------- */

static void check_arguments(struct node *call)
{
    bool later = vet_is_later(call);
    if (!later && !vet_parks(call)) {
        return;
    }
    for (unsigned i = 1; i < call->count; i++) {
        struct decl *of = vet_addressed(call->child[i]);
        if (of != NULL && of->tls) {
            vet_report(rule, call->child[i],
                       later ? "the address of thread-local %s goes to another goroutine: it is "
                               "that of this thread"
                             : "%s's address is given to a call that may park: it is that of the "
                               "thread the goroutine was on",
                       of->name);
        }
    }
}

static bool find_park(struct node *n, void *data)
{
    bool *found = data;
    *found = *found || (n->kind == CXCursor_CallExpr && !vet_is_later(n) && vet_parks(n));
    return !*found;
}

/* tls += f(), tls = tls + f() */
static void check_update(struct node *n)
{
    struct decl *of = n->count == 2 ? vet_variable(n->child[0]) : NULL;
    bool parks = false;
    if (of == NULL || !of->tls || (n->op == OP_ASSIGN && !is_named(n->child[1], of))) {
        return;
    }
    vet_visit(n->child[1], find_park, &parks);
    if (parks) {
        vet_report(rule, n,
                   "thread-local %s is read and written around a call that may park: they may be "
                   "those of two threads",
                   of->name);
    }
}

static bool visit(struct node *n, void *data)
{
    if (n->kind == CXCursor_CallExpr) {
        check_arguments(n);
    } else if (n->op == OP_ASSIGN || n->op == OP_COMPOUND) {
        check_update(n);
    }
    if (n->op == OP_ASSIGN && n->count == 2) {
        follow(data, n, vet_variable(n->child[0]), n->child[1]);
    } else if (n->kind == CXCursor_VarDecl && n->count == 1) {
        follow(data, n, n->decl, n->child[0]);
    }
    return true;
}

void vet_threadlocal(struct unit *u)
{
    for (unsigned i = 0; i < u->funcs; i++) {
        vet_visit(u->func[i]->body, visit, u->func[i]);
    }
}
