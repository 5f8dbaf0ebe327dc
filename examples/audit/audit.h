/* SPDX-License-Identifier: MIT */
/* audit.h: what the parts of the auditor share.
 *
 * A page belongs to the goroutine that has it: crawl.c's coordinator makes it and sends it to a
 * worker, the worker fills in its visit and sends it back. So there are no locks around pages. Only
 * the hosts, whose rate limits all workers share, have one. */
#ifndef AUDIT_H
#define AUDIT_H

#include <gort.h>
#include <gort/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "util.h"

/* Redirects that are followed; links of one page that are looked at. */
enum { HOPS_MAX = 10, LINKS_MAX = 10000 };

struct options {
    const char *sitemap, *routes, *json, *html;
    int workers;            /* goroutines that fetch */
    int retries;            /* how often a page is asked for again after a passing failure */
    int depth;              /* links are looked for on pages so far from the sitemap */
    double rate;            /* requests a second and host */
    bool external;          /* check links to other hosts */
    bool all;               /* the table has all pages, not only those with findings */
    bool report_only;       /* exit status 0 in spite of findings */
    go_duration timeout;    /* of one request */
    go_duration deadline;   /* of the whole audit */
    go_duration backoff;    /* before the first retry; doubles each time */
    go_duration slow;       /* a page that takes longer is a finding */
    int64_t large;          /* so is one that is larger */
    int64_t limit;          /* no more than this is read of a body */
};

/* ---- urls, url.c ---------------------------------------------------------------------------- */

enum reference { REF_PAGE, REF_OTHER, REF_MALFORMED };

/* What a reference on a page at base (or NULL) means: REF_PAGE, and *url is absolute, without
 * fragment, in one spelling, the caller's; REF_OTHER (mailto: and the like); or REF_MALFORMED. */
enum reference url_resolve(const char *base, const char *ref, char **url);
/* "http://host:port" of such a url, the caller's; and what follows it, which begins with a /. */
char *url_origin(const char *url);
const char *url_path(const char *url);
/* A url as its readers want it: without the site's origin. */
const char *url_short(const char *site, const char *url);

/* ---- expected routes, routes.c -------------------------------------------------------------- */

struct route {
    char *path;             /* one that ends in * stands for all that begin so */
    int status;
    char *to, *title, *contains, *type; /* NULL: whatever */
    go_duration max_time;   /* 0: the option's */
    int64_t max_size;
};

struct routes {
    struct route *item;
    size_t count;
};

/* Reads the file; NULL is an empty one. False after a complaint on standard error. */
bool routes_read(const char *file, struct routes *out);
void routes_free(struct routes *r);
/* The route for a path: the same, else the longest pattern, else NULL. */
const struct route *routes_find(const struct routes *r, const char *path);

/* ---- pages ---------------------------------------------------------------------------------- */

/* What a worker found out about a page. */
struct visit {
    bool done;              /* false: the audit ended before */
    int error;              /* 0: somebody answered */
    char *error_text;
    int first_status;       /* before redirects */
    int status;
    int hops;               /* redirects that were followed */
    bool loop;
    char *first_target;     /* where the first one led */
    int attempts;           /* of the request that took most of them */
    char *title;            /* NULL: none */
    char *type;
    bool is_html;
    int64_t size;
    uint64_t text;          /* a hash of the words; 0: no words */
    bool lacks;             /* what the route says it contains */
    struct strings links;   /* absolute */
    struct strings malformed;
    int lane;               /* which worker */
    go_duration start, end; /* from the beginning of the crawl */
    go_duration first_byte, total; /* of the last request */
};

enum { FROM_SITEMAP = 1, FROM_ROUTES = 2, FROM_LINK = 4 };

struct page {
    char *url;
    const char *site;       /* the audited one's origin; the crawl's */
    size_t index;           /* in the order in which they became known */
    int from;
    int depth;
    bool local;             /* of the audited site */
    const struct route *route;
    struct page **targets;  /* of the links */
    size_t target_count;
    struct visit visit;
};

struct pages {
    struct page **item;
    size_t count, room;
    void *by_url;           /* of tsearch(3) */
};

/* ---- hosts, fetch.c ------------------------------------------------------------------------- */

struct hosts {
    go_mutex mu;
    void *by_origin;
    double rate;
};

void hosts_free(struct hosts *h);

/* Fetches a page with all that goes with it and fills in its visit. */
struct fetcher {
    go_ctx *ctx;
    const struct options *o;
    struct hosts hosts;
    go_time start;
};

void fetch_page(struct fetcher *f, struct page *p, int lane);
/* Fetches a sitemap. The result is the caller's also after an error. */
int fetch_sitemap(struct fetcher *f, const char *url, go_http_result *r);

/* ---- the sitemap, sitemap.c ----------------------------------------------------------------- */

/* The urls of a sitemap and of all that it refers to. False after a complaint. */
bool sitemap_read(struct fetcher *f, const char *place, struct strings *urls);

/* ---- the crawl, crawl.c --------------------------------------------------------------------- */

struct crawl {
    const struct options *o;
    const struct routes *routes;
    struct fetcher fetcher;
    char *site;             /* the origin of the first page */
    struct pages pages;
    go_duration took;
    size_t visited, failed;
    int end;                /* 0; or why it ended early: -ECANCELED, -ETIMEDOUT */
};

/* Visits all pages of the sitemap and of the routes, and what they link to. */
void crawl(struct crawl *c, const struct strings *sitemap);
void crawl_free(struct crawl *c);

/* ---- the progress bar, progress.c ----------------------------------------------------------- */

void progress_show(const struct crawl *c, size_t flying);
void progress_clear(void);

/* ---- findings, check.c ---------------------------------------------------------------------- */

/* The kinds of findings: name, weight (2: broken, 1: should be looked at), what it means. */
#define KINDS(X) \
    X(STATUS, "status", 2, "answered with another status than expected") \
    X(UNREACHABLE, "unreachable", 2, "did not answer, or not to the end") \
    X(TIMEOUT, "timeout", 2, "did not answer in time") \
    X(BROKEN_LINK, "broken-link", 2, "links to something that is not there") \
    X(MALFORMED_LINK, "malformed-link", 2, "has a link that is no address") \
    X(REDIRECT_LOOP, "redirect-loop", 2, "redirects without end") \
    X(REDIRECT_CHAIN, "redirect-chain", 1, "is reached by several redirects") \
    X(REDIRECT, "redirect", 1, "redirects, or not to where it should") \
    X(CONTENT, "content", 2, "is not what was expected") \
    X(NO_TITLE, "no-title", 1, "has no title") \
    X(DUPLICATE_TITLE, "duplicate-title", 1, "has the title of another page") \
    X(DUPLICATE_CONTENT, "duplicate-content", 1, "has the words of another page") \
    X(SLOW, "slow", 1, "takes too long") \
    X(LARGE, "large", 1, "is too large") \
    X(FLAKY, "flaky", 1, "answers only when asked again")

#define KIND_ENUM(id, name, weight, text) id,
enum kind { KINDS(KIND_ENUM) KIND_COUNT };

struct finding {
    enum kind kind;
    const struct page *page;
    char *detail;
};

struct findings {
    struct finding *item;
    size_t count, room;
};

const char *kind_name(enum kind k);
const char *kind_text(enum kind k);
int kind_weight(enum kind k);

/* In the order of the pages. */
void check(const struct crawl *c, struct findings *out);
void findings_free(struct findings *f);

/* ---- reports -------------------------------------------------------------------------------- */

struct report {
    const struct crawl *crawl;
    const struct findings *findings;
    size_t unvisited;
    size_t of_kind[KIND_COUNT];
    int64_t bytes;
    go_duration median, p95, slowest; /* of the pages' times */
};

void report_make(struct report *r, const struct crawl *c, const struct findings *f);
void table_write(const struct report *r, FILE *out);
void json_write(const struct report *r, FILE *out);
void html_write(const struct report *r, FILE *out);
void chart_lanes(const struct report *r, FILE *out);
void chart_slowest(const struct report *r, FILE *out);
/* The text with &, <, > and quotes replaced. */
void html_text(FILE *out, const char *s);

#endif
