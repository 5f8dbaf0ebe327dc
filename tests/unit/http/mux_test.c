/* SPDX-License-Identifier: MIT */
/* The table of routes: which pattern wins, what wildcards stand for, redirects, other methods. */
#include "harness.h"
#include "http/mux.h"

#include <stdio.h>
#include <stdlib.h>

static int nothing(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)res;
    (void)arg;
    return 0;
}

static go_http_mux *mux_of(const char *const *patterns)
{
    go_http_mux *mux = go_http_mux_make();
    for (; *patterns != NULL; patterns++) {
        EXPECT_EQ_INT(go_http_handle(mux, *patterns, nothing, NULL), 0);
    }
    if (go_http_mux_error(mux) != NULL) {
        FAIL("%s", go_http_mux_error(mux));
    }
    return mux;
}

/* "PATTERN value value", "-> path", "405 methods" or "404". */
static void route(const go_http_mux *mux, const char *host, const char *method, const char *path,
                  char *out, size_t room)
{
    static struct match m;
    struct text t = { 0 };
    size_t n = strlen(path);
    bool unclean = !goi_path_is_clean(path, n);
    switch (goi_mux_route(mux, host, method, path, (uint32_t)n, unclean, &m, &t)) {
    case ROUTE_FOUND: {
        int len = snprintf(out, room, "%s", m.pattern->str);
        for (int i = 0; i < m.values; i++) {
            len += snprintf(out + len, room - (size_t)len, " %.*s", (int)m.value[i].n,
                            m.value[i].s);
        }
        break;
    }
    case ROUTE_REDIRECT:
        snprintf(out, room, "-> %s", t.data);
        break;
    case ROUTE_NOT_ALLOWED:
        snprintf(out, room, "405 %s", t.data);
        break;
    case ROUTE_NOT_FOUND:
        snprintf(out, room, "404");
        break;
    case ROUTE_NO_MEMORY:
        snprintf(out, room, "no memory");
        break;
    }
    goi_text_free(&t);
}

static void expect(const go_http_mux *mux, const char *host, const char *method, const char *path,
                   const char *want)
{
    char got[512];
    route(mux, host, method, path, got, sizeof got);
    if (strcmp(got, want) != 0) {
        FAIL("%s %s%s: %s, not %s", method, host, path, got, want);
    }
}

/* Go's TestRoutingNodeMatch. */
TEST(mux, the_most_specific_pattern_wins)
{
    static const char *const patterns[] = {
        "/a", "/a/b", "/a/{x}", "/g/h/i", "/g/{x}/j", "/a/b/{x...}", "/a/b/{y}", "/a/b/{$}", NULL,
    };
    go_http_mux *mux = mux_of(patterns);
    expect(mux, "", "GET", "/a", "/a");
    expect(mux, "", "GET", "/b", "404");
    expect(mux, "", "GET", "/a/b", "/a/b");
    expect(mux, "", "GET", "/a/c", "/a/{x} c");
    expect(mux, "", "GET", "/a/b/", "/a/b/{$}");
    expect(mux, "", "GET", "/a/b/c", "/a/b/{y} c");
    expect(mux, "", "GET", "/a/b/c/d", "/a/b/{x...} c/d");
    expect(mux, "", "GET", "/g/h/i", "/g/h/i");
    expect(mux, "", "GET", "/g/h/j", "/g/{x}/j h");
    go_http_mux_free(mux);
}

TEST(mux, the_search_comes_back_from_where_it_led_nowhere)
{
    static const char *const patterns[] = {
        "GET /a/b/c/d/x", "GET /a/b/{x}/d/y", "GET /{p}/{q}/{r}/{s}/z", "GET /{rest...}", NULL,
    };
    go_http_mux *mux = mux_of(patterns);
    expect(mux, "", "GET", "/a/b/c/d/x", "GET /a/b/c/d/x");
    expect(mux, "", "GET", "/a/b/c/d/y", "GET /a/b/{x}/d/y c");
    expect(mux, "", "GET", "/b/b/c/d/z", "GET /{p}/{q}/{r}/{s}/z b b c d");
    expect(mux, "", "GET", "/a/b/c/d/w", "GET /{rest...} a/b/c/d/w");
    go_http_mux_free(mux);
}

TEST(mux, hosts_and_methods_come_first)
{
    static const char *const patterns[] = {
        "/item/", "POST /item/{user}", "/item/{user}/{id}", "alt.com/item/{user}",
        "GET /x", "HEAD /y", "GET /y", "/{$}", NULL,
    };
    go_http_mux *mux = mux_of(patterns);
    expect(mux, "", "GET", "/item/jba", "/item/");
    expect(mux, "", "POST", "/item/jba", "POST /item/{user} jba");
    expect(mux, "", "GET", "/item/jba/17", "/item/{user}/{id} jba 17");
    expect(mux, "alt.com", "GET", "/item/jba", "alt.com/item/{user} jba");
    expect(mux, "ALT.com:8080", "POST", "/item/jba", "alt.com/item/{user} jba");
    expect(mux, "other.com", "GET", "/item/jba", "/item/");
    expect(mux, "", "HEAD", "/x", "GET /x");
    expect(mux, "", "HEAD", "/y", "HEAD /y");
    expect(mux, "", "GET", "/y", "GET /y");
    expect(mux, "", "GET", "/", "/{$}");
    expect(mux, "", "GET", "/z", "404");
    go_http_mux_free(mux);
}

TEST(mux, escapes_are_undone_segment_by_segment)
{
    static const char *const patterns[] = { "/a/b", "/a%2Fb/{x}", "/{p}", NULL };
    go_http_mux *mux = mux_of(patterns);
    expect(mux, "", "GET", "/a/b", "/a/b");
    expect(mux, "", "GET", "/%61/%62", "/a/b");
    expect(mux, "", "GET", "/a%2Fb", "/{p} a%2Fb");
    expect(mux, "", "GET", "/a%2fb/c%20d", "/a%2Fb/{x} c%20d");
    go_http_mux_free(mux);
}

TEST(mux, paths_are_cleaned_and_get_their_slash_by_a_redirect)
{
    static const char *const patterns[] = {
        "/a/b", "/dir/", "/dir/{x}", "/tree/", "/w/{x}/", NULL,
    };
    go_http_mux *mux = mux_of(patterns);
    expect(mux, "", "GET", "/a//b", "-> /a/b");
    expect(mux, "", "GET", "/x/../a/./b", "-> /a/b");
    expect(mux, "", "GET", "/tree", "-> /tree/");
    expect(mux, "", "GET", "/w/1", "-> /w/1/");
    expect(mux, "", "GET", "/x//tree", "-> /x/tree");
    expect(mux, "", "GET", "//tree", "-> /tree/");
    expect(mux, "", "GET", "/dir/x", "/dir/{x} x");
    expect(mux, "", "GET", "/tree/x/y", "/tree/");
    go_http_mux_free(mux);
}

TEST(mux, other_methods_are_told)
{
    static const char *const patterns[] = {
        "GET /x", "POST /x", "PUT /x/{y}", "DELETE h.org/x", "PATCH /z/", NULL,
    };
    go_http_mux *mux = mux_of(patterns);
    expect(mux, "", "PUT", "/x", "405 GET, HEAD, POST");
    expect(mux, "h.org", "PUT", "/x", "405 DELETE, GET, HEAD, POST");
    expect(mux, "", "GET", "/x/y", "405 PUT");
    expect(mux, "", "GET", "/z", "405 PATCH");
    expect(mux, "", "GET", "/w", "404");
    go_http_mux_free(mux);
}

TEST(mux, conflicts_name_both_places_and_spoil_the_table)
{
    go_http_mux *mux = go_http_mux_make();
    EXPECT_EQ_PTR(go_http_mux_error(mux), NULL);
    EXPECT_EQ_INT(goi_http_handle(mux, "/a/{x}", nothing, NULL, "one.c:1"), 0);
    EXPECT_EQ_INT(goi_http_handle(mux, "/{x}/b", nothing, NULL, "two.c:2"), -EEXIST);
    EXPECT_EQ_INT(go_http_handle(mux, "nonsense", nothing, NULL), -EINVAL);
    EXPECT_EQ_STR(go_http_mux_error(mux),
                  "pattern \"/{x}/b\" (registered at two.c:2) conflicts with pattern \"/a/{x}\" "
                  "(registered at one.c:1):\n"
                  "/{x}/b and /a/{x} both match some paths, like \"/a/b\".\n"
                  "But neither is more specific than the other.\n"
                  "/{x}/b matches \"/x/b\", but /a/{x} doesn't.\n"
                  "/a/{x} matches \"/a/x\", but /{x}/b doesn't.");
    go_http_mux_free(mux);
    mux = go_http_mux_make();
    EXPECT_EQ_INT(go_http_handle(mux, "/{w}x", nothing, NULL), -EINVAL);
    EXPECT_EQ_STR(go_http_mux_error(mux),
                  "parsing \"/{w}x\": at offset 1: bad wildcard segment (must end with '}')");
    go_http_mux_free(mux);
    mux = go_http_mux_make();
    EXPECT_EQ_INT(go_http_handle(mux, "/", NULL, NULL), -EINVAL);
    EXPECT_EQ_STR(go_http_mux_error(mux), "http: nil handler");
    go_http_mux_free(mux);
    go_http_mux_free(NULL);
}

/* N2: as deep as it goes, with a place to come back to at every segment. */
TEST(mux, the_deepest_search_ends)
{
    struct text path = { 0 };
    struct text pattern = { 0 };
    struct text mixed = { 0 };
    for (int i = 0; i < GOI_SEGMENTS_MAX; i++) {
        goi_text_str(&path, "/a");
        goi_text_printf(&pattern, "/{w%d}", i);
        goi_text_str(&mixed, i < GOI_SEGMENTS_MAX - 1 ? "/a" : "/b");
    }
    go_http_mux *mux = go_http_mux_make();
    EXPECT_EQ_INT(go_http_handle(mux, pattern.data, nothing, NULL), 0);
    EXPECT_EQ_INT(go_http_handle(mux, mixed.data, nothing, NULL), 0);
    static struct match m;
    struct text t = { 0 };
    EXPECT_EQ_INT(goi_mux_route(mux, "", "GET", path.data, (uint32_t)path.len, false, &m, &t),
                  ROUTE_FOUND);
    EXPECT_EQ_INT(m.values, GOI_SEGMENTS_MAX);
    goi_text_str(&path, "/a");
    EXPECT_EQ_INT(goi_mux_route(mux, "", "GET", path.data, (uint32_t)path.len, false, &m, &t),
                  ROUTE_NOT_FOUND);
    goi_text_str(&pattern, "/{more}");
    EXPECT_EQ_INT(go_http_handle(mux, pattern.data, nothing, NULL), -EINVAL);
    go_http_mux_free(mux);
    goi_text_free(&path);
    goi_text_free(&pattern);
    goi_text_free(&mixed);
    goi_text_free(&t);
}

/* Against a search that tries every pattern: random tables, random paths. */

enum { RANDOM_PATTERNS = 24 };

static uint64_t seed;

static unsigned draw(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % n;
}

static void random_pattern(char *text, size_t room)
{
    static const char *const last[] = { "a", "b", "c", "{$}", "", "{r...}" };
    int depth = 1 + (int)draw(3);
    size_t n = 0;
    for (int k = 0; k < depth; k++) {
        bool wild = draw(3) == 0;
        const char *word = last[draw(k == depth - 1 ? 6 : 2)];
        n += (size_t)(wild ? snprintf(text + n, room - n, "/{x%d}", k) :
                             snprintf(text + n, room - n, "/%s", word));
    }
}

/* Fills a table; what is in it goes to all as well. */
static int random_table(go_http_mux *mux, struct pattern **all)
{
    int count = 0;
    for (int i = 0; i < RANDOM_PATTERNS; i++) {
        char text[64];
        struct text why = { 0 };
        random_pattern(text, sizeof text);
        struct pattern *p = goi_pattern_parse(text, "x", &why);
        goi_text_free(&why);
        REQUIRE(p != NULL);
        bool clash = false;
        for (int k = 0; k < count; k++) {
            clash |= goi_pattern_conflict(p, all[k]);
        }
        if (clash) {
            goi_pattern_free(p);
            continue;
        }
        REQUIRE_EQ_INT(go_http_handle(mux, text, nothing, NULL), 0);
        all[count++] = p;
    }
    return count;
}

/* The most specific of all that match. A path is a pattern that matches only itself, but for a
 * slash at its end. */
static const struct pattern *best_of(struct pattern *const *all, int count, const char *path)
{
    struct text exact = { 0 };
    struct text why = { 0 };
    goi_text_printf(&exact, "%s%s", path, path[strlen(path) - 1] == '/' ? "{$}" : "");
    struct pattern *q = goi_pattern_parse(exact.data, "x", &why);
    const struct pattern *best = NULL;
    for (int k = 0; k < count; k++) {
        enum relation r = goi_pattern_compare(all[k], q);
        if ((r == EQUIVALENT || r == MORE_GENERAL) &&
            (best == NULL || goi_pattern_compare(all[k], best) == MORE_SPECIFIC)) {
            best = all[k];
        }
    }
    goi_pattern_free(q);
    goi_text_free(&exact);
    goi_text_free(&why);
    return best;
}

TEST(mux, the_tree_finds_what_comparing_all_patterns_finds)
{
    static const char *const path[] = {
        "/", "/a", "/b", "/c", "/a/", "/a/b", "/a/b/", "/b/c/a", "/a/a/b", "/c/c/c", "/a/b/c/d",
    };
    seed = test_seed() | 1;
    for (long round = test_iterations(300); round > 0; round--) {
        go_http_mux *mux = go_http_mux_make();
        struct pattern *all[RANDOM_PATTERNS];
        int count = random_table(mux, all);
        for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
            const struct pattern *best = best_of(all, count, path[i]);
            char got[256];
            route(mux, "", "GET", path[i], got, sizeof got);
            if (strncmp(got, "-> ", 3) == 0) {
                continue; /* the path with a slash is exact: it is asked for by itself */
            }
            const char *want = best != NULL ? best->str : "404";
            size_t len = strlen(want);
            if (strncmp(got, want, len) != 0 || (got[len] != '\0' && got[len] != ' ')) {
                FAIL("%s: %s, not %s", path[i], got, want);
            }
        }
        for (int k = 0; k < count; k++) {
            goi_pattern_free(all[k]);
        }
        go_http_mux_free(mux);
    }
}
