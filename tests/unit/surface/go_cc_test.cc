/* SPDX-License-Identifier: MIT */
#include "go_test.c"
