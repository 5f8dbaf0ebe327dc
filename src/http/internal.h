/* SPDX-License-Identifier: MIT */
/* internal.h: what the files of the server call in each other. Everything here runs in the
 * connection's goroutine unless it says otherwise. */
#ifndef GOI_HTTP_INTERNAL_H
#define GOI_HTTP_INTERNAL_H

#include <sys/uio.h>

#include "types.h"

/* ---- stream.c: bytes in and out, plain or through TLS -------------------------------------- */

/* At least one byte, 0 at the end, or an error; -ETIMEDOUT at `until`. When `idle`, -ECANCELED as
 * soon as the server drains. Parks. */
ssize_t goi_stream_read(struct conn *c, char *buf, size_t n, go_time until, bool idle);
/* All of it: 0 or an error, after which the connection is broken. The vectors are changed. Parks.
 * Several goroutines may not write at the same time. */
int goi_stream_write(struct conn *c, struct iovec *v, int n);
/* n bytes of a file from an offset on. 0 or an error; -EIO when the file has become shorter. */
int goi_stream_sendfile(struct conn *c, int fd, int64_t offset, int64_t n);
/* A point in time for deadlines, from the coarse clock: some milliseconds old at most. */
go_time goi_stream_now(void);
static inline go_time goi_after_now(go_time now, go_duration d)
{
    return d >= GO_FOREVER - now ? GO_FOREVER : now + d;
}

/* ---- tls.c ---------------------------------------------------------------------------------- */

struct tls_server;
/* The server's side of all connections; NULL and a reason when the files cannot be used. */
struct tls_server *goi_tls_server_make(const char *cert, const char *key, struct text *why);
void goi_tls_server_free(struct tls_server *s);
/* For one connection; NULL when out of memory. */
struct tls *goi_tls_make(struct tls_server *s, struct conn *c);
/* Says goodbye if it can be said without waiting, and frees. */
void goi_tls_free(struct tls *t);
/* As those of the stream. */
int goi_tls_handshake(struct tls *t, go_time until);
ssize_t goi_tls_read(struct tls *t, char *buf, size_t n, go_time until, bool idle);
int goi_tls_write(struct tls *t, const char *buf, size_t n);
/* Ciphertext for tls.c: the plain connection's reads and writes. */
ssize_t goi_stream_raw_read(struct conn *c, char *buf, size_t n, go_time until, bool idle);
int goi_stream_raw_write(struct conn *c, struct iovec *v, int n);

/* ---- conn.c --------------------------------------------------------------------------------- */

/* The goroutine of a connection, which the server has entered in its list. */
void goi_conn_main(struct conn *c);

/* ---- body.c --------------------------------------------------------------------------------- */

/* Makes the request's body ready to be read. A status to refuse it with, or 0. */
int goi_body_begin(struct go_http_request *req);
/* Reads what the handler has left. False: more than one wants to read; the connection ends. */
bool goi_body_skip(struct go_http_request *req);

/* ---- request.c ------------------------------------------------------------------------------ */

/* Memory that lives as long as the request; NULL when there is none. */
void *goi_request_alloc(struct go_http_request *req, size_t n);
/* Fills in path and query from the target. A status to refuse it with, or 0. */
int goi_request_target(struct go_http_request *req);
void goi_request_release(struct go_http_request *req);

/* ---- response.c ----------------------------------------------------------------------------- */

void goi_response_begin(struct exchange *x, bool is_head);
/* Ends it: what is missing is filled in. The bytes may still be in out. */
void goi_response_end(struct go_http_response *res);
/* Sends what lies in out. 0 or an error. */
int goi_response_flush(struct exchange *x);
/* Settles the head of a response whose body comes from elsewhere (a file), with that length, and
 * sends nothing yet. */
int goi_response_head(struct go_http_response *res, int64_t length);
/* Counts bytes of the body that went out by another way. */
void goi_response_sent(struct go_http_response *res, int64_t n);

/* ---- log.c ---------------------------------------------------------------------------------- */

struct access_log *goi_log_start(int fd);
/* Ends it when all lines have been written; later ones are dropped. Parks. NULL is allowed. */
void goi_log_stop(struct access_log *log);
void goi_log_free(struct access_log *log);
/* A line for the response that has just been ended. Never waits. */
void goi_log_request(struct exchange *x);
/* One line on the error log. */
void goi_log_error(struct server *s, const char *format, ...) GO_PRINTF(2, 3);

/* ---- server.c ------------------------------------------------------------------------------- */

/* The connection is about to be closed: out of the list, so that nobody else looks at it. */
void goi_server_unlink(struct conn *c);
/* It has been: memory back. */
void goi_server_leave(struct conn *c);
struct exchange *goi_exchange_get(struct server *s);
void goi_exchange_put(struct server *s, struct exchange *x);
static inline bool goi_server_drains(const struct server *s)
{
    return go_ctx_err(s->drain) != 0;
}

/* ---- ws.c ----------------------------------------------------------------------------------- */

/* The handler has returned: closes it, and takes the connection away from it. */
void goi_ws_end(struct go_ws *ws);

/* ---- mime.c --------------------------------------------------------------------------------- */

const char *goi_mime_type(const char *path);

#endif
