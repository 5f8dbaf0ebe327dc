/* SPDX-License-Identifier: MIT */
/* tree.c: nodes and declarations out of libclang's cursors.
 *
 * Left out: parentheses and conversions (their operand stands for them), what is not evaluated
 * (sizeof, typeof, the type of a cast), static assertions, declarations of types. A block's body is
 * not below its node: it is a function of its own. */
#include "vet.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- declarations --------------------------------------------------------------------------- */

enum { BUCKETS = 4096 };
struct entry {
    struct decl decl;
    struct entry *next;
};
static struct entry *table[BUCKETS];

static bool is_gort_file(CXFile file)
{
    const char *name = vet_string(clang_getFileName(file));
    return strstr(name, "/gort/") != NULL || strstr(name, "gort-vet-prelude.h") != NULL;
}

static const char *api_name(const struct decl *d)
{
    struct place p = vet_place(clang_getCursorLocation(d->cursor));
    if (p.file == NULL || !is_gort_file(p.file)) {
        return NULL;
    }
    return vet_starts(d->name, "go_")    ? d->name + 3
           : vet_starts(d->name, "goi_") ? d->name + 4
                                         : d->name;
}

/* Attributes that libclang does not name stand in the source, or in the type. */
static bool says_no_return(CXCursor c)
{
    const char *type = vet_string(clang_getTypeSpelling(clang_getCursorType(c)));
    if (strstr(type, "noreturn") != NULL) {
        return true;
    }
    CXSourceRange all = clang_getCursorExtent(c);
    struct place from = vet_place(clang_getRangeStart(all));
    struct place to = vet_place(clang_getCursorLocation(c));
    size_t size;
    const char *text = vet_text(from.file, &size);
    for (unsigned i = from.offset; text != NULL && i + 8 <= to.offset && i + 8 <= size; i++) {
        if (strncasecmp(text + i, "noreturn", 8) == 0) {
            return true;
        }
    }
    static const char *const known[] = {"exit",  "_exit",        "_Exit",   "abort", "quick_exit",
                                        "longjmp", "siglongjmp", "pthread_exit", "err", "errx",
                                        "__builtin_unreachable", "__builtin_trap", "__assert_fail"};
    const char *name = vet_string(clang_getCursorSpelling(c));
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void describe(struct decl *d)
{
    d->name = vet_string(clang_getCursorSpelling(d->cursor));
    enum CXCursorKind kind = clang_getCursorKind(d->cursor);
    d->system = clang_Location_isInSystemHeader(clang_getCursorLocation(d->cursor)) != 0;
    if (kind == CXCursor_FunctionDecl) {
        d->api = api_name(d);
        d->no_return = says_no_return(d->cursor);
    } else if (kind == CXCursor_VarDecl || kind == CXCursor_ParmDecl) {
        enum CX_StorageClass storage = clang_Cursor_getStorageClass(d->cursor);
        enum CXCursorKind in = clang_getCursorKind(clang_getCursorSemanticParent(d->cursor));
        d->tls = clang_getCursorTLSKind(d->cursor) != CXTLS_None;
        d->local = in != CXCursor_TranslationUnit && storage != CX_SC_Static &&
                   storage != CX_SC_Extern && !d->tls;
    }
}

struct decl *vet_decl(CXCursor cursor)
{
    CXCursor c = clang_getCanonicalCursor(cursor);
    if (clang_Cursor_isNull(c)) {
        return NULL;
    }
    struct entry **at = &table[clang_hashCursor(c) % BUCKETS];
    for (; *at != NULL; at = &(*at)->next) {
        if (clang_equalCursors((*at)->decl.cursor, c)) {
            return &(*at)->decl;
        }
    }
    *at = vet_new(sizeof **at);
    (*at)->decl.cursor = c;
    describe(&(*at)->decl);
    return &(*at)->decl;
}

/* ---- operators ------------------------------------------------------------------------------ */

CXType vet_type(const struct node *n)
{
    return clang_getCanonicalType(clang_getCursorType(n->cursor));
}

static bool same(CXType a, CXType b)
{
    return clang_equalTypes(clang_getCanonicalType(a), clang_getCanonicalType(b)) != 0;
}

static char unary(CXCursor c, const struct node *operand)
{
    CXType type = clang_getCanonicalType(clang_getCursorType(c));
    CXType of = vet_type(operand);
    struct place p = vet_place(clang_getRangeStart(clang_getCursorExtent(c)));
    size_t size;
    const char *text = vet_text(p.file, &size);
    char first = text != NULL && p.offset < size ? text[p.offset] : 0;
    char second = text != NULL && p.offset + 1 < size ? text[p.offset + 1] : 0;
    bool step = (first == '+' || first == '-') && second == first;
    if (step || (first != '*' && first != '&' && first != '!' && first != '-' && first != '~' &&
                 first != '+' && same(type, of))) {
        /* A postfix operator begins with its operand; so does what a macro hides. */
        return OP_STEP;
    }
    if (type.kind == CXType_Pointer && same(clang_getPointeeType(type), of)) {
        return OP_ADDRESS;
    }
    if ((of.kind == CXType_Pointer && same(clang_getPointeeType(of), type)) ||
        (clang_getArrayElementType(of).kind != CXType_Invalid &&
         same(clang_getArrayElementType(of), type))) {
        return OP_DEREF;
    }
    return first == '!' ? OP_NOT : OP_OTHER;
}

static char binary(CXCursor c, const struct node *left, const struct node *right, CXCursor raw_left,
                   CXCursor raw_right)
{
    char twin;
    switch (vet_operator(raw_left, raw_right, &twin)) {
    case '=':
        return twin == '=' ? OP_EQUAL : OP_ASSIGN;
    case '!':
        return OP_UNEQUAL;
    case ',':
        return OP_COMMA;
    case '&':
        return twin == '&' ? OP_AND : OP_OTHER;
    case '|':
        return twin == '|' ? OP_OR : OP_OTHER;
    case '<':
        return twin == '<' || twin == '=' ? OP_OTHER : OP_LESS;
    case 0:
        break;
    default:
        return OP_OTHER;
    }
    /* Hidden by a macro. */
    CXType type = clang_getCanonicalType(clang_getCursorType(c));
    CXType from = vet_type(left);
    if (clang_getCursorType(raw_left).kind == CXType_Void) {
        return OP_COMMA;
    }
    bool object = type.kind == CXType_Pointer || type.kind == CXType_Record;
    bool place = left->kind == CXCursor_DeclRefExpr || left->kind == CXCursor_MemberRefExpr ||
                 left->op == OP_DEREF || left->kind == CXCursor_ArraySubscriptExpr;
    return object && place && same(type, from) && vet_type(right).kind == type.kind ? OP_ASSIGN
                                                                                    : OP_OTHER;
}

/* ---- nodes ---------------------------------------------------------------------------------- */

struct cursors {
    CXCursor *item;
    unsigned count;
};

static enum CXChildVisitResult collect(CXCursor c, CXCursor parent, CXClientData data)
{
    (void)parent;
    struct cursors *all = data;
    enum CXCursorKind kind = clang_getCursorKind(c);
    if (clang_isExpression(kind) || clang_isStatement(kind) || kind == CXCursor_VarDecl) {
        all->item = vet_grow(all->item, all->count, sizeof *all->item);
        all->item[all->count++] = c;
    }
    return CXChildVisit_Continue;
}

static struct cursors children(CXCursor c)
{
    struct cursors all = {0};
    clang_visitChildren(c, collect, &all);
    return all;
}

static struct unit *unit;

static struct node *build(CXCursor c, struct node *parent);
static struct func *build_block(CXCursor c, struct node *at);

static void adopt(struct node *n, CXCursor c)
{
    struct node *child = build(c, n);
    if (child != NULL) {
        n->child = vet_grow(n->child, n->count, sizeof *n->child);
        n->child[n->count++] = child;
    }
}

static void build_variable(struct node *n)
{
    n->decl = vet_decl(n->cursor);
    n->decl->var = n;
    CXCursor init = clang_Cursor_getVarDeclInitializer(n->cursor);
    if (!clang_Cursor_isNull(init)) {
        adopt(n, init);
    }
}

static void build_operator(struct node *n, const struct cursors *all)
{
    for (unsigned i = 0; i < all->count; i++) {
        adopt(n, all->item[i]);
    }
    if (n->kind == CXCursor_UnaryOperator && n->count == 1) {
        n->op = unary(n->cursor, n->child[0]);
    } else if (n->kind == CXCursor_BinaryOperator && n->count == 2) {
        n->op = binary(n->cursor, n->child[0], n->child[1], all->item[0], all->item[1]);
    } else if (n->kind == CXCursor_CompoundAssignOperator) {
        n->op = OP_COMPOUND;
    }
}

/* __extension__ is an operator for clang. */
static bool is_extension(CXCursor c, const struct cursors *all)
{
    if (clang_getCursorKind(c) != CXCursor_UnaryOperator || all->count != 1) {
        return false;
    }
    enum CXCursorKind of = clang_getCursorKind(all->item[0]);
    return of == CXCursor_StmtExpr || of == CXCursor_CStyleCastExpr;
}

/* What stands for another expression: its operand is the last, after what its type has. In a list
 * also a designated value, which comes after the indices. */
static bool is_wrapper(CXCursor c, const struct cursors *all, bool in_list)
{
    enum CXCursorKind kind = clang_getCursorKind(c);
    return (kind == CXCursor_UnexposedExpr && (all->count == 1 || in_list)) ||
           kind == CXCursor_ParenExpr ||
           kind == CXCursor_CStyleCastExpr || is_extension(c, all);
}

/* Of what the macros put in front of a value, a static assertion or (void)0, the value is left. */
static struct node *without_checks(struct node *n)
{
    if (n->op != OP_COMMA || n->count != 2) {
        return n;
    }
    const struct node *left = n->child[0];
    const struct node *block = left->kind == CXCursor_StmtExpr && left->count == 1 ? left->child[0]
                                                                                   : NULL;
    bool check = block != NULL && block->count == 2 &&
                 block->child[0]->kind == CXCursor_DeclStmt && block->child[0]->count == 0;
    if (!check && left->kind != CXCursor_IntegerLiteral) {
        return n;
    }
    n->child[1]->parent = n->parent;
    return n->child[1];
}

static struct node *build(CXCursor c, struct node *parent)
{
    enum CXCursorKind kind = clang_getCursorKind(c);
    struct cursors all = {0};
    if (kind != CXCursor_UnaryExpr && kind != CXCursor_VarDecl && kind != CXCursor_BlockExpr) {
        all = children(c);
    }
    bool in_list = parent != NULL && parent->kind == CXCursor_InitListExpr;
    if (is_wrapper(c, &all, in_list) && all.count > 0) {
        struct node *inner = build(all.item[all.count - 1], parent);
        free(all.item);
        return inner;
    }
    struct node *n = vet_new(sizeof *n);
    n->kind = kind;
    n->cursor = c;
    n->parent = parent;
    switch ((int)kind) {
    case CXCursor_VarDecl:
        build_variable(n);
        break;
    case CXCursor_BlockExpr:
        n->block = build_block(c, n);
        break;
    case CXCursor_CallExpr:
        build_operator(n, &all);
        n->decl = n->count > 0 ? n->child[0]->decl : NULL;
        break;
    case CXCursor_DeclRefExpr:
    case CXCursor_MemberRefExpr:
        n->decl = vet_decl(clang_getCursorReferenced(c));
        build_operator(n, &all);
        break;
    case CXCursor_CompoundLiteralExpr:
        if (all.count > 0) {
            adopt(n, all.item[all.count - 1]);
        }
        break;
    default:
        build_operator(n, &all);
        break;
    }
    free(all.item);
    return without_checks(n);
}

/* ---- functions ------------------------------------------------------------------------------ */

struct parts {
    struct func *func;
    CXCursor body;
};

static enum CXChildVisitResult collect_parts(CXCursor c, CXCursor parent, CXClientData data)
{
    (void)parent;
    struct parts *p = data;
    struct func *f = p->func;
    if (clang_getCursorKind(c) == CXCursor_ParmDecl) {
        f->param = vet_grow(f->param, f->params, sizeof *f->param);
        f->param[f->params++] = vet_decl(c);
    } else if (clang_getCursorKind(c) == CXCursor_CompoundStmt) {
        p->body = c;
    }
    /* A block has a declaration of no kind of its own, and that has the parts. */
    return clang_getCursorKind(c) == CXCursor_UnexposedDecl ? CXChildVisit_Recurse
                                                            : CXChildVisit_Continue;
}

static struct func *add_function(CXCursor c, struct node *block)
{
    struct func *f = vet_new(sizeof *f);
    struct parts p = {f, clang_getNullCursor()};
    clang_visitChildren(c, collect_parts, &p);
    f->unit = unit;
    f->block = block;
    f->parks = f->waits = -1;
    f->name = block != NULL ? "go_do" : vet_string(clang_getCursorSpelling(c));
    if (!clang_Cursor_isNull(p.body)) {
        unit->func = vet_grow(unit->func, unit->funcs, sizeof *unit->func);
        unit->func[unit->funcs++] = f;
        f->body = build(p.body, NULL);
    }
    return f;
}

static struct func *build_block(CXCursor c, struct node *at)
{
    return add_function(c, at);
}

static enum CXChildVisitResult top_level(CXCursor c, CXCursor parent, CXClientData data)
{
    (void)parent;
    (void)data;
    if (clang_getCursorKind(c) == CXCursor_FunctionDecl && clang_isCursorDefinition(c)) {
        struct place p = vet_place(clang_getCursorLocation(c));
        if (p.file != NULL && !is_gort_file(p.file) &&
            !clang_Location_isInSystemHeader(clang_getCursorLocation(c))) {
            struct decl *d = vet_decl(c);
            struct func *f = add_function(c, NULL);
            f->decl = d;
            d->func = f;
        }
    }
    return CXChildVisit_Continue;
}

void vet_unit(struct unit *u, CXTranslationUnit tu)
{
    memset(table, 0, sizeof table);
    memset(u, 0, sizeof *u);
    u->tu = tu;
    unit = u;
    vet_text_from(tu);
    clang_visitChildren(clang_getTranslationUnitCursor(tu), top_level, NULL);
}

/* ---- questions ------------------------------------------------------------------------------ */

void vet_visit(struct node *n, vet_visitor *visit, void *data)
{
    if (visit(n, data)) {
        for (unsigned i = 0; i < n->count; i++) {
            vet_visit(n->child[i], visit, data);
        }
    }
}

bool vet_within(const struct node *inner, const struct node *outer)
{
    for (; inner != NULL; inner = inner->parent) {
        if (inner == outer) {
            return true;
        }
    }
    return false;
}

struct node *vet_ancestor(struct node *n, enum CXCursorKind kind)
{
    while (n != NULL && n->kind != kind) {
        n = n->parent;
    }
    return n;
}

/* The last operand of commas. */
static const struct node *value_of(const struct node *n)
{
    while (n != NULL && n->kind == CXCursor_BinaryOperator && n->op == OP_COMMA) {
        n = n->child[1];
    }
    return n;
}

struct decl *vet_variable(const struct node *n)
{
    n = value_of(n);
    if (n == NULL || n->kind != CXCursor_DeclRefExpr || n->decl == NULL) {
        return NULL;
    }
    enum CXCursorKind kind = clang_getCursorKind(n->decl->cursor);
    return kind == CXCursor_VarDecl || kind == CXCursor_ParmDecl ? n->decl : NULL;
}

static bool is_array(const struct node *n)
{
    return clang_getArrayElementType(vet_type(n)).kind != CXType_Invalid;
}

static bool is_pointer(const struct node *n)
{
    return vet_type(n).kind == CXType_Pointer;
}

/* The variable that an lvalue is a part of. */
static struct decl *part_of(const struct node *n)
{
    for (;;) {
        n = value_of(n);
        if (n->kind == CXCursor_DeclRefExpr) {
            return vet_variable(n);
        }
        bool through = n->count > 0 && !is_pointer(n->child[0]);
        if ((n->kind == CXCursor_MemberRefExpr || n->kind == CXCursor_ArraySubscriptExpr) &&
            through) {
            n = n->child[0];
        } else {
            return NULL;
        }
    }
}

struct decl *vet_addressed(const struct node *n)
{
    n = value_of(n);
    if (n == NULL) {
        return NULL;
    }
    if (n->op == OP_ADDRESS && n->kind == CXCursor_UnaryOperator) {
        return part_of(n->child[0]);
    }
    if (n->kind == CXCursor_BinaryOperator && n->op == OP_OTHER && n->count == 2 &&
        is_array(n->child[0])) {
        return part_of(n->child[0]); /* array + i */
    }
    return is_array(n) ? part_of(n) : NULL;
}

bool vet_constant(const struct node *n, long long *value)
{
    n = value_of(n);
    CXEvalResult r = clang_Cursor_Evaluate(n->cursor);
    if (r == NULL) {
        return false;
    }
    bool is = clang_EvalResult_getKind(r) == CXEval_Int;
    *value = is ? clang_EvalResult_getAsLongLong(r) : 0;
    clang_EvalResult_dispose(r);
    return is;
}

const char *vet_key(const struct node *n, struct decl **last)
{
    n = value_of(n);
    if (n == NULL) {
        return NULL;
    }
    const char *base;
    struct decl *unused;
    long long index;
    switch ((int)n->kind) {
    case CXCursor_DeclRefExpr:
        *last = n->decl;
        return n->decl != NULL ? vet_format("%s@%p", n->decl->name, (void *)n->decl) : NULL;
    case CXCursor_MemberRefExpr:
        if (n->count == 0 || n->decl == NULL) {
            return NULL;
        }
        base = is_pointer(n->child[0]) ? vet_object(n->child[0], &unused)
                                       : vet_key(n->child[0], &unused);
        *last = n->decl;
        return base != NULL ? vet_format("%s.%s", base, n->decl->name) : NULL;
    case CXCursor_ArraySubscriptExpr:
        base = n->count == 2 ? vet_key(n->child[0], last) : NULL;
        if (base == NULL || !vet_constant(n->child[1], &index)) {
            return NULL;
        }
        return vet_format("%s[%lld]", base, index);
    case CXCursor_UnaryOperator:
        if (n->op == OP_DEREF) {
            return vet_object(n->child[0], last);
        }
        base = n->op == OP_ADDRESS ? vet_key(n->child[0], last) : NULL;
        return base != NULL ? vet_format("&%s", base) : NULL;
    default:
        return NULL;
    }
}

const char *vet_object(const struct node *n, struct decl **last)
{
    n = value_of(n);
    if (n != NULL && n->kind == CXCursor_UnaryOperator && n->op == OP_ADDRESS) {
        return vet_key(n->child[0], last);
    }
    const char *key = vet_key(n, last);
    return key != NULL ? vet_format("*%s", key) : NULL;
}

/* x@0x12.mu -> x.mu, *s@0x12.mu -> s->mu */
const char *vet_shown(const char *key)
{
    char *out = vet_new(2 * strlen(key) + 1);
    char *to = out;
    bool pointer = key[0] == '*';
    for (const char *at = pointer ? key + 1 : key; *at != '\0'; at++) {
        if (*at == '@') {
            at += strcspn(at, ".[");
            if (*at == '\0') {
                break;
            }
            if (pointer && *at == '.') {
                *to++ = '-';
                *to++ = '>';
                pointer = false;
                continue;
            }
        }
        *to++ = *at;
    }
    return pointer ? vet_format("*%s", out) : out;
}
