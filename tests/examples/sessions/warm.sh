# SPDX-License-Identifier: MIT
# What was loaded before, what was not, and what twenty ask for at the same time.
cache() { get -D - "$1" | tr -d '\r' | grep -e X-Cache -e page; }
get "$at/stats"
cache "$at/page/7"
cache "$at/page/39"
cache "$at/page/77"
cache "$at/page/77"
i=0
while [ "$i" -lt 20 ]; do
    get "$at/page/88" >"$work/$i" &
    i=$((i + 1))
done
wait
cat "$work"/* | sort | uniq -c | sed 's/^ *//'
get "$at/stats"
get "$at/page/1000"
