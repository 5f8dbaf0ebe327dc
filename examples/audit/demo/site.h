/* SPDX-License-Identifier: MIT */
/* site.h: a made-up site of some hundred pages, a few of which are at fault, on purpose. */
#ifndef DEMO_SITE_H
#define DEMO_SITE_H

#include <gort.h>
#include <gort/http.h>

struct site {
    go_duration slow;       /* what the slow page takes */
    int closed_port;        /* nobody listens there */
    go_word visits;         /* of the page that fails twice */
};

/* A page at fault, and the kind of finding that it is. */
struct planted {
    const char *kind, *path;
};

/* All there are, the last one with NULLs. */
extern const struct planted planted[];

/* Registers everything. The site must last as long as the table. 0 or an error. */
int site_register(struct site *s, go_http_mux *mux);
/* The pages at fault, and those that only look so; in odd.c. */
int odd_register(struct site *s, go_http_mux *mux);
/* Their paths that are in the sitemap, the last one NULL. */
extern const char *const odd_paths[];

/* The parts of every page. A title of NULL is none at all. */
int page_begin(go_http_response *res, const char *title);
int page_words(go_http_response *res, unsigned seed);
int page_end(go_http_response *res);

#endif
