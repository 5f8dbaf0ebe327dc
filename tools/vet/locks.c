/* SPDX-License-Identifier: MIT */
/* locks.c: which locks are held along a path.
 *
 * A lock that a variable of the name changes under, that is handed to a function or goroutine
 * which may unlock it, or whose taking depends on what cannot be followed, is no longer counted:
 * better to miss a mistake than to make one up. What a guard or with_lock takes it gives back by
 * itself and is never counted. */
#include "vet.h"
#include <string.h>

const char *vet_lock_key(const struct lock_call *c, struct decl **last)
{
    const char *key = vet_object(c->object, last);
    return key != NULL ? vet_intern(c->reader ? vet_format("%s (read)", key) : key) : NULL;
}

/* ---- functions that unlock ------------------------------------------------------------------- */

struct gives {
    const struct decl *last;    /* the field or variable of the lock */
    bool gives, takes;
    int depth;
};

static bool count(struct node *n, void *data)
{
    struct gives *g = data;
    struct lock_call c;
    struct decl *last = NULL;
    if (vet_lock_call(n, &c)) {
        if (vet_lock_key(&c, &last) != NULL && last == g->last) {
            *(c.op == LOCK_GIVE ? &g->gives : &g->takes) = true;
        }
    } else if (n->kind == CXCursor_CallExpr && n->decl != NULL && n->decl->func != NULL &&
               g->depth < 3) {
        struct gives inner = {g->last, false, false, g->depth + 1};
        vet_visit(n->decl->func->body, count, &inner);
        g->gives = g->gives || (inner.gives && !inner.takes);
    }
    return true;
}

/* Whether a call may give back a lock of that name. */
static bool may_give(const struct node *call, const struct item *item, const struct decl *last)
{
    for (unsigned i = 1; i < call->count; i++) {
        struct decl *unused;
        const char *key = vet_object(call->child[i], &unused);
        if (key != NULL && vet_starts(item->key, key) &&
            (item->key[strlen(key)] == '\0' || item->key[strlen(key)] == ' ')) {
            return true; /* the lock itself */
        }
    }
    if (call->decl == NULL || call->decl->func == NULL) {
        const char *name = call->decl != NULL ? call->decl->name : "";
        return strstr(name, "unlock") != NULL || strstr(name, "release") != NULL;
    }
    struct gives g = {last, false, false, 0};
    vet_visit(call->decl->func->body, count, &g);
    return g.gives && !g.takes;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* The variable that gets the result of a call: int err = f(), err = f(). */
static struct decl *result_of(const struct node *call)
{
    const struct node *to = call->parent;
    if (to == NULL) {
        return NULL;
    }
    if (to->kind == CXCursor_VarDecl) {
        return to->decl;
    }
    return to->op == OP_ASSIGN && to->kind == CXCursor_BinaryOperator && to->child[1] == call
               ? vet_variable(to->child[0])
               : NULL;
}

static const struct decl *last_of(const struct item *item)
{
    struct lock_call c;
    struct decl *last = NULL;
    if (vet_lock_call(item->at, &c)) {
        vet_lock_key(&c, &last);
    }
    return last;
}

static bool drop(struct state *s, const char *key)
{
    for (unsigned i = 0; i < s->items; i++) {
        if (s->item[i].key == key) {
            vet_item_drop(s, i);
            return true;
        }
    }
    return false;
}

/* What is unlocked without having been locked here is the caller's, and is locked for him again:
 * such an item's name begins with ~. */
static void take_or_give(struct node *n, const struct lock_call *c, struct state *s)
{
    struct decl *last;
    const char *key = vet_lock_key(c, &last);
    if (key == NULL) {
        return;
    }
    const char *lent = vet_intern(vet_format("~%s", key));
    if (c->op == LOCK_GIVE) {
        if (!drop(s, key)) {
            vet_item_add(s, (struct item){lent, n, NULL, false});
        }
    } else if (c->op == LOCK_TAKE) {
        if (!drop(s, lent)) {
            vet_item_add(s, (struct item){key, n, NULL, false});
        }
    } else {
        struct decl *result = result_of(n);
        if (result != NULL) {
            vet_item_add(s, (struct item){key, n, result, c->op == LOCK_TRY});
        }
    }
}

/* A variable has changed: a lock that is named by it has another name now. */
static void rename_locks(struct state *s, const struct node *n, const struct decl *changed)
{
    const char *mark = vet_format("@%p", (const void *)changed);
    bool address = n->op == OP_ADDRESS;
    for (unsigned i = 0; i < s->items;) {
        bool named = !address && strstr(s->item[i].key, mark) != NULL &&
                     s->item[i].key[0] == '*' && n->count > 0 &&
                     vet_variable(n->child[0]) == changed;
        bool result = s->item[i].unless == changed && !vet_within(s->item[i].at, n);
        if (named || result) {
            vet_item_drop(s, i);
        } else {
            i++;
        }
    }
}

void vet_locks_step(const struct point *p, struct state *s, bool thread)
{
    struct lock_call c;
    struct spawn spawn;
    if (p->kind != POINT_NODE) {
        return;
    }
    if (vet_lock_call(p->n, &c)) {
        if (c.thread == thread) {
            take_or_give(p->n, &c, s);
        }
        return;
    }
    struct decl *changed = vet_changed(p->n);
    if (changed != NULL) {
        rename_locks(s, p->n, changed);
    }
    if (p->n->kind != CXCursor_CallExpr) {
        return;
    }
    const struct node *call = p->n;
    if (vet_spawn(p->n, &spawn) && spawn.call != NULL) {
        call = spawn.call;
    } else if (vet_api(call) != NULL && !vet_api_is(call, "vet_do")) {
        return;
    }
    for (unsigned i = 0; i < s->items;) {
        if (may_give(call, &s->item[i], last_of(&s->item[i]))) {
            vet_item_drop(s, i);
        } else {
            i++;
        }
    }
}

void vet_locks_choice(const struct node *asked, bool is, struct state *s, bool thread)
{
    struct lock_call c;
    struct decl *last;
    if (vet_lock_call(asked, &c) && c.thread == thread &&
        (c.op == LOCK_TRY || c.op == LOCK_UNTIL) && is == (c.op == LOCK_TRY)) {
        const char *key = vet_lock_key(&c, &last);
        if (key != NULL) {
            vet_item_add(s, (struct item){key, (struct node *)(uintptr_t)asked, NULL, false});
        }
    }
    struct decl *variable = vet_variable(asked);
    for (unsigned i = 0; variable != NULL && i < s->items;) {
        if (s->item[i].unless != variable) {
            i++;
        } else if (s->item[i].when == is) {
            s->item[i++].unless = NULL;
        } else {
            vet_item_drop(s, i);
        }
    }
}
