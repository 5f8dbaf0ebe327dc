/* SPDX-License-Identifier: MIT */
#include "select_test.c"
