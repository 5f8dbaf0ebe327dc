/* SPDX-License-Identifier: MIT */
/* Can libbacktrace be linked into a shared library with this compiler? */
#include <backtrace.h>
#include <stddef.h>

void *try_backtrace(void);

void *try_backtrace(void)
{
    return backtrace_create_state(NULL, 1, NULL, NULL);
}
