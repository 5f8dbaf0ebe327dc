/* SPDX-License-Identifier: MIT */
/* pattern.h: the patterns of routes, and how two of them relate. */
#ifndef GOI_HTTP_PATTERN_H
#define GOI_HTTP_PATTERN_H

#include "text.h"

enum { GOI_SEGMENTS_MAX = 64 };

/* A trailing slash is a wild multi segment without a name; {$} is the literal "/". */
struct segment {
    const char *s; /* literal or name; the pattern's */
    bool wild, multi;
};

struct pattern {
    char *str;          /* as it was written */
    char *words;        /* what method, host and segments point into */
    const char *method; /* "" for any */
    const char *host;   /* "" for any */
    const char *site;
    int count;
    struct segment segment[];
};

/* Parses it; NULL, and why in *error, when it is malformed (or when memory ran out). */
struct pattern *goi_pattern_parse(const char *s, const char *site, struct text *error);
void goi_pattern_free(struct pattern *p);

enum relation {
    EQUIVALENT,
    MORE_GENERAL,
    MORE_SPECIFIC,
    DISJOINT,
    OVERLAPS,
};
/* What p1 is to p2. */
enum relation goi_pattern_compare_paths(const struct pattern *p1, const struct pattern *p2);
enum relation goi_pattern_compare(const struct pattern *p1, const struct pattern *p2);

/* Whether some request matches both and none of them is more specific. */
bool goi_pattern_conflict(const struct pattern *p1, const struct pattern *p2);
/* Why, in Go's words, for two that conflict. */
void goi_pattern_describe(const struct pattern *p1, const struct pattern *p2, struct text *out);

/* The path without //, /. and /.. appended to out. */
void goi_path_clean(const char *path, size_t n, struct text *out);
/* Whether cleaning would change it. */
bool goi_path_is_clean(const char *path, size_t n);

#endif
