/* SPDX-License-Identifier: MIT */
/* main.c: gort profile: where the processors' time goes, by goroutine.
 *
 * The usual way is a signal to each thread at each tick, whose handler walks the stack. Handlers
 * interrupt what they meet, system calls end early, and a library that does not expect them breaks;
 * so the runtime sends no signals to the program's threads, and neither does this. The kernel
 * samples by itself (sample.c), and the process is looked at from outside, as `gort top` does, for
 * whose stack it was (who.c). A program that is profiled is not changed and not stopped, and needs
 * no preparation; one that is not pays nothing, since nothing of this is in the library.
 *
 * What the kernel follows are frame pointers. The library has them; of a program that was compiled
 * without (which is what -O means, unless there is -fno-omit-frame-pointer) the innermost function
 * is there and that of the goroutine, which is known from elsewhere, and callers between may not.
 *
 * Rejected: samples taken by a thread of the runtime, which would have to open the same events for
 * the same rings, and could say no more of a goroutine than who reads its memory.
 */
#include "profile.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char top_usage_text[] =
    "usage: gort profile [-o FILE] [-s FILE] [-d SECONDS] [-F HERTZ] PID\n"
    "       gort profile [-o FILE] [-s FILE] [-d SECONDS] [-F HERTZ] PROGRAM [ARGUMENT...]\n"
    "\n"
    "Shows where a program's processor time goes, by goroutine. The program is not stopped.\n"
    "\n"
    "  -o FILE     the profile, for pprof (profile.pb.gz)\n"
    "  -s FILE     the samples as text, as perf script prints them; - is standard output\n"
    "  -d SECONDS  of a process: for so long (10); of a program: at most; ctrl-C ends it\n"
    "  -F HERTZ    samples in a second of each thread that runs (99)\n"
    "\n"
    "Who may look is who may attach a debugger, where kernel.perf_event_paranoid is at most 2.\n";

const char top_command[] = "gort profile";

enum { POLL_MS = 10, START_MS = 2, START_SECONDS = 10 };

struct options { const char *out, *text; double seconds; int hertz, pid; char **program; };

struct work { struct target target; struct profile profile; };

static volatile sig_atomic_t over;

static void on_signal(int sig) { over = sig; }

static const char *file(const char *text)
{
    if (text == NULL) {
        top_usage("-o and -s take a file", "");
    }
    return text;
}

static struct options parse(char **argv)
{
    struct options o = {.out = "profile.pb.gz", .hertz = 99};
    for (argv++; *argv != NULL && **argv == '-'; argv++) {
        const char *a = *argv;
        if (strcmp(a, "-h") == 0 || strcmp(a, "-help") == 0 || strcmp(a, "--help") == 0) {
            fputs(top_usage_text, stdout);
            exit(0);
        } else if (strcmp(a, "--") == 0) {
            argv++;
            break;
        } else if (strcmp(a, "-o") == 0) {
            o.out = file(*++argv);
        } else if (strcmp(a, "-s") == 0) {
            o.text = file(*++argv);
        } else if (strcmp(a, "-d") == 0) {
            o.seconds = top_number(*++argv, 0.01, 86400, "-d takes seconds, not ");
        } else if (strcmp(a, "-F") == 0) {
            o.hertz = (int)top_number(*++argv, 1, 10000, "-F takes samples in a second, not ");
        } else {
            top_usage("what is ", a);
        }
        if (*argv == NULL) {
            break;
        }
    }
    if (*argv == NULL) {
        top_usage("which process, or which program?", "");
    }
    char *end;
    long pid = strtol(*argv, &end, 10);
    if (*end == '\0' && argv[1] == NULL && pid > 0 && pid <= 4194304) {
        o.pid = (int)pid;
        o.seconds = o.seconds > 0 ? o.seconds : 10;
    } else {
        o.program = argv;
    }
    return o;
}

/* --- the program */

static int start_program(char **program)
{
    int pid = fork();
    if (pid < 0) {
        top_die(TOP_FAILED, "%s: %s", program[0], strerror(errno));
    }
    if (pid == 0) {
        execvp(program[0], program);
        fprintf(stderr, "gort profile: %s: %s\n", program[0], strerror(errno));
        _exit(127);
    }
    return pid;
}

/* Until it has called libgort: what it does before is not looked at. */
static bool wait_for_library(struct target *t, int pid)
{
    for (int i = 0; i < START_SECONDS * 1000 / START_MS && over == 0; i++) {
        siginfo_t info = {0};
        (void)waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
        if (info.si_pid == pid) {
            return false;
        }
        if (target_try(t, pid)) {
            return true;
        }
        (void)poll(NULL, 0, START_MS);
    }
    top_die(TOP_FAILED, "process %d has not called libgort within %d s", pid, START_SECONDS);
}

/* Of the clock that nobody sets. */
static double seconds_since(const struct timespec *begin)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) * 1e-9;
}

static void take(struct sample *one, void *arg)
{
    struct work *w = arg;
    profile_add(&w->profile, &w->target, one);
}

static bool has_ended(const struct work *w, bool child)
{
    if (!child) {
        return !target_lives(&w->target);
    }
    siginfo_t info = {0};
    (void)waitid(P_PID, (id_t)w->target.pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == w->target.pid;
}

static void sample(struct work *w, const struct options *o, const struct timespec *begin)
{
    struct sampler *s = sampler_new(w->target.pid, w->target.machine, o->hertz);
    bool ended = false;
    do { /* ends: by the time, the user, or the process */
        (void)poll(NULL, 0, POLL_MS);
        ended = has_ended(w, o->program != NULL);
        sampler_poll(s, take, w);
        w->profile.seconds = seconds_since(begin);
    } while (!ended && over == 0 && (o->seconds <= 0 || w->profile.seconds < o->seconds));
    if (sampler_lost(s) > 0) {
        fprintf(stderr, "gort profile: %lu samples were lost: the machine is too busy, "
                        "or there is no memory for so many\n", (unsigned long)sampler_lost(s));
    }
}

static int finish(struct work *w, const struct options *o)
{
    if (!profile_write_pprof(&w->profile, &w->target, o->out)) {
        top_die(TOP_FAILED, "%s: %s", o->out, strerror(errno));
    }
    if (o->text != NULL && !profile_write_text(&w->profile, &w->target, o->text)) {
        top_die(TOP_FAILED, "%s: %s", o->text, strerror(errno));
    }
    fprintf(stderr, "gort profile: %lu samples in %.1f s: %s\n",
            (unsigned long)w->profile.samples, w->profile.seconds, o->out);
    return 0;
}

/* The program's own end is ours, when it has come. */
static int status_of(int pid)
{
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) != pid) {
        return 0;
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    static struct work w;
    struct sigaction sa = {.sa_handler = on_signal};
    (void)argc;
    struct options o = parse(argv);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    int pid = o.program != NULL ? start_program(o.program) : o.pid;
    clock_gettime(CLOCK_REALTIME, &w.profile.begin);
    struct timespec begin;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    w.profile.hertz = o.hertz;
    if (o.program == NULL) {
        target_open(&w.target, pid);
    } else if (!wait_for_library(&w.target, pid)) {
        fprintf(stderr, "gort profile: %s ended before it called libgort\n", o.program[0]);
        return status_of(pid);
    }
    sample(&w, &o, &begin);
    int r = finish(&w, &o);
    return o.program != NULL ? status_of(pid) : r;
}
