/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <unistd.h>

static void write_later(int fd)
{
    go_sleep(2 * GO_MS);
    if (write(fd, "x", 1) != 1) {
        printf("nobody reads\n");
    }
}

int main(void)
{
    int fd[2];
    if (pipe(fd) != 0) {
        return 1;
    }
    printf("%d\n", go_fd_wait(fd[0], GO_READ, go_now() + GO_MS) == -ETIMEDOUT);
    go(write_later, fd[1]);
    printf("%d\n", go_fd_wait(fd[0], GO_READ, GO_FOREVER) == GO_READ);
    close(fd[0]);
    close(fd[1]);
}
/* Output:
1
1
*/
