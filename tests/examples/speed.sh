#!/bin/sh
# SPDX-License-Identifier: MIT
# speed.sh: how much faster findex is than findex_seq on the same files, both built here.
#
# Usage: speed.sh [DIR [RUNS]]    (default: /usr/include, 9 runs each, taken in turn)
# Prints every throughput in MB/s, the medians, and their ratio. GORT as for run.sh. The machine
# should be quiet, and the files are in the page cache: one run of each goes before the measured
# ones.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
gort=${GORT:-./build/bin/gort}
dir=${1:-/usr/include}
runs=${2:-9}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in findex findex_seq; do
    "$gort" build -o "$work/$name" "$here/../../examples/$name.c"
    "$work/$name" "$dir" >/dev/null 2>&1
done
rate() { "$work/$1" "$dir" 2>&1 >/dev/null | sed -n 's/.* \([0-9]*\) MB\/s.*/\1/p'; }
i=0
while [ "$i" -lt "$runs" ]; do
    rate findex_seq >>"$work/seq"
    rate findex >>"$work/par"
    i=$((i + 1))
done
median() { sort -n "$1" | sed -n "$(((runs + 1) / 2))p"; }
echo "findex_seq:" $(cat "$work/seq")
echo "findex:    " $(cat "$work/par")
seq=$(median "$work/seq") par=$(median "$work/par")
awk -v s="$seq" -v p="$par" 'BEGIN { printf "median %d and %d MB/s: %.2f times\n", s, p, p / s }'
