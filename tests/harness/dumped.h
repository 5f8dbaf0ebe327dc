/* SPDX-License-Identifier: MIT */
/* dumped.h: a dump of all goroutines as a text, for tests that wait until others stand somewhere.
 * Of the runtime it needs go_dump() alone, so it goes with a library that hides its names. */
#ifndef GORT_TEST_DUMPED_H
#define GORT_TEST_DUMPED_H
#include "harness.h"
#include <gort.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The caller frees it. */
static inline char *dumped(void)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);
    REQUIRE(fd >= 0);
    go_dump(fd);
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = (char *)calloc(1, (size_t)size + 1);
    REQUIRE(text != NULL);
    REQUIRE(pread(fd, text, (size_t)size, 0) == size);
    close(fd);
    return text;
}

#endif
