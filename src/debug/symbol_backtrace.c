/* SPDX-License-Identifier: MIT */
/* symbol_backtrace.c: functions and lines by libbacktrace, from DWARF or else from symbol tables.
 *
 * The first use reads the debug information of everything loaded (50 to 80 ms); later ones are
 * table searches. libbacktrace takes its memory from mmap, so it works in a process whose heap is
 * broken.
 */
#include "debug/internal.h"
#include <backtrace.h>
#include <dlfcn.h>

static goi_aptr state_word; /* struct backtrace_state *; made twice in a race, which is harmless */

static void ignore(void *data, const char *message, int errnum)
{
    (void)data;
    (void)message;
    (void)errnum;
}

static struct backtrace_state *state(void)
{
    struct backtrace_state *s = ld_acq(&state_word); /* [SYMBOL] */
    if (s == NULL) {
        s = backtrace_create_state(NULL, 1, ignore, NULL);
        st_rel(&state_word, s); /* [SYMBOL] */
    }
    return s;
}

struct lookup {
    void (*fn)(const struct goi_symbol *s, void *arg);
    void *arg;
    uintptr_t pc;
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
        backtrace_syminfo(state(), pc, on_name, ignore, &function);
    }
    struct goi_symbol s = {.function = function, .file = file, .line = line};
    l->found = true;
    l->fn(&s, l->arg);
    return 0;
}

void goi_symbolize(uintptr_t pc, void (*fn)(const struct goi_symbol *s, void *arg), void *arg)
{
    struct lookup l = {.fn = fn, .arg = arg, .pc = pc};
    struct backtrace_state *s = state();
    if (s != NULL) {
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
