/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <stdlib.h>

static void *buffer(void) { return malloc(4096); }

static go_pool buffers = { .make = buffer, .free = free };

int main(void)
{
    char *b = pool_get(&buffers);
    snprintf(b, 4096, "hello");
    puts(b);
    pool_put(&buffers, b); /* for whoever comes next; never rely on what is in it */
    pool_clear(&buffers);
}
/* Output:
hello
*/
