/* SPDX-License-Identifier: MIT */
/* lostcancel.c: a context that can be cancelled, and a return before anybody does.
 *
 * It lasts until its deadline or its parent's end, and its memory for good. Followed is a local
 * variable that gets the context. It is ended by go_ctx_free and go_ctx_cancel; what is stored,
 * returned, or given to a function of another file may be ended there. Functions of Gort borrow a
 * context, and so does a function of the same file that only lends it on. */
#include "vet.h"
#include <string.h>

enum fate { BORROWED, ENDED };

static bool is_maker(const struct node *n)
{
    static const char *const names[] = {
        "ctx_with_cancel",        "ctx_with_timeout",        "ctx_with_deadline",
        "ctx_with_timeout_cause", "ctx_with_deadline_cause", "signal_ctx",
    };
    const char *api = vet_api(n);
    for (size_t i = 0; api != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(api, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool ends_context(const char *api)
{
    return strcmp(api, "ctx_free") == 0 || strcmp(api, "ctx_cancel") == 0 ||
           strcmp(api, "ctx_cancel_cause") == 0;
}

static enum fate fate_in(struct func *f, unsigned param, int depth);

/* What becomes of an argument. */
static enum fate fate_of_argument(const struct node *call, const struct node *n, int depth)
{
    if (vet_api_is(call, "vet_do")) {
        struct spawn s;
        for (unsigned i = 2; i < call->count; i++) {
            if (call->child[i] == n && vet_spawn((struct node *)(uintptr_t)call, &s)) {
                return fate_in(s.func, i - 2, depth);
            }
        }
        return ENDED;
    }
    const char *api = vet_api(call);
    if (api != NULL) {
        return ends_context(api) ? ENDED : BORROWED;
    }
    for (unsigned i = 1; i < call->count; i++) {
        if (call->child[i] == n && call->decl != NULL && call->decl->func != NULL) {
            return fate_in(call->decl->func, i - 1, depth);
        }
    }
    return ENDED;
}

/* What becomes of the context where a variable is named. */
static enum fate fate_of(const struct node *n, int depth)
{
    const struct node *p = n->parent;
    while (p != NULL && p->kind == CXCursor_BinaryOperator && p->op == OP_COMMA) {
        n = p;
        p = p->parent;
    }
    if (p == NULL) {
        return BORROWED;
    }
    switch ((int)p->kind) {
    case CXCursor_CallExpr:
        return p->child[0] == n ? BORROWED : fate_of_argument(p, n, depth);
    case CXCursor_BinaryOperator:
        return p->op == OP_ASSIGN ? ENDED : BORROWED;
    case CXCursor_UnaryOperator:
        return p->op == OP_ADDRESS ? ENDED : BORROWED;
    case CXCursor_IfStmt:
    case CXCursor_WhileStmt:
    case CXCursor_ForStmt:
    case CXCursor_DoStmt:
    case CXCursor_CompoundStmt:
    case CXCursor_MemberRefExpr:
        return BORROWED;
    case CXCursor_ConditionalOperator:
        return p->child[0] == n ? BORROWED : ENDED;
    default:
        return ENDED;
    }
}

struct uses {
    const struct decl *of;
    bool ended;
    int depth;
};

static bool find_end(struct node *n, void *data)
{
    struct uses *u = data;
    if (n->kind == CXCursor_DeclRefExpr && n->decl == u->of && fate_of(n, u->depth) == ENDED) {
        u->ended = true;
    }
    return !u->ended;
}

static enum fate fate_in(struct func *f, unsigned param, int depth)
{
    if (f == NULL || param >= f->params || depth > 4) {
        return ENDED;
    }
    struct uses u = {f->param[param], false, depth + 1};
    vet_visit(f->body, find_end, &u);
    return u.ended ? ENDED : BORROWED;
}

/* ---- paths ---------------------------------------------------------------------------------- */

struct follow {
    const struct decl *context;
    const struct node *maker;
};

/* The end of main is that of the process: there a context counts that is ended on no path. */
static bool is_ended_in_main(const struct func *f, const struct decl *context)
{
    struct uses u = {context, false, 0};
    if (strcmp(f->name, "main") == 0) {
        vet_visit(f->body, find_end, &u);
    }
    return u.ended;
}

static bool step(struct walk *w, const struct point *p, struct state *s)
{
    struct follow *f = w->data;
    (void)s;
    if (p->kind == POINT_NODE && p->n->kind == CXCursor_DeclRefExpr && p->n->decl == f->context) {
        return fate_of(p->n, 0) == BORROWED;
    }
    if (p->kind == POINT_EXIT) {
        CXCursor c = p->n != NULL ? p->n->cursor : w->flow->func->body->cursor;
        CXSourceRange all = clang_getCursorExtent(c);
        struct place at =
            vet_place(p->n != NULL ? clang_getRangeStart(all) : clang_getRangeEnd(all));
        const char *name = f->context->name; /* of ours, where a macro has made it */
        vet_report("lostcancel", f->maker,
                   "%s is neither cancelled nor freed on the way to the %s in line %u: the context "
                   "leaks",
                   vet_starts(name, "goi_") ? "this" : name,
                   p->n != NULL ? "return" : "end of the function", at.line);
        w->done = true;
    }
    return true;
}

static bool choice(struct walk *w, const struct node *asked, bool is, struct state *s)
{
    struct follow *f = w->data;
    (void)s;
    return is || vet_variable(asked) != f->context; /* NULL needs no free */
}

static void look_at(struct func *f, struct node *maker)
{
    struct node *to = maker->parent;
    if (to == NULL) {
        return;
    }
    if (to->kind == CXCursor_CompoundStmt && to->child[to->count - 1] != maker) {
        vet_report("lostcancel", maker, "nobody can cancel this context: %s's result is not kept",
                   maker->decl->name);
        return;
    }
    if (to->kind == CXCursor_CallExpr) {
        if (fate_of(maker, 0) == BORROWED && !vet_is_later(to)) {
            vet_report("lostcancel", maker,
                       "nobody can cancel this context: %s only borrows it", to->decl->name);
        }
        return;
    }
    struct decl *variable = to->kind == CXCursor_VarDecl ? to->decl
                            : to->op == OP_ASSIGN        ? vet_variable(to->child[0])
                                                         : NULL;
    if (variable != NULL && variable->local && !is_ended_in_main(f, variable)) {
        struct follow data = {variable, maker};
        struct walk w = {.flow = vet_flow(f), .step = step, .choice = choice, .data = &data};
        vet_after(&w, to);
    }
}

static bool visit(struct node *n, void *data)
{
    if (is_maker(n) && !vet_is_later(n)) {
        look_at(data, n);
    }
    return true;
}

void vet_lostcancel(struct unit *u)
{
    for (unsigned i = 0; i < u->funcs; i++) {
        vet_visit(u->func[i]->body, visit, u->func[i]);
    }
}
