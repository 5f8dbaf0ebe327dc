/* SPDX-License-Identifier: MIT */
/* copylocks.c: what must not be copied is copied.
 *
 * A lock is a type of <gort/sync.h> or <gort/errgroup.h>, a pthread lock, or a struct, union or
 * array that contains one. Copying is to read one as a value: in an assignment, an initialiser, an
 * argument, a result, by memcpy. A parameter that is one is said at its declaration. The result of
 * a call and a literal are new objects and may be taken over; so is a local variable that is
 * returned and whose address nobody has had. */
#include "vet.h"
#include <string.h>

static const char rule[] = "copylocks";

static const char *lock_in(CXType type);

static enum CXVisitorResult field(CXCursor c, CXClientData data)
{
    const char **found = data;
    *found = lock_in(clang_getCursorType(c));
    return *found != NULL ? CXVisit_Break : CXVisit_Continue;
}

/* The name of the lock that a type is or contains, or NULL. */
static const char *lock_in(CXType type)
{
    static const char *const known[] = {
        "go_mutex", "go_rwmutex", "go_waitgroup", "go_once", "go_cond", "go_map", "go_pool",
        "go_sem", "go_single", "go_rate", "go_group", "pthread_mutex_t", "pthread_rwlock_t",
        "pthread_cond_t", "pthread_spinlock_t", "sem_t",
    };
    CXType of = clang_getArrayElementType(clang_getCanonicalType(type));
    if (of.kind != CXType_Invalid) {
        return lock_in(of);
    }
    const char *name = vet_string(clang_getCursorSpelling(clang_getTypeDeclaration(type)));
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i]) == 0 && strcmp(name, "pthread_spinlock_t") != 0) {
            return known[i];
        }
    }
    const char *found = NULL;
    if (clang_getCanonicalType(type).kind == CXType_Record) {
        clang_Type_visitFields(clang_getCanonicalType(type), field, &found);
    }
    return found;
}

/* "struct job contains go_mutex", "go_mutex". */
static const char *described(CXType type, const char *lock)
{
    const char *name = vet_string(clang_getTypeSpelling(type));
    return strcmp(name, lock) == 0 ? lock : vet_format("%s contains %s", name, lock);
}

/* The object whose value an expression reads; NULL for what makes a new one. */
static const struct node *copied(const struct node *n)
{
    while (n != NULL && n->kind == CXCursor_BinaryOperator && n->op == OP_COMMA) {
        n = n->child[1];
    }
    if (n == NULL || clang_getCanonicalType(clang_getCursorType(n->cursor)).kind != CXType_Record) {
        return NULL;
    }
    switch ((int)n->kind) {
    case CXCursor_DeclRefExpr:
    case CXCursor_MemberRefExpr:
    case CXCursor_ArraySubscriptExpr:
        return n;
    case CXCursor_UnaryOperator:
        return n->op == OP_DEREF ? n : NULL;
    case CXCursor_ConditionalOperator:
        return n->count == 3 && copied(n->child[1]) != NULL ? copied(n->child[1])
               : n->count == 3                              ? copied(n->child[2])
                                                            : NULL;
    default:
        return NULL;
    }
}

static void check(const struct node *value, const char *how)
{
    const struct node *n = copied(value);
    CXType type = n != NULL ? clang_getCursorType(n->cursor) : (CXType){.kind = CXType_Invalid};
    const char *lock = n != NULL ? lock_in(type) : NULL;
    if (lock != NULL) {
        vet_report(rule, n, "%s copies a lock by value: %s", how, described(type, lock));
    }
}

static void check_call(const struct node *n)
{
    const char *name = n->decl != NULL ? n->decl->name : "";
    if (strcmp(name, "goi_vet_do") == 0) {
        for (unsigned i = 1; i < n->count; i++) {
            check(n->child[i], "go_do captures and");
        }
        return;
    }
    if (strstr(name, "memcpy") != NULL || strstr(name, "memmove") != NULL) {
        struct node *from = vet_argument(n, 1);
        CXType type = from != NULL ? clang_getPointeeType(clang_getCursorType(from->cursor))
                                   : (CXType){.kind = CXType_Invalid};
        const char *lock = type.kind != CXType_Invalid ? lock_in(type) : NULL;
        if (lock != NULL) {
            vet_report(rule, n, "%s copies a lock: %s", name, described(type, lock));
        }
        return;
    }
    for (unsigned i = 1; i < n->count; i++) {
        check(n->child[i], vet_format("call of %s", *name != '\0' ? name : "a function"));
    }
}

struct use {
    const struct decl *of;
    bool addressed;
};

static bool find_address(struct node *n, void *data)
{
    struct use *u = data;
    u->addressed = u->addressed || (n->op == OP_ADDRESS && vet_addressed(n) == u->of);
    return !u->addressed;
}

/* A local variable that nobody has had the address of: its locks have never been used. */
static bool is_fresh(const struct node *n, struct func *f)
{
    struct use u = {vet_variable(n), false};
    if (u.of == NULL || !u.of->local || u.of->var == NULL) {
        return false;
    }
    vet_visit(f->body, find_address, &u);
    return !u.addressed;
}

static bool visit(struct node *n, void *data)
{
    switch ((int)n->kind) {
    case CXCursor_VarDecl:
        if (n->count == 1) {
            check(n->child[0], vet_format("initialisation of %s", n->decl->name));
        }
        break;
    case CXCursor_BinaryOperator:
        if (n->op == OP_ASSIGN && n->count == 2) {
            check(n->child[1], "assignment");
        }
        break;
    case CXCursor_InitListExpr:
        for (unsigned i = 0; i < n->count; i++) {
            check(n->child[i], "initialiser");
        }
        break;
    case CXCursor_ReturnStmt:
        if (n->count == 1 && !is_fresh(n->child[0], data)) {
            check(n->child[0], "return");
        }
        break;
    case CXCursor_CallExpr:
        check_call(n);
        break;
    default:
        break;
    }
    return true;
}

static void check_parameters(const struct func *f)
{
    /* A block's are its captures, which have been looked at where it is made. */
    for (unsigned i = 0; f->decl != NULL && i < f->params; i++) {
        CXType type = clang_getCursorType(f->param[i]->cursor);
        bool by_value = clang_getCanonicalType(type).kind == CXType_Record;
        const char *lock = by_value ? lock_in(type) : NULL;
        if (lock != NULL) {
            struct node at = {.cursor = f->param[i]->cursor};
            vet_report(rule, &at, "%s takes a lock by value: %s", f->name, described(type, lock));
        }
    }
}

void vet_copylocks(struct unit *u)
{
    for (unsigned i = 0; i < u->funcs; i++) {
        check_parameters(u->func[i]);
        vet_visit(u->func[i]->body, visit, u->func[i]);
    }
}
