/* SPDX-License-Identifier: MIT */
/* response.c: the answer to a request, from the first header to the last byte.
 *
 * One buffer takes all that goes out, so that an answer is one write, and pipelined answers are one
 * write together. The difficulty is that the head comes first and says how long the body is, which
 * is known last. So the head is written when the body begins, up to where its framing belongs
 * (Content-Length or Transfer-Encoding, Connection, the empty line); room for the longest framing
 * is left; the body follows. At the end, or when the body becomes too long to be kept, the framing
 * is put directly before the body and what lies before it is moved up to it, some hundred bytes;
 * or, when an earlier answer lies before it in the buffer, the body is moved down.
 *
 *   out_start      head_at      slot_at   body_at       out_end
 *   | earlier answers | head      | framing | body        |
 *
 *   R1  out_start <= head_at <= slot_at <= body_at <= out_end <= GOI_OUT_BYTES while the response
 *       is RESPONSE_WHOLE. (place_framing)
 *   R2  The framing agrees with what is sent: a length with as many bytes, or the connection is
 *       closed. (goi_response_end, tests/unit/http/response_test.c)
 *   R3  No header can carry another: names are tokens, values have no control characters.
 *       (go_http_add_header)
 *
 * In a chunked answer an open chunk keeps four digits and a line end free for its size.
 */
#include "internal.h"

#include <assert.h>
#include <stdio.h>

enum {
    SLOT = 72,          /* the longest framing, and the size of the first chunk */
    CHUNK_HEAD = 6,     /* "4000\r\n" */
    CHUNK_TAIL = 16,    /* "\r\n" behind a chunk, "0\r\n\r\n" behind all, and some */
};

void goi_response_begin(struct exchange *x, bool is_head)
{
    struct go_http_response *res = &x->res;
    struct text headers = res->headers;
    headers.len = 0;
    headers.failed = false;
    *res = (struct go_http_response){
        .x = x, .status = 200, .bodyless = is_head, .length = -1, .headers = headers,
    };
}

int goi_response_flush(struct exchange *x)
{
    uint32_t n = x->out_end - x->out_start;
    struct iovec v = { x->out + x->out_start, n };
    x->out_start = x->out_end = 0;
    if (n == 0) {
        return 0;
    }
    return x->c->broken ? -EPIPE : goi_stream_write(x->c, &v, 1);
}

static int failed(struct go_http_response *res, int err)
{
    res->error = err;
    res->close = true;
    return err;
}

/* ---- headers -------------------------------------------------------------------------------- */

void go_http_status(go_http_response *res, int status)
{
    if (res->state == RESPONSE_OPEN) {
        res->status = status >= 200 && status <= 599 ? status : 500;
    }
}

/* The line of a header from `from` on; -1 when there is none. */
static ssize_t find_line(const struct text *t, const char *name, size_t n, size_t from)
{
    while (from < t->len) {
        const char *line = t->data + from;
        const char *end = memchr(line, '\n', t->len - from);
        if (n < t->len - from && line[n] == ':' && goi_same_word(line, name, n)) {
            return (ssize_t)from;
        }
        from = (size_t)(end - t->data) + 1;
    }
    return -1;
}

static void remove_lines(struct text *t, const char *name, size_t n)
{
    ssize_t at = find_line(t, name, n, 0);
    while (at >= 0) {
        const char *line = t->data + at;
        const char *end = (const char *)memchr(line, '\n', t->len - (size_t)at) + 1;
        size_t rest = t->len - (size_t)(end - t->data);
        memmove(t->data + at, end, rest);
        t->len = (size_t)at + rest;
        t->data[t->len] = '\0';
        at = find_line(t, name, n, (size_t)at);
    }
}

enum known { PLAIN, LENGTH, TYPE, DATE, CONNECTION, ENCODING };

static enum known known_name(const char *name, size_t n)
{
    switch (n) {
    case 4:
        return goi_same_word(name, "Date", n) ? DATE : PLAIN;
    case 10:
        return goi_same_word(name, "Connection", n) ? CONNECTION : PLAIN;
    case 12:
        return goi_same_word(name, "Content-Type", n) ? TYPE : PLAIN;
    case 14:
        return goi_same_word(name, "Content-Length", n) ? LENGTH : PLAIN;
    case 17:
        return goi_same_word(name, "Transfer-Encoding", n) ? ENCODING : PLAIN;
    default:
        return PLAIN;
    }
}

static int set_length(struct go_http_response *res, const char *value)
{
    int64_t length = 0;
    size_t n = value != NULL ? strlen(value) : 0;
    if (value != NULL && (n == 0 || n > 18 || strspn(value, "0123456789") != n)) {
        return -EINVAL;
    }
    for (size_t i = 0; i < n; i++) {
        length = length * 10 + (value[i] - '0');
    }
    res->length = value != NULL ? length : -1;
    return 0;
}

/* What is ours to write, and whether that is all there is to do. */
static int set_known(struct go_http_response *res, enum known k, const char *value, bool *done)
{
    *done = true;
    switch (k) {
    case LENGTH:
        return set_length(res, value);
    case CONNECTION:
        res->close = value != NULL && goi_list_has(value, "close");
        /* "Upgrade" has to be said; "close" and "keep-alive" we say ourselves. */
        *done = value == NULL || res->close || goi_list_has(value, "keep-alive");
        return 0;
    case ENCODING:
        /* Chunks are ours to make. */
        return value == NULL || goi_list_has(value, "chunked") ? 0 : -EINVAL;
    case TYPE:
        res->has_type = value != NULL;
        break;
    case DATE:
        res->has_date = value != NULL;
        break;
    case PLAIN:
        break;
    }
    *done = false;
    return 0;
}

static int put_header(go_http_response *res, const char *name, const char *value, bool replace)
{
    size_t n = strlen(name);
    size_t len = value != NULL ? strlen(value) : 0;
    if (res->state != RESPONSE_OPEN) {
        return -EALREADY;
    }
    if (!goi_is_token(name, n) || (value != NULL && !goi_is_field_value(value, len))) {
        return -EINVAL; /* R3 */
    }
    bool done;
    int r = set_known(res, known_name(name, n), value, &done);
    if (r < 0) {
        return r;
    }
    struct text *t = &res->headers;
    if (replace && t->len > 0) {
        remove_lines(t, name, n);
    }
    if (done || value == NULL) {
        return 0;
    }
    if (t->len + n + len + 4 > GOI_HEADERS_BYTES || !goi_text_room(t, n + len + 4)) {
        t->failed = false;
        return -ENOMEM;
    }
    char *to = t->data + t->len;
    memcpy(to, name, n);
    memcpy(to + n, ": ", 2);
    memcpy(to + n + 2, value, len);
    memcpy(to + n + 2 + len, "\r\n", 3);
    t->len += n + len + 4;
    return 0;
}

int go_http_set_header(go_http_response *res, const char *name, const char *value)
{
    return put_header(res, name, value, true);
}

int go_http_add_header(go_http_response *res, const char *name, const char *value)
{
    return put_header(res, name, value, false);
}

/* ---- the head ------------------------------------------------------------------------------- */

static void put(struct exchange *x, const char *s, size_t n)
{
    memcpy(x->out + x->out_end, s, n);
    x->out_end += (uint32_t)n;
}

static void put_date(struct exchange *x)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    if (t.tv_sec != x->date_second) {
        x->date_second = t.tv_sec;
        goi_date_format(t.tv_sec, x->date);
    }
    put(x, "Date: ", 6);
    put(x, x->date, GOI_DATE_BYTES - 1);
    put(x, "\r\n", 2);
}

static void put_status(struct exchange *x, int status)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\n";
    if (status == 200) {
        put(x, ok, sizeof ok - 1);
        return;
    }
    char line[64];
    int n = snprintf(line, sizeof line, "HTTP/1.1 %03d %s\r\n", status,
                     go_http_status_text(status));
    put(x, line, (size_t)n);
}

/* Writes the head up to its framing: from here on nothing of it can be changed. */
static int settle(struct go_http_response *res)
{
    static const char type[] = "Content-Type: text/plain; charset=utf-8\r\n";
    struct exchange *x = res->x;
    struct conn *c = x->c;
    if (x->out_end + res->headers.len + 256 + SLOT + 1024 > GOI_OUT_BYTES) {
        int r = goi_response_flush(x);
        if (r < 0) {
            return failed(res, r);
        }
    }
    bool empty = res->status == 204 || res->status == 304;
    res->bodyless |= empty;
    res->head_at = x->out_end;
    put_status(x, res->status);
    if (!res->has_date) {
        put_date(x);
    }
    if (!res->has_type && !empty) {
        put(x, type, sizeof type - 1);
    }
    put(x, res->headers.data != NULL ? res->headers.data : "", res->headers.len);
    res->slot_at = x->out_end;
    x->out_end += SLOT;
    res->body_at = x->out_end;
    res->state = RESPONSE_WHOLE;
    /* Who is not told to send his body, and has not sent it, may do so: nothing can follow. */
    res->close |= (x->req.expect && !x->req.body_done) || !x->req.head.keep_alive ||
                  goi_server_drains(c->server);
    return 0;
}

static size_t digits(char *to, uint64_t n)
{
    char reversed[20];
    size_t len = 0;
    do {
        reversed[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    for (size_t i = 0; i < len; i++) {
        to[i] = reversed[len - 1 - i];
    }
    return len;
}

static void put_hex4(char *to, uint32_t n)
{
    for (int i = 0; i < 4; i++) {
        to[i] = "0123456789abcdef"[n >> (12 - 4 * i) & 15];
    }
    memcpy(to + 4, "\r\n", 2);
}

/* The end of the head, into slot: its length. length -1: none is said. */
static size_t framing(const struct go_http_response *res, char slot[SLOT], int64_t length,
                      bool chunked, bool first_chunk)
{
    size_t n = 0;
    if (chunked) {
        memcpy(slot, "Transfer-Encoding: chunked\r\n", 28);
        n = 28;
    } else if (length >= 0) {
        memcpy(slot, "Content-Length: ", 16);
        n = 16 + digits(slot + 16, (uint64_t)length);
        memcpy(slot + n, "\r\n", 2);
        n += 2;
    }
    if (res->close) {
        memcpy(slot + n, "Connection: close\r\n", 19);
        n += 19;
    } else if (res->x->req.head.minor == 0) {
        memcpy(slot + n, "Connection: keep-alive\r\n", 24);
        n += 24;
    }
    memcpy(slot + n, "\r\n", 2);
    n += 2;
    if (first_chunk) {
        n += CHUNK_HEAD; /* filled in when the chunk is closed */
    }
    return n;
}

/* Puts the framing between head and body. R1 */
static void place_framing(struct go_http_response *res, const char *slot, uint32_t n)
{
    struct exchange *x = res->x;
    uint32_t gap = SLOT - n;
    assert(n <= SLOT && x->out_start <= res->head_at && res->body_at <= x->out_end);
    if (res->head_at == x->out_start) {
        memmove(x->out + res->head_at + gap, x->out + res->head_at, res->slot_at - res->head_at);
        x->out_start += gap;
        res->slot_at += gap;
    } else {
        memmove(x->out + res->slot_at + n, x->out + res->body_at, x->out_end - res->body_at);
        x->out_end -= gap;
        res->body_at -= gap;
    }
    memcpy(x->out + res->slot_at, slot, n);
}

/* ---- the body ------------------------------------------------------------------------------- */

static void close_chunk(struct go_http_response *res)
{
    struct exchange *x = res->x;
    if (!res->chunk_open) {
        return;
    }
    res->chunk_open = false;
    uint32_t n = x->out_end - res->body_at - CHUNK_HEAD;
    if (n == 0) {
        x->out_end = res->body_at;
        return;
    }
    put_hex4(x->out + res->body_at, n);
    put(x, "\r\n", 2);
}

/* From "sent as a whole" to "sent as it comes". */
static void begin_stream(struct go_http_response *res)
{
    struct exchange *x = res->x;
    bool with_length = res->length >= 0;
    bool chunked = !with_length && x->req.head.minor == 1 && res->status != 204 &&
                   res->status != 304;
    bool first_chunk = chunked && x->out_end > res->body_at;
    char slot[SLOT];
    if (!with_length && !chunked && !res->bodyless) {
        res->close = true;
    }
    size_t n = framing(res, slot, res->length, chunked, first_chunk);
    place_framing(res, slot, (uint32_t)n);
    res->state = with_length ? RESPONSE_LENGTH : chunked ? RESPONSE_CHUNKED : RESPONSE_TO_CLOSE;
    if (first_chunk) {
        res->body_at -= CHUNK_HEAD;
        res->chunk_open = true;
        close_chunk(res);
    }
}

static int write_vectors(struct go_http_response *res, struct iovec *v, int n)
{
    struct exchange *x = res->x;
    x->out_start = x->out_end = 0;
    if (x->c->broken) {
        return failed(res, -EPIPE);
    }
    int r = goi_stream_write(x->c, v, n);
    return r < 0 ? failed(res, r) : 0;
}

static int write_chunked(struct go_http_response *res, const char *buf, size_t n)
{
    struct exchange *x = res->x;
    if (x->out_end + CHUNK_HEAD + n + CHUNK_TAIL <= GOI_OUT_BYTES) {
        if (!res->chunk_open) {
            res->body_at = x->out_end;
            x->out_end += CHUNK_HEAD;
            res->chunk_open = true;
        }
        put(x, buf, n);
        return 0;
    }
    char head[24];
    close_chunk(res);
    int len = snprintf(head, sizeof head, "%zx\r\n", n);
    char tail[] = "\r\n";
    struct iovec v[4] = {
        { x->out + x->out_start, x->out_end - x->out_start },
        { head, (size_t)len },
        { (void *)(uintptr_t)buf, n },
        { tail, 2 },
    };
    return write_vectors(res, v, 4);
}

static int write_plain(struct go_http_response *res, const char *buf, size_t n)
{
    struct exchange *x = res->x;
    if (x->out_end + n <= GOI_OUT_BYTES) {
        put(x, buf, n);
        return 0;
    }
    struct iovec v[2] = {
        { x->out + x->out_start, x->out_end - x->out_start },
        { (void *)(uintptr_t)buf, n },
    };
    return write_vectors(res, v, 2);
}

/* The first bytes of a response that may fit as a whole; or the last before it does not. */
static int write_whole(struct go_http_response *res, const char *buf, size_t n)
{
    struct exchange *x = res->x;
    size_t have = x->out_end - res->body_at;
    if (have + n <= GOI_BODY_BUFFERED && x->out_end + n + CHUNK_TAIL > GOI_OUT_BYTES &&
        res->head_at > x->out_start) {
        /* Earlier answers are in the way. */
        struct iovec v = { x->out + x->out_start, res->head_at - x->out_start };
        int r = goi_stream_write(x->c, &v, 1);
        if (r < 0) {
            return failed(res, r);
        }
        uint32_t by = res->head_at;
        memmove(x->out, x->out + by, x->out_end - by);
        x->out_start = res->head_at = 0;
        res->slot_at -= by;
        res->body_at -= by;
        x->out_end -= by;
    }
    if (have + n <= GOI_BODY_BUFFERED && x->out_end + n + CHUNK_TAIL <= GOI_OUT_BYTES) {
        put(x, buf, n);
        return 0;
    }
    begin_stream(res);
    return res->state == RESPONSE_CHUNKED ? write_chunked(res, buf, n) : write_plain(res, buf, n);
}

ssize_t go_http_write(go_http_response *res, const void *buf, size_t n)
{
    if (res->error != 0) {
        return res->error;
    }
    if (res->state == RESPONSE_OPEN) {
        int r = settle(res);
        if (r < 0) {
            return r;
        }
        if (res->length >= 0) {
            begin_stream(res);
        }
    }
    if (res->state >= RESPONSE_DONE) {
        return -EPIPE;
    }
    if (res->length >= 0 && (int64_t)n > res->length - res->written) {
        return -EFBIG;
    }
    int r = 0;
    if (!res->bodyless && n > 0) {
        switch (res->state) {
        case RESPONSE_WHOLE:
            r = write_whole(res, buf, n);
            break;
        case RESPONSE_CHUNKED:
            r = write_chunked(res, buf, n);
            break;
        case RESPONSE_OPEN:
        case RESPONSE_LENGTH:
        case RESPONSE_TO_CLOSE:
        case RESPONSE_DONE:
        case RESPONSE_TAKEN:
            r = write_plain(res, buf, n);
            break;
        }
    }
    if (r < 0) {
        return r;
    }
    res->written += (int64_t)n;
    return (ssize_t)n;
}

int go_http_printf(go_http_response *res, const char *format, ...)
{
    va_list args;
    struct text *t = &res->x->scratch;
    t->len = 0;
    t->failed = false;
    va_start(args, format);
    goi_text_vprintf(t, format, args);
    va_end(args);
    if (t->failed) {
        return -ENOMEM;
    }
    ssize_t r = go_http_write(res, t->data, t->len);
    return r < 0 ? (int)r : 0;
}

int go_http_flush(go_http_response *res)
{
    ssize_t r = go_http_write(res, "", 0);
    if (r < 0) {
        return (int)r;
    }
    if (res->state == RESPONSE_WHOLE) {
        begin_stream(res);
    }
    close_chunk(res);
    int e = goi_response_flush(res->x);
    return e < 0 ? failed(res, e) : 0;
}

int goi_response_head(struct go_http_response *res, int64_t length)
{
    res->length = length;
    ssize_t r = go_http_write(res, "", 0);
    return r < 0 ? (int)r : 0;
}

void goi_response_sent(struct go_http_response *res, int64_t n)
{
    res->written += n;
}

void goi_response_end(struct go_http_response *res)
{
    struct exchange *x = res->x;
    if (res->error == 0 && res->state == RESPONSE_OPEN) {
        (void)go_http_write(res, "", 0);
    }
    if (res->error != 0 || res->state >= RESPONSE_DONE) {
        x->c->broken |= res->error != 0;
        return;
    }
    if (res->state == RESPONSE_WHOLE) {
        char slot[SLOT];
        bool silent = res->status == 204 || res->status == 304 ||
                      (res->bodyless && res->written == 0);
        size_t n = framing(res, slot, silent ? -1 : res->written, false, false);
        place_framing(res, slot, (uint32_t)n);
    } else if (res->state == RESPONSE_CHUNKED && !res->bodyless) {
        close_chunk(res);
        if (x->out_end + 5 > GOI_OUT_BYTES) {
            goi_response_flush(x);
        }
        put(x, "0\r\n\r\n", 5);
    } else if (res->state == RESPONSE_LENGTH && res->written < res->length && !res->bodyless) {
        res->close = true; /* R2 */
        goi_log_error(x->c->server, "http: %s %s: the handler wrote %lld of %lld bytes",
                      x->req.head.method, x->req.path, (long long)res->written,
                      (long long)res->length);
    }
    res->state = RESPONSE_DONE;
}

/* ---- short answers -------------------------------------------------------------------------- */

int go_http_error(go_http_response *res, int status, const char *text)
{
    go_http_status(res, status);
    int r = go_http_set_header(res, "Content-Type", "text/plain; charset=utf-8");
    if (r == 0) {
        r = go_http_set_header(res, "X-Content-Type-Options", "nosniff");
    }
    go_http_set_header(res, "Content-Length", NULL);
    return r < 0 ? r : go_http_printf(res, "%s\n",
                                      text != NULL ? text : go_http_status_text(res->status));
}

int go_http_redirect(go_http_response *res, int status, const char *location)
{
    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
        return -EINVAL;
    }
    int r = go_http_set_header(res, "Location", location);
    return r < 0 ? r : go_http_error(res, status, NULL);
}

const char *go_http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } table[] = {
        { 100, "Continue" }, { 101, "Switching Protocols" }, { 200, "OK" }, { 201, "Created" },
        { 202, "Accepted" }, { 203, "Non-Authoritative Information" }, { 204, "No Content" },
        { 205, "Reset Content" }, { 206, "Partial Content" }, { 207, "Multi-Status" },
        { 300, "Multiple Choices" }, { 301, "Moved Permanently" }, { 302, "Found" },
        { 303, "See Other" }, { 304, "Not Modified" }, { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
        { 402, "Payment Required" }, { 403, "Forbidden" }, { 404, "Not Found" },
        { 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
        { 407, "Proxy Authentication Required" }, { 408, "Request Timeout" }, { 409, "Conflict" },
        { 410, "Gone" }, { 411, "Length Required" }, { 412, "Precondition Failed" },
        { 413, "Content Too Large" }, { 414, "URI Too Long" }, { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" }, { 417, "Expectation Failed" }, { 418, "I'm a teapot" },
        { 421, "Misdirected Request" }, { 422, "Unprocessable Content" }, { 423, "Locked" },
        { 425, "Too Early" }, { 426, "Upgrade Required" }, { 428, "Precondition Required" },
        { 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" },
        { 451, "Unavailable For Legal Reasons" }, { 500, "Internal Server Error" },
        { 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" }, { 511, "Network Authentication Required" },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].status == status) {
            return table[i].text;
        }
    }
    return "";
}
