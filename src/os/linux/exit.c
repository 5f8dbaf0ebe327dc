/* SPDX-License-Identifier: MIT */
/* exit.c: libc's own pthread_exit, in front of which sched/gone.c puts another one.
 *
 * Where libc is a shared library, it is the next definition after ours. In a static executable
 * there is no next one: ours stands in the place of a weak alias, and libc's has a second name,
 * which is in the executable because thrd_exit needs it, and thrd_exit because it is named here. */
#include "os/os.h"
#include <dlfcn.h>
#include <threads.h>

extern GOI_NORETURN void __pthread_exit(void *value) GOI_WEAK;
extern __typeof__(dlsym) dlsym GOI_WEAK; /* a static executable shall not have it for our sake */

void gop_thread_exit(void *value)
{
    union { void *object; GOI_NORETURN void (*fn)(void *value); } next = {.object = NULL};
    if (__pthread_exit != NULL) {
        __pthread_exit(value);
    }
    if (dlsym != NULL) {
        next.object = dlsym(RTLD_NEXT, "pthread_exit");
    }
    if (next.object != NULL) {
        next.fn(value);
    }
    thrd_exit((int)(intptr_t)value);
}
