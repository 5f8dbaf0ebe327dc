/* SPDX-License-Identifier: MIT */
/* Patterns of routes: what is refused and in which words, which conflict, and how paths are
 * cleaned. The cases and texts are those of Go's net/http (pattern_test.go, server_test.go). */
#include "harness.h"
#include "http/pattern.h"

#include <stdlib.h>

static void expect_error(const char *pattern, const char *want)
{
    struct text error = { 0 };
    struct pattern *p = goi_pattern_parse(pattern, "here:1", &error);
    EXPECT_EQ_PTR(p, NULL);
    EXPECT_CONTAINS(error.data != NULL ? error.data : "", want);
    goi_pattern_free(p);
    goi_text_free(&error);
}

TEST(pattern, malformed_ones_are_refused_in_go_s_words)
{
    expect_error("", "empty pattern");
    expect_error("A=B /", "at offset 0: invalid method \"A=B\"");
    expect_error(" ", "at offset 1: host/path missing /");
    expect_error("/{w}x", "at offset 1: bad wildcard segment (must end with '}')");
    expect_error("/x{w}", "at offset 1: bad wildcard segment (must start with '{')");
    expect_error("/{wx", "at offset 1: bad wildcard segment (must end with '}')");
    expect_error("/a/{/}/c", "at offset 3: bad wildcard segment (must end with '}')");
    expect_error("/a/{%61}/c", "at offset 3: bad wildcard name \"%61\"");
    expect_error("/{a$}", "at offset 1: bad wildcard name \"a$\"");
    expect_error("/{}", "at offset 1: empty wildcard");
    expect_error("POST a.com/x/{}/y", "at offset 13: empty wildcard");
    expect_error("/{...}", "at offset 1: empty wildcard");
    expect_error("/{$...}", "at offset 1: bad wildcard");
    expect_error("/{$}/", "at offset 1: {$} not at end");
    expect_error("/{$}/x", "at offset 1: {$} not at end");
    expect_error("/abc/{$}/x", "at offset 5: {$} not at end");
    expect_error("/{a...}/", "at offset 1: {...} wildcard not at end");
    expect_error("/{a...}/x", "at offset 1: {...} wildcard not at end");
    expect_error("{a}/b", "at offset 0: host contains '{' (missing initial '/'?)");
    expect_error("/a/{x}/b/{x...}", "at offset 9: duplicate wildcard name \"x\"");
    expect_error("GET //", "at offset 4: non-CONNECT pattern with unclean path can never match");
}

static struct pattern *parsed(const char *s)
{
    struct text error = { 0 };
    struct pattern *p = goi_pattern_parse(s, "here:1", &error);
    if (p == NULL) {
        FAIL("%s: %s", s, error.data);
    }
    REQUIRE(p != NULL);
    return p;
}

TEST(pattern, parts_are_found)
{
    struct pattern *p = parsed("GET example.com/a%2Fb/{id}/{rest...}");
    EXPECT_EQ_STR(p->method, "GET");
    EXPECT_EQ_STR(p->host, "example.com");
    REQUIRE_EQ_INT(p->count, 3);
    EXPECT_EQ_STR(p->segment[0].s, "a/b");
    EXPECT(!p->segment[0].wild);
    EXPECT_EQ_STR(p->segment[1].s, "id");
    EXPECT(p->segment[1].wild && !p->segment[1].multi);
    EXPECT_EQ_STR(p->segment[2].s, "rest");
    EXPECT(p->segment[2].wild && p->segment[2].multi);
    goi_pattern_free(p);
    p = parsed("POST \t  /a/");
    EXPECT_EQ_STR(p->method, "POST");
    REQUIRE_EQ_INT(p->count, 2);
    EXPECT(p->segment[1].multi);
    EXPECT_EQ_STR(p->segment[1].s, "");
    goi_pattern_free(p);
}

static void expect_relation(const char *a, const char *b, enum relation want)
{
    static const enum relation inverse[] = { EQUIVALENT, MORE_SPECIFIC, MORE_GENERAL, DISJOINT,
                                             OVERLAPS };
    struct pattern *p = parsed(a);
    struct pattern *q = parsed(b);
    if (goi_pattern_compare(p, q) != want || goi_pattern_compare(q, p) != inverse[want]) {
        FAIL("%s and %s: %d and %d, not %d", a, b, (int)goi_pattern_compare(p, q),
             (int)goi_pattern_compare(q, p), (int)want);
    }
    goi_pattern_free(p);
    goi_pattern_free(q);
}

TEST(pattern, relations_are_those_of_the_requests_that_match)
{
    expect_relation("/a", "/a", EQUIVALENT);
    expect_relation("/a", "/b", DISJOINT);
    expect_relation("/a", "/", MORE_SPECIFIC);
    expect_relation("/a/{x}", "/a/b", MORE_GENERAL);
    expect_relation("/a/{x}", "/a/{y}", EQUIVALENT);
    expect_relation("/a/{x}", "/{x}/b", OVERLAPS);
    expect_relation("/a/{x...}", "/a/", EQUIVALENT);
    expect_relation("/a/{$}", "/a/", MORE_SPECIFIC);
    expect_relation("/a/{$}", "/a/{x}", DISJOINT);
    expect_relation("/a/{x}/", "/a/b", DISJOINT);
    expect_relation("/a/{x}/{y...}", "/a/{x...}", MORE_SPECIFIC);
    expect_relation("/{x}/b/{y...}", "/a/{y...}", OVERLAPS);
    expect_relation("GET /a", "/a", MORE_SPECIFIC);
    expect_relation("GET /a", "HEAD /a", MORE_GENERAL);
    expect_relation("GET /a", "POST /a", DISJOINT);
    expect_relation("GET /", "/a", OVERLAPS);
    expect_relation("GET /a/", "HEAD /", OVERLAPS);
}

static void expect_description(const char *a, const char *b, const char *want)
{
    struct pattern *p = parsed(a);
    struct pattern *q = parsed(b);
    struct text text = { 0 };
    EXPECT(goi_pattern_conflict(p, q));
    goi_pattern_describe(p, q, &text);
    EXPECT_EQ_STR(text.data, want);
    goi_text_free(&text);
    goi_pattern_free(p);
    goi_pattern_free(q);
}

TEST(pattern, conflicts_are_explained_in_go_s_words)
{
    expect_description("/a/{x}", "/a/{y}", "/a/{x} matches the same requests as /a/{y}");
    expect_description("/{x}", "/{y}", "/{x} matches the same requests as /{y}");
    expect_description("/", "/{z...}", "/ matches the same requests as /{z...}");
    expect_description("POST /", "POST /{z...}",
                       "POST / matches the same requests as POST /{z...}");
    expect_description("/a/{x}", "/{x}/b",
                       "/a/{x} and /{x}/b both match some paths, like \"/a/b\".\n"
                       "But neither is more specific than the other.\n"
                       "/a/{x} matches \"/a/x\", but /{x}/b doesn't.\n"
                       "/{x}/b matches \"/x/b\", but /a/{x} doesn't.");
    expect_description("GET /", "/a", "GET / matches fewer methods than /a, but has a more general "
                                      "path pattern");
    expect_description("/a", "GET /", "/a matches more methods than GET /, but has a more specific "
                                      "path pattern");
}

TEST(pattern, different_hosts_do_not_conflict)
{
    struct pattern *p = parsed("a.com/{x}/b");
    struct pattern *q = parsed("/a/{x}");
    EXPECT(!goi_pattern_conflict(p, q));
    goi_pattern_free(p);
    goi_pattern_free(q);
}

static void expect_clean(const char *path, const char *want)
{
    struct text t = { 0 };
    goi_path_clean(path, strlen(path), &t);
    EXPECT_EQ_STR(t.data, want);
    if (path[0] == '/') {
        if (goi_path_is_clean(path, strlen(path)) != (strcmp(path, want) == 0)) {
            FAIL("%s: clean is told wrongly", path);
        }
    }
    goi_text_free(&t);
}

TEST(pattern, paths_are_cleaned)
{
    expect_clean("/", "/");
    expect_clean("//", "/");
    expect_clean("/a", "/a");
    expect_clean("/a/", "/a/");
    expect_clean("/a//b", "/a/b");
    expect_clean("/a/./b", "/a/b");
    expect_clean("/a/../b", "/b");
    expect_clean("/a/b/..", "/a");
    expect_clean("/a/b/../", "/a/");
    expect_clean("/..", "/");
    expect_clean("/../../a", "/a");
    expect_clean("/...", "/...");
    expect_clean("/.a/..b", "/.a/..b");
    expect_clean("/a/.", "/a");
    expect_clean("", "/");
}
