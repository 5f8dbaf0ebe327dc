/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

int main(void)
{
    char buf[64];
    go_packet *a;
    go_packet *b;
    go_addr from;
    go_addrs to;
    if (go_listen_packet("udp", "127.0.0.1:0", &a) != 0 ||
        go_listen_packet("udp", "127.0.0.1:0", &b) != 0 ||
        go_resolve(NULL, "udp", packet_addr(b), &to) != 0) {
        return 1;
    }
    ssize_t n = packet_write_to(a, "ping", 4, &to.addr[0]);
    n = n == 4 ? packet_read_from(b, buf, sizeof buf, &from) : 0;
    printf("%.*s\n", (int)n, buf);
    n = packet_write_to(b, "pong", 4, &from);
    n = n == 4 ? packet_read_from(a, buf, sizeof buf, NULL) : 0;
    printf("%.*s\n", (int)n, buf);
    packet_close(a);
    packet_close(b);
}
/* Output:
ping
pong
*/
