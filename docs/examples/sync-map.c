/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static bool show(go_map_key key, void *value, void *arg)
{
    (void)arg;
    printf("%s is %s\n", key.string, (const char *)value);
    return true; /* go on */
}

int main(void)
{
    go_map capitals;
    void *was;
    map_init(&capitals, GO_MAP_STRING); /* zeros would be a map with numbers for keys */
    map_store(&capitals, "Chile", "Santiago");
    bool there = map_load_or_store(&capitals, "Chile", "Valparaiso", &was);
    printf("%d %s\n", there, (const char *)was);
    map_range(&capitals, show, NULL);
    map_delete(&capitals, "Chile");
    printf("%zu\n", map_len(&capitals));
    map_free(&capitals);
}
/* Output:
1 Santiago
Chile is Santiago
0
*/
