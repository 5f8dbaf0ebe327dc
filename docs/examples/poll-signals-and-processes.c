/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

int main(void)
{
    chan(int) signals = chan_make(int, 1);
    if (go_signal_notify(signals, SIGUSR1) != 0) {
        return 1;
    }
    raise(SIGUSR1);
    printf("%d\n", chan_recv(signals) == SIGUSR1);
    go_signal_stop(signals);
    chan_free(signals);

    go_ctx *ctx = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
    raise(SIGINT);
    chan_recv(ctx_done(ctx));
    printf("%s\n", ctx_cause(ctx));
    ctx_free(ctx);

    int status;
    pid_t pid;
    char *argv[] = {"sh", "-c", "exit 3", NULL};
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, NULL) == 0 &&
        go_process_wait(NULL, pid, &status) == 0) {
        printf("%d\n", WEXITSTATUS(status));
    }
}
/* Output:
1
interrupt signal received
3
*/
