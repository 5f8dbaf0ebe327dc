/* SPDX-License-Identifier: MIT */
#include "name_test.c"
