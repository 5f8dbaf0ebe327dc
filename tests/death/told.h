/* SPDX-License-Identifier: MIT */
/* told.h: what the runtime says about cycles of mutexes while the program goes on. */
#ifndef GORT_TEST_DEATH_TOLD_H
#define GORT_TEST_DEATH_TOLD_H
#include "harness.h"
#include <gort.h>
#include <gort/short.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TOLD "gort: deadlock: "

static int told_fd, told_was;

/* In a child, before anything is reported. */
static inline void told_begin(void)
{
    told_was = dup(2);
    told_fd = memfd_create("told", MFD_CLOEXEC);
    REQUIRE(told_was >= 0 && told_fd >= 0 && dup2(told_fd, 2) == 2);
}

static inline int told_look(char *text, size_t room)
{
    ssize_t n = pread(told_fd, text, room - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    int count = 0;
    bool whole = n > 2 && memcmp(text + n - 2, "\n\n", 2) == 0; /* a report ends so */
    for (const char *at = strstr(text, TOLD); at != NULL; at = strstr(at + 1, TOLD)) {
        count++;
    }
    return whole ? count : 0;
}

/* Goes on with other work until n cycles have been reported, and puts the reports where standard
 * error was. */
static inline void told_await(int n)
{
    static char text[1 << 16];
    while (told_look(text, sizeof text) < n) { /* ends: or the test's time does */
        go_sleep(GO_MS);
    }
    REQUIRE(dup2(told_was, 2) == 2 && write(2, text, strlen(text)) == (ssize_t)strlen(text));
}

#endif
