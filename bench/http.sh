#!/bin/sh
# SPDX-License-Identifier: MIT
#
# http.sh: HTTP under wrk: Gort, Go's net/http, and a bare epoll server of one thread, in turns.
#
#   bench/http.sh [--tree BUILD] [--rounds N] [--seconds S] [--connections 100,1000]
#
# What `make bench HTTP=1` calls. Everything is in http.py; METHOD.md says more.
set -eu
cd "$(dirname "$0")/.."
for tool in python3 wrk; do
    command -v $tool >/dev/null || {
        echo "bench: $tool is needed (Debian: apt-get install $tool)" >&2
        exit 1
    }
done
exec python3 bench/http.py "$@"
