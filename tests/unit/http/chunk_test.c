/* SPDX-License-Identifier: MIT */
/* Chunked bodies: every body as a whole and in two parts at every place. */
#include "harness.h"
#include "http/chunk.h"

#include <stdio.h>
#include <stdlib.h>

/* Feeds n bytes; data goes to out. 1: done, with *used; 0: more is wanted; or an error. */
static int feed(struct chunk *c, const char *s, size_t n, char *out, size_t *used)
{
    size_t i = 0;
    while (i < n && c->state != CHUNK_DONE) {
        if (c->state == CHUNK_DATA) {
            strncat(out, s + i, 1);
            i++;
            c->left--;
            c->state = c->left == 0 ? CHUNK_DATA_CR : CHUNK_DATA;
            continue;
        }
        ssize_t r = goi_chunk_parse(c, s + i, n - i);
        if (r < 0) {
            return (int)r;
        }
        i += (size_t)r;
    }
    *used += i;
    return c->state == CHUNK_DONE;
}

/* The data, "more", or "bad"; and how much was used. */
static const char *run(const char *s, size_t split, size_t *used)
{
    static char out[256];
    struct chunk c = { 0 };
    size_t n = strlen(s);
    out[0] = '\0';
    *used = 0;
    int r = feed(&c, s, split, out, used);
    if (r == 0) {
        r = feed(&c, s + split, n - split, out, used);
    }
    return r < 0 ? "bad" : r == 0 ? "more" : out;
}

static void expect(const char *s, const char *want, size_t left)
{
    for (size_t split = 0; split <= strlen(s); split++) {
        size_t used;
        const char *got = run(s, split, &used);
        if (strcmp(got, want) != 0) {
            FAIL("%s, not %s: %s, split at %zu", got, want, s, split);
        } else if (strcmp(got, "bad") != 0 && used != strlen(s) - left) {
            FAIL("%zu bytes used of %s", used, s);
        }
    }
}

TEST(chunk, bodies_are_taken_apart)
{
    expect("0\r\n\r\n", "", 0);
    expect("3\r\nabc\r\n0\r\n\r\n", "abc", 0);
    expect("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET", "abcde", 3);
    expect("000003\r\nabc\r\n00\r\n\r\n", "abc", 0);
    expect("3;x=y;z=\"q\"\r\nabc\r\n0;end\r\n\r\n", "abc", 0);
    expect("1\r\na\r\n0\r\nTrailer: x\r\nOther:\r\n\r\n", "a", 0);
    expect("A\r\n0123456789\r\n0\r\n\r\n", "0123456789", 0);
    expect("3\r\nab", "more", 0);
    expect("", "more", 0);
}

TEST(chunk, bad_framing_is_refused)
{
    expect("\r\n", "bad", 0);
    expect("x\r\n", "bad", 0);
    expect("0x3\r\nabc\r\n", "bad", 0);
    expect("+3\r\nabc\r\n", "bad", 0);
    expect("-1\r\n", "bad", 0);
    expect(" 3\r\nabc\r\n", "bad", 0);
    expect("3\nabc\r\n", "bad", 0);
    expect("3\rabc\r\n", "bad", 0);
    expect("3\r\nabc\n0\r\n\r\n", "bad", 0);
    expect("3\r\nabcd\r\n", "bad", 0);
    expect("3\r\nabc\rX", "bad", 0);
    expect("3;a\nb\r\nabc\r\n", "bad", 0);
    expect("3;a\rb\r\nabc\r\n", "bad", 0);
    expect("1000000000000000\r\n", "bad", 0);
    expect("ffffffffffffffffff\r\n", "bad", 0);
    expect("0\r\nbad trailer: x\r\n\r\n", "bad", 0);
    expect("0\r\n: x\r\n\r\n", "bad", 0);
    expect("0\r\nno colon\r\n\r\n", "bad", 0);
    expect("0\r\nX: a\nb\r\n\r\n", "bad", 0);
    expect("0\r\n\n", "bad", 0);
    expect("0\r\n\rX", "bad", 0);
}

TEST(chunk, extensions_and_trailers_have_a_limit)
{
    struct chunk c = { 0 };
    EXPECT_EQ_INT(goi_chunk_parse(&c, "0;", 2), 2);
    ssize_t r = 0;
    for (int i = 0; i < 20000 && r >= 0; i++) {
        r = goi_chunk_parse(&c, "x", 1);
    }
    EXPECT_EQ_INT(r, -EPROTO);
}
