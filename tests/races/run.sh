#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: the table of kernels in docs/RACES.md is what the kernels are.
here=$(cd "$(dirname "$0")" && pwd)
if "$here/table" --check; then
    echo "ok 1 - races: docs/RACES.md has every kernel"
else
    echo "not ok 1 - races: docs/RACES.md has every kernel"
    exit 1
fi
