#!/bin/sh
# SPDX-License-Identifier: MIT
# fuzz.sh: builds a fuzzer with clang and runs it over its corpus.
#
#   tests/fuzz/fuzz.sh [SECONDS [BUILD]]     default: 600 seconds, build/fuzz
#
# What was found worth keeping goes to BUILD/kept, reduced to what adds coverage (README.md). A
# finding is left in BUILD as crash-*, leak-* or timeout-*, and ends the run with status 1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=${1:-600}
build=${2:-$root/build/fuzz}
case $seconds in
-h | --help)
    sed -n '3,8s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
'' | *[!0-9]*)
    echo "fuzz.sh: '$seconds' is not a number of seconds (usage: fuzz.sh [SECONDS [BUILD]])" >&2
    exit 2
    ;;
esac
command -v clang >/dev/null || {
    echo "fuzz.sh: clang is needed (Debian: apt-get install clang)" >&2
    exit 1
}
flags="-fsanitize=fuzzer-no-link"
mkdir -p "$build"
CC=clang cmake -G Ninja -S "$root" -B "$build" -DGORT_SANITIZE=address,undefined -DGORT_HTTP=ON \
    "-DCMAKE_C_FLAGS=$flags" >"$build/configure.log"
ninja -C "$build" ${JOBS:+-j$JOBS} gort_http_static >"$build/build.log"
# shellcheck disable=SC2046
clang -std=gnu11 -D_GNU_SOURCE -O2 -g -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=all -I"$root/include" -I"$here" "$here/server_fuzz.c" \
    -o "$build/server_fuzz" \
    "$build/lib/libgort-http.a" "$build/lib/libgort.a" \
    $(sed -n 's/^Libs.private: //p' "$build/lib/pkgconfig/gort-http.pc") \
    $(sed -n 's/^static_libs=//p' "$build/lib/pkgconfig/gort.pc")
# The seeds as files; in front of each where it is split.
mkdir -p "$build/corpus" "$build/kept"
awk -v dir="$build/corpus" '
    /^SEED\(/ { text = ""; n++ }
    /^SEED\(|^ +"/ {
        line = $0
        sub(/^SEED\(/, "", line); sub(/\)$/, "", line)
        gsub(/^ *"|" *$/, "", line)
        text = text line
        if ($0 ~ /\)$/) {
            gsub(/%/, "%%", text); gsub(/\\"/, "\"", text)
            file = dir "/seed-" n
            printf("\\000\\024%s", text) > (file ".printf"); close(file ".printf")
        }
    }' "$here/server_seeds.def"
for f in "$build"/corpus/*.printf; do
    # shellcheck disable=SC2059
    printf "$(cat "$f")" >"${f%.printf}"
    rm "$f"
done
status=0
GOMAXPROCS=2 "$build/server_fuzz" -max_total_time="$seconds" -max_len=4096 -timeout=60 \
    -artifact_prefix="$build/" -dict="$here/server.dict" "$build/corpus" "$here/corpus/server" ||
    status=1
rm -rf "$build/kept"
mkdir -p "$build/kept"
"$build/server_fuzz" -merge=1 "$build/kept" "$here/corpus/server" "$build/corpus" \
    >"$build/merge.log" 2>&1 || status=1
echo "fuzz.sh: $(find "$build/kept" -type f | wc -l) inputs worth keeping are in $build/kept"
exit $status
