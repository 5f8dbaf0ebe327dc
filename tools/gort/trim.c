/* SPDX-License-Identifier: MIT */
/* trim.c: keeps the cache small, and empties it for `gort clean`.
 *
 * Programs go in the order they were last asked for. One that is about to run is pinned (cache.c,
 * C4) and passed by, whatever its size. One process trims at a time; another that wants to leaves
 * it to the first.
 */
#include "cli.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 24 * 60 * 60, TEXTS_DAYS = 30 };

struct entry {
    char *path;
    int64_t bytes;
    struct timespec used;
};

struct entries {
    struct entry *item;
    size_t count;
    size_t room;
    int64_t bytes;
};

static int64_t bytes_in(const char *dir)
{
    int64_t bytes = 0;
    struct stat st;
    DIR *d = opendir(dir);
    if (d == NULL) {
        return 0;
    }
    struct dirent *e = readdir(d);
    for (; e != NULL; e = readdir(d)) {
        if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            bytes += (int64_t)st.st_blocks * 512;
        }
    }
    closedir(d);
    return bytes;
}

static void entries_add(struct entries *all, struct entry e)
{
    if (all->count == all->room) {
        size_t room = all->room == 0 ? 64 : 2 * all->room;
        struct entry *item = cli_alloc(room * sizeof *item);
        if (all->count > 0) {
            memcpy(item, all->item, all->count * sizeof *item);
        }
        all->item = item;
        all->room = room;
    }
    all->item[all->count++] = e;
    all->bytes += e.bytes;
}

static int older_first(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    if (x->used.tv_sec != y->used.tv_sec) {
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    }
    return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

/* What lies in one room of the cache, least recently used first. */
static struct entries entries_of(const char *room, bool directories)
{
    struct entries all = {0};
    struct stat st;
    DIR *d = opendir(room);
    if (d == NULL) {
        return all;
    }
    struct dirent *e = readdir(d);
    for (; e != NULL; e = readdir(d)) {
        if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        struct entry found = {.path = cli_fmt("%s/%s", room, e->d_name), .used = st.st_mtim};
        found.bytes = directories ? bytes_in(found.path) : (int64_t)st.st_blocks * 512;
        entries_add(&all, found);
    }
    closedir(d);
    if (all.count > 0) {
        qsort(all.item, all.count, sizeof *all.item, older_first);
    }
    return all;
}

/* C3: builds whose process is gone. */
static void drop_dead_builds(const char *cache)
{
    struct entries all = entries_of(cache, false);
    for (size_t i = 0; i < all.count; i++) {
        const char *path = all.item[i].path;
        if (!cli_starts(cli_base(path), "t.")) {
            continue;
        }
        (void)cli_remove_unlocked(path);
    }
}

static void drop_old_texts(const char *room)
{
    struct entries all = entries_of(room, false);
    for (size_t i = 0; i < all.count; i++) {
        if (time(NULL) - all.item[i].used.tv_sec > (time_t)TEXTS_DAYS * DAY) {
            unlink(all.item[i].path);
        }
    }
}

static int lock(const char *cache, int how)
{
    int fd = open(cli_fmt("%s/lock", cache), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, how) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void cli_trim(const char *cache, int64_t bytes)
{
    int fd = lock(cache, LOCK_EX | LOCK_NB);
    if (fd < 0) {
        return;
    }
    struct entries all = entries_of(cli_fmt("%s/p", cache), true);
    for (size_t i = 0; i < all.count && all.bytes > bytes; i++) {
        if (cli_remove_unlocked(all.item[i].path)) {
            all.bytes -= all.item[i].bytes;
        }
    }
    drop_old_texts(cli_fmt("%s/m", cache));
    drop_old_texts(cli_fmt("%s/n", cache));
    drop_dead_builds(cache);
    close(fd);
}

int64_t cli_cache_size(const char *cache, int *programs)
{
    struct entries all = entries_of(cli_fmt("%s/p", cache), true);
    *programs = (int)all.count;
    return all.bytes;
}

int cli_clean(const char *cache, int64_t *freed)
{
    static const char *const texts[] = {"m", "n"};
    int fd = lock(cache, LOCK_EX);
    struct entries all = entries_of(cli_fmt("%s/p", cache), true);
    int programs = 0;
    *freed = 0;
    for (size_t i = 0; i < all.count; i++) {
        if (cli_remove_unlocked(all.item[i].path)) {
            *freed += all.item[i].bytes;
            programs++;
        }
    }
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
        struct entries small = entries_of(cli_fmt("%s/%s", cache, texts[k]), false);
        for (size_t i = 0; i < small.count; i++) {
            unlink(small.item[i].path);
        }
    }
    drop_dead_builds(cache);
    if (fd >= 0) {
        close(fd);
    }
    return programs;
}
