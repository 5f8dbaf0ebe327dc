#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: the tests of bench/: its lists, what it computes and writes, and every benchmark of the C
# side with little work.
here=$(cd "$(dirname "$0")" && pwd)
exec python3 "$here/bench_test.py"
