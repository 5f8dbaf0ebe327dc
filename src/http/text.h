/* SPDX-License-Identifier: MIT */
/* text.h: strings that grow, and what HTTP does with bytes: tokens, percent signs, dates. */
#ifndef GOI_HTTP_TEXT_H
#define GOI_HTTP_TEXT_H

#include <gort/base.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

/* Bytes with a zero behind them (once something was added). When memory runs out `failed` is set
 * and stays set, and the text stays as it was: one test at the end is enough. Zeros are empty. */
struct text {
    char *data;
    size_t len, cap;
    bool failed;
};

void goi_text_free(struct text *t);
/* Room for n more bytes and the zero. */
bool goi_text_room(struct text *t, size_t n);
void goi_text_add(struct text *t, const char *s, size_t n);
void goi_text_str(struct text *t, const char *s);
void goi_text_char(struct text *t, char c);
void goi_text_printf(struct text *t, const char *format, ...) GO_PRINTF(2, 3);
void goi_text_vprintf(struct text *t, const char *format, va_list args) GO_PRINTF(2, 0);
/* In quotes, with escapes where Go's %q has them. */
void goi_text_quote(struct text *t, const char *s, size_t n);

/* Classes of bytes (RFC 9110, 5.6.2 and 5.5). */
bool goi_is_token(const char *s, size_t n);
/* No control character but a tab. */
bool goi_is_field_value(const char *s, size_t n);

static inline char goi_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
}

/* Whether they are the same but for the case of ASCII letters. */
bool goi_same_word(const char *a, const char *b, size_t n);
/* Whether a comma-separated list has that word. */
bool goi_list_has(const char *list, const char *word);

/* Decodes %XX, and + as a blank if `plus`, into `to`, which may be `s`; the length. A percent sign
 * that is not followed by two digits stays. `to` gets no zero. */
size_t goi_percent_decode(char *to, const char *s, size_t n, bool plus);
/* Whether every percent sign is followed by two digits. */
bool goi_percent_valid(const char *s, size_t n);
int goi_hex_digit(char c); /* -1: none */

enum { GOI_DATE_BYTES = 30 };
/* "Sun, 06 Nov 1994 08:49:37 GMT" and a zero into buf. */
void goi_date_format(time_t t, char buf[GOI_DATE_BYTES]);
/* The three forms of RFC 9110, 5.6.7; -1 for what is none of them. */
time_t goi_date_parse(const char *s);

#endif
