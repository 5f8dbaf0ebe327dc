/* SPDX-License-Identifier: MIT */
/* mux.h: the table of routes as the server asks it. */
#ifndef GOI_HTTP_MUX_H
#define GOI_HTTP_MUX_H

#include <gort/http.h>
#include <gort/sync.h>

#include "pattern.h"

/* A place in a path where the search may have to come back to. */
struct choice {
    const struct node *node;
    uint32_t at;        /* the rest of the path begins here */
    uint8_t values;
    uint8_t stage;      /* what is tried next: literal, {name}, {name...} */
};

/* What a search found, and its working space. */
struct match {
    const struct pattern *pattern; /* NULL: nothing */
    go_http_handler *handler;
    void *arg;
    int values;
    struct {
        const char *s; /* into the path, not decoded */
        uint32_t n;
    } value[GOI_SEGMENTS_MAX];
    struct choice choice[GOI_SEGMENTS_MAX + 2];
};

enum route {
    ROUTE_FOUND,
    ROUTE_REDIRECT,     /* to the path in *text */
    ROUTE_NOT_FOUND,
    ROUTE_NOT_ALLOWED,  /* the methods for Allow in *text */
    ROUTE_NO_MEMORY,
};

/* Looks for the handler of a clean or unclean escaped path. host may have a port. `unclean` says
 * that cleaning may change the path. Does not park; the table does not change meanwhile. */
enum route goi_mux_route(const go_http_mux *mux, const char *host, const char *method,
                         const char *path, uint32_t n, bool unclean, struct match *m,
                         struct text *text);

/* Registers; release(arg) is called when the table is freed, or at once on failure. */
int goi_mux_handle(go_http_mux *mux, const char *pattern, go_http_handler *handler, void *arg,
                   void (*release)(void *arg), const char *site);

/* A reference more, one less: a connection that outlives its server still has its table. */
go_http_mux *goi_mux_ref(go_http_mux *mux);

#endif
