# SPDX-License-Identifier: MIT
# Orders are accepted, seen to, and one fails; the last are seen to after the signal to end.
for item in tea coffee trouble cake; do
    get -X POST "$at/orders/$item"
done
get "$at/orders/1?wait=1"
get "$at/orders/3?wait=1"
get "$at/orders/4?wait=1"
get "$at/orders/9"
get "$at/orders/none"
get -X DELETE "$at/orders/1"
i=0
while [ "$i" -lt 20 ]; do
    get -X POST "$at/orders/late" | grep -c accepted
    i=$((i + 1))
done | sort | uniq -c | sed 's/ *\([0-9]*\) 1/\1 more accepted/'
