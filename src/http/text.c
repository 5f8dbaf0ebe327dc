/* SPDX-License-Identifier: MIT */
/* text.c: strings that grow, and what HTTP does with bytes. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>

void goi_text_free(struct text *t)
{
    free(t->data);
    *t = (struct text){ 0 };
}

bool goi_text_room(struct text *t, size_t n)
{
    if (t->failed || n > SIZE_MAX / 4 - t->len) {
        t->failed = true;
        return false;
    }
    size_t need = t->len + n + 1;
    if (need <= t->cap) {
        return true;
    }
    size_t cap = t->cap < 64 ? 64 : t->cap;
    while (cap < need) {
        cap *= 2;
    }
    char *data = realloc(t->data, cap);
    if (data == NULL) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->cap = cap;
    return true;
}

void goi_text_add(struct text *t, const char *s, size_t n)
{
    if (goi_text_room(t, n)) {
        memcpy(t->data + t->len, s, n);
        t->len += n;
        t->data[t->len] = '\0';
    }
}

void goi_text_str(struct text *t, const char *s)
{
    goi_text_add(t, s, strlen(s));
}

void goi_text_char(struct text *t, char c)
{
    goi_text_add(t, &c, 1);
}

void goi_text_vprintf(struct text *t, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    /* Most of what is formatted is short: one pass is enough when it fits. */
    if (goi_text_room(t, 63)) {
        size_t room = t->cap - t->len;
        int n = vsnprintf(t->data + t->len, room, format, args);
        if (n >= 0 && (size_t)n >= room && goi_text_room(t, (size_t)n)) {
            n = vsnprintf(t->data + t->len, t->cap - t->len, format, again);
        }
        if (n < 0 || t->failed) {
            t->failed = true;
            t->data[t->len] = '\0';
        } else {
            t->len += (size_t)n;
        }
    }
    va_end(again);
}

void goi_text_printf(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    goi_text_vprintf(t, format, args);
    va_end(args);
}

void goi_text_quote(struct text *t, const char *s, size_t n)
{
    goi_text_char(t, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\') {
            goi_text_char(t, '\\');
            goi_text_char(t, (char)c);
        } else if (c == '\n' || c == '\t' || c == '\r') {
            goi_text_str(t, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        } else if (c < 32 || c == 127) {
            goi_text_printf(t, "\\x%02x", c);
        } else {
            goi_text_char(t, (char)c);
        }
    }
    goi_text_char(t, '"');
}

/* 1: a character of tokens. 2: may stand in a header's value. */
static const unsigned char class_of[256] = {
    ['\t'] = 2, [' '] = 2, ['!'] = 3, ['"'] = 2, ['#'] = 3, ['$'] = 3, ['%'] = 3, ['&'] = 3,
    ['\''] = 3, ['('] = 2, [')'] = 2, ['*'] = 3, ['+'] = 3, [','] = 2, ['-'] = 3, ['.'] = 3,
    ['/'] = 2, ['0' ... '9'] = 3, [':' ... '@'] = 2, ['A' ... 'Z'] = 3, ['['] = 2, ['\\'] = 2,
    [']'] = 2, ['^'] = 3, ['_'] = 3, ['`'] = 3, ['a' ... 'z'] = 3, ['{'] = 2, ['|'] = 3,
    ['}'] = 2, ['~'] = 3, [128 ... 255] = 2,
};

bool goi_is_token(const char *s, size_t n)
{
    unsigned all = 1;
    for (size_t i = 0; i < n; i++) {
        all &= class_of[(unsigned char)s[i]];
    }
    return n > 0 && all != 0;
}

bool goi_is_field_value(const char *s, size_t n)
{
    unsigned all = 2;
    for (size_t i = 0; i < n; i++) {
        all &= class_of[(unsigned char)s[i]];
    }
    return all != 0;
}

bool goi_same_word(const char *a, const char *b, size_t n)
{
    if (memcmp(a, b, n) == 0) {
        return true; /* mostly names are written as usual */
    }
    for (size_t i = 0; i < n; i++) {
        if (goi_lower(a[i]) != goi_lower(b[i])) {
            return false;
        }
    }
    return true;
}

bool goi_list_has(const char *list, const char *word)
{
    size_t n = strlen(word);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        size_t item = strcspn(list, ",");
        size_t len = item;
        while (len > 0 && (list[len - 1] == ' ' || list[len - 1] == '\t')) {
            len--;
        }
        if (len == n && goi_same_word(list, word, n)) {
            return true;
        }
        list += item;
    }
    return false;
}

int goi_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char low = goi_lower(c);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

size_t goi_percent_decode(char *to, const char *s, size_t n, bool plus)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '%' && n - i > 2 && goi_hex_digit(s[i + 1]) >= 0 &&
            goi_hex_digit(s[i + 2]) >= 0) {
            to[len++] = (char)(goi_hex_digit(s[i + 1]) * 16 + goi_hex_digit(s[i + 2]));
            i += 2;
        } else {
            to[len++] = (char)(plus && s[i] == '+' ? ' ' : s[i]);
        }
    }
    return len;
}

bool goi_percent_valid(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '%' && (n - i <= 2 || goi_hex_digit(s[i + 1]) < 0 ||
                            goi_hex_digit(s[i + 2]) < 0)) {
            return false;
        }
    }
    return true;
}

static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

void goi_date_format(time_t t, char buf[GOI_DATE_BYTES])
{
    struct tm tm;
    memset(&tm, 0, sizeof tm);
    gmtime_r(&t, &tm);
    /* The year has four digits until 9999; the array says so to the compiler. */
    char year[5];
    unsigned y = (unsigned)(tm.tm_year + 1900) % 10000;
    for (int i = 3; i >= 0; i--) {
        year[i] = (char)('0' + y % 10);
        y /= 10;
    }
    year[4] = '\0';
    snprintf(buf, GOI_DATE_BYTES, "%s, %02u %s %s %02u:%02u:%02u GMT",
             days[(unsigned)tm.tm_wday % 7], (unsigned)tm.tm_mday % 100,
             months[(unsigned)tm.tm_mon % 12], year, (unsigned)tm.tm_hour % 100,
             (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

static int month_of(const char *s)
{
    for (int i = 0; i < 12; i++) {
        if (memcmp(s, months[i], 3) == 0) {
            return i;
        }
    }
    return -1;
}

time_t goi_date_parse(const char *s)
{
    struct tm tm;
    memset(&tm, 0, sizeof tm);
    char month[4] = "";
    int end = 0;
    const char *comma = strchr(s, ',');
    const char *rest = comma != NULL ? comma + 1 : s + strcspn(s, " ");
    if (sscanf(rest, " %2d %3s %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month, &tm.tm_year,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) == 6 && end > 0) {
        tm.tm_year -= 1900;
    } else if (sscanf(rest, " %2d-%3s-%2d %2d:%2d:%2d GMT%n", &tm.tm_mday, month, &tm.tm_year,
                      &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) == 6 && end > 0) {
        tm.tm_year += tm.tm_year < 70 ? 100 : 0;
    } else if (sscanf(rest, " %3s %2d %2d:%2d:%2d %4d%n", month, &tm.tm_mday, &tm.tm_hour,
                      &tm.tm_min, &tm.tm_sec, &tm.tm_year, &end) == 6 && end > 0) {
        tm.tm_year -= 1900;
    } else {
        return -1;
    }
    tm.tm_mon = month_of(month);
    if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
        tm.tm_sec > 60 || tm.tm_year < 70) {
        return -1;
    }
    return timegm(&tm);
}
