/* SPDX-License-Identifier: MIT */
/* mem.c: one arena, strings and lists of strings in it. Nothing is freed; see cli.h. */
#include "cli.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 << 10, ALIGN = 16 };

struct chunk {
    struct chunk *next;
    char *free;
    char *end;
};

static struct chunk *chunks;

static struct chunk *chunk_new(size_t size)
{
    size_t head = (sizeof(struct chunk) + ALIGN - 1) / ALIGN * ALIGN;
    struct chunk *c = calloc(1, head + size);
    if (c == NULL) {
        cli_die(CLI_FAILED, "out of memory");
    }
    c->free = (char *)c + head;
    c->end = c->free + size;
    c->next = chunks;
    chunks = c;
    return c;
}

void *cli_alloc(size_t size)
{
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    struct chunk *c = chunks;
    if (c == NULL || (size_t)(c->end - c->free) < size) {
        c = chunk_new(size > CHUNK ? size : CHUNK);
    }
    void *p = c->free;
    c->free += size;
    return p;
}

char *cli_copy_n(const char *s, size_t n)
{
    char *p = cli_alloc(n + 1);
    memcpy(p, s, n);
    return p;
}

char *cli_copy(const char *s)
{
    return cli_copy_n(s, strlen(s));
}

char *cli_vfmt(const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0) {
        cli_die(CLI_FAILED, "cannot format a message");
    }
    char *p = cli_alloc((size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    return p;
}

char *cli_fmt(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *p = cli_vfmt(fmt, ap);
    va_end(ap);
    return p;
}

void cli_add(struct list *l, const char *s)
{
    if (l->count + 2 > l->room) {
        size_t room = l->room == 0 ? 16 : 2 * l->room;
        char **item = cli_alloc(room * sizeof *item);
        if (l->count > 0) {
            memcpy(item, l->item, l->count * sizeof *item);
        }
        l->item = item;
        l->room = room;
    }
    /* argv wants char *, and nothing here writes into a word it was given. */
    l->item[l->count++] = (char *)(uintptr_t)s;
    l->item[l->count] = NULL;
}

void cli_add_all(struct list *l, const struct list *from)
{
    for (size_t i = 0; i < from->count; i++) {
        cli_add(l, from->item[i]);
    }
}

bool cli_has(const struct list *l, const char *s)
{
    for (size_t i = 0; i < l->count; i++) {
        if (strcmp(l->item[i], s) == 0) {
            return true;
        }
    }
    return false;
}

bool cli_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool cli_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s);
    size_t m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

const char *cli_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

char *cli_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return cli_copy(".");
    }
    return slash == path ? cli_copy("/") : cli_copy_n(path, (size_t)(slash - path));
}

/* Copies one word to `to` and gives the place behind it, or NULL when a quote stays open. */
static const char *word_scan(const char *s, char *to)
{
    char quote = '\0';
    for (; *s != '\0' && (quote != '\0' || !isspace((unsigned char)*s)); s++) {
        if (quote == '\0' && (*s == '\'' || *s == '"')) {
            quote = *s;
        } else if (quote != '\0' && *s == quote) {
            quote = '\0';
        } else if (*s == '\\' && quote != '\'' && s[1] != '\0') {
            *to++ = *++s;
        } else {
            *to++ = *s;
        }
    }
    *to = '\0';
    return quote == '\0' ? s : NULL;
}

bool cli_words(const char *line, struct list *out)
{
    const char *s = line;
    for (;;) {
        while (isspace((unsigned char)*s)) {
            s++;
        }
        if (*s == '\0') {
            return true;
        }
        char *word = cli_alloc(strlen(s) + 1);
        s = word_scan(s, word);
        if (s == NULL) {
            return false;
        }
        cli_add(out, word);
    }
}

char *cli_quote(const char *word)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        "_-+=./,:@%^";
    if (*word != '\0' && word[strspn(word, plain)] == '\0') {
        return cli_copy(word);
    }
    char *out = cli_alloc(4 * strlen(word) + 3);
    char *to = out;
    *to++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            to = stpcpy(to, "'\\''");
        } else {
            *to++ = *word;
        }
    }
    *to = '\'';
    return out;
}

char *cli_join(const struct list *l)
{
    struct list quoted = {0};
    size_t size = 1;
    for (size_t i = 0; i < l->count; i++) {
        cli_add(&quoted, cli_quote(l->item[i]));
        size += strlen(quoted.item[i]) + 1;
    }
    char *out = cli_alloc(size);
    char *to = out;
    for (size_t i = 0; i < quoted.count; i++) {
        to = stpcpy(to, i > 0 ? " " : "");
        to = stpcpy(to, quoted.item[i]);
    }
    return out;
}

char *cli_lines(const struct list *l)
{
    size_t size = 1;
    for (size_t i = 0; i < l->count; i++) {
        size += strlen(l->item[i]) + 1;
    }
    char *out = cli_alloc(size);
    char *to = out;
    for (size_t i = 0; i < l->count; i++) {
        to = stpcpy(to, l->item[i]);
        *to++ = '\n';
    }
    return out;
}
