/* SPDX-License-Identifier: MIT */
/* packet_test.c: datagrams. */
#include "net_test.h"
#include <gort/short.h>
#include <unistd.h>

static go_packet *open_packet(const char *network, const char *address)
{
    go_packet *p = NULL;
    REQUIRE_EQ_INT(go_listen_packet(network, address, &p), 0);
    return p;
}

TEST(packet, arrives_whole_with_its_sender)
{
    char buf[100];
    char text[100];
    go_addr from;
    go_addrs to;
    go_packet *a = open_packet("udp", "127.0.0.1:0");
    go_packet *b = open_packet("udp4", "127.0.0.1:0");
    REQUIRE_EQ_INT(go_resolve(NULL, "udp", packet_addr(b), &to), 0);
    EXPECT_EQ_INT(packet_write_to(a, "hello", 5, &to.addr[0]), 5);
    EXPECT_EQ_INT(packet_write_to(a, "", 0, &to.addr[0]), 0);
    EXPECT_EQ_INT(packet_read_from(b, buf, sizeof buf, &from), 5);
    EXPECT_EQ_MEM(buf, "hello", 5);
    EXPECT_EQ_STR(go_addr_format(&from, text, sizeof text), packet_addr(a));
    EXPECT_EQ_INT(packet_read_from(b, buf, sizeof buf, NULL), 0);
    EXPECT_EQ_INT(packet_write_to(b, "x", 1, NULL), -EDESTADDRREQ);
    packet_close(a);
    packet_close(b);
}

TEST(packet, too_long_for_the_buffer_is_cut)
{
    char buf[4];
    go_addrs to;
    go_packet *a = open_packet("udp", "127.0.0.1:0");
    REQUIRE_EQ_INT(go_resolve(NULL, "udp", packet_addr(a), &to), 0);
    EXPECT_EQ_INT(packet_write_to(a, "hello", 5, &to.addr[0]), 5);
    EXPECT_EQ_INT(packet_write_to(a, "next", 4, &to.addr[0]), 4);
    EXPECT_EQ_INT(packet_read_from(a, buf, sizeof buf, NULL), 4);
    EXPECT_EQ_MEM(buf, "hell", 4);
    EXPECT_EQ_INT(packet_read_from(a, buf, sizeof buf, NULL), 4);
    EXPECT_EQ_MEM(buf, "next", 4);
    packet_close(a);
}

TEST(packet, sockets_of_both_families_speak_to_the_old_one)
{
    char buf[16];
    go_addr from;
    go_addrs to;
    go_packet *both;
    if (go_listen_packet("udp", ":0", &both) != 0) {
        SKIP("no udp on all addresses here");
    }
    go_packet *b = open_packet("udp4", "127.0.0.1:0");
    REQUIRE_EQ_INT(go_resolve(NULL, "udp4", packet_addr(b), &to), 0);
    EXPECT_EQ_INT(packet_write_to(both, "hi", 2, &to.addr[0]), 2);
    EXPECT_EQ_INT(packet_read_from(b, buf, sizeof buf, &from), 2);
    EXPECT_EQ_INT(packet_write_to(b, "ho!", 3, &from), 3);
    EXPECT_EQ_INT(packet_read_from(both, buf, sizeof buf, NULL), 3);
    packet_close(both);
    packet_close(b);
}

static void read_packet(go_packet *p, ssize_t *result, go_waitgroup *over)
{
    char buf[8];
    *result = packet_read_from(p, buf, sizeof buf, NULL);
    wg_done(over);
}

TEST(packet, close_and_deadline_wake_a_reader)
{
    ssize_t got = 0;
    char buf[8];
    go_waitgroup over = {0};
    go_packet *a = open_packet("udp", "127.0.0.1:0");
    EXPECT_EQ_INT(packet_set_deadline(a, go_now() + 2 * GO_MS), 0);
    EXPECT_EQ_INT(packet_read_from(a, buf, sizeof buf, NULL), -ETIMEDOUT);
    EXPECT_EQ_INT(packet_set_deadline(a, GO_FOREVER), 0);
    wg_add(&over, 1);
    go(read_packet, a, &got, &over);
    wait_for_io_waiters(1);
    packet_close(a);
    wg_wait(&over);
    EXPECT_EQ_INT(got, -ECANCELED);
}

TEST(packet, a_dialled_connection_keeps_packets_apart)
{
    char buf[100];
    go_addr from;
    go_conn *c;
    go_packet *p = open_packet("udp", "127.0.0.1:0");
    REQUIRE_EQ_INT(go_dial(NULL, "udp", packet_addr(p), &c), 0);
    EXPECT_EQ_INT(conn_write(c, "one", 3), 3);
    EXPECT_EQ_INT(conn_write(c, "three", 5), 5);
    EXPECT_EQ_INT(packet_read_from(p, buf, sizeof buf, &from), 3);
    EXPECT_EQ_INT(packet_read_from(p, buf, sizeof buf, &from), 5);
    EXPECT_EQ_INT(packet_write_to(p, "back", 4, &from), 4);
    EXPECT_EQ_INT(packet_write_to(p, "again", 5, &from), 5);
    EXPECT_EQ_INT(conn_read(c, buf, sizeof buf), 4);
    EXPECT_EQ_INT(conn_read(c, buf, sizeof buf), 5); /* a short read says nothing here */
    conn_close(c);
    packet_close(p);
}

TEST(packet, unixgram_by_path)
{
    char name[64];
    char buf[16];
    go_conn *c;
    snprintf(name, sizeof name, "/tmp/gort-test-%d.gram", (int)getpid());
    go_packet *p = open_packet("unixgram", name);
    EXPECT_EQ_STR(packet_addr(p), name);
    REQUIRE_EQ_INT(go_dial(NULL, "unixgram", name, &c), 0);
    EXPECT_EQ_INT(conn_write(c, "hello", 5), 5);
    EXPECT_EQ_INT(packet_read_from(p, buf, sizeof buf, NULL), 5);
    conn_close(c);
    packet_close(p);
    EXPECT_EQ_INT(access(name, F_OK), -1);
}
