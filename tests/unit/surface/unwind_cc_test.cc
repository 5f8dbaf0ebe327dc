/* SPDX-License-Identifier: MIT */
#include "unwind_test.c"
