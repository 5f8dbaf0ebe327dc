/* SPDX-License-Identifier: MIT */
/* How many Ps there are when nobody has said it: the processors in the affinity mask, or what the
 * control groups grant if that is less.
 *
 * The control groups are told of by files that a test lists; cgroup.c is compiled here, with its
 * two ways to open one replaced, and takes the place of the archive's. The affinity mask can be
 * larger than the machine's. */
#include "harness.h"
#include "os/os.h"
#include <fcntl.h>
#include <gort.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct file {
    const char *path, *text;
};
static const struct file *files;    /* the last has no path */
static int processors;              /* in the affinity mask; 0: as it is */

static const char *text_of(const char *path)
{
    const struct file *f = files;
    while (f != NULL && f->path != NULL && strcmp(f->path, path) != 0) {
        f++;
    }
    return f != NULL ? f->text : NULL;
}

static FILE *file_open(const char *path)
{
    const char *text = text_of(path);
    return text != NULL ? fmemopen((void *)(uintptr_t)text, strlen(text), "r") : NULL;
}

static int file_descriptor(const char *path)
{
    const char *text = text_of(path);
    int end[2];
    if (text == NULL || pipe2(end, O_CLOEXEC) != 0) {
        return -1;
    }
    EXPECT_EQ_INT(write(end[1], text, strlen(text)), strlen(text));
    close(end[1]);
    return end[0];
}

#define fopen(path, mode) file_open(path)
#define open(path, flags) file_descriptor(path)
#include "os/linux/cgroup.c"
#undef fopen
#undef open

/* libc's, for the whole program. */
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    if (processors == 0) {
        long n = syscall(SYS_sched_getaffinity, pid, size, set);
        return n < 0 ? -1 : 0;
    }
    CPU_ZERO_S(size, set);
    for (int i = 0; i < processors; i++) {
        CPU_SET_S((size_t)(i * 2), size, set);
    }
    return 0;
}

/* What the runtime begins with on so many processors, in these control groups. */
static int procs_on(int n, const struct file *in)
{
    processors = n;
    files = in;
    unsetenv("GOMAXPROCS");
    return go_maxprocs(0);
}

#define V2_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNT \
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n" \
    "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n" \
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
#define V2(leaf) \
    { \
        { "/proc/self/cgroup", "0::/a/b\n" }, { "/proc/self/mountinfo", V2_MOUNT }, \
        { "/sys/fs/cgroup/a/b/cpu.max", leaf }, { NULL, NULL }, \
    }
#define V1(quota, period) \
    { \
        { "/proc/self/cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/a\n0::/a\n" }, \
        { "/proc/self/mountinfo", V1_MOUNT }, \
        { "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", quota }, \
        { "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", period }, { NULL, NULL }, \
    }

TEST(maxprocs, default_is_the_number_of_processors_in_the_affinity_mask)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    REQUIRE_EQ_INT(sched_getaffinity(0, sizeof set, &set), 0);
    EXPECT_EQ_INT(procs_on(0, NULL), CPU_COUNT(&set));
    EXPECT_EQ_INT(go_ncpu(), CPU_COUNT(&set));
}

TEST(maxprocs, default_on_one_processor_of_several_is_one)
{
    cpu_set_t set;
    cpu_set_t one;
    int last = CPU_SETSIZE - 1;
    CPU_ZERO(&set);
    CPU_ZERO(&one);
    REQUIRE_EQ_INT(sched_getaffinity(0, sizeof set, &set), 0);
    while (last > 0 && !CPU_ISSET(last, &set)) {
        last--;
    }
    CPU_SET(last, &one);
    REQUIRE_EQ_INT(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ_INT(procs_on(0, NULL), 1);
    EXPECT_EQ_INT(go_ncpu(), 1);
}

TEST(maxprocs, default_without_control_groups_is_all) { EXPECT_EQ_INT(procs_on(24, NULL), 24); }

TEST(maxprocs, default_is_the_quota_of_the_control_group)
{
    const struct file in[] = V2("600000 100000\n");
    EXPECT_EQ_INT(procs_on(16, in), 6);
    EXPECT_EQ_INT(go_ncpu(), 16);
}

TEST(maxprocs, part_of_a_processor_counts_as_one)
{
    const struct file in[] = V2("250001 50000\n");
    EXPECT_EQ_INT(procs_on(16, in), 6);
}

TEST(maxprocs, quota_below_two_leaves_two)
{
    const struct file in[] = V2("50000 100000\n");
    EXPECT_EQ_INT(procs_on(16, in), 2);
}

TEST(maxprocs, quota_below_two_adds_none)
{
    const struct file in[] = V2("50000 100000\n");
    EXPECT_EQ_INT(procs_on(1, in), 1);
}

TEST(maxprocs, quota_above_the_processors_adds_none)
{
    const struct file in[] = V2("6400000 100000\n");
    EXPECT_EQ_INT(procs_on(16, in), 16);
}

TEST(maxprocs, control_group_without_a_quota_is_no_limit)
{
    const struct file in[] = V2("max 100000\n");
    EXPECT_EQ_INT(procs_on(16, in), 16);
}

TEST(maxprocs, quota_that_makes_no_sense_is_no_limit)
{
    const struct file in[] = V2("-5 0\n");
    EXPECT_EQ_INT(procs_on(16, in), 16);
}

TEST(maxprocs, smallest_quota_on_the_way_up_counts)
{
    const struct file in[] = {
        { "/proc/self/cgroup", "0::/a/b/c\n" },
        { "/proc/self/mountinfo", V2_MOUNT },
        { "/sys/fs/cgroup/a/b/c/cpu.max", "900000 100000\n" },
        { "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n" },
        { "/sys/fs/cgroup/a/cpu.max", "400000 100000\n" },
        { NULL, NULL },
    };
    EXPECT_EQ_INT(procs_on(16, in), 4);
}

/* As in a container: what is mounted is not the root of the hierarchy. */
TEST(maxprocs, control_group_that_is_mounted_below_the_root)
{
    const struct file in[] = {
        { "/proc/self/cgroup", "0::/docker/1234\n" },
        { "/proc/self/mountinfo",
          "30 23 0:26 /docker/1234 /sys/fs/cgroup ro - cgroup2 cgroup rw\n" },
        { "/sys/fs/cgroup/cpu.max", "300000 100000\n" },
        { NULL, NULL },
    };
    EXPECT_EQ_INT(procs_on(16, in), 3);
}

TEST(maxprocs, quota_of_version_1)
{
    const struct file in[] = V1("700000\n", "100000\n");
    EXPECT_EQ_INT(procs_on(16, in), 7);
}

TEST(maxprocs, version_1_without_a_quota_is_no_limit)
{
    const struct file in[] = V1("-1\n", "100000\n");
    EXPECT_EQ_INT(procs_on(16, in), 16);
}

TEST(maxprocs, environment_overrides_the_quota)
{
    const struct file in[] = V2("300000 100000\n");
    processors = 16;
    files = in;
    setenv("GOMAXPROCS", "5", 1);
    EXPECT_EQ_INT(go_maxprocs(0), 5);
}

TEST(maxprocs, environment_that_is_no_number_counts_for_nothing)
{
    const struct file in[] = V2("300000 100000\n");
    processors = 16;
    files = in;
    setenv("GOMAXPROCS", "5x", 1);
    EXPECT_EQ_INT(go_maxprocs(0), 3);
}
