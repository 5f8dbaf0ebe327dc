/* SPDX-License-Identifier: MIT */
/* frames.c: a goroutine gets the address of a variable that ends, or changes, before it does.
 *
 * deadframe: on some path the variable's block ends with nobody having waited for anything since
 * the start. loopaddr: the loop goes on and changes the variable, which each goroutine should have
 * seen as it was. What counts as waiting is generous, because which call waits for which goroutine
 * is not known: a receive, a send, a wait, a loop that has one of them or that looks again and
 * again, a function that does or that is named so, any function of another file that gets the same
 * address. The block of main ends with the process. */
#include "vet.h"
#include <string.h>

struct lent {
    struct decl *variable;
    struct node *marker;
    const struct node *scope;   /* the block of the variable */
    const struct node *loop;    /* the loop that changes it, or NULL */
};

static bool is_loop(const struct node *n)
{
    return n->kind == CXCursor_ForStmt || n->kind == CXCursor_WhileStmt ||
           n->kind == CXCursor_DoStmt;
}

/* A timer or a context's function is as good as waited for when it has been stopped. */
static bool is_stop(const struct node *call)
{
    const char *api = vet_api(call);
    return api != NULL && (strcmp(api, "timer_stop") == 0 || strcmp(api, "timer_free") == 0 ||
                           strcmp(api, "ctx_after_stop") == 0);
}

/* A function that nobody here knows has the same address, and may wait. */
static bool gets_it(const struct node *call, const struct decl *variable)
{
    if (vet_api(call) != NULL || call->decl == NULL || call->decl->func != NULL ||
        call->decl->system) {
        return false;
    }
    for (unsigned i = 1; i < call->count; i++) {
        if (vet_addressed(call->child[i]) == variable) {
            return true;
        }
    }
    return false;
}

static bool is_wait(const struct point *p, const struct lent *l)
{
    if (p->kind == POINT_LOOP) {
        return vet_waits_below(p->n);
    }
    return p->kind == POINT_NODE && p->n->kind == CXCursor_CallExpr &&
           (p->deferred || !vet_is_later(p->n)) &&
           (vet_waits(p->n) || is_stop(p->n) || gets_it(p->n, l->variable));
}

static bool step(struct walk *w, const struct point *p, struct state *s)
{
    struct lent *l = w->data;
    (void)s;
    if (is_wait(p, l)) {
        return false;
    }
    if (l->loop != NULL && p->kind == POINT_NODE && p->n->op != OP_ADDRESS &&
        p->n->kind != CXCursor_VarDecl && vet_within(p->n, l->loop) &&
        vet_changed(p->n) == l->variable) {
        vet_report("loopaddr", l->marker,
                   "the goroutine gets the address of %s, which the loop changes while it runs; "
                   "pass its value",
                   l->variable->name);
        w->done = true;
    } else if ((p->kind == POINT_SCOPE_END && p->n == l->scope) ||
               (p->kind == POINT_EXIT && l->scope == NULL)) {
        vet_report("deadframe", l->marker,
                   "the goroutine gets the address of %s, whose block may end before it: nothing "
                   "is waited for",
                   l->variable->name);
        w->done = true;
    }
    return !w->done;
}

/* ---- which loop changes it ------------------------------------------------------------------ */

struct change {
    const struct decl *variable;
    bool named, changed;
};

static bool find_change(struct node *n, void *data)
{
    struct change *c = data;
    c->named = c->named || (n->kind == CXCursor_DeclRefExpr && n->decl == c->variable);
    c->changed = c->changed || (n->op != OP_ADDRESS && n->kind != CXCursor_VarDecl &&
                                vet_changed(n) == c->variable);
    return true;
}

/* Whether it is what a loop counts or follows: named by its head, and changed in it. */
static bool is_driven_by(struct node *loop, const struct decl *variable)
{
    struct change head = {variable, false, false}, all = {variable, false, false};
    struct node *body = loop->kind == CXCursor_DoStmt ? loop->child[0]
                                                      : loop->child[loop->count - 1];
    for (unsigned i = 0; i < loop->count; i++) {
        if (loop->child[i] != body) {
            vet_visit(loop->child[i], find_change, &head);
        }
    }
    vet_visit(loop, find_change, &all);
    return head.named && all.changed;
}

static struct node *driving_loop(struct node *n, const struct decl *variable)
{
    for (n = n->parent; n != NULL; n = n->parent) {
        if (is_loop(n) && n->count > 1 && is_driven_by(n, variable)) {
            return n;
        }
    }
    return NULL;
}

/* ---- starts --------------------------------------------------------------------------------- */

static const struct node *scope_of(const struct decl *variable)
{
    const struct node *n = variable->var != NULL ? variable->var->parent : NULL;
    while (n != NULL && n->kind != CXCursor_CompoundStmt && n->kind != CXCursor_ForStmt) {
        n = n->parent;
    }
    return n;
}

static void check(struct func *f, const struct spawn *s, struct decl *variable)
{
    struct lent l = {variable, s->marker, scope_of(variable), driving_loop(s->marker, variable)};
    bool whole = l.scope == NULL || l.scope == f->body;
    if (whole && l.loop == NULL && strcmp(f->name, "main") == 0) {
        return;
    }
    struct walk w = {.flow = vet_flow(f), .step = step, .data = &l};
    if (whole && strcmp(f->name, "main") == 0) {
        l.scope = s->marker; /* never ends */
    }
    vet_after(&w, s->marker);
}

/* The local variable whose address an argument is, itself or as a pointer that was made from it
 * and has never been changed: go_do can capture no other. */
static struct decl *lent_by(const struct node *arg, struct func *f)
{
    struct decl *variable = vet_addressed(arg), *pointer = vet_variable(arg);
    bool made = variable == NULL && pointer != NULL && pointer->local && pointer->var != NULL &&
                pointer->var->count == 1;
    if (made) {
        struct change c = {pointer, false, false};
        vet_visit(f->body, find_change, &c);
        variable = c.changed ? NULL : vet_addressed(pointer->var->child[0]);
    }
    return variable != NULL && variable->local ? variable : NULL;
}

static bool visit(struct node *n, void *data)
{
    struct spawn s;
    if (!vet_spawn(n, &s)) {
        return true;
    }
    for (unsigned i = 0; i < s.args; i++) {
        struct node *arg = vet_spawn_argument(&s, i);
        struct decl *variable = arg != NULL ? lent_by(arg, data) : NULL;
        if (variable != NULL) {
            check(data, &s, variable);
        }
    }
    return true;
}

void vet_frames(struct unit *u)
{
    for (unsigned i = 0; i < u->funcs; i++) {
        vet_visit(u->func[i]->body, visit, u->func[i]);
    }
}
