# SPDX-License-Identifier: MIT
# gort run and gort build: the program's status and signals, compilers and flags, layouts.
# Sourced by run.sh.

test_exit_status_is_the_programs() {
    use_fake
    printf '#include <stdlib.h>\nint main(int c, char **v) { return c > 1 ? atoi(v[1]) : 9; }\n' \
        >status.c
    for wanted in 0 1 2 7 255; do
        run "$gort" run status.c -- $wanted
        want_status $wanted
        want_err ""
    done
    run "$gort" run status.c
    want_status 9
}

test_arguments_and_stdin_reach_the_program() {
    use_fake
    cat >args.c <<'END'
#include <stdio.h>
int main(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        printf("[%s]", argv[i]);
    }
    for (int c = getchar(); c != EOF; c = getchar()) {
        putchar(c);
    }
    return 0;
}
END
    for again in 1 2; do
        echo input >in.txt
        run "$gort" run args.c -- "a b" "" -O3 -- "*" <in.txt
        want_status 0
        want_out "[args][a b][][-O3][--][*]input"
    done
}

test_death_by_signal_is_the_programs_own() {
    use_fake
    printf '#include <signal.h>\n#include <stdlib.h>\n%s\n' \
        'int main(int c, char **v) { (void)c; raise(atoi(v[1])); return 0; }' >die.c
    run "$gort" run die.c -- 15
    want_status 143
    run "$gort" run die.c -- 9
    want_status 137
    run "$gort" run die.c -- 6
    want_status 134
    # A shell prints what it prints for any program of its own.
    run bash -c "'$gort' run die.c -- 11; echo then \$?"
    want_out "then 139"
    want_err_has "Segmentation fault"
}

test_signals_reach_the_program_which_has_the_commands_process_id() {
    use_fake
    mkfifo ready
    cat >signals.c <<'END'
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static volatile sig_atomic_t got;
static void on(int sig) { got = sig; }
int main(void)
{
    sigset_t none, watched;
    struct sigaction sa = {.sa_handler = on};
    sigemptyset(&none);
    sigemptyset(&watched);
    int list[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1};
    for (int i = 0; i < 5; i++) {
        sigaddset(&watched, list[i]);
        sigaction(list[i], &sa, NULL);
    }
    sigprocmask(SIG_BLOCK, &watched, NULL);
    dprintf(open("ready", O_WRONLY), "%d\n", getpid());
    while (got == 0) {
        sigsuspend(&none);
    }
    printf("signal %d\n", got);
    return 0;
}
END
    "$gort" build -o warm signals.c
    for sig in INT TERM QUIT HUP USR1; do
        # bash starts background commands with SIGINT and SIGQUIT ignored; handlers change that.
        "$gort" run signals.c >out.txt &
        child=$!
        read -r pid <ready
        [ "$pid" = "$child" ] || complain "the program is $pid, the command was $child"
        kill -$sig $child
        wait $child
        [ "$(cat out.txt)" = "signal $(kill -l $sig)" ] || complain "$sig: $(cat out.txt)"
    done
}

test_descriptors_and_signal_mask_are_as_without_the_command() {
    use_fake
    cat >state.c <<'END'
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    int open = 0;
    sigset_t mask;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d) != NULL) {
        open++;
    }
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int i = 1; i < 32; i++) {
        struct sigaction sa;
        sigaction(i, NULL, &sa);
        printf("%d%d", sigismember(&mask, i), sa.sa_handler == SIG_DFL);
    }
    printf(" %d\n", open);
    return 0;
}
END
    $CC state.c -o state
    want=$(./state)
    for again in 1 2; do
        run "$gort" run state.c
        want_out "$want"
    done
}

test_compile_errors_come_as_the_compiler_printed_them_with_status_1() {
    use_fake
    printf 'int main(void) { return missing; }\n' >bad.c
    printf 'int other(void) { return "text" * 2; }\n' >worse.c
    for source in bad worse; do
        $CC -std=gnu17 -O2 -g -Wall -c $source.c -o /dev/null 2>>direct.txt || true
    done
    run "$gort" run bad.c worse.c
    want_status 1
    want_out ""
    want_err "$(cat direct.txt)"
    want_no_builds_left
    run "$gort" build bad.c
    want_status 1
    [ ! -e bad ]
}

test_compile_errors_keep_their_colours_on_a_terminal() {
    use_fake
    need_program script
    printf 'int main(void) { return missing; }\n' >bad.c
    printf '%s\n' "$CC -c bad.c -o /dev/null" >direct.sh
    printf '%s\n' "'$gort' run bad.c" >by-gort.sh
    export TERM=xterm
    script -qec "sh direct.sh" /dev/null </dev/null >direct.txt || true
    script -qec "sh by-gort.sh" /dev/null </dev/null >by-gort.txt || true
    grep -q $'\033' direct.txt || skip "$CC does not colour here"
    cmp direct.txt by-gort.txt
}

test_link_errors_have_status_1() {
    use_fake
    printf 'int missing(void);\nint main(void) { return missing(); }\n' >nolink.c
    run "$gort" run nolink.c
    want_status 1
    want_err_has "missing"
    want_no_builds_left
}

test_warnings_are_shown_and_the_program_runs() {
    use_fake
    printf 'int main(void) { int unused; return 3; }\n' >warn.c
    run "$gort" run warn.c
    want_status 3
    want_err_has "unused"
    run "$gort" run -w -a warn.c
    want_status 3
    want_err ""
}

test_flags_unasked_are_those_promised() {
    use_fake
    answer_program
    run "$gort" run -v answer.c
    for flag in -std=gnu17 -O2 -g -Wall -fno-omit-frame-pointer -pthread -rdynamic; do
        want_err_has " $flag "
    done
    cp answer.c answer.cc
    run "$gort" run -v answer.cc
    want_err_has " -std=gnu++17 "
}

test_flags_and_environment_override_the_defaults() {
    use_fake
    cat >flags.c <<'END'
#include <stdio.h>
#ifndef A
#define A 0
#endif
#ifndef B
#define B 0
#endif
#ifdef __OPTIMIZE__
#define LEVEL 1
#else
#define LEVEL 0
#endif
int main(void)
{
    printf("%ld %d %d %d\n", __STDC_VERSION__, LEVEL, A, B);
    return 0;
}
END
    run "$gort" run flags.c
    want_out "201710 1 0 0"
    run "$gort" run -O0 flags.c
    want_out "201710 0 0 0"
    run "$gort" run -O 0 -DA=1 -D B=2 flags.c
    want_out "201710 0 1 2"
    run "$gort" run -std=gnu11 flags.c
    want_out "201112 1 0 0"
    run env CFLAGS="-O0 -DA='3' -std=c11" CPPFLAGS=-DB=4 "$gort" run flags.c
    want_out "201112 0 3 4"
    run env CFLAGS="-O0" "$gort" run -O2 flags.c
    want_out "201710 1 0 0"
    cp flags.c flags.cc
    sed -i 's/__STDC_VERSION__/__cplusplus/' flags.cc
    run env CXXFLAGS=-DA=5 CFLAGS=-DA=6 "$gort" run flags.cc
    want_out "201703 1 5 0"
    printf 'extern char symbol;\n#include <stdio.h>\n%s\n' \
        'int main(void) { printf("%d\n", (int)(long)&symbol); return 0; }' >link.c
    run env LDFLAGS=-Wl,--defsym=symbol=0x2a "$gort" run -no-pie -fno-pie link.c
    want_out "42"
}

test_own_header_and_library_directories_work() {
    use_fake
    mkdir -p inc lib
    echo '#define NUMBER 11' >inc/number.h
    echo 'int twice(int n) { return 2 * n; }' >twice.c
    $CC -c twice.c && ar rcs lib/libtwice.a twice.o
    printf '#include <number.h>\n#include <stdio.h>\nint twice(int);\n%s\n' \
        'int main(void) { printf("%d\n", twice(NUMBER)); return 0; }' >own.c
    run "$gort" run -I inc own.c -L lib -ltwice
    want_out "22"
    run "$gort" run -Iinc own.c twice.o
    want_out "22"
    run "$gort" run -Iinc own.c lib/libtwice.a
    want_out "22"
}

test_c_cxx_and_assembler_link_together() {
    use_fake
    printf 'int from_asm(void);\n#include <gort.h>\n%s\n' \
        'int part(void) { return from_asm() + gort_test_answer(); }' >part.c
    printf '#define ANSWER 7\n.text\n.globl from_asm\n%s\n' 'from_asm:' >asm.S
    case $(uname -m) in
    x86_64) printf 'mov $ANSWER, %%eax\nret\n' >>asm.S ;;
    aarch64) printf 'mov w0, #ANSWER\nret\n' >>asm.S ;;
    *) skip "no assembler text for $(uname -m)" ;;
    esac
    printf '.section .note.GNU-stack,"",%%progbits\n' >>asm.S
    printf '#include <string>\nstd::string word() { return "sum"; }\n' >one.cpp
    printf '#include <iostream>\n#include <string>\nextern "C" int part(void);\n%s\n%s\n' \
        'std::string word();' \
        'int main() { std::cout << word() << " " << part() << std::endl; }' >two.cxx
    run "$gort" run two.cxx part.c asm.S one.cpp
    want_status 0
    want_err ""
    want_out "sum 49"
}

test_clang_gets_blocks_and_gcc_does_not() {
    use_fake
    need_program clang gcc
    answer_program
    run env CC=clang "$gort" run -v answer.c
    want_status 0
    want_err_has " -fblocks "
    run env CC=clang "$gort" env --cflags
    want_out_has "-fblocks"
    run env CC=gcc "$gort" run -v answer.c
    want_status 0
    want_err_lacks "-fblocks"
    run env CC=clang CXX= "$gort" env
    want_out_has "CXX=clang++"
    run env CC=gcc CXX= "$gort" env
    want_out_has "CXX=g++"
}

test_large_frames_are_probed() {
    use_fake
    need_flag -fstack-clash-protection
    answer_program
    run "$gort" run -v answer.c
    want_status 0
    want_err_has " -fstack-clash-protection "
    run "$gort" env --cflags
    want_out_has "-fstack-clash-protection"
}

test_compiler_of_several_words_works() {
    use_fake
    answer_program
    run env CC="env LC_ALL=C $CC" "$gort" run answer.c
    want_status 0
    want_out 42
}

test_missing_compiler_is_named() {
    use_fake
    answer_program
    run env CC=no-such-cc "$gort" run answer.c
    want_status 1
    want_err "gort run: CC=no-such-cc: there is no such program in PATH"
    mkdir empty
    run env -u CC PATH="$PWD/empty" "$gort" run answer.c
    want_status 1
    want_err_has "apt-get install gcc"
}

test_compiler_that_dies_of_a_signal_is_told() {
    use_fake
    answer_program
    printf '#!/bin/sh\n[ "$1" = --version ] && exec %s "$@"\nkill -SEGV $$\n' "$CC" >dying
    chmod +x dying
    run env CC="$PWD/dying" "$gort" run answer.c
    want_status 1
    want_err_has "ended by signal 11"
}

test_build_puts_the_program_where_it_is_told() {
    use_fake
    answer_program
    mkdir dir
    "$gort" build answer.c
    [ "$(./answer)" = 42 ]
    "$gort" build -o other answer.c
    [ "$(./other)" = 42 ]
    "$gort" build answer.c -oglued
    [ "$(./glued)" = 42 ]
    "$gort" build -o dir answer.c
    [ "$(dir/answer)" = 42 ]
    run "$gort" run -o kept answer.c
    want_out 42
    [ "$(./kept)" = 42 ]
    run "$gort" build -o /nowhere/x answer.c
    want_status 1
    want_err_has "cannot write /nowhere/x"
    mkfifo pipe
    run "$gort" build -o pipe answer.c
    want_status 1
    [ -p pipe ]
    run "$gort" build -o /dev/null answer.c
    want_status 0
    [ -c /dev/null ]
}

test_static_by_default_and_dynamic_when_asked() {
    use_fake
    need_program ldd
    answer_program
    "$gort" build -o static answer.c
    "$gort" build -dynamic -o dynamic answer.c
    if ldd static | grep -q libgort; then
        complain "static needs libgort.so"
    fi
    ldd dynamic | grep -q "libgort.so => $PWD/fake/lib/libgort.so"
    [ "$(./static)" = 42 ]
    [ "$(./dynamic)" = 42 ]
    rm fake/lib/libgort.a
    run "$gort" run answer.c
    want_out 42
}

test_tree_may_be_moved_and_have_blanks_in_its_name() {
    use_fake
    answer_program
    mkdir "a place"
    mv fake "a place/it's"
    run "a place/it's/bin/gort" run answer.c
    want_out 42
    ln -s "$PWD/a place/it's/bin/gort" link
    run ./link run answer.c
    want_out 42
    eval "$CC $("a place/it's/bin/gort" env --cflags) answer.c \
          $("a place/it's/bin/gort" env --libs --static) -o by-hand"
    [ "$(./by-hand)" = 42 ]
    mkdir "src dir"
    mv answer.c "src dir/an answer.c"
    run ./link run "src dir/an answer.c"
    want_out 42
}

test_libraries_are_found_in_multiarch_and_lib64() {
    use_fake
    answer_program
    for place in lib64 "lib/$(uname -m)-linux-gnu"; do
        mkdir -p "fake/$place"
        mv fake/lib/libgort.a "fake/$place/"
        mkdir hidden
        mv fake/lib/libgort.so hidden/
        run "$gort" run answer.c
        want_out 42
        mv "fake/$place/libgort.a" hidden/libgort.so fake/lib/
        rmdir hidden
    done
}

test_incomplete_installation_is_told() {
    use_fake
    answer_program
    rm fake/lib/libgort.a fake/lib/libgort.so
    run "$gort" run answer.c
    want_status 1
    want_err_has "there is no libgort.a or libgort.so in $PWD/fake/lib"
    rm fake/include/gort.h
    run "$gort" build answer.c
    want_status 1
    want_err_has "there is no gort.h in $PWD/fake/include"
}

test_module_is_linked_because_its_header_is_included() {
    use_fake
    printf '#include "mine.h"\n#include <stdio.h>\nextern char gort_test_symbol;\n%s\n%s\n' \
        'int main(void) { printf("%d %d\n", gort_test_extra(),' \
        '(int)(long)&gort_test_symbol); return 0; }' >module.c
    printf '#include <gort.h>\n#include <gort/extra.h>\n' >mine.h
    run "$gort" run -no-pie -fno-pie module.c
    want_out "43 7"
    answer_program
    run "$gort" run -v answer.c
    want_err_lacks "libgort-extra"
    # A header of the user's with the same name is not the module's.
    mkdir -p gort
    printf '#define MINE 1\n' >gort/extra.h
    printf '#include "gort/extra.h"\nint main(void) { return MINE; }\n' >user.c
    run "$gort" run -v user.c
    want_status 1
    want_err_lacks "libgort-extra"
}

test_flags_of_the_library_come_from_its_pkg_config_file() {
    use_fake
    answer_program
    sed -i "s|^Libs.private:.*|Libs.private: /gone/libm.a -Wl,--defsym=x=1 \${libdir}/f.o|" \
        fake/lib/pkgconfig/gort.pc
    echo 'int unused_but_linked;' >f.c
    $CC -c f.c -o fake/lib/f.o
    run "$gort" run -v answer.c
    want_out 42
    # An archive that is gone is looked for by its name.
    want_err_has " -lm -Wl,--defsym=x=1 "
    want_err_has "/lib/f.o"
}

test_env_gives_what_a_compiler_needs() {
    use_fake
    answer_program
    $CC $("$gort" env --cflags) answer.c $("$gort" env --libs) -o shared
    [ "$(./shared)" = 42 ]
    $CC $("$gort" env --cflags) answer.c $("$gort" env --libs --static) -o archive
    [ "$(./archive)" = 42 ]
    $CC answer.c $("$gort" env --cflags --libs) -o both
    [ "$(./both)" = 42 ]
    run "$gort" env
    want_out_has "GORT_VERSION=9.8.7"
    want_out_has "GORT_PREFIX=$PWD/fake"
    want_out_has "GORT_CACHE=$PWD/cache/gort"
    run "$gort" env --static
    want_status 2
}
