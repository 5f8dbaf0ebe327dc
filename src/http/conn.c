/* SPDX-License-Identifier: MIT */
/* conn.c: a connection, from its first byte to its last.
 *
 * The goroutine waits for a request in wait_for_request and works in work_off, and nothing of the
 * work is on the stack or on the heap while it waits: the exchange is back in the pool, a grown
 * buffer is freed, and the first bytes of the next request go into the few that struct conn has.
 * When they come, everything that has arrived is answered before anything is sent, so that a
 * request costs one read and one write, and so do ten that were sent together.
 *
 *   C1  While a connection is idle it holds no exchange and no buffer. (wait_for_request)
 *   C2  What is owed is sent before the connection waits for anything. (read_head, work_off)
 *   C3  A handler that fails or panics costs its own request, at most its connection.
 *       (goi_conn_main, tests/unit/http/server_test.c)
 *   C4  Only this goroutine closes the descriptor, after it has left the server's list; whoever
 *       wants it to end wakes it. (conn_end)
 *   C5  A head that is the same, byte for byte, as the one that was parsed before it in this
 *       exchange is not parsed again, nor are the routes asked again: both answers depend on the
 *       bytes alone. What is made of them lies in the exchange, and what a request does to it
 *       afterwards does not change what the next one reads there: the path ends in a zero where
 *       the question mark was, which a target that begins with a slash does not notice; others
 *       are not remembered.       (parse_head, route, tests/unit/http/server_test.c)
 */
#include "internal.h"

#include <assert.h>
#include <stdlib.h>

/* ---- the end -------------------------------------------------------------------------------- */

/* Closing while bytes lie unread would make the kernel reset the connection, and the peer lose our
 * last answer. So it is given a moment to stop sending. */
static void linger(struct conn *c)
{
    go_time until = goi_after_now(go_now(), GO_SEC);
    if (go_conn_close_write(c->net) < 0) {
        return;
    }
    int64_t left = 16 * GOI_DISCARD_MAX;
    while (left > 0) {
        ssize_t r = goi_stream_raw_read(c, c->idle_in, sizeof c->idle_in, until, false);
        if (r <= 0) {
            return;
        }
        left -= r;
    }
}

static void drop_buffer(struct conn *c)
{
    if (c->in != c->idle_in) {
        free(c->in);
    }
    c->in = c->idle_in;
    c->in_size = sizeof c->idle_in;
    c->in_start = c->in_end = 0;
}

static void drop_exchange(struct conn *c)
{
    struct exchange *x = c->x;
    if (x != NULL) {
        c->x = NULL;
        goi_request_release(&x->req);
        goi_exchange_put(c->server, x);
    }
}

/* C4. Deferred: also after go_exit in a handler. */
static void conn_end(struct conn *c)
{
    if (c->x != NULL && c->x->ws != NULL) {
        goi_ws_end(c->x->ws);
        c->x->ws = NULL;
    }
    drop_exchange(c);
    drop_buffer(c);
    goi_tls_free(c->tls);
    if (c->linger && !c->broken) {
        linger(c);
    }
    goi_server_unlink(c);
    go_conn_close(c->net);
    goi_server_leave(c);
}

/* ---- reading heads -------------------------------------------------------------------------- */

/* More bytes behind what there is of a head. They may move: nobody points at them yet. */
static ssize_t fill(struct conn *c, size_t limit, go_time until)
{
    uint32_t have = c->in_end - c->in_start;
    if (have >= limit) {
        return -ENOBUFS;
    }
    if (c->in_end == c->in_size) {
        if (c->in_start > 0) {
            memmove(c->in, c->in + c->in_start, have);
        } else {
            size_t size = c->in_size < 4096 ? 4096 : (size_t)c->in_size * 2;
            char *in = malloc(size);
            if (in == NULL) {
                return -ENOMEM;
            }
            memcpy(in, c->in, have);
            drop_buffer(c);
            c->in = in;
            c->in_size = (uint32_t)size;
        }
        c->in_start = 0;
        c->in_end = have;
    }
    size_t room = c->in_size - c->in_end;
    room = room < limit - have ? room : limit - have;
    ssize_t r = goi_stream_read(c, c->in + c->in_end, room, until, false);
    if (r > 0) {
        c->in_end += (uint32_t)r;
    }
    return r;
}

static bool is_known(const struct known_head *k, const char *data, size_t have)
{
    return k->size > 0 && have >= k->size && memcmp(data, k->raw, k->size) == 0;
}

/* A complete head at in_start: its length; or the negative of a status to refuse it with; 0: the
 * client is gone. */
static ssize_t read_head(struct exchange *x)
{
    struct conn *c = x->c;
    const go_http_options *o = &c->server->o;
    go_time until = goi_after_now(x->req.start, o->read_header_timeout);
    size_t limit = (size_t)o->max_header_bytes;
    size_t from = 0;
    bool skipped = false;
    for (;;) {
        uint32_t have = c->in_end - c->in_start;
        const char *data = c->in + c->in_start;
        /* An empty line before a request is allowed for (RFC 9112, 2.2); one. */
        if (!skipped && have >= 2 && data[0] == '\r' && data[1] == '\n') {
            c->in_start += 2;
            skipped = true;
            continue;
        }
        x->known.now = is_known(&x->known, data, have);
        if (x->known.now) {
            return x->known.size; /* C5 */
        }
        ssize_t r = have > 0 ? goi_head_scan(data, have, &from) : 0;
        if (r != 0) {
            return r > (ssize_t)limit ? -431 : r;
        }
        if (x->out_end > x->out_start && goi_response_flush(x) < 0) {
            return 0; /* C2 */
        }
        ssize_t n = fill(c, limit, until);
        if (n == -ENOBUFS) {
            return memchr(c->in + c->in_start, '\n', have) == NULL ? -414 : -431;
        }
        if (n <= 0) {
            return n == -ETIMEDOUT && c->in_end > c->in_start ? -408 : n == -ENOMEM ? -503 : 0;
        }
    }
}

/* C5. A status to refuse it with, or 0. */
static int parse_head(struct exchange *x, size_t size)
{
    struct head *h = &x->req.head;
    struct known_head *k = &x->known;
    char *data = x->c->in + x->c->in_start;
    if (k->now) {
        return 0;
    }
    k->size = 0;
    k->pattern = NULL;
    if (size > GOI_KNOWN_BYTES) {
        return goi_head_parse(h, data, size);
    }
    memcpy(k->raw, data, size);
    memcpy(k->text, data, size);
    int status = goi_head_parse(h, k->text, size);
    if (status == 0 && h->target[0] == '/') {
        k->size = (uint32_t)size;
    }
    return status;
}

/* ---- answering ------------------------------------------------------------------------------ */

/* An answer of our own, in place of one that has not been sent. */
static void answer_error(struct exchange *x, int status)
{
    struct go_http_response *res = &x->res;
    if (res->state == RESPONSE_WHOLE) {
        x->out_end = res->head_at;
    }
    bool close = res->close;
    goi_response_begin(x, res->bodyless && x->req.head.is_head);
    res->close = close;
    go_http_error(res, status, NULL);
}

static int status_of(const struct go_http_request *req)
{
    switch (req->body_error) {
    case -EFBIG:
        return 413;
    case -ETIMEDOUT:
        return 408;
    case -EPROTO:
        return 400;
    default:
        return 500;
    }
}

/* C3. What can be said to the client is said. */
static void answer_failure(struct exchange *x)
{
    struct go_http_response *res = &x->res;
    if (res->state == RESPONSE_OPEN || res->state == RESPONSE_WHOLE) {
        answer_error(x, status_of(&x->req));
        return;
    }
    /* Half an answer must not look like a whole one. */
    x->c->broken |= res->state != RESPONSE_DONE;
}

static void redirect(struct exchange *x)
{
    struct text *t = &x->scratch;
    if (x->req.query[0] != '\0') {
        goi_text_char(t, '?');
        goi_text_str(t, x->req.query);
    }
    /* The answer's own text is written into the same memory: the location moves first. */
    int r = t->failed ? -ENOMEM : go_http_set_header(&x->res, "Location", t->data);
    if (r < 0) {
        answer_error(x, 500);
        return;
    }
    go_http_error(&x->res, 307, NULL);
}

/* C5 */
static enum route route(struct exchange *x)
{
    struct go_http_request *req = &x->req;
    struct known_head *k = &x->known;
    if (k->now && k->pattern != NULL) { /* the rest of the match is still there */
        req->match.pattern = k->pattern;
        req->match.values = k->values;
        return ROUTE_FOUND;
    }
    enum route r = goi_mux_route(x->c->server->mux, req->host, req->head.method, req->raw_path,
                                 req->raw_path_len, req->head.unclean, &req->match, &x->scratch);
    if (r == ROUTE_FOUND) {
        k->pattern = req->match.pattern;
        k->values = req->match.values;
    }
    return r;
}

static void dispatch(struct exchange *x)
{
    struct go_http_request *req = &x->req;
    struct go_http_response *res = &x->res;
    struct server *s = x->c->server;
    req->match.pattern = NULL;
    if (req->raw_path[0] == '*') {
        return; /* OPTIONS *: an empty 200 */
    }
    x->scratch.len = 0;
    x->scratch.failed = false;
    switch (route(x)) {
    case ROUTE_FOUND: {
        int r = req->match.handler(req, res, req->match.arg);
        if (r < 0) {
            goi_log_error(s, "http: %s %s: the handler failed: %s", req->head.method, req->path,
                          strerror(-r));
            answer_failure(x);
        }
        break;
    }
    case ROUTE_REDIRECT:
        redirect(x);
        break;
    case ROUTE_NOT_FOUND:
        go_http_error(res, 404, "404 page not found");
        break;
    case ROUTE_NOT_ALLOWED:
        go_http_set_header(res, "Allow", x->scratch.data);
        go_http_error(res, 405, NULL);
        break;
    case ROUTE_NO_MEMORY:
        go_http_error(res, 503, NULL);
        break;
    }
}

static void refuse(struct exchange *x, int status)
{
    struct go_http_request *req = &x->req;
    /* There may be no head, or a part of one. */
    memset(&req->head, 0, offsetof(struct head, header));
    x->known.size = 0;
    req->head.method = req->head.target = (char *)(uintptr_t)"";
    req->head.minor = 1;
    req->path = req->query = req->host = "";
    req->body_done = true;
    req->expect = false;
    goi_response_begin(x, false);
    x->res.close = true;
    x->c->linger = true;
    go_http_error(&x->res, status, NULL);
}

static void request_begin(struct exchange *x)
{
    struct go_http_request *req = &x->req;
    req->x = x;
    req->start = goi_stream_now();
    req->ctx = NULL;
    req->blocks = NULL;
    req->old_in = NULL;
    req->body = (struct text){ 0 };
    req->body_error = 0;
    req->body_done = true;
    req->expect = false;
    req->match.pattern = NULL;
    req->match.values = 0;
    goi_response_begin(x, false);
}

/* Parses the head at in_start and answers. */
static void answer(struct exchange *x, ssize_t size)
{
    struct conn *c = x->c;
    struct go_http_request *req = &x->req;
    int status = size < 0 ? (int)-size : parse_head(x, (size_t)size);
    if (status == 0) {
        c->in_start += (uint32_t)size;
        req->in_floor = c->in_start;
        status = goi_request_target(req);
    }
    if (status == 0) {
        status = goi_body_begin(req);
    }
    if (status != 0) {
        refuse(x, status);
    } else {
        goi_response_begin(x, req->head.is_head);
        dispatch(x);
    }
}

/* After the handler: ends the response. Whether the connection can be used further. */
static bool finish(struct exchange *x)
{
    struct conn *c = x->c;
    if (x->res.state == RESPONSE_TAKEN) {
        goi_ws_end(x->ws);
        x->ws = NULL;
        goi_log_request(x);
        return false;
    }
    goi_response_end(&x->res);
    goi_log_request(x);
    bool alive = !x->res.close && !c->broken;
    if (alive) {
        alive = goi_body_skip(&x->req);
    } else {
        c->linger |= !x->req.body_done;
    }
    return alive;
}

static bool one_request(struct exchange *x)
{
    request_begin(x);
    ssize_t size = read_head(x);
    if (size == 0) {
        return false;
    }
    answer(x, size);
    bool alive = finish(x);
    goi_request_release(&x->req);
    return alive;
}

/* Answers everything that has arrived. Whether the connection goes on. C2 */
static bool work_off(struct conn *c)
{
    struct exchange *x = goi_exchange_get(c->server);
    if (x == NULL) {
        return false;
    }
    c->x = x;
    x->c = c;
    x->out_start = x->out_end = 0;
    x->ws = NULL;
    bool alive = true;
    while (alive && c->in_start < c->in_end) {
        alive = one_request(x);
    }
    alive = goi_response_flush(x) == 0 && alive && !c->broken;
    c->x = NULL;
    goi_exchange_put(c->server, x);
    drop_buffer(c);
    return alive;
}

/* C1. True when the first bytes of a request are there. */
static bool wait_for_request(struct conn *c)
{
    assert(c->x == NULL && c->in == c->idle_in);
    go_time until = goi_after_now(goi_stream_now(), c->server->o.idle_timeout);
    ssize_t r = goi_stream_read(c, c->idle_in, sizeof c->idle_in, until, true);
    if (r <= 0) {
        return false;
    }
    c->in_end = (uint32_t)r;
    return true;
}

static void serve(struct conn *c)
{
    if (c->tls != NULL) {
        go_time until = goi_after_now(go_now(), c->server->o.read_header_timeout);
        if (goi_tls_handshake(c->tls, until) < 0) {
            c->broken = true;
            return;
        }
    }
    while (wait_for_request(c) && work_off(c)) {
    }
}

/* A handler has panicked: its deferred calls have run, its frames are gone. C3 */
static void panicked(struct conn *c, const char *message)
{
    struct exchange *x = c->x;
    if (x == NULL) {
        goi_log_error(c->server, "http: panic: %s", message);
        return;
    }
    goi_log_error(c->server, "http: panic serving %s: %s %s: %s", go_conn_remote_addr(c->net),
                  x->req.head.method, x->req.path, message);
    x->res.close = true;
    if (x->res.state == RESPONSE_TAKEN) {
        return;
    }
    answer_failure(x);
    goi_response_end(&x->res);
    goi_log_request(x);
    c->linger = true;
    c->broken |= goi_response_flush(x) < 0;
}

void goi_conn_main(struct conn *c)
{
    go_panic_info info;
    go_defer(conn_end, c);
    if (!go_try(&info, serve, c)) {
        panicked(c, info.message);
    }
}
