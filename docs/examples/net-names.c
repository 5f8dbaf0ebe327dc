/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <stdio.h>

int main(void)
{
    char text[64];
    go_addrs all;
    if (go_resolve(NULL, "tcp", "[2001:db8::7]:443", &all) == 0) {
        printf("%zu: %s\n", all.count, go_addr_format(&all.addr[0], text, sizeof text));
    }
    if (go_lookup_host(NULL, "192.0.2.1", &all) == 0) {
        printf("%zu: %s\n", all.count, go_addr_format(&all.addr[0], text, sizeof text));
    }
}
/* Output:
1: [2001:db8::7]:443
1: 192.0.2.1:0
*/
