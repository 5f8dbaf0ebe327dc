/* SPDX-License-Identifier: MIT */
/* names.c: what the functions that a program calls mean: which lock, park, wait, start.
 *
 * A function of the same file does what it calls, as far as names tell. One that is defined
 * elsewhere and called something with wait or join is taken to wait; of others nothing is known. */
#include "vet.h"
#include <string.h>

enum { WAITING = 1, LOCKING, SLEEPING };

static const struct {
    const char *name;
    int what;
} parks[] = {
#define WAITS(name)  {#name, WAITING},
#define LOCKS(name)  {#name, LOCKING},
#define SLEEPS(name) {#name, SLEEPING},
#include "parks.def"
};

static int api_parks(const char *api)
{
    for (size_t i = 0; i < sizeof parks / sizeof parks[0]; i++) {
        if (strcmp(api, parks[i].name) == 0) {
            return parks[i].what;
        }
    }
    return 0;
}

const char *vet_api(const struct node *n)
{
    return n->kind == CXCursor_CallExpr && n->decl != NULL ? n->decl->api : NULL;
}

bool vet_api_is(const struct node *n, const char *name)
{
    const char *api = vet_api(n);
    return api != NULL && strcmp(api, name) == 0;
}

struct node *vet_argument(const struct node *call, unsigned n)
{
    return call->count > n + 1 ? call->child[n + 1] : NULL;
}

/* ---- locks ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum lock_op op;
    unsigned at;                /* which argument is the lock */
    bool reader, thread;
} locks[] = {
    {"mutex_lock", LOCK_TAKE, 0, false, false},
    {"mutex_unlock", LOCK_GIVE, 0, false, false},
    {"mutex_trylock", LOCK_TRY, 0, false, false},
    {"mutex_lock_until", LOCK_UNTIL, 0, false, false},
    {"mutex_lock_ctx", LOCK_UNTIL, 1, false, false},
    {"rwmutex_lock", LOCK_TAKE, 0, false, false},
    {"rwmutex_unlock", LOCK_GIVE, 0, false, false},
    {"rwmutex_trylock", LOCK_TRY, 0, false, false},
    {"rwmutex_lock_until", LOCK_UNTIL, 0, false, false},
    {"rwmutex_lock_ctx", LOCK_UNTIL, 1, false, false},
    {"rwmutex_rlock", LOCK_TAKE, 0, true, false},
    {"rwmutex_runlock", LOCK_GIVE, 0, true, false},
    {"rwmutex_tryrlock", LOCK_TRY, 0, true, false},
    {"rwmutex_rlock_until", LOCK_UNTIL, 0, true, false},
    {"rwmutex_rlock_ctx", LOCK_UNTIL, 1, true, false},
    {"pthread_mutex_lock", LOCK_TAKE, 0, false, true},
    {"pthread_mutex_unlock", LOCK_GIVE, 0, false, true},
    {"pthread_mutex_trylock", LOCK_UNTIL, 0, false, true},
    {"pthread_mutex_timedlock", LOCK_UNTIL, 0, false, true},
    {"pthread_spin_lock", LOCK_TAKE, 0, false, true},
    {"pthread_spin_unlock", LOCK_GIVE, 0, false, true},
    {"pthread_rwlock_wrlock", LOCK_TAKE, 0, false, true},
    {"pthread_rwlock_rdlock", LOCK_TAKE, 0, false, true},
    {"pthread_rwlock_unlock", LOCK_GIVE, 0, false, true},
};

bool vet_lock_call(const struct node *n, struct lock_call *out)
{
    if (n->kind != CXCursor_CallExpr || n->decl == NULL) {
        return false;
    }
    const char *name = n->decl->api;
    bool thread = name == NULL;
    for (size_t i = 0; i < sizeof locks / sizeof locks[0]; i++) {
        const char *called = thread ? n->decl->name : name;
        if (locks[i].thread == thread && strcmp(called, locks[i].name) == 0) {
            *out = (struct lock_call){locks[i].op, locks[i].reader, thread,
                                      vet_argument(n, locks[i].at)};
            return out->object != NULL;
        }
    }
    return false;
}

/* ---- goroutines ----------------------------------------------------------------------------- */

/* The statement after that of a marker, in the same block. */
static struct node *statement_after(struct node *n)
{
    while (n->parent != NULL && n->parent->kind != CXCursor_CompoundStmt) {
        n = n->parent;
    }
    struct node *block = n->parent;
    for (unsigned i = 0; block != NULL && i + 1 < block->count; i++) {
        if (block->child[i] == n) {
            return block->child[i + 1];
        }
    }
    return NULL;
}

bool vet_spawn(struct node *n, struct spawn *out)
{
    const char *api = vet_api(n);
    if (api == NULL || !vet_starts(api, "vet_")) {
        return false;
    }
    *out = (struct spawn){.marker = n};
    if (strcmp(api, "vet_do") == 0) {
        out->block = statement_after(n);
        if (out->block == NULL || out->block->kind != CXCursor_BlockExpr) {
            return false;
        }
        out->func = out->block->block;
        out->args = out->func->params;
        return true;
    }
    if (strcmp(api, "vet_go") != 0 && strcmp(api, "vet_wg_go") != 0 &&
        strcmp(api, "vet_group_go") != 0 && strcmp(api, "vet_later") != 0) {
        return false;
    }
    out->call = statement_after(n);
    if (out->call == NULL || out->call->kind != CXCursor_CallExpr) {
        return false;
    }
    out->func = out->call->decl != NULL ? out->call->decl->func : NULL;
    out->args = out->call->count > 0 ? out->call->count - 1 : 0;
    return true;
}

struct node *vet_spawn_argument(const struct spawn *s, unsigned n)
{
    /* The first argument of vet_do is none. */
    return s->block != NULL ? vet_argument(s->marker, n + 1) : vet_argument(s->call, n);
}

bool vet_is_later(const struct node *call)
{
    const struct node *block = call->parent;
    if (block == NULL || block->kind != CXCursor_CompoundStmt) {
        return false;
    }
    for (unsigned i = 1; i < block->count; i++) {
        if (block->child[i] == call) {
            const char *api = vet_api(block->child[i - 1]);
            return api != NULL && (strcmp(api, "vet_go") == 0 || strcmp(api, "vet_wg_go") == 0 ||
                                   strcmp(api, "vet_group_go") == 0 ||
                                   strcmp(api, "vet_later") == 0 || strcmp(api, "vet_defer") == 0);
        }
    }
    return false;
}

/* ---- parking and waiting -------------------------------------------------------------------- */

static bool has_default(const struct node *select)
{
    for (unsigned i = 1; i < select->count; i++) {
        if (vet_api_is(select->child[i], "vet_case_default")) {
            return true;
        }
    }
    return false;
}

static bool find_park(struct node *n, void *data)
{
    int *found = data;
    if (n->kind == CXCursor_CallExpr && !vet_is_later(n) && vet_parks(n)) {
        *found = 1;
    }
    return *found == 0;
}

bool vet_parks(const struct node *call)
{
    const char *api = vet_api(call);
    if (api != NULL) {
        return api_parks(api) != 0 && !(strcmp(api, "vet_select") == 0 && has_default(call));
    }
    struct func *f = call->decl != NULL ? call->decl->func : NULL;
    if (f == NULL) {
        return false;
    }
    if (f->parks < 0) {
        int found = 0;
        f->parks = 0; /* also what a function that calls itself is told */
        vet_visit(f->body, find_park, &found);
        f->parks = found;
    }
    return f->parks != 0;
}

static bool named_waiting(const char *name)
{
    return strstr(name, "wait") != NULL || strstr(name, "join") != NULL ||
           strstr(name, "until") != NULL;
}

static bool find_wait(struct node *n, void *data)
{
    bool *found = data;
    if (n->kind == CXCursor_CallExpr && (vet_waits(n) || (vet_is_later(n) && vet_waits(n)))) {
        *found = true;
    }
    /* Looking again and again, with others running in between, is waiting as well. */
    bool loop = n->kind == CXCursor_WhileStmt || n->kind == CXCursor_ForStmt ||
                n->kind == CXCursor_DoStmt;
    if (!*found && loop) {
        for (unsigned i = 0; i < n->count; i++) {
            struct node *c = n->child[i]->kind == CXCursor_CompoundStmt ? n->child[i] : NULL;
            for (unsigned j = 0; c != NULL && j < c->count; j++) {
                const char *api = vet_api(c->child[j]);
                *found = *found || (api != NULL && api_parks(api) == SLEEPING &&
                                    n->kind != CXCursor_ForStmt);
            }
        }
    }
    return !*found;
}

bool vet_waits_below(struct node *n)
{
    bool found = false;
    vet_visit(n, find_wait, &found);
    return found;
}

bool vet_waits(const struct node *call)
{
    const char *api = vet_api(call);
    if (api != NULL) {
        return api_parks(api) == WAITING;
    }
    if (call->decl == NULL || vet_spawn((struct node *)(uintptr_t)call, &(struct spawn){0})) {
        return false;
    }
    struct func *f = call->decl->func;
    if (f == NULL) {
        return named_waiting(call->decl->name);
    }
    if (f->waits < 0) {
        f->waits = 0;
        f->waits = vet_waits_below(f->body);
    }
    return f->waits != 0;
}
