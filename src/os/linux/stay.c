/* SPDX-License-Identifier: MIT */
/* stay.c: the object that this code is in stays in memory after dlclose. */
#include "os/os.h"
#include <dlfcn.h>
#include <link.h>

/* In a static executable nobody defines it, and nothing can be closed. */
extern __typeof__(dlopen) dlopen GOI_WEAK;

static int find(struct dl_phdr_info *info, size_t size, void *name)
{
    (void)size;
    uintptr_t here = (uintptr_t)gop_stay_loaded;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type == PT_LOAD && here - info->dlpi_addr - ph->p_vaddr < ph->p_memsz) {
            *(const char **)name = info->dlpi_name;
            return 1;
        }
    }
    return 0;
}

void gop_stay_loaded(void)
{
    const char *name = NULL;
    (void)dl_iterate_phdr(find, &name);
    if (name == NULL || *name == '\0' || dlopen == NULL) {
        return; /* the program itself */
    }
    /* The handle is kept: that alone would do where there is no NODELETE. */
    (void)dlopen(name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}
