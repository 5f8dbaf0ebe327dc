/* SPDX-License-Identifier: MIT */
/* What belongs to a thread, and is not kept for longer than that is sure. */
#include <gort/short.h>
#include <errno.h>
#include <string.h>

static _Thread_local int count;
static _Thread_local char line[80];
static go_local(int) own;

static int next(chan(int) c) { return chan_recv(c); }

static int asked_again(chan(int) c)
{
    int *p = &count;
    *p += 1;
    chan_send(c, *p);
    p = &count;
    return *p;
}

static void whole_before(chan(int) c)
{
    int *p = &count;
    int old = *p;
    *p = old + 1;
    chan_send(c, old);
}

/* A copy may be used anywhere. */
static int copied(chan(int) c)
{
    int id = count;
    next(c);
    return id;
}

static void written_only(chan(int) c)
{
    count = next(c);
    count++;
}

static void formatted(chan(int) c)
{
    memset(line, 0, sizeof line);
    if (!chan_try_send(c, line[0])) {
        line[1]++;
    }
}

static int the_goroutines_own(chan(int) c)
{
    int *p = go_local_get(own);
    next(c);
    errno = 0;
    return *p + errno;
}

static void each_round(chan(int) c)
{
    for (int i = 0; i < 3; i++) {
        int *p = &count;
        *p += i;
        next(c);
    }
}

int main(void)
{
    chan(int) c = chan_make(int, 9);
    whole_before(c);
    written_only(c);
    formatted(c);
    each_round(c);
    return asked_again(c) + copied(c) + the_goroutines_own(c);
}
