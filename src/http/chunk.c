/* SPDX-License-Identifier: MIT */
/* chunk.c: the framing of chunked bodies (RFC 9112, 7.1).
 *
 * Strict where programs that read it otherwise would find another end of the body:
 *
 *   K1  A size has one to 15 hexadecimal digits, neither sign nor prefix nor blank before it, and
 *       its line and the data end in CR LF. (goi_chunk_parse)
 *   K2  Extensions and trailers are skipped, and there are at most 16 KiB of them in a body.
 *       (goi_chunk_parse)
 *   K3  A trailer's line has a token and a colon, and no control character but a tab; it becomes
 *       part of nothing. (goi_chunk_parse)
 *
 * The parser libraries do this as well; Debian's http_parser takes anything behind a CR, which is
 * why they are not asked.
 */
#include "chunk.h"
#include "text.h"

enum { OVERHEAD_MAX = 16 << 10, SIZE_MAX_DIGITS = 15 };

static int on_size(struct chunk *c, char ch)
{
    int digit = goi_hex_digit(ch);
    if (digit >= 0) {
        if (c->left >> (4 * (SIZE_MAX_DIGITS - 1)) != 0) {
            return -EPROTO; /* K1 */
        }
        c->left = c->left * 16 + digit;
        c->state = CHUNK_SIZE;
        return 0;
    }
    if (c->state == CHUNK_SIZE_FIRST) {
        return -EPROTO;
    }
    if (ch == '\r') {
        c->state = CHUNK_SIZE_LF;
    } else if (ch == ';' || ch == ' ' || ch == '\t') {
        c->state = CHUNK_EXTENSION;
    } else {
        return -EPROTO;
    }
    return 0;
}

/* A line that is skipped; `next` is the state behind its CR. */
static int on_skipped(struct chunk *c, char ch, enum chunk_state next)
{
    if (ch == '\r') {
        c->state = (uint8_t)next;
        return 0;
    }
    return ++c->overhead > OVERHEAD_MAX || !goi_is_field_value(&ch, 1) ? -EPROTO : 0; /* K2, K3 */
}

static int on_name(struct chunk *c, char ch)
{
    if (ch == ':' && c->state == CHUNK_TRAILER_NAME) {
        c->state = CHUNK_TRAILER;
        return 0;
    }
    c->state = CHUNK_TRAILER_NAME;
    return ++c->overhead > OVERHEAD_MAX || !goi_is_token(&ch, 1) ? -EPROTO : 0; /* K3 */
}

static int expect(struct chunk *c, char ch, char wanted, enum chunk_state next)
{
    c->state = (uint8_t)next;
    return ch == wanted ? 0 : -EPROTO; /* K1 */
}

static int step(struct chunk *c, char ch)
{
    switch ((enum chunk_state)c->state) {
    case CHUNK_SIZE_FIRST:
    case CHUNK_SIZE:
        return on_size(c, ch);
    case CHUNK_EXTENSION:
        return on_skipped(c, ch, CHUNK_SIZE_LF);
    case CHUNK_SIZE_LF:
        return expect(c, ch, '\n', c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER_FIRST);
    case CHUNK_DATA_CR:
        return expect(c, ch, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        c->left = 0;
        return expect(c, ch, '\n', CHUNK_SIZE_FIRST);
    case CHUNK_TRAILER_FIRST:
        if (ch == '\r') {
            c->state = CHUNK_END_LF;
            return 0;
        }
        return on_name(c, ch);
    case CHUNK_TRAILER_NAME:
        return on_name(c, ch);
    case CHUNK_TRAILER:
        return on_skipped(c, ch, CHUNK_TRAILER_LF);
    case CHUNK_TRAILER_LF:
        return expect(c, ch, '\n', CHUNK_TRAILER_FIRST);
    case CHUNK_END_LF:
        return expect(c, ch, '\n', CHUNK_DONE);
    case CHUNK_DATA:
    case CHUNK_DONE:
        break;
    }
    return -EPROTO;
}

ssize_t goi_chunk_parse(struct chunk *c, const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && c->state != CHUNK_DATA && c->state != CHUNK_DONE) {
        int r = step(c, s[i++]);
        if (r < 0) {
            return r;
        }
    }
    return (ssize_t)i;
}
