/* SPDX-License-Identifier: MIT */
/* stream_test.c: listening, accepting, dialling, reading, writing and closing. */
#include "harness.h"
#include "net_test.h"
#include <gort/short.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static void echo(go_conn *c)
{
    char buf[4096];
    ssize_t n = conn_read(c, buf, sizeof buf);
    while (n > 0 && conn_write(c, buf, (size_t)n) == n) {
        n = conn_read(c, buf, sizeof buf);
    }
    conn_close(c);
}

static void echo_server(go_listener *l, go_waitgroup *over)
{
    go_conn *c;
    while (go_accept(l, &c) == 0) {
        wg_go(over, echo, c);
    }
    wg_done(over);
}

static void ask(const char *network, const char *address, int times, go_waitgroup *over)
{
    go_conn *c;
    if (EXPECT_EQ_INT(go_dial(NULL, network, address, &c), 0)) {
        for (int i = 0; i < times; i++) {
            char in[100];
            char out[100];
            memset(out, 'a' + i % 26, sizeof out);
            EXPECT_EQ_INT(conn_write(c, out, sizeof out), (ssize_t)sizeof out);
            EXPECT_EQ_INT(read_all(c, in, sizeof in), (ssize_t)sizeof in);
            EXPECT_EQ_MEM(in, out, sizeof in);
        }
        EXPECT_EQ_INT(conn_close(c), 0);
    }
    wg_done(over);
}

static void many_ask(const char *network, const char *address, int clients, int times)
{
    go_listener *l;
    go_waitgroup over = {0};
    go_waitgroup asked = {0};
    int r = go_listen(network, address, &l);
    if (r == -EADDRNOTAVAIL || r == -EAFNOSUPPORT) {
        SKIP("no %s here", network);
    }
    REQUIRE_EQ_INT(r, 0);
    wg_add(&over, 1);
    go(echo_server, l, &over);
    char *where = strdup(listener_addr(l));
    wg_add(&asked, clients);
    for (int i = 0; i < clients; i++) {
        go(ask, network, where, times, &asked);
    }
    wg_wait(&asked);
    EXPECT_EQ_INT(listener_close(l), 0);
    wg_wait(&over);
    free(where);
}

TEST(stream, tcp4_clients_get_their_own_bytes_back) { many_ask("tcp4", "127.0.0.1:0", 50, 20); }

TEST(stream, tcp6_clients_get_their_own_bytes_back) { many_ask("tcp6", "[::1]:0", 10, 20); }

TEST(stream, tcp_listens_without_a_host) { many_ask("tcp", ":0", 10, 20); }

TEST(stream, abstract_unix_clients_get_their_own_bytes_back)
{
    char name[64];
    snprintf(name, sizeof name, "@gort-test-%d", (int)getpid());
    many_ask("unix", name, 50, 20);
}

TEST(stream, a_unix_listener_removes_its_path)
{
    char name[64];
    struct stat s;
    snprintf(name, sizeof name, "/tmp/gort-test-%d.sock", (int)getpid());
    many_ask("unix", name, 5, 5);
    EXPECT_EQ_INT(stat(name, &s), -1);
}

TEST(stream, addresses_are_told_by_both_ends)
{
    go_conn *a;
    go_conn *b;
    go_listener *l = listen_here();
    dial_pair(l, &a, &b);
    EXPECT_MATCH(listener_addr(l), "^127\\.0\\.0\\.1:[0-9]+$");
    EXPECT_EQ_STR(conn_remote_addr(a), listener_addr(l));
    EXPECT_EQ_STR(conn_local_addr(b), listener_addr(l));
    EXPECT_EQ_STR(conn_local_addr(a), conn_remote_addr(b));
    EXPECT_EQ_STR(conn_local_addr(a), conn_remote_addr(b));
    conn_close(a);
    conn_close(b);
    listener_close(l);
}

TEST(stream, end_of_stream_reads_zero_again_and_again)
{
    char buf[16];
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    EXPECT_EQ_INT(conn_write(a, "last", 4), 4);
    EXPECT_EQ_INT(conn_close(a), 0);
    EXPECT_EQ_INT(conn_read(b, buf, sizeof buf), 4);
    EXPECT_EQ_INT(conn_read(b, buf, sizeof buf), 0);
    EXPECT_EQ_INT(conn_read(b, buf, sizeof buf), 0);
    conn_close(b);
}

TEST(stream, reading_nothing_is_nothing)
{
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    EXPECT_EQ_INT(conn_read(b, NULL, 0), 0);
    EXPECT_EQ_INT(conn_write(b, NULL, 0), 0);
    conn_close(a);
    conn_close(b);
}

TEST(stream, half_close_ends_reading_and_leaves_writing)
{
    char buf[16];
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    EXPECT_EQ_INT(conn_close_write(a), 0);
    EXPECT_EQ_INT(conn_read(b, buf, sizeof buf), 0);
    EXPECT_EQ_INT(conn_write(b, "answer", 6), 6);
    EXPECT_EQ_INT(conn_read(a, buf, sizeof buf), 6);
    EXPECT_EQ_INT(conn_write(a, "x", 1), -EPIPE);
    conn_close(a);
    conn_close(b);
}

static void read_once(go_conn *c, ssize_t *result, go_waitgroup *over)
{
    char buf[64];
    *result = conn_read(c, buf, sizeof buf);
    wg_done(over);
}

static void write_much(go_conn *c, ssize_t *result, go_waitgroup *over)
{
    size_t n = 64 << 20;
    char *much = calloc(1, n);
    *result = conn_write(c, much, n);
    free(much);
    wg_done(over);
}

TEST(stream, close_wakes_a_reader_and_a_writer)
{
    ssize_t got = 0;
    ssize_t sent = 0;
    go_waitgroup over = {0};
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    wg_add(&over, 2);
    go(read_once, a, &got, &over);
    go(write_much, a, &sent, &over); /* b never reads */
    wait_for_io_waiters(2);
    EXPECT_EQ_INT(conn_close(a), 0);
    wg_wait(&over);
    EXPECT_EQ_INT(got, -ECANCELED);
    EXPECT_EQ_INT(sent, -ECANCELED);
    conn_close(b);
}

TEST(stream, close_wakes_all_readers_of_one_connection)
{
    enum { READERS = 20 };
    ssize_t got[READERS];
    go_waitgroup over = {0};
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    wg_add(&over, READERS);
    for (int i = 0; i < READERS; i++) {
        go(read_once, a, &got[i], &over);
    }
    wait_for_io_waiters(READERS);
    EXPECT_EQ_INT(conn_close(a), 0);
    wg_wait(&over);
    for (int i = 0; i < READERS; i++) {
        EXPECT_EQ_INT(got[i], -ECANCELED);
    }
    conn_close(b);
}

static void accept_once(go_listener *l, int *result, go_waitgroup *over)
{
    go_conn *c;
    *result = go_accept(l, &c);
    wg_done(over);
}

TEST(stream, close_wakes_accept)
{
    int result[3] = {0};
    go_waitgroup over = {0};
    go_listener *l = listen_here();
    wg_add(&over, 3);
    for (int i = 0; i < 3; i++) {
        go(accept_once, l, &result[i], &over);
    }
    wait_for_io_waiters(3);
    EXPECT_EQ_INT(listener_close(l), 0);
    wg_wait(&over);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ_INT(result[i], -ECANCELED);
    }
}

static void accept_and_count(go_listener *l, go_waitgroup *over)
{
    go_conn *c;
    if (EXPECT_EQ_INT(go_accept(l, &c), 0)) {
        conn_close(c);
    }
    wg_done(over);
}

TEST(stream, each_of_many_acceptors_gets_a_connection)
{
    enum { N = 30 };
    go_waitgroup over = {0};
    go_conn *c[N];
    go_listener *l = listen_here();
    wg_add(&over, N);
    for (int i = 0; i < N; i++) {
        go(accept_and_count, l, &over);
    }
    for (int i = 0; i < N; i++) {
        EXPECT_EQ_INT(go_dial(NULL, "tcp", listener_addr(l), &c[i]), 0);
    }
    wg_wait(&over); /* nobody sleeps while a connection waits */
    for (int i = 0; i < N; i++) {
        conn_close(c[i]);
    }
    listener_close(l);
}

TEST(stream, reset_by_the_peer_is_an_error_once_the_data_is_gone)
{
    char buf[16];
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    setsockopt(conn_fd(a), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    EXPECT_EQ_INT(conn_close(a), 0);
    EXPECT_EQ_INT(conn_read(b, buf, sizeof buf), -ECONNRESET);
    conn_close(b);
}

TEST(stream, a_waiting_reader_learns_of_a_reset)
{
    ssize_t got = 0;
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    go_waitgroup over = {0};
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    setsockopt(conn_fd(a), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    wg_add(&over, 1);
    go(read_once, b, &got, &over);
    wait_for_io_waiters(1);
    EXPECT_EQ_INT(conn_close(a), 0);
    wg_wait(&over);
    EXPECT_EQ_INT(got, -ECONNRESET);
    conn_close(b);
}

TEST(stream, writing_to_who_has_gone_is_an_error_and_no_signal)
{
    ssize_t n = 0;
    char byte = 'x';
    go_conn *a;
    go_conn *b;
    signal(SIGPIPE, SIG_DFL);
    pair(&a, &b);
    EXPECT_EQ_INT(conn_close(a), 0);
    while (n >= 0) { /* the first ones end in the peer's reset */
        n = conn_write(b, &byte, 1);
    }
    EXPECT(n == -EPIPE || n == -ECONNRESET);
    conn_close(b);
}

TEST(stream, nobody_listens_there)
{
    go_conn *c;
    go_listener *l = listen_here();
    char *where = strdup(listener_addr(l));
    listener_close(l);
    EXPECT_EQ_INT(go_dial(NULL, "tcp", where, &c), -ECONNREFUSED);
    EXPECT_EQ_PTR(c, NULL);
    free(where);
}

TEST(stream, wrong_addresses_are_refused)
{
    go_conn *c;
    go_listener *l;
    EXPECT_EQ_INT(go_dial(NULL, "ipx", "1.2.3.4:5", &c), -EAFNOSUPPORT);
    EXPECT_EQ_INT(go_dial(NULL, "tcp", "127.0.0.1", &c), -EINVAL);
    EXPECT_EQ_INT(go_dial(NULL, "tcp", "::1:80", &c), -EINVAL);
    EXPECT_EQ_INT(go_dial(NULL, "tcp", "127.0.0.1:70000", &c), -EINVAL);
    EXPECT_EQ_INT(go_dial(NULL, "tcp", "127.0.0.1:no-such-service", &c), -EINVAL);
    EXPECT_EQ_INT(go_dial(NULL, "tcp6", "127.0.0.1:80", &c), -EHOSTUNREACH);
    EXPECT_EQ_INT(go_listen("udp", "127.0.0.1:0", &l), -EAFNOSUPPORT);
    EXPECT_EQ_INT(go_listen("unix", "", &l), -EINVAL);
    l = listen_here();
    go_listener *again;
    EXPECT_EQ_INT(go_listen("tcp", listener_addr(l), &again), -EADDRINUSE);
    listener_close(l);
}

TEST(stream, two_writers_do_not_mix_their_bytes)
{
    enum { N = 1 << 20 };
    static char one[N];
    static char two[N];
    static char all[2 * N];
    go_waitgroup over = {0};
    go_conn *a;
    go_conn *b;
    memset(one, '1', N);
    memset(two, '2', N);
    pair(&a, &b);
    wg_go(&over, go_conn_write, a, one, (size_t)N);
    wg_go(&over, go_conn_write, a, two, (size_t)N);
    EXPECT_EQ_INT(read_all(b, all, sizeof all), (ssize_t)sizeof all);
    wg_wait(&over);
    EXPECT_EQ_MEM(all, all[0] == '1' ? one : two, N);
    EXPECT_EQ_MEM(all + N, all[0] == '1' ? two : one, N);
    conn_close(a);
    conn_close(b);
}
