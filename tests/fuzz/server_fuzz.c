/* SPDX-License-Identifier: MIT */
/* server_fuzz.c: the byte stream of a connection under libFuzzer (fuzz.sh builds and runs it). The
 * first two bytes of an input say where it is split. */
#include "server.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    /* The fuzzer switches the leak checker off and on around inputs, for the thread it finds. */
    go_lock_thread();
    fuzz_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2 || n > FUZZ_INPUT_MAX) {
        return 0;
    }
    size_t split = (size_t)data[0] << 8 | data[1];
    if (!fuzz_try((const char *)data + 2, n - 2, split % (n - 1))) {
        abort();
    }
    return 0;
}
