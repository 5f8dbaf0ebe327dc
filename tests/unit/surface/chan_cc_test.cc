/* SPDX-License-Identifier: MIT */
#include "chan_test.c"
