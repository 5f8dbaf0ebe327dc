/* SPDX-License-Identifier: MIT */
/* knobs.h: what GORTDEBUG and GORTTRACEBACK say. Constant after goi_knobs_init(). */
#ifndef GOI_DEBUG_KNOBS_H
#define GOI_DEBUG_KNOBS_H
#include "base/base.h"

enum goi_knob_kind { GOI_KNOB_NUMBER, GOI_KNOB_MS, GOI_KNOB_WORD, GOI_KNOB_TEXT };

struct goi_knobs {
#define KNOB(name, kind, example, text) uint64_t name; /* MS: nanoseconds; WORD: 1, 2, ... */
#include "debug/knobs.def"
#undef KNOB
};
extern struct goi_knobs goi_knobs;

/* What a TEXT field says; NULL: nothing. */
GOI_INLINE const char *goi_knob_text(uint64_t value) { return (const char *)(uintptr_t)value; }

struct goi_knob {
    const char *name, *example, *text;
    enum goi_knob_kind kind;
    size_t offset;
};
extern const struct goi_knob goi_knob_table[];
extern const size_t goi_knob_count;

/* GORTTRACEBACK, as GOTRACEBACK: how much a crash prints. */
enum goi_traceback {
    GOI_TRACEBACK_NONE,     /* the message only */
    GOI_TRACEBACK_SINGLE,   /* the goroutine that panicked; all, where the whole program failed */
    GOI_TRACEBACK_ALL,      /* all goroutines of the program */
    GOI_TRACEBACK_SYSTEM,   /* those of the runtime as well, and the runtime's own frames */
    GOI_TRACEBACK_CRASH,    /* as system; then aborts, for a core file */
};
extern enum goi_traceback goi_traceback;

/* Parses one GORTDEBUG text into *k. Complaints go to fd, unless negative. For tests. */
void goi_knobs_parse(struct goi_knobs *k, const char *text, int fd);
enum goi_traceback goi_traceback_parse(const char *text);

#endif
