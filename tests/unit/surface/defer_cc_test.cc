/* SPDX-License-Identifier: MIT */
#include "defer_test.c"
