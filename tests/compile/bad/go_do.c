/* SPDX-License-Identifier: MIT */
/* Variables that an anonymous goroutine does not list. Format of the cases: ../run.sh. */
#include <gort/short.h>

int main(void);
void twice(int x, chan(int) c);
void twice(int x, chan(int) c)
{
    int y = x * 2;
    (void)y;
#ifdef CASE_unlisted_capture
    /* flags: -O2 */
    /* link */
    /* gcc: nested function 'c_go_do_uses_a_variable_that_it_does_not_list_[0-9]+' */
    /* clang: undefined (reference|symbol).*go_do_uses_a_variable_that_it_does_not_list */
    /* g++: 'y' is not captured */
    /* clang++: variable 'y' cannot be implicitly captured */
    go_do(c) {
        chan_send(c, y);
    };
#endif
#ifdef CASE_unlisted_channel
    /* flags: -O2 */
    /* link */
    /* gcc: nested function 'y_go_do_uses_a_variable_that_it_does_not_list_[0-9]+' */
    /* clang: undefined (reference|symbol).*go_do_uses_a_variable_that_it_does_not_list */
    /* g++: 'c' is not captured */
    /* clang++: variable 'c' cannot be implicitly captured */
    go_do(y) {
        chan_send(c, y);
    };
#endif
#ifdef CASE_unlisted_in_a_go_do_within
    /* flags: -O2 */
    /* link */
    /* gcc: nested function 'c_go_do_uses_a_variable_that_it_does_not_list_[0-9]+' */
    /* clang: undefined (reference|symbol).*go_do_uses_a_variable_that_it_does_not_list */
    /* g++: 'z' is not captured */
    /* clang++: variable 'z' cannot be implicitly captured */
    go_do(c) {
        int z = 1;
        go_do(c) {
            chan_send(c, z);
        };
    };
#endif
#ifdef CASE_unlisted_where_nothing_is_listed
    /* flags: -O2 */
    /* how: -I */
    /* link */
    /* gcc: nested function 'this_go_do_uses_a_variable_that_it_does_not_list_[0-9]+' */
    /* clang: undefined (reference|symbol).*go_do_uses_a_variable_that_it_does_not_list */
    /* g++: 'c' is not captured */
    /* clang++: variable 'c' cannot be implicitly captured */
    go_do() {
        chan_send(c, 1);
    };
#endif
    (void)c;
}

int main(void)
{
    twice(1, chan_make(int, 1));
    return 0;
}
