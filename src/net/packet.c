/* SPDX-License-Identifier: MIT */
/* packet.c: sockets for packets. */
#include "net/internal.h"
#include "stack/hibernate.h" /* style: layer because buffers may lie in stacks that hibernate */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct go_packet {
    struct goi_sock sock;
    int family;
};

struct packet {
    void *buf;
    size_t n;
    go_addr *from;
    const go_addr *to;
};

static void destroy(go_packet *p)
{
    goi_sock_fini(&p->sock);
    free(p);
}

static void leave(go_packet *p)
{
    if (go_watch_end(p->sock.watch)) {
        destroy(p);
    }
}

int go_listen_packet(const char *network, const char *address, go_packet **out)
{
    char *path;
    *out = NULL;
    int fd = goi_bind(network, SOCK_DGRAM, address, &path);
    if (fd < 0) {
        return fd;
    }
    go_packet *p = calloc(1, sizeof *p);
    int r = p != NULL ? goi_sock_init(&p->sock, fd) : -ENOMEM;
    if (r != 0) {
        free(path);
        free(p);
        close(fd);
        return r;
    }
    socklen_t size = sizeof p->family;
    (void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &p->family, &size);
    p->sock.unlink = path;
    *out = p;
    return 0;
}

static ssize_t receive(int fd, void *arg)
{
    struct packet *k = arg;
    socklen_t length = sizeof k->from->storage;
    if (k->from == NULL) {
        return recv(fd, k->buf, k->n, 0);
    }
    ssize_t got = recvfrom(fd, k->buf, k->n, 0, (struct sockaddr *)&k->from->storage, &length);
    k->from->length = got >= 0 ? length : 0;
    return got;
}

ssize_t go_packet_read_from(go_packet *p, void *buf, size_t n, go_addr *from)
{
    int r = go_watch_begin(p->sock.watch);
    if (r != 0) {
        return r;
    }
    struct packet k = {.buf = buf, .n = n, .from = from};
    /* Before the call: one that fails loses the packet. */
    goi_a64 *kept = goi_hibernate_keep(buf), *kept_from = goi_hibernate_keep(from);
    ssize_t got = goi_sock_retry(&p->sock, GO_READ, receive, &k);
    goi_hibernate_unkeep(kept);
    goi_hibernate_unkeep(kept_from);
    leave(p);
    return got;
}

static ssize_t transmit(int fd, void *arg)
{
    const struct packet *k = arg;
    return sendto(fd, k->buf, k->n, MSG_NOSIGNAL, (const struct sockaddr *)&k->to->storage,
                  k->to->length);
}

/* A socket of both families speaks of IPv4 addresses in IPv6's notation. */
static void map_v4(const go_addr *from, go_addr *to)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&from->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&to->storage;
    memset(to, 0, sizeof *to);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = v4->sin_port;
    v6->sin6_addr.s6_addr[10] = 0xff;
    v6->sin6_addr.s6_addr[11] = 0xff;
    memcpy(&v6->sin6_addr.s6_addr[12], &v4->sin_addr, sizeof v4->sin_addr);
    to->length = sizeof *v6;
}

ssize_t go_packet_write_to(go_packet *p, const void *buf, size_t n, const go_addr *to)
{
    go_addr mapped;
    if (to == NULL) {
        return -EDESTADDRREQ;
    }
    int r = go_watch_begin(p->sock.watch);
    if (r != 0) {
        return r;
    }
    if (p->family == AF_INET6 && to->storage.ss_family == AF_INET) {
        map_v4(to, &mapped);
        to = &mapped;
    }
    struct packet k = {.buf = (void *)(uintptr_t)buf, .n = n, .to = to};
    ssize_t sent = goi_sock_retry(&p->sock, GO_WRITE, transmit, &k);
    if (sent == -EFAULT) {
        goi_a64 *kept = goi_hibernate_keep(buf), *kept_to = goi_hibernate_keep(to);
        sent = goi_sock_retry(&p->sock, GO_WRITE, transmit, &k);
        goi_hibernate_unkeep(kept);
        goi_hibernate_unkeep(kept_to);
    }
    leave(p);
    return sent;
}

int go_packet_set_deadline(go_packet *p, go_time t)
{
    return go_watch_set_deadline(p->sock.watch, GO_READ | GO_WRITE, t);
}

const char *go_packet_addr(go_packet *p) { return goi_sock_local(&p->sock); }

int go_packet_fd(go_packet *p) { return p->sock.fd; }

int go_packet_close(go_packet *p)
{
    int r = go_watch_close(p->sock.watch);
    if (r > 0) {
        destroy(p);
    }
    return r < 0 ? r : 0;
}
