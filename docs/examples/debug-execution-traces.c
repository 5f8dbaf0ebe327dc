/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <unistd.h>

static void parse(chan(int) requests)
{
    while (chan_recv(requests) != 0) {
        go_region("parse") { /* a bar in the goroutine's row */
            go_trace_log("a request");
        }
    }
}

int main(void)
{
    chan(int) requests = chan_make(int);
    if (go_trace_start("example.pftrace") != 0) {
        return 1;
    }
    go(parse, requests);
    chan_send(requests, 1);
    chan_send(requests, 0);
    puts(go_trace_stop() == 0 ? "written" : "not written"); /* gort trace example.pftrace */
    return unlink("example.pftrace");
}
/* Output:
written
*/
