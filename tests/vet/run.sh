#!/bin/sh
# SPDX-License-Identifier: MIT
# The tests of `gort vet`: what it must find, what it must not, and that it has nothing to say of
# this repository.
exec python3 "$(dirname "$0")/vet_test.py"
