/* SPDX-License-Identifier: MIT */
/* target.c: finding libgort in a process, and reading its memory.
 *
 * goi_top lies in the initialised data of the executable or of libgort.so: those mappings are
 * searched for its first bytes. Reading does not stop the process; what is read may be half of one
 * moment and half of the next, and whoever uses it must bear that.
 */
#include "top.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 64 << 10, SEARCH_MAX = 64 << 20, PIECES = 512 };

void top_die(int status, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fflush(stdout);
    fprintf(stderr, "%s: ", top_command);
    vfprintf(stderr, format, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    exit(status);
}

bool target_read(const struct target *t, uintptr_t at, void *to, size_t n)
{
    struct iovec local = {to, n};
    struct iovec remote = {(void *)at, n};
    return process_vm_readv(t->pid, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

/* One call reads up to the first piece that is not there; the next call goes on behind that. */
void target_read_all(const struct target *t, struct iovec *local, const struct iovec *remote,
                     size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t most = n - i < PIECES ? n - i : PIECES;
        ssize_t got = process_vm_readv(t->pid, local + i, most, remote + i, most, 0);
        size_t end = i + most;
        for (; i < end && got >= (ssize_t)local[i].iov_len; i++) {
            got -= (ssize_t)local[i].iov_len;
        }
        if (i < end) {
            local[i++].iov_len = 0;
        }
    }
}

bool target_lives(const struct target *t)
{
    char path[64];
    char line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", t->pid);
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        return false;
    }
    const char *name = fgets(line, sizeof line, f) != NULL ? strrchr(line, ')') : NULL;
    fclose(f);
    return name != NULL && name[2] != 'Z' && name[2] != 'X';
}

static void add_mapping(struct target *t, const char *line)
{
    unsigned long lo;
    unsigned long hi;
    unsigned long offset;
    unsigned long inode;
    char rights[8];
    int at = 0;
    if (sscanf(line, "%lx-%lx %7s %lx %*s %lu %n", &lo, &hi, rights, &offset, &inode, &at) != 5) {
        return;
    }
    t->map = realloc(t->map, (t->maps + 1) * sizeof *t->map);
    if (t->map == NULL) {
        top_die(TOP_FAILED, "out of memory");
    }
    t->map[t->maps++] = (struct mapping){.lo = lo,
                                         .hi = hi,
                                         .offset = offset,
                                         .writable = rights[1] == 'w',
                                         .from_file = inode != 0 && line[at] == '/',
                                         .path = strdup(line + at)};
}

void target_read_maps(struct target *t)
{
    char path[64];
    char line[4096 + 128];
    snprintf(path, sizeof path, "/proc/%d/maps", t->pid);
    FILE *f = fopen(path, "r");
    if (f == NULL || fgets(line, sizeof line, f) == NULL) { /* it has ended: what was, stays */
        if (f != NULL) {
            fclose(f);
        }
        return;
    }
    for (size_t i = 0; i < t->maps; i++) {
        free(t->map[i].path);
    }
    t->maps = 0;
    line[strcspn(line, "\n")] = '\0';
    add_mapping(t, line);
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        add_mapping(t, line);
    }
    fclose(f);
}

static void read_name(struct target *t)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", t->pid);
    FILE *f = fopen(path, "r");
    if (f != NULL && fgets(t->name, sizeof t->name, f) != NULL) {
        t->name[strcspn(t->name, "\n")] = '\0';
    }
    if (f != NULL) {
        fclose(f);
    }
}

/* May we? The first byte of the first mapping says so. False: it has ended. */
static bool ask(const struct target *t)
{
    char byte;
    struct iovec local = {&byte, 1};
    struct iovec remote = {t->maps > 0 ? (void *)t->map[0].lo : NULL, 1};
    ssize_t n = process_vm_readv(t->pid, &local, 1, &remote, 1, 0);
    if (n < 0 && errno == EPERM) {
        top_die(TOP_FAILED,
                "not allowed to look into process %d (%s): that takes the rights of a debugger: "
                "its user, and kernel.yama.ptrace_scope=0, or root", t->pid, t->name);
    }
    if (n < 0 && errno == ENOSYS) {
        top_die(TOP_FAILED, "cannot look into process %d (%s): %s", t->pid, t->name,
                strerror(errno));
    }
    return n >= 0 || errno != ESRCH;
}

/* Looks for goi_top in one mapping. `started` false: it is there, but nothing has called it yet. */
static bool search(struct target *t, const struct mapping *m, bool *started)
{
    static char block[BLOCK + sizeof(struct goi_top)];
    size_t size = m->hi - m->lo;
    for (size_t at = 0; at < size && at < SEARCH_MAX; at += BLOCK) {
        size_t n = size - at < sizeof block ? size - at : sizeof block;
        if (!target_read(t, m->lo + at, block, n)) {
            return false;
        }
        for (size_t i = 0; i < BLOCK && i + sizeof(struct goi_top) <= n; i += 8) {
            if (memcmp(block + i + 1, &GOI_TOP_MAGIC[1], sizeof(GOI_TOP_MAGIC) - 1) == 0 &&
                (block[i] == '?' || block[i] == '!')) {
                t->top = m->lo + at + i;
                memcpy(&t->at, block + i, sizeof t->at);
                *started = block[i] == '!';
                return true;
            }
        }
    }
    return false;
}

static void check_layout(const struct target *t)
{
    static const uint32_t layout[] = GOI_TOP_LAYOUT;
    if (t->at.version != GOI_TOP_VERSION || t->at.size != sizeof t->at ||
        memcmp(t->at.layout, layout, sizeof layout) != 0) {
        top_die(TOP_FAILED, "process %d (%s) was built with another version of Gort than this "
                            "%s: use the one of that installation", t->pid, t->name, top_command);
    }
}

static int machine_of(int pid)
{
    char path[64];
    Elf64_Ehdr head = {0};
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, &head, sizeof head) : -1;
    if (fd >= 0) {
        close(fd);
    }
    return n == (ssize_t)sizeof head ? head.e_machine : EM_NONE;
}

/* Is libgort in it; and has it been called? */
static bool find(struct target *t, bool *started)
{
    for (size_t i = 0; i < t->maps; i++) {
        if (t->map[i].writable && t->map[i].from_file && search(t, &t->map[i], started)) {
            return true;
        }
    }
    return false;
}

bool target_try(struct target *t, int pid)
{
    bool started = false;
    t->pid = pid;
    read_name(t);
    target_read_maps(t);
    if (!target_lives(t) || !ask(t) || !find(t, &started) || !started) {
        return false;
    }
    check_layout(t);
    t->machine = machine_of(pid);
    return true;
}

void target_open(struct target *t, int pid)
{
    memset(t, 0, sizeof *t);
    t->pid = pid;
    if (kill(pid, 0) != 0 && errno == ESRCH) {
        top_die(TOP_FAILED, "there is no process %d", pid);
    }
    read_name(t);
    target_read_maps(t);
    if (!target_lives(t) || !ask(t)) {
        top_die(TOP_FAILED, "process %d (%s) has ended", pid, t->name);
    }
    bool started = false;
    if (!find(t, &started)) {
        top_die(TOP_FAILED, "there is no libgort in process %d (%s)", pid, t->name);
    }
    check_layout(t);
    if (!started) {
        top_die(TOP_FAILED, "process %d (%s) has not called libgort yet", pid, t->name);
    }
    t->machine = machine_of(pid);
}
