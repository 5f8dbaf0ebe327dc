#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: compiles and runs every program that the documents show, and compares what it prints.
#
#   docs/examples/*.c      the reference's examples: the comment `Output:` at the end
#   README.md, docs/*.md   blocks of C with a main: the block ```text that follows, if there is one
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
                    printf "%s", text > (file ".c"); close(file ".c")
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

check()
{
    if ! "$gort" build -o "$work/$1" "$work/$1.c" 2>"$work/err" || [ -s "$work/err" ]; then
        return 1
    fi
    for procs in 1 4; do
        status=0
        GOMAXPROCS=$procs timeout 60 "$work/$1" >"$work/out" 2>"$work/err" || status=$?
        if [ -e "$work/$1.want" ]; then
            cp "$work/out" "$work/all"
            if grep -q '^exit status ' "$work/$1.want"; then
                # What a crash report begins with; where it was is another file here.
                n=$(grep -c -v '^exit status ' "$work/$1.want")
                head -n "$n" "$work/err" >>"$work/all"
                echo "exit status $status" >>"$work/all"
                status=0
            fi
            if ! diff "$work/$1.want" "$work/all" >"$work/diff"; then
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
