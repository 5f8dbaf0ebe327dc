/* SPDX-License-Identifier: MIT */
/* gort.h: everything of Gort but HTTP. The short names are in <gort/short.h>. */
#ifndef GO_GORT_H
#define GO_GORT_H

#include <gort/base.h>
#include <gort/go.h>
#include <gort/chan.h>
#include <gort/select.h>
#include <gort/sync.h>
#include <gort/time.h>
#include <gort/context.h>
#include <gort/errgroup.h>
#include <gort/poll.h>
#include <gort/net.h>
#include <gort/debug.h>

#endif
