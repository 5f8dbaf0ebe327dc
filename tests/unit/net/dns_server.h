/* SPDX-License-Identifier: MIT */
/* dns_server.h: a name server on loopback. What it answers is in the first label of the name:
 *
 *     both...     192.0.2.1 and 2001:db8::1
 *     four..., six...     the first or the second of these; no data for the other kind
 *     many...     127.0.0.1 to 127.0.0.20, and ::1
 *     big...      by UDP only that it did not fit; by TCP as both
 *     fail...     SERVFAIL
 *     mute...     nothing
 *     else        NXDOMAIN
 */
#ifndef TESTS_UNIT_NET_DNS_SERVER_H
#define TESTS_UNIT_NET_DNS_SERVER_H
#include "net_test.h"
#include <arpa/inet.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum { DNS_MAX = 512, DNS_HEAD = 12, DNS_A = 1, DNS_AAAA = 28 };

struct dns_server {
    go_packet *udp;
    go_listener *tcp;
    char address[64];           /* "127.0.0.1:port" */
    atomic_int by_udp, by_tcp;  /* questions */
    atomic_int muted;           /* mute questions for an IPv4 address */
    go_waitgroup running;
};

static inline size_t dns_put(uint8_t *to, size_t at, unsigned value, int bytes)
{
    while (bytes-- > 0) {
        to[at++] = (uint8_t)(value >> (8 * bytes));
    }
    return at;
}

static inline size_t dns_record(uint8_t *m, size_t at, int type, const void *ip)
{
    unsigned length = type == DNS_A ? 4 : 16;
    at = dns_put(m, at, 0xc000 | DNS_HEAD, 2); /* the name of the question */
    at = dns_put(m, at, (unsigned)type, 2);
    at = dns_put(m, at, 1, 2);
    at = dns_put(m, at, 60, 4);
    at = dns_put(m, at, length, 2);
    memcpy(m + at, ip, length);
    return at + length;
}

static inline bool dns_named(const uint8_t *m, const char *start)
{
    size_t n = strlen(start);
    return m[DNS_HEAD] >= n && memcmp(m + DNS_HEAD + 1, start, n) == 0;
}

/* The records of the answer. */
static inline size_t dns_records(uint8_t *m, size_t at, int type, unsigned *count)
{
    static const uint8_t four[4] = {192, 0, 2, 1};
    static const uint8_t six[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
    bool many = dns_named(m, "many");
    bool both = dns_named(m, "both") || dns_named(m, "big");
    if (type == DNS_A && many) {
        for (; *count < 20; ++*count) {
            const uint8_t ip[4] = {127, 0, 0, (uint8_t)(*count + 1)};
            at = dns_record(m, at, type, ip);
        }
    } else if (type == DNS_AAAA && many) {
        at = dns_record(m, at, type, &in6addr_loopback);
        *count = 1;
    } else if (type == DNS_A && (both || dns_named(m, "four"))) {
        at = dns_record(m, at, type, four);
        *count = 1;
    } else if (type == DNS_AAAA && (both || dns_named(m, "six"))) {
        at = dns_record(m, at, type, six);
        *count = 1;
    }
    return at;
}

/* Makes the answer of the question in m; its length, 0: none. */
static inline size_t dns_answer(struct dns_server *s, uint8_t *m, size_t n, bool tcp)
{
    static const char *const known[] = {"both", "four", "six", "many", "big", "fail"};
    size_t at = DNS_HEAD;
    unsigned count = 0;
    unsigned code = 3; /* NXDOMAIN */
    while (at < n && m[at] != 0) { /* ends: each turn skips a label */
        at += m[at] + 1u;
    }
    if (at + 5 > n) {
        FAIL("not a question");
        return 0;
    }
    at += 5;
    int type = m[at - 3];
    atomic_fetch_add(tcp ? &s->by_tcp : &s->by_udp, 1);
    if (dns_named(m, "mute")) {
        atomic_fetch_add(&s->muted, type == DNS_A);
        return 0;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        code = dns_named(m, known[i]) ? 0 : code;
    }
    code = dns_named(m, "fail") ? 2 : code;
    bool cut = dns_named(m, "big") && !tcp;
    at = cut ? at : dns_records(m, at, type, &count);
    dns_put(m, 2, 0x8180 | (cut ? 0x200 : 0) | code, 2);
    dns_put(m, 6, count, 2);
    dns_put(m, 8, 0, 4); /* whatever else the question had (EDNS) is left out */
    return at;
}

static inline void dns_serve_udp(struct dns_server *s)
{
    uint8_t m[DNS_MAX];
    go_addr from;
    for (;;) { /* ends with dns_stop */
        ssize_t n = go_packet_read_from(s->udp, m, sizeof m, &from);
        if (n < 0) {
            EXPECT_EQ_INT(n, -ETIMEDOUT);
            return;
        }
        size_t length = dns_answer(s, m, (size_t)n, false);
        /* Who gave up has closed its socket; nothing to complain of. */
        ssize_t sent = length > 0 ? go_packet_write_to(s->udp, m, length, &from) : 0;
        (void)sent;
    }
}

static inline void dns_serve_one(struct dns_server *s, go_conn *c)
{
    uint8_t head[2];
    uint8_t m[DNS_MAX];
    while (read_all(c, head, 2) == 2) { /* ends when the client closes */
        size_t n = (size_t)head[0] << 8 | head[1];
        if (n > sizeof m || read_all(c, m, n) != (ssize_t)n) {
            break;
        }
        n = dns_answer(s, m, n, true);
        dns_put(head, 0, (unsigned)n, 2);
        if (go_conn_write(c, head, 2) != 2 || go_conn_write(c, m, n) != (ssize_t)n) {
            break;
        }
    }
    go_conn_close(c);
}

static inline void dns_serve_tcp(struct dns_server *s)
{
    go_conn *c;
    while (go_accept(s->tcp, &c) == 0) { /* ends with dns_stop */
        go_wg_go(&s->running, dns_serve_one, s, c);
    }
}

/* Both protocols on one port; address with port 0: any. */
static inline void dns_start(struct dns_server *s, const char *address)
{
    const int room = 1 << 20;
    int r = -EADDRINUSE;
    memset(s, 0, sizeof *s);
    while (r == -EADDRINUSE) { /* ends: the next free port is most likely free for the other, too */
        REQUIRE_EQ_INT(go_listen_packet("udp", address, &s->udp), 0);
        r = go_listen("tcp", go_packet_addr(s->udp), &s->tcp);
        if (r != 0) {
            go_packet_close(s->udp);
        }
    }
    REQUIRE_EQ_INT(r, 0);
    setsockopt(go_packet_fd(s->udp), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    snprintf(s->address, sizeof s->address, "%s", go_packet_addr(s->udp));
    go_wg_go(&s->running, dns_serve_udp, s);
    go_wg_go(&s->running, dns_serve_tcp, s);
}

static inline void dns_stop(struct dns_server *s)
{
    /* No call may begin after a close, and these may not have begun. */
    go_packet_set_deadline(s->udp, 0);
    go_listener_set_deadline(s->tcp, 0);
    go_wg_wait(&s->running);
    go_packet_close(s->udp);
    go_listener_close(s->tcp);
}

#endif
