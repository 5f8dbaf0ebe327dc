/* SPDX-License-Identifier: MIT */
/* A program that knows nothing of Gort and loads, closes and loads a plugin that does. */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    for (int round = 0; round < 3; round++) {
        void *handle = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
        int (*plugin)(void) = NULL;
        if (handle != NULL) {
            *(void **)&plugin = dlsym(handle, "plugin");
        }
        if (plugin == NULL || plugin() != 328350) {
            printf("no plugin: %s\n", dlerror());
            return 1;
        }
        dlclose(handle);
        usleep(20000); /* its threads run, in code that must still be there */
    }
    puts("sum 4498500");
    return 0;
}
