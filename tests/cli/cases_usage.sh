# SPDX-License-Identifier: MIT
# Usage, help, and what becomes of bad arguments. Sourced by run.sh.

test_without_arguments_usage_goes_to_stderr_with_status_2() {
    use_fake
    run "$gort"
    want_status 2
    want_out ""
    want_err_has "usage: gort COMMAND"
}

test_help_lists_every_command_and_each_has_its_own_help() {
    use_fake
    run "$gort" help
    want_status 0
    for command in run build env doctor version knobs clean help; do
        want_out_has "  $command "
    done
    # Programs of their own are listed where they are, not where they might be.
    for command in vet dump top trace profile; do
        [ -z "$(command -v "gort-$command")" ] || continue
        want_out_lacks "  $command "
        run "$gort" help "$command"
        want_status 127
        want_err_has "this installation has no gort-$command"
        run "$gort" help
    done
    for command in $(sed -n 's/^  \([a-z]*\) .*/\1/p' out.txt); do
        run "$gort" help "$command"
        want_status 0
        want_out_has "usage: gort $command"
    done
    run "$gort" run --help
    want_status 0
    want_out_has "usage: gort run"
    run "$gort" --help
    want_status 0
    run "$gort" help nonsense
    want_status 2
    want_err_has "unknown command nonsense"
}

test_manual_page_speaks_of_every_command_and_option() {
    use_fake
    page=$GORT_SOURCE/docs/man1/gort.1
    [ -f "$page" ]
    for command in $("$gort" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
        grep -qE "^\.(It Cm|Ic|It Ic) $command" "$page" || complain "gort.1 lacks $command"
    done
    for option in $("$gort" help run | sed -nE 's/^  -([A-Za-z]+)( [A-Za-z]+)?  .*/\1/p'); do
        grep -qE "^\.It Fl $option" "$page" || complain "gort.1 lacks -$option"
    done
}

test_unknown_command_is_refused_with_status_2() {
    use_fake
    run "$gort" rnu x.c
    want_status 2
    want_err "gort: unknown command rnu (gort help lists them)"
    run "$gort" x.c
    want_status 2
    want_err_has "did you mean: gort run x.c"
}

test_bad_arguments_are_refused_with_status_2() {
    use_fake
    answer_program
    run "$gort" run
    want_status 2
    want_err "gort run: no source file given"
    run "$gort" run -rcae answer.c
    want_status 2
    want_err_has "unknown option -rcae"
    run "$gort" run answer.c input.txt
    want_status 2
    want_err_has "arguments for the program go after --"
    run "$gort" run input.txt
    want_status 2
    want_err_has "is not a source file"
    run "$gort" run -O 7 answer.c
    want_status 2
    want_err_has "the levels are"
    run "$gort" run -race -asan answer.c
    want_status 2
    want_err_has "exclude one another"
    run "$gort" build answer.c -o
    want_status 2
    want_err "gort build: -o needs a value"
    run "$gort" build answer.c -- x
    want_status 2
    run "$gort" build -c answer.c
    want_status 2
    want_err_has "gort env --cflags"
    run "$gort" env --clfags
    want_status 2
    run "$gort" version now
    want_status 2
    run env CFLAGS="-DX='1" "$gort" run answer.c
    want_status 2
    want_err_has "a quote stays open in CFLAGS"
}

test_missing_source_file_is_named() {
    use_fake
    run "$gort" run nowhere.c
    want_status 1
    want_err "gort run: nowhere.c: No such file or directory"
}

test_version_is_that_of_the_headers() {
    use_fake
    run "$gort" version
    want_status 0
    want_out "gort version 9.8.7 linux/$(uname -m)"
    run "$gort" --version
    want_out "gort version 9.8.7 linux/$(uname -m)"
}

test_missing_helper_is_named_with_the_places_looked_in() {
    use_fake
    run env PATH=/usr/bin:/bin "$gort" vet x.c
    want_status 127
    want_err_has "gort vet: this installation has no gort-vet"
    want_err_has "built where libclang is"
    want_err_has "$PWD/fake/libexec/gort"
}

test_helper_gets_arguments_status_and_the_way_back() {
    use_fake
    mkdir -p fake/libexec/gort
    printf '#!/bin/sh\necho "$GORT" "$#" "$2"\nexit 5\n' >fake/libexec/gort/gort-top
    chmod +x fake/libexec/gort/gort-top
    run "$gort" top 12 "a b" --help
    want_status 5
    want_out "$gort 3 a b"
    run "$gort" help
    want_out_has "  top "
    run "$gort" help top
    want_status 0
    want_out_has "usage: gort top [-b]"
}

test_knobs_are_those_of_the_library() {
    use_fake
    run "$gort" knobs
    want_status 0
    for knob in $(sed -n 's/^KNOB(\([a-z_]*\),.*/\1/p' "$GORT_SOURCE/src/debug/knobs.def"); do
        want_out_has "  $knob="
    done
    want_out_has "GORTTRACEBACK="
}

test_full_stdout_is_an_error() {
    use_fake
    [ -c /dev/full ] || skip "there is no /dev/full"
    status=0
    "$gort" env >/dev/full 2>err.txt || status=$?
    want_status 1
    grep -q "cannot write the answer" err.txt
}
