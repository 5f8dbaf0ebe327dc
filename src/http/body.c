/* SPDX-License-Identifier: MIT */
/* body.c: the body of a request, read as the handler asks for it.
 *
 * The head lies in the connection's buffer and stays there, with all strings that the handler was
 * given, until the request is over. So the body is read behind it, or, when there is little room
 * left, into another buffer; a large read of a body with a known length goes straight to where the
 * handler wants it.
 *
 *   B1  Bytes below in_floor belong to the head and do not move. (room_for_body)
 *   B2  Nobody waits for a client that waits for us: what earlier requests on this connection are
 *       owed is sent before a wait, and "100 Continue" before the first. (wait_ready)
 */
#include "internal.h"

#include <stdlib.h>

int goi_body_begin(struct go_http_request *req)
{
    const struct head *h = &req->head;
    req->body_left = h->content_length > 0 ? h->content_length : 0;
    req->body_read = 0;
    req->chunk = (struct chunk){ 0 };
    req->body_done = !h->chunked && req->body_left == 0;
    req->expect = h->expect && !req->body_done && h->minor == 1;
    req->body_error = 0;
    return req->body_left > req->x->c->server->o.max_body_bytes ? 413 : 0;
}

/* B2 */
static int wait_ready(struct go_http_request *req)
{
    struct exchange *x = req->x;
    struct go_http_response *res = &x->res;
    if (req->expect && res->state == RESPONSE_OPEN) {
        static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (GOI_OUT_BYTES - x->out_end < sizeof text) {
            int r = goi_response_flush(x);
            if (r < 0) {
                return r;
            }
        }
        memcpy(x->out + x->out_end, text, sizeof text - 1);
        x->out_end += sizeof text - 1;
        req->expect = false;
    }
    if (x->out_start == x->out_end) {
        return 0;
    }
    if (res->state != RESPONSE_WHOLE) {
        return res->state == RESPONSE_CHUNKED ? go_http_flush(res) : goi_response_flush(x);
    }
    if (res->head_at > x->out_start) {
        struct iovec v = { x->out + x->out_start, res->head_at - x->out_start };
        x->out_start = res->head_at;
        return goi_stream_write(x->c, &v, 1);
    }
    return 0;
}

/* Room behind what lies in the buffer. B1 */
static bool room_for_body(struct go_http_request *req)
{
    struct conn *c = req->x->c;
    if (c->in_start == c->in_end) {
        c->in_start = c->in_end = req->in_floor;
    }
    if (c->in_size - c->in_end >= 512) {
        return true;
    }
    uint32_t rest = c->in_end - c->in_start;
    if (req->in_floor == 0 && c->in_start > 0) {
        memmove(c->in, c->in + c->in_start, rest);
        c->in_start = 0;
        c->in_end = rest;
        if (c->in_size - rest >= 512) {
            return true;
        }
    }
    uint32_t size = rest + GOI_BODY_IN_BYTES;
    char *in = malloc(size);
    if (in == NULL) {
        return false;
    }
    memcpy(in, c->in + c->in_start, rest);
    if (c->in != c->idle_in) {
        if (req->in_floor == 0) {
            free(c->in);
        } else {
            req->old_in = c->in;
        }
    }
    c->in = in;
    c->in_size = size;
    c->in_start = 0;
    c->in_end = rest;
    req->in_floor = 0;
    return true;
}

static go_time body_deadline(struct go_http_request *req)
{
    return goi_after_now(req->start, req->x->c->server->o.read_timeout);
}

/* More bytes of the body into the buffer: how many, or an error; the end is one. */
static ssize_t body_fill(struct go_http_request *req)
{
    struct conn *c = req->x->c;
    int r = wait_ready(req);
    if (r < 0) {
        return r;
    }
    if (!room_for_body(req)) {
        return -ENOMEM;
    }
    ssize_t n = goi_stream_read(c, c->in + c->in_end, c->in_size - c->in_end, body_deadline(req),
                                false);
    if (n <= 0) {
        return n < 0 ? n : -ECONNRESET;
    }
    c->in_end += (uint32_t)n;
    return n;
}

static size_t take(struct conn *c, void *buf, size_t n)
{
    size_t have = c->in_end - c->in_start;
    n = n < have ? n : have;
    memcpy(buf, c->in + c->in_start, n);
    c->in_start += (uint32_t)n;
    return n;
}

static ssize_t read_length(struct go_http_request *req, void *buf, size_t n)
{
    struct conn *c = req->x->c;
    n = (int64_t)n < req->body_left ? n : (size_t)req->body_left;
    ssize_t r;
    if (c->in_start == c->in_end && n >= 4096) {
        int e = wait_ready(req);
        r = e < 0 ? e : goi_stream_read(c, buf, n, body_deadline(req), false);
        if (r <= 0) {
            return r < 0 ? r : -ECONNRESET;
        }
    } else {
        r = c->in_start == c->in_end ? body_fill(req) : 1;
        if (r < 0) {
            return r;
        }
        r = (ssize_t)take(c, buf, n);
    }
    req->body_left -= r;
    req->body_done = req->body_left == 0;
    return r;
}

static ssize_t read_chunked(struct go_http_request *req, void *buf, size_t n)
{
    struct conn *c = req->x->c;
    struct chunk *k = &req->chunk;
    for (;;) {
        if (c->in_start == c->in_end) {
            ssize_t r = body_fill(req);
            if (r < 0) {
                return r;
            }
        }
        if (k->state == CHUNK_DATA) {
            n = (int64_t)n < k->left ? n : (size_t)k->left;
            size_t r = take(c, buf, n);
            k->left -= (int64_t)r;
            k->state = k->left == 0 ? CHUNK_DATA_CR : CHUNK_DATA;
            req->body_read += (int64_t)r;
            return (ssize_t)r;
        }
        ssize_t r = goi_chunk_parse(k, c->in + c->in_start, c->in_end - c->in_start);
        if (r < 0) {
            return r;
        }
        c->in_start += (uint32_t)r;
        if (k->state == CHUNK_DONE) {
            req->body_done = true;
            return 0;
        }
        if (k->state == CHUNK_DATA &&
            k->left > c->server->o.max_body_bytes - req->body_read) {
            return -EFBIG;
        }
    }
}

ssize_t go_http_read(go_http_request *req, void *buf, size_t n)
{
    if (req->body_error != 0) {
        return req->body_error;
    }
    if (n == 0 || req->body_done) {
        return 0;
    }
    ssize_t r = req->head.chunked ? read_chunked(req, buf, n) : read_length(req, buf, n);
    if (r < 0) {
        req->body_error = (int)r;
        req->x->res.close = true;
        req->x->c->linger = r == -EFBIG || r == -EPROTO;
    }
    return r;
}

ssize_t go_http_body(go_http_request *req, const char **body)
{
    struct text *t = &req->body;
    while (!req->body_done) {
        size_t want = req->head.chunked ? 4096 : (size_t)req->body_left;
        /* A length is a promise only: memory follows what has come. */
        want = want < t->len + 4096 ? want : t->len + 4096;
        if (!goi_text_room(t, want)) {
            return -ENOMEM;
        }
        ssize_t r = go_http_read(req, t->data + t->len, want);
        if (r < 0) {
            return r;
        }
        t->len += (size_t)r;
        t->data[t->len] = '\0';
    }
    *body = t->data != NULL ? t->data : "";
    return (ssize_t)t->len;
}

bool goi_body_skip(struct go_http_request *req)
{
    if (req->body_done) {
        return true;
    }
    /* A client that was told nothing may or may not send it. */
    if (req->body_error != 0 || req->expect || req->body_left > GOI_DISCARD_MAX) {
        req->x->c->linger = req->body_error == 0 || req->x->c->linger;
        return false;
    }
    char scratch[512];
    int64_t left = GOI_DISCARD_MAX;
    while (left > 0 && !req->body_done) {
        ssize_t r = go_http_read(req, scratch, sizeof scratch);
        if (r < 0) {
            return false;
        }
        left -= r;
    }
    req->x->c->linger |= !req->body_done;
    return req->body_done;
}
