/* SPDX-License-Identifier: MIT */
/* Channels. */
#include "races.h"

SILENT(chan, sync, "chan_test.go TestNoRaceChanSync")
{
    chan(int) c = chan_make(int);
    go_do(v, c) {
        v->x = 1;
        chan_send(c, 0);
    };
    (void)chan_recv(c);
    v->x = 2;
}

SILENT(chan, sync_reverse, "chan_test.go TestNoRaceChanSyncRev")
{
    chan(int) c = chan_make(int);
    go_do(v, c) {
        chan_send(c, 0);
        v->x = 2;
    };
    v->x = 1;
    (void)chan_recv(c);
}

SILENT(chan, async, "chan_test.go TestNoRaceChanAsync")
{
    chan(int) c = chan_make(int, 10);
    go_do(v, c) {
        v->x = 1;
        chan_send(c, 0);
    };
    (void)chan_recv(c);
    v->x = 2;
}

RACE(chan, async_reverse, "chan_test.go TestRaceChanAsyncRev")
{
    chan(int) c = chan_make(int, 10);
    go_do(v, c) {
        chan_send(c, 0);
        v->x = 1;
    };
    v->x = 2;
    (void)chan_recv(c);
}

static void receive_then_write(chan(int) c, struct vars *v)
{
    go_defer(try_close, c); /* closed already: what follows the panic is ordered as well */
    (void)chan_recv(c);
    v->x = 2;
}

static void close_after_write(struct vars *v, chan(int) c)
{
    go_do(v, c) {
        v->x = 1;
        chan_close(c);
    };
}

SILENT(chan, async_close_recv, "chan_test.go TestNoRaceChanAsyncCloseRecv")
{
    chan(int) c = chan_make(int, 10);
    close_after_write(v, c);
    (void)go_try(NULL, receive_then_write, c, v);
}

SILENT(chan, async_close_recv_ok, "chan_test.go TestNoRaceChanAsyncCloseRecv2")
{
    chan(int) c = chan_make(int, 10);
    close_after_write(v, c);
    (void)chan_recv_ok(c, NULL);
    v->x = 2;
}

SILENT(chan, async_close_range, "chan_test.go TestNoRaceChanAsyncCloseRecv3")
{
    chan(int) c = chan_make(int, 10);
    close_after_write(v, c);
    chan_for(n, c) {
        (void)n;
    }
    v->x = 2;
}

SILENT(chan, sync_close_recv, "chan_test.go TestNoRaceChanSyncCloseRecv")
{
    chan(int) c = chan_make(int);
    close_after_write(v, c);
    (void)go_try(NULL, receive_then_write, c, v);
}

SILENT(chan, sync_close_recv_ok, "chan_test.go TestNoRaceChanSyncCloseRecv2")
{
    chan(int) c = chan_make(int);
    close_after_write(v, c);
    (void)chan_recv_ok(c, NULL);
    v->x = 2;
}

SILENT(chan, sync_close_range, "chan_test.go TestNoRaceChanSyncCloseRecv3")
{
    chan(int) c = chan_make(int);
    close_after_write(v, c);
    chan_for(n, c) {
        (void)n;
    }
    v->x = 2;
}

RACE_ELSEWHERE(chan, sync_close_send, "chan_test.go TestRaceChanSyncCloseSend")
{
    chan(int) c = chan_make(int);
    close_after_write(v, c);
    (void)caught_send(c, 0);
    v->x = 2;
}

RACE_ELSEWHERE(chan, async_close_send, "chan_test.go TestRaceChanAsyncCloseSend")
{
    chan(int) c = chan_make(int, 10);
    close_after_write(v, c);
    while (caught_send(c, 0)) {
    }
    v->x = 2;
}

/* The second close panics; that orders it after the first as little as anything. */
RACE(chan, close_close, "chan_test.go TestRaceChanCloseClose")
{
    chan(int) c = chan_make(int);
    chan(int) ready = chan_make(int, 2);
    go_do(v, c, ready) {
        v->v1 = 1;
        if (!go_try(NULL, try_close, c)) {
            v->v2 = 2;
        }
        chan_send(ready, 1);
    };
    go_do(v, c, ready) {
        v->v2 = 1;
        if (!go_try(NULL, try_close, c)) {
            v->v1 = 2;
        }
        chan_send(ready, 1);
    };
    (void)chan_recv(ready);
    (void)chan_recv(ready);
}

RACE(chan, send_len, "chan_test.go TestRaceChanSendLen")
{
    chan(int) c = chan_make(int, 10);
    go_do(v, c) {
        v->x = 1;
        chan_send(c, 1);
    };
    while (chan_len(c) == 0) {
        go_yield();
    }
    v->x = 2;
}

RACE(chan, recv_len, "chan_test.go TestRaceChanRecvLen")
{
    chan(int) c = chan_make(int, 10);
    chan_send(c, 1);
    go_do(v, c) {
        v->x = 1;
        (void)chan_recv(c);
    };
    while (chan_len(c) != 0) {
        go_yield();
    }
    v->x = 2;
}

RACE(chan, send_send, "chan_test.go TestRaceChanSendSend")
{
    chan(int) c = chan_make(int, 1);
    chan(int) ready = chan_make(int, 2);
    go_do(v, c, ready) {
        v->v1 = 1;
        if (!chan_try_send(c, 1)) {
            v->v2 = 2;
        }
        chan_send(ready, 1);
    };
    go_do(v, c, ready) {
        v->v2 = 1;
        if (!chan_try_send(c, 1)) {
            v->v1 = 2;
        }
        chan_send(ready, 1);
    };
    (void)chan_recv(ready);
    (void)chan_recv(ready);
}

SILENT(chan, pointer, "chan_test.go TestNoRaceChanPtr")
{
    chan(struct vars *) c = chan_make(struct vars *);
    go_do(c, v) {
        v->x = 1;
        chan_send(c, v);
    };
    struct vars *got = chan_recv(c);
    got->x = 2;
}

/* Two senders; the receive of one value is not ordered after the other's send. */
RACE(chan, wrong_send, "chan_test.go TestRaceChanWrongSend")
{
    chan(int) c = chan_make(int, 2);
    go_do(v, c) {
        v->v1 = 1;
        chan_send(c, 1);
        pass();
    };
    go_do(v, c) {
        v->v2 = 2;
        chan_send(c, 2);
        pass();
    };
    await(2);
    if (chan_recv(c) == 1) {
        v->v2 = 3;
    } else {
        v->v1 = 3;
    }
}

RACE_AND_ELSEWHERE(chan, wrong_close, "chan_test.go TestRaceChanWrongClose")
{
    chan(int) c = chan_make(int, 1);
    chan(int) done = chan_make(int);
    go_do(v, c, done) {
        v->v1 = 1;
        (void)caught_send(c, 1);
        reach(1);
        chan_send(done, 1);
    };
    go_do(v, c, done) {
        await(1);
        v->v2 = 2;
        chan_close(c);
        reach(2);
        chan_send(done, 1);
    };
    await(2);
    if (chan_recv_ok(c, NULL)) {
        v->v2 = 2;
    } else {
        v->v1 = 2;
    }
    (void)chan_recv(done);
    (void)chan_recv(done);
}

/* Which of them comes first must be certain, even where all goes well. */
RACE_ELSEWHERE(chan, send_close, "chan_test.go TestRaceChanSendClose")
{
    chan(int) c = chan_make(int, 1);
    go_do(c) {
        (void)caught_send(c, 1);
        reach(1);
    };
    await(1);
    chan_close(c);
    (void)v;
}

static void select_send(chan(int) c, chan(int) c1)
{
    switch (chan_select(send(sent, c, 1), recv(got, c1, NULL))) {
    case sent:
    case got:
        break;
    }
}

RACE_ELSEWHERE(chan, send_select_close, "chan_test.go TestRaceChanSendSelectClose")
{
    chan(int) c = chan_make(int, 1);
    chan(int) c1 = chan_make(int);
    go_do(c) {
        chan_close(c);
        reach(1);
    };
    await(1);
    EXPECT(!go_try(NULL, select_send, c, c1));
    (void)v;
}

RACE(chan, select_read_write_async, "chan_test.go TestRaceSelectReadWriteAsync")
{
    chan(int) c1 = chan_make(int, 10);
    chan(int) c2 = chan_make(int, 10);
    chan(int) c3 = chan_make(int);
    chan(int) done = chan_make(int);
    chan_send(c2, 1);
    go_do(v, c1, c3, done) {
        switch (chan_select(send(one, c1, v->x), send(three, c3, 1))) {
        case one:
        case three:
            break;
        }
        chan_send(done, 1);
    };
    switch (chan_select(recv(two, c2, &v->x), send(three, c3, 1))) {
    case two:
    case three:
        break;
    }
    (void)chan_recv(done);
}

RACE(chan, select_read_write_sync, "chan_test.go TestRaceSelectReadWriteSync")
{
    chan(int) c1 = chan_make(int);
    chan(int) c2 = chan_make(int);
    chan(int) c3 = chan_make(int);
    chan(int) done = chan_make(int);
    go_do(c1) {
        (void)chan_recv(c1);
    };
    go_do(c2) {
        chan_send(c2, 1);
    };
    go_do(v, c1, c3, done) {
        switch (chan_select(send(one, c1, v->x), send(three, c3, 1))) {
        case one:
        case three:
            break;
        }
        chan_send(done, 1);
    };
    switch (chan_select(recv(two, c2, &v->x), send(three, c3, 1))) {
    case two:
    case three:
        break;
    }
    (void)chan_recv(done);
}

SILENT(chan, select_read_write_async, "chan_test.go TestNoRaceSelectReadWriteAsync")
{
    chan(int) c1 = chan_make(int);
    chan(int) c2 = chan_make(int);
    chan(int) done = chan_make(int);
    go_do(v, c1, c2, done) {
        switch (chan_select(send(one, c1, v->x), send(two, c2, 1))) {
        case one:
        case two:
            break;
        }
        chan_send(done, 1);
    };
    int got = 0;
    switch (chan_select(recv(one, c1, &v->x), recv(two, c2, &got))) {
    case one:
    case two:
        break;
    }
    (void)chan_recv(done);
}

RACE(chan, read_write_async, "chan_test.go TestRaceChanReadWriteAsync")
{
    chan(int) c1 = chan_make(int, 10);
    chan(int) c2 = chan_make(int, 10);
    chan(int) done = chan_make(int);
    chan_send(c2, 10);
    go_do(v, c1, done) {
        chan_send(c1, v->x);
        chan_send(done, 1);
    };
    v->x = chan_recv(c2);
    (void)chan_recv(done);
}

RACE(chan, read_write_sync, "chan_test.go TestRaceChanReadWriteSync")
{
    chan(int) c1 = chan_make(int);
    chan(int) c2 = chan_make(int);
    chan(int) done = chan_make(int);
    go_do(c1) {
        (void)chan_recv(c1);
    };
    go_do(c2) {
        chan_send(c2, 10);
    };
    go_do(v, c1, done) {
        chan_send(c1, v->x);
        chan_send(done, 1);
    };
    v->x = chan_recv(c2);
    (void)chan_recv(done);
}

SILENT(chan, read_write_async, "chan_test.go TestNoRaceChanReadWriteAsync")
{
    chan(int) c1 = chan_make(int, 10);
    chan(int) done = chan_make(int);
    go_do(v, c1, done) {
        chan_send(c1, v->x);
        chan_send(done, 1);
    };
    v->x = chan_recv(c1);
    (void)chan_recv(done);
}

struct task {
    int *x;
    chan(int) done;
};

SILENT(chan, producer_consumer_unbuffered, "chan_test.go TestNoRaceProducerConsumerUnbuffered")
{
    chan(struct task) queue = chan_make(struct task);
    chan(int) done = chan_make(int, 1);
    go_do(queue) {
        struct task t = chan_recv(queue);
        *t.x = 1;
        chan_send(t.done, 1);
    };
    chan_send(queue, {&v->x, done});
    (void)chan_recv(done);
    READ(v->x);
}

RACE_AND_ELSEWHERE(chan, itself_send, "chan_test.go TestRaceChanItselfSend")
{
    v->c = chan_make(int, 10);
    chan(int) ready = chan_make(int, 1);
    go_do(v, ready) {
        chan_send(v->c, 0);
        chan_send(ready, 1);
    };
    v->c = chan_make(int, 20);
    (void)chan_recv(ready);
}

RACE_AND_ELSEWHERE(chan, itself_recv, "chan_test.go TestRaceChanItselfRecv")
{
    v->c = chan_make(int, 10);
    chan_send(v->c, 1);
    go_do(v) {
        (void)chan_recv(v->c);
        reach(1);
    };
    await(1);
    v->c = chan_make(int, 20);
}

RACE(chan, itself_nil, "chan_test.go TestRaceChanItselfNil")
{
    v->c = chan_make(int, 10);
    go_do(v) {
        chan_send(v->c, 0);
        reach(1);
    };
    await(1);
    v->c = NULL;
}

RACE_AND_ELSEWHERE(chan, itself_close, "chan_test.go TestRaceChanItselfClose")
{
    v->c = chan_make(int);
    chan(int) ready = chan_make(int, 1);
    go_do(v, ready) {
        chan_close(v->c);
        chan_send(ready, 1);
    };
    v->c = chan_make(int);
    (void)chan_recv(ready);
}

RACE_AND_ELSEWHERE(chan, itself_len, "chan_test.go TestRaceChanItselfLen")
{
    v->c = chan_make(int);
    chan(int) ready = chan_make(int, 1);
    go_do(v, ready) {
        (void)chan_len(v->c);
        chan_send(ready, 1);
    };
    v->c = chan_make(int);
    (void)chan_recv(ready);
}

RACE_AND_ELSEWHERE(chan, itself_cap, "chan_test.go TestRaceChanItselfCap")
{
    v->c = chan_make(int);
    chan(int) ready = chan_make(int, 1);
    go_do(v, ready) {
        (void)chan_cap(v->c);
        chan_send(ready, 1);
    };
    v->c = chan_make(int);
    (void)chan_recv(ready);
}

SILENT(chan, close_len, "chan_test.go TestNoRaceChanCloseLen")
{
    chan(int) c = chan_make(int, 10);
    chan(int) r = chan_make(int, 10);
    go_do(c, r) {
        chan_send(r, (int)chan_len(c));
    };
    go_do(c, r) {
        chan_close(c);
        chan_send(r, 0);
    };
    (void)chan_recv(r);
    (void)chan_recv(r);
    (void)v;
}

SILENT(chan, close_cap, "chan_test.go TestNoRaceChanCloseCap")
{
    chan(int) c = chan_make(int, 10);
    chan(int) r = chan_make(int, 10);
    go_do(c, r) {
        chan_send(r, (int)chan_cap(c));
    };
    go_do(c, r) {
        chan_close(c);
        chan_send(r, 0);
    };
    (void)chan_recv(r);
    (void)chan_recv(r);
    (void)v;
}

RACE_ELSEWHERE(chan, close_send, "chan_test.go TestRaceChanCloseSend")
{
    chan(int) c = chan_make(int, 10);
    go_do(c) {
        await(1);
        chan_close(c);
    };
    chan_send(c, 0);
    reach(1);
    (void)v;
}

SILENT(chan, mutex, "chan_test.go TestNoRaceChanMutex")
{
    chan(char) mtx = chan_make(char, 1);
    chan(char) done = chan_make(char);
    go_do(v, mtx, done) {
        chan_send(mtx, 0);
        v->x = 42;
        (void)chan_recv(mtx);
        chan_send(done, 0);
    };
    chan_send(mtx, 0);
    v->x = 43;
    (void)chan_recv(mtx);
    (void)chan_recv(done);
}

static void take(chan(char) mtx, chan(int) aux)
{
    switch (chan_select(send(mine, mtx, 0), recv(never, aux, NULL))) {
    case mine:
    case never:
        break;
    }
}

static void give(chan(char) mtx, chan(int) aux)
{
    switch (chan_select(recv(mine, mtx, NULL), recv(never, aux, NULL))) {
    case mine:
    case never:
        break;
    }
}

SILENT(chan, select_mutex, "chan_test.go TestNoRaceSelectMutex")
{
    chan(char) mtx = chan_make(char, 1);
    chan(int) aux = chan_make(int);
    chan(char) done = chan_make(char);
    go_do(v, mtx, aux, done) {
        take(mtx, aux);
        v->x = 42;
        give(mtx, aux);
        chan_send(done, 0);
    };
    take(mtx, aux);
    v->x = 43;
    give(mtx, aux);
    (void)chan_recv(done);
}

/* Two may be in: the mutex above with one place too many. */
RACE(chan, semaphore, "chan_test.go TestRaceChanSem")
{
    chan(char) mtx = chan_make(char, 2);
    chan(char) done = chan_make(char);
    go_do(v, mtx, done) {
        chan_send(mtx, 1);
        v->x = 42;
        (void)chan_recv(mtx);
        chan_send(done, 0);
    };
    chan_send(mtx, 1);
    v->x = 43;
    (void)chan_recv(mtx);
    (void)chan_recv(done);
}

SILENT(chan, wait_group, "chan_test.go TestNoRaceChanWaitGroup")
{
    enum { N = 10 };
    chan(char) group = chan_make(char, N / 2);
    for (int i = 0; i < N; i++) {
        chan_send(group, 1);
        go_do(v, group, i) {
            v->data[i] = 42;
            (void)chan_recv(group);
        };
    }
    for (size_t i = 0; i < chan_cap(group); i++) {
        chan_send(group, 1);
    }
    for (int i = 0; i < N; i++) {
        READ(v->data[i]);
    }
}

SILENT(chan, blocked_send, "chan_test.go TestNoRaceBlockedSendSync")
{
    chan(struct vars *) c = chan_make(struct vars *, 1);
    chan_send(c, NULL);
    go_do(v, c) {
        v->x = 42;
        reach(1);
        chan_send(c, v);
    };
    await(1);
    (void)chan_recv(c);
    struct vars *p = chan_recv(c);
    EXPECT_EQ_INT(p->x, 42);
}

SILENT(chan, blocked_select_send, "chan_test.go TestNoRaceBlockedSelectSendSync")
{
    chan(struct vars *) c = chan_make(struct vars *, 1);
    chan(int) never = chan_make(int);
    struct vars *p = NULL;
    chan_send(c, NULL);
    go_do(v, c) {
        v->x = 42;
        reach(1);
        chan_send(c, v);
    };
    await(1);
    (void)chan_recv(c);
    switch (chan_select(recv(got, c, &p), recv(lost, never, NULL))) {
    case got:
        EXPECT_EQ_INT(p->x, 42);
        break;
    case lost:
        break;
    }
}

SILENT(chan, close_is_before_the_read, "chan_test.go TestNoRaceCloseHappensBeforeRead")
{
    for (int i = 0; i < 10; i++) {
        struct vars *each = &v[0];
        chan(char) written = chan_make(char);
        chan(char) read = chan_make(char);
        chan(char) over = chan_make(char);
        int *x = &each->data[i];
        go_do(written, read, x) {
            if (!chan_try_recv(written, NULL) && chan_len(written) == 0) {
                switch (chan_select(recv(closed, written, NULL), default)) {
                case closed:
                    READ(*x);
                    break;
                default:
                    break;
                }
            }
            chan_close(read);
        };
        go_do(written, over, x) {
            *x = 1;
            chan_close(written);
            chan_close(over);
        };
        (void)chan_recv(read);
        (void)chan_recv(over);
    }
}

SILENT(chan, elements_without_size, "chan_test.go TestNoRaceElemSize0")
{
    struct nothing {};
    chan(struct nothing) c = chan_make(struct nothing, 2);
    chan_send(c, {});
    chan_send(c, {});
    go_do(v, c) {
        v->x += 1;
        (void)chan_recv_ok(c, NULL);
        pass();
    };
    go_do(v, c) {
        v->y += 1;
        (void)chan_recv_ok(c, NULL);
        pass();
    };
    await(2);
    chan_send(c, {});
    chan_send(c, {});
    v->x += 1;
    v->y += 1;
}
