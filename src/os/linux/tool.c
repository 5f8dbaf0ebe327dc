/* SPDX-License-Identifier: MIT */
/* tool.c: whose threads are these? For tools that run threads of their own in the process and can
 * be told by nothing but their signal masks, and for the emulator, which is there by its name. */
#include "os/os.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool thread_blocks(const char *tid, uint64_t blocked)
{
    char path[300];
    char line[128];
    bool same = false;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", tid);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "SigBlk:", 7) == 0) {
            same = strtoull(line + 7, NULL, 16) == blocked;
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return same;
}

int gop_thread_count_masked(uint64_t blocked)
{
    DIR *d = opendir("/proc/self/task");
    int n = 0;
    if (d == NULL) {
        return -errno;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        n += e->d_name[0] != '.' && thread_blocks(e->d_name, blocked);
    }
    closedir(d);
    return n;
}

/* qemu-user runs one thread beside those of the program, from its start on and in every child, and
 * lets the program see it in /proc. */
int gop_emulator_threads(void)
{
    char name[16];
    FILE *f = fopen("/proc/self/comm", "re");
    bool qemu = f != NULL && fgets(name, sizeof name, f) != NULL && strncmp(name, "qemu-", 5) == 0;
    if (f != NULL) {
        fclose(f);
    }
    return qemu;
}
