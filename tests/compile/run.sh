#!/bin/bash
# SPDX-License-Identifier: MIT
# What must not compile, and what must compile without a word. Prints TAP.
#
# bad/FILE.c holds cases of misuse, one compilation each:
#
#     #ifdef CASE_name
#         /* gcc: regex */         expected in an error (extended, straight quotes) from that
#         /* clang: ... */         compiler; one without a line is left out
#         /* g++: ... */
#         /* clang++: ... */
#         /* flags: -Wx */         added for this case
#         /* only: aarch64 */      a processor
#         /* how: -I */            only with the headers as the user's
#         /* link */               the error comes from the compiler or from the linker
#         the misuse
#     #endif
#
# Without any CASE_ the file must compile, so that an error is the misuse's own. Every case is tried
# with the headers as the user's (-I) and as the system's (-isystem), where compilers keep quiet.
#
# silent/FILE.c and every public header alone must be silent in all dialects under the warnings that
# the project promises; files that begin with cxx_ as C++ only, with c_ as C only.
#
# Environment: GORT_SOURCE, GORT_BUILD (for `link`), CC and CXX; without CC and CXX every gcc and
# clang found is used. JOBS compilers run at a time, one per processor when it is not set.
set -u
here=$(cd "$(dirname "$0")" && pwd)
source=${GORT_SOURCE:-$(cd "$here/../.." && pwd)}
build=${GORT_BUILD:-$source/build}
include=$source/include
jobs=${JOBS:-$(nproc)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export LC_ALL=C

if [ -n "${CC:-}${CXX:-}" ]; then
    compilers="${CC:-} ${CXX:-}"
else
    compilers=
    for c in gcc g++ clang clang++; do
        command -v "$c" >/dev/null && compilers="$compilers $c"
    done
fi

# ---- running many at a time -------------------------------------------------------------------
# A check is a function that runs by itself in the background, in a directory of its own, and leaves
# its verdict there; they are printed at the end, in the order in which they were started.
started=0
running=0

# check FUNCTION ARGS...
check() {
    started=$((started + 1))
    local mine=$work/$started
    mkdir "$mine"
    if [ "$running" -ge "$jobs" ]; then
        wait -n
        running=$((running - 1))
    fi
    work=$mine "$@" &
    running=$((running + 1))
}

# ok MESSAGE | not_ok MESSAGE FILE-WITH-DETAILS
ok() { echo "ok $1" >"$work/verdict"; }
not_ok() {
    echo "not ok $1" >"$work/verdict"
    head -n 20 "$2" | sed 's/^/#   /' >"$work/details"
}

# Prints what became of the checks; fails when one did.
report() {
    local i line count=0 failed=0
    wait
    for ((i = 1; i <= started; i++)); do
        [ -d "$work/$i" ] || continue
        line="not ok check $i ended without a verdict"
        if [ -f "$work/$i/verdict" ]; then
            read -r line <"$work/$i/verdict"
        elif [ -f "$work/$i/left_out" ]; then
            continue
        fi
        count=$((count + 1))
        case $line in
        ok*) echo "ok $count - ${line#ok }" ;;
        *)
            failed=$((failed + 1))
            echo "not ok $count - ${line#not ok }"
            [ -f "$work/$i/details" ] && cat "$work/$i/details"
            ;;
        esac
    done
    echo "1..$count"
    [ $failed = 0 ]
}

# ---- compilers ----------------------------------------------------------------------------------

# kind_of COMPILER: gcc, clang, g++ or clang++, by what it says of itself and by its name.
kind_of() {
    local base=gcc
    "$1" --version | grep -q clang && base=clang
    case $(basename "$1") in
    *++*) [ $base = gcc ] && echo g++ || echo clang++ ;;
    *) echo $base ;;
    esac
}

processor_of() { "$1" -dumpmachine | sed 's/-.*//'; }

language_flags() {
    case $1 in
    *++) echo "-x c++ -std=gnu++17" ;;
    clang) echo "-std=gnu11 -fblocks" ;;
    *) echo "-std=gnu11" ;;
    esac
}

# compile OUT COMPILER ARGS...: the diagnostics, with straight quotes, in $work/log.
compile() {
    local out=$1
    shift
    "$@" -o "$out" >"$work/raw" 2>&1
    local status=$?
    sed "s/[‘’]/'/g" "$work/raw" >"$work/log"
    return $status
}

# ---- what must not compile ----------------------------------------------------------------------

# cases_of FILE KIND: a line for each case that has one for KIND: its name, the regex, flags, only,
# how, and whether it is linked, with US between them.
cases_of() {
    awk -v kind="$2" '
        function field(key,    i, t) {
            if ((i = index($0, "/* " key ": ")) == 0) {
                return 0
            }
            t = substr($0, i + length(key) + 5)
            sub(/ \*\/$/, "", t)
            if (!(key in f)) {
                f[key] = t
            }
            return 1
        }
        /^#ifdef CASE_/ { name = substr($0, 13); on = 1; split("", f); link = ""; next }
        on && $0 == "#endif" {
            on = 0
            if (f[kind] != "") {
                printf "%s\037%s\037%s\037%s\037%s\037%s\n", name, f[kind], f["flags"],
                       f["only"], f["how"], link
            }
        }
        on && $1 == "/*" && $2 == "link" { link = "linked" }
        on && (field(kind) || field("flags") || field("only") || field("how")) { }
    ' "$1"
}

# What the headers include of C++, read once for all cases of a compiler: nine tenths of the time
# that a case takes. Where the compiler cannot use it, it reads the header beside it.
precompile() {
    local dir=$work/std-$2
    std=
    case $2 in
    *++)
        mkdir "$dir"
        grep -rhoE '^# *include <[a-z_]+>' "$include" | sort -u >"$dir/std.h"
        # shellcheck disable=SC2046
        "$1" -x c++-header $(language_flags "$2" | sed 's/-x c++//') -Wall "$dir/std.h" \
            -o "$dir/std.h.$([ "$2" = g++ ] && echo gch || echo pch)" 2>/dev/null
        std="-include $dir/std.h"
        ;;
    esac
}

bad_case() {
    local compiler=$1 kind=$2 file=$3 name=$4 how=$5 regex=$6 flags=$7 linked=$8 ahead=$std
    local title="$kind rejects $(basename "$file" .c): $name ($how)"
    local stage=-c
    if [ -n "$linked" ]; then
        [ -f "$archive" ] && stage="$archive -pthread -ldl -lm"
        if [ "$kind" = clang ] && [ "$stage" = -c ]; then
            : >"$work/left_out"
            return
        fi
        ahead= # clang wants its -pthread there too
    fi
    # shellcheck disable=SC2046,SC2086
    if compile "$work/out" "$compiler" $(language_flags "$kind") $ahead "$how" "$include" -Wall \
        $flags "-DCASE_$name" "$file" -x none $stage; then
        echo "it compiled" >>"$work/log"
        not_ok "$title" "$work/log"
    elif ! grep -E "error|undefined" "$work/log" | grep -Eq -- "$regex"; then
        echo "expected: $regex" >"$work/why"
        cat "$work/log" >>"$work/why"
        not_ok "$title" "$work/why"
    else
        ok "$title"
    fi
}

accepts() {
    local compiler=$1 kind=$2 file=$3
    local title="$kind accepts $(basename "$file" .c) without its cases"
    # shellcheck disable=SC2046
    if compile "$work/out" "$compiler" $(language_flags "$kind") -I "$include" -Wall -Wextra \
        -Werror -c "$file"; then
        ok "$title"
    else
        not_ok "$title" "$work/log"
    fi
}

bad_file() {
    local compiler=$1 kind=$2 file=$3 name how regex flags only ways linked
    check accepts "$compiler" "$kind" "$file"
    while IFS=$'\037' read -r name regex flags only ways linked; do
        [ "${only:-$processor}" = "$processor" ] || continue
        for how in ${ways:--I -isystem}; do
            check bad_case "$compiler" "$kind" "$file" "$name" "$how" "$regex" "$flags" "$linked"
        done
    done < <(cases_of "$file" "$kind")
}

# ---- what must be silent ------------------------------------------------------------------------
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"

# silent COMPILER FILE TITLE FLAGS...
silent() {
    local compiler=$1 file=$2 title=$3
    shift 3
    # shellcheck disable=SC2086
    if compile "$work/out" "$compiler" "$@" $warnings -I "$include" -c "$file" &&
        [ ! -s "$work/log" ]; then
        ok "$title"
    else
        not_ok "$title" "$work/log"
    fi
}

silent_all() {
    local compiler=$1 kind=$2 o std file name blocks=
    [ "$kind" = clang ] && blocks=-fblocks
    for file in "$here"/silent/*.c "$work"/alone/*.c; do
        name=$(basename "$file" .c)
        for o in -O0 -O2; do
            case $kind:$name in
            *++:c_* | gcc:cxx_* | clang:cxx_*) ;;
            *++:gort*) # templates that nobody uses are not optimised
                [ $o = -O0 ] && check silent "$compiler" "$file" \
                    "$kind -std=c++17 is silent on $name" -x c++ -std=c++17
                ;;
            *++:*)
                check silent "$compiler" "$file" "$kind -std=c++17 $o is silent on $name" \
                    -x c++ -std=c++17 $o
                ;;
            *)
                for std in gnu11 gnu17 gnu2x; do
                    # shellcheck disable=SC2086
                    check silent "$compiler" "$file" "$kind -std=$std $o is silent on $name" \
                        -std=$std $o $blocks
                done
                ;;
            esac
        done
    done
}

# Every public header alone. A header may have nothing but macros, a translation unit not.
mkdir "$work/alone"
for h in "$include"/gort.h "$include"/gort/*.h "$include"/gort/detail/*.h; do
    name=${h#"$include"/}
    case $name in gort/detail/go_cxx.h) continue ;; esac
    printf '#include <%s>\nextern int alone;\n' "$name" \
        >"$work/alone/$(echo "${name%.h}" | tr / _).c"
done

# Every function and macro of the families has its short name.
short_names() {
    local families='chan|wg|mutex|rwmutex|cond|once|map|pool|sem|single|rate|ctx|group|timer|ticker'
    families="$families|conn|listener|packet"
    cat "$include"/gort/*.h | grep -v '^ \*' |
        grep -oE "\bgo_($families)_[a-z_]+\(" | sort -u | tr -d '(' |
        grep -vE '^go_(chan_elem|ctx_key|timer_make|ticker_make)$' >"$work/long"
    grep -oE '^#define [a-z_]+\(' "$include/gort/short.h" | sed 's/#define /go_/; s/(//' |
        sort -u >"$work/short"
    if comm -23 "$work/long" "$work/short" >"$work/log" && [ ! -s "$work/log" ]; then
        ok "every name of the families has a short one"
    else
        not_ok "every name of the families has a short one" "$work/log"
    fi
}

# Every function and object that a public header declares is in the library, shared and static, and
# the modules' in theirs. What is being looked at is the preprocessed declaration, not the macro.
in_the_library() {
    local compiler=$1 title="every function of the public headers is in the library" h lib
    if [ ! -f "$build/lib/libgort.so" ] || [ ! -f "$build/lib/libgort.a" ]; then
        : >"$work/left_out"
        return
    fi
    for h in "$include"/gort/*.h; do
        case $h in */http.h) [ -f "$build/lib/libgort-http.a" ] || continue ;; esac
        echo "#include \"$h\""
    done >"$work/all.c"
    # shellcheck disable=SC2046
    "$compiler" $(language_flags "$(kind_of "$compiler")") -D GO_LAX -I "$include" -E -P \
        "$work/all.c" >"$work/all.i"
    tr '\n' ' ' <"$work/all.i" | grep -oE '__visibility__\("default"\)[^;]*;' |
        grep -oE '\bgoi?_[a-z0-9_]+ ?\(|\bgoi?_[a-z0-9_]+ ?(\[[^]]*\])?;' | sed 's/[^a-z0-9_].*//' |
        sort -u >"$work/declared"
    for lib in so a; do
        nm $([ $lib = so ] && echo -D) --defined-only "$build"/lib/libgort*.$lib 2>"$work/nm" |
            sed -n 's/.* [A-Z] \(goi\{0,1\}_[a-z0-9_]*\).*/\1/p' | sort -u >"$work/defined"
        comm -23 "$work/declared" "$work/defined" | sed "s/$/ is not in libgort.$lib/"
    done >"$work/log"
    if [ "$(wc -l <"$work/declared")" -lt 200 ]; then
        echo "only $(wc -l <"$work/declared") names found" >>"$work/log"
    fi
    if [ -s "$work/log" ]; then
        not_ok "$title" "$work/log"
    else
        ok "$title"
    fi
}

echo "TAP version 13"
check short_names
for compiler in $compilers; do
    case $(kind_of "$compiler") in gcc | clang) check in_the_library "$compiler" ;; esac
done
# A copy, so that a build beside this does not take it away.
archive=$work/runtime.a
[ -f "$build/lib/libgort.a" ] && cp "$build/lib/libgort.a" "$archive"
for compiler in $compilers; do
    kind=$(kind_of "$compiler")
    processor=$(processor_of "$compiler")
    precompile "$compiler" "$kind"
    for file in "$here"/bad/*.c; do
        bad_file "$compiler" "$kind" "$file"
    done
    silent_all "$compiler" "$kind"
done
report
