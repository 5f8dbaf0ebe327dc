/* SPDX-License-Identifier: MIT */
#include "do_test.c"
