/* SPDX-License-Identifier: MIT */
/* WebSockets, spoken to in frames made by hand (RFC 6455). */
#include "serve.h"

static struct served s;
static go_mutex ending;
static int ended; /* how the last read of the handler that ended last went; for after the end */

static int echo(go_http_request *req, go_http_response *res, void *arg)
{
    enum { ROOM = 70000 };
    int kind = 0;
    ssize_t n = 0;
    (void)arg;
    go_http_set_header(res, "X-Mine", "1");
    go_ws *ws = go_ws_upgrade(req, res);
    if (ws == NULL) {
        return 0;
    }
    char *buf = malloc(ROOM);
    while (n >= 0 && kind != GO_WS_CLOSE) {
        n = go_ws_read(ws, buf, ROOM, &kind);
        if (n >= 0 && kind != GO_WS_CLOSE) {
            go_ws_write(ws, kind, buf, (size_t)n);
        }
    }
    free(buf);
    go_mutex_lock(&ending);
    ended = n < 0 ? (int)n : go_ws_close_code(ws);
    go_mutex_unlock(&ending);
    return 0;
}

static void start(go_http_handler *handler)
{
    serve_prepare(&s);
    s.options.max_body_bytes = 100000;
    go_http_handle(s.mux, "/", handler, NULL);
    serve_start(&s);
}

#define UPGRADE "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n" \
                "Connection: keep-alive, Upgrade\r\n" \
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* What has been asked for is answered. */
static void expect_switch(go_conn *c)
{
    char a[300] = "";
    /* Not a byte more: frames may follow. */
    for (size_t n = 0; strstr(a, "\r\n\r\n") == NULL && n < sizeof a - 1; n++) {
        REQUIRE_EQ_INT(go_conn_read(c, a + n, 1), 1);
    }
    EXPECT_BEGINS(a, "HTTP/1.1 101 Switching Protocols\r\n");
    EXPECT_CONTAINS(a, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
}

static go_conn *open_with(const char *request)
{
    go_conn *c = dial(&s);
    say(c, request);
    expect_switch(c);
    return c;
}

static go_conn *open_ws(void)
{
    return open_with(UPGRADE "\r\n");
}

/* first: FIN, opcode. Masked as a client must. */
static void send_frame(go_conn *c, int first, const char *data, size_t n)
{
    static const unsigned char mask[4] = { 1, 2, 3, 4 };
    unsigned char *f = malloc(n + 14);
    size_t at = 2;
    f[0] = (unsigned char)first;
    if (n < 126) {
        f[1] = (unsigned char)(0x80 | n);
    } else {
        int bytes = n < 65536 ? 2 : 8;
        f[1] = bytes == 2 ? 0x80 | 126 : 0x80 | 127;
        for (int i = bytes - 1; i >= 0; i--) {
            f[at++] = (unsigned char)((uint64_t)n >> (8 * i));
        }
    }
    memcpy(f + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < n; i++) {
        f[at + i] = (unsigned char)data[i] ^ mask[i % 4];
    }
    EXPECT_EQ_INT(go_conn_write(c, f, at + n), at + n);
    free(f);
}

static bool read_exactly(go_conn *c, void *to, size_t n)
{
    size_t have = 0;
    while (have < n) {
        ssize_t r = go_conn_read(c, (char *)to + have, n - have);
        if (r <= 0) {
            return false;
        }
        have += (size_t)r;
    }
    return true;
}

/* The first byte of the next frame, or -1; its data with a zero behind it. */
static int next_frame(go_conn *c, char *data, size_t room, size_t *n)
{
    unsigned char head[8];
    *n = 0;
    data[0] = '\0';
    if (!read_exactly(c, head, 2)) {
        return -1;
    }
    int first = head[0];
    uint64_t size = head[1];
    EXPECT_INT(size, <, 128); /* servers do not mask */
    if (size >= 126) {
        int bytes = size == 126 ? 2 : 8;
        REQUIRE(read_exactly(c, head, (size_t)bytes));
        size = 0;
        for (int i = 0; i < bytes; i++) {
            size = size << 8 | head[i];
        }
    }
    REQUIRE(size < room);
    EXPECT(read_exactly(c, data, size));
    data[size] = '\0';
    *n = size;
    return first;
}

static char data[200000];
static size_t size;

static void expect_frame(go_conn *c, int first, const char *want, size_t n)
{
    EXPECT_EQ_INT(next_frame(c, data, sizeof data, &size), first);
    EXPECT_EQ_UINT(size, n);
    EXPECT(size == n && memcmp(data, want, n) == 0);
}

TEST(ws, messages_come_back)
{
    start(echo);
    go_conn *c = open_ws();
    send_frame(c, 0x81, "hello", 5);
    expect_frame(c, 0x81, "hello", 5);
    send_frame(c, 0x82, "\0\1\2", 3);
    expect_frame(c, 0x82, "\0\1\2", 3);
    send_frame(c, 0x81, "", 0);
    expect_frame(c, 0x81, "", 0);
    char *big = malloc(66000);
    memset(big, 'x', 66000);
    send_frame(c, 0x82, big, 66000);
    expect_frame(c, 0x82, big, 66000);
    send_frame(c, 0x82, big, 300);
    expect_frame(c, 0x82, big, 300);
    free(big);
    send_frame(c, 0x88, "\x03\xe8", 2);
    expect_frame(c, 0x88, "\x03\xe8", 2);
    EXPECT_EQ_INT(next_frame(c, data, sizeof data, &size), -1);
    go_conn_close(c);
    serve_stop(&s);
    EXPECT_EQ_INT(ended, 1000);
}

TEST(ws, the_first_frame_may_follow_the_request_at_once)
{
    start(echo);
    go_conn *c = open_with(UPGRADE "\r\n\x81\x82\x01\x02\x03\x04\x69\x6b"); /* "hi", masked */
    expect_frame(c, 0x81, "hi", 2);
    send_frame(c, 0x88, "", 0);
    EXPECT_EQ_INT(next_frame(c, data, sizeof data, &size), 0x88);
    go_conn_close(c);
    serve_stop(&s);
    EXPECT_EQ_INT(ended, 1005);
}

TEST(ws, fragments_become_one_message_and_pings_pass_between)
{
    start(echo);
    go_conn *c = open_ws();
    send_frame(c, 0x01, "frag", 4);
    send_frame(c, 0x89, "ping!", 5);
    expect_frame(c, 0x8a, "ping!", 5);
    send_frame(c, 0x00, "men", 3);
    send_frame(c, 0x80, "ts", 2);
    expect_frame(c, 0x81, "fragments", 9);
    send_frame(c, 0x8a, "unasked", 7); /* a pong is no news */
    send_frame(c, 0x81, "on", 2);
    expect_frame(c, 0x81, "on", 2);
    go_conn_close_write(c);
    hear(c, NULL);
    go_conn_close(c);
    serve_stop(&s);
    EXPECT_EQ_INT(ended, -ECONNRESET);
}

/* The peer's last words come with the bytes that end the connection: they are answered first. */
static void expect_answer_before(const char *last, size_t n, const char *code, size_t ncode)
{
    char text[600];
    size_t at = sizeof UPGRADE "\r\n" - 1;
    memcpy(text, UPGRADE "\r\n", at);
    memcpy(text + at, "\x81\x82\1\2\3\4ik\x82\x81\1\2\3\4`", 15);
    memcpy(text + at + 15, last, n);
    go_conn *c = dial(&s);
    char a[300] = "";
    EXPECT_EQ_INT(go_conn_write(c, text, at + 15 + n), at + 15 + n);
    for (size_t i = 0; strstr(a, "\r\n\r\n") == NULL && i < sizeof a - 1; i++) {
        REQUIRE_EQ_INT(go_conn_read(c, a + i, 1), 1);
    }
    expect_frame(c, 0x81, "hi", 2);
    expect_frame(c, 0x82, "a", 1);
    expect_frame(c, 0x88, code, ncode);
    go_conn_close(c);
}

TEST(ws, messages_that_come_with_the_end_are_answered)
{
    start(echo);
    expect_answer_before("\x88\x82\1\2\3\4\2\xea", 8, "\3\xe8", 2);
    expect_answer_before("\x0d\x0aHnst::", 8, "", 0); /* no such frame, no mask */
    serve_stop(&s);
}

static void expect_refusal(int first, const char *text, size_t n, int code)
{
    go_conn *c = open_ws();
    send_frame(c, first, text, n);
    EXPECT_EQ_INT(next_frame(c, data, sizeof data, &size), 0x88);
    EXPECT_EQ_INT((unsigned char)data[0] << 8 | (unsigned char)data[1], code);
    hear(c, NULL);
    go_conn_close(c);
    go_conn *d = open_ws(); /* the server goes on */
    go_conn_close(d);
}

TEST(ws, what_breaks_the_protocol_is_closed_with_the_reason)
{
    char *big = calloc(1, 100001);
    start(echo);
    expect_refusal(0x83, "x", 1, 1002);
    expect_refusal(0xc1, "x", 1, 1002);
    expect_refusal(0x80, "x", 1, 1002);
    expect_refusal(0x81, "\xff\xfe", 2, 1007);
    expect_refusal(0x82, big, 100001, 1009);
    free(big);
    /* Frames of clients are masked. */
    go_conn *c = open_ws();
    EXPECT_EQ_INT(go_conn_write(c, "\x81\x02hi", 4), 4);
    EXPECT_EQ_INT(next_frame(c, data, sizeof data, &size), 0x88);
    hear(c, NULL);
    go_conn_close(c);
    serve_stop(&s);
}

static int closes(go_http_request *req, go_http_response *res, void *arg)
{
    int kind;
    char buf[10];
    (void)arg;
    go_ws *ws = go_ws_upgrade(req, res);
    if (ws != NULL) {
        EXPECT_EQ_INT(go_ws_close(ws, 4000, "enough"), 0);
        EXPECT_EQ_INT(go_ws_close(ws, 4001, "again"), 0);
        EXPECT_EQ_INT(go_ws_write(ws, GO_WS_TEXT, "x", 1), -EPIPE);
        EXPECT_EQ_INT(go_ws_read(ws, buf, sizeof buf, &kind), 0);
        EXPECT_EQ_INT(kind, GO_WS_CLOSE);
        EXPECT_EQ_INT(go_ws_close_code(ws), 4000);
    }
    return 0;
}

TEST(ws, the_server_may_close)
{
    start(closes);
    go_conn *c = open_ws();
    expect_frame(c, 0x88, "\x0f\xa0" "enough", 8);
    send_frame(c, 0x88, "\x0f\xa0", 2);
    EXPECT_EQ_INT(next_frame(c, data, sizeof data, &size), -1);
    go_conn_close(c);
    serve_stop(&s);
}

static int parts(go_http_request *req, go_http_response *res, void *arg)
{
    char buf[4];
    char all[100] = "";
    int kind;
    (void)arg;
    go_ws *ws = go_ws_upgrade(req, res);
    ssize_t n = 0;
    do {
        n = go_ws_read(ws, buf, sizeof buf, &kind);
        snprintf(all + strlen(all), 20, "%.*s%d ", (int)n, buf, kind);
    } while (n >= 0 && kind != GO_WS_CLOSE && (kind & GO_WS_MORE) != 0);
    return go_ws_write(ws, GO_WS_TEXT, all, strlen(all));
}

TEST(ws, a_message_may_be_read_in_parts)
{
    start(parts);
    go_conn *c = open_ws();
    send_frame(c, 0x81, "abcdefghij", 10);
    expect_frame(c, 0x81, "abcd17 efgh17 ij1 ", 18);
    /* The handler has returned: the server says goodbye. */
    expect_frame(c, 0x88, "\x03\xe8", 2);
    go_conn_close(c);
    serve_stop(&s);
}

static const char *answer_to(const char *request)
{
    go_conn *c = dial(&s);
    say(c, request);
    const char *a = hear(c, NULL);
    go_conn_close(c);
    return a;
}

TEST(ws, what_is_no_upgrade_is_refused)
{
    start(echo);
    EXPECT_BEGINS(answer_to("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
                  "HTTP/1.1 426 Upgrade Required\r\n");
    const char *a = answer_to("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade, close\r\nSec-WebSocket-Version: 8\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    EXPECT_BEGINS(a, "HTTP/1.1 426 ");
    EXPECT_CONTAINS(a, "\r\nSec-WebSocket-Version: 13\r\n");
    EXPECT_BEGINS(answer_to("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: short\r\n\r\n"), "HTTP/1.1 400 ");
    EXPECT_BEGINS(answer_to("POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
                  "HTTP/1.1 400 ");
    go_conn *c = dial(&s);
    say(c, UPGRADE "Origin: http://evil.example\r\n\r\n");
    EXPECT_BEGINS(hear(c, "Forbidden\n"), "HTTP/1.1 403 ");
    go_conn_close(c);
    c = dial(&s);
    say(c, UPGRADE "Origin: http://a\r\n\r\n");
    EXPECT_BEGINS(hear(c, "\r\n\r\n"), "HTTP/1.1 101 ");
    go_conn_close(c);
    serve_stop(&s);
}

TEST(ws, readers_end_when_the_server_drains)
{
    start(echo);
    go_conn *c = open_ws();
    go_ctx_cancel(s.ctx);
    expect_frame(c, 0x88, "\x03\xe9", 2);
    EXPECT_EQ_INT(next_frame(c, data, sizeof data, &size), -1);
    go_conn_close(c);
    go_wg_wait(&s.running);
    EXPECT_EQ_INT(s.result, 0);
    EXPECT_EQ_INT(ended, -ECANCELED);
    serve_stop(&s);
}

TEST(ws, a_silent_peer_is_asked_and_then_given_up)
{
    serve_prepare(&s);
    s.options.idle_timeout = 100 * GO_MS;
    go_http_handle(s.mux, "/", echo, NULL);
    serve_listen(&s);
    go_conn *c = dial(&s);
    say(c, UPGRADE "\r\n"); /* before the time for it runs */
    serve_begin(&s);
    expect_switch(c);
    expect_frame(c, 0x89, "", 0);
    hear(c, NULL);
    go_conn_close(c);
    serve_stop(&s);
    EXPECT_EQ_INT(ended, -ETIMEDOUT);
}

/* One goroutine reads, others write, and one of them outlives the handler. */
enum { WRITERS = 4, EACH = 50 };

static go_waitgroup writers;
static go_chan(int) handler_gone;

static void writes(go_ws *ws, int id)
{
    char text[32];
    for (int i = 0; i < EACH; i++) {
        int n = snprintf(text, sizeof text, "%d %d", id, i);
        EXPECT_EQ_INT(go_ws_write(ws, GO_WS_TEXT, text, (size_t)n), 0);
    }
}

static void outlives(go_ws *ws)
{
    go_chan_recv(handler_gone);
    while (go_ws_write(ws, GO_WS_TEXT, "late", 4) == 0) {
        go_yield();
    }
    EXPECT_EQ_INT(go_ws_write(ws, GO_WS_TEXT, "late", 4), -EPIPE);
    go_ws_free(ws);
}

static int crowd(go_http_request *req, go_http_response *res, void *arg)
{
    int kind;
    char buf[8];
    (void)arg;
    go_ws *ws = go_ws_upgrade(req, res);
    go_waitgroup wg = { 0 };
    for (int i = 0; i < WRITERS; i++) {
        go_wg_go(&wg, writes, ws, i);
    }
    go_wg_go(&writers, outlives, go_ws_ref(ws));
    EXPECT_EQ_INT(go_ws_read(ws, buf, sizeof buf, &kind), 3);
    go_wg_wait(&wg);
    go_chan_close(handler_gone);
    return 0;
}

TEST(ws, many_goroutines_may_write_to_one)
{
    int next[WRITERS] = { 0 };
    handler_gone = go_chan_make(int);
    start(crowd);
    go_conn *c = open_ws();
    for (int i = 0; i < WRITERS * EACH; i++) {
        int id;
        int k;
        EXPECT_EQ_INT(next_frame(c, data, sizeof data, &size), 0x81);
        REQUIRE(sscanf(data, "%d %d", &id, &k) == 2 && id < WRITERS);
        EXPECT_EQ_INT(k, next[id]++);
    }
    send_frame(c, 0x81, "end", 3);
    hear(c, NULL);
    go_conn_close(c);
    go_wg_wait(&writers);
    serve_stop(&s);
    go_chan_free(handler_gone);
}

/* A peer that takes nothing: one goroutine writes until that fails, and the handler, which reads,
 * is told of it. */
static int written;

static void fills(go_ws *ws)
{
    int r = 0;
    while (r == 0) {
        r = go_ws_write(ws, GO_WS_BINARY, data, 65536);
    }
    written = r;
}

static int listens(go_http_request *req, go_http_response *res, void *arg)
{
    char buf[8];
    int kind;
    (void)arg;
    go_waitgroup wg = {0};
    go_ws *ws = go_ws_upgrade(req, res);
    go_wg_go(&wg, fills, ws);
    ended = (int)go_ws_read(ws, buf, sizeof buf, &kind);
    go_wg_wait(&wg);
    go_chan_close(handler_gone);
    return 0;
}

TEST(ws, who_takes_nothing_is_over_for_the_reader_too)
{
    handler_gone = go_chan_make(int);
    serve_prepare(&s);
    s.options.write_timeout = 100 * GO_MS;
    go_http_handle(s.mux, "/", listens, NULL);
    serve_start(&s);
    go_conn *c = open_ws();
    go_chan_recv(handler_gone);
    go_conn_close(c);
    serve_stop(&s);
    go_chan_free(handler_gone);
    EXPECT_EQ_INT(written, -ETIMEDOUT);
    EXPECT_EQ_INT(ended, -ETIMEDOUT);
}
