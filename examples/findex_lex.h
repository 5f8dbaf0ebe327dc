/* SPDX-License-Identifier: MIT */
/* findex_lex.h: a tokeniser for C identifiers; plain C without goroutines.
 *
 * It reads any file as C: comments, string and character literals and numbers are left out. It sees
 * the file block by block. A token that runs over the end of one is kept and seen again, whole, at
 * the start of the next; comments and literals are left off in the middle and taken up again.
 */
#ifndef FINDEX_LEX_H
#define FINDEX_LEX_H

#include "findex_words.h"
#include <stdbool.h>

enum { LEX_BLOCK = 1 << 16 };

struct lexer {
    enum lex_mode { LEX_CODE, LEX_LINE, LEX_COMMENT, LEX_QUOTED } mode;
    char quote;
    size_t kept;
    char block[LEX_BLOCK];
};

static inline bool lex_is_letter(char c)
{
    return (unsigned)(c | 32) - 'a' < 26 || c == '_';
}

static inline bool lex_is_digit(char c)
{
    return (unsigned)c - '0' < 10;
}

/* Each of these takes what stands at p, as far as it can, and returns where it stopped: p itself if
 * nothing can be decided without the next block. */
static inline const char *lex_word(const char *p, const char *end, bool last, struct index *x)
{
    uint32_t hash = 2166136261u;
    const char *q = p;
    for (; q < end && (lex_is_letter(*q) || lex_is_digit(*q)); q++) {
        hash = (hash ^ (unsigned char)*q) * 16777619u;
    }
    if (q == end && !last) {
        return p;
    }
    words_add(x->shard[hash >> SHARD_SHIFT], p, (size_t)(q - p), hash, 1);
    return q;
}

static inline const char *lex_number(const char *p, const char *end, bool last)
{
    const char *q = p;
    while (q < end && (lex_is_letter(*q) || lex_is_digit(*q) || *q == '.' || *q == '\'')) {
        q++;
    }
    return q == end && !last ? p : q;
}

static inline const char *lex_slash(struct lexer *l, const char *p, const char *end, bool last)
{
    if (p + 1 == end) {
        return last ? end : p;
    }
    l->mode = p[1] == '/' ? LEX_LINE : p[1] == '*' ? LEX_COMMENT : LEX_CODE;
    return l->mode == LEX_CODE ? p + 1 : p + 2;
}

static inline const char *lex_code(struct lexer *l, const char *p, const char *end, bool last,
                                   struct index *x)
{
    while (p < end && !lex_is_letter(*p)) {
        if (lex_is_digit(*p)) {
            return lex_number(p, end, last);
        }
        if (*p == '/') {
            return lex_slash(l, p, end, last);
        }
        if (*p == '"' || *p == '\'') {
            l->mode = LEX_QUOTED;
            l->quote = *p;
            return p + 1;
        }
        p++;
    }
    return p < end ? lex_word(p, end, last, x) : p;
}

static inline const char *lex_line(struct lexer *l, const char *p, const char *end)
{
    const char *q = memchr(p, '\n', (size_t)(end - p));
    l->mode = q != NULL ? LEX_CODE : LEX_LINE;
    return q != NULL ? q + 1 : end;
}

static inline const char *lex_comment(struct lexer *l, const char *p, const char *end, bool last)
{
    const char *q = memchr(p, '*', (size_t)(end - p));
    if (q == NULL || q + 1 == end) {
        return q == NULL || last ? end : q;
    }
    l->mode = q[1] == '/' ? LEX_CODE : LEX_COMMENT;
    return q[1] == '/' ? q + 2 : q + 1;
}

/* A literal ends at its quote, or with the line: in a file that is not C, quotes come alone. */
static inline const char *lex_quoted(struct lexer *l, const char *p, const char *end, bool last)
{
    while (p < end && *p != l->quote && *p != '\n') {
        if (*p == '\\' && p + 1 == end) {
            return last ? end : p;
        }
        p += *p == '\\' ? 2 : 1;
    }
    if (p < end) {
        l->mode = LEX_CODE;
        p++;
    }
    return p;
}

/* Takes size bytes that lie in l->block and moves what must be kept to the front. */
static inline void lex_block(struct lexer *l, size_t size, bool last, struct index *x)
{
    const char *p = l->block, *end = p + size, *before;
    do {
        before = p;
        switch (l->mode) {
        case LEX_CODE:
            p = lex_code(l, p, end, last, x);
            break;
        case LEX_LINE:
            p = lex_line(l, p, end);
            break;
        case LEX_COMMENT:
            p = lex_comment(l, p, end, last);
            break;
        case LEX_QUOTED:
            p = lex_quoted(l, p, end, last);
            break;
        }
    } while (p < end && p != before);
    if (p == l->block && size == LEX_BLOCK) {
        lex_block(l, size, true, x); /* a word as long as the block: cut it */
        return;
    }
    l->kept = (size_t)(end - p);
    memmove(l->block, p, l->kept);
}

#endif
