/* SPDX-License-Identifier: MIT */
/* html.h: the title, the links and a fingerprint of the words of an HTML page. */
#ifndef AUDIT_HTML_H
#define AUDIT_HTML_H

#include "util.h"

struct html {
    char *title;            /* NULL: none */
    char *base;             /* of <base href>, or NULL */
    struct strings links;   /* as they are written, entities replaced */
    uint64_t text;          /* a hash of the words outside title, scripts and styles; 0: no words */
};

/* Reads n bytes of whatever they are. In one pass and in constant stack. */
void html_scan(const char *s, size_t n, struct html *out);
void html_free(struct html *h);

#endif
