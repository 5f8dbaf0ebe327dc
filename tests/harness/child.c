/* SPDX-License-Identifier: MIT */
/* child.c: processes under test: started with their outputs captured, waited for, killed.
 *
 * Outputs go to memory files and not to pipes, so that a child never blocks on a reader and a
 * grandchild that keeps the descriptor open holds nobody up. A child leads a process group of its
 * own, which is what gets killed, and dies with its parent.
 */
#include "internal.h"
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        _exit(71);
    }
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

pid_t test_child_start(struct test_child *child, bool merged)
{
    struct rlimit no_core = {0, 0};
    child->out = memfd_create("stdout", MFD_CLOEXEC);
    must(child->out >= 0, "memfd_create");
    child->err = merged ? child->out : memfd_create("stderr", MFD_CLOEXEC);
    must(child->err >= 0, "memfd_create");
    /* What stands in stdio's buffers would be written twice. */
    fflush(NULL);
    pid_t parent = getpid();
    child->pid = fork();
    must(child->pid >= 0, "fork");
    if (child->pid != 0) {
        setpgid(child->pid, child->pid); /* both sides, whoever comes first */
        return child->pid;
    }
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(71);
    }
    getrlimit(RLIMIT_CORE, &no_core); /* a test may want one */
    no_core.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &no_core);
#ifdef PR_SET_PTRACER
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* gdb may look when it hangs */
#endif
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, 0);
    close(null);
    dup2(child->out, 1);
    dup2(child->err, 2);
    close(child->out);
    if (!merged) {
        close(child->err);
    }
    return 0;
}

/* Polls with a growing pause: waiting by signal would have to own SIGCHLD, and a test may be the
 * one who waits. The pause is short enough not to be felt (at most 5 ms). */
bool test_child_wait(struct test_child *child, int seconds, int *status)
{
    int64_t limit = now_ms() + (int64_t)seconds * 1000;
    long pause_ns = 50000;
    for (;;) {
        pid_t got = waitpid(child->pid, status, seconds == 0 ? 0 : WNOHANG);
        if (got == child->pid) {
            return true;
        }
        must(got == 0 || errno == EINTR, "waitpid");
        if (seconds != 0 && now_ms() >= limit) {
            return false;
        }
        struct timespec t = {0, pause_ns};
        nanosleep(&t, NULL);
        pause_ns = pause_ns < 5000000 ? pause_ns * 2 : 5000000;
    }
}

void test_child_kill(struct test_child *child)
{
    int status;
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
    }
}

char *test_child_text(int fd, size_t *size)
{
    struct stat st;
    must(fstat(fd, &st) == 0, "fstat");
    size_t n = (size_t)st.st_size;
    char *text = (char *)malloc(n + 1);
    must(text != NULL, "malloc");
    size_t got = 0;
    while (got < n) {
        ssize_t r = pread(fd, text + got, n - got, (off_t)got);
        if (r <= 0) {
            break;
        }
        got += (size_t)r;
    }
    text[got] = '\0';
    *size = got;
    close(fd);
    return text;
}

/* The wait status as the macros of harness.h write it. */
static int plain_status(int status)
{
    return WIFSIGNALED(status) ? DIED_BY(WTERMSIG(status)) : WEXITSTATUS(status);
}

void test_child_status_text(int status, char *text, size_t size)
{
    if (status >= 256) {
        snprintf(text, size, "died by signal %d (%s)", status - 256, strsignal(status - 256));
    } else {
        snprintf(text, size, "exited with status %d", status);
    }
}

static void finish_run(struct test_run *run, struct test_child *child, int seconds)
{
    int status = 0;
    run->timed_out = !test_child_wait(child, seconds * test_options.scale, &status);
    if (run->timed_out) {
        test_child_kill(child);
        status = SIGKILL;
    } else {
        kill(-child->pid, SIGKILL); /* what it may have left behind */
    }
    run->status = plain_status(status);
    run->out = test_child_text(child->out, &run->out_size);
    run->err = test_child_text(child->err, &run->err_size);
}

void test_run_function(struct test_run *run, int seconds, void (*fn)(void *arg), void *arg)
{
    struct test_child child;
    if (test_child_start(&child, false) == 0) {
        fn(arg);
        exit(0);
    }
    finish_run(run, &child, seconds);
}

void test_run_program(struct test_run *run, int seconds, const char *const argv[])
{
    struct test_child child;
    if (test_child_start(&child, false) == 0) {
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        perror(argv[0]);
        _exit(127);
    }
    finish_run(run, &child, seconds);
}

void test_run_free(struct test_run *run)
{
    free(run->out);
    free(run->err);
    run->out = NULL;
    run->err = NULL;
}

bool test_matches(const char *s, const char *regex, char *error, size_t size)
{
    regex_t re;
    int rc = regcomp(&re, regex, REG_EXTENDED | REG_NEWLINE | REG_NOSUB);
    if (rc != 0) {
        regerror(rc, &re, error, size);
        return false;
    }
    rc = regexec(&re, s, 0, NULL, 0);
    regfree(&re);
    snprintf(error, size, "no match");
    return rc == 0;
}

static void print_lines(const char *prefix, const char *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        const char *end = (const char *)memchr(text + at, '\n', size - at);
        size_t n = end != NULL ? (size_t)(end - text) - at : size - at;
        printf("%s%.*s\n", prefix, (int)n, text + at);
        at += n + 1;
    }
}

void test_print_quoted(const char *prefix, const char *text, size_t size)
{
    const size_t head = 16384;
    const size_t tail = 49152;
    if (size <= head + tail) {
        print_lines(prefix, text, size);
        return;
    }
    print_lines(prefix, text, head);
    printf("%s[... %zu bytes left out ...]\n", prefix, size - head - tail);
    print_lines(prefix, text + size - tail, tail);
}
