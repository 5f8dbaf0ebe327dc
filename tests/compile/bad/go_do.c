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
    /* gcc: trampoline generated for nested function */
    /* clang: undefined (reference|symbol).*_NSConcreteStackBlock */
    /* g++: 'y' is not captured */
    /* clang++: variable 'y' cannot be implicitly captured */
    go_do(c) {
        chan_send(c, y);
    };
#endif
#ifdef CASE_unlisted_channel
    /* flags: -O2 */
    /* link */
    /* gcc: trampoline generated for nested function */
    /* clang: undefined (reference|symbol).*_NSConcreteStackBlock */
    /* g++: 'c' is not captured */
    /* clang++: variable 'c' cannot be implicitly captured */
    go_do(y) {
        chan_send(c, y);
    };
#endif
    (void)c;
}

int main(void)
{
    twice(1, chan_make(int, 1));
    return 0;
}
