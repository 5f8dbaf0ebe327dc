/* SPDX-License-Identifier: MIT */
#include "try_test.c"
