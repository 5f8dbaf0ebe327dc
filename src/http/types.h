/* SPDX-License-Identifier: MIT */
/* types.h: what the server keeps: for a connection, for a request under way, for itself.
 *
 * A connection that waits for its next request holds a struct conn and one page of stack, nothing
 * else (README.md has the sum). Everything a request needs is a struct exchange, taken from the
 * server's pool when bytes have arrived and given back before the connection waits again.
 *
 * Tags: [c] constant after init, [o] the connection's goroutine only, [l:x] under lock x. */
#ifndef GOI_HTTP_TYPES_H
#define GOI_HTTP_TYPES_H

#include <gort/go.h>
#include <gort/http.h>
#include <gort/sync.h>

#include "chunk.h"
#include "head.h"
#include "mux.h"
#include "text.h"

struct tls;
struct access_log;

enum {
    GOI_IDLE_BYTES = 1024,          /* of a request that are read while nothing else is held */
    GOI_BODY_BUFFERED = 16 << 10,   /* a response up to this size is sent with its length */
    GOI_HEADERS_BYTES = 8 << 10,    /* what a handler may set in headers */
    GOI_OUT_BYTES = GOI_BODY_BUFFERED + GOI_HEADERS_BYTES + 512,
    GOI_BODY_IN_BYTES = 16 << 10,   /* a body is read in pieces of this size */
    GOI_DISCARD_MAX = 256 << 10,    /* of a body nobody read, before the connection is closed */
    GOI_WRITE_PIECE = 256 << 10,    /* what one write timeout is for */
    GOI_ERRORS_MAX = 256,
    GOI_KNOWN_BYTES = 1024,         /* of a head that is remembered */
};

/* One TCP connection. */
struct conn {
    struct server *server;      /* [c] */
    go_conn *net;               /* [c] */
    struct tls *tls;            /* [c] NULL: plain */
    struct exchange *x;         /* [o] while requests are under way */
    char *in;                   /* [o] idle_in, or memory of its own */
    uint32_t in_start, in_end;  /* [o] what has been read and not used */
    uint32_t in_size;           /* [o] */
    bool requested;             /* [o] the idle wait follows a request */
    bool broken;                /* [o] nothing more can be read or written */
    bool linger;                /* [o] the peer may still be sending: let it read our last words */
    go_time read_armed;         /* [o] the deadlines as they stand in net; GO_FOREVER: none */
    go_time write_armed;
    struct conn *next, *prev;   /* [l:server->mu] */
    char idle_in[GOI_IDLE_BYTES];
};

/* Memory for what belongs to a request: freed as a whole. */
struct block {
    struct block *next;
};

struct go_http_request {
    struct exchange *x;
    go_time start;              /* its first byte */
    go_ctx *ctx;                /* NULL until somebody asks */
    struct block *blocks;
    const char *raw_path;       /* in the target: what is matched; not decoded, no zero */
    uint32_t raw_path_len;
    const char *path;           /* decoded */
    const char *query;          /* "" when there is none */
    const char *host;
    char *old_in;               /* the buffer with the head, when the body has another one */
    uint32_t in_floor;          /* bytes of the present buffer that belong to the head */
    struct text body;           /* of go_http_body */
    int64_t body_left;          /* of Content-Length */
    int64_t body_read;          /* of a chunked one, against max_body_bytes */
    struct chunk chunk;
    bool body_done;
    bool expect;                /* "100 Continue" is owed */
    int body_error;             /* what go_http_read has returned and returns again */
    struct match match;
    struct head head;
};

enum response_state {
    RESPONSE_OPEN,      /* nothing written: status and headers may change */
    RESPONSE_WHOLE,     /* head and body are in out; how it ends decides about its length */
    RESPONSE_LENGTH,    /* Content-Length was set */
    RESPONSE_CHUNKED,
    RESPONSE_TO_CLOSE,  /* HTTP/1.0 and too long: ends with the connection */
    RESPONSE_DONE,
    RESPONSE_TAKEN,     /* by a WebSocket */
};

struct go_http_response {
    struct exchange *x;
    enum response_state state;
    int status;
    bool close;                 /* the connection ends with it */
    bool bodyless;              /* HEAD, 204, 304: what is written is counted and dropped */
    bool has_type, has_date;
    bool chunk_open;            /* a chunk without its size begins at body_at */
    int64_t length;             /* as set, or -1 */
    int64_t written;            /* of the body */
    int error;                  /* a write failed: what further ones return */
    struct text headers;        /* "Name: value\r\n"... as set */
    /* Where in out: the head begins; its framing is filled in; the body, or the open chunk. */
    uint32_t head_at, slot_at, body_at;
};

/* The head that was parsed last, for the next one that is the same byte for byte (conn.c). */
struct known_head {
    uint32_t size;                  /* 0: none */
    bool now;                       /* the request under way has this head */
    int values;
    const struct pattern *pattern;  /* what the routes say of it; NULL: they were not asked */
    char raw[GOI_KNOWN_BYTES];      /* as it came */
    char text[GOI_KNOWN_BYTES];     /* as it was parsed, which writes zeros: req.head points here */
};

/* A request under way, and the bytes that go out. Reused from request to request. */
struct exchange {
    struct conn *c;
    uint32_t out_start, out_end;
    time_t date_second;
    char date[GOI_DATE_BYTES];
    struct go_ws *ws;
    struct text scratch;
    struct go_http_request req;
    struct go_http_response res;
    struct known_head known;
    char out[GOI_OUT_BYTES];
};

struct server {
    go_http_options o;          /* [c] with the defaults; GO_FOREVER, INT64_MAX: none */
    go_http_mux *mux;           /* [c] */
    go_ctx *drain;              /* [c] ends when the draining begins */
    go_ctx *force;              /* [c] ends when connections are cut; requests' parent */
    struct tls_server *tls;     /* [c] */
    struct access_log *log;     /* [c] NULL: none */
    int error_fd;               /* [c] */
    go_listener *listener;      /* [c] */
    go_waitgroup stopped;       /* until the listener is closed and idle connections are woken */
    go_sem slots;               /* of max_connections */
    go_pool exchanges;
    go_mutex mu;
    go_cond empty;              /* signalled when the last connection is gone */
    struct conn *conns;         /* [l:mu] */
    int count;                  /* [l:mu] of them */
    int refs;                   /* [l:mu] connections and go_http_serve */
};

#endif
