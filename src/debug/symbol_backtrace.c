/* SPDX-License-Identifier: MIT */
/* symbol_backtrace.c: functions and lines by libbacktrace, from DWARF or else from symbol tables.
 *
 * The first use reads the debug information of everything loaded, which takes some milliseconds;
 * later ones are table searches. But that of libc, where a system has it, lies in a file of its own
 * below /usr/lib/debug and takes 100 ms, and few traces go through libc. So there are two states:
 * the first does without such files, the second, for what the first does not know, reads them too.
 * libbacktrace takes its memory from mmap, so it works in a process whose heap is broken.
 */
#include "debug/internal.h"
#include <backtrace.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum state { OF_PROGRAM, OF_ALL };
/* struct backtrace_state *; made twice in a race, which is harmless */
static goi_aptr state_word[2];
static goi_a32 sparing; /* while not 0, files below /usr/lib/debug are not there */

static void ignore(void *data, const char *message, int errnum)
{
    (void)data;
    (void)message;
    (void)errnum;
}

/* The two functions by which libbacktrace opens and closes files, as it has them. Weak: where its
 * own are linked all the same, every use reads everything. */
int backtrace_open(const char *name, backtrace_error_callback fail, void *data, int *none) GOI_WEAK;
int backtrace_close(int fd, backtrace_error_callback fail, void *data) GOI_WEAK;

int backtrace_open(const char *name, backtrace_error_callback fail, void *data, int *none)
{
    static const char apart[] = "/usr/lib/debug/";
    bool there = ld_rlx(&sparing) == 0 || strncmp(name, apart, sizeof apart - 1) != 0;
    int fd = there ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    bool missing = fd < 0 && (!there || errno == ENOENT || errno == EACCES);
    if (none != NULL) {
        *none = missing;
    }
    if (fd < 0 && (none == NULL || !missing)) {
        fail(data, name, errno);
    }
    return fd;
}

int backtrace_close(int fd, backtrace_error_callback fail, void *data)
{
    if (close(fd) != 0) {
        fail(data, "close", errno);
        return 0;
    }
    return 1;
}

static struct backtrace_state *state(enum state which)
{
    struct backtrace_state *s = ld_acq(&state_word[which]); /* [SYMBOL] */
    if (s == NULL) {
        s = backtrace_create_state(NULL, 1, ignore, NULL);
        st_rel(&state_word[which], s); /* [SYMBOL] */
    }
    return s;
}

struct lookup {
    void (*fn)(const struct goi_symbol *s, void *arg);
    void *arg;
    uintptr_t pc;
    struct backtrace_state *state;
    bool found;
};

static void on_name(void *data, uintptr_t pc, const char *name, uintptr_t value, uintptr_t size)
{
    const char **out = data;
    (void)pc;
    (void)value;
    (void)size;
    *out = name;
}

static int on_frame(void *data, uintptr_t pc, const char *file, int line, const char *function)
{
    struct lookup *l = data;
    if (file == NULL && function == NULL) {
        return 0;
    }
    if (function == NULL) {
        backtrace_syminfo(l->state, pc, on_name, ignore, &function);
    }
    struct goi_symbol s = {.function = function, .file = file, .line = line};
    l->found = true;
    l->fn(&s, l->arg);
    return 0;
}

void goi_symbolize(uintptr_t pc, void (*fn)(const struct goi_symbol *s, void *arg), void *arg)
{
    struct lookup l = {.fn = fn, .arg = arg, .pc = pc, .state = state(OF_PROGRAM)};
    if (l.state != NULL) {
        st_rlx(&sparing, 1); /* [stat] by two threads at once: one of them reads more, or less */
        backtrace_pcinfo(l.state, pc, on_frame, ignore, &l);
        st_rlx(&sparing, 0); /* [stat] */
    }
    struct backtrace_state *s = l.found ? NULL : state(OF_ALL);
    if (s != NULL) {
        l.state = s;
        backtrace_pcinfo(s, pc, on_frame, ignore, &l);
    }
    if (l.found) {
        return;
    }
    struct goi_symbol sym = {0};
    Dl_info info;
    if (s != NULL) {
        backtrace_syminfo(s, pc, on_name, ignore, &sym.function);
    }
    if (dladdr((void *)pc, &info) != 0) {
        sym.object = info.dli_fname;
        sym.offset = pc - (uintptr_t)info.dli_fbase;
        sym.function = sym.function != NULL ? sym.function : info.dli_sname;
    }
    fn(&sym, arg);
}
