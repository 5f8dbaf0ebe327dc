/* SPDX-License-Identifier: MIT */
/* metrics_table.c: metrics.def as a table. */
#include "debug/metrics.h"

const struct goi_metric goi_metric_table[] = {
#define METRIC(name, unit, kind, field, text)                                                      \
    {name, unit, text, GOI_##kind, offsetof(struct goi_metrics, field)},
#include "debug/metrics.def"
#undef METRIC
};
const size_t goi_metric_count = goi_countof(goi_metric_table);
