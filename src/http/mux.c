/* SPDX-License-Identifier: MIT */
/* mux.c: the table of routes.
 *
 * A tree: the hosts, below each the methods, below each the segments of paths. The search takes a
 * literal before {name} before {name...} at every segment and comes back when that leads nowhere.
 * By N1 (pattern.c) the first pattern found in this order is the most specific one that matches.
 * The search keeps the places it may come back to in an array, one per segment; the tree is no
 * deeper than patterns are long, so the array is never too small:
 *
 *   N2  The search is never deeper than GOI_SEGMENTS_MAX + 1. (match_path asserts it by its array;
 *       tests/unit/http/mux_test.c)
 *
 * The table is built before serving and only read then, so nothing is locked.
 */
#include "mux.h"

#include <stdlib.h>

struct edge {
    const char *key; /* the pattern's */
    size_t len;
    struct node *to;
};

struct node {
    const struct pattern *pattern; /* of a leaf */
    go_http_handler *handler;
    void *arg;
    struct edge *edge; /* sorted by length, then bytes */
    int edges;
    struct node *wild;  /* {name}; any host; any method */
    struct node *multi; /* {name...} */
};

struct route_entry {
    struct route_entry *next;
    struct pattern *pattern;
    void *arg;
    void (*release)(void *arg);
};

struct go_http_mux {
    struct node root;
    struct route_entry *routes;
    struct text error;
    go_mutex mu;        /* guards refs */
    int refs;
};

go_http_mux *go_http_mux_make(void)
{
    go_http_mux *mux = calloc(1, sizeof *mux);
    if (mux != NULL) {
        mux->refs = 1;
    }
    return mux;
}

go_http_mux *goi_mux_ref(go_http_mux *mux)
{
    go_mutex_lock(&mux->mu);
    mux->refs++;
    go_mutex_unlock(&mux->mu);
    return mux;
}

/* Frees what hangs below a node, from a list instead of by recursion: `multi` links what is left to
 * do, once its own child is on the list. */
static void free_below(struct node *root)
{
    struct node *todo = NULL;
    struct node *n = root;
    while (n != NULL) {
        struct node *multi = n->multi;
        for (int i = -1; i < n->edges; i++) {
            struct node *child = i < 0 ? n->wild : n->edge[i].to;
            if (child != NULL) {
                /* A leaf by {name...} has no children; it is freed at once. */
                free(child->multi);
                child->multi = todo;
                todo = child;
            }
        }
        if (n == root) {
            free(multi);
        }
        free(n->edge);
        if (n != root) {
            free(n);
        }
        n = todo;
        if (n != NULL) {
            todo = n->multi;
            n->multi = NULL;
        }
    }
}

void go_http_mux_free(go_http_mux *mux)
{
    if (mux == NULL) {
        return;
    }
    go_mutex_lock(&mux->mu);
    int refs = --mux->refs;
    go_mutex_unlock(&mux->mu);
    if (refs > 0) {
        return;
    }
    while (mux->routes != NULL) {
        struct route_entry *e = mux->routes;
        mux->routes = e->next;
        if (e->release != NULL) {
            e->release(e->arg);
        }
        goi_pattern_free(e->pattern);
        free(e);
    }
    free_below(&mux->root);
    goi_text_free(&mux->error);
    free(mux);
}

const char *go_http_mux_error(const go_http_mux *mux)
{
    return mux->error.len > 0 ? mux->error.data : NULL;
}

/* ---- registering ---------------------------------------------------------------------------- */

static int compare_keys(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len != b_len ? (a_len < b_len ? -1 : 1) : memcmp(a, b, a_len);
}

/* The index of the key, or where it would stand, in *at. */
static bool edge_find(const struct node *n, const char *key, size_t len, int *at)
{
    int lo = 0;
    int hi = n->edges;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        int c = compare_keys(n->edge[mid].key, n->edge[mid].len, key, len);
        if (c == 0) {
            *at = mid;
            return true;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    *at = lo;
    return false;
}

static struct node *edge_get(const struct node *n, const char *key, size_t len)
{
    int at;
    return edge_find(n, key, len, &at) ? n->edge[at].to : NULL;
}

static struct node *node_at(struct node **place)
{
    if (*place == NULL) {
        *place = calloc(1, sizeof **place);
    }
    return *place;
}

/* The child for a key, made when it is not there; NULL when out of memory. */
static struct node *child(struct node *n, const char *key)
{
    int at;
    size_t len = strlen(key);
    if (edge_find(n, key, len, &at)) {
        return n->edge[at].to;
    }
    struct edge *grown = realloc(n->edge, (size_t)(n->edges + 1) * sizeof *grown);
    if (grown == NULL) {
        return NULL;
    }
    n->edge = grown;
    struct node *to = calloc(1, sizeof *to);
    if (to == NULL) {
        return NULL;
    }
    memmove(grown + at + 1, grown + at, (size_t)(n->edges - at) * sizeof *grown);
    grown[at] = (struct edge){ key, len, to };
    n->edges++;
    return to;
}

static int insert(go_http_mux *mux, const struct pattern *p, go_http_handler *handler, void *arg)
{
    struct node *n = &mux->root;
    n = p->host[0] != '\0' ? child(n, p->host) : node_at(&n->wild);
    if (n != NULL) {
        n = p->method[0] != '\0' ? child(n, p->method) : node_at(&n->wild);
    }
    for (int i = 0; i < p->count && n != NULL; i++) {
        const struct segment *s = &p->segment[i];
        n = s->multi ? node_at(&n->multi) : s->wild ? node_at(&n->wild) : child(n, s->s);
    }
    if (n == NULL) {
        return -ENOMEM; /* what has been made of the branch leads to no leaf */
    }
    n->pattern = p;
    n->handler = handler;
    n->arg = arg;
    return 0;
}

/* The first error stays: what comes after may follow from it. */
static int fail(go_http_mux *mux, int err, struct text *why)
{
    if (mux->error.len == 0 && why->len > 0) {
        mux->error = *why;
        *why = (struct text){ 0 };
    }
    goi_text_free(why);
    return err;
}

static int check(go_http_mux *mux, const char *pattern, go_http_handler *handler, const char *site,
                 struct pattern **out)
{
    struct text why = { 0 };
    if (handler == NULL) {
        goi_text_str(&why, "http: nil handler");
        return fail(mux, -EINVAL, &why);
    }
    struct text detail = { 0 };
    struct pattern *p = goi_pattern_parse(pattern, site, &detail);
    if (p == NULL) {
        int err = detail.len > 0 ? -EINVAL : -ENOMEM;
        if (*pattern == '\0') {
            goi_text_str(&why, "http: invalid pattern");
        } else {
            goi_text_str(&why, "parsing ");
            goi_text_quote(&why, pattern, strlen(pattern));
            goi_text_printf(&why, ": %s", detail.len > 0 ? detail.data : "out of memory");
        }
        goi_text_free(&detail);
        return fail(mux, err, &why);
    }
    for (const struct route_entry *e = mux->routes; e != NULL; e = e->next) {
        if (goi_pattern_conflict(p, e->pattern)) {
            goi_text_str(&why, "pattern ");
            goi_text_quote(&why, p->str, strlen(p->str));
            goi_text_printf(&why, " (registered at %s) conflicts with pattern ", p->site);
            goi_text_quote(&why, e->pattern->str, strlen(e->pattern->str));
            goi_text_printf(&why, " (registered at %s):\n", e->pattern->site);
            goi_pattern_describe(p, e->pattern, &why);
            goi_pattern_free(p);
            return fail(mux, -EEXIST, &why);
        }
    }
    *out = p;
    return 0;
}

int goi_mux_handle(go_http_mux *mux, const char *pattern, go_http_handler *handler, void *arg,
                   void (*release)(void *arg), const char *site)
{
    struct pattern *p = NULL;
    int r = check(mux, pattern, handler, site, &p);
    struct route_entry *e = r == 0 ? calloc(1, sizeof *e) : NULL;
    if (r == 0 && e == NULL) {
        r = -ENOMEM;
    }
    if (r == 0) {
        r = insert(mux, p, handler, arg);
        /* Also after a failure: parts of the tree have their names from the pattern. */
        *e = (struct route_entry){ mux->routes, p, arg, r == 0 ? release : NULL };
        mux->routes = e;
        p = NULL;
    }
    goi_pattern_free(p);
    if (r == -ENOMEM) {
        struct text why = { 0 };
        goi_text_str(&why, "out of memory");
        fail(mux, r, &why);
    }
    if (r != 0 && release != NULL) {
        release(arg);
    }
    return r;
}

int goi_http_handle(go_http_mux *mux, const char *pattern, go_http_handler *handler, void *arg,
                    const char *site)
{
    return goi_mux_handle(mux, pattern, handler, arg, NULL, site);
}

/* ---- searching ------------------------------------------------------------------------------ */

/* The child for a segment as it stands in the path; escapes are undone for the comparison. */
static const struct node *literal(const struct node *n, const char *s, uint32_t len, char *decoded)
{
    if (n->edges == 0) {
        return NULL;
    }
    if (memchr(s, '%', len) == NULL) {
        return edge_get(n, s, len);
    }
    return edge_get(n, decoded, goi_percent_decode(decoded, s, len, false));
}

static const struct node *found(struct match *m, const struct node *n, int values)
{
    m->pattern = n->pattern;
    m->handler = n->handler;
    m->arg = n->arg;
    m->values = values;
    return n;
}

static const struct node *match_path(const struct node *root, struct match *m, const char *path,
                                     uint32_t n, char *decoded)
{
    if (root == NULL) {
        return NULL;
    }
    struct choice *c = &m->choice[0];
    *c = (struct choice){ .node = root };
    for (;;) {
        const struct node *at = c->node;
        if (c->at == n && at->pattern != NULL) {
            return found(m, at, c->values);
        }
        uint32_t begin = c->at + 1;
        uint8_t stage = c->at < n ? c->stage++ : 3;
        bool slash = begin == n; /* what is left is the slash at the end */
        const char *next = stage > 1 || slash ? NULL : memchr(path + begin, '/', n - begin);
        uint32_t end = next != NULL ? (uint32_t)(next - path) : n;
        const struct node *to = NULL;
        if (stage == 0) {
            to = slash ? edge_get(at, "/", 1) : literal(at, path + begin, end - begin, decoded);
        } else if (stage == 1 && !slash) {
            to = at->wild;
        } else if (stage == 2 && at->multi != NULL) {
            m->value[c->values].s = path + begin;
            m->value[c->values].n = n - begin;
            /* The wildcard of a trailing slash has no name and keeps no value. */
            const struct pattern *p = at->multi->pattern;
            bool named = p->segment[p->count - 1].s[0] != '\0';
            return found(m, at->multi, c->values + named);
        }
        if (to != NULL) {
            c[1] = (struct choice){ .node = to, .at = slash ? n : end, .values = c->values };
            if (stage == 1) {
                m->value[c->values].s = path + begin;
                m->value[c->values].n = end - begin;
                c[1].values++;
            }
            c++;
        } else if (stage >= 2) {
            if (c == m->choice) {
                return NULL;
            }
            c--;
        }
    }
}

static const struct node *match_method(const struct node *n, struct match *m, const char *method,
                                       const char *path, uint32_t len, char *decoded)
{
    if (n == NULL) {
        return NULL;
    }
    const struct node *leaf = match_path(edge_get(n, method, strlen(method)), m, path, len,
                                         decoded);
    if (leaf == NULL && strcmp(method, "HEAD") == 0) {
        leaf = match_path(edge_get(n, "GET", 3), m, path, len, decoded);
    }
    return leaf != NULL ? leaf : match_path(n->wild, m, path, len, decoded);
}

struct search {
    const go_http_mux *mux;
    const struct node *host; /* of the host asked for; NULL: no pattern has it */
    const char *method;
    char *decoded; /* as long as the path */
    struct match *m;
};

static const struct node *match(const struct search *s, const char *path, uint32_t n)
{
    const struct node *leaf = match_method(s->host, s->m, s->method, path, n, s->decoded);
    return leaf != NULL ? leaf : match_method(s->mux->root.wild, s->m, s->method, path, n,
                                              s->decoded);
}

/* Inexact is where a multi wildcard stands for something. */
static bool is_exact(const struct node *leaf, const char *path, uint32_t n)
{
    if (leaf == NULL) {
        return false;
    }
    const struct pattern *p = leaf->pattern;
    if (!p->segment[p->count - 1].multi) {
        return true;
    }
    if (n > 0 && path[n - 1] != '/') {
        return false;
    }
    int slashes = 0;
    for (uint32_t i = 0; i < n; i++) {
        slashes += path[i] == '/';
    }
    return p->count == slashes;
}

/* Adds the methods below a host that match the path, sorted and each once. */
static void add_methods(const struct search *s, const struct node *host, const char *path,
                        uint32_t n, const char *set[], int *count)
{
    for (int i = 0; host != NULL && i < host->edges; i++) {
        if (match_path(host->edge[i].to, s->m, path, n, s->decoded) == NULL) {
            continue;
        }
        const char *method = host->edge[i].key;
        for (int head = 0; head <= (strcmp(method, "GET") == 0); head++) {
            const char *name = head ? "HEAD" : method;
            int at = 0;
            while (at < *count && strcmp(set[at], name) < 0) {
                at++;
            }
            bool there = at < *count && strcmp(set[at], name) == 0;
            if (!there && *count < 32) {
                memmove(set + at + 1, set + at, (size_t)(*count - at) * sizeof *set);
                set[at] = name;
                ++*count;
            }
        }
    }
}

/* What other methods would be answered, for Allow. Not matched itself: wildcards match all. */
static enum route other_methods(const struct search *s, struct text *path, struct text *out)
{
    const char *set[32];
    int count = 0;
    uint32_t n = (uint32_t)path->len;
    add_methods(s, s->host, path->data, n, set, &count);
    add_methods(s, s->mux->root.wild, path->data, n, set, &count);
    if (path->data[n - 1] != '/') {
        goi_text_char(path, '/');
        add_methods(s, s->host, path->data, n + 1, set, &count);
        add_methods(s, s->mux->root.wild, path->data, n + 1, set, &count);
    }
    for (int i = 0; i < count; i++) {
        goi_text_printf(out, i > 0 ? ", %s" : "%s", set[i]);
    }
    s->m->pattern = NULL;
    return count > 0 ? ROUTE_NOT_ALLOWED : ROUTE_NOT_FOUND;
}

/* Everything but the plain hit: another path than the one asked for, or nothing. */
static enum route route_slow(const struct search *s, const char *path, uint32_t n,
                             const struct node *leaf, bool unclean, struct text *out)
{
    bool connect = strcmp(s->method, "CONNECT") == 0;
    struct text clean = { 0 };
    if (connect || !unclean) {
        goi_text_add(&clean, path, n);
    } else {
        goi_path_clean(path, n, &clean);
    }
    enum route r = ROUTE_NO_MEMORY;
    if (clean.failed || !goi_text_room(&clean, 1)) {
        goto done;
    }
    bool changed = clean.len != n || memcmp(clean.data, path, n) != 0;
    if (changed) {
        leaf = match(s, clean.data, (uint32_t)clean.len);
    }
    if (!is_exact(leaf, clean.data, (uint32_t)clean.len) && clean.data[clean.len - 1] != '/') {
        goi_text_char(&clean, '/');
        const struct node *slashed = match(s, clean.data, (uint32_t)clean.len);
        if (is_exact(slashed, clean.data, (uint32_t)clean.len)) {
            goi_text_add(out, clean.data, clean.len);
            r = ROUTE_REDIRECT;
            goto done;
        }
        clean.data[--clean.len] = '\0';
    }
    if (changed) {
        goi_text_add(out, clean.data, clean.len);
        r = ROUTE_REDIRECT;
    } else if (leaf == NULL) {
        r = other_methods(s, &clean, out);
    } else {
        /* The search for the path with a slash has used the space. */
        match(s, path, n);
        r = ROUTE_FOUND;
    }
done:
    if (clean.failed || out->failed) {
        r = ROUTE_NO_MEMORY;
    }
    goi_text_free(&clean);
    return r;
}

static const struct node *host_node(const go_http_mux *mux, const char *host)
{
    if (mux->root.edges == 0) {
        return NULL;
    }
    /* Without the port; a v6 address has its colons in brackets. */
    const char *close = strrchr(host, ']');
    const char *colon = strrchr(close != NULL ? close : host, ':');
    size_t n = colon != NULL ? (size_t)(colon - host) : strlen(host);
    for (int i = 0; i < mux->root.edges; i++) {
        const struct edge *e = &mux->root.edge[i];
        if (e->len == n && goi_same_word(e->key, host, n)) {
            return e->to;
        }
    }
    return NULL;
}

enum route goi_mux_route(const go_http_mux *mux, const char *host, const char *method,
                         const char *path, uint32_t n, bool unclean, struct match *m,
                         struct text *text)
{
    m->pattern = NULL;
    m->values = 0;
    struct search s = { mux, host_node(mux, host), method, NULL, m };
    if (memchr(path, '%', n) != NULL || unclean) {
        s.decoded = malloc(n + 2);
        if (s.decoded == NULL) {
            return ROUTE_NO_MEMORY;
        }
    }
    const struct node *leaf = unclean ? NULL : match(&s, path, n);
    enum route r = ROUTE_FOUND;
    if (leaf == NULL || (leaf->pattern->segment[leaf->pattern->count - 1].multi &&
                         path[n - 1] != '/')) {
        if (unclean) {
            leaf = match(&s, path, n);
        }
        r = route_slow(&s, path, n, leaf, unclean, text);
    }
    free(s.decoded);
    return r;
}
