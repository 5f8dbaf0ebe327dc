/* SPDX-License-Identifier: MIT */
/* text.c: memory, strings, and the source's own text.
 *
 * libclang (14) does not say which operator a node is, so the text between the operands is asked.
 * Where a macro hides it, the types have to do (tree.c). */
#include "vet.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *vet_new(size_t size)
{
    void *p = calloc(1, size);
    if (p == NULL) {
        fprintf(stderr, "gort vet: out of memory\n");
        exit(2);
    }
    return p;
}

void *vet_grow(void *items, size_t count, size_t size)
{
    if (count != 0 && (count & (count - 1)) != 0) {
        return items;
    }
    void *more = realloc(items, (count == 0 ? 1 : count * 2) * size);
    if (more == NULL) {
        fprintf(stderr, "gort vet: out of memory\n");
        exit(2);
    }
    return more;
}

char *vet_format(const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *s = vet_new((size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, format, again);
    va_end(again);
    return s;
}

const char *vet_string(CXString s)
{
    const char *text = clang_getCString(s);
    char *copy = vet_format("%s", text != NULL ? text : "");
    clang_disposeString(s);
    return copy;
}

bool vet_starts(const char *s, const char *start)
{
    return strncmp(s, start, strlen(start)) == 0;
}

const char *vet_intern(const char *s)
{
    static struct text {
        struct text *next;
        const char *s;
    } *table[1024];
    unsigned h = 0;
    for (const char *at = s; *at != '\0'; at++) {
        h = h * 31 + (unsigned char)*at;
    }
    struct text **t = &table[h % 1024];
    for (; *t != NULL; t = &(*t)->next) {
        if (strcmp((*t)->s, s) == 0) {
            return (*t)->s;
        }
    }
    *t = vet_new(sizeof **t);
    (*t)->s = s;
    return s;
}

struct place vet_place(CXSourceLocation at)
{
    struct place p = {0};
    clang_getFileLocation(at, &p.file, &p.line, &p.column, &p.offset);
    return p;
}

static CXTranslationUnit text_unit;

void vet_text_from(CXTranslationUnit tu)
{
    text_unit = tu;
}

const char *vet_text(CXFile file, size_t *size)
{
    *size = 0;
    return file != NULL ? clang_getFileContents(text_unit, file, size) : NULL;
}

/* Past white space, closing parentheses and comments. */
static size_t skip(const char *text, size_t at, size_t end)
{
    while (at < end) {
        char c = text[at];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ')' || c == '\\') {
            at++;
        } else if (c == '/' && at + 1 < end && text[at + 1] == '*') {
            const char *close = strstr(text + at + 2, "*/");
            at = close != NULL ? (size_t)(close - text) + 2 : end;
        } else if (c == '/' && at + 1 < end && text[at + 1] == '/') {
            const char *line = strchr(text + at, '\n');
            at = line != NULL ? (size_t)(line - text) : end;
        } else {
            break;
        }
    }
    return at;
}

char vet_operator(CXCursor left, CXCursor right, char *twin)
{
    struct place from = vet_place(clang_getRangeEnd(clang_getCursorExtent(left)));
    struct place to = vet_place(clang_getRangeStart(clang_getCursorExtent(right)));
    size_t size;
    const char *text = vet_text(from.file, &size);
    *twin = 0;
    if (text == NULL || to.file == NULL || !clang_File_isEqual(from.file, to.file) ||
        from.offset >= to.offset || to.offset > size) {
        return 0;
    }
    size_t at = skip(text, from.offset, to.offset);
    /* The name of a macro is none. */
    if (at >= to.offset || strchr("=!<>,&|+-*/%^", text[at]) == NULL) {
        return 0;
    }
    *twin = at + 1 < to.offset ? text[at + 1] : 0;
    return text[at];
}
