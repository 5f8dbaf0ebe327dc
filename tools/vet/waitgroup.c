/* SPDX-License-Identifier: MIT */
/* waitgroup.c: a goroutine that counts itself into a wait group.
 *
 * The wait may come before it has begun, see a zero, and return. Reported is wg_add with a positive
 * number in the function of a go statement when the same function also says wg_done of the group
 * and hands the group to nobody: then what it has added is itself. One that adds for goroutines
 * that it starts is right, because it is counted while it does. */
#include "vet.h"
#include <string.h>

struct look {
    const char *key;            /* the group */
    struct node *add;
    bool done, shared;
};

static bool is_plus(const struct node *n)
{
    long long value;
    return n != NULL && (!vet_constant(n, &value) || value > 0);
}

/* Itself a goroutine counts once. */
static bool in_loop(struct node *n)
{
    return vet_ancestor(n, CXCursor_ForStmt) != NULL ||
           vet_ancestor(n, CXCursor_WhileStmt) != NULL ||
           vet_ancestor(n, CXCursor_DoStmt) != NULL;
}

static bool find_add(struct node *n, void *data)
{
    struct look *l = data;
    struct decl *last;
    if (l->add == NULL && vet_api_is(n, "wg_add") && !vet_is_later(n) && n->count == 3 &&
        is_plus(n->child[2]) && !in_loop(n)) {
        l->key = vet_object(n->child[1], &last);
        l->add = l->key != NULL ? n : NULL;
    }
    return l->add == NULL;
}

static bool find_others(struct node *n, void *data)
{
    struct look *l = data;
    struct decl *last;
    if (n->kind != CXCursor_CallExpr) {
        return true;
    }
    for (unsigned i = 1; i < n->count; i++) {
        const char *key = vet_object(n->child[i], &last);
        if (key == NULL || strcmp(key, l->key) != 0) {
            continue;
        }
        if (vet_api_is(n, "wg_done")) {
            l->done = true;
        } else if (!vet_api_is(n, "wg_add") && !vet_api_is(n, "vet_go") &&
                   (vet_api(n) == NULL || !vet_starts(vet_api(n), "wg_wait"))) {
            l->shared = true;
        }
    }
    return true;
}

static void look_at(struct func *f)
{
    struct look l = {0};
    vet_visit(f->body, find_add, &l);
    if (l.add == NULL) {
        return;
    }
    vet_visit(f->body, find_others, &l);
    if (l.done && !l.shared) {
        vet_report("waitgroup", l.add,
                   "wg_add in the goroutine that it counts: the wait may be over before; add "
                   "before go, or use wg_go");
    }
}

static bool visit(struct node *n, void *data)
{
    (void)data;
    struct spawn s;
    if (vet_spawn(n, &s) && s.func != NULL && s.func->body != NULL && !s.func->counted) {
        s.func->counted = true;
        look_at(s.func);
    }
    return true;
}

void vet_waitgroup(struct unit *u)
{
    for (unsigned i = 0; i < u->funcs; i++) {
        vet_visit(u->func[i]->body, visit, NULL);
    }
}
