/* SPDX-License-Identifier: MIT */
/* odd.c: the pages at fault, and a few that are odd and yet no fault. `planted` says what an audit
 * with routes.txt has to find; it is to find that and nothing else. */
#include "site.h"

#include <stdio.h>
#include <string.h>

const struct planted planted[] = {
    { "status", "/odd/missing" },            /* in the sitemap, and not there */
    { "status", "/odd/gone" },
    { "status", "/odd/error" },              /* 500, each time it is asked */
    { "status", "/odd/unlisted" },           /* in routes.txt alone, and not there */
    { "unreachable", "/odd/cut" },           /* the connection breaks within the page */
    { "broken-link", "/odd/link-inside" },
    { "broken-link", "/odd/link-outside" },  /* to another port, where nobody listens */
    { "broken-link", "/odd/link-loop" },
    { "malformed-link", "/odd/links" },
    { "redirect-loop", "/odd/loop" },
    { "redirect-chain", "/odd/chain" },
    { "redirect", "/odd/moved" },            /* the sitemap has the old address */
    { "redirect", "/odd/promotion" },        /* not to where routes.txt says */
    { "content", "/odd/wrong-text" },
    { "content", "/odd/wrong-type" },
    { "content", "/odd/wrong-title" },
    { "no-title", "/odd/untitled" },
    { "no-title", "/odd/blank-title" },
    { "duplicate-title", "/odd/twin-b" },
    { "duplicate-content", "/odd/copy-b" },
    { "slow", "/odd/slow" },
    { "large", "/odd/large" },
    { "large", "/odd/endless" },
    { "flaky", "/odd/flaky" },               /* fails twice, then answers */
    { NULL, NULL },
};

const char *const odd_paths[] = {
    "/odd/missing",    "/odd/gone",       "/odd/error",      "/odd/cut",
    "/odd/link-inside", "/odd/link-outside", "/odd/link-loop", "/odd/links",
    "/odd/loop",       "/odd/chain",      "/odd/moved",      "/odd/promotion",
    "/odd/wrong-text", "/odd/wrong-type", "/odd/wrong-title", "/odd/untitled",
    "/odd/blank-title", "/odd/twin-a",    "/odd/twin-b",     "/odd/copy-a",
    "/odd/copy-b",     "/odd/slow",       "/odd/large",      "/odd/endless",
    "/odd/flaky",      "/odd/old",        "/odd/private",    "/odd/deep",
    "/odd/bytes",      NULL,
};

static int plain_page(go_http_response *res, const char *title, unsigned seed, const char *extra)
{
    int r = page_begin(res, title);
    r = r == 0 ? page_words(res, seed) : r;
    r = r == 0 ? go_http_printf(res, "%s", extra) : r;
    return r != 0 ? r : page_end(res);
}

/* ---- pages by their text -------------------------------------------------------------------- */

static const struct text_page {
    const char *pattern, *title;
    unsigned seed;
    const char *extra;
} text_pages[] = {
    { "GET /odd/link-inside", "A link within", 1001, "<a href=\"/nowhere\">there</a>" },
    { "GET /odd/link-loop", "A link to a loop", 1002, "<a href=\"/odd/loop\">round</a>" },
    { "GET /odd/links", "Links of all kinds", 1003,
      "<a href=\"http://[not-an-address/\">bad</a> <a href=\"mailto:a@example.org\">mail</a>\n"
      "<a href=\"#here\">here</a> <a href=\"\">me</a> <a name=\"here\">no link</a>\n"
      "<!-- <a href=\"/commented-out\"> --> <script>'<a href=\"/scripted\">'</script>\n"
      "<a href=\"javascript:void(0)\">js</a> <A HREF = '../article/7?a=1&amp;b=2'>good</A>\n" },
    { "GET /odd/wrong-text", "Prices", 1004, "<p>Coming soon.</p>" },
    { "GET /odd/wrong-title", "Untitled document", 1005, "" },
    { "GET /odd/untitled", NULL, 1006, "<svg><title>A picture's</title></svg>" },
    { "GET /odd/blank-title", " \n ", 1007, "" },
    { "GET /odd/twin-a", "Twins &amp; others", 1008, "" },
    { "GET /odd/twin-b", "Twins &#38;\n others", 1009, "" },
    { "GET /odd/copy-a", "The original", 1010, "<p>Word for word.</p>" },
    { "GET /odd/copy-b", "The copy", 1010, "<div>Word for\n word.</div>" },
    { "GET /odd/bytes", "B\xfctes \x01 that are no UTF-8", 1011, "<a href=\"/article/1\"" },
};

static int text_page(go_http_request *req, go_http_response *res, void *arg)
{
    const struct text_page *p = arg;
    (void)req;
    return plain_page(res, p->title, p->seed, p->extra);
}

/* ---- redirects ------------------------------------------------------------------------------ */

static const struct hop {
    const char *pattern;
    int status;
    const char *to;
} hops[] = {
    { "GET /odd/loop", 302, "/odd/loop-2" },
    { "GET /odd/loop-2", 302, "loop" },
    { "GET /odd/chain", 301, "/odd/chain-2" },
    { "GET /odd/chain-2", 301, "/odd/chain-3" },
    { "GET /odd/chain-3", 308, "/article/3" },
    { "GET /odd/moved", 301, "/article/2" },
    { "GET /odd/promotion", 302, "/article/6" },
    { "GET /odd/old", 301, "/article/4" },
};

static int hop(go_http_request *req, go_http_response *res, void *arg)
{
    const struct hop *h = arg;
    (void)req;
    return go_http_redirect(res, h->status, h->to);
}

/* ---- pages that take more doing ------------------------------------------------------------- */

static int error_page(go_http_request *req, go_http_response *res, void *arg)
{
    const char *path = go_http_path(req);
    (void)arg;
    return go_http_error(res, strcmp(path, "/odd/gone") == 0      ? 410
                              : strcmp(path, "/odd/private") == 0 ? 403
                                                                  : 500, NULL);
}

static int link_outside(go_http_request *req, go_http_response *res, void *arg)
{
    const struct site *s = arg;
    char link[64];
    (void)req;
    snprintf(link, sizeof link, "<a href=\"http://127.0.0.1:%d/shop\">shop</a>", s->closed_port);
    return plain_page(res, "A link to a neighbour", 1020, link);
}

/* Says that it is long, and breaks off. */
static int cut(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_set_header(res, "Content-Length", "10000");
    go_http_set_header(res, "Connection", "close");
    int r = page_begin(res, "Cut off");
    return r != 0 ? r : go_http_flush(res);
}

static int wrong_type(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_set_header(res, "Content-Type", "application/octet-stream");
    return go_http_printf(res, "<title>Price list</title>");
}

static int slow(go_http_request *req, go_http_response *res, void *arg)
{
    const struct site *s = arg;
    (void)req;
    go_sleep(s->slow);
    return plain_page(res, "Slow", 1021, "");
}

/* Half again as much as is allowed. */
static int large(go_http_request *req, go_http_response *res, void *arg)
{
    int r = page_begin(res, "Large");
    (void)req;
    (void)arg;
    for (int i = 0; i < 1500 && r == 0; i++) {
        r = go_http_printf(res, "<p>%01000d</p>\n", i);
    }
    return r != 0 ? r : page_end(res);
}

/* Goes on until the client has enough. */
static int endless(go_http_request *req, go_http_response *res, void *arg)
{
    int r = page_begin(res, "Endless");
    (void)req;
    (void)arg;
    while (r == 0) {
        r = go_http_printf(res, "<p>%01000d</p>\n", 0);
    }
    return 0; /* this is how it ends, and no error of the site's */
}

/* Fails twice, answers once, and so on. */
static int flaky(go_http_request *req, go_http_response *res, void *arg)
{
    struct site *s = arg;
    static go_mutex mu;
    (void)req;
    go_mutex_lock(&mu);
    bool answer = ++s->visits % 3 == 0;
    go_mutex_unlock(&mu);
    return answer ? plain_page(res, "Flaky", 1022, "") : go_http_error(res, 503, NULL);
}

/* Elements in elements in elements: no fault, but many a parser's end. */
static int deep(go_http_request *req, go_http_response *res, void *arg)
{
    int r = page_begin(res, "Deep");
    (void)req;
    (void)arg;
    for (int i = 0; i < 100000 && r == 0; i++) {
        r = go_http_printf(res, "<b><i>");
    }
    return r != 0 ? r : go_http_printf(res, "at the bottom");
}

int odd_register(struct site *s, go_http_mux *mux)
{
    static const struct {
        const char *pattern;
        go_http_handler *handler;
    } pages[] = {
        { "GET /odd/gone", error_page },    { "GET /odd/error", error_page },
        { "GET /odd/private", error_page }, { "GET /odd/link-outside", link_outside },
        { "GET /odd/cut", cut },            { "GET /odd/wrong-type", wrong_type },
        { "GET /odd/slow", slow },          { "GET /odd/large", large },
        { "GET /odd/endless", endless },    { "GET /odd/flaky", flaky },
        { "GET /odd/deep", deep },
    };
    int r = 0;
    for (size_t i = 0; i < sizeof text_pages / sizeof text_pages[0] && r == 0; i++) {
        r = go_http_handle(mux, text_pages[i].pattern, text_page, (void *)&text_pages[i]);
    }
    for (size_t i = 0; i < sizeof hops / sizeof hops[0] && r == 0; i++) {
        r = go_http_handle(mux, hops[i].pattern, hop, (void *)&hops[i]);
    }
    for (size_t i = 0; i < sizeof pages / sizeof pages[0] && r == 0; i++) {
        r = go_http_handle(mux, pages[i].pattern, pages[i].handler, s);
    }
    return r;
}
