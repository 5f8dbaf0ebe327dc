/* SPDX-License-Identifier: MIT */
/* debug.h: looking inside a running program. */
#ifndef GO_DEBUG_H
#define GO_DEBUG_H

#include <gort/base.h>

GO_BEGIN_DECLS

/* Writes every goroutine to fd, as SIGQUIT does: number, state, for how long, where it stands,
 * where it was made. The others go on meanwhile, so each is shown at its own moment. */
GO_API void go_dump(int fd);

GO_END_DECLS

#endif
