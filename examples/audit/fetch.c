/* SPDX-License-Identifier: MIT */
/* fetch.c: what a worker does with a page: it waits for its turn at the page's host, asks, asks
 * again after passing failures, follows redirects, and looks at what came. */
#define _GNU_SOURCE 1 /* memmem, tdestroy */
#include "audit.h"

#include <errno.h>
#include <gort/short.h>
#include <search.h>
#include <strings.h>

/* ---- hosts ---------------------------------------------------------------------------------- */

struct host {
    char *origin;
    go_rate rate;
};

static int host_order(const void *a, const void *b)
{
    const struct host *x = a, *y = b;
    return strcmp(x->origin, y->origin);
}

static void host_free(void *arg)
{
    struct host *h = arg;
    free(h->origin);
    free(h);
}

void hosts_free(struct hosts *h)
{
    tdestroy(h->by_origin, host_free);
}

static struct host *host_of(struct hosts *all, const char *url)
{
    guard(&all->mu);
    struct host key = { .origin = url_origin(url) };
    struct host **found = tfind(&key, &all->by_origin, host_order);
    if (found != NULL) {
        free(key.origin);
        return *found;
    }
    struct host *h = must_have(calloc(1, sizeof *h));
    h->origin = key.origin;
    rate_set(&h->rate, all->rate, 1 + (int64_t)(all->rate / 10));
    must_have(tsearch(h, &all->by_origin, host_order));
    return h;
}

/* ---- one request, until it is answered ------------------------------------------------------ */

/* Failures that may be over in a moment. A server that was given all the time there is is not asked
 * again. */
static bool passing(int error, int status)
{
    return error == -ECONNRESET || error == -ECONNREFUSED || error == -EPIPE || error == -EPROTO ||
           status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* How long to wait before attempt n + 1: twice as long each time, a quarter more or less, so that
 * many who failed together do not come together; at least what the server asks for, within reason.
 */
static go_duration pause_after(const struct options *o, int n, const go_http_result *r)
{
    go_duration d = o->backoff << (n < 10 ? n - 1 : 9);
    d += d / 4 * (random() % 201 - 100) / 100;
    const char *asked = r->status != 0 ? go_http_result_header(r, "Retry-After") : NULL;
    long seconds = asked != NULL ? atol(asked) : 0;
    seconds = seconds > 5 ? 5 : seconds;
    return d > seconds * GO_SEC ? d : seconds * GO_SEC;
}

static void sleep_ctx(go_ctx *ctx, go_duration d)
{
    chan_select(recv(ended, ctx_done(ctx), NULL), after(over, d));
}

/* Asks until there is an answer that lasts. The result is the caller's also after an error. */
static int ask(struct fetcher *f, const go_http_call *call, go_http_result *r, int *attempts)
{
    struct host *h = host_of(&f->hosts, call->url);
    *attempts = 0;
    *r = (go_http_result){ 0 };
    for (;;) {
        if (rate_wait(f->ctx, &h->rate) != 0) {
            return -ECANCELED; /* the audit's end has come, or would before the turn */
        }
        int error = go_http_do(f->ctx, call, r);
        *attempts += 1;
        if (!passing(error, r->status) || *attempts > f->o->retries || ctx_err(f->ctx) != 0) {
            return error;
        }
        sleep_ctx(f->ctx, pause_after(f->o, *attempts, r));
        go_http_result_free(r);
        *r = (go_http_result){ 0 };
    }
}

int fetch_sitemap(struct fetcher *f, const char *url, go_http_result *r)
{
    int attempts;
    go_http_call call = { .url = url, .timeout = 30 * GO_SEC };
    return ask(f, &call, r, &attempts);
}

/* Of other hosts only the answer's head is wanted. Some do not like to be asked for that alone. */
static int ask_for_page(struct fetcher *f, const char *url, bool local, go_http_result *r,
                        int *attempts)
{
    go_http_call call = { .url = url, .timeout = f->o->timeout, .max_redirects = -1,
                          .max_body_bytes = f->o->limit, .method = local ? "GET" : "HEAD" };
    int error = ask(f, &call, r, attempts);
    if (!local && error == 0 && r->status >= 400 && r->status != 404 && r->status != 410) {
        go_http_result_free(r);
        call.method = "GET";
        error = ask(f, &call, r, attempts);
    }
    return error;
}

/* ---- redirects ------------------------------------------------------------------------------ */

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool has(const struct strings *list, const char *s)
{
    size_t i = 0;
    while (i < list->count && strcmp(list->item[i], s) != 0) {
        i++;
    }
    return i < list->count;
}

/* Where to go on after an answer, or NULL: nowhere. */
static char *next_hop(struct visit *v, const struct strings *trail, const go_http_result *r)
{
    char *next = NULL;
    const char *location = go_http_result_header(r, "Location");
    if (!is_redirect(r->status) || location == NULL) {
        return NULL;
    }
    const char *here = trail->item[trail->count - 1];
    if (url_resolve(here, location, &next) != REF_PAGE) {
        v->error = -EINVAL;
        v->error_text = clean(format("redirects to \"%s\", which is no address", location));
        return NULL;
    }
    if (v->first_target == NULL) {
        v->first_target = copy(next);
    }
    v->hops++;
    v->loop = has(trail, next) || v->hops > HOPS_MAX;
    if (v->loop) {
        free(next);
        next = NULL;
    }
    return next;
}

/* Follows redirects to the answer that counts. */
static void follow(struct fetcher *f, struct page *p, go_http_result *r)
{
    struct visit *v = &p->visit;
    struct strings trail = { 0 };
    char *url = copy(p->url);
    while (url != NULL) {
        int attempts;
        strings_add(&trail, url);
        v->error = ask_for_page(f, url, p->local, r, &attempts);
        v->attempts = attempts > v->attempts ? attempts : v->attempts;
        v->first_status = v->first_status != 0 ? v->first_status : r->status;
        v->status = r->status;
        url = v->error == 0 ? next_hop(v, &trail, r) : NULL;
        if (url != NULL) {
            go_http_result_free(r);
        }
    }
    strings_free(&trail);
}

/* ---- what came ------------------------------------------------------------------------------ */

static void add_link(struct visit *v, const char *base, const char *ref)
{
    char *url;
    enum reference kind = url_resolve(base, ref, &url);
    if (kind == REF_PAGE && v->links.count < LINKS_MAX) {
        strings_add(&v->links, url);
        return;
    }
    free(url);
    if (kind == REF_MALFORMED && v->malformed.count < LINKS_MAX) {
        strings_add(&v->malformed, clean(copy(ref)));
    }
}

static void look_at_html(struct page *p, const char *where, const go_http_result *r, bool links)
{
    struct visit *v = &p->visit;
    struct html h;
    char *base = NULL;
    html_scan(r->body, r->size, &h);
    v->title = clean(h.title);
    h.title = NULL;
    v->text = h.text;
    if (h.base == NULL || url_resolve(where, h.base, &base) != REF_PAGE) {
        base = copy(where);
    }
    for (size_t i = 0; i < h.links.count && links; i++) {
        add_link(v, base, h.links.item[i]);
    }
    free(base);
    html_free(&h);
}

static void look(struct fetcher *f, struct page *p, const go_http_result *r)
{
    struct visit *v = &p->visit;
    const char *type = go_http_result_header(r, "Content-Type");
    v->type = clean(copy(type != NULL ? type : ""));
    v->is_html = strncasecmp(v->type, "text/html", 9) == 0 ||
                 strncasecmp(v->type, "application/xhtml", 17) == 0;
    if (p->local && v->is_html && r->status == 200) {
        look_at_html(p, r->url != NULL ? r->url : p->url, r, p->depth < f->o->depth);
    }
    if (p->route != NULL && p->route->contains != NULL) {
        const char *text = p->route->contains;
        v->lacks = memmem(r->body, r->size, text, strlen(text)) == NULL;
    }
}

void fetch_page(struct fetcher *f, struct page *p, int lane)
{
    struct visit *v = &p->visit;
    go_http_result r = { 0 };
    v->lane = lane;
    v->start = go_since(f->start);
    follow(f, p, &r);
    v->done = v->error == 0 || (v->error != -ECANCELED && ctx_err(f->ctx) == 0);
    v->first_byte = r.first_byte;
    v->total = r.total;
    v->size = (int64_t)r.size;
    if (v->error == 0) {
        look(f, p, &r);
    } else if (v->error_text == NULL) {
        v->error_text = clean(copy(r.error != NULL ? r.error : strerror(-v->error)));
    }
    go_http_result_free(&r);
    v->end = go_since(f->start);
}
