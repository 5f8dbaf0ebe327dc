# SPDX-License-Identifier: MIT
# Files of several sizes, at the same time and in chunks; one that is too large; bad names.
post() { get --data-binary "@$2" "$at/files/$1"; }
seq 1 20000 >"$work/numbers"
head -c 2000000 /dev/zero >"$work/zeros"
: >"$work/nothing"
post numbers.txt "$work/numbers"
post nothing "$work/nothing"
post zeros "$work/zeros" | grep status
post .hidden "$work/numbers"
post a%2Fb "$work/numbers"
get -H 'Transfer-Encoding: chunked' --data-binary "@$work/numbers" "$at/files/chunks.txt"
head -c 3000000 /dev/zero |
    get -H 'Transfer-Encoding: chunked' -X POST -T - "$at/files/many" | grep status
i=0
while [ "$i" -lt 10 ]; do
    printf 'number %s is one of\nten files\n' "$i" | post "$i" - >"$work/answer$i" &
    i=$((i + 1))
done
wait
cat "$work"/answer?
curl -s --noproxy '*' "$at/files/numbers.txt" | cmp - "$work/numbers" && echo "as it was sent"
get -o /dev/null "$at/files/zeros"
