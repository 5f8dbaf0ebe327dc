/* SPDX-License-Identifier: MIT */
/* walk.c: the paths through a function that can be taken, one state at a time.
 *
 * What a condition was is remembered until something in it changes, so that of
 *
 *     if (locked) unlock();  ...  if (locked) ...
 *
 * no path takes one branch and not the other. A point is passed once in each state; a function with
 * very many states is given up, silently. */
#include "vet.h"
#include <stdlib.h>
#include <string.h>

enum { VISITS_MAX = 20000 };

struct visit {
    unsigned point;
    struct state state;
};

struct trip {
    struct walk *walk;
    struct visit *stack;
    unsigned depth;
    uint64_t *seen;             /* a hash table of hashes */
    unsigned visits;
};

enum { SEEN = 4 * 16384 };
_Static_assert(SEEN > 2 * VISITS_MAX, "the table of what has been seen is never full");

static uint64_t hash_of(unsigned point, const struct state *s)
{
    const unsigned char *b = (const unsigned char *)s;
    uint64_t h = 1469598103934665603u ^ point;
    for (size_t i = 0; i < sizeof *s; i++) {
        h = (h ^ b[i]) * 1099511628211u;
    }
    return h != 0 ? h : 1;
}

static bool is_new(struct trip *t, unsigned point, const struct state *s)
{
    uint64_t h = hash_of(point, s);
    unsigned at = (unsigned)(h % SEEN);
    while (t->seen[at] != 0) {
        if (t->seen[at] == h) {
            return false;
        }
        at = (at + 1) % SEEN;
    }
    t->seen[at] = h;
    return true;
}

static void visit_later(struct trip *t, unsigned point, const struct state *s)
{
    if (t->visits < VISITS_MAX && is_new(t, point, s)) {
        t->visits++;
        t->stack = vet_grow(t->stack, t->depth, sizeof *t->stack);
        t->stack[t->depth].point = point;
        t->stack[t->depth++].state = *s;
    }
}

/* ---- facts ---------------------------------------------------------------------------------- */

/* What a condition asks, less "not" and "is zero". */
const struct node *vet_asked(const struct node *n, bool *is)
{
    for (;;) {
        long long zero;
        if (n->kind == CXCursor_UnaryOperator && n->op == OP_NOT) {
            *is = !*is;
            n = n->child[0];
        } else if (n->kind == CXCursor_BinaryOperator && n->op == OP_ASSIGN) {
            n = n->child[0];
        } else if (n->kind == CXCursor_BinaryOperator && n->op == OP_COMMA) {
            n = n->child[1];
        } else if (n->kind == CXCursor_BinaryOperator &&
                   (n->op == OP_EQUAL || n->op == OP_UNEQUAL || n->op == OP_LESS) &&
                   vet_is_zero(n->child[1], &zero)) {
            /* Of a status, less than zero is what not zero is. */
            *is = n->op == OP_EQUAL ? !*is : *is;
            n = n->child[0];
        } else {
            return n;
        }
    }
}

bool vet_is_zero(const struct node *n, long long *value)
{
    *value = 1;
    const char *text = n->kind == CXCursor_IntegerLiteral ? "0" : "";
    bool literal = *text != '\0' && vet_constant(n, value);
    /* NULL is ((void *)0); the casts are gone. */
    return literal && *value == 0;
}

static struct decl *root_of(const struct node *n)
{
    while (n->kind != CXCursor_DeclRefExpr && n->count > 0) {
        n = n->child[0];
    }
    return n->kind == CXCursor_DeclRefExpr ? n->decl : NULL;
}

static bool agrees(struct state *s, const struct node *asked, bool is)
{
    struct decl *last;
    long long value;
    const char *key;
    bool compared = asked->kind == CXCursor_BinaryOperator && asked->count == 2 &&
                    (asked->op == OP_EQUAL || asked->op == OP_UNEQUAL) &&
                    vet_constant(asked->child[1], &value);
    if (compared) {
        key = vet_key(asked->child[0], &last);
        key = key != NULL ? vet_format("%s == %lld", key, value) : NULL;
        is = asked->op == OP_EQUAL ? is : !is;
    } else {
        key = vet_key(asked, &last);
    }
    if (key == NULL) {
        return true;
    }
    key = vet_intern(key);
    for (unsigned i = 0; i < s->facts; i++) {
        if (s->fact[i].key == key) {
            return s->fact[i].value == is;
        }
    }
    if (s->facts < FACTS) {
        s->fact[s->facts].key = key;
        s->fact[s->facts].root = root_of(asked);
        s->fact[s->facts++].value = is;
    }
    return true;
}

static void forget(struct state *s, const struct decl *changed)
{
    for (unsigned i = 0; i < s->facts;) {
        if (s->fact[i].root == changed) {
            s->fact[i] = s->fact[--s->facts];
            memset(&s->fact[s->facts], 0, sizeof s->fact[0]);
        } else {
            i++;
        }
    }
}

struct decl *vet_changed(const struct node *n)
{
    if (n->kind == CXCursor_VarDecl) {
        return n->decl;
    }
    if (n->count > 0 && (n->op == OP_ASSIGN || n->op == OP_COMPOUND || n->op == OP_STEP)) {
        return root_of(n->child[0]);
    }
    /* A pointer to it has been given away. */
    return n->op == OP_ADDRESS && n->kind == CXCursor_UnaryOperator ? vet_addressed(n) : NULL;
}

/* ---- the walk ------------------------------------------------------------------------------- */

static void branch(struct trip *t, const struct point *p, const struct state *s)
{
    for (unsigned i = 0; i < p->count; i++) {
        struct state next = *s;
        bool is = i == 0;
        const struct node *asked = vet_asked(p->n, &is);
        if (agrees(&next, asked, is) &&
            (t->walk->choice == NULL || t->walk->choice(t->walk, asked, is, &next))) {
            visit_later(t, p->next[i], &next);
        }
    }
}

void vet_walk(struct walk *w, unsigned start)
{
    struct trip t = {.walk = w, .seen = vet_new(SEEN * sizeof(uint64_t))};
    struct state empty;
    memset(&empty, 0, sizeof empty);
    visit_later(&t, start, &empty);
    while (t.depth > 0 && !w->done) {
        struct visit v = t.stack[--t.depth];
        const struct point *p = &w->flow->point[v.point];
        if (!w->step(w, p, &v.state)) {
            continue;
        }
        struct decl *changed = p->kind == POINT_NODE ? vet_changed(p->n) : NULL;
        if (changed != NULL) {
            forget(&v.state, changed);
        }
        if (p->kind == POINT_BRANCH) {
            branch(&t, p, &v.state);
            continue;
        }
        for (unsigned i = 0; i < p->count; i++) {
            visit_later(&t, p->next[i], &v.state);
        }
    }
    free(t.seen);
    free(t.stack);
}

bool vet_point_of(struct flow *f, const struct node *n, unsigned *at)
{
    for (unsigned i = 1; i < f->count; i++) {
        if (f->point[i].n == n && f->point[i].kind == POINT_NODE) {
            *at = i;
            return true;
        }
    }
    return false;
}

void vet_after(struct walk *w, const struct node *n)
{
    unsigned at;
    if (vet_point_of(w->flow, n, &at)) {
        for (unsigned i = 0; i < w->flow->point[at].count && !w->done; i++) {
            vet_walk(w, w->flow->point[at].next[i]);
        }
    }
}

/* ---- items ---------------------------------------------------------------------------------- */

void vet_item_add(struct state *s, struct item item)
{
    for (unsigned i = 0; i < s->items; i++) {
        if (s->item[i].key == item.key) {
            return;
        }
    }
    if (s->items < ITEMS) {
        struct item *to = &s->item[s->items++];
        to->key = item.key; /* field by field: the hash reads the padding too */
        to->at = item.at;
        to->unless = item.unless;
        to->when = item.when;
    }
}

void vet_item_drop(struct state *s, unsigned i)
{
    s->item[i] = s->item[--s->items];
    memset(&s->item[s->items], 0, sizeof s->item[0]);
}
