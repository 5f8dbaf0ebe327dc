/* SPDX-License-Identifier: MIT */
/* lostsend.c: a goroutine sends on an unbuffered channel, and its only receiver may go away.
 *
 * Followed is a local channel made with no room, whose every use is understood: it goes to
 * goroutines of this file that send on it, and the function itself receives. Then a path from a
 * start to a return without a receive leaves the sender parked for ever: typically one that takes
 * the other case of a select, or whose receive timed out. The same is so when goroutines are
 * started in a loop and one value is received. main is left out, since the process ends with it. */
#include "vet.h"
#include <string.h>

enum { NEVER = 0, TAKES, MAY_TAKE, SENDS, HARMLESS, UNKNOWN };

/* What a call of Gort does with the channel that it gets as its argument. */
static int use_of(const struct node *call, const struct node *arg)
{
    static const struct {
        const char *name;
        int what;
    } uses[] = {
        {"chan_recv", TAKES},         {"chan_recv_into", TAKES},     {"vet_recv_for", TAKES},
        {"chan_recv_until", MAY_TAKE}, {"chan_recv_ctx", MAY_TAKE},  {"chan_try_recv", MAY_TAKE},
        {"vet_case_recv", MAY_TAKE},  {"chan_send", SENDS},          {"chan_send_until", HARMLESS},
        {"chan_send_ctx", HARMLESS},  {"chan_try_send", HARMLESS},   {"vet_case_send", HARMLESS},
        {"chan_close", HARMLESS},     {"chan_free", HARMLESS},       {"chan_len", HARMLESS},
        {"chan_cap", HARMLESS},
    };
    const char *api = vet_api(call);
    for (size_t i = 0; api != NULL && i < sizeof uses / sizeof uses[0]; i++) {
        /* As a value it is sent away. */
        if (strcmp(api, uses[i].name) == 0 && (call->count < 2 || arg != NULL)) {
            return uses[i].what;
        }
    }
    return UNKNOWN;
}

/* ---- the goroutine's side ------------------------------------------------------------------- */

struct side {
    const struct decl *channel;
    bool sends, surely, other;
};

/* Nothing decides whether it is reached. */
static bool is_unconditional(const struct node *n)
{
    for (; n != NULL; n = n->parent) {
        if (n->kind == CXCursor_IfStmt || n->kind == CXCursor_SwitchStmt ||
            n->kind == CXCursor_ForStmt || n->kind == CXCursor_WhileStmt ||
            n->kind == CXCursor_ConditionalOperator) {
            return false;
        }
    }
    return true;
}

static bool scan_side(struct node *n, void *data)
{
    struct side *s = data;
    if (n->kind == CXCursor_DeclRefExpr && n->decl == s->channel) {
        int what = n->parent->kind == CXCursor_CallExpr ? use_of(n->parent, n) : UNKNOWN;
        s->sends = s->sends || what == SENDS;
        s->surely = s->surely || (what == SENDS && is_unconditional(n));
        s->other = s->other || (what != SENDS && what != HARMLESS);
    }
    return true;
}

static bool only_sends(const struct spawn *spawn, unsigned param, bool *surely)
{
    if (spawn->func == NULL || param >= spawn->func->params) {
        return false;
    }
    struct side s = {.channel = spawn->func->param[param]};
    vet_visit(spawn->func->body, scan_side, &s);
    *surely = s.surely;
    return s.sends && !s.other;
}

/* ---- the starter's side --------------------------------------------------------------------- */

struct uses {
    const struct decl *channel;
    struct node *start[8];
    unsigned starts;
    unsigned receives;
    bool unknown, in_loop;
    bool surely;                /* whoever is started sends */
};

static bool in_loop(struct node *n)
{
    for (; n != NULL; n = n->parent) {
        bool block = n->kind == CXCursor_ForStmt && n->count == 3 &&
                     vet_api_is(n->child[1], "vet_again");
        if (!block && (n->kind == CXCursor_ForStmt || n->kind == CXCursor_WhileStmt ||
                       n->kind == CXCursor_DoStmt)) {
            return true;
        }
    }
    return false;
}

static unsigned argument_index(const struct node *call, const struct node *n)
{
    unsigned i = 1;
    while (i < call->count && call->child[i] != n) {
        i++;
    }
    return i - 1;
}

/* The marker of the start that a call of a goroutine's function belongs to. */
static struct node *marker_of(const struct node *call)
{
    struct node *block = call->parent;
    for (unsigned i = 1; i < block->count; i++) {
        if (block->child[i] == call) {
            return block->child[i - 1];
        }
    }
    return NULL;
}

static void add_start(struct uses *u, struct node *marker, unsigned param)
{
    struct spawn s;
    bool surely = false;
    if (marker == NULL || !vet_spawn(marker, &s) || vet_api_is(marker, "vet_later") ||
        !only_sends(&s, param, &surely) || u->starts >= 8) {
        u->unknown = true;
    } else {
        u->start[u->starts++] = marker;
        u->surely = u->surely || surely;
    }
}

static bool scan_starter(struct node *n, void *data)
{
    struct uses *u = data;
    if (n->kind != CXCursor_DeclRefExpr || n->decl != u->channel) {
        return true;
    }
    struct node *p = n->parent;
    if (p->kind != CXCursor_CallExpr) {
        u->unknown = true;
    } else if (vet_api_is(p, "vet_do")) {
        add_start(u, p, argument_index(p, n) - 1);
    } else if (vet_is_later(p) && use_of(p, n) == UNKNOWN) {
        add_start(u, marker_of(p), argument_index(p, n));
    } else {
        int what = use_of(p, n);
        u->unknown = u->unknown || what == UNKNOWN;
        u->receives += what == TAKES || what == MAY_TAKE;
        u->in_loop = u->in_loop || ((what == TAKES || what == MAY_TAKE) &&
                                    (in_loop(p) || vet_api_is(p, "vet_recv_for")));
    }
    return true;
}

/* ---- paths ---------------------------------------------------------------------------------- */

struct follow {
    const struct decl *channel;
    struct node *marker;
};

struct seen {
    const struct decl *channel;
    bool takes;
};

static bool scan_takes(struct node *n, void *data)
{
    struct seen *s = data;
    if (n->kind == CXCursor_DeclRefExpr && n->decl == s->channel &&
        n->parent->kind == CXCursor_CallExpr) {
        int what = use_of(n->parent, n);
        s->takes = s->takes || what == TAKES || what == MAY_TAKE;
    }
    return true;
}

static bool takes_below(struct node *n, const struct decl *channel)
{
    struct seen s = {channel, false};
    vet_visit(n, scan_takes, &s);
    return s.takes;
}

/* The argument of a receive is the channel. */
static bool is_about(const struct node *call, const struct decl *channel)
{
    for (unsigned i = 1; i < call->count; i++) {
        if (vet_variable(call->child[i]) == channel) {
            return true;
        }
    }
    return false;
}

/* The select that a switch is about; a select elsewhere is taken to receive. */
static bool is_switched(const struct node *select)
{
    return select->parent != NULL && select->parent->kind == CXCursor_SwitchStmt;
}

/* Whether a case of a switch is that of a receive from the channel. */
static bool case_takes(const struct node *n, const struct decl *channel)
{
    const struct node *s = n->parent;
    while (s != NULL && s->kind != CXCursor_SwitchStmt) {
        s = s->parent;
    }
    if (s == NULL || n->kind != CXCursor_CaseStmt || !vet_api_is(s->child[0], "vet_select")) {
        return false;
    }
    const struct node *select = s->child[0];
    for (unsigned i = 1; i < select->count; i++) {
        const struct node *c = select->child[i];
        if (vet_api_is(c, "vet_case_recv") && is_about(c, channel) && c->count > 1 &&
            n->count > 0 && c->child[1]->decl == n->child[0]->decl) {
            return true;
        }
    }
    return false;
}

/* Without an end to the waiting it is a receive as any other. */
static bool has_no_limit(const struct node *call)
{
    long long limit;
    const struct node *deadline = vet_argument(call, 2), *ctx = vet_argument(call, 0);
    return (vet_api_is(call, "chan_recv_until") && deadline != NULL &&
            vet_constant(deadline, &limit) && limit == INT64_MAX) ||
           (vet_api_is(call, "chan_recv_ctx") && vet_is_zero(ctx, &limit));
}

/* The result is dropped, kept in a variable, or decides something here. What is done with it
 * elsewhere is not followed. */
static bool is_tested(const struct node *call)
{
    const struct node *p = call->parent;
    while (p->op == OP_NOT || p->op == OP_EQUAL || p->op == OP_UNEQUAL || p->op == OP_LESS ||
           p->op == OP_AND || p->op == OP_OR) {
        p = p->parent;
    }
    return p->op == OP_ASSIGN || p->kind == CXCursor_CompoundStmt || p->kind == CXCursor_VarDecl ||
           p->kind == CXCursor_IfStmt || p->kind == CXCursor_WhileStmt ||
           p->kind == CXCursor_ConditionalOperator || vet_api_is(p, "vet_select");
}

static bool is_mentioned(const struct node *n, const struct decl *variable)
{
    bool found = n->kind == CXCursor_DeclRefExpr && n->decl == variable;
    for (unsigned i = 0; i < n->count && !found; i++) {
        found = is_mentioned(n->child[i], variable);
    }
    return found;
}

static bool step(struct walk *w, const struct point *p, struct state *s)
{
    struct follow *f = w->data;
    if (p->kind == POINT_EXIT) {
        CXCursor c = p->n != NULL ? p->n->cursor : w->flow->func->body->cursor;
        CXSourceRange all = clang_getCursorExtent(c);
        struct place at =
            vet_place(p->n != NULL ? clang_getRangeStart(all) : clang_getRangeEnd(all));
        vet_report("lostsend", f->marker,
                   "the goroutine sends on %s, which has no room, and nobody receives on the way "
                   "to the %s in line %u: it may wait for ever",
                   f->channel->name, p->n != NULL ? "return" : "end of the function", at.line);
        w->done = true;
    }
    if (p->kind == POINT_LOOP) {
        return !takes_below(p->n, f->channel);
    }
    if (p->kind != POINT_NODE) {
        return true;
    }
    if (p->n->kind == CXCursor_CaseStmt) {
        return !case_takes(p->n, f->channel);
    }
    if (p->n->kind != CXCursor_CallExpr || (!p->deferred && vet_is_later(p->n))) {
        return true;
    }
    if (vet_api_is(p->n, "vet_select") && !is_switched(p->n)) {
        return !takes_below(p->n, f->channel);
    }
    int what = is_about(p->n, f->channel) ? use_of(p->n, p->n) : NEVER;
    if (what == MAY_TAKE && (has_no_limit(p->n) || !is_tested(p->n))) {
        what = TAKES;
    }
    const struct node *to = p->n->parent;
    struct decl *result = to->kind == CXCursor_VarDecl ? to->decl
                          : to->op == OP_ASSIGN        ? vet_variable(to->child[0])
                                                       : NULL;
    if (what == MAY_TAKE && result != NULL) {
        vet_item_add(s, (struct item){vet_intern("taken"), p->n, result,
                                      vet_api_is(p->n, "chan_try_recv")});
    }
    return what != TAKES;
}

/* A receive with a limit has taken the value when it says so. */
static bool choice(struct walk *w, const struct node *asked, bool is, struct state *s)
{
    struct follow *f = w->data;
    if (asked->kind == CXCursor_CallExpr && is_about(asked, f->channel) &&
        use_of(asked, asked) == MAY_TAKE) {
        return is != vet_api_is(asked, "chan_try_recv");
    }
    struct decl *variable = vet_variable(asked);
    for (unsigned i = 0; variable != NULL && i < s->items; i++) {
        if (s->item[i].unless == variable) {
            return s->item[i].when != is;
        }
    }
    /* A test of another kind may say that it came. */
    for (unsigned i = 0; i < s->items; i++) {
        if (is_mentioned(asked, s->item[i].unless)) {
            return false;
        }
    }
    return true;
}

static void look_at(struct func *f, const struct decl *channel)
{
    struct uses u = {.channel = channel};
    vet_visit(f->body, scan_starter, &u);
    for (unsigned i = 0; i < u.starts && !u.unknown; i++) {
        struct follow data = {channel, u.start[i]};
        struct walk w = {.flow = vet_flow(f), .step = step, .choice = choice, .data = &data};
        vet_after(&w, u.start[i]);
        const struct node *loop = channel->var;
        if (!w.done && in_loop(u.start[i]) && !in_loop((struct node *)(uintptr_t)loop) &&
            !u.in_loop && u.receives == 1 && u.surely) {
            vet_report("lostsend", u.start[i],
                       "goroutines started in a loop send on %s, which has no room, and one value "
                       "is received: the others may wait for ever",
                       channel->name);
        }
    }
}

static bool visit(struct node *n, void *data)
{
    long long room;
    if (n->kind == CXCursor_VarDecl && n->count == 1 && vet_api_is(n->child[0], "chan_make") &&
        n->child[0]->count > 2 && vet_constant(n->child[0]->child[2], &room) && room == 0 &&
        n->decl->local) {
        look_at(data, n->decl);
    }
    return true;
}

void vet_lostsend(struct unit *u)
{
    for (unsigned i = 0; i < u->funcs; i++) {
        if (strcmp(u->func[i]->name, "main") != 0) {
            vet_visit(u->func[i]->body, visit, u->func[i]);
        }
    }
}
