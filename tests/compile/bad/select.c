/* SPDX-License-Identifier: MIT */
/* Misuse of chan_select. Format of the cases: ../run.sh. */
#include <gort/short.h>

void misuse(chan(int) c, recv_chan(int) r, send_chan(int) s);
void misuse(chan(int) c, recv_chan(int) r, send_chan(int) s)
{
    int v = 0;
    const char *text = "";
    double d = 0;
    (void)v, (void)text, (void)d, (void)c, (void)r, (void)s;
    go_select_names(a, b, late);
#ifdef CASE_missing_case
    /* flags: -Werror=switch */
    /* gcc: enumeration value 'late' not handled in switch */
    /* clang: enumeration value 'late' not handled in switch */
    switch (chan_select(recv(a, c, &v), send(b, s, 1), after(late, GO_SEC))) {
    case a:
        break;
    case b:
        break;
    }
#endif
#ifdef CASE_missing_case_without_an_option
    /* flags: -Wno-switch */
    /* clang: enumeration value 'late' not handled in switch */
    switch (chan_select(recv(a, c, &v), send(b, s, 1), after(late, GO_SEC))) {
    case a:
        break;
    case b:
        break;
    }
#endif
#ifdef CASE_missing_default
    /* flags: -Werror=switch */
    /* gcc: enumeration value 'go_default_[0-9]*' not handled in switch */
    /* clang: enumeration value 'go_default_[0-9]*' not handled in switch */
    switch (chan_select(recv(a, c, &v), default)) {
    case a:
        break;
    }
#endif
#ifdef CASE_unknown_case
    /* flags: -Werror=switch */
    /* gcc: 'other' undeclared */
    /* clang: use of undeclared identifier 'other' */
    /* g++: 'other' was not declared in this scope */
    /* clang++: use of undeclared identifier 'other' */
    switch (chan_select(recv(a, c, &v))) {
    case a:
    case other:
        break;
    }
#endif
#ifdef CASE_name_used_twice
    /* gcc: redeclaration of enumerator 'a' */
    /* clang: redefinition of enumerator 'a' */
    switch (chan_select(recv(a, c, &v), send(a, s, 1))) {
    case a:
        break;
    }
#endif
#ifdef CASE_receive_into_wrong_type
    /* gcc: cannot receive from c into &d: the element type differs */
    /* clang: cannot receive from c into &d: the element type differs */
    /* g++: cannot convert 'double\*' to */
    /* clang++: no matching function for call to 'case_recv' */
    switch (chan_select(recv(a, c, &d))) {
    case a:
        break;
    }
#endif
#ifdef CASE_send_wrong_element_type
    /* gcc: makes integer from pointer */
    /* clang: incompatible pointer to integer */
    /* g++: invalid conversion from 'const char\*' to '(goi::elem<int>|int)' */
    /* clang++: no matching function for call to 'case_send' */
    switch (chan_select(send(a, s, text))) {
    case a:
        break;
    }
#endif
#ifdef CASE_send_on_receive_only
    /* gcc: send to receive-only channel r */
    /* clang: send to receive-only channel r */
    /* g++: no matching function for call to 'case_send|invalid conversion */
    /* clang++: no matching function for call to 'case_send' */
    switch (chan_select(send(a, r, 1))) {
    case a:
        break;
    }
#endif
#ifdef CASE_receive_from_send_only
    /* gcc: receive from send-only channel s */
    /* clang: receive from send-only channel s */
    /* g++: no matching function for call to 'case_recv|invalid conversion */
    /* clang++: no matching function for call to 'case_recv' */
    switch (chan_select(recv(a, s))) {
    case a:
        break;
    }
#endif
#ifdef CASE_run_time_case_of_wrong_type
    /* gcc: cannot send &d to s: the element type differs */
    /* clang: cannot send &d to s: the element type differs */
    /* g++: cannot convert 'double\*' to */
    /* clang++: no matching function for call to 'case_send_from' */
    struct go_case k = go_case_send(s, &d);
    (void)k;
#endif
#ifdef CASE_word_that_is_none
    /* gcc: neither recv, send, after nor default: get\(a, c, &v\) */
    /* clang: neither recv, send, after nor default: get\(a, c, &v\) */
    /* g++: GOI_CASE_get */
    /* clang++: GOI_CASE_get */
    switch (chan_select(get(a, c, &v))) {
    case a:
        break;
    }
#endif
#ifdef CASE_name_left_out
    /* gcc: &v in the place of the channel; write recv\(name, channel */
    /* clang: &v in the place of the channel; write recv\(name, channel */
    /* g++: no matching function for call to 'case_recv|invalid conversion|cannot convert */
    /* clang++: no matching function for call to 'case_recv' */
    switch (chan_select(recv(c, &v))) {
    case 0:
        break;
    }
#endif
}
