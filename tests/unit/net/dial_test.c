/* SPDX-License-Identifier: MIT */
/* dial_test.c: connecting: names, several addresses, contexts. */
#include "net/internal.h"
#include "net_test.h"
#include <gort/short.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* An address where nobody answers: the queue of a listener that never accepts is full, and the
 * kernel drops what comes after it. */
struct hole {
    int listener, filler[8];
    go_addr addr;
    char text[64];
};

static void hole_open(struct hole *h, uint32_t ip)
{
    struct sockaddr_in *s = (struct sockaddr_in *)&h->addr.storage;
    memset(&h->addr, 0, sizeof h->addr);
    s->sin_family = AF_INET;
    s->sin_addr.s_addr = htonl(ip);
    h->addr.length = sizeof *s;
    h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE_EQ_INT(bind(h->listener, (struct sockaddr *)s, sizeof *s), 0);
    REQUIRE_EQ_INT(listen(h->listener, 0), 0);
    REQUIRE_EQ_INT(getsockname(h->listener, (struct sockaddr *)s, &h->addr.length), 0);
    for (int i = 0; i < 8; i++) {
        h->filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(h->filler[i], (struct sockaddr *)s, sizeof *s);
    }
    struct pollfd one = {.fd = h->listener, .events = POLLIN};
    REQUIRE_EQ_INT(poll(&one, 1, -1), 1); /* and one is as many as it holds */
    go_addr_format(&h->addr, h->text, sizeof h->text);
}

static void hole_close(struct hole *h)
{
    for (int i = 0; i < 8; i++) {
        close(h->filler[i]);
    }
    close(h->listener);
}

static void needs_holes(void)
{
    if (test_under("qemu")) {
        SKIP("listen queues are the host's");
    }
}

static const struct goi_network *tcp(void) { return goi_network_of("tcp"); }

TEST(dial, a_dead_address_costs_300_ms_and_not_two_minutes)
{
    struct hole h;
    go_conn *c;
    go_addrs all = {.count = 2};
    go_addrs live;
    needs_holes();
    hole_open(&h, 0x7f000002);
    go_listener *l = listen_here();
    REQUIRE_EQ_INT(go_resolve(NULL, "tcp", listener_addr(l), &live), 0);
    all.addr[0] = h.addr;
    all.addr[1] = live.addr[0];
    go_time start = go_now();
    REQUIRE_EQ_INT(goi_dial_addrs(NULL, tcp(), &all, &c), 0);
    EXPECT_INT(go_since(start), >=, 300 * GO_MS);
    EXPECT_EQ_STR(conn_remote_addr(c), listener_addr(l));
    conn_close(c);
    listener_close(l);
    hole_close(&h);
}

TEST(dial, a_refusal_lets_the_next_address_try_at_once)
{
    go_conn *c;
    go_addrs all = {.count = 2};
    go_addrs live;
    go_addrs dead;
    go_listener *gone = listen_here();
    REQUIRE_EQ_INT(go_resolve(NULL, "tcp", listener_addr(gone), &dead), 0);
    listener_close(gone);
    go_listener *l = listen_here();
    REQUIRE_EQ_INT(go_resolve(NULL, "tcp", listener_addr(l), &live), 0);
    all.addr[0] = dead.addr[0];
    all.addr[1] = live.addr[0];
    go_duration best = GO_HOUR; /* one that waited for its turn takes 300 ms each time */
    for (int i = 0; i < 10 && best >= 290 * GO_MS * test_scale(); i++) {
        go_time start = go_now();
        REQUIRE_EQ_INT(goi_dial_addrs(NULL, tcp(), &all, &c), 0);
        go_duration took = go_since(start);
        best = took < best ? took : best;
        EXPECT_EQ_STR(conn_remote_addr(c), listener_addr(l));
        conn_close(c);
    }
    EXPECT_INT(best, <, 290 * GO_MS * test_scale());
    listener_close(l);
}

TEST(dial, all_addresses_fail_with_the_error_of_the_first)
{
    go_conn *c;
    go_addrs all = {.count = 3};
    go_addrs dead;
    go_listener *gone = listen_here();
    REQUIRE_EQ_INT(go_resolve(NULL, "tcp", listener_addr(gone), &dead), 0);
    listener_close(gone);
    for (int i = 0; i < 3; i++) {
        all.addr[i] = dead.addr[0];
    }
    EXPECT_EQ_INT(goi_dial_addrs(NULL, tcp(), &all, &c), -ECONNREFUSED);
    EXPECT_EQ_PTR(c, NULL);
}

static void cancel_soon(go_ctx *ctx)
{
    wait_for_io_waiters(1);
    ctx_cancel(ctx);
}

TEST(dial, a_context_ends_the_wait_for_one_address)
{
    struct hole h;
    go_conn *c;
    go_waitgroup cancelling = {0};
    needs_holes();
    hole_open(&h, 0x7f000003);
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    wg_go(&cancelling, cancel_soon, ctx);
    EXPECT_EQ_INT(go_dial(ctx, "tcp", h.text, &c), -ECANCELED);
    wg_wait(&cancelling);
    ctx_free(ctx);
    ctx = ctx_with_timeout(ctx_background(), 5 * GO_MS);
    EXPECT_EQ_INT(go_dial(ctx, "tcp", h.text, &c), -ETIMEDOUT);
    EXPECT_EQ_INT(go_dial(ctx, "tcp", h.text, &c), -ETIMEDOUT); /* it is over already */
    ctx_free(ctx);
    hole_close(&h);
}

TEST(dial, a_context_ends_a_race)
{
    struct hole h;
    go_conn *c;
    go_addrs all = {.count = 2};
    needs_holes();
    hole_open(&h, 0x7f000004);
    all.addr[0] = all.addr[1] = h.addr;
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 350 * GO_MS); /* both are under way */
    EXPECT_EQ_INT(goi_dial_addrs(ctx, tcp(), &all, &c), -ETIMEDOUT);
    EXPECT_EQ_PTR(c, NULL);
    ctx_free(ctx);
    hole_close(&h);
}

TEST(dial, localhost_has_a_name)
{
    go_addrs all;
    go_conn *c;
    char where[64];
    if (go_lookup_host(NULL, "localhost", &all) != 0) {
        SKIP("no localhost in this machine's hosts file");
    }
    EXPECT_UINT(all.count, >=, 1);
    go_listener *l = listen_here();
    snprintf(where, sizeof where, "localhost%s", strrchr(listener_addr(l), ':'));
    EXPECT_EQ_INT(go_dial(NULL, "tcp", where, &c), 0);
    conn_close(c);
    listener_close(l);
}

TEST(dial, numbers_need_no_resolver)
{
    go_addrs all;
    char text[64];
    REQUIRE_EQ_INT(go_lookup_host(NULL, "192.0.2.7", &all), 0);
    EXPECT_EQ_UINT(all.count, 1);
    EXPECT_EQ_STR(go_addr_format(&all.addr[0], text, sizeof text), "192.0.2.7:0");
    REQUIRE_EQ_INT(go_lookup_host(NULL, "2001:db8::1", &all), 0);
    EXPECT_EQ_STR(go_addr_format(&all.addr[0], text, sizeof text), "[2001:db8::1]:0");
    EXPECT_EQ_STR(go_addr_format(&all.addr[0], text, 5), "[200");
}

TEST(dial, a_name_that_cannot_be_is_an_error)
{
    go_addrs all;
    go_conn *c;
    EXPECT_EQ_INT(go_lookup_host(NULL, "", &all), -EINVAL);
    char name[300];
    memset(name, 'a', sizeof name); /* a label of 299 letters: no resolver asks for it */
    name[sizeof name - 1] = '\0';
    EXPECT_EQ_INT(go_lookup_host(NULL, name, &all), -EHOSTUNREACH);
    EXPECT_EQ_UINT(all.count, 0);
    memcpy(name + 100, ":80", 4);
    EXPECT_EQ_INT(go_dial(NULL, "tcp", name, &c), -EHOSTUNREACH);
}

TEST(dial, an_ended_context_asks_nobody)
{
    go_addrs all;
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    ctx_cancel(ctx);
    EXPECT_EQ_INT(go_lookup_host(ctx, "localhost", &all), -ECANCELED);
    ctx_free(ctx);
}

TEST(dial, a_full_unix_listener_is_waited_for)
{
    char name[64];
    go_conn *c[3];
    int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    go_addrs a;
    snprintf(name, sizeof name, "@gort-full-%d", (int)getpid());
    REQUIRE_EQ_INT(go_resolve(NULL, "unix", name, &a), 0);
    REQUIRE_EQ_INT(bind(l, (struct sockaddr *)&a.addr[0].storage, a.addr[0].length), 0);
    REQUIRE_EQ_INT(listen(l, 0), 0);
    EXPECT_EQ_INT(go_dial(NULL, "unix", name, &c[0]), 0);
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 5 * GO_MS);
    EXPECT_EQ_INT(go_dial(ctx, "unix", name, &c[1]), -ETIMEDOUT);
    ctx_free(ctx);
    conn_close(c[0]);
    close(l);
}

TEST(dial, no_host_is_this_machine)
{
    go_conn *c;
    char where[64];
    go_listener *l = listen_here();
    snprintf(where, sizeof where, "%s", strrchr(listener_addr(l), ':'));
    EXPECT_EQ_INT(go_dial(NULL, "tcp", where, &c), 0);
    EXPECT_EQ_STR(conn_remote_addr(c), listener_addr(l));
    conn_close(c);
    listener_close(l);
}

/* The next of the other family before the next of the same: an empty one is given up sooner. */
TEST(dial, families_take_turns)
{
    const char *network[] = {"tcp4", "tcp4", "tcp6"};
    const char *address[] = {"127.0.0.1:0", "127.0.0.2:0", "[::1]:0"};
    go_addrs all = {.count = 3};
    go_listener *l[3];
    go_conn *c;
    for (int i = 0; i < 3; i++) {
        if (go_listen(network[i], address[i], &l[i]) != 0) {
            SKIP("no %s here", address[i]);
        }
        struct sockaddr *to = (struct sockaddr *)&all.addr[i].storage;
        all.addr[i].length = sizeof all.addr[i].storage;
        REQUIRE_EQ_INT(getsockname(go_listener_fd(l[i]), to, &all.addr[i].length), 0);
    }
    go_listener_close(l[0]); /* refuses */
    REQUIRE_EQ_INT(goi_dial_addrs(NULL, tcp(), &all, &c), 0);
    EXPECT_EQ_STR(go_conn_remote_addr(c), go_listener_addr(l[2]));
    go_conn_close(c);
    go_listener_close(l[1]);
    go_listener_close(l[2]);
}
