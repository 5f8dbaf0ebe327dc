/* SPDX-License-Identifier: MIT */
/* Goroutines, channels, select, defer and panics, in the ways that are easily reported: values not
 * used, two on one line, nested, as statements of if and for. Compiled only. */
#include <gort/short.h>

int f(int a, double b);
void g(void);
long h(const char *s, int n, void *p);

static go_local(int) key;
static go_mutex mu;

int language(chan(int) c, recv_chan(int) r, send_chan(int) s);
int language(chan(int) c, recv_chan(int) r, send_chan(int) s)
{
    int v = 0;
    bool ok = false;
    char text[] = "text";
    go_select_names(got, put, late, sent, taken);

    go(f, 1, 2);
    go(g);
    go(h, text, 1, c);
    go(h, "literal", v, (void *)0);
    go_with(GO_OPTS(.name = "x", .stack = GO_MIB), f, 1, 2);
    go_with(GO_OPTS(.name = text), g);
    for (int i = 0; i < 2; i++) {
        go(f, i, i);
    }

    defer(f, 1, 2); defer(g); defer(h, "x", 3, text); defer(g);
    guard(&mu); guard(&mu);
    with_lock(&mu) {
        with_lock(&mu) {
            v++;
        }
    }

    if (go_try((go_panic_info *)0, h, "a", 2, c)) {
        v = 1;
    }
    go_panic_info info;
    if (!go_try(&info, g)) {
        return info.message[0];
    }
    go_try(&info, f, v, v);

    chan_recv(c);
    chan_recv(r);
    chan_send(s, chan_recv(r));
    chan_send(c, 'x');
    chan_send(c, v);
    chan_try_send(c, 1);
    chan_try_recv(c, &v);
    chan_recv_ok(c, NULL);
    chan_send_until(c, 4, GO_FOREVER);
    chan_recv_until(r, &v, go_now() + GO_SEC);
    chan_ref(c);
    chan_for(x, r) {
        chan_for(y, r) {
            v += x + y;
        }
    }

    switch (chan_select(recv(got, r, &v, &ok), send(put, s, 5), after(late, GO_SEC), default)) {
    case got:
    case put:
    case late:
    default:
        break;
    }
    switch (chan_select(recv(got, r, &v), send(put, s, v + 1))) {
    case got:
        switch (chan_select(recv(taken, c), default)) {
        case taken:
        default:
            break;
        }
        break;
    case put:
        break;
    }
    if (chan_select(send(sent, s, 5), default) == sent) {
        return 4;
    }
    if (chan_select(send(sent, s, 5), default) < 0) {
        return 4;
    }
    chan_select(default);
    struct go_case cases[] = { go_case_recv(r, &v, NULL), go_case_recv(r, NULL, &ok),
                               go_case_send(s, &v), go_case_after(GO_MS), go_case_default() };
    go_select_cases(cases, 5);

    go_blocking {
        v = 3;
    }
    *go_local_get(key) = 5;
    go_do(v, c) {
        chan_send(c, v);
    };
    go_do(v, c) { chan_send(c, v); }; go_do(c) { chan_recv(c); };
    go_do() { go_yield(); };
    go_do(v, c) {
        int w = v;
        go_do(c, w) {
            go_do() { go_yield(); };
            go_do(c, w) { chan_send(c, w); };
        };
    };
    errno = 0;
    return errno + v;
}

/* Static functions are compiled last, when everything else is there already. */
static void late(chan(int) c)
{
    go_do(c) {
        chan_send(c, 1);
    };
}

void early(chan(int) c);
void early(chan(int) c)
{
    defer(chan_close, c);
    go_do(c) {
        chan_send(c, 2);
    };
    late(c);
}
