/* SPDX-License-Identifier: MIT */
/* request.c: what a handler may ask of its request. */
#include "internal.h"

#include <stdlib.h>

void *goi_request_alloc(struct go_http_request *req, size_t n)
{
    struct block *b = malloc(sizeof *b + n);
    if (b == NULL) {
        return NULL;
    }
    b->next = req->blocks;
    req->blocks = b;
    return b + 1;
}

void goi_request_release(struct go_http_request *req)
{
    while (req->blocks != NULL) {
        struct block *b = req->blocks;
        req->blocks = b->next;
        free(b);
    }
    goi_text_free(&req->body);
    free(req->old_in);
    req->old_in = NULL;
    if (req->ctx != NULL) {
        go_ctx_cancel(req->ctx); /* also for those who have kept it */
        go_ctx_free(req->ctx);
        req->ctx = NULL;
    }
}

/* http://host/path: the host in the target counts, not the header's (RFC 9112, 3.2.2). */
static int absolute_form(struct go_http_request *req, char *target)
{
    struct head *h = &req->head;
    char *host = strstr(target, "://");
    if (host == NULL || host == target) {
        return 400;
    }
    host += 3;
    size_t n = strcspn(host, "/?");
    char *copy = n > 0 ? goi_request_alloc(req, n + 1) : NULL;
    if (copy == NULL) {
        return n > 0 ? 503 : 400;
    }
    memcpy(copy, host, n);
    copy[n] = '\0';
    req->host = copy;
    uint32_t begin = (uint32_t)(host + n - target);
    if (begin >= h->path_len) {
        req->raw_path = "/";
        req->raw_path_len = 1;
        return 0;
    }
    req->raw_path = target + begin;
    req->raw_path_len = h->path_len - begin;
    /* The two slashes behind the scheme had been taken for an unclean path. */
    h->unclean = !goi_path_is_clean(req->raw_path, req->raw_path_len);
    return 0;
}

static int decode_path(struct go_http_request *req)
{
    char *path = goi_request_alloc(req, req->raw_path_len + 1);
    if (path == NULL) {
        return 503;
    }
    size_t n = goi_percent_decode(path, req->raw_path, req->raw_path_len, false);
    path[n] = '\0';
    req->path = path;
    /* A zero would end the string for some readers and not for others. */
    return memchr(path, '\0', n) != NULL ? 400 : 0;
}

int goi_request_target(struct go_http_request *req)
{
    struct head *h = &req->head;
    char *target = h->target;
    req->host = h->host != NULL ? h->host : "";
    req->raw_path = target;
    req->raw_path_len = h->path_len;
    if (target[0] != '/') {
        bool star = strcmp(target, "*") == 0 && strcmp(h->method, "OPTIONS") == 0;
        int status = star ? 0 : strcmp(h->method, "CONNECT") == 0 ? 501 :
                     absolute_form(req, target);
        if (status != 0) {
            return status;
        }
    }
    bool has_query = h->path_len < h->target_len;
    req->query = has_query ? target + h->path_len + 1 : "";
    if (has_query) {
        target[h->path_len] = '\0'; /* go_http_target puts the two together again */
    }
    if (h->has_percent) {
        return decode_path(req);
    }
    req->path = req->raw_path;
    return 0;
}

/* ---- what handlers call --------------------------------------------------------------------- */

const char *go_http_method(const go_http_request *req)
{
    return req->head.method;
}

const char *go_http_path(const go_http_request *req)
{
    return req->path;
}

const char *go_http_query(const go_http_request *req)
{
    return req->query;
}

const char *go_http_host(const go_http_request *req)
{
    return req->host;
}

const char *go_http_target(const go_http_request *req)
{
    const struct head *h = &req->head;
    if (h->path_len < h->target_len) {
        /* The request is the handler's alone, and putting the mark back is no change to it that
         * anybody sees: the path has had its end marked by it. */
        struct go_http_request *own = &req->x->req;
        char *whole = goi_request_alloc(own, h->target_len + 1);
        if (whole == NULL) {
            return req->head.target;
        }
        memcpy(whole, h->target, h->target_len + 1);
        whole[h->path_len] = '?';
        return whole;
    }
    return h->target;
}

const char *go_http_header(const go_http_request *req, const char *name)
{
    size_t n = strlen(name);
    for (int i = 0; i < req->head.count; i++) {
        const struct header *f = &req->head.header[i];
        if (f->name_len == n && goi_same_word(f->name, name, n)) {
            return f->value;
        }
    }
    return NULL;
}

bool go_http_header_at(const go_http_request *req, size_t i, const char **name, const char **value)
{
    if (i >= (size_t)req->head.count) {
        return false;
    }
    *name = req->head.header[i].name;
    *value = req->head.header[i].value;
    return true;
}

static const char *decoded(go_http_request *req, const char *s, size_t n, bool plus)
{
    char *copy = goi_request_alloc(req, n + 1);
    if (copy == NULL) {
        return "";
    }
    copy[goi_percent_decode(copy, s, n, plus)] = '\0';
    return copy;
}

const char *go_http_path_value(go_http_request *req, const char *name)
{
    const struct match *m = &req->match;
    int value = 0;
    for (int i = 0; m->pattern != NULL && i < m->pattern->count; i++) {
        const struct segment *s = &m->pattern->segment[i];
        if (!s->wild || s->s[0] == '\0') {
            continue;
        }
        if (strcmp(s->s, name) == 0 && value < m->values) {
            return decoded(req, m->value[value].s, m->value[value].n, false);
        }
        value++;
    }
    return "";
}

const char *go_http_query_value(go_http_request *req, const char *name)
{
    size_t n = strlen(name);
    const char *s = req->query;
    while (*s != '\0') {
        size_t pair = strcspn(s, "&");
        const char *equals = memchr(s, '=', pair);
        size_t key = equals != NULL ? (size_t)(equals - s) : pair;
        bool same = key == n && memcmp(s, name, n) == 0;
        if (!same && (memchr(s, '%', key) != NULL || memchr(s, '+', key) != NULL)) {
            same = strcmp(decoded(req, s, key, true), name) == 0;
        }
        if (same) {
            return equals != NULL ? decoded(req, equals + 1, pair - key - 1, true) : "";
        }
        s += pair + (s[pair] == '&');
    }
    return NULL;
}

const char *go_http_cookie(go_http_request *req, const char *name)
{
    size_t n = strlen(name);
    for (int i = 0; i < req->head.count; i++) {
        const struct header *f = &req->head.header[i];
        if (f->name_len != 6 || !goi_same_word(f->name, "Cookie", 6)) {
            continue;
        }
        const char *s = f->value;
        while (*s != '\0') {
            s += strspn(s, " ;");
            size_t pair = strcspn(s, ";");
            if (pair > n && s[n] == '=' && memcmp(s, name, n) == 0) {
                const char *v = s + n + 1;
                size_t len = pair - n - 1;
                while (len > 0 && v[len - 1] == ' ') {
                    len--;
                }
                bool quoted = len >= 2 && v[0] == '"' && v[len - 1] == '"';
                char *copy = goi_request_alloc(req, len + 1);
                if (copy == NULL) {
                    return NULL;
                }
                len -= quoted ? 2 : 0;
                memcpy(copy, v + quoted, len);
                copy[len] = '\0';
                return copy;
            }
            s += pair;
        }
    }
    return NULL;
}

const char *go_http_pattern(const go_http_request *req)
{
    return req->match.pattern != NULL ? req->match.pattern->str : "";
}

const char *go_http_remote_addr(const go_http_request *req)
{
    return go_conn_remote_addr(req->x->c->net);
}

bool go_http_is_tls(const go_http_request *req)
{
    return req->x->c->tls != NULL;
}

int64_t go_http_content_length(const go_http_request *req)
{
    if (req->head.chunked) {
        return -1;
    }
    return req->head.content_length >= 0 ? req->head.content_length : 0;
}

go_ctx *go_http_ctx(go_http_request *req)
{
    if (req->ctx == NULL) {
        go_ctx *parent = req->x->c->server->force;
        req->ctx = go_ctx_with_cancel(parent);
        if (req->ctx == NULL) {
            return parent;
        }
    }
    return req->ctx;
}
