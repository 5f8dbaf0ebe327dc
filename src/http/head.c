/* SPDX-License-Identifier: MIT */
/* head.c: the head of a request: found, parsed, and doubted.
 *
 * Request smuggling lives on two programs reading the same bytes differently. So a head is read
 * twice here, by a scan of our own and by the parser library (llhttp, or http_parser where only
 * that is found, which Debian builds without its strict checks), and what either of them refuses is
 * refused. The library is never given less than a whole head, nor a byte behind it, so that it
 * keeps no state between calls and bodies are not its business (chunk.c).
 *
 *   H1  Lines end in CR LF. A CR or LF that stands alone, NUL, DEL or any control character but a
 *       tab is refused, and so is a line that continues the one before. (goi_head_scan)
 *   H2  The first line is METHOD SP TARGET SP HTTP/1.x and nothing else. (first_line)
 *   H3  A field's name is a token and the colon follows it at once. (goi_head_on_name)
 *   H4  Content-Length is given once, in digits; Transfer-Encoding is given once, is "chunked", and
 *       excludes Content-Length. Host is given once with HTTP/1.1. (on_known, goi_head_parse)
 *   H5  What the parser reports lies where the scan saw it. (goi_head_on_target,
 *       goi_head_on_name, goi_head_on_value)
 *
 * The scan jumps from control character to control character, eight bytes at a step; a clean head
 * has only the ends of its lines.
 */
#include "head.h"
#include "text.h"

/* ---- finding the end ------------------------------------------------------------------------ */

#define ONES UINT64_C(0x0101010101010101)
#define TOPS UINT64_C(0x8080808080808080)

/* The first byte from i on that is below 32 or 127; len when there is none. */
static size_t next_control(const char *data, size_t i, size_t len)
{
    for (; len - i >= 8; i += 8) {
        uint64_t w;
        memcpy(&w, data + i, 8);
        uint64_t del = w ^ (127 * ONES);
        /* The top bit of a byte is set when the byte is below 32, or, in the other term, zero.
         * A byte above such a one may be named falsely; the loop below looks at each. */
        if ((((w - 32 * ONES) & ~w) | ((del - ONES) & ~del)) & TOPS) {
            break;
        }
    }
    for (size_t end = len - i >= 8 ? i + 8 : len; i < end; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c < 32 || c == 127) {
            return i;
        }
    }
    return i;
}

ssize_t goi_head_scan(const char *data, size_t len, size_t *from)
{
    size_t i = *from;
    while (i < len) {
        size_t at = next_control(data, i, len);
        if (at == len || (data[at] != '\r' && data[at] != '\n' && data[at] != '\t' &&
                          (unsigned char)data[at] >= 32 && data[at] != 127)) {
            i = at; /* nothing in these eight after all */
            continue;
        }
        i = at;
        if (data[i] == '\t') {
            i++;
            continue;
        }
        if (data[i] != '\r') {
            return -400; /* H1 */
        }
        *from = i;
        if (len - i < 3) {
            return len - i == 2 && data[i + 1] != '\n' ? -400 : 0;
        }
        char next = data[i + 2];
        if (data[i + 1] != '\n' || next == ' ' || next == '\t') {
            return -400; /* H1 */
        }
        if (next == '\r') {
            if (len - i < 4) {
                return 0;
            }
            return data[i + 3] == '\n' ? (ssize_t)(i + 4) : -400;
        }
        i += 2;
    }
    *from = len;
    return 0;
}

/* ---- the first line ------------------------------------------------------------------------- */

/* Looks the target over in one pass: what may stand in it, and what the router asks. */
static bool look_at_target(struct head *h)
{
    const char *s = h->target;
    uint32_t n = h->target_len;
    uint32_t i = 0;
    char before = '\0';
    unsigned bad = 0;
    for (; i < n && s[i] != '?'; i++) {
        char c = s[i];
        bad |= (unsigned char)(c - '!') > '~' - '!' || c == '#';
        h->has_percent |= c == '%';
        h->unclean |= before == '/' && (c == '/' || c == '.');
        before = c;
    }
    h->path_len = i;
    for (; i < n; i++) {
        bad |= (unsigned char)(s[i] - '!') > '~' - '!' || s[i] == '#';
    }
    return bad == 0 && goi_percent_valid(s, h->path_len);
}

/* H2 */
static int first_line(struct head *h)
{
    char *end = memchr(h->data, '\r', h->size);
    char *sp = memchr(h->data, ' ', (size_t)(end - h->data));
    if (sp == NULL || !goi_is_token(h->data, (size_t)(sp - h->data))) {
        return 400;
    }
    char *second = memchr(sp + 1, ' ', (size_t)(end - sp - 1));
    if (second == NULL || second == sp + 1) {
        return 400;
    }
    const char *v = second + 1;
    if (end - v != 8 || memcmp(v, "HTTP/", 5) != 0 || v[5] < '0' || v[5] > '9' || v[6] != '.' ||
        v[7] < '0' || v[7] > '9') {
        return 400;
    }
    if (v[5] != '1' || v[7] > '1') {
        return 505;
    }
    h->minor = v[7] - '0';
    h->method = h->data;
    h->method_len = (uint32_t)(sp - h->data);
    h->target = sp + 1;
    h->target_len = (uint32_t)(second - sp - 1);
    h->is_head = h->method_len == 4 && memcmp(h->method, "HEAD", 4) == 0;
    return look_at_target(h) ? 0 : 400;
}

/* ---- fields --------------------------------------------------------------------------------- */

static int refuse(struct head *h, int status)
{
    if (h->status == 0) {
        h->status = status;
    }
    return -1;
}

int goi_head_on_target(struct head *h, const char *at, size_t n)
{
    return at == h->target && n == h->target_len ? 0 : refuse(h, 400); /* H5 */
}

int goi_head_on_name(struct head *h, const char *at, size_t n)
{
    if (h->count == GOI_HEADERS_MAX) {
        return refuse(h, 431);
    }
    bool placed = at[-1] == '\n' && at[n] == ':';
    if (!placed || !goi_is_token(at, n)) {
        return refuse(h, 400); /* H3, H5 */
    }
    h->header[h->count] = (struct header){ at, NULL, (uint32_t)n, 0 };
    return 0;
}

static int on_content_length(struct head *h, const char *v, size_t n)
{
    if (h->content_length >= 0 || n == 0 || n > 18) {
        /* A length of 19 digits is beyond all limits; without digits only it is no length. */
        return refuse(h, n > 18 && strspn(v, "0123456789") >= n ? 413 : 400); /* H4 */
    }
    int64_t length = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i] < '0' || v[i] > '9') {
            return refuse(h, 400);
        }
        length = length * 10 + (v[i] - '0');
    }
    h->content_length = length;
    return 0;
}

static bool is(const struct header *f, const char *name, size_t n)
{
    return f->name_len == n && goi_same_word(f->name, name, n);
}

/* A word of the comma-separated value. The value ends in CR here, not in a zero. */
static bool has_word(const char *v, size_t n, const char *word, size_t word_len)
{
    size_t i = 0;
    while (i < n) {
        while (i < n && (v[i] == ' ' || v[i] == '\t' || v[i] == ',')) {
            i++;
        }
        size_t start = i;
        while (i < n && v[i] != ',') {
            i++;
        }
        size_t end = i;
        while (end > start && (v[end - 1] == ' ' || v[end - 1] == '\t')) {
            end--;
        }
        if (end - start == word_len && goi_same_word(v + start, word, word_len)) {
            return true;
        }
    }
    return false;
}

/* The fields that decide about the connection. Few names have one of these lengths. */
static int on_known(struct head *h, const struct header *f)
{
    const char *v = f->value;
    size_t n = f->value_len;
    switch (f->name_len) {
    case 4:
        if (is(f, "Host", 4)) {
            bool bad = h->host != NULL || memchr(v, ' ', n) != NULL || memchr(v, '/', n) != NULL;
            h->host = v;
            return bad ? refuse(h, 400) : 0; /* H4 */
        }
        break;
    case 6:
        if (is(f, "Expect", 6)) {
            h->expect = n == 12 && goi_same_word(v, "100-continue", 12);
            return h->expect ? 0 : refuse(h, 417);
        }
        break;
    case 10:
        if (is(f, "Connection", 10)) {
            h->keep_alive = (h->keep_alive || has_word(v, n, "keep-alive", 10)) &&
                            !has_word(v, n, "close", 5);
            h->upgrade |= has_word(v, n, "upgrade", 7);
        }
        break;
    case 14:
        if (is(f, "Content-Length", 14)) {
            return on_content_length(h, v, n);
        }
        break;
    case 17:
        if (is(f, "Transfer-Encoding", 17)) {
            if (h->chunked || h->minor == 0) {
                return refuse(h, 400); /* H4 */
            }
            h->chunked = n == 7 && goi_same_word(v, "chunked", 7);
            return h->chunked ? 0 : refuse(h, 501);
        }
        break;
    default:
        break;
    }
    return 0;
}

int goi_head_on_value(struct head *h, const char *at, size_t n)
{
    struct header *f = &h->header[h->count];
    const char *begin = f->name + f->name_len + 1;
    if (n == 0) {
        /* Parsers differ in where an empty value lies. */
        at = begin + strspn(begin, " \t");
    }
    /* H5: only blanks between colon and value, and behind it the end of the line. */
    for (; begin < at; begin++) {
        if (*begin != ' ' && *begin != '\t') {
            return refuse(h, 400);
        }
    }
    const char *end = at + n;
    while (*end == ' ' || *end == '\t') {
        end++;
    }
    if (*end != '\r') {
        return refuse(h, 400);
    }
    while (n > 0 && (at[n - 1] == ' ' || at[n - 1] == '\t')) {
        n--;
    }
    if (!goi_is_field_value(at, n)) {
        return refuse(h, 400); /* H1 */
    }
    f->value = at;
    f->value_len = (uint32_t)n;
    h->count++;
    return on_known(h, f);
}

/* Zeros behind the words, once nothing is parsed any more. */
static void terminate(struct head *h)
{
    h->method[h->method_len] = '\0';
    h->target[h->target_len] = '\0';
    for (int i = 0; i < h->count; i++) {
        const struct header *f = &h->header[i];
        h->data[(f->name - h->data) + f->name_len] = '\0';
        h->data[(f->value - h->data) + f->value_len] = '\0';
    }
}

int goi_head_parse(struct head *h, char *data, size_t size)
{
    memset(h, 0, offsetof(struct head, header));
    h->data = data;
    h->size = size;
    h->content_length = -1;
    int status = first_line(h);
    if (status != 0) {
        return status;
    }
    h->keep_alive = h->minor == 1;
    status = goi_parser_run(h);
    if (h->status != 0 || status != 0) {
        return h->status != 0 ? h->status : status;
    }
    if (h->chunked && h->content_length >= 0) {
        return 400; /* H4 */
    }
    if (h->minor == 1 && h->host == NULL) {
        return 400; /* H4 */
    }
    terminate(h);
    return 0;
}
