#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh: what `make bench` calls. Everything is in run.py; see METHOD.md and `run.sh --help`.
#
#   make bench                    the whole table, ten runs of every row, curves and scaling
#   make bench QUICK=1            a coarse table in less than three minutes
#   make bench PUBLISH=1          the whole, then into docs/PERFORMANCE.md
#   make bench ROWS='yield ring*' some rows; curves and scaling name those parts
#   make bench PROCS=1            one value of GOMAXPROCS only
#   make bench HTTP=1             servers under wrk (http.sh)
set -eu
cd "$(dirname "$0")/.."
command -v python3 >/dev/null || {
    echo "bench: python3 is needed (Debian: apt-get install python3)" >&2
    exit 1
}
exec python3 bench/run.py "$@"
