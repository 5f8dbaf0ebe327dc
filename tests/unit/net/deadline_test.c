/* SPDX-License-Identifier: MIT */
/* deadline_test.c: deadlines of reading, writing and accepting. */
#include "net_test.h"
#include <gort/short.h>

static void read_into(go_conn *c, ssize_t *result, go_waitgroup *over)
{
    char buf[64];
    *result = conn_read(c, buf, sizeof buf);
    wg_done(over);
}

TEST(deadline, ends_a_read_and_not_before)
{
    char buf[8];
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    go_time t = go_now() + 5 * GO_MS;
    EXPECT_EQ_INT(conn_set_read_deadline(a, t), 0);
    EXPECT_EQ_INT(conn_read(a, buf, sizeof buf), -ETIMEDOUT);
    EXPECT_INT(go_now(), >=, t);
    EXPECT_EQ_INT(conn_read(a, buf, sizeof buf), -ETIMEDOUT);
    EXPECT_EQ_INT(conn_write(a, "x", 1), 1); /* writing has its own */
    conn_close(a);
    conn_close(b);
}

TEST(deadline, in_the_past_fails_at_once_also_when_there_is_data)
{
    char buf[8];
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    EXPECT_EQ_INT(conn_write(b, "data", 4), 4);
    EXPECT_EQ_INT(conn_set_deadline(a, go_now() - GO_SEC), 0);
    EXPECT_EQ_INT(conn_read(a, buf, sizeof buf), -ETIMEDOUT);
    EXPECT_EQ_INT(conn_write(a, "x", 1), -ETIMEDOUT);
    EXPECT_EQ_INT(conn_set_deadline(a, GO_FOREVER), 0);
    EXPECT_EQ_INT(conn_read(a, buf, sizeof buf), 4);
    EXPECT_EQ_INT(conn_write(a, "x", 1), 1);
    conn_close(a);
    conn_close(b);
}

/* A call that waits when a deadline is set, so far from now, ends by it. */
static void ends_by_deadline(go_duration from_now)
{
    ssize_t got = 0;
    go_waitgroup over = {0};
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    wg_add(&over, 1);
    go(read_into, a, &got, &over);
    wait_for_io_waiters(1);
    EXPECT_EQ_INT(conn_set_deadline(a, go_now() + from_now), 0);
    wg_wait(&over);
    EXPECT_EQ_INT(got, -ETIMEDOUT);
    conn_close(a);
    conn_close(b);
}

TEST(deadline, in_the_past_wakes_who_waits) { ends_by_deadline(-GO_SEC); }

TEST(deadline, set_while_a_call_waits_ends_it) { ends_by_deadline(3 * GO_MS); }

/* Sets a deadline and, before it has passed, another. False: it had passed by then. */
static bool set_two(go_conn *c, go_time then)
{
    go_time soon = go_now() + 5 * GO_MS;
    EXPECT_EQ_INT(conn_set_deadline(c, soon), 0);
    EXPECT_EQ_INT(conn_set_deadline(c, then), 0);
    return go_now() < soon;
}

/* False: a deadline was not moved in time, and may have ended the call. */
static bool is_not_ended(void)
{
    ssize_t got = 0;
    go_waitgroup over = {0};
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    (void)set_two(a, go_now() + GO_HOUR); /* nobody waits yet whom it could end */
    wg_add(&over, 1);
    go(read_into, a, &got, &over);
    go_sleep(15 * GO_MS); /* past the first deadline: nothing must happen */
    EXPECT_EQ_INT(got, 0);
    bool in_time = set_two(a, GO_FOREVER);
    if (in_time) {
        go_sleep(15 * GO_MS);
        EXPECT_EQ_INT(got, 0);
    }
    EXPECT_EQ_INT(conn_write(b, "x", 1), 1);
    wg_wait(&over);
    EXPECT(got == 1 || (!in_time && got == -ETIMEDOUT));
    conn_close(a);
    conn_close(b);
    return in_time;
}

TEST(deadline, moved_back_or_cleared_does_not_end_it)
{
    while (!is_not_ended()) { /* ends: or the test's time does */
    }
}

TEST(deadline, moved_forward_ends_it_sooner)
{
    char buf[8];
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    EXPECT_EQ_INT(conn_set_deadline(a, go_now() + GO_HOUR), 0);
    EXPECT_EQ_INT(conn_set_deadline(a, go_now() + 3 * GO_MS), 0);
    EXPECT_EQ_INT(conn_read(a, buf, sizeof buf), -ETIMEDOUT);
    conn_close(a);
    conn_close(b);
}

TEST(deadline, a_peer_that_never_reads_does_not_hold_a_writer)
{
    size_t n = 32 << 20;
    char *much = calloc(1, n);
    go_conn *a;
    go_conn *b;
    pair(&a, &b);
    EXPECT_EQ_INT(conn_set_write_deadline(a, go_now() + 10 * GO_MS), 0);
    EXPECT_EQ_INT(conn_write(a, much, n), -ETIMEDOUT);
    conn_close(a);
    conn_close(b);
    free(much);
}

TEST(deadline, of_a_listener_ends_accept)
{
    go_conn *c;
    go_listener *l = listen_here();
    EXPECT_EQ_INT(go_listener_set_deadline(l, go_now() + 3 * GO_MS), 0);
    EXPECT_EQ_INT(go_accept(l, &c), -ETIMEDOUT);
    EXPECT_EQ_PTR(c, NULL);
    EXPECT_EQ_INT(go_listener_set_deadline(l, GO_FOREVER), 0);
    go_conn *d;
    EXPECT_EQ_INT(go_dial(NULL, "tcp", listener_addr(l), &d), 0);
    EXPECT_EQ_INT(go_accept(l, &c), 0);
    conn_close(c);
    conn_close(d);
    listener_close(l);
}

static void wiggle(go_conn *c, go_waitgroup *over)
{
    for (int i = 0; i < 300; i++) {
        (void)conn_set_deadline(c, i % 3 == 0 ? GO_FOREVER : go_now() + (i % 7) * 20 * GO_US);
        go_yield();
    }
    wg_done(over);
}

static void read_until_closed(go_conn *c, go_waitgroup *over)
{
    char buf[8];
    ssize_t r;
    do {
        r = conn_read(c, buf, sizeof buf);
    } while (r == -ETIMEDOUT);
    EXPECT_EQ_INT(r, -ECANCELED);
    wg_done(over);
}

TEST(deadline, may_be_set_by_several_while_several_wait_and_one_closes)
{
    for (int round = 0; round < (int)test_iterations(20); round++) {
        go_waitgroup set = {0};
        go_waitgroup over = {0};
        go_conn *a;
        go_conn *b;
        pair(&a, &b);
        wg_add(&set, 3);
        wg_add(&over, 3);
        for (int i = 0; i < 3; i++) {
            go(wiggle, a, &set);
            go(read_until_closed, a, &over);
        }
        wg_wait(&set);
        EXPECT_EQ_INT(conn_set_deadline(a, GO_FOREVER), 0);
        wait_for_io_waiters(3); /* in the middle of their last call: no new one after the close */
        conn_close(a);
        wg_wait(&over);
        conn_close(b);
    }
}
