/* SPDX-License-Identifier: MIT */
/* version.c: the version as it was when the library was built; a program that was compiled with
 * other headers sees the difference to its own GO_VERSION. */
#include <gort/base.h>

const char *go_version(void) { return GO_VERSION; }
