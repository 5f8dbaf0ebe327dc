/* SPDX-License-Identifier: MIT */
/* addr.c: addresses as text, and the text of addresses.
 *
 * What is a number is never asked of a resolver. Names go to goi_resolve_name (resolve_*.c).
 */
#include "net/internal.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { HOST_BYTES = 256 };

/* ---- to text */

static void format_v6(const struct sockaddr_in6 *s, char *buf, size_t n)
{
    char host[INET6_ADDRSTRLEN] = "";
    char zone[IF_NAMESIZE] = "";
    unsigned port = ntohs(s->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&s->sin6_addr)) {
        inet_ntop(AF_INET, &s->sin6_addr.s6_addr[12], host, sizeof host);
        snprintf(buf, n, "%s:%u", host, port);
        return;
    }
    inet_ntop(AF_INET6, &s->sin6_addr, host, sizeof host);
    if (s->sin6_scope_id != 0 && if_indextoname(s->sin6_scope_id, zone) != NULL) {
        snprintf(buf, n, "[%s%%%s]:%u", host, zone, port);
    } else {
        snprintf(buf, n, "[%s]:%u", host, port);
    }
}

static void format_unix(const go_addr *a, char *buf, size_t n)
{
    const struct sockaddr_un *u = (const struct sockaddr_un *)&a->storage;
    size_t head = offsetof(struct sockaddr_un, sun_path);
    size_t length = a->length > head ? a->length - head : 0;
    if (length > sizeof u->sun_path) {
        length = sizeof u->sun_path;
    }
    if (length > 0 && u->sun_path[0] == '\0') {
        snprintf(buf, n, "@%.*s", (int)length - 1, u->sun_path + 1);
    } else {
        snprintf(buf, n, "%.*s", (int)length, u->sun_path);
    }
}

const char *go_addr_format(const go_addr *a, char *buf, size_t n)
{
    if (n == 0) {
        return buf;
    }
    buf[0] = '\0';
    if (a->length < sizeof a->storage.ss_family) {
        return buf;
    }
    if (a->storage.ss_family == AF_INET) {
        const struct sockaddr_in *s = (const struct sockaddr_in *)&a->storage;
        char host[INET_ADDRSTRLEN] = "";
        inet_ntop(AF_INET, &s->sin_addr, host, sizeof host);
        snprintf(buf, n, "%s:%u", host, ntohs(s->sin_port));
    } else if (a->storage.ss_family == AF_INET6) {
        format_v6((const struct sockaddr_in6 *)&a->storage, buf, n);
    } else if (a->storage.ss_family == AF_UNIX) {
        format_unix(a, buf, n);
    }
    return buf;
}

/* ---- from text */

/* "host:port" in two. Brackets around the host are dropped. */
static int split(const char *address, char *host, const char **port)
{
    const char *colon = strrchr(address, ':');
    const char *first = address;
    const char *end = colon;
    if (colon == NULL) {
        return -EINVAL;
    }
    if (address[0] == '[') {
        if (colon == address || colon[-1] != ']') {
            return -EINVAL;
        }
        first++;
        end = colon - 1;
    } else if (memchr(address, ':', (size_t)(colon - address)) != NULL) {
        return -EINVAL; /* an IPv6 address needs brackets */
    }
    size_t n = (size_t)(end - first);
    if (n >= HOST_BYTES) {
        return -ENAMETOOLONG;
    }
    memcpy(host, first, n);
    host[n] = '\0';
    *port = colon + 1;
    return 0;
}

/* A port's number, in network order: digits, or the name of a service; -1: neither. */
static int port_of(const struct goi_network *net, const char *text)
{
    char *end;
    if (text[0] == '\0') {
        return 0;
    }
    if (text[0] >= '0' && text[0] <= '9') {
        unsigned long n = strtoul(text, &end, 10);
        return *end == '\0' && n <= 65535 ? htons((uint16_t)n) : -1;
    }
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = net->type};
    struct addrinfo *list = NULL;
    int port = -1;
    if (getaddrinfo(NULL, text, &hints, &list) == 0 && list != NULL) {
        const struct sockaddr_in *s = (const struct sockaddr_in *)(const void *)list->ai_addr;
        port = s->sin_port;
    }
    if (list != NULL) {
        freeaddrinfo(list);
    }
    return port;
}

static void set_port(go_addr *a, int port)
{
    if (a->storage.ss_family == AF_INET) {
        ((struct sockaddr_in *)&a->storage)->sin_port = (in_port_t)port;
    } else {
        ((struct sockaddr_in6 *)&a->storage)->sin6_port = (in_port_t)port;
    }
}

static void add_v4(go_addrs *out, uint32_t host_order)
{
    go_addr *a = &out->addr[out->count++];
    struct sockaddr_in *s = (struct sockaddr_in *)&a->storage;
    memset(a, 0, sizeof *a);
    s->sin_family = AF_INET;
    s->sin_addr.s_addr = htonl(host_order);
    a->length = sizeof *s;
}

static void add_v6(go_addrs *out, struct in6_addr ip)
{
    go_addr *a = &out->addr[out->count++];
    struct sockaddr_in6 *s = (struct sockaddr_in6 *)&a->storage;
    memset(a, 0, sizeof *a);
    s->sin6_family = AF_INET6;
    s->sin6_addr = ip;
    a->length = sizeof *s;
}

/* No host: all addresses of this machine, or its own. */
static void nobody(const struct goi_network *net, bool for_listen, go_addrs *out)
{
    const struct in6_addr any = IN6ADDR_ANY_INIT;
    const struct in6_addr self = IN6ADDR_LOOPBACK_INIT;
    out->count = 0;
    if (net->family == AF_INET6 || (for_listen && net->family == AF_UNSPEC)) {
        add_v6(out, for_listen ? any : self); /* with both families in one socket (goi_bind) */
    }
    if (net->family != AF_INET6) {
        add_v4(out, for_listen ? INADDR_ANY : INADDR_LOOPBACK);
    }
}

static int resolve_unix(const char *path, go_addrs *out)
{
    struct sockaddr_un *u = (struct sockaddr_un *)&out->addr[0].storage;
    size_t n = strlen(path);
    memset(&out->addr[0], 0, sizeof out->addr[0]);
    if (n == 0) {
        return -EINVAL;
    }
    if (n >= sizeof u->sun_path) {
        return -ENAMETOOLONG;
    }
    u->sun_family = AF_UNIX;
    memcpy(u->sun_path, path, n);
    out->addr[0].length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
    if (path[0] == '@') { /* an abstract name: all of its bytes count, and no zero ends it */
        u->sun_path[0] = '\0';
        out->addr[0].length--;
    }
    out->count = 1;
    return 0;
}

/* A number, not a name. */
static bool numeric(const char *host, go_addrs *out)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, NULL, &hints, &list) != 0) {
        return false;
    }
    memset(&out->addr[0], 0, sizeof out->addr[0]);
    memcpy(&out->addr[0].storage, list->ai_addr, list->ai_addrlen);
    out->addr[0].length = list->ai_addrlen;
    out->count = 1;
    freeaddrinfo(list);
    return true;
}

int go_lookup_host(go_ctx *ctx, const char *name, go_addrs *out)
{
    out->count = 0;
    if (name == NULL || name[0] == '\0') {
        return -EINVAL;
    }
    int error = ctx != NULL ? go_ctx_err(ctx) : 0;
    if (error != 0) {
        return error;
    }
    return numeric(name, out) ? 0 : goi_resolve_name(ctx, name, out);
}

/* Drops what the network cannot use. */
static void keep_family(go_addrs *all, int family)
{
    size_t n = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (family == AF_UNSPEC || all->addr[i].storage.ss_family == family) {
            if (n != i) {
                all->addr[n] = all->addr[i];
            }
            n++;
        }
    }
    all->count = n;
}

int goi_resolve(go_ctx *ctx, const struct goi_network *net, const char *address, bool for_listen,
                go_addrs *out)
{
    char host[HOST_BYTES];
    const char *service;
    out->count = 0;
    if (address == NULL) {
        return -EINVAL;
    }
    if (net->family == AF_UNIX) {
        return resolve_unix(address, out);
    }
    int r = split(address, host, &service);
    if (r != 0) {
        return r;
    }
    int port = port_of(net, service);
    if (port < 0) {
        return -EINVAL;
    }
    if (host[0] == '\0') {
        nobody(net, for_listen, out);
    } else {
        r = go_lookup_host(ctx, host, out);
        keep_family(out, net->family);
    }
    if (r == 0 && out->count == 0) {
        r = -EHOSTUNREACH;
    }
    for (size_t i = 0; i < out->count; i++) {
        set_port(&out->addr[i], port);
    }
    return r;
}

go_addrs *goi_resolve_new(go_ctx *ctx, const struct goi_network *net, const char *address,
                          bool for_listen, int *error)
{
    go_addrs *all = calloc(1, sizeof *all);
    *error = all != NULL ? goi_resolve(ctx, net, address, for_listen, all) : -ENOMEM;
    if (*error != 0) {
        free(all);
        return NULL;
    }
    return all;
}

int go_resolve(go_ctx *ctx, const char *network, const char *address, go_addrs *out)
{
    const struct goi_network *net = goi_network_of(network);
    out->count = 0;
    return net != NULL ? goi_resolve(ctx, net, address, false, out) : -EAFNOSUPPORT;
}
