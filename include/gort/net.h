/* SPDX-License-Identifier: MIT */
/* net.h: sockets and names. Calls look blocking and park the goroutine.
 *
 * Networks: "tcp" "tcp4" "tcp6" "unix" for streams, "udp" "udp4" "udp6" "unixgram" for packets. An
 * address is "host:port", "[v6]:port", ":port", or a path; the port may be a service's name, and 0
 * takes a free one. Errors are negative errno values. A name that does not resolve is
 * -EHOSTUNREACH.
 *
 * A connection may be read by one goroutine and written by another at the same time. Closing wakes
 * both with -ECANCELED; a passed deadline gives -ETIMEDOUT. The memory of a connection is released
 * by its close, when the last call on it has returned. */
#ifndef GO_NET_H
#define GO_NET_H

#include <sys/socket.h>
#include <sys/uio.h>

#include <gort/base.h>
#include <gort/context.h>

GO_BEGIN_DECLS

typedef struct go_conn go_conn;
typedef struct go_listener go_listener;
typedef struct go_packet go_packet;

/* ---- streams -------------------------------------------------------------------------------- */

/* Listens. 0 and *out, or an error; *out is then NULL. A unix socket's path is removed on close; a
 * path that begins with @ is an abstract name. ":port" listens on all addresses of both families.
 * Connections have TCP_NODELAY, and keep-alive after 15 s. */
GO_NODISCARD GO_API int go_listen(const char *network, const char *address, go_listener **out);
/* Parks until somebody connects. -ECANCELED once the listener is closed. While there are no
 * descriptors or no memory left it tries again, after 5 ms, 10 ms, ... 1 s. */
GO_NODISCARD GO_API int go_accept(go_listener *l, go_conn **out);
/* A point in time after which go_accept, also one that waits now, gives -ETIMEDOUT. */
GO_API int go_listener_set_deadline(go_listener *l, go_time t);
/* The descriptor, non-blocking, for options. Still the listener's: do not close it. */
GO_API int go_listener_fd(go_listener *l);
/* Closes it and releases it when the last accept has returned. */
GO_API int go_listener_close(go_listener *l);
/* "127.0.0.1:8080". Belongs to the listener. */
GO_API const char *go_listener_addr(go_listener *l);

/* Connects: resolves the name and tries its addresses in the resolver's order, the families taking
 * turns; each next one when the last has failed, or after 300 ms (RFC 8305). Ends early with the
 * context's error; otherwise the error is that of the first address. No host means this one. With
 * "udp" and "unixgram" the connection has a peer, and each read and write is one packet. ctx may be
 * NULL. */
GO_NODISCARD GO_API int go_dial(go_ctx *ctx, const char *network, const char *address,
                                go_conn **out);

/* A connection of a descriptor that is a socket, a pipe or a terminal; it becomes non-blocking and
 * belongs to the connection. -EPERM for regular files, which never wait; fd is then still yours. */
GO_NODISCARD GO_API int go_conn_open(int fd, go_conn **out);
/* A pipe: what is written to the second can be read from the first. */
GO_NODISCARD GO_API int go_pipe(go_conn **reader, go_conn **writer);

/* Bytes read, at least one; 0 at the end of the stream (and for n == 0); or an error. */
GO_NODISCARD GO_API ssize_t go_conn_read(go_conn *c, void *buf, size_t n);
/* Writes all of it: n, or an error (then a part may have been written). Never raises SIGPIPE. */
GO_NODISCARD GO_API ssize_t go_conn_write(go_conn *c, const void *buf, size_t n);
GO_NODISCARD GO_API ssize_t go_conn_writev(go_conn *c, const struct iovec *iov, int n);
/* Writes n bytes of the file fd from *offset (or its position, when NULL) on; fewer at its end. */
GO_NODISCARD GO_API ssize_t go_conn_sendfile(go_conn *c, int fd, off_t *offset, size_t n);
/* Closes both directions, and c must not be used in new calls; only the write side. 0 or an
 * error. */
GO_API int go_conn_close(go_conn *c);
GO_API int go_conn_close_write(go_conn *c);

/* Points in time after which calls, also those that wait now, give -ETIMEDOUT. GO_FOREVER clears
 * it; a time in the past wakes at once. 0 or -ECANCELED when closed. */
GO_API int go_conn_set_deadline(go_conn *c, go_time t);
GO_API int go_conn_set_read_deadline(go_conn *c, go_time t);
GO_API int go_conn_set_write_deadline(go_conn *c, go_time t);

/* The two ends, as "host:port". Belong to the connection. */
GO_API const char *go_conn_local_addr(go_conn *c);
GO_API const char *go_conn_remote_addr(go_conn *c);
/* The descriptor, non-blocking, for options. Still the connection's: do not close it. */
GO_API int go_conn_fd(go_conn *c);

/* ---- packets -------------------------------------------------------------------------------- */

/* A socket address of any family. */
typedef struct go_addr {
    struct sockaddr_storage storage;
    socklen_t length;
} go_addr;

GO_NODISCARD GO_API int go_listen_packet(const char *network, const char *address, go_packet **out);
/* One packet: its bytes that fit, and where from (may be NULL). */
GO_NODISCARD GO_API ssize_t go_packet_read_from(go_packet *p, void *buf, size_t n, go_addr *from);
GO_NODISCARD GO_API ssize_t go_packet_write_to(go_packet *p, const void *buf, size_t n,
                                               const go_addr *to);
GO_API int go_packet_set_deadline(go_packet *p, go_time t);
GO_API int go_packet_fd(go_packet *p);
GO_API const char *go_packet_addr(go_packet *p);
GO_API int go_packet_close(go_packet *p);

/* ---- names ---------------------------------------------------------------------------------- */

enum { GO_ADDRS_MAX = 16 };

typedef struct go_addrs {
    size_t count;
    go_addr addr[GO_ADDRS_MAX];
} go_addrs;

/* The addresses of a host, with port 0, in the order to try them. Does not stop other goroutines.
 * ctx may be NULL. */
GO_NODISCARD GO_API int go_lookup_host(go_ctx *ctx, const char *name, go_addrs *out);
/* The addresses of "host:port" on a network, as go_dial takes them; ctx may be NULL. */
GO_NODISCARD GO_API int go_resolve(go_ctx *ctx, const char *network, const char *address,
                                   go_addrs *out);
/* "host:port" of an address into buf; buf. Cut off when it does not fit. */
GO_API const char *go_addr_format(const go_addr *a, char *buf, size_t n);

GO_END_DECLS

#endif
