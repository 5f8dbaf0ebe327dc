#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh: docs/CONFORMANCE.md is what the cases say, and (with a Go in $GORT_CONFORM_GO, as `make
# conform` gives it) Go still writes the transcripts that the cases are compared with.
set -u
here=$(cd "$(dirname "$0")" && pwd)
status=0

if "$here/table" --check; then
    echo "ok - docs/CONFORMANCE.md is current and accounts for all of Go's tests"
else
    echo "not ok - docs/CONFORMANCE.md is current and accounts for all of Go's tests"
    status=1
fi
if [ -n "${GORT_CONFORM_GO:-}" ]; then
    "$here/compare" || status=1
fi
exit $status
