/* SPDX-License-Identifier: MIT */
/* demo: serves the demonstration site on 127.0.0.1.
 *
 *     demo [--port N] [--slow TIME]                  serves until Ctrl-C
 *     demo [--port N] [--slow TIME] COMMAND ARG...   serves while the command runs; {} in an
 *                                                    argument becomes the site's address
 *     demo --faults                                  lists the planted faults: kind, path */
#include "site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gort/short.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* A port that refuses connections: it is taken, and nobody listens. */
static int take_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
        return -1;
    }
    return ntohs(a.sin_port); /* fd stays open: the port stays ours */
}

static char *with_address(const char *arg, const char *address)
{
    const char *mark = strstr(arg, "{}");
    char *s = NULL;
    size_t n = 0;
    if (mark == NULL) {
        return strdup(arg);
    }
    FILE *out = open_memstream(&s, &n);
    if (out == NULL) {
        return NULL;
    }
    fprintf(out, "%.*shttp://%s%s", (int)(mark - arg), arg, address, mark + 2);
    fclose(out);
    return s;
}

/* Runs the command to its end; its exit status. Ctrl-C is the command's business. */
static int run(char **argv, const char *address)
{
    pid_t pid;
    int status = 0, n = 0;
    posix_spawnattr_t attr;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    for (; argv[n] != NULL; n++) {
        argv[n] = with_address(argv[n], address); /* for the rest of the program */
    }
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setsigmask(&attr, &none);
    int error = posix_spawnp(&pid, argv[0], NULL, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    error = error != 0 ? -error : go_process_wait(NULL, pid, &status);
    if (error != 0) {
        fprintf(stderr, "demo: cannot run %s: %s\n", argv[0], strerror(-error));
        return 127;
    }
    for (int i = 0; i < n; i++) {
        free(argv[i]);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int list_faults(void)
{
    for (int i = 0; planted[i].kind != NULL; i++) {
        printf("%s %s\n", planted[i].kind, planted[i].path);
    }
    return 0;
}

static void serve(go_ctx *ctx, go_listener *l, go_http_mux *mux)
{
    /* What its handlers do wrong they do on purpose. */
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const go_http_options o = { .drain_timeout = GO_SEC, .error_log = nowhere };
    int r = go_http_serve(ctx, l, &o, mux);
    if (r != 0 && r != -ETIMEDOUT) {
        fprintf(stderr, "demo: %s\n", strerror(-r));
    }
    close(nowhere);
}

int main(int argc, char **argv)
{
    struct site site = { .slow = 2 * GO_SEC, .closed_port = take_port() };
    char address[64] = "127.0.0.1:0";
    go_listener *l;
    int at = 1, status = 0;
    if (argc > 1 && strcmp(argv[1], "--faults") == 0) {
        return list_faults();
    }
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--port") == 0) {
            snprintf(address, sizeof address, "127.0.0.1:%d", atoi(argv[at + 1]));
        } else if (strcmp(argv[at], "--slow") == 0) {
            site.slow = (go_duration)(atof(argv[at + 1]) * (double)GO_SEC);
        }
    }
    go_http_mux *mux = go_http_mux_make();
    int error = mux == NULL ? -ENOMEM : site_register(&site, mux);
    error = error == 0 ? go_listen("tcp", address, &l) : error;
    if (error != 0) {
        fprintf(stderr, "demo: cannot serve at %s: %s\n", address, strerror(-error));
        return 1;
    }
    snprintf(address, sizeof address, "%s", listener_addr(l));
    go_ctx *stop = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go_waitgroup serving = { 0 };
    wg_go(&serving, serve, ctx, l, mux);
    if (at < argc) {
        status = run(argv + at, address);
    } else {
        printf("http://%s/sitemap.xml\n", address);
        fflush(stdout);
        chan_recv(ctx_done(stop));
    }
    ctx_cancel(ctx);
    wg_wait(&serving);
    ctx_free(ctx);
    ctx_free(stop);
    go_http_mux_free(mux);
    return status;
}
