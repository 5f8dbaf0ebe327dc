/* SPDX-License-Identifier: MIT */
/* proc.c: children, and the signals that arrive while one runs.
 *
 * Ctrl-C during a compilation must leave neither a running compiler nor a temporary directory, and
 * the shell must see the command die of SIGINT. So the signals that end the command are blocked
 * while a child runs and taken one by one with sigwaitinfo, beside SIGCHLD: there is no handler and
 * no window between looking and sleeping. A signal is handed on to the child (which may have had
 * it from the terminal already; a second one does no harm), the child is waited for, the
 * temporary directory is dropped, and then the command dies of the signal itself. A signal that
 * our parent told us to ignore (nohup) stays ignored for both.
 */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

static void watched(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
        struct sigaction now;
        if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN) {
            sigaddset(set, ending[i]);
        }
    }
}

/* A parent may leave SIGCHLD ignored, which would take our children's status away. */
static void child_status_wanted(void)
{
    struct sigaction plain;
    memset(&plain, 0, sizeof plain);
    plain.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &plain, NULL);
}

_Noreturn static void die_of(int sig)
{
    sigset_t only;
    cli_cache_temp_drop();
    signal(sig, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, sig);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    raise(sig);
    _exit(128 + sig);
}

static pid_t start(const struct list *argv, int out, const sigset_t *mask)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (out >= 0) {
        posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
    }
    posix_spawnattr_setsigmask(&attributes, mask);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int failure = posix_spawnp(&pid, argv->item[0], &files, &attributes, argv->item, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    errno = failure;
    return failure == 0 ? pid : -1;
}

/* Waits for the child; *sig is the first signal that asked the command to end. */
static int await(pid_t pid, const sigset_t *set, int *sig)
{
    int status = -1;
    for (;;) {
        pid_t gone = waitpid(pid, &status, WNOHANG);
        if (gone == pid || (gone < 0 && errno != EINTR)) {
            return status;
        }
        siginfo_t info;
        int got = sigwaitinfo(set, &info);
        if (got > 0 && got != SIGCHLD) {
            *sig = *sig == 0 ? got : *sig;
            kill(pid, got);
        }
    }
}

static int run(const struct list *argv, int out)
{
    sigset_t set;
    sigset_t before;
    int sig = 0;
    int status = -1;
    cli_say_command(argv);
    child_status_wanted();
    watched(&set);
    sigprocmask(SIG_BLOCK, &set, &before);
    pid_t pid = start(argv, out, &before);
    int failure = errno;
    if (pid > 0) {
        status = await(pid, &set, &sig);
    }
    if (sig != 0) {
        die_of(sig);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = failure;
    return status;
}

int cli_run(const struct list *argv)
{
    return run(argv, -1);
}

int cli_run_capture(const struct list *argv, char **out)
{
    /* A file, not a pipe: nobody has to read while the child writes. */
    bool verbose = cli_verbose;
    int fd = memfd_create("gort", MFD_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    cli_verbose = false;
    int status = run(argv, fd);
    cli_verbose = verbose;
    int failure = errno;
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = cli_alloc(size > 0 ? (size_t)size + 1 : 1);
    ssize_t n = size > 0 ? pread(fd, text, (size_t)size, 0) : 0;
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    *out = text;
    errno = failure;
    return status;
}

int cli_status(int wait_status)
{
    if (wait_status == -1) {
        return 127;
    }
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}
