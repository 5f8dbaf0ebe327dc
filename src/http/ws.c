/* SPDX-License-Identifier: MIT */
/* ws.c: WebSockets, by wslay.
 *
 * wslay turns bytes into messages and back and must not wait. So it reads from a buffer that this
 * file fills, and writes to a text that this file sends, and its context is only touched under
 * `mu`, which nobody holds while he waits. Two things follow that are easily got wrong.
 *
 * A reader that has to answer a ping while a writer is stuck must not get stuck too: peers that
 * write before they read would wait for each other. So there is one sender at a time, and the
 * reader, finding one, leaves its bytes to him: he looks for more under the lock under which he
 * says that he is done.
 *
 *   W1  What lies in `out` has a sender, or whoever put it there becomes one. (send_out)
 *   W2  wslay and OpenSSL are called under locks that nobody holds while he waits. (go_ws_read,
 *       go_ws_write)
 *
 * wslay takes all it is given, and answers a close or a fault in it, after which nothing may be
 * sent: not even what the handler has to say to messages that came before, with the same read. So
 * it is given one frame at a time, and none while a message waits for the handler.
 *
 *   W4  What comes behind a message is looked at when the message has been read. (on_recv)
 *
 * The connection ends with its handler, the object with its last reference. So whoever uses the
 * connection counts himself in, and its goroutine, having shut the socket down, waits for them.
 *
 *   W3  conn is used only between enter() and leave(). (goi_ws_end)
 *   W5  A connection that cannot be sent to any more is over for its reader as well, with the same
 *       error: mostly that is the handler, who would not return. (send_out, read_message)
 */
#include "internal.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

/* A message that has not been read whole. */
struct message {
    struct message *next;
    int kind;
    size_t len, at;
    char data[];
};

enum { IN_BYTES = 8 << 10 };

struct go_ws {
    go_mutex mu;                /* guards what follows, up to `reading` */
    go_cond quiet;              /* sending or users have changed */
    struct conn *c;             /* NULL: the handler has returned */
    wslay_event_context_ptr ctx;
    struct text out;
    bool sending;
    bool closed;                /* a close frame of ours is under way */
    int users;                  /* of the connection */
    int refs;
    int error;                  /* of the connection: what further calls return */
    int close_code;
    struct message *first, **last;
    unsigned char head[14];     /* of the frame that wslay is given, as far as it has it */
    unsigned head_len;
    uint64_t payload;           /* what is missing of it behind the head */
    go_mutex reading;           /* one reader at a time; before mu */
    const char *in;             /* what wslay is given */
    size_t in_left;
    char *buffer;
};

/* ---- wslay's side --------------------------------------------------------------------------- */

/* How many of the next n bytes are of the frame that has begun, or begins; those are given. */
static size_t of_frame(go_ws *ws, size_t n)
{
    size_t used = 0;
    while (used < n && ws->payload == 0) {
        ws->head[ws->head_len++] = (unsigned char)ws->in[used++];
        unsigned len = ws->head[1] & 127u;
        unsigned more = len == 126 ? 2 : len == 127 ? 8 : 0;
        unsigned mask = (ws->head[1] & 128u) != 0 ? 4 : 0;
        if (ws->head_len < 2 || ws->head_len < 2 + more + mask) {
            continue;
        }
        ws->payload = more == 0 ? len : 0;
        for (unsigned i = 2; i < 2 + more; i++) {
            ws->payload = ws->payload << 8 | ws->head[i];
        }
        ws->head_len = 0;
        if (ws->payload == 0) {
            return used;
        }
    }
    size_t part = n - used < ws->payload ? n - used : (size_t)ws->payload;
    ws->payload -= part;
    return used + part;
}

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t n, int flags, void *arg)
{
    go_ws *ws = arg;
    (void)flags;
    bool between = ws->head_len == 0 && ws->payload == 0;
    if (ws->in_left == 0 || (between && ws->first != NULL)) { /* W4 */
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    n = of_frame(ws, n < ws->in_left ? n : ws->in_left);
    memcpy(buf, ws->in, n);
    ws->in += n;
    ws->in_left -= n;
    return (ssize_t)n;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t n, int flags,
                       void *arg)
{
    go_ws *ws = arg;
    (void)flags;
    goi_text_add(&ws->out, (const char *)data, n);
    if (ws->out.failed) {
        wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)n;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *a,
                       void *arg)
{
    go_ws *ws = arg;
    if (wslay_is_ctrl_frame(a->opcode)) {
        return; /* answered by wslay */
    }
    struct message *m = malloc(sizeof *m + a->msg_length);
    if (m == NULL) {
        wslay_event_set_error(ctx, WSLAY_ERR_NOMEM);
        ws->error = -ENOMEM;
        return;
    }
    m->next = NULL;
    m->kind = a->opcode == WSLAY_TEXT_FRAME ? GO_WS_TEXT : GO_WS_BINARY;
    m->len = a->msg_length;
    m->at = 0;
    if (a->msg_length > 0) {
        memcpy(m->data, a->msg, a->msg_length);
    }
    *ws->last = m;
    ws->last = &m->next;
}

/* ---- the connection ------------------------------------------------------------------------- */

/* With mu held. False: there is no connection any more. W3 */
static bool enter_locked(go_ws *ws)
{
    if (ws->c == NULL || ws->error != 0) {
        return false;
    }
    ws->users++;
    return true;
}

static void leave_locked(go_ws *ws)
{
    ws->users--;
    go_cond_broadcast(&ws->quiet);
}

/* Sends what lies in out, or leaves it to whoever is sending; `wait`: and waits for him. Called and
 * left with mu held, by a user of the connection. 0 or an error. W1 */
static int send_out(go_ws *ws, bool wait)
{
    while (ws->sending && wait) {
        go_cond_wait(&ws->quiet, &ws->mu);
    }
    if (ws->sending) {
        return 0;
    }
    ws->sending = true;
    while (ws->out.len > 0 && ws->error == 0) {
        struct text out = ws->out;
        ws->out = (struct text){ 0 };
        go_mutex_unlock(&ws->mu);
        struct iovec v = { out.data, out.len };
        int r = goi_stream_write(ws->c, &v, 1);
        goi_text_free(&out);
        go_mutex_lock(&ws->mu);
        if (r < 0) {
            ws->error = r;
            shutdown(go_conn_fd(ws->c->net), SHUT_RDWR); /* W5 */
        }
    }
    ws->sending = false;
    go_cond_broadcast(&ws->quiet);
    return ws->error;
}

/* ---- upgrading ------------------------------------------------------------------------------ */

static bool accept_key(const char *key, char out[29])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[24 + sizeof guid];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (strlen(key) != 24) {
        return false;
    }
    memcpy(text, key, 24);
    memcpy(text + 24, guid, sizeof guid);
    if (EVP_Digest(text, sizeof text - 1, digest, &n, EVP_sha1(), NULL) != 1 || n != 20) {
        return false;
    }
    EVP_EncodeBlock((unsigned char *)out, digest, 20);
    return true;
}

/* A page may only speak with the host it came from: its browser says where that was. */
static bool same_origin(const go_http_request *req)
{
    const char *origin = go_http_header(req, "Origin");
    if (origin == NULL) {
        return true; /* no browser */
    }
    const char *host = strstr(origin, "://");
    return host != NULL && strcasecmp(host + 3, go_http_host(req)) == 0;
}

/* 0, or the status to refuse it with. */
static int check(const go_http_request *req)
{
    const char *upgrade = go_http_header(req, "Upgrade");
    const char *version = go_http_header(req, "Sec-WebSocket-Version");
    if (strcmp(req->head.method, "GET") != 0 || req->head.minor != 1 || !req->body_done) {
        return 400;
    }
    if (upgrade == NULL || !goi_list_has(upgrade, "websocket") || !req->head.upgrade ||
        version == NULL || strcmp(version, "13") != 0) {
        return 426;
    }
    return 0;
}

static go_ws *ws_make(struct conn *c)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv,
        .send_callback = on_send,
        .on_msg_recv_callback = on_message,
    };
    go_ws *ws = calloc(1, sizeof *ws);
    if (ws == NULL) {
        return NULL;
    }
    ws->buffer = malloc(IN_BYTES);
    if (ws->buffer == NULL || wslay_event_context_server_init(&ws->ctx, &callbacks, ws) != 0) {
        free(ws->buffer);
        free(ws);
        return NULL;
    }
    wslay_event_config_set_max_recv_msg_length(ws->ctx, (uint64_t)c->server->o.max_body_bytes);
    ws->c = c;
    ws->refs = 1;
    ws->close_code = 1006;
    ws->last = &ws->first;
    return ws;
}

static int send_upgrade(struct exchange *x, const char *accept)
{
    struct text t = { 0 };
    goi_text_printf(&t, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", accept);
    goi_text_add(&t, x->res.headers.data != NULL ? x->res.headers.data : "", x->res.headers.len);
    goi_text_str(&t, "\r\n");
    int r = t.failed ? -ENOMEM : goi_response_flush(x);
    if (r == 0) {
        struct iovec v = { t.data, t.len };
        r = goi_stream_write(x->c, &v, 1);
    }
    goi_text_free(&t);
    return r;
}

go_ws *go_ws_upgrade_any(go_http_request *req, go_http_response *res)
{
    struct exchange *x = req->x;
    char accept[29];
    const char *key = go_http_header(req, "Sec-WebSocket-Key");
    if (res->state != RESPONSE_OPEN) {
        return NULL;
    }
    int status = check(req);
    if (status == 0 && (key == NULL || !accept_key(key, accept))) {
        status = 400;
    }
    go_ws *ws = status == 0 ? ws_make(x->c) : NULL;
    if (ws == NULL) {
        if (status == 426) {
            go_http_set_header(res, "Upgrade", "websocket");
            go_http_set_header(res, "Sec-WebSocket-Version", "13");
        }
        go_http_error(res, status != 0 ? status : 503, NULL);
        return NULL;
    }
    res->state = RESPONSE_TAKEN;
    res->status = 101;
    x->ws = ws;
    int r = send_upgrade(x, accept);
    if (r < 0) {
        ws->error = r; /* the first read or write says so */
    }
    /* What has come behind the request is the beginning of the socket's stream. */
    ws->in = x->c->in + x->c->in_start;
    ws->in_left = x->c->in_end - x->c->in_start;
    x->c->in_start = x->c->in_end;
    return ws;
}

go_ws *go_ws_upgrade(go_http_request *req, go_http_response *res)
{
    if (res->state == RESPONSE_OPEN && !same_origin(req)) {
        go_http_error(res, 403, NULL);
        return NULL;
    }
    return go_ws_upgrade_any(req, res);
}

/* ---- the end -------------------------------------------------------------------------------- */

go_ws *go_ws_ref(go_ws *ws)
{
    go_mutex_lock(&ws->mu);
    ws->refs++;
    go_mutex_unlock(&ws->mu);
    return ws;
}

void go_ws_free(go_ws *ws)
{
    if (ws == NULL) {
        return;
    }
    go_mutex_lock(&ws->mu);
    int refs = --ws->refs;
    go_mutex_unlock(&ws->mu);
    if (refs > 0) {
        return;
    }
    while (ws->first != NULL) {
        struct message *m = ws->first;
        ws->first = m->next;
        free(m);
    }
    wslay_event_context_free(ws->ctx);
    goi_text_free(&ws->out);
    free(ws->buffer);
    free(ws);
}

/* Queues a close frame, once. With mu held. */
static void queue_close(go_ws *ws, int code, const char *why)
{
    size_t n = why != NULL && code != 0 ? strlen(why) : 0;
    if (ws->closed) {
        return;
    }
    ws->closed = true;
    wslay_event_queue_close(ws->ctx, (uint16_t)code, (const uint8_t *)why, n < 123 ? n : 123);
    wslay_event_send(ws->ctx);
}

void goi_ws_end(struct go_ws *ws)
{
    struct conn *c = ws->c;
    go_mutex_lock(&ws->mu);
    queue_close(ws, goi_server_drains(c->server) ? 1001 : 1000, NULL);
    ws->users++;
    /* A writer gets a moment to end; then others that read or write are ended. Without any, the
     * peer gets the close and some time. */
    go_time until = go_now() + GO_SEC / 2;
    while (ws->sending && go_cond_wait_until(&ws->quiet, &ws->mu, until) == 0) {
    }
    if (ws->users > 1 || ws->sending || send_out(ws, false) < 0) {
        shutdown(go_conn_fd(c->net), SHUT_RDWR);
    }
    ws->users--;
    while (ws->users > 0) {
        go_cond_wait(&ws->quiet, &ws->mu);
    }
    ws->c = NULL; /* W3 */
    ws->error = ws->error != 0 ? ws->error : -EPIPE;
    go_mutex_unlock(&ws->mu);
    c->linger = true;
    go_ws_free(ws);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* A part of the first message. With mu held. */
static ssize_t take(go_ws *ws, char *buf, size_t n, int *kind)
{
    struct message *m = ws->first;
    size_t left = m->len - m->at;
    n = n < left ? n : left;
    memcpy(buf, m->data + m->at, n);
    m->at += n;
    *kind = m->kind | (m->at < m->len ? GO_WS_MORE : 0);
    if (m->at == m->len) {
        ws->first = m->next;
        if (ws->first == NULL) {
            ws->last = &ws->first;
        }
        free(m);
    }
    return (ssize_t)n;
}

/* Waits for bytes, and asks a silent peer whether it is still there. 0 or an error. */
static int wait_bytes(go_ws *ws)
{
    struct conn *c = ws->c;
    go_duration half = c->server->o.idle_timeout;
    half = half == GO_FOREVER ? half : half / 2;
    ssize_t r = goi_stream_read(c, ws->buffer, IN_BYTES, goi_after_now(go_now(), half), true);
    if (r == -ETIMEDOUT) {
        go_ws_ping(ws);
        r = goi_stream_read(c, ws->buffer, IN_BYTES, goi_after_now(go_now(), half), true);
    }
    if (r <= 0) {
        return r < 0 ? (int)r : -ECONNRESET;
    }
    ws->in = ws->buffer;
    ws->in_left = (size_t)r;
    return 0;
}

/* Why wslay takes no more: what go_ws_read returns. With mu held. */
static int reason_locked(go_ws *ws)
{
    if (wslay_event_get_close_received(ws->ctx)) {
        ws->close_code = wslay_event_get_status_code_received(ws->ctx);
        ws->closed = true;
        return 0;
    }
    ws->closed = true; /* wslay has refused a frame and says why */
    return wslay_event_get_status_code_sent(ws->ctx) == 1009 ? -EMSGSIZE : -EPROTO;
}

/* Gives wslay what has come. 1: go on; 0: the peer's close; or an error. With mu held. */
static int digest(go_ws *ws)
{
    int r = wslay_event_recv(ws->ctx);
    int sent = wslay_event_want_write(ws->ctx) ? wslay_event_send(ws->ctx) : 0;
    if (ws->error == 0 && (r == WSLAY_ERR_NOMEM || sent != 0)) {
        ws->error = -ENOMEM;
    }
    bool over = !wslay_event_get_read_enabled(ws->ctx) || r != 0;
    int result = over ? reason_locked(ws) : 1;
    int e = send_out(ws, false);
    return result != 1 ? result : e < 0 ? e : 1;
}

static ssize_t read_message(go_ws *ws, void *buf, size_t n, int *kind)
{
    for (;;) {
        if (ws->first != NULL) {
            return take(ws, buf, n, kind);
        }
        if (!wslay_event_get_read_enabled(ws->ctx)) {
            return reason_locked(ws);
        }
        if (!enter_locked(ws)) {
            return ws->error != 0 ? ws->error : -EPIPE;
        }
        int r = 0;
        if (ws->in_left == 0) {
            go_mutex_unlock(&ws->mu);
            r = wait_bytes(ws);
            go_mutex_lock(&ws->mu);
            r = r < 0 && ws->error != 0 ? ws->error : r; /* W5; what has come is read first */
        }
        if (r == 0) {
            r = digest(ws);
        } else if (r == -ECANCELED) {
            queue_close(ws, 1001, NULL);
            send_out(ws, false);
        }
        leave_locked(ws);
        if (r <= 0 && ws->first == NULL) {
            return r;
        }
    }
}

ssize_t go_ws_read(go_ws *ws, void *buf, size_t n, int *kind)
{
    int ignored;
    kind = kind != NULL ? kind : &ignored;
    *kind = GO_WS_CLOSE;
    go_mutex_lock(&ws->reading);
    go_mutex_lock(&ws->mu);
    ssize_t r = read_message(ws, buf, n, kind);
    go_mutex_unlock(&ws->mu);
    go_mutex_unlock(&ws->reading);
    return r;
}

/* ---- writing -------------------------------------------------------------------------------- */

static int queue(go_ws *ws, uint8_t opcode, const void *buf, size_t n)
{
    const struct wslay_event_msg m = { .opcode = opcode, .msg = buf, .msg_length = n };
    go_mutex_lock(&ws->mu);
    int r = ws->closed || !enter_locked(ws) ? -EPIPE : 0;
    if (r == 0) {
        r = wslay_event_queue_msg(ws->ctx, &m) == 0 && wslay_event_send(ws->ctx) == 0 ? 0 : -ENOMEM;
        r = r == 0 ? send_out(ws, true) : r;
        leave_locked(ws);
    }
    go_mutex_unlock(&ws->mu);
    return r;
}

int go_ws_write(go_ws *ws, int kind, const void *buf, size_t n)
{
    if (kind != GO_WS_TEXT && kind != GO_WS_BINARY) {
        return -EINVAL;
    }
    return queue(ws, kind == GO_WS_TEXT ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, buf, n);
}

int go_ws_ping(go_ws *ws)
{
    return queue(ws, WSLAY_PING, "", 0);
}

int go_ws_close(go_ws *ws, int code, const char *why)
{
    int r = 0;
    go_mutex_lock(&ws->mu);
    if (!ws->closed && enter_locked(ws)) {
        queue_close(ws, code, why);
        r = send_out(ws, true);
        leave_locked(ws);
    }
    go_mutex_unlock(&ws->mu);
    return r;
}

int go_ws_close_code(const go_ws *ws)
{
    return ws->close_code;
}
