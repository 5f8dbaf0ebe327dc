/* SPDX-License-Identifier: MIT */
/* net_test.h: what the tests of sockets share. */
#ifndef TESTS_UNIT_NET_NET_TEST_H
#define TESTS_UNIT_NET_NET_TEST_H
#include "harness.h"
#include "sched/sched.h"
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>

/* Until so many goroutines are parked on descriptors. They are counted just before they park, so
 * what follows must be right in both cases, and is: that is for tests of what wakes them. */
static inline void wait_for_io_waiters(uint32_t n)
{
    while (goi_io_waiters() < n) {
        go_sleep(100 * GO_US);
    }
}

static inline go_listener *listen_here(void)
{
    go_listener *l = NULL;
    REQUIRE_EQ_INT(go_listen("tcp", "127.0.0.1:0", &l), 0);
    return l;
}

/* Two ends of a connection to l. */
static inline void dial_pair(go_listener *l, go_conn **a, go_conn **b)
{
    REQUIRE_EQ_INT(go_dial(NULL, "tcp", go_listener_addr(l), a), 0);
    REQUIRE_EQ_INT(go_accept(l, b), 0);
}

static inline void pair(go_conn **a, go_conn **b)
{
    go_listener *l = listen_here();
    dial_pair(l, a, b);
    EXPECT_EQ_INT(go_listener_close(l), 0);
}

/* n bytes, or fewer at the end of the stream, or an error. */
static inline ssize_t read_all(go_conn *c, void *buf, size_t n)
{
    size_t have = 0;
    while (have < n) {
        ssize_t got = go_conn_read(c, (char *)buf + have, n - have);
        if (got < 0) {
            return got;
        }
        if (got == 0) {
            break;
        }
        have += (size_t)got;
    }
    return (ssize_t)have;
}

#endif
