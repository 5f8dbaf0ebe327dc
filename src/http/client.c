/* SPDX-License-Identifier: MIT */
/* client.c: fetching, by libcurl, without holding a thread.
 *
 * libcurl's easy interface would do inside a goroutine: it blocks in poll(2), the runtime takes its
 * processor away after a moment, and a thread is held for the length of each transfer. A hundred
 * slow pages are a hundred threads. With the multi-socket interface libcurl says which descriptors
 * it waits for and until when, and is called when one is ready; then the waiting is ours.
 *
 * One multi handle for all transfers would need one goroutine to run them all: every byte would
 * pass through two goroutines, and TLS of all hosts through one processor. So each transfer has a
 * multi handle of its own while it runs, called a line here, and runs in the goroutine that asked.
 * The open connections are in the line. Lines are kept for a while under the name of their server,
 * and the one used last is taken first: a goroutine that fetches one page after the other from a
 * server uses one connection, and as many connections live as transfers ran at the same time.
 *
 * A transfer may wait for several descriptors (addresses tried in turn, a resolver's thread). They
 * are collected in an epoll descriptor of the line's, which can be waited for itself, so the
 * goroutine waits for one. The end of a context writes to an eventfd in the same set.
 *
 *   D1  A line belongs to one goroutine at a time. (line_take, line_put)
 *   D2  No call into libcurl parks: it keeps no state of a thread's but errno and OpenSSL's errors,
 *       which it reads before it returns. (turn)
 *   D3  A context that ends late finds an open eventfd or none. (waker)
 */
#include <gort/go.h>
#include <gort/http.h>
#include <gort/poll.h>
#include <gort/sync.h>

#include "text.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINES_MAX = 128, EVENTS = 8, REDIRECTS = 10 };
#define LINE_AGE (90 * GO_SEC)
#define BODY_MAX ((int64_t)64 << 20)

/* What the end of a context does. It may come while the transfer ends, so it has a life of its
 * own. */
struct waker {
    go_mutex mu;
    int fd;     /* [l:mu] -1: nobody waits any more */
    int refs;   /* [l:mu] */
};

/* What a result keeps. */
struct kept {
    struct text headers, body, url;
    char error[CURL_ERROR_SIZE];
};

struct line {
    struct line *next;
    char *key;
    CURLM *multi;
    CURL *easy;
    int epoll, event;
    go_time timer;          /* when libcurl wants to be called at the latest */
    go_time idle_since;
    /* of the present transfer */
    const go_http_call *call;
    struct kept *kept;
    int64_t body_left;
    int error;              /* why we ended it */
};

/* Lines at rest, the one used last in front. */
static struct {
    go_mutex mu;
    struct line *first;
    int count;
} rest;

static go_once global;

/* ---- what libcurl calls --------------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct line *l = arg;
    struct epoll_event e = { .data.fd = fd };
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        /* It may have been closed before, and the number be another's by now. The kernel knows of
         * no such pair then; ThreadSanitizer, in epoll_ctl(), would think of the other's. */
        syscall(SYS_epoll_ctl, l->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    e.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    int r = epoll_ctl(l->epoll, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e);
    if (r != 0 && (errno == EEXIST || errno == ENOENT)) {
        r = epoll_ctl(l->epoll, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e);
    }
    curl_multi_assign(l->multi, fd, l);
    return r == 0 ? 0 : -1;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct line *l = arg;
    (void)multi;
    l->timer = ms < 0 ? GO_FOREVER : go_now() + ms * GO_MS;
    return 0;
}

static size_t on_header(char *s, size_t one, size_t n, void *arg)
{
    struct line *l = arg;
    struct text *t = &l->kept->headers;
    n *= one;
    if (n > 5 && memcmp(s, "HTTP/", 5) == 0) {
        /* A new answer: behind a redirect, a proxy's, or a 100. */
        t->len = 0;
    } else {
        goi_text_add(t, s, n);
    }
    return t->failed ? 0 : n;
}

static size_t on_body(char *s, size_t one, size_t n, void *arg)
{
    struct line *l = arg;
    n *= one;
    if ((int64_t)n > l->body_left) {
        l->error = -EFBIG;
        return 0;
    }
    l->body_left -= (int64_t)n;
    if (l->call->take != NULL) {
        int r = l->call->take(l->call->arg, s, n);
        l->error = r < 0 ? r : 0;
    } else {
        goi_text_add(&l->kept->body, s, n);
        l->error = l->kept->body.failed ? -ENOMEM : 0;
    }
    return l->error < 0 ? 0 : n;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static void line_free(struct line *l)
{
    if (l->easy != NULL) {
        curl_easy_cleanup(l->easy);
    }
    if (l->multi != NULL) {
        curl_multi_cleanup(l->multi);
    }
    if (l->event >= 0) {
        close(l->event);
    }
    if (l->epoll >= 0) {
        close(l->epoll);
    }
    free(l->key);
    free(l);
}

static struct line *line_make(const char *key)
{
    struct line *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return NULL;
    }
    l->timer = GO_FOREVER;
    l->key = strdup(key);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->multi = curl_multi_init();
    l->easy = curl_easy_init();
    struct epoll_event e = { .events = EPOLLIN, .data.fd = l->event };
    if (l->key == NULL || l->epoll < 0 || l->event < 0 || l->multi == NULL || l->easy == NULL ||
        epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->event, &e) != 0) {
        line_free(l);
        return NULL;
    }
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, 4L);
    return l;
}

/* Takes out of the list, with mu held, what is to go: lines that have rested too long, or are too
 * many. */
static struct line *weed_locked(go_time now)
{
    struct line *gone = NULL;
    struct line **at = &rest.first;
    int count = 0;
    while (*at != NULL) {
        struct line *l = *at;
        if (count < LINES_MAX && now - l->idle_since < LINE_AGE) {
            count++;
            at = &l->next;
            continue;
        }
        *at = l->next;
        l->next = gone;
        gone = l;
    }
    rest.count = count;
    return gone;
}

static void free_all(struct line *l)
{
    while (l != NULL) {
        struct line *next = l->next;
        line_free(l);
        l = next;
    }
}

/* D1 */
static struct line *line_take(const char *key)
{
    go_mutex_lock(&rest.mu);
    struct line **at = &rest.first;
    while (*at != NULL && strcmp((*at)->key, key) != 0) {
        at = &(*at)->next;
    }
    struct line *l = *at;
    if (l != NULL) {
        *at = l->next;
        rest.count--;
    }
    go_mutex_unlock(&rest.mu);
    return l != NULL ? l : line_make(key);
}

static void line_put(struct line *l)
{
    go_time now = go_now();
    l->call = NULL;
    l->kept = NULL;
    l->idle_since = now;
    go_mutex_lock(&rest.mu);
    l->next = rest.first;
    rest.first = l;
    rest.count++;
    struct line *gone = weed_locked(now);
    go_mutex_unlock(&rest.mu);
    free_all(gone);
}

void go_http_close_idle(void)
{
    go_mutex_lock(&rest.mu);
    struct line *all = rest.first;
    rest.first = NULL;
    rest.count = 0;
    go_mutex_unlock(&rest.mu);
    free_all(all);
}

/* ---- contexts ------------------------------------------------------------------------------- */

static void waker_unref(struct waker *w, int n)
{
    go_mutex_lock(&w->mu);
    w->refs -= n;
    bool last = w->refs == 0;
    go_mutex_unlock(&w->mu);
    if (last) {
        free(w);
    }
}

/* D3 */
static void wake(struct waker *w)
{
    const uint64_t one = 1;
    go_mutex_lock(&w->mu);
    if (w->fd >= 0 && write(w->fd, &one, sizeof one) < 0) {
        /* Full: it is readable then. */
    }
    go_mutex_unlock(&w->mu);
    waker_unref(w, 1);
}

static struct waker *watch(go_ctx *ctx, struct line *l, go_ctx_after **after)
{
    struct waker *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->fd = l->event;
    w->refs = 2;
    *after = go_ctx_after_func(ctx, wake, w);
    if (*after == NULL) {
        free(w);
        return NULL;
    }
    return w;
}

static void unwatch(struct waker *w, go_ctx_after *after)
{
    bool prevented = go_ctx_after_stop(after);
    go_mutex_lock(&w->mu);
    w->fd = -1;
    go_mutex_unlock(&w->mu);
    waker_unref(w, prevented ? 2 : 1);
}

/* ---- a transfer ----------------------------------------------------------------------------- */

static int error_of(const struct line *l, CURLcode e)
{
    long os = 0;
    switch ((int)e) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return -EHOSTUNREACH;
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(l->easy, CURLINFO_OS_ERRNO, &os);
        return os > 0 ? -(int)os : -ECONNREFUSED;
    case CURLE_TOO_MANY_REDIRECTS:
        return -ELOOP;
    case CURLE_URL_MALFORMAT:
        return -EINVAL;
    case CURLE_UNSUPPORTED_PROTOCOL:
        return -ENOTSUP;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return -EACCES;
    case CURLE_WRITE_ERROR:
        return l->error != 0 ? l->error : -ENOMEM;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return -ECONNRESET;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    default:
        return -EPROTO;
    }
}

static struct curl_slist *header_list(const go_http_call *call, bool *ok)
{
    struct curl_slist *list = NULL;
    for (size_t i = 0; call->headers != NULL && call->headers[i] != NULL; i++) {
        const char *s = call->headers[i];
        struct curl_slist *more = NULL;
        /* A line end in here would become a header of its own. */
        if (goi_is_field_value(s, strlen(s)) && strchr(s, ':') != NULL) {
            more = curl_slist_append(list, s);
        }
        if (more == NULL) {
            *ok = false;
            return list;
        }
        list = more;
    }
    return list;
}

static void set_method(CURL *e, const go_http_call *call)
{
    const char *method = call->method;
    bool has_body = call->body != NULL;
    if (has_body || (method != NULL && strcmp(method, "POST") == 0)) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, has_body ? call->body : "");
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)(has_body ? call->body_size : 0));
    } else if (method != NULL && strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
        return;
    }
    if (method != NULL && strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0) {
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method);
    } else if (method != NULL && has_body && strcmp(method, "GET") == 0) {
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, "GET");
    }
}

static void set_options(struct line *l, const go_http_call *call, struct curl_slist *headers)
{
    CURL *e = l->easy;
    curl_easy_reset(e); /* the connections and sessions stay */
    curl_easy_setopt(e, CURLOPT_URL, call->url);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Who gives up does not wait for the thread that asks for the name: it ends by itself. */
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
#endif
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(e, CURLOPT_USERAGENT, "gort/" GO_VERSION);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, l->kept->error);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, l);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, l);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
    if (call->max_redirects >= 0) {
        long most = call->max_redirects > 0 ? call->max_redirects : REDIRECTS;
        curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(e, CURLOPT_MAXREDIRS, most);
    }
    if (call->timeout > 0) {
        go_duration ms = (call->timeout + GO_MS - 1) / GO_MS;
        curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)ms);
    }
    if (call->ca_file != NULL) {
        curl_easy_setopt(e, CURLOPT_CAINFO, call->ca_file);
    }
    if (call->insecure) {
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (call->proxy != NULL) {
        curl_easy_setopt(e, CURLOPT_PROXY, call->proxy);
    }
    if (call->unix_path != NULL) {
        curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, call->unix_path);
    }
    set_method(e, call);
}

/* Waits for what the line waits for and tells libcurl. D2 */
static int turn(struct line *l, int *running)
{
    struct epoll_event ready[EVENTS];
    int r = go_fd_wait(l->epoll, GO_READ, l->timer);
    if (r < 0 && r != -ETIMEDOUT) {
        return r;
    }
    int n = r > 0 ? epoll_wait(l->epoll, ready, EVENTS, 0) : 0;
    for (int i = 0; i < n; i++) {
        int fd = ready[i].data.fd;
        if (fd == l->event) {
            uint64_t ignored;
            if (read(fd, &ignored, sizeof ignored) < 0) {
                /* Somebody's late wake-up that has been taken already. */
            }
            continue;
        }
        uint32_t e = ready[i].events;
        int mask = (e & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                   (e & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (e & EPOLLERR ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(l->multi, fd, mask, running);
    }
    if (l->timer <= go_now()) {
        l->timer = GO_FOREVER;
        curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, running);
    }
    return 0;
}

/* Runs the transfer to its end: 0 with its result in *code, or why it was given up. */
static int run(go_ctx *ctx, struct line *l, CURLcode *code)
{
    int running = 1;
    int r = 0;
    int left;
    if (curl_multi_add_handle(l->multi, l->easy) != CURLM_OK) {
        return -ENOMEM;
    }
    curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    while (r == 0 && running > 0) {
        r = ctx != NULL ? go_ctx_err(ctx) : 0;
        r = r == 0 ? turn(l, &running) : r;
    }
    *code = CURLE_FAILED_INIT;
    const CURLMsg *m = curl_multi_info_read(l->multi, &left);
    if (m != NULL && m->msg == CURLMSG_DONE) {
        *code = m->data.result;
        r = 0;
    }
    return r;
}

static go_duration microseconds(CURL *e, CURLINFO info)
{
    curl_off_t us = 0;
    curl_easy_getinfo(e, info, &us);
    return us * GO_US;
}

static void fill_result(struct line *l, go_http_result *out)
{
    CURL *e = l->easy;
    long n = 0;
    char *url = NULL;
    curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &n);
    out->status = (int)n;
    curl_easy_getinfo(e, CURLINFO_REDIRECT_COUNT, &n);
    out->redirects = (int)n;
    curl_easy_getinfo(e, CURLINFO_HTTP_VERSION, &n);
    out->http_version = n == CURL_HTTP_VERSION_1_0 ? 10 : n == CURL_HTTP_VERSION_2_0 ? 20 : 11;
    curl_easy_getinfo(e, CURLINFO_NUM_CONNECTS, &n);
    out->reused = n == 0 && out->status > 0;
    go_duration tls = microseconds(e, CURLINFO_APPCONNECT_TIME_T);
    out->connect = out->reused ? 0 : tls > 0 ? tls : microseconds(e, CURLINFO_CONNECT_TIME_T);
    out->first_byte = microseconds(e, CURLINFO_STARTTRANSFER_TIME_T);
    curl_easy_getinfo(e, CURLINFO_EFFECTIVE_URL, &url);
    goi_text_str(&l->kept->url, url != NULL ? url : "");
    out->url = l->kept->url.data;
    goi_text_room(&l->kept->body, 1);
    if (l->kept->body.data != NULL) {
        l->kept->body.data[l->kept->body.len] = '\0';
    }
    out->body = l->kept->body.data;
    out->size = l->kept->body.len;
}

/* "https://example.org:8443": connections are the same up to there. The path is not looked at, and
 * libcurl itself decides whether a connection fits. */
static bool key_of(const go_http_call *call, struct text *key)
{
    const char *host = strstr(call->url, "://");
    host = host != NULL ? host + 3 : call->url;
    goi_text_add(key, call->url, (size_t)(host - call->url) + strcspn(host, "/?#"));
    if (call->unix_path != NULL) {
        goi_text_printf(key, " %s", call->unix_path);
    }
    return !key->failed;
}

static int perform(go_ctx *ctx, struct line *l, go_http_result *out)
{
    go_ctx_after *after = NULL;
    struct waker *w = NULL;
    CURLcode code = CURLE_OK;
    if (ctx != NULL && go_ctx_done(ctx) != NULL) {
        w = watch(ctx, l, &after);
        if (w == NULL) {
            return -ENOMEM;
        }
    }
    go_time start = go_now();
    int r = run(ctx, l, &code);
    out->total = go_now() - start;
    if (w != NULL) {
        unwatch(w, after);
    }
    if (r == 0) {
        fill_result(l, out);
        r = out->body == NULL || out->url == NULL ? -ENOMEM : error_of(l, code);
    }
    if (r < 0 && l->kept->error[0] == '\0') {
        const char *why = ctx != NULL && go_ctx_err(ctx) == r ? go_ctx_cause(ctx) :
                          code != CURLE_OK ? curl_easy_strerror(code) : strerror(-r);
        strncat(l->kept->error, why != NULL ? why : "", CURL_ERROR_SIZE - 1);
    }
    curl_multi_remove_handle(l->multi, l->easy);
    return r;
}

static void global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

int go_http_do(go_ctx *ctx, const go_http_call *call, go_http_result *out)
{
    struct text key = { 0 };
    *out = (go_http_result){ 0 };
    go_once_call(&global, global_init);
    struct kept *kept = calloc(1, sizeof *kept);
    if (kept == NULL) {
        return -ENOMEM;
    }
    out->impl = kept;
    out->error = kept->error;
    if (call->url == NULL) {
        return -EINVAL;
    }
    bool ok = true;
    struct curl_slist *headers = header_list(call, &ok);
    struct line *l = ok && key_of(call, &key) ? line_take(key.data) : NULL;
    int r = ok ? -ENOMEM : -EINVAL;
    if (l != NULL) {
        int64_t most = call->max_body_bytes;
        l->call = call;
        l->kept = kept;
        l->error = 0;
        l->body_left = most == 0 ? BODY_MAX : most < 0 ? INT64_MAX : most;
        set_options(l, call, headers);
        r = perform(ctx, l, out);
        curl_easy_setopt(l->easy, CURLOPT_ERRORBUFFER, NULL);
        line_put(l);
    }
    curl_slist_free_all(headers);
    goi_text_free(&key);
    return r;
}

int go_http_get(go_ctx *ctx, const char *url, go_http_result *out)
{
    const go_http_call call = { .url = url };
    return go_http_do(ctx, &call, out);
}

/* ---- results -------------------------------------------------------------------------------- */

void go_http_result_free(go_http_result *r)
{
    struct kept *k = r->impl;
    if (k != NULL) {
        goi_text_free(&k->headers);
        goi_text_free(&k->body);
        goi_text_free(&k->url);
        free(k);
    }
    *r = (go_http_result){ 0 };
}

const char *go_http_result_header(const go_http_result *r, const char *name)
{
    struct kept *k = r->impl;
    size_t n = strlen(name);
    if (k == NULL || k->headers.data == NULL) {
        return NULL;
    }
    /* Lines end in CR LF or LF at first; the one that is found, and only that, gets a zero. */
    char *line = k->headers.data;
    char *end = line + k->headers.len;
    while (line < end) {
        size_t len = strcspn(line, "\r\n");
        if (len > n && line[n] == ':' && goi_same_word(line, name, n)) {
            char *value = line + n + 1;
            value += strspn(value, " \t");
            line[len] = '\0';
            return value;
        }
        line += len + 1;
        line += line < end && *line == '\n';
    }
    return NULL;
}
