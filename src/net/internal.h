/* SPDX-License-Identifier: MIT */
/* internal.h: what the files of src/net share. */
#ifndef GOI_NET_INTERNAL_H
#define GOI_NET_INTERNAL_H
#include <gort/net.h>
#include <gort/poll.h>
#include <gort/sync.h>

/* A network, by its name. */
struct goi_network {
    const char *name;
    int family;         /* AF_UNSPEC: both IPv4 and IPv6 */
    int type;           /* SOCK_STREAM, SOCK_DGRAM */
};
/* NULL: no such network. */
const struct goi_network *goi_network_of(const char *name);

/* What every kind of socket here begins with. */
struct goi_sock {
    int fd;
    bool socket;        /* not a pipe or the like */
    bool stream;
    bool drains;        /* a short read has emptied it */
    go_watch *watch;
    go_mutex names;     /* guards local and remote */
    char *local;        /* made when asked for */
    char *remote;
    char *unlink;       /* the path to remove at the end, or NULL */
};

/* Takes fd, which is non-blocking. On error fd is still the caller's. */
int goi_sock_init(struct goi_sock *s, int fd);
/* Closes fd and releases what init made, not s itself. */
void goi_sock_fini(struct goi_sock *s);
/* One call with retries: `call` returns what the system call did. Its result, or -errno. Between
 * go_watch_begin and go_watch_end. */
typedef ssize_t (*goi_sock_call)(int fd, void *arg);
ssize_t goi_sock_retry(struct goi_sock *s, int event, goi_sock_call call, void *arg);
const char *goi_sock_local(struct goi_sock *s);

struct go_conn {
    struct goi_sock sock;
    go_mutex writing;   /* one write at a time, whole */
};

/* A connection that owns fd, which is non-blocking and connected. On error fd has been closed. */
int goi_conn_make(int fd, go_conn **out);

/* A new socket of this kind, non-blocking, with the options that all have. */
int goi_socket(const struct goi_network *net, int family);
/* A socket bound to the address, and listening if it is a stream. Its descriptor; *path is the path
 * to remove at the end, or NULL. */
int goi_bind(const char *network, int type, const char *address, char **path);
/* Connects to the addresses in turn (dial.c has the rules). */
int goi_dial_addrs(go_ctx *ctx, const struct goi_network *net, const go_addrs *all, go_conn **out);
/* The addresses of `address`; for_listen: no host means all of this machine's. */
int goi_resolve(go_ctx *ctx, const struct goi_network *net, const char *address, bool for_listen,
                go_addrs *out);
/* The same into new memory; free() it. NULL on error. */
go_addrs *goi_resolve_new(go_ctx *ctx, const struct goi_network *net, const char *address,
                          bool for_listen, int *error);
/* resolve_name.c: names to addresses; may park, or hold a thread in another goroutine. */
int goi_resolve_name(go_ctx *ctx, const char *name, go_addrs *out);

/* The end of a context as a deadline in the past, for one direction of a watch. Begin and end in
 * one function; ctx may be NULL. 0 or -ENOMEM. After the end nothing of it is under way. */
struct goi_tie {
    go_watch *watch;
    int event;
    go_ctx_after *after;
    go_waitgroup called;
};
int goi_tie_begin(struct goi_tie *t, go_ctx *ctx, go_watch *w, int event);
void goi_tie_end(struct goi_tie *t);

/* process.c: the way without pidfd. */
int goi_process_poll(go_ctx *ctx, pid_t pid, int *status);

/* No SIGPIPE from calls that have no flag against it: blocked for this thread meanwhile, and taken
 * back when the call has raised it. Nothing in between may park. */
struct goi_quiet { bool masked; };
void goi_quiet_begin(struct goi_quiet *q);
void goi_quiet_end(struct goi_quiet *q, bool broken_pipe);

#endif
