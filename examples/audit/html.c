/* SPDX-License-Identifier: MIT */
/* html.c: a tokenizer for HTML, as far as links and titles need one.
 *
 * It follows the tokenizer of the HTML standard where that decides what is a link: comments, bogus
 * comments, quoting of attributes, elements whose content is no markup (script, style, title, ...),
 * character references. It builds no tree. A library that does has to free it, and one that does
 * that by recursion (gumbo) needs more stack than a goroutine has when a hostile page nests half a
 * million elements; libxml2's parser searches that many open elements at every end tag. This one
 * takes time in proportion to the page's size, whatever is in it. */
#define _GNU_SOURCE 1 /* memmem */
#include "html.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct slice {
    const char *s;
    size_t n;
};

/* A start or end tag: its name and the attributes that matter. */
struct tag {
    struct slice name, href, src, rel;
    bool end;
};

struct scan {
    const char *at, *end;
    struct html *out;
    int svg;                /* how deep in <svg>, whose <title> is not the page's */
    bool blank;             /* the last text byte was white space */
};

/* ---- text ----------------------------------------------------------------------------------- */

static const struct {
    const char *name, *text;
} entities[] = {
    { "amp", "&" },      { "lt", "<" },       { "gt", ">" },       { "quot", "\"" },
    { "apos", "'" },     { "nbsp", " " },     { "copy", "©" },     { "reg", "®" },
    { "trade", "™" },    { "hellip", "…" },   { "ndash", "–" },    { "mdash", "—" },
    { "lsquo", "‘" },    { "rsquo", "’" },    { "ldquo", "“" },    { "rdquo", "”" },
    { "laquo", "«" },    { "raquo", "»" },    { "middot", "·" },   { "bull", "•" },
    { "times", "×" },    { "sect", "§" },     { "deg", "°" },      { "euro", "€" },
    { "auml", "ä" },     { "ouml", "ö" },     { "uuml", "ü" },     { "szlig", "ß" },
    { "Auml", "Ä" },     { "Ouml", "Ö" },     { "Uuml", "Ü" },     { "eacute", "é" },
    { "egrave", "è" },   { "agrave", "à" },   { "ccedil", "ç" },   { "sol", "/" },
};

static size_t put_utf8(char *to, unsigned long c)
{
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        c = 0xfffd;
    }
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = n; i-- > 1; c >>= 6) {
        to[i] = (char)(0x80 | (c & 0x3f));
    }
    to[0] = (char)(first[n] | c);
    return n;
}

/* Replaces the reference at s, with & and ;, when it is one. What it stands for is never longer
 * than itself. Returns what it used of s. */
static size_t decode_one(const char *s, size_t n, char **to)
{
    const char *semicolon = memchr(s, ';', n < 12 ? n : 12);
    if (semicolon == NULL || semicolon == s + 1) {
        *(*to)++ = *s;
        return 1;
    }
    size_t used = (size_t)(semicolon - s) + 1;
    if (s[1] == '#') {
        bool hex = s[2] == 'x' || s[2] == 'X';
        const char *digits = s + (hex ? 3 : 2);
        char *stop;
        unsigned long c = strtoul(digits, &stop, hex ? 16 : 10);
        if (stop == semicolon && isxdigit((unsigned char)*digits)) {
            *to += put_utf8(*to, c);
            return used;
        }
    }
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        const char *name = entities[i].name;
        if (strlen(name) == used - 2 && memcmp(name, s + 1, used - 2) == 0) {
            *to = stpcpy(*to, entities[i].text);
            return used;
        }
    }
    *(*to)++ = *s;
    return 1;
}

/* A copy with character references replaced, white space trimmed, and all else of it one blank. */
static char *decode(struct slice from)
{
    /* A zero behind it, for strtoul; "&#1;" is the shortest that may become three bytes. */
    char *s = copy_n(from.s, from.n);
    char *text = must_have(malloc(from.n + 1)), *to = text;
    for (size_t i = 0; i < from.n;) {
        if (isspace((unsigned char)s[i]) || s[i] == '\0') {
            if (to > text && to[-1] != ' ') {
                *to++ = ' ';
            }
            i++;
        } else if (s[i] == '&') {
            i += decode_one(s + i, from.n - i, &to);
        } else {
            *to++ = s[i++];
        }
    }
    while (to > text && to[-1] == ' ') {
        to--;
    }
    *to = '\0';
    free(s);
    return text;
}

/* FNV-1a over the words. */
static void add_text(struct scan *sc, const char *s, size_t n)
{
    uint64_t h = sc->out->text;
    for (size_t i = 0; i < n; i++) {
        bool blank = isspace((unsigned char)s[i]);
        if (!blank) {
            if (sc->blank || h == 0) {
                h = (h != 0 ? h : 0xcbf29ce484222325u) * 0x100000001b3u;
            }
            h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
        }
        sc->blank = blank;
    }
    sc->out->text = h;
}

/* ---- tags ----------------------------------------------------------------------------------- */

static bool is(struct slice a, const char *name)
{
    return a.n == strlen(name) && strncasecmp(a.s, name, a.n) == 0;
}

static bool is_any(struct slice a, const char *const *names)
{
    while (*names != NULL && !is(a, *names)) {
        names++;
    }
    return *names != NULL;
}

static void skip_space(struct scan *sc)
{
    while (sc->at < sc->end && isspace((unsigned char)*sc->at)) {
        sc->at++;
    }
}

/* Up to the first of the characters, or white space. */
static struct slice word(struct scan *sc, const char *stops)
{
    const char *from = sc->at;
    while (sc->at < sc->end && !isspace((unsigned char)*sc->at) &&
           (*sc->at == '\0' || strchr(stops, *sc->at) == NULL)) {
        sc->at++;
    }
    return (struct slice){ from, (size_t)(sc->at - from) };
}

static struct slice value(struct scan *sc)
{
    skip_space(sc);
    if (sc->at == sc->end || (*sc->at != '"' && *sc->at != '\'')) {
        return word(sc, ">");
    }
    const char *from = sc->at + 1;
    const char *to = memchr(from, *sc->at, (size_t)(sc->end - from));
    to = to != NULL ? to : sc->end;
    sc->at = to < sc->end ? to + 1 : to;
    return (struct slice){ from, (size_t)(to - from) };
}

/* One attribute. The first of a name counts. At least one byte is used. */
static void attribute(struct scan *sc, struct tag *t)
{
    struct slice v = { "", 0 };
    const char *from = sc->at;
    sc->at++; /* a = in front belongs to the name */
    word(sc, "/>=");
    struct slice name = { from, (size_t)(sc->at - from) };
    skip_space(sc);
    if (sc->at < sc->end && *sc->at == '=') {
        sc->at++;
        v = value(sc);
    }
    struct slice *slot = is(name, "href")  ? &t->href
                         : is(name, "src") ? &t->src
                         : is(name, "rel") ? &t->rel
                                           : NULL;
    if (slot != NULL && slot->s == NULL) {
        *slot = v;
    }
}

/* A tag, from behind its < or </. False when the page ends in it: then it is none. */
static bool read_tag(struct scan *sc, struct tag *t)
{
    t->name = word(sc, "/>");
    while (sc->at < sc->end && *sc->at != '>') {
        if (isspace((unsigned char)*sc->at) || *sc->at == '/') {
            sc->at++;
        } else {
            attribute(sc, t);
        }
    }
    if (sc->at == sc->end) {
        return false;
    }
    sc->at++;
    return true;
}

static void add_link(struct scan *sc, struct slice ref)
{
    if (ref.s != NULL) {
        strings_add(&sc->out->links, decode(ref));
    }
}

static void start_tag(struct scan *sc, const struct tag *t)
{
    static const char *const by_href[] = { "a", "area", NULL };
    static const char *const by_src[] = { "img",   "script", "iframe", "frame", "audio",
                                          "video", "source", "track",  "embed", NULL };
    static const char *const no_fetch[] = { "preconnect", "dns-prefetch", "canonical", NULL };
    if (is_any(t->name, by_href) || (is(t->name, "link") && !is_any(t->rel, no_fetch))) {
        add_link(sc, t->href);
    } else if (is_any(t->name, by_src)) {
        add_link(sc, t->src);
    } else if (is(t->name, "base") && t->href.s != NULL && sc->out->base == NULL) {
        sc->out->base = decode(t->href);
    } else if (is(t->name, "svg")) {
        sc->svg++;
    }
}

/* ---- content that is no markup -------------------------------------------------------------- */

/* Everything up to the end tag of that name, which stays; or up to the end. */
static struct slice raw_text(struct scan *sc, struct slice name)
{
    const char *from = sc->at;
    const char *p = from;
    while (p < sc->end) {
        p = memchr(p, '<', (size_t)(sc->end - p));
        if (p == NULL || (size_t)(sc->end - p) < name.n + 3) {
            break;
        }
        char after = p[2 + name.n];
        if (p[1] == '/' && strncasecmp(p + 2, name.s, name.n) == 0 &&
            (isspace((unsigned char)after) || after == '/' || after == '>')) {
            sc->at = p;
            return (struct slice){ from, (size_t)(p - from) };
        }
        p++;
    }
    sc->at = sc->end;
    return (struct slice){ from, (size_t)(sc->end - from) };
}

static void skip_raw(struct scan *sc, const struct tag *t)
{
    static const char *const raw[] = { "script",  "style",   "textarea", "xmp",
                                       "iframe",  "noembed", "noframes", NULL };
    if (is(t->name, "title") && sc->svg == 0) {
        char *title = decode(raw_text(sc, t->name));
        if (sc->out->title == NULL && title[0] != '\0') {
            sc->out->title = title;
        } else {
            free(title);
        }
    } else if (is_any(t->name, raw)) {
        raw_text(sc, t->name);
    }
}

/* From behind "<!--". */
static void comment(struct scan *sc)
{
    /* "<!-->" and "<!--->" are whole: the end may share hyphens with the beginning. */
    const char *p = sc->at - 2;
    size_t n = (size_t)(sc->end - p);
    const char *a = memmem(p, n, "-->", 3);
    n = a != NULL ? (size_t)(a - p) : n;
    const char *b = memmem(p, n, "--!>", 4);
    sc->at = b != NULL ? b + 4 : a != NULL ? a + 3 : sc->end;
}

/* At a <. */
static void markup(struct scan *sc)
{
    struct tag t = { 0 };
    size_t left = (size_t)(sc->end - sc->at);
    char next = left > 1 ? sc->at[1] : '\0';
    t.end = next == '/';
    char letter = t.end && left > 2 ? sc->at[2] : next;
    if (isalpha((unsigned char)letter)) {
        sc->at += t.end ? 2 : 1;
        if (!read_tag(sc, &t)) {
            return;
        }
        if (!t.end) {
            start_tag(sc, &t);
            skip_raw(sc, &t);
        } else if (is(t.name, "svg") && sc->svg > 0) {
            sc->svg--;
        }
    } else if (left >= 4 && memcmp(sc->at, "<!--", 4) == 0) {
        sc->at += 4;
        comment(sc);
    } else if (next == '!' || next == '?' || t.end) {
        const char *to = memchr(sc->at, '>', left);
        sc->at = to != NULL ? to + 1 : sc->end;
    } else {
        add_text(sc, sc->at, 1);
        sc->at++;
    }
}

void html_scan(const char *s, size_t n, struct html *out)
{
    struct scan sc = { .at = s, .end = s + n, .out = out, .blank = true };
    *out = (struct html){ 0 };
    while (sc.at < sc.end) {
        const char *mark = memchr(sc.at, '<', (size_t)(sc.end - sc.at));
        mark = mark != NULL ? mark : sc.end;
        add_text(&sc, sc.at, (size_t)(mark - sc.at));
        sc.at = mark;
        if (sc.at < sc.end) {
            markup(&sc);
        }
    }
}

void html_free(struct html *h)
{
    free(h->title);
    free(h->base);
    strings_free(&h->links);
}
