/* SPDX-License-Identifier: MIT */
/* file.c: answering with files: conditions, ranges, directories.
 *
 * The order of the conditions is that of RFC 9110, 13.2.2. A request for several ranges is answered
 * with the whole file, which it allows; so is one whose range was meant for another version.
 *
 * A path from a request is opened below the directory by the kernel's own rule (openat2 with
 * RESOLVE_BENEATH), so that neither "..", nor an absolute link, nor a link that leads out, nor a
 * directory that is moved meanwhile gets out. Where the kernel has no openat2, one component is
 * opened after the other and links are refused.
 *
 *   S1  What is served lies below the directory. (open_beneath, tests/unit/http/file_test.c)
 *   S2  The length that was announced is sent, or the connection is cut: the file may become
 *       shorter meanwhile. (send_part)
 */
#include "internal.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct file {
    int fd;
    int64_t size;
    struct timespec mtime;
    char etag[48];
    char modified[GOI_DATE_BYTES];
    int64_t first, length; /* the part that is sent */
    bool partial;
};

/* ---- conditions ----------------------------------------------------------------------------- */

/* Whether a list of entity tags has ours. weak: W/ makes no difference. */
static bool has_tag(const char *list, const char *tag, bool weak)
{
    size_t n = strlen(tag);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        if (*list == '*') {
            return true;
        }
        bool is_weak = list[0] == 'W' && list[1] == '/';
        list += is_weak ? 2 : 0;
        if (strncmp(list, tag, n) == 0 && (list[n] == '\0' || strchr(" \t,", list[n]) != NULL)) {
            if (weak || !is_weak) {
                return true;
            }
        }
        if (*list == '"') {
            const char *close = strchr(list + 1, '"');
            list = close != NULL ? close + 1 : list + strlen(list);
        } else {
            list += strcspn(list, ",");
        }
    }
    return false;
}

static bool changed_since(const struct file *f, const char *date)
{
    time_t t = goi_date_parse(date);
    return t < 0 || f->mtime.tv_sec > t;
}

/* 0, or 304 or 412. */
static int condition(const struct file *f, const go_http_request *req)
{
    const char *match = go_http_header(req, "If-Match");
    const char *unmodified = go_http_header(req, "If-Unmodified-Since");
    if (match != NULL) {
        if (!has_tag(match, f->etag, false)) {
            return 412;
        }
    } else if (unmodified != NULL && goi_date_parse(unmodified) >= 0 &&
               changed_since(f, unmodified)) {
        return 412;
    }
    const char *none = go_http_header(req, "If-None-Match");
    const char *since = go_http_header(req, "If-Modified-Since");
    bool reading = strcmp(req->head.method, "GET") == 0 || req->head.is_head;
    if (none != NULL) {
        return !has_tag(none, f->etag, true) ? 0 : reading ? 304 : 412;
    }
    return since != NULL && reading && !changed_since(f, since) ? 304 : 0;
}

/* ---- ranges --------------------------------------------------------------------------------- */

/* Digits of a position; past what a file can have, the most. NULL: there are none. */
static const char *position(const char *s, int64_t *out)
{
    if (*s < '0' || *s > '9') {
        return NULL;
    }
    int64_t n = 0;
    for (; *s >= '0' && *s <= '9'; s++) {
        n = n > (INT64_MAX - 9) / 10 ? INT64_MAX : n * 10 + (*s - '0');
    }
    *out = n;
    return s;
}

/* One range: sets the part. 0; 416; or 200 when it is nothing we understand. */
static int parse_range(struct file *f, const char *s)
{
    int64_t first;
    int64_t last;
    if (strncmp(s, "bytes=", 6) != 0) {
        return 200;
    }
    s += 6 + strspn(s + 6, " \t");
    if (*s == '-') {
        s = position(s + 1, &last);
        if (s == NULL || *s != '\0') {
            return 200;
        }
        first = last < f->size ? f->size - last : 0;
        last = last == 0 ? -1 : f->size - 1;
    } else {
        s = position(s, &first);
        if (s == NULL || *s != '-') {
            return 200;
        }
        last = INT64_MAX;
        if (s[1] != '\0') {
            s = position(s + 1, &last);
            if (s == NULL || *s != '\0' || last < first) {
                return 200;
            }
        }
        last = last < f->size ? last : f->size - 1;
    }
    if (first >= f->size || last < first) {
        return 416;
    }
    f->first = first;
    f->length = last - first + 1;
    f->partial = true;
    return 0;
}

static int range(struct file *f, const go_http_request *req)
{
    const char *s = go_http_header(req, "Range");
    if (s == NULL || (strcmp(req->head.method, "GET") != 0 && !req->head.is_head)) {
        return 0;
    }
    const char *only = go_http_header(req, "If-Range");
    if (only != NULL) {
        bool same = only[0] == '"' || only[0] == 'W' ? has_tag(only, f->etag, false) :
                    goi_date_parse(only) == f->mtime.tv_sec;
        if (!same) {
            return 0;
        }
    }
    int r = parse_range(f, s);
    return r == 416 ? 416 : 0;
}

/* ---- sending -------------------------------------------------------------------------------- */

static int set_headers(go_http_response *res, struct file *f, const char *path)
{
    char text[96];
    int r = 0;
    if (!res->has_type) {
        r = go_http_set_header(res, "Content-Type", goi_mime_type(path));
    }
    r = r < 0 ? r : go_http_set_header(res, "Accept-Ranges", "bytes");
    r = r < 0 ? r : go_http_set_header(res, "Last-Modified", f->modified);
    r = r < 0 ? r : go_http_set_header(res, "ETag", f->etag);
    if (r >= 0 && f->partial) {
        snprintf(text, sizeof text, "bytes %lld-%lld/%lld", (long long)f->first,
                 (long long)(f->first + f->length - 1), (long long)f->size);
        r = go_http_set_header(res, "Content-Range", text);
    }
    return r;
}

/* The body: small ones with the head in one write, others from the file's pages. */
static int send_part(go_http_response *res, struct file *f)
{
    struct exchange *x = res->x;
    int r = goi_response_head(res, f->length);
    if (r < 0 || res->bodyless || f->length == 0) {
        return r;
    }
    if (f->length <= GOI_OUT_BYTES - (int64_t)x->out_end) {
        ssize_t n = pread(f->fd, x->out + x->out_end, (size_t)f->length, f->first);
        if (n != f->length) {
            return -EIO; /* S2: what is missing shows at the end of the response */
        }
        x->out_end += (uint32_t)n;
    } else {
        r = goi_response_flush(x);
        r = r < 0 ? r : goi_stream_sendfile(x->c, f->fd, f->first, f->length);
        if (r < 0) {
            res->error = r;
            return r;
        }
    }
    goi_response_sent(res, f->length);
    return 0;
}

static int answer_without_body(go_http_response *res, struct file *f, int status)
{
    char text[48];
    if (status == 416) {
        snprintf(text, sizeof text, "bytes */%lld", (long long)f->size);
        go_http_set_header(res, "Content-Range", text);
        return go_http_error(res, 416, NULL);
    }
    go_http_set_header(res, "ETag", f->etag);
    go_http_set_header(res, "Last-Modified", f->modified);
    go_http_status(res, status);
    return status == 412 ? go_http_error(res, 412, NULL) : 0;
}

/* Answers with an open file, whose type is that of `name`. */
static int answer_file(go_http_response *res, int fd, const struct stat *st, const char *name)
{
    struct file f = { .fd = fd, .size = st->st_size, .length = st->st_size, .mtime = st->st_mtim };
    snprintf(f.etag, sizeof f.etag, "\"%llx-%llx\"",
             (unsigned long long)st->st_mtim.tv_sec * 1000000000 +
             (unsigned long long)st->st_mtim.tv_nsec, (unsigned long long)st->st_size);
    goi_date_format(st->st_mtim.tv_sec, f.modified);
    const go_http_request *req = &res->x->req;
    int status = condition(&f, req);
    status = status == 0 ? range(&f, req) : status;
    if (status != 0) {
        return answer_without_body(res, &f, status);
    }
    if (f.partial) {
        go_http_status(res, 206);
    }
    int r = set_headers(res, &f, name);
    return r < 0 ? r : send_part(res, &f);
}

int go_http_sendfile(go_http_response *res, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    int r = fstat(fd, &st) == 0 ? 0 : -errno;
    if (r == 0 && S_ISDIR(st.st_mode)) {
        r = -EISDIR;
    } else if (r == 0 && !S_ISREG(st.st_mode)) {
        r = -EINVAL;
    }
    if (r == 0) {
        r = answer_file(res, fd, &st, path);
    }
    close(fd);
    return r;
}

/* ---- directories ---------------------------------------------------------------------------- */

struct files {
    int dir;
};

/* For kernels before 5.6: component by component, without links. */
static int open_stepwise(int dir, const char *path)
{
    int at = dup(dir);
    char name[256];
    while (at >= 0 && *path != '\0') {
        size_t n = strcspn(path, "/");
        const char *rest = path + n + strspn(path + n, "/");
        if (n >= sizeof name || (n == 2 && path[0] == '.' && path[1] == '.')) {
            close(at);
            return -ENOENT;
        }
        memcpy(name, path, n);
        name[n] = '\0';
        int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
        int next = openat(at, n > 0 ? name : ".", flags | (*rest != '\0' ? O_DIRECTORY : 0));
        int err = errno;
        close(at);
        if (next < 0) {
            return -err;
        }
        at = next;
        path = rest;
    }
    return at >= 0 ? at : -errno;
}

/* S1 */
static int open_beneath(int dir, const char *path)
{
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    path += strspn(path, "/");
    long fd = syscall(SYS_openat2, dir, *path != '\0' ? path : ".", &how, sizeof how);
    if (fd >= 0) {
        return (int)fd;
    }
    return errno == ENOSYS || errno == EPERM ? open_stepwise(dir, path) : -errno;
}

/* The part of the path that the pattern's end stands for. */
static const char *below(const go_http_request *req)
{
    const struct pattern *p = req->match.pattern;
    const char *s = req->path;
    for (int i = 0; i < p->count && s != NULL; i++) {
        s = strchr(s + (i > 0), '/');
    }
    return s != NULL ? s + 1 : "";
}

/* A directory: its index, below its own path with a slash. */
static int answer_directory(go_http_request *req, go_http_response *res, int dir)
{
    size_t n = req->raw_path_len;
    if (n == 0 || req->raw_path[n - 1] != '/') {
        struct text t = { 0 };
        const char *slash = memrchr(req->raw_path, '/', n);
        goi_text_add(&t, slash + 1, (size_t)(req->raw_path + n - slash - 1));
        goi_text_char(&t, '/');
        if (req->query[0] != '\0') {
            goi_text_char(&t, '?');
            goi_text_str(&t, req->query);
        }
        int r = t.failed ? -ENOMEM : go_http_redirect(res, 301, t.data);
        goi_text_free(&t);
        return r;
    }
    struct stat st;
    int fd = open_beneath(dir, "index.html");
    int r = fd;
    if (fd >= 0) {
        bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
        r = regular ? answer_file(res, fd, &st, "index.html") : -ENOENT;
        close(fd);
    }
    return r;
}

static int serve_files(go_http_request *req, go_http_response *res, void *arg)
{
    const struct files *files = arg;
    struct stat st;
    if (strcmp(req->head.method, "GET") != 0 && !req->head.is_head) {
        go_http_set_header(res, "Allow", "GET, HEAD");
        return go_http_error(res, 405, NULL);
    }
    const char *path = below(req);
    int fd = open_beneath(files->dir, path);
    int r = fd;
    if (fd >= 0) {
        r = fstat(fd, &st) == 0 ? 0 : -errno;
        size_t n = strlen(path);
        if (r == 0 && S_ISDIR(st.st_mode)) {
            r = answer_directory(req, res, fd);
        } else if (r == 0 && S_ISREG(st.st_mode) && (n == 0 || path[n - 1] != '/')) {
            r = answer_file(res, fd, &st, path);
        } else if (r == 0) {
            r = -ENOENT;
        }
        close(fd);
    }
    if (r >= 0 || res->state != RESPONSE_OPEN) {
        return r;
    }
    int status = r == -EACCES || r == -EPERM ? 403 : r == -EMFILE || r == -ENFILE ? 503 : 404;
    return go_http_error(res, status, status == 404 ? "404 page not found" : NULL);
}

static void files_free(void *arg)
{
    struct files *f = arg;
    close(f->dir);
    free(f);
}

int goi_http_files(go_http_mux *mux, const char *pattern, const char *directory, const char *site)
{
    struct files *f = malloc(sizeof *f);
    if (f == NULL) {
        return -ENOMEM;
    }
    f->dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir < 0) {
        int r = -errno;
        free(f);
        return r;
    }
    size_t n = strlen(pattern);
    if (n == 0 || pattern[n - 1] != '/') {
        files_free(f);
        return -EINVAL;
    }
    return goi_mux_handle(mux, pattern, serve_files, f, files_free, site);
}
