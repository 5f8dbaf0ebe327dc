/* SPDX-License-Identifier: MIT */
/* flow.c: the order in which a function's nodes are evaluated.
 *
 * libclang shows statements and not their flow, so it is made here: one point for each node, in the
 * order of evaluation, and edges for branches, loops and jumps. && || ?: and conditions become
 * branches. A block that ends, however it is left, runs what was deferred in it, so each way out
 * gets those points anew. What does not return has no point after it.
 *
 * Not followed: computed goto, longjmp, jumps into statement expressions. Exact operands of
 * unsequenced operators are taken from left to right, but for assignments, whose value comes
 * first. */
#include "vet.h"
#include <string.h>

enum { NOWHERE = 0 };           /* point 0 is never reached */

struct scope {
    struct scope *up;
    struct node *owner;
    struct node **deferred;     /* a call, the body of a block, or a guard's call */
    unsigned count;
};

struct jump {                   /* what break and continue mean */
    struct jump *up;
    struct scope *scope;
    unsigned to_break, to_continue;
    bool loop;                  /* a switch has no continue of its own */
};

struct label {
    const char *name;
    struct node *at;
    unsigned point;
};

struct maker {
    struct flow *flow;
    struct scope *scope;
    struct jump *jump;
    struct label *label;
    unsigned labels;
    unsigned now;               /* the last point, NOWHERE when control cannot come here */
    unsigned to_switch;
    bool has_default;
};

/* ---- points --------------------------------------------------------------------------------- */

static unsigned new_point(struct maker *m, enum point_kind kind, struct node *n)
{
    struct flow *f = m->flow;
    f->point = vet_grow(f->point, f->count, sizeof *f->point);
    f->point[f->count] = (struct point){.kind = kind, .n = n};
    return f->count++;
}

static void link_points(struct maker *m, unsigned from, unsigned to)
{
    if (from != NOWHERE) {
        struct point *p = &m->flow->point[from];
        p->next = vet_grow(p->next, p->count, sizeof *p->next);
        p->next[p->count++] = to;
    }
}

static unsigned emit(struct maker *m, enum point_kind kind, struct node *n)
{
    unsigned p = new_point(m, kind, n);
    link_points(m, m->now, p);
    /* What cannot be reached stays so. */
    m->now = m->now != NOWHERE ? p : NOWHERE;
    return p;
}

static void go_to(struct maker *m, unsigned join)
{
    link_points(m, m->now, join);
    m->now = NOWHERE;
}

static void arrive(struct maker *m, unsigned join)
{
    link_points(m, m->now, join);
    m->now = join;
}

static void expression(struct maker *m, struct node *n);
static void statement(struct maker *m, struct node *n);

/* ---- scopes --------------------------------------------------------------------------------- */

static void push(struct maker *m, struct node *owner)
{
    struct scope *s = vet_new(sizeof *s);
    s->owner = owner;
    s->up = m->scope;
    m->scope = s;
}

static void defer(struct maker *m, struct node *n)
{
    struct scope *s = m->scope;
    s->deferred = vet_grow(s->deferred, s->count, sizeof *s->deferred);
    s->deferred[s->count++] = n;
}

static bool is_guard(const struct node *n)
{
    return vet_api_is(n, "vet_guard") || vet_api_is(n, "vet_with_lock");
}

/* The points at which a scope is left. */
static void leave(struct maker *m, const struct scope *s)
{
    for (unsigned i = s->count; i > 0; i--) {
        struct node *n = s->deferred[i - 1];
        if (n->kind != CXCursor_CallExpr) {
            statement(m, n);
        } else {
            unsigned p = emit(m, is_guard(n) ? POINT_UNGUARD : POINT_NODE, n);
            m->flow->point[p].deferred = true;
        }
    }
    emit(m, POINT_SCOPE_END, s->owner);
}

static void leave_to(struct maker *m, const struct scope *outer)
{
    struct scope *inner = m->scope;
    while (m->scope != outer && m->scope != NULL) {
        struct scope *s = m->scope;
        m->scope = s->up; /* what is deferred runs outside of it */
        leave(m, s);
    }
    m->scope = inner;
}

static void pop(struct maker *m)
{
    struct scope *s = m->scope;
    m->scope = s->up;
    leave(m, s);
}

/* ---- labels --------------------------------------------------------------------------------- */

static enum CXChildVisitResult label_of(CXCursor c, CXCursor parent, CXClientData data)
{
    (void)parent;
    if (clang_getCursorKind(c) == CXCursor_LabelRef) {
        *(const char **)data = vet_string(clang_getCursorSpelling(c));
    }
    return CXChildVisit_Continue;
}

static bool find_labels(struct node *n, void *data)
{
    struct maker *m = data;
    if (n->kind == CXCursor_LabelStmt) {
        m->label = vet_grow(m->label, m->labels, sizeof *m->label);
        m->label[m->labels++] = (struct label){vet_string(clang_getCursorSpelling(n->cursor)), n,
                                               new_point(m, POINT_JOIN, n)};
    }
    return true;
}

static struct label *label(struct maker *m, const char *name, const struct node *at)
{
    for (unsigned i = 0; i < m->labels; i++) {
        if (at != NULL ? m->label[i].at == at
                       : name != NULL && strcmp(m->label[i].name, name) == 0) {
            return &m->label[i];
        }
    }
    return NULL;
}

static void jump_to_label(struct maker *m, struct node *n)
{
    const char *name = NULL;
    clang_visitChildren(n->cursor, label_of, &name);
    struct label *l = label(m, name, NULL);
    if (l != NULL) {
        struct scope *outer = m->scope;
        while (outer != NULL && !vet_within(l->at, outer->owner)) {
            outer = outer->up;
        }
        leave_to(m, outer);
        link_points(m, m->now, l->point);
    }
    m->now = NOWHERE;
}

/* ---- expressions ---------------------------------------------------------------------------- */

static bool is_literal(const struct node *n, bool *value)
{
    long long v;
    if ((n->kind != CXCursor_IntegerLiteral && n->kind != CXCursor_CXXBoolLiteralExpr) ||
        !vet_constant(n, &v)) {
        return false;
    }
    *value = v != 0;
    return true;
}

static void condition(struct maker *m, struct node *n, unsigned yes, unsigned no)
{
    bool value;
    if (n->kind == CXCursor_UnaryOperator && n->op == OP_NOT) {
        condition(m, n->child[0], no, yes);
    } else if (n->kind == CXCursor_BinaryOperator && (n->op == OP_AND || n->op == OP_OR)) {
        unsigned second = new_point(m, POINT_JOIN, NULL);
        condition(m, n->child[0], n->op == OP_AND ? second : yes, n->op == OP_AND ? no : second);
        m->now = second;
        condition(m, n->child[1], yes, no);
    } else if (is_literal(n, &value)) {
        go_to(m, value ? yes : no);
    } else {
        expression(m, n);
        if (m->now != NOWHERE) {
            unsigned p = emit(m, POINT_BRANCH, n);
            link_points(m, p, yes);
            link_points(m, p, no);
            m->now = NOWHERE;
        }
    }
}

static void choose(struct maker *m, struct node *n)
{
    unsigned yes = new_point(m, POINT_JOIN, NULL), no = new_point(m, POINT_JOIN, NULL);
    unsigned end = new_point(m, POINT_JOIN, NULL);
    if (n->kind == CXCursor_ConditionalOperator) {
        condition(m, n->child[0], yes, no);
        m->now = yes;
        expression(m, n->child[1]);
        go_to(m, end);
        m->now = no;
        expression(m, n->child[2]);
        arrive(m, end);
    } else {
        condition(m, n, yes, no);
        link_points(m, yes, end);
        link_points(m, no, end);
        m->now = end;
    }
}

static void expression(struct maker *m, struct node *n)
{
    bool logic = n->kind == CXCursor_BinaryOperator && (n->op == OP_AND || n->op == OP_OR);
    if (logic || (n->kind == CXCursor_ConditionalOperator && n->count == 3)) {
        choose(m, n);
        emit(m, POINT_NODE, n);
        return;
    }
    if (n->kind == CXCursor_StmtExpr) {
        if (n->count > 0) {
            statement(m, n->child[0]);
        }
        return;
    }
    bool assigns = n->count == 2 && ((n->kind == CXCursor_BinaryOperator && n->op == OP_ASSIGN) ||
                                     n->kind == CXCursor_CompoundAssignOperator);
    if (assigns) {
        expression(m, n->child[1]);
        expression(m, n->child[0]);
    } else {
        for (unsigned i = 0; i < n->count; i++) {
            expression(m, n->child[i]);
        }
    }
    emit(m, POINT_NODE, n);
    if (vet_api_is(n, "vet_guard")) {
        defer(m, n);
    }
    if (n->kind == CXCursor_CallExpr && n->decl != NULL && n->decl->no_return) {
        m->now = NOWHERE;
    }
}

/* ---- statements ----------------------------------------------------------------------------- */

/* A call that is made later: here its arguments are evaluated. */
static void arguments(struct maker *m, struct node *call)
{
    for (unsigned i = 0; i < call->count; i++) {
        expression(m, call->child[i]);
    }
}

/* ({ goi_vet_defer(); f(a); }) */
static bool deferred_call(struct maker *m, struct node *n)
{
    struct node *block = n->kind == CXCursor_StmtExpr && n->count > 0 ? n->child[0] : NULL;
    if (block == NULL || block->count < 2 || !vet_api_is(block->child[0], "vet_defer")) {
        return false;
    }
    arguments(m, block->child[1]);
    defer(m, block->child[1]);
    return true;
}

static void compound(struct maker *m, struct node *n)
{
    push(m, n);
    for (unsigned i = 0; i < n->count; i++) {
        struct node *c = n->child[i];
        struct spawn s;
        if (vet_spawn(c, &s) && s.call != NULL) {
            arguments(m, s.call);
            arguments(m, c);
            emit(m, POINT_NODE, c);
            i++;
        } else if (!deferred_call(m, c)) {
            statement(m, c);
        }
    }
    pop(m);
}

static void enter_loop(struct maker *m, struct jump *j, unsigned to_break, unsigned to_continue)
{
    *j = (struct jump){m->jump, m->scope, to_break, to_continue, true};
    m->jump = j;
}

/* for (goi_vet_...(x); goi_vet_again();) { }: a block under a macro. */
static bool macro_block(struct maker *m, struct node *n)
{
    if (n->count != 3 || !vet_api_is(n->child[1], "vet_again")) {
        return false;
    }
    struct node *first = n->child[0], *body = n->child[2];
    if (vet_api_is(first, "vet_defer_block")) {
        defer(m, body);
        return true;
    }
    struct jump j;
    unsigned end = new_point(m, POINT_JOIN, NULL);
    expression(m, first);
    bool once = !is_guard(first) && !vet_api_is(first, "vet_blocking");
    if (once) {
        link_points(m, m->now, end); /* another has done it */
    }
    enter_loop(m, &j, end, end);
    push(m, n);
    if (is_guard(first)) {
        defer(m, first);
    }
    statement(m, body);
    pop(m);
    m->jump = j.up;
    arrive(m, end);
    return true;
}

/* Where the two semicolons of a for statement stand; false when a macro hides them. */
static bool semicolons(const struct node *n, struct place *from, unsigned at[2])
{
    size_t size;
    *from = vet_place(clang_getRangeStart(clang_getCursorExtent(n->cursor)));
    const char *text = vet_text(from->file, &size);
    if (text == NULL || from->offset + 3 > size || strncmp(text + from->offset, "for", 3) != 0) {
        return false;
    }
    int depth = 0;
    unsigned found = 0;
    for (unsigned i = from->offset; i < size && found < 2; i++) {
        char c = text[i];
        depth += c == '(' || c == '{' ? 1 : c == ')' || c == '}' ? -1 : 0;
        if (c == ';' && depth == 1) {
            at[found++] = i;
        }
    }
    return found == 2;
}

/* libclang leaves out what is missing: which of init, condition and step a child is. */
static unsigned part_of_for(const struct node *n, unsigned i)
{
    struct place from;
    unsigned at[2];
    const struct node *c = n->child[i];
    if (n->count == 4) {
        return i;
    }
    if (c->kind == CXCursor_DeclStmt) {
        return 0;
    }
    if (semicolons(n, &from, at)) {
        struct place p = vet_place(clang_getRangeStart(clang_getCursorExtent(c->cursor)));
        if (p.file != NULL && clang_File_isEqual(p.file, from.file)) {
            return p.offset <= at[0] ? 0 : p.offset <= at[1] ? 1 : 2;
        }
    }
    bool changes = c->op == OP_ASSIGN || c->op == OP_STEP || c->op == OP_COMPOUND;
    return changes ? (i == 0 && n->count > 2 ? 0 : 2) : 1;
}

static void for_loop(struct maker *m, struct node *n)
{
    struct node *part[3] = {NULL, NULL, NULL};
    struct jump j;
    for (unsigned i = 0; i + 1 < n->count; i++) {
        part[part_of_for(n, i)] = n->child[i];
    }
    push(m, n);
    if (part[0] != NULL) {
        statement(m, part[0]);
    }
    unsigned head = new_point(m, POINT_LOOP, n), body = new_point(m, POINT_JOIN, NULL);
    unsigned end = new_point(m, POINT_JOIN, NULL), step = new_point(m, POINT_JOIN, NULL);
    arrive(m, head);
    if (part[1] != NULL) {
        condition(m, part[1], body, end);
    } else {
        go_to(m, body);
    }
    enter_loop(m, &j, end, step);
    m->now = body;
    statement(m, n->child[n->count - 1]);
    m->jump = j.up;
    arrive(m, step);
    if (part[2] != NULL) {
        expression(m, part[2]);
    }
    go_to(m, head);
    m->now = end;
    pop(m);
}

static void while_loop(struct maker *m, struct node *n)
{
    struct jump j;
    bool last = n->kind == CXCursor_DoStmt;
    unsigned head = new_point(m, POINT_LOOP, n), body = new_point(m, POINT_JOIN, NULL);
    unsigned end = new_point(m, POINT_JOIN, NULL), test = new_point(m, POINT_JOIN, NULL);
    arrive(m, head);
    if (!last) {
        arrive(m, test);
        condition(m, n->child[0], body, end);
        m->now = body;
    }
    enter_loop(m, &j, end, test);
    statement(m, n->child[last ? 0 : 1]);
    m->jump = j.up;
    if (last) {
        arrive(m, test);
        condition(m, n->child[1], head, end);
    } else {
        go_to(m, head);
    }
    m->now = end;
}

static void if_statement(struct maker *m, struct node *n)
{
    unsigned yes = new_point(m, POINT_JOIN, NULL), no = new_point(m, POINT_JOIN, NULL);
    condition(m, n->child[0], yes, no);
    m->now = yes;
    statement(m, n->child[1]);
    if (n->count > 2) {
        unsigned end = new_point(m, POINT_JOIN, NULL);
        go_to(m, end);
        m->now = no;
        statement(m, n->child[2]);
        arrive(m, end);
    } else {
        arrive(m, no);
    }
}

static void switch_statement(struct maker *m, struct node *n)
{
    unsigned outer = m->to_switch, end = new_point(m, POINT_JOIN, NULL);
    bool outer_default = m->has_default;
    struct jump j;
    expression(m, n->child[0]);
    m->to_switch = emit(m, POINT_JOIN, n);
    m->has_default = vet_api_is(n->child[0], "vet_select"); /* one of its cases it is */
    if (m->now == NOWHERE) {
        m->to_switch = NOWHERE;
    }
    j = (struct jump){m->jump, m->scope, end, 0, false};
    m->jump = &j;
    m->now = NOWHERE;
    statement(m, n->child[n->count - 1]);
    m->jump = j.up;
    if (!m->has_default) {
        link_points(m, m->to_switch, end);
    }
    arrive(m, end);
    m->to_switch = outer;
    m->has_default = outer_default;
}

static void case_statement(struct maker *m, struct node *n)
{
    unsigned p = new_point(m, POINT_NODE, n);
    link_points(m, m->to_switch, p);
    m->has_default = m->has_default || n->kind == CXCursor_DefaultStmt;
    arrive(m, p);
    if (n->count > 0) {
        statement(m, n->child[n->count - 1]);
    }
}

static void break_or_continue(struct maker *m, const struct node *n)
{
    bool goes_on = n->kind == CXCursor_ContinueStmt;
    struct jump *j = m->jump;
    while (j != NULL && goes_on && !j->loop) {
        j = j->up;
    }
    if (j != NULL) {
        leave_to(m, j->scope);
        link_points(m, m->now, goes_on ? j->to_continue : j->to_break);
    }
    m->now = NOWHERE;
}

static void return_statement(struct maker *m, struct node *n)
{
    if (n->count > 0) {
        expression(m, n->child[0]);
    }
    leave_to(m, NULL);
    emit(m, POINT_EXIT, n);
    m->now = NOWHERE;
}

static void statement(struct maker *m, struct node *n)
{
    switch ((int)n->kind) {
    case CXCursor_CompoundStmt:
        compound(m, n);
        break;
    case CXCursor_DeclStmt:
        for (unsigned i = 0; i < n->count; i++) {
            expression(m, n->child[i]);
        }
        break;
    case CXCursor_IfStmt:
        if_statement(m, n);
        break;
    case CXCursor_ForStmt:
        if (!macro_block(m, n)) {
            for_loop(m, n);
        }
        break;
    case CXCursor_WhileStmt:
    case CXCursor_DoStmt:
        while_loop(m, n);
        break;
    case CXCursor_SwitchStmt:
        switch_statement(m, n);
        break;
    case CXCursor_CaseStmt:
    case CXCursor_DefaultStmt:
        case_statement(m, n);
        break;
    case CXCursor_LabelStmt:
        arrive(m, label(m, NULL, n)->point);
        if (n->count > 0) {
            statement(m, n->child[n->count - 1]);
        }
        break;
    case CXCursor_GotoStmt:
        jump_to_label(m, n);
        break;
    case CXCursor_BreakStmt:
    case CXCursor_ContinueStmt:
        break_or_continue(m, n);
        break;
    case CXCursor_ReturnStmt:
        return_statement(m, n);
        break;
    case CXCursor_IndirectGotoStmt:
        m->now = NOWHERE;
        break;
    default:
        if (!deferred_call(m, n)) {
            expression(m, n);
        }
        break;
    }
}

struct flow *vet_flow(struct func *f)
{
    if (f->flow == NULL) {
        struct maker m = {.flow = vet_new(sizeof(struct flow))};
        f->flow = m.flow;
        m.flow->func = f;
        new_point(&m, POINT_JOIN, NULL);
        m.flow->entry = m.now = new_point(&m, POINT_JOIN, f->body);
        vet_visit(f->body, find_labels, &m);
        statement(&m, f->body);
        emit(&m, POINT_EXIT, NULL);
    }
    return f->flow;
}
