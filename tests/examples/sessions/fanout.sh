# SPDX-License-Identifier: MIT
# Five services: all well, one that fails, one that hangs. Together they would take 1.5 s.
seconds=$(get -o "$work/page" -w '%{time_total}' "$at/page/ada" | tail -n 1)
cat "$work/page"
echo "$seconds" | awk '{ print $1 < 1.5 ? "sooner than one after the other" : "it took " $1 " s" }'
get -D - "$at/page/fail" | grep -v -i -e '^date' -e '^content' | tr -d '\r'
get "$at/page/hang"
i=0
while [ "$i" -lt 10 ]; do
    get "$at/page/user$i" >"$work/page$i" &
    i=$((i + 1))
done
wait
cat "$work"/page[0-9] | sort | uniq -c | sort -b -k 2 | awk '{ print $2, $3, $4 }' | grep -c of
