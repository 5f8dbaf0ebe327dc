/* SPDX-License-Identifier: MIT */
/* process_test.c: waiting for child processes. */
#include "net/internal.h"
#include "net_test.h"
#include <gort/short.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static pid_t start(const char *script)
{
    pid_t pid = 0;
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)(uintptr_t)script, NULL};
    REQUIRE_EQ_INT(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ), 0);
    return pid;
}

TEST(process, its_status_is_told)
{
    int status = -1;
    pid_t pid = start("exit 7");
    REQUIRE_EQ_INT(go_process_wait(NULL, pid, &status), 0);
    EXPECT(WIFEXITED(status));
    EXPECT_EQ_INT(WEXITSTATUS(status), 7);
    EXPECT_EQ_INT(go_process_wait(NULL, pid, &status), -ECHILD);
    EXPECT_EQ_INT(go_process_wait(NULL, 1, NULL), -ECHILD);
    EXPECT_EQ_INT(go_process_wait(NULL, 0, NULL), -EINVAL);
}

static void wait_for(pid_t pid, int *status, go_waitgroup *over)
{
    EXPECT_EQ_INT(go_process_wait(NULL, pid, status), 0);
    wg_done(over);
}

TEST(process, many_are_waited_for_at_once)
{
    enum { N = 8 };
    int status[N];
    go_waitgroup over = {0};
    wg_add(&over, N);
    for (int i = 0; i < N; i++) {
        go(wait_for, start(i % 2 == 0 ? "exit 0" : "exit 1"), &status[i], &over);
    }
    wg_wait(&over);
    for (int i = 0; i < N; i++) {
        EXPECT_EQ_INT(WEXITSTATUS(status[i]), i % 2);
    }
}

static void context_leaves_it(int (*wait)(go_ctx *, pid_t, int *))
{
    int status;
    pid_t pid = start("exec sleep 1000");
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 5 * GO_MS);
    EXPECT_EQ_INT(wait(ctx, pid, &status), -ETIMEDOUT);
    EXPECT_EQ_INT(wait(ctx, pid, &status), -ETIMEDOUT);
    ctx_free(ctx);
    kill(pid, SIGKILL);
    EXPECT_EQ_INT(wait(NULL, pid, &status), 0);
    EXPECT(WIFSIGNALED(status));
}

TEST(process, a_context_ends_the_wait_and_leaves_the_process)
{
    context_leaves_it(go_process_wait);
}

TEST(process, the_same_without_pidfd) { context_leaves_it(goi_process_poll); }

TEST(process, speaks_through_pipes)
{
    enum { READ = 0, WRITE = 1 };
    int in[2];
    char buf[64];
    int status;
    go_conn *from;
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)"echo one; echo two", NULL};
    REQUIRE_EQ_INT(pipe(in), 0);
    REQUIRE_EQ_INT(go_conn_open(in[READ], &from), 0);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in[WRITE], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&files, in[READ]);
    REQUIRE_EQ_INT(posix_spawn(&pid, "/bin/sh", &files, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&files);
    close(in[WRITE]);
    EXPECT_EQ_INT(read_all(from, buf, sizeof buf), 8);
    EXPECT_EQ_MEM(buf, "one\ntwo\n", 8);
    EXPECT_EQ_INT(conn_close(from), 0);
    EXPECT_EQ_INT(go_process_wait(NULL, pid, &status), 0);
}
