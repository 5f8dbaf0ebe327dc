/* SPDX-License-Identifier: MIT */
/* inspect.c (Linux): /proc/self, read by system calls alone. Contracts: os/inspect.h. */
#include "os/inspect.h"
#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LINE = 512, PATH = 64 };

static long quiet(long r, int saved)
{
    errno = saved;
    return r;
}

static int open_quiet(const char *path, int flags)
{
    int saved = errno;
    return (int)quiet(open(path, flags | O_RDONLY | O_CLOEXEC), saved);
}

static void close_quiet(int fd)
{
    int saved = errno;
    (void)quiet(close(fd), saved);
}

static ssize_t read_quiet(int fd, void *to, size_t n)
{
    int saved = errno;
    return quiet(read(fd, to, n), saved);
}

/* --- /proc/self/maps */

static uintptr_t parse_hex(const char **s)
{
    uintptr_t x = 0;
    for (;; ++*s) { /* ends at the first that is no digit */
        char c = **s;
        if (c >= '0' && c <= '9') {
            x = x << 4 | (uintptr_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            x = x << 4 | (uintptr_t)(c - 'a' + 10);
        } else {
            return x;
        }
    }
}

static const char *skip_word(const char *s)
{
    s += strcspn(s, " ");
    return s + strspn(s, " ");
}

static bool begins(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }

static enum gop_mapping_kind kind_of(const char *mode, const char *inode, const char *name)
{
    bool write = mode[1] == 'w';
    bool shared = mode[3] == 's';
    if (mode[0] != 'r' || begins(name, "[v")) {
        return GOP_MAPPING_OTHER;
    }
    if (begins(name, "[stack]")) {
        return GOP_MAPPING_STACK;
    }
    if (begins(name, "[heap]")) {
        return GOP_MAPPING_BREAK;
    }
    if (shared) {
        bool memory = begins(name, "/dev/shm/") || begins(name, "/dev/zero") ||
                      begins(name, "/memfd:") || begins(name, "/SYSV") || begins(name, "[anon");
        return memory && write ? GOP_MAPPING_SHARED : GOP_MAPPING_OTHER;
    }
    if (inode[0] == '0' && (inode[1] == ' ' || inode[1] == '\0')) {
        return GOP_MAPPING_ANONYMOUS;
    }
    return write && !begins(name, "/dev/") ? GOP_MAPPING_DATA : GOP_MAPPING_OTHER;
}

/* "lo-hi mode offset device inode   name", without its end of line. */
static bool parse_line(const char *s, struct gop_mapping *m)
{
    m->lo = parse_hex(&s);
    if (*s++ != '-') {
        return false;
    }
    m->hi = parse_hex(&s);
    const char *mode = skip_word(s);
    if (strlen(mode) < 4) {
        return false;
    }
    const char *inode = skip_word(skip_word(skip_word(mode)));
    m->kind = kind_of(mode, inode, skip_word(inode));
    return true;
}

struct lines { char text[LINE]; size_t n; };

/* Takes one more byte; true when a line is complete. Of a long one the beginning is enough. */
static bool add_byte(struct lines *l, char c)
{
    if (c != '\n') {
        if (l->n < LINE - 1) {
            l->text[l->n++] = c;
        }
        return false;
    }
    l->text[l->n] = '\0';
    l->n = 0;
    return true;
}

/* Calls fn with each line of a file until it returns false. True: with all of them. */
static bool each_line(const char *path, bool (*fn)(const char *line, void *arg), void *arg)
{
    struct lines l = {.n = 0};
    char part[256];
    bool ok = true;
    int fd = open_quiet(path, 0);
    if (fd < 0) {
        return false;
    }
    ssize_t got = read_quiet(fd, part, sizeof part);
    for (; ok && got > 0; got = ok ? read_quiet(fd, part, sizeof part) : 0) {
        for (ssize_t i = 0; ok && i < got; i++) {
            ok = !add_byte(&l, part[i]) || fn(l.text, arg);
        }
    }
    close_quiet(fd);
    return ok && got == 0;
}

struct each_mapping { bool (*fn)(const struct gop_mapping *m, void *arg); void *arg; };

static bool mapping_line(const char *line, void *arg)
{
    struct each_mapping *e = arg;
    struct gop_mapping m;
    return parse_line(line, &m) && (m.kind == GOP_MAPPING_OTHER || e->fn(&m, e->arg));
}

bool gop_mappings(bool (*fn)(const struct gop_mapping *m, void *arg), void *arg)
{
    struct each_mapping e = {.fn = fn, .arg = arg};
    return each_line("/proc/self/maps", mapping_line, &e);
}

/* --- pages */

int gop_pages_look_open(void) { return open_quiet("/proc/self/pagemap", 0); }

void gop_pages_look_close(int look) { close_quiet(look); }

bool gop_pages_look(int look, uintptr_t page, size_t n, uint8_t *state)
{
    uint64_t entry[GOP_PAGES_LOOK];
    int saved = errno;
    off_t at = (off_t)(page / gop_page_size() * sizeof entry[0]);
    if (n > GOP_PAGES_LOOK ||
        quiet(pread(look, entry, n * sizeof entry[0], at), saved) != (long)(n * sizeof entry[0])) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        state[i] = (entry[i] >> 63 & 1) != 0   ? GOP_PAGE_PRESENT
                   : (entry[i] >> 62 & 1) != 0 ? GOP_PAGE_SWAPPED
                                               : GOP_PAGE_ABSENT;
    }
    return true;
}

size_t gop_memory_read(void *to, uintptr_t from, size_t n)
{
    struct iovec local = {to, n};
    struct iovec remote = {(void *)from, n};
    int saved = errno;
    ssize_t got = quiet(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), saved);
    return got > 0 ? (size_t)got : 0;
}

/* --- threads */

/* "/proc/self/task/", the number, "/", the name. */
static void task_path(char path[PATH], int tid, const char *name)
{
    char digits[16];
    size_t d = sizeof digits;
    do { /* ends: fewer digits each time */
        digits[--d] = (char)('0' + tid % 10);
        tid /= 10;
    } while (tid > 0);
    memcpy(path, "/proc/self/task/", 16);
    memcpy(path + 16, digits + d, sizeof digits - d);
    size_t n = 16 + sizeof digits - d;
    path[n++] = '/';
    memcpy(path + n, name, strlen(name) + 1);
}

/* The kernel's, which glibc 2.36 does not declare without a cost. */
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

static int number_of(const char *s)
{
    int n = 0;
    for (; *s >= '0' && *s <= '9'; s++) {
        n = n * 10 + (*s - '0');
    }
    return *s == '\0' ? n : 0;
}

bool gop_threads(bool (*fn)(int tid, void *arg), void *arg)
{
    _Alignas(struct entry) char part[512];
    bool ok = true;
    int saved = errno;
    int fd = open_quiet("/proc/self/task", O_DIRECTORY);
    if (fd < 0) {
        return false;
    }
    long got = quiet(syscall(SYS_getdents64, fd, part, sizeof part), saved);
    while (ok && got > 0) {
        for (long at = 0; ok && at < got;) {
            const struct entry *e = (const struct entry *)(const void *)(part + at);
            int tid = number_of(e->name);
            ok = tid == 0 || fn(tid, arg);
            at += e->size;
        }
        if (ok) {
            got = quiet(syscall(SYS_getdents64, fd, part, sizeof part), saved);
        }
    }
    close_quiet(fd);
    return ok && got == 0;
}

struct mask { int sig; bool known, blocked; };

static bool mask_line(const char *line, void *arg)
{
    struct mask *m = arg;
    if (!begins(line, "SigBlk:")) {
        return true;
    }
    line += strlen("SigBlk:");
    line += strspn(line, " \t");
    m->blocked = ((uint64_t)parse_hex(&line) >> (m->sig - 1) & 1) != 0;
    m->known = true;
    return false;
}

bool gop_thread_takes(int tid, int sig)
{
    char path[PATH];
    struct mask m = {.sig = sig};
    task_path(path, tid, "status");
    (void)each_line(path, mask_line, &m);
    return m.known && !m.blocked;
}

bool gop_thread_signal(int tid, int sig)
{
    int saved = errno;
    return quiet(syscall(SYS_tgkill, getpid(), tid, sig), saved) == 0;
}
