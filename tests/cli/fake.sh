# SPDX-License-Identifier: MIT
# A tree that the command takes for its own, with a library of a few lines. Sourced by run.sh.
#
#   make_fake DIR   makes DIR/bin/gort, DIR/include, DIR/lib; a module `extra` as well
#   use_fake        copies it to ./fake and sets $gort

make_fake() {
    mkdir -p "$1/bin" "$1/include/gort" "$1/lib/pkgconfig" &&
    cp "$GORT_BUILD/bin/gort" "$1/bin/gort" &&
    cat >"$1/include/gort.h" <<'END' &&
#ifndef GO_H
#define GO_H
#include <gort/base.h>
#ifdef __cplusplus
extern "C" {
#endif
int go_maxprocs(int n);
int gort_test_answer(void);
#ifdef __cplusplus
}
#endif
typedef struct { int n; } go_waitgroup;
#define go_wg_go(wg, fn, ...) ((void)(wg), fn(__VA_ARGS__))
#define go_wg_wait(wg) ((void)(wg))
#endif
END
    printf '#ifndef GO_BASE_H\n#define GO_BASE_H\n#define GO_VERSION "9.8.7"\n#endif\n' \
        >"$1/include/gort/base.h" &&
    printf 'int gort_test_extra(void);\n' >"$1/include/gort/extra.h" &&
    printf 'prefix=${pcfiledir}/../..\nlibdir=${prefix}/lib\n\nName: gort\nLibs.private: -lm\n' \
        >"$1/lib/pkgconfig/gort.pc" &&
    printf 'Name: gort-extra\nLibs.private: -Wl,--defsym=gort_test_symbol=7\n' \
        >"$1/lib/pkgconfig/gort-extra.pc" &&
    make_fake_library "$1/lib" 42 &&
    printf 'int gort_test_answer(void);\n%s\n' \
        'int gort_test_extra(void) { return gort_test_answer() + 1; }' >"$1/extra.c" &&
    $CC -fPIC -c "$1/extra.c" -o "$1/extra.o" &&
    ar rcs "$1/lib/libgort-extra.a" "$1/extra.o"
}

# make_fake_library DIR ANSWER
make_fake_library() {
    printf '%s\n' "int gort_test_answer(void) { return $2; }" \
        'int go_maxprocs(int n) { (void)n; return 3; }' >"$1/answer.c" &&
    $CC -fPIC -c "$1/answer.c" -o "$1/answer.o" &&
    rm -f "$1/libgort.a" &&
    ar rcs "$1/libgort.a" "$1/answer.o" &&
    $CC -shared "$1/answer.o" -o "$1/libgort.so" -Wl,-soname,libgort.so
}

use_fake() {
    cp -r "$top/fake" fake
    gort=$PWD/fake/bin/gort
}

# A program that prints the library's answer: answer.c
answer_program() {
    cat >answer.c <<'END'
#include <gort.h>
#include <stdio.h>
int main(void)
{
    printf("%d\n", gort_test_answer());
    return 0;
}
END
}
