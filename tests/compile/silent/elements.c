/* SPDX-License-Identifier: MIT */
/* Elements that are nothing, and elements with qualifiers: every operation. Compiled only. */
#include <gort/short.h>

__extension__ typedef struct {
} nothing;
__extension__ struct none {
    int of[0];
};
struct pair {
    int a, b;
};

int elements_of_no_size(chan(nothing) c, recv_chan(nothing) r, send_chan(nothing) s,
                        chan(struct none) e, go_ctx *ctx);
int elements_of_no_size(chan(nothing) c, recv_chan(nothing) r, send_chan(nothing) s,
                        chan(struct none) e, go_ctx *ctx)
{
    go_select_names(got, into, both, put, other, late);
    nothing n = chan_recv(c);
    struct none z = chan_recv(e);
    bool ok = false;
    int sum = 0;

    chan_recv(r);
    (void)chan_recv(r);
    chan_send(s, n);
    chan_send(e, z);
    chan_send(c, {});
    chan_send(c, chan_recv(r));
    chan_recv_ok(c, &n);
    chan_recv_ok(r, NULL);
    chan_try_send(s, n);
    chan_try_recv(c, &n);
    sum += chan_send_until(c, n, go_now() + GO_SEC) + chan_recv_until(r, &n, GO_FOREVER);
    sum += chan_send_ctx(ctx, c, n) + chan_recv_ctx(ctx, e, &z);
    chan_for(v, r) {
        chan_send(s, v);
    }
    chan_for(v, c) {
        sum++;
    }
    switch (chan_select(recv(got, c), recv(into, r, &n), recv(both, e, &z, &ok), send(put, s, n),
                        send(other, e, z), after(late, GO_SEC), default)) {
    case got:
    case into:
    case both:
    case put:
    case other:
    case late:
    default:
        break;
    }
    struct go_case cases[] = { go_case_recv(r, &n, &ok), go_case_send(s, &n) };
    sum += go_select_cases(cases, 2);
    go_do(c, n) {
        chan_send(c, n);
        chan_send(c, {});
    };
    chan(nothing) made = chan_make(nothing);
    chan(struct none) room = chan_make(struct none, 3);
    chan(nothing) kept = chan_ref(made);
    sum += (int)(chan_len(room) + chan_cap(room));
    chan_close(made);
    chan_free(kept);
    chan_free(made);
    chan_free(room);
    return sum + ok;
}

int qualified_elements(chan(const int) c, recv_chan(volatile int) r, send_chan(const int) s,
                       chan(const struct pair) p);
int qualified_elements(chan(const int) c, recv_chan(volatile int) r, send_chan(const int) s,
                       chan(const struct pair) p)
{
    struct waiter {
        chan(const struct waiter) reply;
        chan(const volatile long) figures;
    } w = { chan_make(const struct waiter), chan_make(const volatile long, 4) };
    go_select_names(got, into, put);
    int v = chan_recv(c) + chan_recv(r);
    struct pair q = chan_recv(p);

    chan_recv(c);
    chan_send(s, v);
    chan_send(c, 1);
    chan_send(p, q);
    chan_send(p, { 1, 2 });
    chan_send(w.figures, v);
    chan_send(w.reply, w);
    chan_recv_ok(c, &v);
    chan_try_recv(r, &v);
    chan_try_send(s, 2);
    chan_for(x, r) {
        x += v;
        v += x;
    }
    chan_for(y, p) {
        y.a += y.b;
        v += y.a;
    }
    switch (chan_select(recv(got, p, &q), recv(into, r, &v), send(put, s, v))) {
    case got:
    case into:
    case put:
        break;
    }
    recv_chan(const int) narrow = c;
    v += chan_recv(narrow);
    go_do(c, r) {
        chan_send(c, chan_recv(r));
    };
    chan_free(w.figures);
    chan_free(w.reply);
    return v + q.a;
}
