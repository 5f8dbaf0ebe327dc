#!/bin/sh
# SPDX-License-Identifier: MIT
# The tests of tools/tidy: small bad trees that must be flagged, and good ones that must not.
exec python3 "$(dirname "$0")/tidy_test.py"
