/* SPDX-License-Identifier: MIT */
/* file.c: whole files, directories, programs in PATH. */
#include "cli.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

char *cli_read(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    /* Files in /proc and /sys have no size, so the end is found by reading. */
    size_t room = 16 << 10;
    size_t n = 0;
    char *text = cli_alloc(room);
    for (;;) {
        ssize_t got = read(fd, text + n, room - 1 - n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            int failure = errno;
            close(fd);
            errno = failure;
            return NULL;
        }
        if (got == 0) {
            break;
        }
        n += (size_t)got;
        if (n == room - 1) {
            char *more = cli_alloc(2 * room);
            memcpy(more, text, n);
            text = more;
            room *= 2;
        }
    }
    close(fd);
    text[n] = '\0';
    if (size != NULL) {
        *size = n;
    }
    return text;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return false;
        }
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* Gives the finished temporary file its name, or takes it away; keeps errno. */
static bool settle(int fd, bool good, const char *temp, const char *path)
{
    int failure = errno;
    if (close(fd) != 0 && good) {
        failure = errno;
        good = false;
    }
    if (good && rename(temp, path) == 0) {
        return true;
    }
    failure = good ? errno : failure;
    unlink(temp);
    errno = failure;
    return false;
}

bool cli_write(const char *path, const char *text)
{
    char *temp = cli_fmt("%s.XXXXXX", path);
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    return settle(fd, write_all(fd, text, strlen(text)), temp, path);
}

bool cli_copy_file(const char *from, const char *to)
{
    struct stat st;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) {
        return false;
    }
    char *temp = cli_fmt("%s.XXXXXX", to);
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) {
        int failure = errno;
        close(in);
        errno = failure;
        return false;
    }
    size_t room = 1 << 20;
    char *buf = cli_alloc(room);
    bool good = fstat(in, &st) == 0 && fchmod(fd, st.st_mode & 0777) == 0;
    ssize_t n = 1;
    while (good && n != 0) {
        n = read(in, buf, room);
        good = n >= 0 ? write_all(fd, buf, (size_t)n) : errno == EINTR;
    }
    int failure = errno;
    close(in);
    errno = failure;
    return settle(fd, good, temp, to);
}

bool cli_is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool cli_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *cli_real(const char *path)
{
    char *found = realpath(path, NULL);
    if (found == NULL) {
        return NULL;
    }
    char *copy = cli_copy(found);
    free(found);
    return copy;
}

static bool is_program(const char *path)
{
    return cli_is_file(path) && access(path, X_OK) == 0;
}

char *cli_find_program(const char *name)
{
    if (strchr(name, '/') != NULL) {
        return is_program(name) ? cli_copy(name) : NULL;
    }
    const char *path = getenv("PATH");
    if (path == NULL) {
        path = "/usr/local/bin:/usr/bin:/bin";
    }
    for (;;) {
        size_t n = strcspn(path, ":");
        const char *dir = n == 0 ? "." : cli_copy_n(path, n);
        char *candidate = cli_fmt("%s/%s", dir, name);
        if (is_program(candidate)) {
            return candidate;
        }
        if (path[n] == '\0') {
            return NULL;
        }
        path += n + 1;
    }
}

bool cli_make_dirs(const char *path, mode_t mode)
{
    char *part = cli_copy(path);
    for (char *p = part + 1; *p != '\0'; p++) {
        if (*p == '/') {
            *p = '\0';
            if (mkdir(part, mode) != 0 && errno != EEXIST) {
                return false;
            }
            *p = '/';
        }
    }
    return mkdir(part, mode) == 0 || errno == EEXIST;
}

int cli_lock_dir(const char *path, int how)
{
    struct stat held;
    struct stat named;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    int failure = 0;
    if (flock(fd, how) != 0 || fstat(fd, &held) != 0 || lstat(path, &named) != 0) {
        failure = errno;
    } else if (held.st_dev != named.st_dev || held.st_ino != named.st_ino) {
        failure = ENOENT;
    }
    if (failure != 0) {
        close(fd);
        errno = failure;
        return -1;
    }
    return fd;
}

/* Empties a directory of files; directories in it go when they are empty or hold only files. The
 * descriptor stays open. */
static void remove_entries(int fd, bool deeper)
{
    /* Another descriptor of the same open directory, and with it the same lock. */
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
    if (d == NULL) {
        return;
    }
    struct dirent *e = readdir(d);
    for (; e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        if (unlinkat(dirfd(d), e->d_name, 0) != 0 && deeper) {
            int below = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below >= 0) {
                remove_entries(below, false);
                close(below);
            }
            unlinkat(fd, e->d_name, AT_REMOVEDIR);
        }
    }
    closedir(d);
}

bool cli_remove_tree(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT;
    }
    remove_entries(fd, true);
    close(fd);
    return rmdir(path) == 0 || errno == ENOENT;
}

bool cli_remove_unlocked(const char *path)
{
    int fd = cli_lock_dir(path, LOCK_EX | LOCK_NB);
    if (fd < 0) {
        return errno == ENOENT;
    }
    remove_entries(fd, true);
    bool gone = rmdir(path) == 0 || errno == ENOENT;
    close(fd);
    return gone;
}
