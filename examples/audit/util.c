/* SPDX-License-Identifier: MIT */
/* util.c: see util.h. */
#define _GNU_SOURCE 1 /* vasprintf */
#include "util.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must_have(void *p)
{
    if (p == NULL) {
        fprintf(stderr, "audit: out of memory\n");
        exit(2);
    }
    return p;
}

char *copy_n(const char *s, size_t n)
{
    char *to = must_have(malloc(n + 1));
    memcpy(to, s, n);
    to[n] = '\0';
    return to;
}

char *copy(const char *s)
{
    return copy_n(s, strlen(s));
}

char *format(const char *f, ...)
{
    char *s = NULL;
    va_list args;
    va_start(args, f);
    int n = vasprintf(&s, f, args);
    va_end(args);
    return must_have(n < 0 ? NULL : s);
}

void *grow(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return items;
    }
    *room = *room > 0 ? 2 * *room : 16;
    return must_have(realloc(items, *room * size));
}

void strings_add(struct strings *list, char *s)
{
    list->item = grow(list->item, list->count, &list->room, sizeof *list->item);
    list->item[list->count++] = s;
}

void strings_free(struct strings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->item[i]);
    }
    free(list->item);
    *list = (struct strings){ 0 };
}

size_t utf8_length(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    bool wrong = (p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 ||
                 (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
                 (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f);
    for (size_t i = 1; i < n && !wrong; i++) {
        wrong = (p[i] & 0xc0) != 0x80;
    }
    return wrong ? 0 : n;
}

char *clean(char *s)
{
    if (s == NULL) {
        return NULL;
    }
    char *to = must_have(malloc(3 * strlen(s) + 1)), *at = to;
    for (const char *p = s; *p != '\0';) {
        size_t n = utf8_length(p);
        bool c1 = n == 2 && (unsigned char)p[0] == 0xc2 && (unsigned char)p[1] < 0xa0;
        if (n == 0) {
            memcpy(at, "\xef\xbf\xbd", 3);
            at += 3;
            p++;
        } else if (c1 || (n == 1 && iscntrl((unsigned char)*p))) {
            *at++ = ' ';
            p += n;
        } else {
            memcpy(at, p, n);
            at += n;
            p += n;
        }
    }
    *at = '\0';
    free(s);
    return to;
}

bool parse_duration(const char *s, go_duration *out)
{
    char *unit;
    double x = strtod(s, &unit);
    double scale = strcmp(unit, "ms") == 0                       ? (double)GO_MS
                   : strcmp(unit, "s") == 0 || unit[0] == '\0'   ? (double)GO_SEC
                   : strcmp(unit, "m") == 0                      ? 60.0 * (double)GO_SEC
                                                                 : 0;
    if (unit == s || scale == 0 || !(x > 0) || x * scale > 1e18) {
        return false;
    }
    *out = (go_duration)(x * scale);
    return true;
}

bool parse_size(const char *s, int64_t *out)
{
    char *unit;
    double x = strtod(s, &unit);
    double scale = unit[0] == '\0'            ? 1
                   : strcmp(unit, "k") == 0   ? 1e3
                   : strcmp(unit, "M") == 0   ? 1e6
                                              : 0;
    if (unit == s || scale == 0 || !(x >= 1) || x * scale > 1e15) {
        return false;
    }
    *out = (int64_t)(x * scale);
    return true;
}

const char *show_size(int64_t bytes, char *buf, size_t n)
{
    if (bytes < 1000) {
        snprintf(buf, n, "%d B", (int)bytes);
    } else if (bytes < 1000000) {
        snprintf(buf, n, "%.1f kB", (double)bytes / 1e3);
    } else {
        snprintf(buf, n, "%.1f MB", (double)bytes / 1e6);
    }
    return buf;
}

const char *show_duration(go_duration d, char *buf, size_t n)
{
    double ms = (double)d / (double)GO_MS;
    if (ms < 1000) {
        snprintf(buf, n, "%.*f ms", ms < 10 ? 1 : 0, ms);
    } else {
        snprintf(buf, n, "%.2f s", ms / 1e3);
    }
    return buf;
}
