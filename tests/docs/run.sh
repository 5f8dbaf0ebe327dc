#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: compiles and runs every program that the documents show, and compares what it prints.
#
#   docs/examples/*.c      the reference's examples: the comment `Output:` at the end
#   README.md, docs/*.md   blocks of C with a main: the block ```text that follows, if there is one
#
# A text may begin with the command that ran the program, `$ NAME=VALUE ./program`: then it is what
# both outputs begin with, and the variables are set. `exit status N` stands last if N is not 0;
# what a crash report begins with stands before it. Directories of files, addresses, and the numbers
# of the scheduler's trace are not compared.
#
# Environment: GORT, the gort command (default ./build/bin/gort).
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
gort=${GORT:-$root/build/bin/gort}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0

# Programs of the documents: NAME-N.c and, where the document says what it prints, NAME-N.want.
extract()
{
    awk -v base="$work/$1" '
        /^ *```/ {
            word = $0; sub(/^ *```/, "", word)
            if (inside) {
                inside = 0
                if (kind == "c" && text ~ /\nint main\(/) {
                    file = sprintf("%s-%02d", base, ++n)
                    printf "%s", substr(text, 2) > (file ".c")
                    close(file ".c")
                } else if (kind == "text" && file != "") {
                    printf "%s", substr(text, 2) > (file ".want"); close(file ".want"); file = ""
                } else if (kind == "c") {
                    file = ""
                }
            } else {
                inside = 1; kind = word; text = "\n"
            }
            next
        }
        inside { text = text $0 "\n" }' "$2"
}

for page in "$root/README.md" "$root"/docs/*.md; do
    name=$(basename "$page" .md)
    [ "$name" = REFERENCE ] || extract "$name" "$page"
done
for f in "$root"/docs/examples/*.c; do
    name=reference-$(basename "$f" .c)
    cp "$f" "$work/$name.c"
    sed -n '/^\/\* Output:$/,/^\*\/$/p' "$f" | sed '1d;$d' >"$work/$name.want"
done

# Without what differs between two runs or two machines, or lies in another file here.
plain()
{
    sed -E -e 's#^(\t| {8})([^ ]*/)?[A-Za-z0-9_-]+\.(c|cc):([0-9]+)#\tFILE:\4#' \
        -e 's/^\t/        /' -e 's/0x[0-9a-f]+/0x0/g' -e '/^SCHED/s/[0-9]+/0/g' "$1"
}

# seen NAME PROCS: what it printed, as far as the document has it, is in $work/all.
seen()
{
    want=$work/$1.want
    status=0
    set -- "$work/$1" "$2"
    if [ -e "$want" ] && head -n 1 "$want" | grep -q '^\$ '; then
        # shellcheck disable=SC2046
        set -- "$@" $(head -n 1 "$want" | tr ' ' '\n' | grep '^[A-Z]*=')
        program=$1 procs=$2
        shift 2
        env "GOMAXPROCS=$procs" "$@" timeout 60 "$program" >"$work/out" 2>&1 || status=$?
        head -n 1 "$want" >"$work/all"
        n=$(grep -c -v -e '^exit status ' -e '^\$ ' "$want")
        head -n "$n" "$work/out" >>"$work/all"
        cp "$work/out" "$work/err"
    else
        GOMAXPROCS=$2 timeout 60 "$1" >"$work/out" 2>"$work/err" || status=$?
        cp "$work/out" "$work/all"
        if [ -e "$want" ] && grep -q '^exit status ' "$want"; then
            n=$(($(grep -c -v '^exit status ' "$want") - $(wc -l <"$work/out")))
            head -n "$n" "$work/err" >>"$work/all"
        fi
    fi
}

check()
{
    if ! "$gort" build -o "$work/$1" "$work/$1.c" 2>"$work/err" || [ -s "$work/err" ]; then
        return 1
    fi
    for procs in 1 4; do
        seen "$1" $procs
        want=$work/$1.want
        if [ -e "$want" ]; then
            if grep -q '^exit status ' "$want"; then
                echo "exit status $status" >>"$work/all"
                status=0
            fi
            plain "$want" >"$work/want"
            plain "$work/all" >"$work/all.plain"
            if ! diff "$work/want" "$work/all.plain" >"$work/diff"; then
                cp "$work/diff" "$work/err"
                return 1
            fi
        fi
        [ "$status" = 0 ] || { echo "exit status $status" >>"$work/err"; return 1; }
    done
}

number=0
for f in "$work"/*.c; do
    name=$(basename "$f" .c)
    number=$((number + 1))
    if check "$name"; then
        passed=$((passed + 1))
        echo "ok $number - $name"
    else
        failed=$((failed + 1))
        echo "not ok $number - $name"
        sed 's/^/#   /' "$work/err" | head -n 30
    fi
done
echo "1..$number"
echo "# docs: $passed passed, $failed failed"
[ "$failed" = 0 ]
