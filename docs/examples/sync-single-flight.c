/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static go_single flights;

static int fetch(void *arg, void **result)
{
    *result = arg; /* a slow request, made once however many ask for it meanwhile */
    return 0;
}

int main(void)
{
    void *page;
    bool shared;
    int r = single_do(&flights, "/index", fetch, "the page", &page, &shared);
    printf("%d %s %d\n", r, (const char *)page, shared);
}
/* Output:
0 the page 0
*/
