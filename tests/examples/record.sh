#!/bin/sh
# SPDX-License-Identifier: MIT
# record.sh: runs the Go twins and writes examples/expected from what they do.
#
# Usage: record.sh [NAME...]    with Go 1.27 or newer on the PATH (or GO set). Commit what changes
# only after having understood why it changed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
examples=$here/../../examples
go=${GO:-go}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$here/tree.sh"
. "$here/session.sh"

(cd "$examples/go" && "$go" build -o "$work/" ./...)
make_tree "$work/tree"
[ $# -gt 0 ] || set -- $(cd "$examples/go" && for d in */; do echo "${d%/}"; done)
for name; do
    arg=
    [ "$name" = findex ] && arg=$work/tree
    status=0
    if [ -e "$here/sessions/$name.sh" ]; then
        session "$name" "$work/$name" "$work/$name.d" || status=$?
        cp "$work/$name.d/out" "$examples/expected/$name.txt"
        cat "$work/$name.d/err"
        echo "$name: exit status $status"
        continue
    fi
    "$work/$name" $arg >"$examples/expected/$name.txt" 2>"$work/err" || status=$?
    rm -f "$examples/expected/$name.err"
    if [ "$status" != 0 ]; then
        head -n 1 "$work/err" >"$examples/expected/$name.err"
    fi
    echo "$name: exit status $status"
done
