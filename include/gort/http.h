/* SPDX-License-Identifier: MIT */
/* http.h: an HTTP/1.1 server with one goroutine per connection, WebSockets, and a client.
 *
 *     static int hello(go_http_request *req, go_http_response *res, void *arg)
 *     {
 *         return go_http_printf(res, "Hello, %s!\n", go_http_path_value(req, "name"));
 *     }
 *     ...
 *     go_http_mux *mux = go_http_mux_make();
 *     go_http_handle(mux, "GET /hello/{name}", hello, NULL);
 *     go_http_serve(ctx, listener, NULL, mux);
 *
 * A library of its own, libgort-http. `gort run` and `gort build` link it because a program
 * includes this header; elsewhere pkg-config gort-http, or gort::http in CMake.
 *
 * Errors are negative errno values. A request, its response and every string that belongs to them
 * are valid until the handler returns, and are for its goroutine alone. */
#ifndef GO_HTTP_H
#define GO_HTTP_H

#include <gort/base.h>
#include <gort/context.h>
#include <gort/net.h>

GO_BEGIN_DECLS

typedef struct go_http_mux go_http_mux;
typedef struct go_http_request go_http_request;
typedef struct go_http_response go_http_response;

/* ---- routing -------------------------------------------------------------------------------- */

/* Answers one request, in the goroutine of its connection, where it may block as it likes. When it
 * has written nothing, the answer is an empty 200. A negative result is an error: it is logged, and
 * the client gets a 500 when nothing has been sent yet. So does a panic; the server goes on. */
typedef int go_http_handler(go_http_request *req, go_http_response *res, void *arg);

/* A table of patterns. NULL when out of memory. Free it when no server uses it; NULL is allowed. */
GO_NODISCARD GO_API go_http_mux *go_http_mux_make(void);
GO_API void go_http_mux_free(go_http_mux *mux);

/* int go_http_handle(mux, pattern, handler, arg): registers a handler. The pattern is Go's:
 *
 *     [METHOD ][HOST]/[PATH]
 *
 * A GET pattern answers HEAD as well. A path that ends in / answers all paths below it. {name} is
 * one segment, {name...} at the end is the rest of the path, {$} at the end only the path with its
 * slash. Of several patterns that match, the most specific wins; two of which neither is more
 * specific conflict. 0, -EINVAL for a malformed pattern, -EEXIST for a conflict, -ENOMEM; the text
 * of go_http_mux_error says what is wrong, in Go's words, and go_http_serve refuses the table.
 * Register everything before serving.
 *
 * A path is cleaned (//, /./, /../) and, when only the one with a slash is registered, gets its
 * slash, both by a redirect, 307. A path that other methods know is answered 405 with Allow. */
GO_API int goi_http_handle(go_http_mux *mux, const char *pattern, go_http_handler *handler,
                           void *arg, const char *site);
#define go_http_handle(mux, pattern, handler, arg) \
    goi_http_handle((mux), (pattern), (handler), (arg), GOI_SITE)

/* The first registration that failed, or NULL. Belongs to the table. */
GO_API const char *go_http_mux_error(const go_http_mux *mux);

/* int go_http_files(mux, "/static/", directory): answers GET and HEAD below that path with the
 * files of the directory, as go_http_sendfile does, a directory with its index.html. Nothing
 * outside the directory is reached, neither by .. nor by a symbolic link. The pattern is a path
 * that ends in a slash, with a method or host before it as one likes. As go_http_handle; or the
 * error of opening the directory. */
GO_API int goi_http_files(go_http_mux *mux, const char *pattern, const char *directory,
                          const char *site);
#define go_http_files(mux, pattern, directory) \
    goi_http_files((mux), (pattern), (directory), GOI_SITE)

/* ---- serving -------------------------------------------------------------------------------- */

/* Limits of a server. Zero means the default that stands beside it; a negative number, none. */
typedef struct go_http_options {
    int64_t max_header_bytes;        /* 64 KiB; more: 431, and 414 for the first line alone */
    int64_t max_body_bytes;          /* 16 MiB; more: 413 */
    go_duration read_header_timeout; /* 10 s from a request's first byte to its head's end */
    go_duration read_timeout;        /* 5 min from its first byte to its body's end */
    go_duration write_timeout;       /* 30 s for each 256 KiB, or less, of a response */
    go_duration idle_timeout;        /* 2 min between two requests, and before the first */
    go_duration drain_timeout;       /* 30 s for the requests under way when ctx ends */
    int max_connections;             /* no limit; further ones wait to be accepted */
    const char *tls_cert;            /* PEM file with the certificate and its chain; NULL: no TLS */
    const char *tls_key;             /* PEM file with the private key; NULL: in tls_cert */
    int access_log;                  /* descriptor for a line per request; 0: none */
    int error_log;                   /* descriptor for errors of handlers; 0: standard error */
} go_http_options;

/* Accepts connections until ctx ends, one goroutine each. Then it closes the listener, lets go of
 * connections without a request, waits for the requests under way, and returns 0; connections that
 * are still busy after drain_timeout are cut, and the result is -ETIMEDOUT. Also returns the error
 * of the listener, or -EINVAL for a table with an error or a certificate that cannot be used (the
 * reason goes to the error log). The listener is closed in any case and is no longer the caller's.
 * ctx may be NULL: for ever. options may be NULL: all defaults. */
GO_API int go_http_serve(go_ctx *ctx, go_listener *l, const go_http_options *options,
                         go_http_mux *mux);

/* ---- requests ------------------------------------------------------------------------------- */

/* "GET"; the path, percent-decoded; what follows the ?, as it was sent, or ""; the request's target
 * as it was sent. Never NULL. */
GO_API const char *go_http_method(const go_http_request *req);
GO_API const char *go_http_path(const go_http_request *req);
GO_API const char *go_http_query(const go_http_request *req);
GO_API const char *go_http_target(const go_http_request *req);
/* The host asked for, with its port if it was sent; "" if none was. */
GO_API const char *go_http_host(const go_http_request *req);
/* A header's value without the blanks around it; names are compared without regard to case. NULL
 * when it is not there. Of several the first. */
GO_API const char *go_http_header(const go_http_request *req, const char *name);
/* The i-th header as it was sent; false when there are fewer. */
GO_API bool go_http_header_at(const go_http_request *req, size_t i, const char **name,
                              const char **value);
/* What {name} stands for, percent-decoded; "" when the pattern has no such name. */
GO_API const char *go_http_path_value(go_http_request *req, const char *name);
/* The first value of a name in the query, decoded; a cookie. NULL when it is not there. */
GO_API const char *go_http_query_value(go_http_request *req, const char *name);
GO_API const char *go_http_cookie(go_http_request *req, const char *name);
/* The pattern that matched, or "". */
GO_API const char *go_http_pattern(const go_http_request *req);
/* The other end, "127.0.0.1:4711". */
GO_API const char *go_http_remote_addr(const go_http_request *req);
/* Whether it came over TLS. */
GO_API bool go_http_is_tls(const go_http_request *req);

/* Ends when the handler has returned, and when the server cuts the connection at the end of its
 * drain_timeout; not at the start of the draining. Has the values of the server's context. Belongs
 * to the request; take a reference to keep it. */
GO_API go_ctx *go_http_ctx(go_http_request *req);

/* Reads the body: bytes, at least one; 0 at its end; -EFBIG when it is longer than max_body_bytes,
 * -ETIMEDOUT, -EPROTO when it is malformed, -ECONNRESET when the client went away. A client that
 * waits for "100 Continue" gets it at the first call. What a handler leaves unread is skipped, or
 * the connection is closed. Parks. */
GO_NODISCARD GO_API ssize_t go_http_read(go_http_request *req, void *buf, size_t n);
/* The whole body, or what is left of it, with a zero behind it: its size, or an error as above.
 * Belongs to the request. */
GO_NODISCARD GO_API ssize_t go_http_body(go_http_request *req, const char **body);
/* The length of the body, from Content-Length; -1 when it is chunked. */
GO_API int64_t go_http_content_length(const go_http_request *req);

/* ---- responses ------------------------------------------------------------------------------ */

/* Status and headers are settled by the first byte that is written. The status is 200 at first; one
 * outside 200 to 599 counts as 500. */
GO_API void go_http_status(go_http_response *res, int status);
/* Sets a header, in place of those with the same name; or adds one. 0; -EINVAL when name or value
 * has bytes that do not belong there; -EALREADY when the headers have gone; -ENOMEM. With
 * Content-Length the body may be sent as it is written; with "Connection: close" the connection is
 * closed after the response. Date, and Content-Type when it is missing, are set by the server. A
 * NULL value removes the header. */
GO_API int go_http_set_header(go_http_response *res, const char *name, const char *value);
GO_API int go_http_add_header(go_http_response *res, const char *name, const char *value);
/* Appends to the body: n, or an error after which nothing more can be sent. A body that stays below
 * 16 KiB is sent as a whole when the handler returns, with its length; a longer one, or one that is
 * flushed, in chunks, unless Content-Length has been set: then more than that is -EFBIG. What is
 * written to a HEAD request is counted and dropped. */
GO_API ssize_t go_http_write(go_http_response *res, const void *buf, size_t n);
/* The same, formatted. 0 or an error. */
GO_API int go_http_printf(go_http_response *res, const char *format, ...) GO_PRINTF(2, 3);
/* Sends now what has been written so far. 0 or an error. */
GO_API int go_http_flush(go_http_response *res);
/* Answers with a file: its type by its name, its length, Last-Modified and ETag; also ranges,
 * If-Range, If-None-Match, If-Modified-Since and their opposites. 0 when it has answered, also with
 * 304, 412 or 416; before anything was written also -ENOENT and the like, and -EISDIR. */
GO_API int go_http_sendfile(go_http_response *res, const char *path);
/* A plain answer of one line; text NULL: the status's own. A redirect: status 301, 302, 303, 307 or
 * 308, and the location as it is to be sent. 0 or an error. */
GO_API int go_http_error(go_http_response *res, int status, const char *text);
GO_API int go_http_redirect(go_http_response *res, int status, const char *location);
/* "Not Found" for 404; "" for a status without a name. */
GO_API const char *go_http_status_text(int status);

/* ---- WebSocket ------------------------------------------------------------------------------ */

typedef struct go_ws go_ws;

/* Kinds of messages. GO_WS_MORE is added to all parts but the last of a message that the reader's
 * buffer cannot hold. GO_WS_CLOSE is what go_ws_read says at the end. */
enum { GO_WS_TEXT = 1, GO_WS_BINARY = 2, GO_WS_CLOSE = 8, GO_WS_MORE = 16 };

/* Turns the connection of a request into a WebSocket. NULL when the request does not ask for that
 * rightly: it has been answered then, and the handler just returns. The connection lasts until the
 * handler returns; the object, as long as somebody has a reference. A browser's page from another
 * host is refused (its Origin is not the Host it asks), unless go_ws_upgrade_any is used. */
GO_NODISCARD GO_API go_ws *go_ws_upgrade(go_http_request *req, go_http_response *res);
GO_NODISCARD GO_API go_ws *go_ws_upgrade_any(go_http_request *req, go_http_response *res);
/* One more reference, returned, for goroutines that may outlive the handler; one less. What upgrade
 * returns belongs to the handler's request and is not freed by it. */
GO_API go_ws *go_ws_ref(go_ws *ws);
GO_API void go_ws_free(go_ws *ws);

/* Reads a message, or the next part of it: its bytes (an empty message has 0) and its kind. The end
 * is 0 and GO_WS_CLOSE when the peer closed it rightly, or has answered our close; else an error:
 * -EPROTO, -EMSGSIZE for a message above max_body_bytes, -ECONNRESET, -ECANCELED when the server
 * drains (the peer is told: 1001), -EPIPE once the handler has returned, -ETIMEDOUT after
 * idle_timeout without a byte; half-way the peer is asked by a ping whether it is still there. Its
 * own pings are answered in passing. One goroutine may read while others write: when a write fails,
 * the connection is over, and a read that waits returns that error. */
GO_NODISCARD GO_API ssize_t go_ws_read(go_ws *ws, void *buf, size_t n, int *kind);
/* Sends a message of that kind, whole. 0 or an error; -EPIPE once it is closed. Several goroutines
 * may write. */
GO_API int go_ws_write(go_ws *ws, int kind, const void *buf, size_t n);
/* Sends a ping; a reader elsewhere takes the answer. 0 or an error. */
GO_API int go_ws_ping(go_ws *ws);
/* Says goodbye: a status (1000 is a normal end; 0: none) and a reason of at most 123 bytes, or
 * NULL. A reader then sees the end when the peer has answered. 0 or an error; again: 0. */
GO_API int go_ws_close(go_ws *ws, int code, const char *why);
/* The status with which the peer closed it: 1005 when it gave none, 1006 before the end. */
GO_API int go_ws_close_code(const go_ws *ws);

/* ---- client --------------------------------------------------------------------------------- */

/* A request to a server. All fields but url may be zero. Nothing is copied. */
typedef struct go_http_call {
    const char *method;         /* GET; or POST when there is a body */
    const char *url;
    const char *const *headers; /* "Name: value", the last NULL */
    const void *body;
    size_t body_size;
    go_duration timeout;        /* of the whole; 0: only the context's */
    int max_redirects;          /* 0: 10; negative: a redirect is a result as any other */
    int64_t max_body_bytes;     /* of the response; 0: 64 MiB; negative: no limit */
    const char *ca_file;        /* PEM file of authorities to trust instead of the system's */
    bool insecure;              /* takes any certificate */
    const char *proxy;          /* NULL: as the environment says (http_proxy, no_proxy) */
    const char *unix_path;      /* connects to this socket, whatever the url's host */
    /* Takes the body piece by piece instead of keeping it; a negative result ends the transfer and
     * is returned. Must not park. */
    int (*take)(void *arg, const void *data, size_t size);
    void *arg;
} go_http_call;

/* What came back. Free it with go_http_result_free, also after an error. */
typedef struct go_http_result {
    int status;                 /* 0 when there was no answer */
    char *body;                 /* a zero stands behind it; never NULL after success */
    size_t size;
    char *url;                  /* where the answer came from, after redirects */
    int redirects;              /* how many were followed */
    int http_version;           /* 10, 11, 20 */
    go_duration connect;        /* from the start until connected, TLS included; 0: reused */
    go_duration first_byte;     /* until the answer's first byte */
    go_duration total;
    bool reused;                /* an open connection was used again */
    const char *error;          /* why there was no answer, in words; belongs to the result */
    void *impl;
} go_http_result;

/* Fetches: 0 when a server answered, whatever the status. Else the context's error; -ETIMEDOUT;
 * -EHOSTUNREACH when the name does not resolve; -ECONNREFUSED and the like; -EPROTO; -ELOOP after
 * too many redirects; -EFBIG; -EINVAL for a malformed url; -ENOTSUP for schemes but http and https;
 * -EACCES when the certificate cannot be trusted. Parks; holds no thread. Any number of goroutines
 * may fetch at the same time; connections are kept for a while and used again. ctx may be NULL. */
GO_API int go_http_get(go_ctx *ctx, const char *url, go_http_result *out);
GO_API int go_http_do(go_ctx *ctx, const go_http_call *call, go_http_result *out);
GO_API void go_http_result_free(go_http_result *r);
/* A header of the answer, without regard to case; NULL when it is not there. The result's. */
GO_API const char *go_http_result_header(const go_http_result *r, const char *name);
/* Closes the connections that are kept for later. */
GO_API void go_http_close_idle(void);

GO_END_DECLS

#endif
