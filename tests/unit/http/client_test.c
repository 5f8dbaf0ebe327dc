/* SPDX-License-Identifier: MIT */
/* The client, against a server of this process. */
#include "serve.h"

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <semaphore.h>

static struct served s;
static sem_t asked, answer;

/* libcurl finds this one instead of libc's: a name server that is silent for as long as we like. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    if (node != NULL && strcmp(node, "silent.example") == 0) {
        sem_post(&asked);
        while (sem_wait(&answer) != 0) { /* ends: the test posts it */
        }
        sem_post(&asked);
        return EAI_FAIL;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, found);
}

static go_chan(int) gate;
static char hang_url[100], show_url[100]; /* for goroutines: url() is for one */

static int show(go_http_request *req, go_http_response *res, void *arg)
{
    const char *body;
    const char *header = go_http_header(req, "X-Test");
    (void)arg;
    ssize_t n = go_http_body(req, &body);
    if (n < 0) {
        return (int)n;
    }
    go_http_set_header(res, "X-Answer", "yes");
    return go_http_printf(res, "%s %s [%.*s] %s", go_http_method(req), go_http_path(req), (int)n,
                          body, header != NULL ? header : "-");
}

static int redirects(go_http_request *req, go_http_response *res, void *arg)
{
    char to[40];
    int n = atoi(go_http_path_value(req, "n"));
    (void)arg;
    snprintf(to, sizeof to, n > 1 ? "/redirect/%d" : "/show/end", n - 1);
    return go_http_redirect(res, 302, to);
}

static int hangs(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req;
    (void)arg;
    go_http_write(res, "begin", 5);
    go_http_flush(res);
    go_chan_recv(gate);
    return 0;
}

static int large(go_http_request *req, go_http_response *res, void *arg)
{
    static const char buf[50000];
    (void)req;
    (void)arg;
    return (int)(go_http_write(res, buf, sizeof buf) < 0);
}

static void start(void)
{
    gate = go_chan_make(int);
    serve_prepare(&s);
    go_http_handle(s.mux, "/show/", show, NULL);
    go_http_handle(s.mux, "/redirect/{n}", redirects, NULL);
    go_http_handle(s.mux, "/hang", hangs, NULL);
    go_http_handle(s.mux, "/large", large, NULL);
    serve_start(&s);
    snprintf(hang_url, sizeof hang_url, "%s/hang", s.url);
    snprintf(show_url, sizeof show_url, "%s/show/x", s.url);
}

static void stop(void)
{
    go_chan_close(gate);
    go_http_close_idle();
    serve_stop(&s);
    go_chan_free(gate);
}

static char *url(const char *path)
{
    static char buf[4][200];
    static int next;
    char *u = buf[next++ % 4];
    snprintf(u, sizeof buf[0], "%s%s", s.url, path);
    return u;
}

TEST(client, gets_what_is_there)
{
    go_http_result r;
    start();
    EXPECT_EQ_INT(go_http_get(NULL, url("/show/a"), &r), 0);
    EXPECT_EQ_INT(r.status, 200);
    EXPECT_EQ_STR(r.body, "GET /show/a [] -");
    EXPECT_EQ_UINT(r.size, strlen(r.body));
    EXPECT_EQ_STR(go_http_result_header(&r, "x-answer"), "yes");
    EXPECT_EQ_STR(go_http_result_header(&r, "X-ANSWER"), "yes");
    EXPECT_EQ_PTR(go_http_result_header(&r, "X-Other"), NULL);
    EXPECT_EQ_STR(r.url, url("/show/a"));
    EXPECT_EQ_INT(r.http_version, 11);
    EXPECT(!r.reused && r.total > 0 && r.connect > 0 && r.first_byte > 0);
    go_http_result_free(&r);
    EXPECT_EQ_INT(go_http_get(NULL, url("/nothing"), &r), 0);
    EXPECT_EQ_INT(r.status, 404);
    EXPECT(r.reused && r.connect == 0);
    go_http_result_free(&r);
    stop();
}

TEST(client, sends_methods_headers_and_bodies)
{
    static const char *const headers[] = { "X-Test: mine", NULL };
    static const char *const bad[] = { "X-Test: a\r\nX-Other: b", NULL };
    go_http_result r;
    start();
    go_http_call call = { .url = url("/show/b"), .headers = headers, .body = "data",
                          .body_size = 4 };
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), 0);
    EXPECT_EQ_STR(r.body, "POST /show/b [data] mine");
    go_http_result_free(&r);
    call.method = "PUT";
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), 0);
    EXPECT_EQ_STR(r.body, "PUT /show/b [data] mine");
    go_http_result_free(&r);
    call.body = NULL;
    call.method = "DELETE";
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), 0);
    EXPECT_EQ_STR(r.body, "DELETE /show/b [] mine");
    go_http_result_free(&r);
    call.method = "HEAD";
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), 0);
    EXPECT_EQ_STR(r.body, "");
    EXPECT(go_http_result_header(&r, "Content-Length") != NULL);
    go_http_result_free(&r);
    call.headers = bad;
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), -EINVAL);
    go_http_result_free(&r);
    stop();
}

TEST(client, follows_redirects_as_far_as_it_is_told)
{
    go_http_result r;
    start();
    EXPECT_EQ_INT(go_http_get(NULL, url("/redirect/3"), &r), 0);
    EXPECT_EQ_STR(r.body, "GET /show/end [] -");
    EXPECT_EQ_INT(r.redirects, 3);
    EXPECT_EQ_STR(r.url, url("/show/end"));
    go_http_result_free(&r);
    EXPECT_EQ_INT(go_http_get(NULL, url("/redirect/20"), &r), -ELOOP);
    go_http_result_free(&r);
    const go_http_call call = { .url = url("/redirect/3"), .max_redirects = -1 };
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), 0);
    EXPECT_EQ_INT(r.status, 302);
    EXPECT_EQ_STR(go_http_result_header(&r, "Location"), "/redirect/2");
    go_http_result_free(&r);
    stop();
}

TEST(client, errors_have_their_own_numbers)
{
    go_http_result r;
    start();
    EXPECT_EQ_INT(go_http_get(NULL, "http://127.0.0.1:1/", &r), -ECONNREFUSED);
    EXPECT(r.error[0] != '\0');
    go_http_result_free(&r);
    EXPECT_EQ_INT(go_http_get(NULL, "ftp://127.0.0.1/", &r), -ENOTSUP);
    go_http_result_free(&r);
    EXPECT_EQ_INT(go_http_get(NULL, "http://[bad/", &r), -EINVAL);
    go_http_result_free(&r);
    const go_http_call slow = { .url = url("/hang"), .timeout = 60 * GO_MS };
    EXPECT_EQ_INT(go_http_do(NULL, &slow, &r), -ETIMEDOUT);
    go_http_result_free(&r);
    const go_http_call small = { .url = url("/large"), .max_body_bytes = 49999 };
    EXPECT_EQ_INT(go_http_do(NULL, &small, &r), -EFBIG);
    go_http_result_free(&r);
    const go_http_call fits = { .url = url("/large"), .max_body_bytes = 50000 };
    EXPECT_EQ_INT(go_http_do(NULL, &fits, &r), 0);
    EXPECT_EQ_UINT(r.size, 50000);
    go_http_result_free(&r);
    stop();
}

static int counts(void *arg, const void *data, size_t size)
{
    size_t *n = arg;
    (void)data;
    *n += size;
    return *n > 60000 ? -EDOM : 0;
}

TEST(client, a_body_may_be_taken_piece_by_piece)
{
    go_http_result r;
    size_t n = 0;
    start();
    const go_http_call call = { .url = url("/large"), .take = counts, .arg = &n };
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), 0);
    EXPECT_EQ_UINT(n, 50000);
    EXPECT_EQ_UINT(r.size, 0);
    go_http_result_free(&r);
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), -EDOM);
    go_http_result_free(&r);
    stop();
}

static void cancel_later(go_ctx *ctx)
{
    go_sleep(30 * GO_MS);
    go_ctx_cancel_cause(ctx, -EINTR, "enough");
}

TEST(client, the_end_of_a_context_ends_the_transfer)
{
    go_http_result r;
    go_waitgroup wg = { 0 };
    start();
    go_ctx *ctx = go_ctx_with_cancel(go_ctx_background());
    go_wg_go(&wg, cancel_later, ctx);
    EXPECT_EQ_INT(go_http_get(ctx, url("/hang"), &r), -ECANCELED);
    EXPECT_EQ_STR(r.error, "enough");
    go_http_result_free(&r);
    EXPECT_EQ_INT(go_http_get(ctx, url("/show/"), &r), -ECANCELED);
    go_http_result_free(&r);
    go_wg_wait(&wg);
    go_ctx_free(ctx);
    ctx = go_ctx_with_timeout(go_ctx_background(), 30 * GO_MS);
    EXPECT_EQ_INT(go_http_get(ctx, url("/hang"), &r), -ETIMEDOUT);
    go_http_result_free(&r);
    go_ctx_free(ctx);
    stop();
}

static void cancel_when_asked(go_ctx *ctx)
{
    while (sem_wait(&asked) != 0) { /* ends: the name is asked for */
    }
    go_ctx_cancel(ctx);
}

/* Nor does a name server that says nothing hold up who has been told to end. */
TEST(client, the_end_does_not_wait_for_a_name)
{
    go_http_result r;
    go_waitgroup wg = { 0 };
    start();
    sem_init(&asked, 0, 0);
    sem_init(&answer, 0, 0);
    go_ctx *ctx = go_ctx_with_cancel(go_ctx_background());
    go_wg_go(&wg, cancel_when_asked, ctx);
    EXPECT_EQ_INT(go_http_get(ctx, "http://silent.example/", &r), -ECANCELED);
    go_http_result_free(&r);
    go_wg_wait(&wg);
    go_ctx_free(ctx);
    const go_http_call call = { .url = "http://silent.example/", .timeout = 50 * GO_MS };
    EXPECT_EQ_INT(go_http_do(NULL, &call, &r), -ETIMEDOUT);
    go_http_result_free(&r);
    EXPECT_EQ_INT(go_http_get(NULL, url("/show/"), &r), 0);
    go_http_result_free(&r);
    for (int i = 0; i < 2; i++) {
        sem_post(&answer);
    }
    for (int i = 0; i < 3; i++) { /* the second question, and the end of both */
        go_blocking {
            while (sem_wait(&asked) != 0) { /* ends: see getaddrinfo */
            }
        }
    }
    stop();
}

static int threads(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    while (d != NULL && readdir(d) != NULL) {
        n++;
    }
    closedir(d);
    return n;
}

static void fetch_hanging(go_ctx *ctx)
{
    go_http_result r;
    EXPECT_EQ_INT(go_http_get(ctx, hang_url, &r), -ECANCELED);
    go_http_result_free(&r);
}

/* A hundred transfers that hang at once take no thread each. */
TEST(client, waiting_holds_no_thread)
{
    enum { MANY = 100 };
    go_waitgroup wg = { 0 };
    start();
    go_ctx *ctx = go_ctx_with_cancel(go_ctx_background());
    for (int i = 0; i < MANY; i++) {
        go_wg_go(&wg, fetch_hanging, ctx);
    }
    /* One goroutine for each transfer and one for its connection here: then all are under way. */
    while (go_count() < 2 * MANY) {
        go_sleep(5 * GO_MS);
    }
    EXPECT_INT(threads(), <, 40);
    go_ctx_cancel(ctx);
    go_wg_wait(&wg);
    go_ctx_free(ctx);
    stop();
}

static void fetch_some(int n)
{
    for (int i = 0; i < n; i++) {
        go_http_result r;
        EXPECT_EQ_INT(go_http_get(NULL, show_url, &r), 0);
        EXPECT_EQ_STR(r.body, "GET /show/x [] -");
        go_http_result_free(&r);
    }
}

TEST(client, many_goroutines_fetch_at_once)
{
    go_waitgroup wg = { 0 };
    start();
    for (int i = 0; i < 20; i++) {
        go_wg_go(&wg, fetch_some, 10);
    }
    go_wg_wait(&wg);
    stop();
}

TEST(client, a_connection_that_the_server_has_closed_is_replaced)
{
    go_http_result r;
    start();
    EXPECT_EQ_INT(go_http_get(NULL, url("/show/x"), &r), 0);
    go_http_result_free(&r);
    /* The server goes, another one comes to the same place. */
    go_ctx_cancel(s.ctx);
    go_wg_wait(&s.running);
    go_ctx_free(s.ctx);
    s.ctx = go_ctx_with_cancel(go_ctx_background());
    go_listener *l;
    REQUIRE_EQ_INT(go_listen("tcp", s.addr, &l), 0);
    go_wg_go(&s.running, serve_run, &s, l);
    EXPECT_EQ_INT(go_http_get(NULL, url("/show/x"), &r), 0);
    go_http_result_free(&r);
    stop();
}
