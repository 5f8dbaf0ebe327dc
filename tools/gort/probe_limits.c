/* SPDX-License-Identifier: MIT */
/* probe_limits.c: processors, limits and settings of this machine or container. */
#include "cli.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A number in a file of one line; -1 if there is none. "max" is the largest number. */
static int64_t number_in(const char *path)
{
    char *end;
    char *text = cli_read(path, NULL);
    if (text == NULL || *text == '\0') {
        return -1;
    }
    if (cli_starts(text, "max")) {
        return INT64_MAX;
    }
    long long n = strtoll(text, &end, 10);
    return end == text ? -1 : n;
}

/* --- processors: affinity, control groups, GOMAXPROCS */

static int affinity(void)
{
    /* The kernel tells how large its mask is by refusing smaller ones. */
    for (int cpus = 1024; cpus <= 1 << 20; cpus *= 4) {
        size_t size = CPU_ALLOC_SIZE(cpus);
        cpu_set_t *set = cli_alloc(size);
        if (sched_getaffinity(0, size, set) == 0) {
            return CPU_COUNT_S(size, set);
        }
    }
    return 0;
}

struct quota {
    double cpus;        /* 0: none found */
    char *where;
};

/* cpu.max is "QUOTA PERIOD" or "max PERIOD"; version 1 has a file for each. */
static void quota_at(struct quota *q, const char *dir)
{
    long long quota = 0;
    long long period = 0;
    char *file = cli_fmt("%s/cpu.max", dir);
    char *text = cli_read(file, NULL);
    if (text == NULL || sscanf(text, "%lld %lld", &quota, &period) != 2) {
        file = cli_fmt("%s/cpu.cfs_quota_us", dir);
        quota = number_in(file);
        period = number_in(cli_fmt("%s/cpu.cfs_period_us", dir));
    }
    if (quota > 0 && period > 0 && (q->cpus == 0 || (double)quota / (double)period < q->cpus)) {
        q->cpus = (double)quota / (double)period;
        q->where = file;
    }
}

/* The group itself and all above it: the smallest quota counts. */
static void quota_along(struct quota *q, const char *mount, const char *group)
{
    char *path = cli_copy(strcmp(group, "/") == 0 ? "" : group);
    for (;;) {
        quota_at(q, cli_fmt("%s%s", mount, path));
        char *slash = strrchr(path, '/');
        if (slash == NULL) {
            return;
        }
        *slash = '\0';
    }
}

static bool names_cpu(char *controllers)
{
    for (char *c = strtok(controllers, ","); c != NULL; c = strtok(NULL, ",")) {
        if (strcmp(c, "cpu") == 0) {
            return true;
        }
    }
    return false;
}

/* Lines are HIERARCHY:CONTROLLERS:GROUP, with no controllers in version 2. */
static struct quota quota(void)
{
    struct quota q = {0};
    struct list lines = {0};
    char *text = cli_read("/proc/self/cgroup", NULL);
    for (char *l = text != NULL ? strtok(text, "\n") : NULL; l != NULL; l = strtok(NULL, "\n")) {
        cli_add(&lines, l);
    }
    for (size_t i = 0; i < lines.count; i++) {
        char *controllers = strchr(lines.item[i], ':');
        char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL) {
            continue;
        }
        *group++ = '\0';
        controllers++;
        if (*controllers == '\0') {
            quota_along(&q, "/sys/fs/cgroup", group);
            quota_along(&q, "/sys/fs/cgroup/unified", group);
        } else if (names_cpu(cli_copy(controllers))) {
            quota_along(&q, "/sys/fs/cgroup/cpu", group);
            quota_along(&q, "/sys/fs/cgroup/cpu,cpuacct", group);
        }
    }
    return q;
}

void cli_probe_processors(int runtime_says)
{
    struct quota q = quota();
    const char *asked = getenv("GOMAXPROCS");
    cli_report_title("processors");
    cli_report(PROBE_OK, "usable", "%d of %ld", affinity(), sysconf(_SC_NPROCESSORS_ONLN));
    if (q.cpus > 0) {
        cli_report(PROBE_NOTE, "cgroup limit", "%.2f (%s)", q.cpus, q.where);
    } else {
        cli_report(PROBE_OK, "cgroup limit", "none");
    }
    if (runtime_says == 0) {
        cli_report(PROBE_NOTE, "GOMAXPROCS", "unknown, because the trial program did not run");
    } else if (asked != NULL && *asked != '\0') {
        cli_report(PROBE_NOTE, "GOMAXPROCS", "%d: the environment says %s", runtime_says, asked);
    } else {
        cli_report(PROBE_OK, "GOMAXPROCS", "%d: the usable processors or, where that is less, the "
                   "cgroup limit rounded up (at least 2)", runtime_says);
    }
}

/* --- limits */

static const char *amount(rlim_t value, const char *unit)
{
    if (value == RLIM_INFINITY) {
        return "unlimited";
    }
    if (*unit != '\0') {
        return cli_fmt("%llu MiB", (unsigned long long)value >> 20);
    }
    return cli_fmt("%llu", (unsigned long long)value);
}

static void limit(int resource, const char *what, const char *unit, rlim_t enough,
                  const char *if_less)
{
    struct rlimit r;
    if (getrlimit(resource, &r) != 0) {
        return;
    }
    if (r.rlim_cur >= enough) {
        cli_report(PROBE_OK, what, "%s", amount(r.rlim_cur, unit));
    } else {
        cli_report(PROBE_NOTE, what, "%s: %s", amount(r.rlim_cur, unit), if_less);
    }
}

/* A setting of the kernel: ok up to or from some number, else a note. */
static void setting(const char *path, const char *what, int64_t low, int64_t high,
                    const char *otherwise)
{
    int64_t n = number_in(path);
    if (n < 0) {
        return;
    }
    const char *value = n == INT64_MAX ? "unlimited" : cli_fmt("%lld", (long long)n);
    if (n >= low && n <= high) {
        cli_report(PROBE_OK, what, "%s", value);
    } else {
        cli_report(PROBE_NOTE, what, "%s: %s", value, otherwise);
    }
}

void cli_probe_limits(void)
{
    cli_report_title("limits");
    setting("/proc/sys/vm/max_map_count", "vm.max_map_count", 65530, INT64_MAX,
            "few mappings; guards by mprotect and ThreadSanitizer use them up");
    setting("/proc/sys/vm/overcommit_memory", "vm.overcommit", 0, 1,
            "strict accounting counts reserved stacks; ask for small ones with GO_OPTS(.stack=)");
    setting("/proc/sys/vm/mmap_rnd_bits", "vm.mmap_rnd_bits", 0, 28,
            "older sanitizers fail to start; gort run turns randomisation off for them, for "
            "others: setarch -R");
    setting("/proc/sys/kernel/threads-max", "threads-max", 12000, INT64_MAX,
            "Gort may want 10,000 threads for blocking calls");
    setting("/sys/fs/cgroup/pids.max", "cgroup pids.max", 2000, INT64_MAX,
            "each blocking call takes a thread; beyond this they wait");
    limit(RLIMIT_AS, "address space", "MiB", RLIM_INFINITY,
          "stacks are reserved sparingly (ulimit -v)");
    limit(RLIMIT_NPROC, "processes", "", 12000, "threads count here too (ulimit -u)");
    limit(RLIMIT_NOFILE, "open files", "", 4096, "connections count here (ulimit -n)");
    limit(RLIMIT_STACK, "main's stack", "MiB", (rlim_t)8 << 20,
          "main runs on the process's own stack (ulimit -s)");
    limit(RLIMIT_CORE, "core size", "MiB", 1, "a crash leaves no core for gdb (ulimit -c)");
    setting("/proc/sys/kernel/yama/ptrace_scope", "ptrace_scope", 0, 0,
            "gdb cannot attach to a running program unless it is its child or it is root (sysctl "
            "kernel.yama.ptrace_scope=0)");
    setting("/proc/sys/kernel/perf_event_paranoid", "perf_paranoid", -1, 2,
            "perf works for root only");
}
