/* SPDX-License-Identifier: MIT */
/* TLS, with a certificate made here; the client is libcurl under go_http_do. */
#include "serve.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static char cert_path[] = "/tmp/gort-cert-XXXXXX";

/* A key and a certificate for 127.0.0.1, signed by itself, in one file. */
static void make_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    REQUIRE(key != NULL && x != NULL);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"gort", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    EXPECT(X509_sign(x, key, EVP_sha256()) > 0);
    int fd = mkstemp(cert_path);
    REQUIRE(fd >= 0);
    FILE *f = fdopen(fd, "w");
    PEM_write_X509(f, x);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}

static int echo(go_http_request *req, go_http_response *res, void *arg)
{
    const char *body;
    (void)arg;
    ssize_t n = go_http_body(req, &body);
    EXPECT(go_http_is_tls(req));
    return n < 0 ? (int)n : (int)(go_http_write(res, body, (size_t)n) < 0);
}

static int itself(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    return go_http_sendfile(res, arg);
}

static void start(struct served *s)
{
    make_certificate();
    serve_prepare(s);
    s->options.tls_cert = cert_path;
    go_http_handle(s->mux, "/", echo, NULL);
    go_http_handle(s->mux, "/file", itself, cert_path);
    serve_start(s);
}

static void stop(struct served *s)
{
    go_http_close_idle();
    serve_stop(s);
    unlink(cert_path);
}

TEST(tls, requests_of_all_sizes_pass)
{
    static const size_t sizes[] = { 0, 1, 1000, 16384, 16385, 100000, 1000000 };
    struct served s;
    start(&s);
    char *text = malloc(1000000);
    for (int i = 0; i < 1000000; i++) {
        text[i] = (char)('a' + i % 19);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        go_http_result r;
        const go_http_call call = { .url = s.url, .body = text, .body_size = sizes[i],
                                    .ca_file = cert_path, .timeout = PATIENCE };
        int e = go_http_do(NULL, &call, &r);
        if (e != 0) {
            FAIL("%d: %s", e, r.error);
        } else {
            EXPECT_EQ_INT(r.status, 200);
            EXPECT(r.size == sizes[i] && memcmp(r.body, text, r.size) == 0);
            EXPECT(r.reused == (i > 0));
        }
        go_http_result_free(&r);
    }
    free(text);
    stop(&s);
}

TEST(tls, files_pass)
{
    struct served s;
    char url[100];
    go_http_result r;
    start(&s);
    snprintf(url, sizeof url, "%s/file", s.url);
    const go_http_call call = { .url = url, .ca_file = cert_path, .timeout = PATIENCE };
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), 0);
    EXPECT_CONTAINS(r.body != NULL ? r.body : "", "-----BEGIN CERTIFICATE-----");
    go_http_result_free(&r);
    stop(&s);
}

TEST(tls, a_certificate_that_is_not_known_is_not_trusted)
{
    struct served s;
    go_http_result r;
    start(&s);
    EXPECT_EQ_INT(go_http_get(NULL, s.url, &r), -EACCES);
    go_http_result_free(&r);
    const go_http_call call = { .url = s.url, .insecure = true, .timeout = PATIENCE };
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), 0);
    go_http_result_free(&r);
    stop(&s);
}

TEST(tls, plain_text_and_silence_end_the_connection)
{
    struct served s;
    make_certificate();
    serve_prepare(&s);
    s.options.tls_cert = cert_path;
    s.options.read_header_timeout = 60 * GO_MS;
    go_http_handle(s.mux, "/", echo, NULL);
    serve_start(&s);
    EXPECT_EQ_PTR(strstr(talk(&s, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1"), NULL);
    EXPECT_EQ_STR(talk(&s, ""), "");
    EXPECT_EQ_STR(talk(&s, "\x16\x03\x01"), "");
    stop(&s);
}

TEST(tls, idle_connections_go_when_the_server_drains)
{
    struct served s;
    go_http_result r;
    start(&s);
    const go_http_call call = { .url = s.url, .ca_file = cert_path, .timeout = PATIENCE };
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), 0);
    go_http_result_free(&r);
    go_ctx_cancel(s.ctx);
    go_wg_wait(&s.running);
    EXPECT_EQ_INT(s.result, 0);
    stop(&s);
}

TEST(tls, files_that_are_no_certificate_are_refused)
{
    struct served s;
    make_certificate();
    serve_prepare(&s);
    s.options.tls_cert = "/dev/null";
    go_http_handle(s.mux, "/", echo, NULL);
    serve_start(&s);
    go_wg_wait(&s.running);
    EXPECT_EQ_INT(s.result, -EINVAL);
    stop(&s);
}
