/* SPDX-License-Identifier: MIT */
/* site.c: the pages that are as they should be: a home page, sections, articles, and what they are
 * made of. All are made up when they are asked for, always the same. */
#include "site.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECTIONS = 12, ARTICLES = 300, EACH = ARTICLES / SECTIONS };

static const char *const words[] = {
    "river",  "stone",  "paper", "window", "garden", "winter", "letter", "bridge", "market",
    "forest", "island", "clock", "candle", "harbor", "meadow", "copper", "violin", "lantern",
    "orchard", "mirror", "station", "ladder", "pepper", "saddle", "thunder", "velvet", "walnut",
    "anchor", "basket", "carpet", "dragon", "engine",
};
enum { WORDS = sizeof words / sizeof words[0] };

static unsigned next(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

int page_begin(go_http_response *res, const char *title)
{
    int r = go_http_set_header(res, "Content-Type", "text/html; charset=utf-8");
    if (r == 0) {
        r = go_http_printf(res, "<!DOCTYPE html>\n<html lang=\"en\"><head>"
                                "<meta charset=\"utf-8\">\n"
                                "<link rel=\"stylesheet\" href=\"/style.css\">\n");
    }
    if (r == 0 && title != NULL) {
        r = go_http_printf(res, "<title>%s</title>\n", title);
    }
    return r != 0 ? r : go_http_printf(res, "</head><body>\n<p><a href=\"/\">"
                                            "<img src=\"/logo.svg\" alt=\"Home\"></a></p>\n");
}

int page_words(go_http_response *res, unsigned seed)
{
    unsigned state = seed * 2654435761u + 1;
    int r = 0;
    for (int paragraph = 0; paragraph < 6 && r == 0; paragraph++) {
        r = go_http_printf(res, "<p>");
        for (int i = 0; i < 60 && r == 0; i++) {
            const char *word = words[next(&state) % WORDS];
            r = go_http_printf(res, "%s%s", word, i % 12 == 11 ? ".\n" : " ");
        }
        r = r == 0 ? go_http_printf(res, "</p>\n") : r;
    }
    return r;
}

int page_end(go_http_response *res)
{
    return go_http_printf(res, "</body></html>\n");
}

static int home(go_http_request *req, go_http_response *res, void *arg)
{
    int r = page_begin(res, "The demonstration &mdash; home");
    (void)req;
    (void)arg;
    for (int i = 1; i <= SECTIONS && r == 0; i++) {
        r = go_http_printf(res, "<p><a href=\"/section/%d\">Section %d</a></p>\n", i, i);
    }
    return r != 0 ? r : page_end(res);
}

static int number(go_http_request *req, int most)
{
    int n = atoi(go_http_path_value(req, "n"));
    return n >= 1 && n <= most ? n : 0;
}

static int section(go_http_request *req, go_http_response *res, void *arg)
{
    int n = number(req, SECTIONS);
    char title[64];
    (void)arg;
    if (n == 0) {
        return go_http_error(res, 404, NULL);
    }
    snprintf(title, sizeof title, "Section %d", n);
    int r = page_begin(res, title);
    for (int i = (n - 1) * EACH + 1; i <= n * EACH && r == 0; i++) {
        r = go_http_printf(res, "<p><a href='../article/%d#top'>Article %d</a></p>\n", i, i);
    }
    return r != 0 ? r : page_end(res);
}

static int article(go_http_request *req, go_http_response *res, void *arg)
{
    int n = number(req, ARTICLES);
    char title[64];
    (void)arg;
    if (n == 0) {
        return go_http_error(res, 404, NULL);
    }
    snprintf(title, sizeof title, "Article %d: the %s", n, words[n % WORDS]);
    int r = page_begin(res, title);
    if (r == 0) {
        r = go_http_printf(res, "<h1 id=\"top\">%s</h1>\n<p><a href=\"/section/%d\">Back</a> "
                                "<a href=%d>Next</a></p>\n",
                           title, (n - 1) / EACH + 1, n % ARTICLES + 1);
    }
    r = r == 0 ? page_words(res, (unsigned)n) : r;
    return r != 0 ? r : page_end(res);
}

static int entry(go_http_response *res, const char *host, const char *path, int n)
{
    char number[16] = "";
    if (n > 0) {
        snprintf(number, sizeof number, "%d", n);
    }
    return go_http_printf(res, "<url><loc>http://%s%s%s</loc></url>\n", host, path, number);
}

static int sitemap(go_http_request *req, go_http_response *res, void *arg)
{
    const char *host = go_http_host(req);
    (void)arg;
    go_http_set_header(res, "Content-Type", "application/xml");
    int r = go_http_printf(res, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns="
                                "\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    r = r == 0 ? entry(res, host, "/", 0) : r;
    for (int i = 1; i <= SECTIONS && r == 0; i++) {
        r = entry(res, host, "/section/", i);
    }
    for (int i = 1; i <= ARTICLES && r == 0; i++) {
        r = entry(res, host, "/article/", i);
    }
    for (int i = 0; odd_paths[i] != NULL && r == 0; i++) {
        r = entry(res, host, odd_paths[i], 0);
    }
    return r != 0 ? r : go_http_printf(res, "</urlset>\n");
}

static int style(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_set_header(res, "Content-Type", "text/css");
    return go_http_printf(res, "body { font-family: serif; max-width: 40em; margin: auto; }\n");
}

static int logo(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_set_header(res, "Content-Type", "image/svg+xml");
    return go_http_printf(res, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\">"
                               "<title>Logo</title><circle cx=\"4\" cy=\"4\" r=\"4\"/></svg>\n");
}

int site_register(struct site *s, go_http_mux *mux)
{
    static const struct {
        const char *pattern;
        go_http_handler *handler;
    } pages[] = {
        { "GET /{$}", home },           { "GET /section/{n}", section },
        { "GET /article/{n}", article }, { "GET /sitemap.xml", sitemap },
        { "GET /style.css", style },    { "GET /logo.svg", logo },
    };
    int r = 0;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0] && r == 0; i++) {
        r = go_http_handle(mux, pages[i].pattern, pages[i].handler, s);
    }
    return r != 0 ? r : odd_register(s, mux);
}
