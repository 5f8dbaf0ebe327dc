/* SPDX-License-Identifier: MIT */
/* Heads of requests: what is taken, and what is refused with which status. Every head is also given
 * byte by byte, which must end in the same. */
#include "harness.h"
#include "http/head.h"

#include <stdlib.h>

#define HOST "Host: a\r\n"

static struct head head;

/* 200, or the status of the refusal; 0 when more is wanted. */
static int status_of(const char *s, size_t n)
{
    size_t from = 0;
    char *copy = malloc(n + 1); /* exactly as long as the head, so that a tool sees reads beyond */
    memcpy(copy, s, n);
    ssize_t size = goi_head_scan(copy, n, &from);
    from = 0;
    ssize_t step = 0;
    for (size_t i = 0; i <= n && step == 0; i++) {
        step = goi_head_scan(copy, i, &from);
    }
    if ((size < 0) != (step < 0) || (size > 0 && step != size)) {
        FAIL("in steps %zd, at once %zd: %s", step, size, s);
    }
    int status = size < 0 ? (int)-size : 0;
    if (size > 0) {
        char *exact = malloc((size_t)size);
        memcpy(exact, copy, (size_t)size);
        status = goi_head_parse(&head, exact, (size_t)size);
        status = status == 0 ? 200 : status;
        free(exact);
    }
    free(copy);
    return status;
}

static void expect(int want, const char *s)
{
    int got = status_of(s, strlen(s));
    if (got != want) {
        FAIL("%d, not %d: %s", got, want, s);
    }
}

TEST(head, plain_requests_are_taken)
{
    expect(200, "GET / HTTP/1.1\r\n" HOST "\r\n");
    expect(200, "GET / HTTP/1.0\r\n\r\n");
    expect(200, "GET /a%41?x=%z HTTP/1.1\r\n" HOST "\r\n");
    expect(200, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
    expect(200, "GET http://a/b HTTP/1.1\r\n" HOST "\r\n");
    expect(200, "GET / HTTP/1.1\r\n" HOST "X:\r\n\r\n");
    expect(200, "GET / HTTP/1.1\r\n" HOST "X: \t \r\n\r\n");
    expect(200, "GET / HTTP/1.1\r\n" HOST "X: \xc3\xa4 \r\n\r\n");
    expect(200, "GET / HTTP/1.1\r\n" HOST "X:a\tb \r\n\r\n");
    expect(200, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST "\r\n");
    expect(200, "POST / HTTP/1.1\r\nTransfer-Encoding:  Chunked \r\n" HOST "\r\n");
    expect(200, "PUT / HTTP/1.1\r\n" HOST "Upgrade: x\r\nConnection: Upgrade\r\n\r\n");
    expect(0, "GET / HTTP/1.1\r\n" HOST);
}

TEST(head, line_ends_are_strict)
{
    expect(400, "GET / HTTP/1.1\n" HOST "\r\n");
    expect(400, "GET / HTTP/1.1\r\nHost: a\n\r\n");
    expect(400, "GET / HTTP/1.1\r\nHost: a\n\n");
    expect(400, "GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n");
    expect(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\r\n\r\n");
    expect(400, "GET / HTTP/1.1\r\nX: b\r\n c\r\n" HOST "\r\n");
    expect(400, "GET / HTTP/1.1\r\nX: b\r\n\tc\r\n" HOST "\r\n");
    expect(400, "GET / HTTP/1.1\r\n " HOST "\r\n");
    expect(400, "GET / HTTP/1.1\r\n" HOST "\r\r\n");
}

TEST(head, control_characters_are_refused)
{
    static const char *const at[] = {
        "GET /%cx HTTP/1.1\r\nHost: a\r\n\r\n", "G%cET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHo%cst: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: a%cb\r\n\r\n",
    };
    for (int c = 0; c < 256; c++) {
        for (size_t i = 0; i < 4; i++) {
            char s[80];
            const char *mark = strstr(at[i], "%c");
            size_t before = (size_t)(mark - at[i]);
            memcpy(s, at[i], before);
            s[before] = (char)c;
            size_t rest = strlen(mark + 2);
            memcpy(s + before + 1, mark + 2, rest);
            int status = status_of(s, before + 1 + rest);
            bool bad = c < 32 ? c != '\t' || i != 3 : c == 127;
            bad |= c >= 128 && i != 3;
            if (bad && status != 400) {
                FAIL("byte %d at place %zu: %d", c, i, status);
            }
            if (i == 3 && !bad && status != 200) {
                FAIL("byte %d in a value: %d", c, status);
            }
        }
    }
}

TEST(head, the_first_line_is_strict)
{
    expect(400, "GET  / HTTP/1.1\r\n" HOST "\r\n");
    expect(400, "GET /  HTTP/1.1\r\n" HOST "\r\n");
    expect(400, "GET / HTTP/1.1 \r\n" HOST "\r\n");
    expect(400, " GET / HTTP/1.1\r\n" HOST "\r\n");
    expect(400, "GET /\r\n" HOST "\r\n");
    expect(400, "GET / http/1.1\r\n" HOST "\r\n");
    expect(400, "GET / HTTP/1\r\n" HOST "\r\n");
    expect(400, "GET / HTTP/11.1\r\n" HOST "\r\n");
    expect(400, "GET b HTTP/1.1\r\n" HOST "\r\n");
    expect(400, "GET /a%zz HTTP/1.1\r\n" HOST "\r\n");
    expect(400, "GET /a%4 HTTP/1.1\r\n" HOST "\r\n");
    expect(400, "GET /a#b HTTP/1.1\r\n" HOST "\r\n");
    expect(400, "GET /\xc3 HTTP/1.1\r\n" HOST "\r\n");
    expect(505, "GET / HTTP/2.0\r\n" HOST "\r\n");
    expect(505, "GET / HTTP/1.2\r\n" HOST "\r\n");
    expect(505, "GET / HTTP/0.9\r\n" HOST "\r\n");
    expect(501, "FROB / HTTP/1.1\r\n" HOST "\r\n");
}

TEST(head, names_are_tokens_and_the_colon_follows)
{
    expect(400, "GET / HTTP/1.1\r\nX : b\r\n" HOST "\r\n");
    expect(400, "GET / HTTP/1.1\r\nX\t: b\r\n" HOST "\r\n");
    expect(400, "GET / HTTP/1.1\r\nX y: b\r\n" HOST "\r\n");
    expect(400, "GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n");
    expect(400, "GET / HTTP/1.1\r\n" HOST "abc\r\n\r\n");
    expect(400, "GET / HTTP/1.1\r\n" HOST "a(b): c\r\n\r\n");
    expect(400, "GET / HTTP/1.1\r\n" HOST "\xc3\xa4: c\r\n\r\n");
}

TEST(head, smuggling_is_refused)
{
    expect(400, "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n" HOST "\r\n");
    expect(400, "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n" HOST "\r\n");
    expect(400, "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n" HOST "\r\n");
    expect(400, "POST / HTTP/1.1\r\nContent-Length: +1\r\n" HOST "\r\n");
    expect(400, "POST / HTTP/1.1\r\nContent-Length: -1\r\n" HOST "\r\n");
    expect(400, "POST / HTTP/1.1\r\nContent-Length: 0x1\r\n" HOST "\r\n");
    expect(400, "POST / HTTP/1.1\r\nContent-Length: 1 1\r\n" HOST "\r\n");
    expect(400, "POST / HTTP/1.1\r\nContent-Length:\r\n" HOST "\r\n");
    expect(400, "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n" HOST
                "\r\n");
    expect(400, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n" HOST
                "\r\n");
    expect(400, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
                HOST "\r\n");
    expect(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" HOST "\r\n");
    expect(501, "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" HOST "\r\n");
    expect(501, "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n" HOST "\r\n");
    expect(501, "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n" HOST "\r\n");
    expect(501, "POST / HTTP/1.1\r\nTransfer-Encoding:\r\n" HOST "\r\n");
    expect(400, "POST / HTTP/1.1\r\nTransfer-Encoding: \x0b" "chunked\r\n" HOST "\r\n");
    expect(413, "GET / HTTP/1.1\r\n" HOST "Content-Length: 9999999999999999999\r\n\r\n");
    expect(400, "GET / HTTP/1.1\r\n\r\n");
    expect(400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n");
    expect(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
    expect(417, "GET / HTTP/1.1\r\n" HOST "Expect: wonders\r\n\r\n");
}

TEST(head, what_is_known_of_it_is_found)
{
    char s[] = "POST /p%20q?a=b HTTP/1.1\r\nhost: h:1\r\nConnection: keep-alive, Upgrade\r\n"
               "content-LENGTH: 42\r\nExpect: 100-Continue\r\nX-Long:  a b \t\r\n\r\n";
    size_t from = 0;
    ssize_t n = goi_head_scan(s, sizeof s - 1, &from);
    REQUIRE_EQ_INT(n, sizeof s - 1);
    REQUIRE_EQ_INT(goi_head_parse(&head, s, (size_t)n), 0);
    EXPECT_EQ_STR(head.method, "POST");
    EXPECT_EQ_STR(head.target, "/p%20q?a=b");
    EXPECT_EQ_INT(head.path_len, 6);
    EXPECT(head.has_percent && !head.unclean && head.keep_alive && head.upgrade && head.expect);
    EXPECT_EQ_INT(head.content_length, 42);
    EXPECT_EQ_STR(head.host, "h:1");
    REQUIRE_EQ_INT(head.count, 5);
    EXPECT_EQ_STR(head.header[4].name, "X-Long");
    EXPECT_EQ_STR(head.header[4].value, "a b");
}

TEST(head, keep_alive_follows_version_and_connection)
{
    expect(200, "GET / HTTP/1.1\r\n" HOST "\r\n");
    EXPECT(head.keep_alive);
    expect(200, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    EXPECT(!head.keep_alive);
    expect(200, "GET / HTTP/1.0\r\n" HOST "\r\n");
    EXPECT(!head.keep_alive);
    expect(200, "GET / HTTP/1.0\r\n" HOST "Connection: Keep-Alive\r\n\r\n");
    EXPECT(head.keep_alive);
}

TEST(head, there_is_a_limit_of_fields)
{
    char s[2048] = "GET / HTTP/1.1\r\n" HOST;
    for (int i = 1; i < GOI_HEADERS_MAX; i++) {
        strcat(s, "X: y\r\n");
    }
    size_t n = strlen(s);
    strcpy(s + n, "\r\n");
    expect(200, s);
    strcpy(s + n, "X: y\r\n\r\n");
    expect(431, s);
}
