/* SPDX-License-Identifier: MIT */
/* audit: visits all pages of a web site and says what is wrong with them.
 *
 *     gort build -o audit examples/audit/[a-z]*.c -lcurl -lexpat
 *     ./audit --html report.html https://example.org/sitemap.xml
 *
 * docs/AUDIT.md explains it. Read crawl.c first: that is where the goroutines are. */
#include "audit.h"

#include <errno.h>
#include <getopt.h>
#include <gort/short.h>
#include <signal.h>

static const char help[] =
    "usage: audit [options] SITEMAP\n"
    "\n"
    "Visits the pages of a sitemap, a url or a file, and everything they link to.\n"
    "\n"
    "  --routes FILE     what is expected of which path (docs/AUDIT.md)\n"
    "  --json FILE       writes the report as JSON, too\n"
    "  --html FILE       writes the report as a page with charts, too\n"
    "  --all             shows all pages in the table, not only those with findings\n"
    "  --report-only     exit status 0 in spite of findings\n"
    "  --workers N       pages under way at a time (16)\n"
    "  --rate N          requests a second to one host (100)\n"
    "  --retries N       how often to ask again after passing failures (2)\n"
    "  --backoff TIME    before the first of these, twice as long before each next (200ms)\n"
    "  --timeout TIME    for one request (10s)\n"
    "  --deadline TIME   for everything (10m)\n"
    "  --max-time TIME   a page that takes longer is slow (1s)\n"
    "  --max-size SIZE   a page that is larger is large (1M)\n"
    "  --depth N         looks for links on pages so far from the sitemap (0: its own pages)\n"
    "  --no-external     does not check links to other hosts\n"
    "\n"
    "Exit status: 0 all is well, 1 findings, 2 it could not begin, 3 it ended early.\n";

enum { OTHERS = 256 };

static const struct option options[] = {
    { "routes", required_argument, NULL, 'r' },   { "json", required_argument, NULL, 'j' },
    { "html", required_argument, NULL, 'h' },     { "all", no_argument, NULL, 'a' },
    { "report-only", no_argument, NULL, 'o' },    { "workers", required_argument, NULL, 'w' },
    { "rate", required_argument, NULL, 'p' },     { "retries", required_argument, NULL, 'n' },
    { "backoff", required_argument, NULL, 'b' },  { "timeout", required_argument, NULL, 't' },
    { "deadline", required_argument, NULL, 'd' }, { "max-time", required_argument, NULL, 's' },
    { "max-size", required_argument, NULL, 'l' }, { "depth", required_argument, NULL, 'e' },
    { "no-external", no_argument, NULL, 'x' },    { "help", no_argument, NULL, OTHERS },
    { 0 },
};

static bool parse_int(const char *s, int least, int most, int *out)
{
    char *end;
    errno = 0;
    long n = strtol(s, &end, 10);
    *out = (int)n;
    return errno == 0 && end != s && *end == '\0' && n >= least && n <= most;
}

static bool parse_rate(const char *s, double *out)
{
    char *end;
    *out = strtod(s, &end);
    return end != s && *end == '\0' && *out > 0 && *out <= 1e6;
}

/* One option; false: its value is wrong. */
static bool set_option(struct options *o, int c)
{
    switch (c) {
    case 'r':
        o->routes = optarg;
        return true;
    case 'j':
        o->json = optarg;
        return true;
    case 'h':
        o->html = optarg;
        return true;
    case 'a':
        o->all = true;
        return true;
    case 'o':
        o->report_only = true;
        return true;
    case 'x':
        o->external = false;
        return true;
    case 'w':
        return parse_int(optarg, 1, 10000, &o->workers);
    case 'n':
        return parse_int(optarg, 0, 20, &o->retries);
    case 'e':
        return parse_int(optarg, 0, 1000, &o->depth);
    case 'p':
        return parse_rate(optarg, &o->rate);
    case 'b':
        return parse_duration(optarg, &o->backoff);
    case 't':
        return parse_duration(optarg, &o->timeout);
    case 'd':
        return parse_duration(optarg, &o->deadline);
    case 's':
        return parse_duration(optarg, &o->slow);
    case 'l':
        return parse_size(optarg, &o->large);
    default:
        return false;
    }
}

/* -1: go on; otherwise the exit status. */
static int read_options(int argc, char **argv, struct options *o)
{
    int c = 0, which = -1;
    *o = (struct options){ .workers = 16, .retries = 2, .depth = 0, .rate = 100, .external = true,
                           .timeout = 10 * GO_SEC, .deadline = 600 * GO_SEC,
                           .backoff = 200 * GO_MS, .slow = GO_SEC, .large = 1000000 };
    for (;;) {
        c = getopt_long(argc, argv, "", options, &which);
        if (c == -1) {
            break;
        }
        if (c == OTHERS) {
            fputs(help, stdout);
            return 0;
        }
        if (c == '?') {
            return 2;
        }
        if (!set_option(o, c)) {
            fprintf(stderr, "audit: --%s cannot be %s\n", options[which].name, optarg);
            return 2;
        }
    }
    if (optind != argc - 1) {
        fputs(help, stderr);
        return 2;
    }
    o->sitemap = argv[optind];
    o->depth++; /* a page is searched when its distance is less than this */
    o->limit = 8 * o->large;
    return -1;
}

static bool write_file(const char *name, const struct report *r,
                       void (*write)(const struct report *, FILE *))
{
    if (name == NULL) {
        return true;
    }
    FILE *out = fopen(name, "we");
    bool good = out != NULL;
    if (good) {
        write(r, out);
        good = !ferror(out);
        good = fclose(out) == 0 && good;
    }
    if (!good) {
        fprintf(stderr, "audit: cannot write %s: %s\n", name, strerror(errno));
    }
    return good;
}

static int write_reports(const struct crawl *c)
{
    struct findings findings;
    struct report r;
    check(c, &findings);
    report_make(&r, c, &findings);
    table_write(&r, stdout);
    bool good = write_file(c->o->json, &r, json_write) && write_file(c->o->html, &r, html_write);
    int status = !good            ? 2
                 : c->end != 0    ? 3
                 : findings.count == 0 || c->o->report_only ? 0 : 1;
    findings_free(&findings);
    return status;
}

static int audit(const struct options *o, const struct routes *routes)
{
    /* Ctrl-C ends the context, and so does the deadline; what was found by then is reported. */
    go_ctx *stop = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
    go_ctx *ctx = must_have(ctx_with_timeout(must_have(stop), o->deadline));
    struct crawl c = { .o = o, .routes = routes };
    struct strings sitemap = { 0 };
    int status = 2;
    c.fetcher = (struct fetcher){ .ctx = ctx, .o = o, .hosts = { .rate = o->rate } };
    if (sitemap_read(&c.fetcher, o->sitemap, &sitemap)) {
        crawl(&c, &sitemap);
        status = write_reports(&c);
    }
    strings_free(&sitemap);
    crawl_free(&c);
    go_http_close_idle();
    ctx_free(ctx);
    ctx_free(stop);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    struct routes routes;
    int status = read_options(argc, argv, &o);
    if (status >= 0) {
        return status;
    }
    status = routes_read(o.routes, &routes) ? audit(&o, &routes) : 2;
    routes_free(&routes);
    return status;
}
