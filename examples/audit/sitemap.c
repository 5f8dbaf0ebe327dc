/* SPDX-License-Identifier: MIT */
/* sitemap.c: reads sitemaps (sitemaps.org) by expat. A sitemap lists pages, a sitemap index lists
 * sitemaps; either may come from a server or from a file. */
#include "audit.h"

#include <errno.h>
#include <expat.h>

enum { DEPTH = 8, SITEMAPS_MAX = 1000, URLS_MAX = 1000000 };

struct reader {
    const char *base;       /* where it came from, when that is a url */
    struct strings *pages, *sitemaps;
    char name[DEPTH][16];   /* of the open elements */
    int depth;
    char *loc;
    size_t used, room;
    size_t wrong;           /* entries that are no address */
};

/* "http://www.sitemaps.org/schemas/sitemap/0.9\nurl" is a url element. */
static const char *local_name(const char *name)
{
    const char *nl = strrchr(name, '\n');
    return nl != NULL ? nl + 1 : name;
}

static void on_start(void *arg, const char *name, const char **attributes)
{
    struct reader *r = arg;
    (void)attributes;
    if (r->depth < DEPTH) {
        snprintf(r->name[r->depth], sizeof r->name[0], "%s", local_name(name));
    }
    r->depth++;
    r->used = 0;
}

/* Whether the open elements end in parent and loc, at their proper depth. */
static bool in_loc(const struct reader *r, const char *parent)
{
    return r->depth == 3 && strcmp(r->name[1], parent) == 0 && strcmp(r->name[2], "loc") == 0;
}

static void on_text(void *arg, const char *s, int n)
{
    struct reader *r = arg;
    for (int i = 0; i < n && r->depth == 3; i++) {
        bool blank = strchr(" \t\r\n", s[i]) != NULL; /* no address has any */
        if (!blank) {
            r->loc = grow(r->loc, r->used + 1, &r->room, 1);
            r->loc[r->used++] = s[i];
        }
    }
}

static void on_end(void *arg, const char *name)
{
    struct reader *r = arg;
    struct strings *list = in_loc(r, "url")       ? r->pages
                           : in_loc(r, "sitemap") ? r->sitemaps
                                                  : NULL;
    char *url = NULL;
    (void)name;
    if (list != NULL && r->used > 0) {
        r->loc[r->used] = '\0';
        if (url_resolve(r->base, r->loc, &url) != REF_PAGE) {
            r->wrong++;
        } else if (list->count < URLS_MAX) {
            strings_add(list, url);
        } else {
            free(url);
        }
    }
    r->depth--;
    r->used = 0;
}

static bool parse(struct reader *r, const char *place, const char *text, size_t n)
{
    XML_Parser x = must_have(XML_ParserCreateNS(NULL, '\n'));
    XML_SetUserData(x, r);
    XML_SetElementHandler(x, on_start, on_end);
    XML_SetCharacterDataHandler(x, on_text);
    bool good = n <= INT32_MAX && XML_Parse(x, text, (int)n, 1) == XML_STATUS_OK;
    if (!good) {
        fprintf(stderr, "audit: %s:%lu: %s\n", place, XML_GetCurrentLineNumber(x),
                XML_ErrorString(XML_GetErrorCode(x)));
    } else if (r->wrong > 0) {
        fprintf(stderr, "audit: %s: %zu entries are no address of a page\n", place, r->wrong);
    }
    XML_ParserFree(x);
    free(r->loc);
    return good;
}

static bool is_url(const char *place)
{
    return strncmp(place, "http://", 7) == 0 || strncmp(place, "https://", 8) == 0;
}

static bool from_server(struct fetcher *f, struct reader *r, const char *url)
{
    go_http_result answer;
    int error = fetch_sitemap(f, url, &answer);
    bool good = false;
    if (error != 0) {
        fprintf(stderr, "audit: %s: %s\n", url,
                answer.error != NULL ? answer.error : strerror(-error));
    } else if (answer.status != 200) {
        fprintf(stderr, "audit: %s: %d %s\n", url, answer.status,
                go_http_status_text(answer.status));
    } else {
        r->base = answer.url;
        good = parse(r, url, answer.body, answer.size);
    }
    go_http_result_free(&answer);
    return good;
}

static bool from_file(struct reader *r, const char *file)
{
    FILE *in = fopen(file, "re");
    char *text = NULL;
    size_t n = 0, room = 0, got = 1;
    while (in != NULL && got > 0) {
        if (room - n < 65536) {
            room = 2 * room + 65536;
            text = must_have(realloc(text, room));
        }
        got = fread(text + n, 1, room - n, in);
        n += got;
    }
    bool good = in != NULL && !ferror(in);
    if (!good) {
        fprintf(stderr, "audit: cannot read %s: %s\n", file, strerror(errno));
    }
    if (in != NULL) {
        fclose(in);
    }
    good = good && parse(r, file, text, n);
    free(text);
    return good;
}

bool sitemap_read(struct fetcher *f, const char *place, struct strings *urls)
{
    struct strings sitemaps = { 0 };
    bool good = true;
    strings_add(&sitemaps, copy(place));
    for (size_t i = 0; i < sitemaps.count && i < SITEMAPS_MAX && good; i++) {
        struct reader r = { .pages = urls, .sitemaps = &sitemaps };
        const char *next = sitemaps.item[i];
        good = is_url(next) ? from_server(f, &r, next) : from_file(&r, next);
    }
    strings_free(&sitemaps);
    if (good && urls->count == 0) {
        fprintf(stderr, "audit: %s lists no pages\n", place);
    }
    return good && urls->count > 0;
}
