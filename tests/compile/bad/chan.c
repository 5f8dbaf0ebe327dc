/* SPDX-License-Identifier: MIT */
/* Misuse of channels. Format of the cases: ../run.sh. */
#include <gort/short.h>

struct point {
    int x, y;
};

void misuse(chan(int) c, recv_chan(int) r, send_chan(int) s, chan(struct point) p);
void misuse(chan(int) c, recv_chan(int) r, send_chan(int) s, chan(struct point) p)
{
    int v = 0;
    const char *text = "";
    double d = 0;
    (void)v, (void)text, (void)d, (void)c, (void)r, (void)s, (void)p;
#ifdef CASE_send_wrong_element_type
    /* gcc: makes integer from pointer */
    /* clang: incompatible pointer to integer */
    /* g++: invalid conversion from 'const char\*' to '(goi::elem<int>|int)' */
    /* clang++: no matching function for call to 'cxx_chan_send' */
    chan_send(c, text);
#endif
#ifdef CASE_send_number_for_struct
    /* gcc: invalid initializer */
    /* clang: initializing .*'struct point'\)? with an expression of incompatible type 'int' */
    /* g++: invalid initialization of .* from expression of type 'int' */
    /* clang++: no matching function for call to 'cxx_chan_send' */
    chan_send(p, 5);
#endif
#ifdef CASE_send_struct_for_number
    /* gcc: incompatible types when initializing type 'int' using type 'struct point' */
    /* clang: initializing .*'int'\)? with an expression of incompatible type 'struct point' */
    /* g++: invalid initialization of .* from expression of type 'point' */
    /* clang++: no matching function for call to 'cxx_chan_send' */
    struct point pt = { 1, 2 };
    chan_send(c, pt);
#endif
#ifdef CASE_send_on_receive_only
    /* gcc: send to receive-only channel r */
    /* clang: send to receive-only channel r */
    /* g++: no matching function for call to 'cxx_chan_send|invalid conversion */
    /* clang++: no matching function for call to 'cxx_chan_send' */
    chan_send(r, 1);
#endif
#ifdef CASE_try_send_on_receive_only
    /* gcc: send to receive-only channel r */
    /* clang: send to receive-only channel r */
    /* g++: no matching function for call to 'cxx_chan_try_send|invalid conversion */
    /* clang++: no matching function for call to 'cxx_chan_try_send' */
    v = chan_try_send(r, 1);
#endif
#ifdef CASE_receive_from_send_only
    /* gcc: receive from send-only channel s */
    /* clang: receive from send-only channel s */
    /* g++: no matching function for call to 'cxx_chan_recv|invalid conversion */
    /* clang++: no matching function for call to 'cxx_chan_recv' */
    v = chan_recv(s);
#endif
#ifdef CASE_receive_from_send_only_of_constants
    /* gcc: receive from send-only channel q */
    /* clang: receive from send-only channel q */
    /* g++: no matching function for call to 'cxx_chan_recv|invalid conversion */
    /* clang++: no matching function for call to 'cxx_chan_recv' */
    send_chan(const int) q = NULL;
    v = chan_recv(q);
#endif
#ifdef CASE_range_over_send_only
    /* gcc: receive from send-only channel s\b */
    /* clang: receive from send-only channel s\b */
    /* g++: no matching function for call to 'cxx_chan_recv_ok|invalid conversion */
    /* clang++: no matching function for call to 'cxx_chan_recv_ok' */
    chan_for(x, s) {
        v += x;
    }
#endif
#ifdef CASE_close_receive_only
    /* gcc: close of receive-only channel r */
    /* clang: close of receive-only channel r */
    /* g++: no matching function for call to 'cxx_chan_close|invalid conversion */
    /* clang++: no matching function for call to 'cxx_chan_close' */
    chan_close(r);
#endif
#ifdef CASE_receive_only_as_bidirectional
    /* gcc: discards 'volatile' qualifier */
    /* clang: discards qualifiers */
    /* g++: invalid conversion from .*volatile */
    /* clang++: cannot initialize a variable of type */
    chan(int) both = r;
    (void)both;
#endif
#ifdef CASE_send_only_as_bidirectional
    /* gcc: discards 'const' qualifier */
    /* clang: discards qualifiers */
    /* g++: invalid conversion from .*const */
    /* clang++: cannot initialize a variable of type */
    chan(int) both = s;
    (void)both;
#endif
#ifdef CASE_send_only_as_receive_only
    /* gcc: discards 'const' qualifier */
    /* clang: discards qualifiers */
    /* g++: invalid conversion from .*const */
    /* clang++: cannot initialize a variable of type */
    recv_chan(int) other = s;
    (void)other;
#endif
#ifdef CASE_receive_into_wrong_type
    /* gcc: cannot receive from c into &d: the element type differs */
    /* clang: cannot receive from c into &d: the element type differs */
    /* g++: cannot convert 'double\*' to */
    /* clang++: no matching function for call to 'cxx_chan_recv_ok' */
    while (chan_recv_ok(c, &d)) {
    }
#endif
#ifdef CASE_receive_value_of_wrong_type
    /* gcc: makes pointer from integer */
    /* clang: incompatible integer to pointer conversion */
    /* g++: invalid conversion from 'int' to 'const char\*' */
    /* clang++: assigning to 'const char \*' from (incompatible type )?'int' */
    text = chan_recv(c);
#endif
#ifdef CASE_make_of_another_type
    /* gcc: incompatible pointer type */
    /* clang: incompatible pointer types */
    /* g++: invalid conversion from 'int .* to 'double */
    /* clang++: cannot initialize a variable of type */
    chan(double) z = chan_make(int, 3);
    (void)z;
#endif
#ifdef CASE_send_on_something_else
    /* gcc: invalid type argument of unary */
    /* clang: indirection requires pointer operand */
    /* g++: no matching function for call to 'cxx_chan_send|invalid conversion|cannot convert */
    /* clang++: no matching function for call to 'cxx_chan_send' */
    chan_send(v, 1);
#endif
#ifdef CASE_signals_need_int
    /* gcc: signals need a channel of int */
    /* clang: signals need a channel of int */
    /* g++: invalid conversion from 'point .* to 'int */
    /* clang++: of type 'int .*\(aka 'point */
    v = go_signal_notify(p, 2);
#endif
}
