/* SPDX-License-Identifier: MIT */
/* main.c: gort top PID: arguments, the terminal, and one picture after the other. */
#include "top.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

const char top_command[] = "gort top";

const char top_usage_text[] =
    "usage: gort top [-b] [-d SECONDS] [-n COUNT] [-l LINES] PID\n"
    "\n"
    "Shows what the goroutines of a running program do, without stopping it.\n"
    "\n"
    "  -b          one picture after the other, as when the output is no terminal (--batch)\n"
    "  -d SECONDS  between two pictures (2)\n"
    "  -n COUNT    so many pictures; without end otherwise\n"
    "  -l LINES    of a picture; the screen, or all\n"
    "\n"
    "q or ctrl-C ends it. Who may look is who may attach a debugger.\n";

/* The first picture comes after this long: rates need two looks. */
enum { FIRST_MS = 100 };

struct options { bool batch; double delay; long count; int lines, pid; };

static volatile sig_atomic_t over;
static struct termios saved;
static bool raw, screen;

static struct options parse(char **argv)
{
    struct options o = {.delay = 2, .count = -1};
    for (argv++; *argv != NULL; argv++) {
        const char *a = *argv;
        if (strcmp(a, "-h") == 0 || strcmp(a, "-help") == 0 || strcmp(a, "--help") == 0) {
            fputs(top_usage_text, stdout);
            exit(0);
        } else if (strcmp(a, "-b") == 0 || strcmp(a, "--batch") == 0) {
            o.batch = true;
        } else if (strcmp(a, "-d") == 0) {
            o.delay = top_number(argv[1], 0.01, 86400, "-d takes seconds, not ");
            argv++;
        } else if (strcmp(a, "-n") == 0) {
            o.count = (long)top_number(argv[1], 1, 1e9, "-n takes a number, not ");
            argv++;
        } else if (strcmp(a, "-l") == 0) {
            o.lines = (int)top_number(argv[1], 1, 1e6, "-l takes a number, not ");
            argv++;
        } else if (*a == '-' || o.pid != 0) {
            top_usage("what is ", a);
        } else {
            double pid = top_number(a, 1, 4194304, "not a process: ");
            o.pid = (int)pid;
            if ((double)o.pid != pid) {
                top_usage("not a process: ", a);
            }
        }
    }
    if (o.pid == 0) {
        top_usage("which process?", "");
    }
    return o;
}

/* --- the terminal */

static void on_signal(int sig) { over = sig; }

static void leave_terminal(void)
{
    if (screen) {
        fputs("\033[?25h\033[?1049l", stdout);
        fflush(stdout);
    }
    if (raw) {
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    }
}

static void enter_terminal(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
    atexit(leave_terminal);
    if (tcgetattr(STDIN_FILENO, &saved) == 0) {
        struct termios t = saved;
        t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
    }
    screen = true;
    fputs("\033[?1049h\033[?25l", stdout);
}

/* Waits; false: the user wants to go. */
static bool pause_for(double wanted)
{
    struct pollfd key = {.fd = raw ? STDIN_FILENO : -1, .events = POLLIN};
    char c;
    int r = poll(&key, 1, (int)(wanted * 1000));
    if (r > 0 && read(STDIN_FILENO, &c, 1) == 1 && (c == 'q' || c == 'Q' || c == 4)) {
        return false;
    }
    return over == 0;
}

static void picture(struct target *t, const struct options *o, const struct snapshot *now,
                    const struct snapshot *before)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    if (screen) {
        (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        fputs("\033[H", stdout);
    }
    int lines = o->lines > 0 ? o->lines : screen ? size.ws_row - 1 : 0;
    show(stdout, t, now, before, lines, screen ? size.ws_col : 0);
    fputs(screen ? "\033[J" : "\n", stdout);
    if (fflush(stdout) != 0) {
        exit(errno == EPIPE ? 0 : TOP_FAILED);
    }
}

int main(int argc, char **argv)
{
    static struct target target;
    static struct snapshot snapshots[2];
    (void)argc;
    struct options o = parse(argv);
    signal(SIGPIPE, SIG_IGN);
    target_open(&target, o.pid);
    if (!o.batch && isatty(STDOUT_FILENO) == 1) {
        enter_terminal();
    }
    bool there = snapshot_take(&target, &snapshots[0]);
    long shown = 0;
    double wait = o.delay < FIRST_MS * 1e-3 ? o.delay : FIRST_MS * 1e-3;
    while (there && pause_for(wait)) { /* ends: by the count, the user, or the process */
        struct snapshot *now = &snapshots[(shown + 1) % 2];
        there = snapshot_take(&target, now);
        if (!there) {
            break;
        }
        picture(&target, &o, now, &snapshots[shown % 2]);
        if (++shown == o.count) {
            return 0;
        }
        wait = o.delay;
    }
    if (!there) {
        leave_terminal();
        screen = raw = false;
        fprintf(stderr, "gort top: process %d (%s) has ended\n", target.pid, target.name);
        return shown > 0 ? 0 : TOP_FAILED;
    }
    return 0;
}
