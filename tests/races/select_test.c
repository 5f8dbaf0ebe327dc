/* SPDX-License-Identifier: MIT */
/* Select. */
#include "races.h"

static void send_either(chan(int) c, chan(int) c1)
{
    switch (chan_select(send(one, c, 1), send(two, c1, 1))) {
    case one:
    case two:
        break;
    }
}

static void receive_either(chan(int) c, chan(int) c1)
{
    switch (chan_select(recv(one, c, NULL), recv(two, c1, NULL))) {
    case one:
    case two:
        break;
    }
}

SILENT(select, send_before_receive, "select_test.go TestNoRaceSelect1")
{
    chan(int) c = chan_make(int);
    chan(int) c1 = chan_make(int);
    chan(int) ready = chan_make(int);
    go_do(v, c, c1, ready) {
        v->x = 1;
        send_either(c, c1);
        chan_send(ready, 1);
    };
    switch (chan_select(recv(one, c, NULL), recv(two, c1, NULL))) {
    case one:
    case two:
        break;
    }
    v->x = 2;
    (void)chan_recv(ready);
}

SILENT(select, close_before_receive, "select_test.go TestNoRaceSelect2")
{
    chan(int) c = chan_make(int);
    chan(int) c1 = chan_make(int);
    chan(int) ready = chan_make(int);
    go_do(v, c, c1, ready) {
        receive_either(c, c1);
        v->x = 1;
        chan_send(ready, 1);
    };
    v->x = 2;
    chan_close(c);
    go_yield();
    (void)chan_recv(ready);
}

SILENT(select, buffered_send_before_receive, "select_test.go TestNoRaceSelect3")
{
    chan(int) c = chan_make(int, 10);
    chan(int) c1 = chan_make(int);
    chan(int) ready = chan_make(int);
    go_do(v, c, c1, ready) {
        v->x = 1;
        switch (chan_select(send(one, c, 1), recv(two, c1, NULL))) {
        case one:
        case two:
            break;
        }
        chan_send(ready, 1);
    };
    (void)chan_recv(c);
    v->x = 2;
    (void)chan_recv(ready);
}

struct task {
    int *x;
    chan(int) done;
};

SILENT(select, worker, "select_test.go TestNoRaceSelect4")
{
    chan(struct task) queue = chan_make(struct task);
    chan(int) dummy = chan_make(int);
    chan(int) done = chan_make(int, 1);
    go_do(queue) {
        struct task t;
        while (chan_recv_ok(queue, &t)) {
            *t.x = 1;
            chan_send(t.done, 1);
        }
    };
    struct task t = {&v->x, done};
    switch (chan_select(send(sent, queue, t), recv(never, dummy, NULL))) {
    case sent:
    case never:
        break;
    }
    receive_either(done, dummy);
    READ(v->x);
    chan_close(queue);
}

static void ping(struct vars *v, bool selects, bool late)
{
    chan(int) c = chan_make(int);
    chan(int) c1 = chan_make(int);
    chan(int) done = chan_make(int, 2);
    go_do(v, c, c1, done, selects, late) {
        if (late) {
            go_yield();
        }
        v->x = 1;
        if (selects) {
            switch (chan_select(send(one, c, 1), recv(two, c1, NULL))) {
            case one:
            case two:
                break;
            }
        } else {
            chan_send(c, 1);
        }
        chan_send(done, 1);
    };
    go_do(v, c, c1, done, selects) {
        if (selects) {
            receive_either(c, c1);
        } else {
            (void)chan_recv(c);
        }
        v->x = 1;
        chan_send(done, 1);
    };
    (void)chan_recv(done);
    (void)chan_recv(done);
}

SILENT(select, both_sides_in_any_order, "select_test.go TestNoRaceSelect5")
{
    ping(v, true, true);
    ping(v, true, false);
    ping(v, false, true);
    ping(v, false, false);
}

RACE(select, senders_are_not_ordered, "select_test.go TestRaceSelect1")
{
    chan(int) c = chan_make(int);
    chan(int) c1 = chan_make(int);
    chan(int) ready = chan_make(int, 2);
    go_do(c) {
        (void)chan_recv(c);
        (void)chan_recv(c);
    };
    for (int i = 0; i < 2; i++) {
        go_do(v, c, c1, ready) {
            send_either(c, c1);
            v->x = 1;
            chan_send(ready, 1);
        };
    }
    (void)chan_recv(ready);
    (void)chan_recv(ready);
}

RACE(select, write_before_a_receive_of_close, "select_test.go TestRaceSelect2")
{
    chan(int) c = chan_make(int);
    chan(int) c1 = chan_make(int);
    chan(int) ready = chan_make(int);
    go_do(v, c, c1, ready) {
        v->x = 1;
        receive_either(c, c1);
        chan_send(ready, 1);
    };
    chan_close(c);
    v->x = 2;
    (void)chan_recv(ready);
}

RACE(select, write_before_the_receive, "select_test.go TestRaceSelect3")
{
    chan(int) c = chan_make(int);
    chan(int) c1 = chan_make(int);
    chan(int) ready = chan_make(int);
    go_do(v, c, c1, ready) {
        v->x = 1;
        send_either(c, c1);
        chan_send(ready, 1);
    };
    v->x = 2;
    switch (chan_select(recv(got, c, NULL))) {
    case got:
        break;
    }
    (void)chan_recv(ready);
}

RACE(select, nothing_but_a_default, "select_test.go TestRaceSelect4")
{
    chan(int) done = chan_make(int, 1);
    go_do(v, done) {
        switch (chan_select(default)) {
        default:
            v->x = 2;
        }
        chan_send(done, 1);
    };
    READ(v->x);
    (void)chan_recv(done);
}

RACE(select, either_branch, "select_test.go TestRaceSelect5")
{
    chan(int) c1 = chan_make(int, 1);
    chan(int) c2 = chan_make(int);
    chan(int) done = chan_make(int, 1);
    go_do(v, c1, c2, done) {
        switch (chan_select(send(one, c1, 1), send(two, c2, 1))) {
        case one:
            v->x = 1;
            break;
        case two:
            v->y = 1;
            break;
        }
        chan_send(done, 1);
    };
    READ(v->x);
    READ(v->y);
    (void)chan_recv(done);
}
