/* SPDX-License-Identifier: MIT */
/* vet.h: the contracts between the files of gort-vet.
 *
 * A file is read by libclang behind prelude.h. tree.c makes nodes of the cursors, without what does
 * not matter here (parentheses, conversions, types); flow.c makes of a function's nodes a graph of
 * the points that control passes; walk.c follows the graph's paths for the rules that are about
 * paths. Each rule is one function, in the table of main.c, and calls vet_report().
 *
 * Nothing is freed: the process reads some files and ends. */
#ifndef VET_H
#define VET_H

#include <clang-c/Index.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow;

/* ---- memory and text (text.c) --------------------------------------------------------------- */

/* Zeros; ends the program when there is no memory. */
void *vet_new(size_t size);
/* Room for one more item in an array that doubles. */
void *vet_grow(void *items, size_t count, size_t size);
char *vet_format(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));
/* A copy; disposes of s. */
const char *vet_string(CXString s);
bool vet_starts(const char *s, const char *start);
/* One address for each text. */
const char *vet_intern(const char *s);

struct place {
    CXFile file;
    unsigned line, column, offset;
};
/* Where the user wrote it: the argument of a macro, or else the macro. */
struct place vet_place(CXSourceLocation at);
/* The unit that is being looked at, whose files vet_text() gives. */
void vet_text_from(CXTranslationUnit tu);
/* The text of one of its files, and its length. */
const char *vet_text(CXFile file, size_t *size);
/* The first character of the operator between two nodes' texts, 0 when a macro hides it; `twin` is
 * the one after it. */
char vet_operator(CXCursor left, CXCursor right, char *twin);

/* ---- declarations and nodes (tree.c) -------------------------------------------------------- */

/* A variable, parameter, field, function or enumerator. One object for each. */
struct decl {
    CXCursor cursor;
    const char *name;
    const char *api;            /* its name in Gort without go_, "wg_add"; NULL for others */
    bool local;                 /* automatic storage: dies with its block */
    bool tls;
    bool system;                /* declared in a system header */
    bool no_return;
    struct func *func;          /* defined in this unit */
    struct node *var;           /* the declaration of a local variable */
};

enum { OP_NONE = 0, OP_ASSIGN = '=', OP_EQUAL = 'E', OP_UNEQUAL = 'N', OP_COMPOUND = 'C',
       OP_ADDRESS = '&', OP_DEREF = '*', OP_NOT = '!', OP_STEP = '+', OP_COMMA = ',', OP_AND = 'A',
       OP_OR = 'O', OP_LESS = '<', OP_OTHER = '?' };

struct node {
    enum CXCursorKind kind;
    CXCursor cursor;
    struct node *parent;
    struct node **child;
    unsigned count;
    char op;                    /* of unary and binary operators: OP_... */
    struct decl *decl;          /* what it declares, names or calls */
    struct func *block;         /* of a block: its body */
};

/* A function of this unit with its body, or a block. */
struct func {
    const char *name;
    struct decl *decl;          /* NULL for a block */
    struct node *block;         /* the block's node in the function around it */
    struct decl **param;
    unsigned params;
    struct node *body;
    struct unit *unit;
    struct flow *flow;          /* made when first asked for */
    int parks, waits;           /* -1: not known yet; see names.c */
    bool counted;
};

/* One parsed file. */
struct unit {
    CXTranslationUnit tu;
    struct func **func;
    unsigned funcs;
};

void vet_unit(struct unit *u, CXTranslationUnit tu);
struct decl *vet_decl(CXCursor cursor);

/* All nodes below n and n itself, in the order of the source; not into blocks. The visitor returns
 * false to leave out what is below. */
typedef bool vet_visitor(struct node *n, void *data);
void vet_visit(struct node *n, vet_visitor *visit, void *data);

bool vet_within(const struct node *inner, const struct node *outer);
struct node *vet_ancestor(struct node *n, enum CXCursorKind kind);
CXType vet_type(const struct node *n);

/* The variable at the root of an lvalue or of an address: x of &x, &x.a[3], x (an array). NULL for
 * what is reached through a pointer. */
struct decl *vet_addressed(const struct node *n);
/* The variable that an expression is, without more around it. */
struct decl *vet_variable(const struct node *n);
/* A name for the object that a pointer expression leads to: the same text is the same object as
 * long as no variable in it changes. NULL when it cannot be named. *last gets the last field or
 * variable of it. */
const char *vet_object(const struct node *pointer, struct decl **last);
/* The same for a value. */
const char *vet_key(const struct node *value, struct decl **last);
/* Integer constants only; false when it is none. */
bool vet_constant(const struct node *n, long long *value);

/* ---- what the names mean (names.c) ---------------------------------------------------------- */

enum lock_op { LOCK_NONE, LOCK_TAKE, LOCK_TRY, LOCK_UNTIL, LOCK_GIVE };
struct lock_call {
    enum lock_op op;
    bool reader;
    bool thread;                /* a mutex of threads: pthread */
    struct node *object;        /* the argument */
};
/* False when the node is not a call that locks or unlocks. */
bool vet_lock_call(const struct node *n, struct lock_call *out);

/* The call by which a function of Gort is meant: its name without go_ or goi_vet_, or NULL. */
const char *vet_api(const struct node *n);
bool vet_api_is(const struct node *n, const char *name);
/* The n-th argument of a call, NULL when there are fewer. */
struct node *vet_argument(const struct node *call, unsigned n);

/* A start of a goroutine. */
struct spawn {
    struct node *marker;        /* the goi_vet_... call */
    struct node *call;          /* fn(args...), or NULL */
    struct node *block;         /* of go_do, or NULL */
    struct func *func;          /* what runs, when it is known */
    unsigned args;
};
/* n is a marker. */
bool vet_spawn(struct node *n, struct spawn *out);
struct node *vet_spawn_argument(const struct spawn *s, unsigned n);
/* The call is one that another goroutine, or the end of a block, will make. */
bool vet_is_later(const struct node *call);

/* Whether a call may park the goroutine; by the table, and by what functions of this unit call. */
bool vet_parks(const struct node *call);
/* Whether a call waits for something that other goroutines do. */
bool vet_waits(const struct node *call);
/* The same for any call, or waiting loop, below a statement. */
bool vet_waits_below(struct node *n);

/* ---- control flow (flow.c) ------------------------------------------------------------------ */

enum point_kind { POINT_JOIN, POINT_NODE, POINT_BRANCH, POINT_LOOP, POINT_UNGUARD, POINT_SCOPE_END,
                  POINT_EXIT };
struct point {
    enum point_kind kind;
    struct node *n;             /* SCOPE_END: the block; EXIT: the return statement, or NULL */
    bool deferred;
    unsigned *next;             /* of a branch: next[0] when true, next[1] when false */
    unsigned count;
};
struct flow {
    struct func *func;
    struct point *point;
    unsigned count;
    unsigned entry;
};
struct flow *vet_flow(struct func *f);

/* ---- paths (walk.c) ------------------------------------------------------------------------- */

enum { FACTS = 8, ITEMS = 6 };
struct item {
    const char *key;
    struct node *at;
    struct decl *unless;        /* holds only if this variable is ... */
    bool when;                  /* ... not zero */
};
struct state {
    struct { const char *key; struct decl *root; bool value; } fact[FACTS];
    struct item item[ITEMS];
    unsigned facts, items;
};
struct walk;
/* Called at every point of every path that can be taken; false ends the path. */
typedef bool vet_step(struct walk *w, const struct point *p, struct state *s);
/* Called for a branch that is taken, with the condition's expression and what it was. */
typedef bool vet_choice(struct walk *w, const struct node *value, bool is, struct state *s);
struct walk {
    struct flow *flow;
    vet_step *step;
    vet_choice *choice;
    void *data;
    bool done;                  /* set by a step: end the walk */
};
void vet_walk(struct walk *w, unsigned start);
/* From behind the point of a node. */
void vet_after(struct walk *w, const struct node *n);
/* The point of a node; false when it has none (it is never reached). */
bool vet_point_of(struct flow *f, const struct node *n, unsigned *at);

/* The expression that a condition is about: x of !x, x != 0, (x = f()) == NULL. *is is turned. */
const struct node *vet_asked(const struct node *n, bool *is);
bool vet_is_zero(const struct node *n, long long *value);
/* The variable that a node's evaluation changes, or may have changed from then on; or NULL. */
struct decl *vet_changed(const struct node *n);
/* No item twice by its key; no more than there is room for. */
void vet_item_add(struct state *s, struct item item);
void vet_item_drop(struct state *s, unsigned i);

/* The name of a key as a user knows it. */
const char *vet_shown(const char *key);

/* ---- what is locked on a path (locks.c) ------------------------------------------------------ */

/* Step and choice of a walk whose items are the locks held: mutexes of Gort, or those of threads.
 * An item whose `unless` is set is held if that variable is what it must be; one whose key begins
 * with ~ is not held, but unlocked for a while. */
void vet_locks_step(const struct point *p, struct state *s, bool thread);
void vet_locks_choice(const struct node *asked, bool is, struct state *s, bool thread);
/* The name of what a call locks or unlocks, for items; NULL when it has none. */
const char *vet_lock_key(const struct lock_call *c, struct decl **last);

/* ---- rules and reports (main.c) ------------------------------------------------------------- */

void vet_report(const char *rule, const struct node *at, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

typedef void vet_rule(struct unit *u);
vet_rule vet_copylocks, vet_waitgroup, vet_frames, vet_lostcancel, vet_unlock, vet_lostsend,
    vet_threadlocal, vet_lockpark;

#endif
