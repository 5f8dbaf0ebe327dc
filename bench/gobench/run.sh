#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh: Go's own benchmarks beside Gort's. Everything is in run.py; see `run.sh --help`.
set -eu
cd "$(dirname "$0")/../.."
command -v python3 >/dev/null || {
    echo "gobench: python3 is needed (Debian: apt-get install python3)" >&2
    exit 1
}
exec python3 bench/gobench/run.py "$@"
