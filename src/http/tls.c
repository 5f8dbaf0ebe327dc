/* SPDX-License-Identifier: MIT */
/* tls.c: TLS by OpenSSL, under goroutines that park.
 *
 * OpenSSL must not park: it keeps its errors per thread, and a goroutine that has parked may be on
 * another one. So it never sees the socket. What it writes is appended to `out` and sent after the
 * call; what it reads comes from `raw`, and when that is empty the call ends with WANT_READ, the
 * goroutine waits in a plain read of the connection, and the call is made again.
 *
 *   E1  No call into OpenSSL parks: its transport only copies, or asks the kernel for what is there
 *       already. (bio_read, bio_write)
 *   E2  Calls into one SSL object exclude each other, since a WebSocket is read and written by
 *       different goroutines; nobody holds `mu` while he waits. (goi_tls_read, goi_tls_write)
 *   E3  Records go out in the order in which they were made: they are taken from `out` and sent
 *       under `sending`. (send_out)
 */
#include "internal.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { RAW_BYTES = 1024, RECORD = 16 << 10, SEND_AT = 64 << 10 };

struct tls_server {
    SSL_CTX *ctx;
    BIO_METHOD *method;
};

struct tls {
    SSL *ssl;
    struct conn *c;
    go_mutex mu;        /* guards ssl, out, raw and what is below */
    go_mutex sending;   /* before mu */
    struct text out;    /* ciphertext to be sent */
    int raw_start, raw_end;
    bool more;          /* raw was filled: the socket may have more */
    bool failed;
    char raw[RAW_BYTES];
};

/* ---- the transport -------------------------------------------------------------------------- */

/* E1 */
static int bio_read(BIO *b, char *to, int n)
{
    struct tls *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    int have = t->raw_end - t->raw_start;
    if (have > 0) {
        n = n < have ? n : have;
        memcpy(to, t->raw + t->raw_start, (size_t)n);
        t->raw_start += n;
        return n;
    }
    if (t->more) {
        ssize_t r = recv(go_conn_fd(t->c->net), to, (size_t)n, MSG_DONTWAIT);
        t->more = r == n;
        if (r > 0) {
            return (int)r;
        }
        /* The end and errors are met again by the plain read that follows. */
    }
    BIO_set_retry_read(b);
    return -1;
}

static int bio_write(BIO *b, const char *s, int n)
{
    struct tls *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    goi_text_add(&t->out, s, (size_t)n);
    return t->out.failed ? -1 : n;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *p)
{
    (void)b;
    (void)num;
    (void)p;
    return cmd == BIO_CTRL_FLUSH;
}

/* ---- the server ----------------------------------------------------------------------------- */

static void why_not(struct text *why, const char *what)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = e != 0 ? ERR_reason_error_string(e) : NULL;
    goi_text_printf(why, "%s: %s", what, reason != NULL ? reason : "cannot be used");
    ERR_clear_error();
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;
    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool load(SSL_CTX *ctx, const char *cert, const char *key, struct text *why)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
        why_not(why, cert);
    } else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
               SSL_CTX_check_private_key(ctx) != 1) {
        why_not(why, key);
    } else {
        return true;
    }
    return false;
}

struct tls_server *goi_tls_server_make(const char *cert, const char *key, struct text *why)
{
    struct tls_server *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->ctx = SSL_CTX_new(TLS_server_method());
    s->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gort connection");
    if (s->ctx == NULL || s->method == NULL || !load(s->ctx, cert, key, why)) {
        goi_tls_server_free(s);
        return NULL;
    }
    BIO_meth_set_read(s->method, bio_read);
    BIO_meth_set_write(s->method, bio_write);
    BIO_meth_set_ctrl(s->method, bio_ctrl);
    SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION);
    /* Buffers are given back while a connection is idle; sessions live in tickets only. */
    SSL_CTX_set_mode(s->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(s->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(s->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(s->ctx, choose_protocol, NULL);
    return s;
}

void goi_tls_server_free(struct tls_server *s)
{
    if (s != NULL) {
        SSL_CTX_free(s->ctx);
        BIO_meth_free(s->method);
        free(s);
    }
}

/* ---- a connection --------------------------------------------------------------------------- */

struct tls *goi_tls_make(struct tls_server *s, struct conn *c)
{
    struct tls *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->c = c;
    t->ssl = SSL_new(s->ctx);
    BIO *bio = t->ssl != NULL ? BIO_new(s->method) : NULL;
    if (bio == NULL) {
        SSL_free(t->ssl);
        free(t);
        return NULL;
    }
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_accept_state(t->ssl);
    return t;
}

void goi_tls_free(struct tls *t)
{
    if (t == NULL) {
        return;
    }
    if (SSL_is_init_finished(t->ssl) && !t->failed && !t->c->broken) {
        ERR_clear_error();
        SSL_shutdown(t->ssl);
        if (t->out.len > 0) {
            /* Whoever does not read it now misses nothing that HTTP has not told him. */
            send(go_conn_fd(t->c->net), t->out.data, t->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
    }
    SSL_free(t->ssl);
    ERR_clear_error();
    goi_text_free(&t->out);
    free(t);
}

/* E3. 0 or an error. */
static int send_out(struct tls *t)
{
    int r = 0;
    go_mutex_lock(&t->sending);
    go_mutex_lock(&t->mu);
    struct text out = t->out;
    t->out = (struct text){ 0 };
    go_mutex_unlock(&t->mu);
    if (out.len > 0) {
        struct iovec v = { out.data, out.len };
        r = goi_stream_raw_write(t->c, &v, 1);
    }
    go_mutex_unlock(&t->sending);
    goi_text_free(&out);
    return r;
}

/* What a call into OpenSSL has come to: 1 for progress, 0 for the peer's goodbye, -EAGAIN when it
 * wants to read, or an error. With mu held. */
static int outcome(struct tls *t, int r)
{
    if (r > 0) {
        return 1;
    }
    int e = SSL_get_error(t->ssl, r);
    ERR_clear_error();
    switch (e) {
    case SSL_ERROR_WANT_READ:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        t->failed = true;
        return -EPROTO;
    }
}

/* Waits for ciphertext: 1 when there is some, 0 at the end, or an error. */
static ssize_t wait_raw(struct tls *t, go_time until, bool idle)
{
    ssize_t r = goi_stream_raw_read(t->c, t->raw, RAW_BYTES, until, idle);
    if (r <= 0) {
        return r;
    }
    go_mutex_lock(&t->mu);
    t->raw_start = 0;
    t->raw_end = (int)r;
    t->more = r == RAW_BYTES;
    go_mutex_unlock(&t->mu);
    return 1;
}

ssize_t goi_tls_read(struct tls *t, char *buf, size_t n, go_time until, bool idle)
{
    int want = n < INT32_MAX ? (int)n : INT32_MAX;
    for (;;) {
        go_mutex_lock(&t->mu); /* E2 */
        ERR_clear_error();
        int r = SSL_read(t->ssl, buf, want);
        int e = outcome(t, r);
        bool owed = t->out.len > 0;
        go_mutex_unlock(&t->mu);
        if (owed) {
            int sent = send_out(t);
            if (sent < 0 && r <= 0) {
                return sent;
            }
        }
        if (e != -EAGAIN) {
            return e == 1 ? r : e;
        }
        ssize_t w = wait_raw(t, until, idle);
        if (w <= 0) {
            return w;
        }
    }
}

int goi_tls_handshake(struct tls *t, go_time until)
{
    for (;;) {
        go_mutex_lock(&t->mu);
        ERR_clear_error();
        int e = outcome(t, SSL_do_handshake(t->ssl));
        go_mutex_unlock(&t->mu);
        int r = send_out(t);
        if (e == 1 || r < 0) {
            return r;
        }
        ssize_t w = e == -EAGAIN ? wait_raw(t, until, false) : e;
        if (w <= 0) {
            return w < 0 ? (int)w : -ECONNRESET;
        }
    }
}

int goi_tls_write(struct tls *t, const char *buf, size_t n)
{
    while (n > 0) {
        int e = 1;
        go_mutex_lock(&t->mu); /* E2 */
        ERR_clear_error();
        while (n > 0 && e == 1 && t->out.len < SEND_AT) {
            int r = SSL_write(t->ssl, buf, n < RECORD ? (int)n : RECORD);
            e = outcome(t, r);
            buf += r > 0 ? r : 0;
            n -= r > 0 ? (size_t)r : 0;
        }
        go_mutex_unlock(&t->mu);
        int r = send_out(t);
        if (e != 1 || r < 0) {
            return r < 0 ? r : -EPROTO;
        }
    }
    return 0;
}
