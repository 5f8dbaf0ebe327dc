/* SPDX-License-Identifier: MIT */
/* util.h: strings and lists of them. Running out of memory ends the program. */
#ifndef AUDIT_UTIL_H
#define AUDIT_UTIL_H

#include <gort.h>
#include <stdint.h>

struct strings {
    char **item;
    size_t count, room;
};

void *must_have(void *p);
char *copy(const char *s);
char *copy_n(const char *s, size_t n);
char *format(const char *f, ...) GO_PRINTF(1, 2);

/* Appends s, which is the list's from now on. */
void strings_add(struct strings *list, char *s);
void strings_free(struct strings *list);
/* Makes room for one more element in an array of elements of that size. */
void *grow(void *items, size_t count, size_t *room, size_t size);

/* The same text as UTF-8 without control characters, in place of s, which is freed: what comes from
 * a server must not steer a terminal or spoil a report. NULL stays NULL. */
char *clean(char *s);
/* The length of the UTF-8 character at s, 0 when there is none. */
size_t utf8_length(const char *s);

/* "250ms", "2s", "3m"; "300k", "2M", "17". False when it is neither. */
bool parse_duration(const char *s, go_duration *out);
bool parse_size(const char *s, int64_t *out);
/* "12.3 kB", "140 ms" into buf; buf. */
const char *show_size(int64_t bytes, char *buf, size_t n);
const char *show_duration(go_duration d, char *buf, size_t n);

#endif
