/* SPDX-License-Identifier: MIT */
/* What belongs to a thread, across a call that may park. */
#include <gort/short.h>

struct scratch {
    int used;
    char buf[64];
};
static _Thread_local int count;
static _Thread_local struct scratch scratch;
static __thread char line[80];

static int next(chan(int) c) { return chan_recv(c); }
static void work(int *n) { (*n)++; }

static int address_kept(chan(int) c)
{
    int *p = &count;
    *p += 1;
    chan_send(c, *p);
    return *p; // want "p has the address of thread-local count from before goi_chan_send"
}

static int part_kept(chan(int) c)
{
    struct scratch *s = &scratch;
    char *b;
    b = scratch.buf;
    s->used = 1;
    next(c);
    s->used = 0; // want "s has the address of thread-local scratch from before next"
    return *b;   // want "b has the address of thread-local scratch"
}

static void written_back(chan(int) c)
{
    int old = count;
    next(c);
    count = old + 1; // want "thread-local count was read before next"
}

static void at_once(chan(int) c)
{
    count += chan_recv(c);       // want "count is read and written around a call that may park"
    count = count + next(c);     // want "count is read and written"
    chan_recv_ok(c, &count);     // want "count's address is given to a call that may park"
}

static void given_away(go_conn *conn)
{
    go(work, &count); // want "the address of thread-local count goes to another goroutine"
    if (go_conn_read(conn, line, sizeof line) < 0) { // want "line's address is given"
        return;
    }
}

static void in_a_loop(chan(int) c)
{
    int *p = &count;
    for (int i = 0; i < 3; i++) {
        *p += i; // want "p has the address"
        go_yield();
    }
    (void)c;
}

int main(void)
{
    chan(int) c = chan_make(int, 9);
    written_back(c);
    at_once(c);
    given_away(NULL);
    in_a_loop(c);
    return address_kept(c) + part_kept(c);
}
