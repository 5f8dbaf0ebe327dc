# SPDX-License-Identifier: MIT
# What is compiled again and what is not, and that the cache stays whole, small and private.
# Sourced by run.sh.

test_unchanged_program_is_not_compiled_again() {
    use_fake
    answer_program
    counting_compiler
    run "$gort" run answer.c
    want_out 42
    want_calls 1
    run "$gort" run -v answer.c
    want_out 42
    want_calls 1
    want_err_has "gort run: unchanged: "
    # Neither a new date nor arguments make another program, and build finds what run has built.
    touch answer.c
    run "$gort" run answer.c -- argument
    want_calls 1
    run "$gort" build -o here answer.c
    want_calls 1
    run "$gort" run -a answer.c
    want_out 42
    want_calls 2
}

test_changed_source_is_compiled_and_the_old_one_is_still_known() {
    use_fake
    counting_compiler
    echo 'int main(void) { return 1; }' >x.c
    run "$gort" run x.c
    want_status 1
    echo 'int main(void) { return 2; }' >x.c
    run "$gort" run x.c
    want_status 2
    want_calls 2
    echo 'int main(void) { return 1; }' >x.c
    run "$gort" run x.c
    want_status 1
    want_calls 2
}

test_changed_header_is_noticed_however_it_came_in() {
    use_fake
    counting_compiler
    mkdir inc
    echo '#include "inner.h"' >outer.h
    echo '#include <deep.h>' >inner.h
    echo '#define DEEP 1' >inc/deep.h
    printf '#include "outer.h"\nint main(void) { return DEEP; }\n' >x.c
    run "$gort" run -I inc x.c
    want_status 1
    echo '#define DEEP 2' >inc/deep.h
    run "$gort" run -I inc x.c
    want_status 2
    run "$gort" run -I inc x.c
    want_status 2
    want_calls 2
    # The library's own headers count like any other.
    echo '#include <gort.h>' >>outer.h
    run "$gort" run -I inc x.c
    want_calls 3
    echo '#define GO_EXTRA 1' >>fake/include/gort/base.h
    run "$gort" run -I inc x.c
    want_calls 4
    rm inc/deep.h
    run "$gort" run -I inc x.c
    want_status 1
    want_err_has "deep.h"
}

test_new_header_that_hides_another_is_noticed() {
    use_fake
    mkdir first second
    echo '#define WHICH 2' >second/which.h
    printf '#include <which.h>\nint main(void) { return WHICH; }\n' >x.c
    run "$gort" run -Ifirst -I second x.c
    want_status 2
    echo '#define WHICH 1' >first/which.h
    run "$gort" run -Ifirst -I second x.c
    want_status 1
}

test_flags_environment_and_compiler_make_another_program() {
    use_fake
    answer_program
    counting_compiler
    run "$gort" run answer.c
    want_calls 1
    run "$gort" run -O1 answer.c
    want_calls 2
    run "$gort" run -DX answer.c
    want_calls 3
    run env CFLAGS=-DY "$gort" run answer.c
    want_calls 4
    run env LDFLAGS=-Wl,-O1 "$gort" run answer.c
    want_calls 5
    run env CPATH="$PWD/fake" "$gort" run answer.c
    want_calls 6
    echo '# another version' >>count-cc
    run "$gort" run answer.c
    want_calls 7
    mkdir elsewhere
    cp answer.c elsewhere/
    (cd elsewhere && run "$gort" run answer.c)
    want_calls 8
    # All of them are known now.
    run "$gort" run -DX answer.c
    run env CFLAGS=-DY "$gort" run answer.c
    want_calls 10
    run "$gort" run -DX answer.c
    run env CFLAGS=-DY "$gort" run answer.c
    want_calls 10
}

test_changed_library_is_linked_again() {
    use_fake
    answer_program
    run "$gort" run answer.c
    want_out 42
    make_fake_library fake/lib 43
    run "$gort" run answer.c
    want_out 43
    # A library of the user's, found by -l.
    echo 'int mine(void) { return 5; }' >mine.c
    $CC -c mine.c && ar rcs libmine.a mine.o
    printf 'int mine(void);\nint main(void) { return mine(); }\n' >user.c
    run "$gort" run user.c -L. -lmine
    want_status 5
    echo 'int mine(void) { return 6; }' >mine.c
    $CC -c mine.c && ar rcs libmine.a mine.o
    run "$gort" run user.c -L. -lmine
    want_status 6
}

test_source_that_changes_while_it_compiles_is_not_mistaken_later() {
    use_fake
    cat >sly-cc <<END
#!/bin/sh
$CC "\$@" || exit
case " \$* " in *" -c "*) [ -f next.c ] && cp next.c x.c ;; esac
exit 0
END
    chmod +x sly-cc
    echo 'int main(void) { return 1; }' >x.c
    echo 'int main(void) { return 2; }' >next.c
    run env CC="$PWD/sly-cc" "$gort" run x.c
    want_status 1
    # The cache must not hold the first program under the second text.
    rm next.c
    run env CC="$PWD/sly-cc" "$gort" run x.c
    want_status 2
}

test_edit_right_before_a_run_is_found_by_the_next_one() {
    use_fake
    counting_compiler
    for n in 1 2 3 4 5; do
        echo "int main(void) { return $n; }" >x.c
        run "$gort" run x.c
        want_status $n
        run "$gort" run x.c
        want_status $n
        want_calls $n
    done
}

test_runs_side_by_side_all_see_their_own_program() {
    use_fake
    answer_program
    echo 'int main(void) { return 3; }' >three.c
    pids=
    for n in 1 2 3 4 5 6 7 8; do
        "$gort" run answer.c >out.$n 2>err.$n &
        pids="$pids $!"
        "$gort" run -a answer.c >again.$n 2>>err.$n &
        pids="$pids $!"
    done
    for pid in $pids; do
        wait "$pid" || { cat err.*; complain "a run failed"; }
    done
    for n in 1 2 3 4 5 6 7 8; do
        [ "$(cat out.$n)" = 42 ] || { cat err.$n; complain "run $n"; }
        [ "$(cat again.$n)" = 42 ] || { cat err.$n; complain "run -a $n"; }
        [ ! -s err.$n ] || { cat err.$n; complain "run $n said something"; }
    done
    want_no_builds_left
    [ "$(find cache/gort/p -name answer | wc -l)" = 1 ] || complain "more than one program"
}

test_cleaning_beside_runs_breaks_none() {
    use_fake
    answer_program
    counting_compiler
    cleaners=
    for n in 1 2; do
        (
            while [ ! -e stop ]; do
                "$gort" clean >/dev/null
            done
        ) &
        cleaners="$cleaners $!"
    done
    # They would make the directory anew that is removed after a failure.
    trap ': >stop; wait $cleaners' EXIT
    for n in 1 2 3 4 5 6 7 8 9 10; do
        : >calls
        run "$gort" run answer.c
        want_status 0
        want_out 42
        [ "$(wc -l <calls)" -le 1 ] || complain "it was built more than once"
    done
}

test_program_under_valgrind_is_not_removed() {
    use_fake
    answer_program
    mkfifo begun go
    mkdir tools
    cat >tools/valgrind <<END
#!/bin/sh
echo begun >"$PWD/begun"
read -r word <"$PWD/go"
exec "\$@"
END
    chmod +x tools/valgrind
    PATH=$PWD/tools:$PATH "$gort" run -valgrind answer.c >answer.txt &
    child=$!
    read -r word <begun
    run "$gort" clean
    want_out_has "0 programs removed"
    echo go >go
    wait $child
    [ "$(cat answer.txt)" = 42 ]
    run "$gort" clean
    want_out_has "1 programs removed"
}

test_remains_of_a_killed_clean_do_no_harm() {
    use_fake
    answer_program
    run "$gort" run answer.c
    want_out 42
    program=$(find cache/gort/p -name answer)
    rm "$program"
    run "$gort" run answer.c
    want_out 42
    [ -x "$program" ]
    rm "$program"
    run "$gort" clean
    want_status 0
    [ ! -e "$(dirname "$program")" ]
}

test_cache_is_trimmed_oldest_first_and_emptied_by_clean() {
    use_fake
    for n in 1 2 3; do
        echo "int main(void) { return $n; }" >p$n.c
        "$gort" run p$n.c || [ $? = $n ]
    done
    # Dates decide, so they are set rather than waited for: p1 was used last.
    for n in 1 2 3; do
        touch -d "2020-01-0$((4 - n))" "$(dirname "$(find cache/gort/p -name p$n)")"
    done
    size=$(stat -c '%b' "$(find cache/gort/p -name p1)")
    run "$gort" clean -keep $((size * 512))
    want_status 0
    want_out_has "1 programs left"
    [ -n "$(find cache/gort/p -name p1)" ]
    [ -z "$(find cache/gort/p -name p2)" ]
    [ -z "$(find cache/gort/p -name p3)" ]
    run "$gort" run p2.c
    want_status 2
    run "$gort" clean
    want_status 0
    want_out_has "2 programs removed"
    [ -z "$(find cache/gort/p cache/gort/m cache/gort/n -type f)" ]
    run "$gort" run p2.c
    want_status 2
    run "$gort" clean -keep 2G
    want_out_has "1 programs left"
    for size in many 1T -1 9999999999G; do
        run "$gort" clean -keep $size
        want_status 2
    done
}

test_use_makes_a_program_young() {
    use_fake
    echo 'int main(void) { return 1; }' >x.c
    run "$gort" run x.c
    dir=$(dirname "$(find cache/gort/p -name x)")
    touch -d 2020-01-01 "$dir"
    run "$gort" run x.c
    [ "$(date -r "$dir" +%Y)" != 2020 ] || complain "the date was left"
}

# A compiler that says it has begun and then stays: its process id comes through ./begun.
slow_compiler() {
    mkfifo begun
    cat >slow-cc <<END
#!/bin/sh
[ "\$1" = --version ] && exec $CC "\$@"
echo \$\$ >"$PWD/begun"
exec sleep 1000
END
    chmod +x slow-cc
    export CC=$PWD/slow-cc
}

test_signal_during_compilation_ends_compiler_and_command_and_leaves_nothing() {
    use_fake
    answer_program
    slow_compiler
    for sig in TERM HUP; do
        "$gort" run answer.c &
        child=$!
        read -r compiler <begun
        kill -$sig $child
        status=0
        wait $child || status=$?
        want_status $((128 + $(kill -l $sig)))
        if kill -0 "$compiler" 2>/dev/null; then
            complain "the compiler lives"
        fi
        want_no_builds_left
    done
    # SIGINT and SIGQUIT are ignored in bash's background jobs; python3 has no such habit.
    need_program python3
    for sig in 2 3; do
        python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL); signal.signal(signal.SIGQUIT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$gort" run answer.c &
        child=$!
        read -r compiler <begun
        kill -$sig $child
        status=0
        wait $child || status=$?
        want_status $((128 + sig))
        want_no_builds_left
    done
}

test_ignored_signal_stays_ignored_during_compilation() {
    use_fake
    mkfifo begun go
    answer_program
    cat >waiting-cc <<END
#!/bin/sh
case " \$* " in *" -c "*) echo begun >"$PWD/begun"; read -r word <"$PWD/go" ;; esac
exec $CC "\$@"
END
    chmod +x waiting-cc
    (
        trap '' HUP
        exec env CC="$PWD/waiting-cc" "$gort" run answer.c >answer.txt
    ) &
    child=$!
    read -r word <begun
    kill -HUP $child
    echo go >go
    wait $child
    [ "$(cat answer.txt)" = 42 ]
}

test_remains_of_a_killed_build_are_removed_later() {
    use_fake
    answer_program
    fast=$CC
    slow_compiler
    "$gort" run answer.c &
    child=$!
    read -r compiler <begun
    kill -KILL $child
    wait $child || true
    kill "$compiler"
    left=$(find cache/gort -maxdepth 1 -name 't.*')
    [ -n "$left" ] || complain "nothing was left"
    export CC=$fast
    run "$gort" run answer.c
    want_out 42
    want_no_builds_left
}

test_build_under_way_is_not_removed_by_others() {
    use_fake
    mkfifo begun go
    answer_program
    cat >waiting-cc <<END
#!/bin/sh
case " \$* " in *" -c "*) echo begun >"$PWD/begun"; read -r word <"$PWD/go" ;; esac
exec $CC "\$@"
END
    chmod +x waiting-cc
    CC=$PWD/waiting-cc "$gort" run answer.c >answer.txt &
    child=$!
    read -r word <begun
    run "$gort" clean
    want_status 0
    echo go >go
    wait $child
    [ "$(cat answer.txt)" = 42 ]
}

test_programs_are_private() {
    use_fake
    answer_program
    umask 000
    run "$gort" run answer.c
    want_out 42
    [ "$(stat -c %a cache/gort)" = 700 ] || complain "the cache has mode $(stat -c %a cache/gort)"
}

# Where it looks, by what gort env says; nothing is built.
cache_is() {
    run "$gort" env
    want_out_has "GORT_CACHE=$1"
}

test_cache_is_where_the_environment_says_and_never_in_anothers_hands() {
    use_fake
    fallback=/tmp/gort-$(id -u)
    [ -e "$fallback" ] && was_there=1 || was_there=
    mkdir home
    export HOME=$PWD/home
    cache_is "$PWD/cache/gort"
    XDG_CACHE_HOME=relative cache_is "$PWD/home/.cache/gort"
    unset XDG_CACHE_HOME
    cache_is "$PWD/home/.cache/gort"
    chmod 777 home/.cache/gort
    cache_is "$fallback"
    chmod 700 home/.cache/gort
    cache_is "$PWD/home/.cache/gort"
    if [ "$(id -u)" = 0 ]; then
        chown 65534 home/.cache/gort
        cache_is "$fallback"
    fi
    HOME=$PWD/no-such-home cache_is "$fallback"
    [ ! -e no-such-home ]
    XDG_CACHE_HOME=/dev/null cache_is "$fallback"
    [ -n "$was_there" ] || rm -rf "$fallback"
}

test_place_that_forbids_execution_is_told() {
    use_fake
    answer_program
    [ "$(id -u)" = 0 ] && need_program unshare
    mkdir cache
    unshare -m mount -t tmpfs -o noexec none cache 2>/dev/null || skip "cannot mount here"
    run unshare -m sh -c "mount -t tmpfs -o noexec none cache && '$gort' run answer.c"
    want_status 1
    want_err_has "if its file system is mounted noexec, let XDG_CACHE_HOME name another"
}

test_without_a_place_for_programs_it_says_so() {
    use_fake
    answer_program
    [ "$(id -u)" = 0 ] || skip "needs root, to prepare /tmp for another user"
    need_program setpriv
    prepared=/tmp/gort-4711
    [ ! -e "$prepared" ] || skip "$prepared exists"
    mkdir "$prepared"
    chmod 755 "$top" .
    run setpriv --reuid 4711 --clear-groups env -u XDG_CACHE_HOME HOME=/nowhere \
        "$gort" run answer.c
    rmdir "$prepared"
    want_status 1
    want_err_has "$prepared belongs to another user"
    want_err_has "XDG_CACHE_HOME may name one"
}
