/* SPDX-License-Identifier: MIT */
/* cgroup.c (Linux): how many processors the control groups grant.
 *
 * The quota of a cgroup bounds all its descendants, so every ancestor counts and the smallest wins
 * (Go 1.27 reads the leaf only). Version 2 has `cpu.max` ("max 100000" or "QUOTA PERIOD"),
 * version 1 has cpu.cfs_quota_us and cpu.cfs_period_us. The mount point is found in
 * /proc/self/mountinfo, the path in /proc/self/cgroup. Anything unreadable means: no limit.
 */
#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cgroup_place {
    char mount[PATH_MAX];
    char root[PATH_MAX];    /* the cgroup that is visible at the mount point */
    char path[PATH_MAX];
    char dir[2 * PATH_MAX];     /* scratch */
    char file[2 * PATH_MAX + 32];
    bool v2;
};

static bool read_text(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t n = read(fd, buf, size - 1);
    close(fd);
    if (n <= 0) {
        return false;
    }
    buf[n] = '\0';
    return true;
}

/* Quota of one directory in whole processors, rounded up; 0 when it has none. */
static int quota_of(struct cgroup_place *at)
{
    char text[128];
    long long quota;
    long long period;
    if (at->v2) {
        snprintf(at->file, sizeof at->file, "%s/cpu.max", at->dir);
        if (!read_text(at->file, text, sizeof text) ||
            sscanf(text, "%lld %lld", &quota, &period) != 2) {
            return 0;
        }
    } else {
        snprintf(at->file, sizeof at->file, "%s/cpu.cfs_quota_us", at->dir);
        if (!read_text(at->file, text, sizeof text) || sscanf(text, "%lld", &quota) != 1) {
            return 0;
        }
        snprintf(at->file, sizeof at->file, "%s/cpu.cfs_period_us", at->dir);
        if (!read_text(at->file, text, sizeof text) || sscanf(text, "%lld", &period) != 1) {
            return 0;
        }
    }
    if (quota <= 0 || period <= 0) {
        return 0;
    }
    long long cpus = (quota + period - 1) / period;
    return cpus > INT_MAX ? 0 : (int)cpus;
}

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)) != NULL; p += n) {
        bool starts = p == list || p[-1] == ',';
        bool ends = p[n] == '\0' || p[n] == ',' || p[n] == '\n';
        if (starts && ends) {
            return true;
        }
    }
    return false;
}

/* Reads a file of /proc up to the line that fits; false without one. */
static bool find_line(const char *file, bool (*fits)(char *line, struct cgroup_place *at, bool v2),
                      struct cgroup_place *at, bool v2)
{
    FILE *f = fopen(file, "re");
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    if (f == NULL) {
        return false;
    }
    while (!found && getline(&line, &room, f) > 0) {
        found = fits(line, at, v2);
    }
    free(line);
    fclose(f);
    return found;
}

/* mountinfo: ID PARENT DEV ROOT MOUNT OPTIONS ... - TYPE SOURCE SUPEROPTIONS */
static bool is_mount(char *line, struct cgroup_place *at, bool v2)
{
    char type[32];
    char super[256];
    const char *tail = strstr(line, " - ");
    if (tail == NULL || sscanf(tail, " - %31s %*s %255s", type, super) != 2 ||
        sscanf(line, "%*s %*s %*s %4095s %4095s", at->root, at->mount) != 2) {
        return false;
    }
    return v2 ? strcmp(type, "cgroup2") == 0
              : strcmp(type, "cgroup") == 0 && has_word(super, "cpu");
}

/* cgroup: HIERARCHY:CONTROLLERS:PATH, version 2 has "0::PATH". */
static bool is_path(char *line, struct cgroup_place *at, bool v2)
{
    char *controllers = strchr(line, ':');
    char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL) {
        return false;
    }
    *path++ = '\0';
    path[strcspn(path, "\n")] = '\0';
    if (v2 ? controllers[1] != '\0' : !has_word(controllers + 1, "cpu")) {
        return false;
    }
    snprintf(at->path, sizeof at->path, "%s", path);
    return true;
}

static int smaller(int a, int b)
{
    if (a == 0 || b == 0) {
        return a + b;
    }
    return a < b ? a : b;
}

static int quota_along(struct cgroup_place *at)
{
    char *dir = at->dir;
    int best = 0;
    size_t root = strcmp(at->root, "/") == 0 ? 0 : strlen(at->root);
    const char *below = strncmp(at->path, at->root, root) == 0 ? at->path + root : "/";
    size_t mount = strlen(at->mount);
    snprintf(dir, sizeof at->dir, "%s%s", at->mount, below);
    /* Ends: each turn cuts one component, down to the mount point. */
    for (;;) {
        size_t n = strlen(dir);
        while (n > mount && dir[n - 1] == '/') {
            dir[--n] = '\0';
        }
        best = smaller(best, quota_of(at));
        char *slash = strrchr(dir + mount, '/');
        if (n <= mount || slash == NULL) {
            return best;
        }
        *slash = '\0';
    }
}

int gop_cpu_quota(void)
{
    int saved = errno;
    int best = 0;
    struct cgroup_place *at = calloc(1, sizeof *at);
    if (at == NULL) {
        return 0;
    }
    for (int version = 1; version <= 2; version++) {
        at->v2 = version == 2;
        if (find_line("/proc/self/cgroup", is_path, at, at->v2) &&
            find_line("/proc/self/mountinfo", is_mount, at, at->v2)) {
            best = smaller(best, quota_along(at));
        }
    }
    free(at);
    errno = saved;
    return best;
}
