/* SPDX-License-Identifier: MIT */
/* pattern.c: the patterns of routes: parsing, comparing, explaining.
 *
 * The rules and the words are those of Go 1.22's net/http (ServeMux). A pattern is a method, a host
 * and a list of segments; one relates to another by the requests that match it. Of two patterns the
 * more specific one wins; two that overlap without one being more specific are refused when they
 * are registered, so that no request ever has two winners:
 *
 *   N1  The patterns of one table are pairwise disjoint, or one is more specific. (goi_http_handle)
 *
 * Relations of parts combine: a pattern with the more specific method and the more general path
 * overlaps. A trailing slash matches what {name...} matches, and {$} is a literal that no wildcard
 * matches.
 */
#include "pattern.h"

#include <stdlib.h>

/* ---- parsing -------------------------------------------------------------------------------- */

struct parse {
    const char *whole;
    const char *rest;   /* not parsed yet */
    char *word;         /* where the next copy goes */
    size_t offset;      /* for messages */
    struct pattern *p;
    struct text *error;
};

static bool refuse(struct parse *a, const char *why)
{
    goi_text_printf(a->error, "at offset %zu: %s", a->offset, why);
    return false;
}

static bool refuse_quoted(struct parse *a, const char *why, const char *s, size_t n)
{
    goi_text_printf(a->error, "at offset %zu: %s ", a->offset, why);
    goi_text_quote(a->error, s, n);
    return false;
}

static const char *keep(struct parse *a, const char *s, size_t n)
{
    char *word = a->word;
    memcpy(word, s, n);
    word[n] = '\0';
    a->word += n + 1;
    return word;
}

static bool parse_method_and_host(struct parse *a)
{
    size_t n = strcspn(a->whole, " \t");
    a->p->method = "";
    a->rest = a->whole;
    if (a->whole[n] != '\0') {
        if (n > 0 && !goi_is_token(a->whole, n)) {
            return refuse_quoted(a, "invalid method", a->whole, n);
        }
        a->p->method = keep(a, a->whole, n);
        a->rest = a->whole + n + 1;
        a->rest += strspn(a->rest, " \t");
        a->offset = n + 1;
    }
    size_t host = strcspn(a->rest, "/");
    if (a->rest[host] == '\0') {
        return refuse(a, "host/path missing /");
    }
    const char *brace = memchr(a->rest, '{', host);
    if (brace != NULL) {
        a->offset += (size_t)(brace - a->rest);
        return refuse(a, "host contains '{' (missing initial '/'?)");
    }
    a->p->host = keep(a, a->rest, host);
    a->rest += host;
    a->offset += host;
    if (a->p->method[0] != '\0' && strcmp(a->p->method, "CONNECT") != 0 &&
        !goi_path_is_clean(a->rest, strlen(a->rest))) {
        return refuse(a, "non-CONNECT pattern with unclean path can never match");
    }
    return true;
}

static bool is_name(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool letter = goi_lower(s[i]) >= 'a' && goi_lower(s[i]) <= 'z';
        bool digit = s[i] >= '0' && s[i] <= '9' && i > 0;
        /* Letters beyond ASCII are taken as they are. */
        if (!letter && !digit && s[i] != '_' && (unsigned char)s[i] < 128) {
            return false;
        }
    }
    return n > 0;
}

static void append(struct parse *a, const char *s, bool wild, bool multi)
{
    a->p->segment[a->p->count++] = (struct segment){ s, wild, multi };
}

/* One {...}; s and n are what stands between two slashes. */
static bool parse_wildcard(struct parse *a, const char *s, size_t n)
{
    bool last = s[n] == '\0';
    if (s[0] != '{') {
        return refuse(a, "bad wildcard segment (must start with '{')");
    }
    if (s[n - 1] != '}') {
        return refuse(a, "bad wildcard segment (must end with '}')");
    }
    s++;
    n -= 2;
    if (n == 1 && s[0] == '$') {
        append(a, "/", false, false);
        return last || refuse(a, "{$} not at end");
    }
    bool multi = n >= 3 && memcmp(s + n - 3, "...", 3) == 0;
    n -= multi ? 3 : 0;
    if (multi && !last) {
        return refuse(a, "{...} wildcard not at end");
    }
    if (n == 0) {
        return refuse(a, "empty wildcard");
    }
    if (!is_name(s, n)) {
        return refuse_quoted(a, "bad wildcard name", s, n);
    }
    for (int i = 0; i < a->p->count; i++) {
        const struct segment *seg = &a->p->segment[i];
        if (seg->wild && strlen(seg->s) == n && memcmp(seg->s, s, n) == 0) {
            return refuse_quoted(a, "duplicate wildcard name", s, n);
        }
    }
    append(a, keep(a, s, n), true, multi);
    return true;
}

static bool parse_path(struct parse *a)
{
    while (*a->rest == '/') {
        a->rest++;
        a->offset = (size_t)(a->rest - a->whole);
        if (a->p->count == GOI_SEGMENTS_MAX) {
            return refuse(a, "more than 64 segments");
        }
        size_t n = strcspn(a->rest, "/");
        if (*a->rest == '\0') {
            append(a, "", true, true);
        } else if (memchr(a->rest, '{', n) != NULL) {
            if (!parse_wildcard(a, a->rest, n)) {
                return false;
            }
        } else {
            char *word = a->word;
            size_t len = n;
            memcpy(word, a->rest, n);
            if (goi_percent_valid(word, n)) {
                len = goi_percent_decode(word, word, n, false);
            }
            word[len] = '\0';
            a->word += len + 1;
            append(a, word, false, false);
        }
        a->rest += n;
    }
    return true;
}

struct pattern *goi_pattern_parse(const char *s, const char *site, struct text *error)
{
    if (*s == '\0') {
        goi_text_str(error, "empty pattern");
        return NULL;
    }
    size_t n = strlen(s);
    struct pattern *p = calloc(1, sizeof *p + GOI_SEGMENTS_MAX * sizeof p->segment[0]);
    if (p == NULL) {
        return NULL;
    }
    p->str = strdup(s);
    /* Each part is a substring and gets a zero; there are at most n + 3 of them. */
    p->words = malloc(2 * n + 8);
    p->site = site;
    struct parse a = { .whole = s, .word = p->words, .p = p, .error = error };
    if (p->str == NULL || p->words == NULL || !parse_method_and_host(&a) || !parse_path(&a)) {
        goi_pattern_free(p);
        return NULL;
    }
    return p;
}

void goi_pattern_free(struct pattern *p)
{
    if (p != NULL) {
        free(p->str);
        free(p->words);
        free(p);
    }
}

/* ---- comparing ------------------------------------------------------------------------------ */

static enum relation combine(enum relation a, enum relation b)
{
    if (a == EQUIVALENT || b == DISJOINT) {
        return b;
    }
    if (a == DISJOINT || a == OVERLAPS || b == EQUIVALENT) {
        return a;
    }
    /* a is more general or more specific; the opposite makes an overlap. */
    return a == b || b == OVERLAPS ? b : OVERLAPS;
}

static enum relation compare_segments(const struct segment *a, const struct segment *b)
{
    if (a->multi || b->multi) {
        return a->multi && b->multi ? EQUIVALENT : a->multi ? MORE_GENERAL : MORE_SPECIFIC;
    }
    if (a->wild && b->wild) {
        return EQUIVALENT;
    }
    if (a->wild) {
        return strcmp(b->s, "/") == 0 ? DISJOINT : MORE_GENERAL;
    }
    if (b->wild) {
        return strcmp(a->s, "/") == 0 ? DISJOINT : MORE_SPECIFIC;
    }
    return strcmp(a->s, b->s) == 0 ? EQUIVALENT : DISJOINT;
}

static enum relation compare_methods(const struct pattern *a, const struct pattern *b)
{
    if (strcmp(a->method, b->method) == 0) {
        return EQUIVALENT;
    }
    if (a->method[0] == '\0') {
        return MORE_GENERAL;
    }
    if (b->method[0] == '\0') {
        return MORE_SPECIFIC;
    }
    /* GET answers HEAD. */
    if (strcmp(a->method, "GET") == 0 && strcmp(b->method, "HEAD") == 0) {
        return MORE_GENERAL;
    }
    if (strcmp(a->method, "HEAD") == 0 && strcmp(b->method, "GET") == 0) {
        return MORE_SPECIFIC;
    }
    return DISJOINT;
}

static bool ends_multi(const struct pattern *p)
{
    return p->segment[p->count - 1].multi;
}

enum relation goi_pattern_compare_paths(const struct pattern *p1, const struct pattern *p2)
{
    if (p1->count != p2->count && !ends_multi(p1) && !ends_multi(p2)) {
        return DISJOINT;
    }
    enum relation r = EQUIVALENT;
    for (int i = 0; i < p1->count && i < p2->count && r != DISJOINT; i++) {
        r = combine(r, compare_segments(&p1->segment[i], &p2->segment[i]));
    }
    if (r == DISJOINT || p1->count == p2->count) {
        return r;
    }
    /* The shorter one's multi is more general than what is left of the longer one. */
    if (p1->count < p2->count && ends_multi(p1)) {
        return combine(r, MORE_GENERAL);
    }
    if (p2->count < p1->count && ends_multi(p2)) {
        return combine(r, MORE_SPECIFIC);
    }
    return DISJOINT;
}

enum relation goi_pattern_compare(const struct pattern *p1, const struct pattern *p2)
{
    enum relation r = compare_methods(p1, p2);
    return r == DISJOINT ? DISJOINT : combine(r, goi_pattern_compare_paths(p1, p2));
}

bool goi_pattern_conflict(const struct pattern *p1, const struct pattern *p2)
{
    if (strcmp(p1->host, p2->host) != 0) {
        return false;
    }
    enum relation r = goi_pattern_compare(p1, p2);
    return r == EQUIVALENT || r == OVERLAPS;
}

/* ---- explaining ----------------------------------------------------------------------------- */

static void write_segment(struct text *t, const struct segment *s)
{
    goi_text_char(t, '/');
    if (!s->multi && strcmp(s->s, "/") != 0) {
        goi_text_str(t, s->s);
    }
}

static void write_rest(struct text *t, const struct pattern *p1, const struct pattern *p2)
{
    const struct pattern *longer = p1->count > p2->count ? p1 : p2;
    int done = p1->count < p2->count ? p1->count : p2->count;
    for (int i = done; i < longer->count; i++) {
        write_segment(t, &longer->segment[i]);
    }
}

/* A path that both match. */
static void common_path(struct text *t, const struct pattern *p1, const struct pattern *p2)
{
    for (int i = 0; i < p1->count && i < p2->count; i++) {
        write_segment(t, p1->segment[i].wild ? &p2->segment[i] : &p1->segment[i]);
    }
    write_rest(t, p1, p2);
}

/* A path that p1 matches and p2 does not. */
static void difference_path(struct text *t, const struct pattern *p1, const struct pattern *p2)
{
    for (int i = 0; i < p1->count && i < p2->count; i++) {
        const struct segment *a = &p1->segment[i];
        const struct segment *b = &p2->segment[i];
        if (a->multi) {
            /* A slash tells them apart, unless p2 ends in {$}: then any segment does. */
            goi_text_char(t, '/');
            if (!b->multi && strcmp(b->s, "/") == 0) {
                goi_text_str(t, a->s[0] != '\0' ? a->s : "x");
            }
            return;
        }
        write_segment(t, a);
        if (a->wild && !b->wild && !b->multi && strcmp(a->s, b->s) == 0) {
            goi_text_char(t, 'x');
        }
    }
    write_rest(t, p1, p2);
}

static void quote_path(struct text *out, const struct pattern *p1, const struct pattern *p2,
                       void (*path)(struct text *, const struct pattern *, const struct pattern *))
{
    struct text t = { 0 };
    path(&t, p1, p2);
    goi_text_quote(out, t.data != NULL ? t.data : "", t.len);
    goi_text_free(&t);
}

void goi_pattern_describe(const struct pattern *p1, const struct pattern *p2, struct text *out)
{
    enum relation m = compare_methods(p1, p2);
    enum relation r = goi_pattern_compare_paths(p1, p2);
    if (combine(m, r) == EQUIVALENT) {
        goi_text_printf(out, "%s matches the same requests as %s", p1->str, p2->str);
    } else if (r == OVERLAPS) {
        goi_text_printf(out, "%s and %s both match some paths, like ", p1->str, p2->str);
        quote_path(out, p1, p2, common_path);
        goi_text_printf(out, ".\nBut neither is more specific than the other.\n%s matches ",
                        p1->str);
        quote_path(out, p1, p2, difference_path);
        goi_text_printf(out, ", but %s doesn't.\n%s matches ", p2->str, p2->str);
        quote_path(out, p2, p1, difference_path);
        goi_text_printf(out, ", but %s doesn't.", p1->str);
    } else {
        goi_text_printf(out, m == MORE_GENERAL ?
                        "%s matches more methods than %s, but has a more specific path pattern" :
                        "%s matches fewer methods than %s, but has a more general path pattern",
                        p1->str, p2->str);
    }
}

/* ---- cleaning ------------------------------------------------------------------------------- */

bool goi_path_is_clean(const char *path, size_t n)
{
    if (n == 0 || path[0] != '/') {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (path[i] != '/') {
            continue;
        }
        size_t left = n - i - 1;
        const char *s = path + i + 1;
        if ((left >= 1 && s[0] == '/') || (left >= 1 && s[0] == '.' &&
            (left == 1 || s[1] == '/' || (s[1] == '.' && (left == 2 || s[2] == '/'))))) {
            return false;
        }
    }
    return true;
}

void goi_path_clean(const char *path, size_t n, struct text *out)
{
    size_t start = out->len;
    size_t i = 0;
    while (i < n) {
        if (path[i] == '/') {
            i++;
            continue;
        }
        const char *next = memchr(path + i, '/', n - i);
        size_t len = next != NULL ? (size_t)(next - (path + i)) : n - i;
        if (len == 2 && path[i] == '.' && path[i + 1] == '.') {
            while (out->len > start && out->data[--out->len] != '/') {
            }
        } else if (!(len == 1 && path[i] == '.')) {
            goi_text_char(out, '/');
            goi_text_add(out, path + i, len);
        }
        i += len;
    }
    /* Go puts back a slash that was there at the end; "." and ".." are none. */
    if (out->len == start || path[n - 1] == '/') {
        goi_text_char(out, '/');
    }
    if (out->data != NULL) {
        out->data[out->len] = '\0';
    }
}
