/* SPDX-License-Identifier: MIT */
/* knob_table.c: knobs.def as a table. */
#include "debug/knobs.h"

const struct goi_knob goi_knob_table[] = {
#define KNOB(name, kind, example, text)                                                            \
    {#name, example, text, GOI_KNOB_##kind, offsetof(struct goi_knobs, name)},
#include "debug/knobs.def"
#undef KNOB
};
const size_t goi_knob_count = goi_countof(goi_knob_table);
