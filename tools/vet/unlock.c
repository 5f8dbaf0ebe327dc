/* SPDX-License-Identifier: MIT */
/* unlock.c: a return that leaves a mutex locked; a thread's mutex held while the goroutine parks.
 *
 * A function that never unlocks what it locks may be made for that. It is reported only when
 * nothing points that way: its name speaks of no locking, no other function of the file unlocks
 * without locking, and the mutex is handed to nobody. */
#include "vet.h"
#include <string.h>

struct scan {
    struct func *func;
    const struct decl *last;
    const char *key;
    bool unlocked, handed;
    bool gives, takes;          /* a lock of that name */
};

static bool is_cond_wait(const struct node *n)
{
    const char *api = vet_api(n);
    return api != NULL && vet_starts(api, "cond_wait");
}

static bool scan_node(struct node *n, void *data)
{
    struct scan *s = data;
    struct lock_call c;
    struct decl *last = NULL;
    if (vet_lock_call(n, &c)) {
        const char *key = vet_lock_key(&c, &last);
        s->unlocked = s->unlocked || (key != NULL && key == s->key && c.op == LOCK_GIVE);
        if (key != NULL && last == s->last) {
            *(c.op == LOCK_GIVE ? &s->gives : &s->takes) = true;
        }
    } else if (n->kind == CXCursor_CallExpr && !is_cond_wait(n)) {
        for (unsigned i = 1; i < n->count; i++) {
            const char *key = vet_object(n->child[i], &last);
            s->handed = s->handed || (key != NULL && vet_intern(key) == s->key);
        }
    }
    return true;
}

/* The name of a function that locks for its caller, most likely. */
static bool is_named_for_it(const char *name)
{
    static const char *const words[] = {"lock", "acquire", "enter", "begin",   "start",
                                        "take", "hold",    "open",  "get",     "prepare", "guard"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(name, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool is_meant(struct func *f, const char *key, const struct decl *last)
{
    struct scan own = {.last = last, .key = key};
    vet_visit(f->body, scan_node, &own);
    if (own.unlocked) {
        return false;
    }
    if (own.handed || f->block != NULL || is_named_for_it(f->name)) {
        return true;
    }
    for (unsigned i = 0; i < f->unit->funcs; i++) {
        struct scan other = {.last = last, .key = ""};
        vet_visit(f->unit->func[i]->body, scan_node, &other);
        if (other.gives && !other.takes) {
            return true;
        }
    }
    return false;
}

/* The last line of a function, or that of its return. */
static unsigned line_of_exit(const struct point *p, const struct func *f)
{
    CXCursor c = p->n != NULL ? p->n->cursor : f->body->cursor;
    CXSourceRange all = clang_getCursorExtent(c);
    return vet_place(p->n != NULL ? clang_getRangeStart(all) : clang_getRangeEnd(all)).line;
}

static bool step(struct walk *w, const struct point *p, struct state *s)
{
    vet_locks_step(p, s, false);
    if (p->kind != POINT_EXIT) {
        return true;
    }
    for (unsigned i = 0; i < s->items; i++) {
        struct item *item = &s->item[i];
        struct lock_call c;
        struct decl *last = NULL;
        if (item->unless != NULL || item->key[0] == '~' || !vet_lock_call(item->at, &c)) {
            continue;
        }
        vet_lock_key(&c, &last);
        if (!is_meant(w->flow->func, item->key, last)) {
            vet_report("unlock", item->at,
                       "%s is locked here and still locked at the %s in line %u",
                       vet_shown(item->key), p->n != NULL ? "return" : "end of the function",
                       line_of_exit(p, w->flow->func));
            w->done = true; /* one way is enough */
        }
    }
    return true;
}

static bool choice(struct walk *w, const struct node *asked, bool is, struct state *s)
{
    (void)w;
    vet_locks_choice(asked, is, s, false);
    return true;
}

struct find {
    bool thread, found;
};

static bool find_lock(struct node *n, void *data)
{
    struct find *f = data;
    struct lock_call c;
    f->found = f->found || (vet_lock_call(n, &c) && c.thread == f->thread && c.op != LOCK_GIVE);
    return !f->found;
}

static bool locks(struct func *f, bool thread)
{
    struct find find = {thread, false};
    vet_visit(f->body, find_lock, &find);
    return find.found;
}

void vet_unlock(struct unit *u)
{
    for (unsigned i = 0; i < u->funcs; i++) {
        if (locks(u->func[i], false)) {
            struct walk w = {.flow = vet_flow(u->func[i]), .step = step, .choice = choice};
            vet_walk(&w, w.flow->entry);
        }
    }
}

/* ---- lockpark ------------------------------------------------------------------------------- */

static bool park_step(struct walk *w, const struct point *p, struct state *s)
{
    (void)w;
    bool call = p->kind == POINT_NODE && p->n->kind == CXCursor_CallExpr;
    const struct item *held = NULL;
    for (unsigned i = 0; i < s->items && held == NULL; i++) {
        bool is_held = s->item[i].unless == NULL && s->item[i].key[0] != '~';
        held = is_held ? &s->item[i] : NULL;
    }
    if (call && held != NULL && (p->deferred || !vet_is_later(p->n)) && vet_parks(p->n)) {
        CXSourceLocation at = clang_getCursorLocation(held->at->cursor);
        vet_report("lockpark", p->n,
                   "%s may park with %s held, a thread's lock taken in line %u: who waits for that "
                   "holds up a thread, and another thread may have to unlock it",
                   p->n->decl->name, vet_shown(held->key), vet_place(at).line);
        return false;
    }
    vet_locks_step(p, s, true);
    return true;
}

static bool park_choice(struct walk *w, const struct node *asked, bool is, struct state *s)
{
    (void)w;
    vet_locks_choice(asked, is, s, true);
    return true;
}

void vet_lockpark(struct unit *u)
{
    for (unsigned i = 0; i < u->funcs; i++) {
        if (locks(u->func[i], true)) {
            struct walk w = {
                .flow = vet_flow(u->func[i]), .step = park_step, .choice = park_choice};
            vet_walk(&w, w.flow->entry);
        }
    }
}
