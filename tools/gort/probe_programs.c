/* SPDX-License-Identifier: MIT */
/* probe_programs.c: libraries, sanitizers and tools. None of them is required. */
#include "cli.h"
#include <stdio.h>
#include <string.h>

struct library {
    const char *name;
    const char *pc;         /* for pkg-config */
    const char *header;
    const char *package;    /* Debian's */
    const char *use;
};

static const struct library libraries[] = {
    {"libcurl", "libcurl", "curl/curl.h", "libcurl4-openssl-dev", "HTTP client"},
    {"OpenSSL", "openssl", "openssl/ssl.h", "libssl-dev", "TLS"},
    {"llhttp", "libllhttp", "llhttp.h", "libllhttp-dev; before Debian 13: libhttp-parser-dev",
     "HTTP server"},
    {"wslay", "libwslay", "wslay/wslay.h", "libwslay-dev", "WebSocket"},
};

static char *first_line(const char *text)
{
    return cli_copy_n(text, strcspn(text, "\n"));
}

static int capture(char **out, const char *const *words)
{
    struct list argv = {0};
    for (; *words != NULL; words++) {
        cli_add(&argv, *words);
    }
    return cli_run_capture(&argv, out);
}

static bool has_header(const struct compiler *cc, const char *header)
{
    struct list argv = {0};
    char *out;
    if (cc == NULL) {
        return false;
    }
    cli_add_all(&argv, &cc->words);
    const char *const rest[] = {"-E", "-x", "c", "-include", header, "/dev/null", "-o",
                                "/dev/null"};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        cli_add(&argv, rest[i]);
    }
    return cli_run_capture(&argv, &out) == 0;
}

/* llhttp's predecessor serves where that is too new. It comes without a pkg-config file. */
static const struct library http_parser = {"http_parser", "http_parser", "http_parser.h", "",
                                           "HTTP server"};

static bool found_library(const struct library *lib, const struct compiler *cc)
{
    char *out;
    const char *const words[] = {"pkg-config", "--modversion", lib->pc, NULL};
    if (capture(&out, words) == 0) {
        cli_report(PROBE_OK, lib->name, "%s (%s)", first_line(out), lib->use);
        return true;
    }
    if (has_header(cc, lib->header)) {
        cli_report(PROBE_OK, lib->name, "<%s> (%s)", lib->header, lib->use);
        return true;
    }
    return false;
}

static void probe_library(const struct library *lib, const struct compiler *cc)
{
    if (found_library(lib, cc) ||
        (strcmp(lib->name, "llhttp") == 0 && found_library(&http_parser, cc))) {
        return;
    }
    cli_report(PROBE_MISSING, lib->name, "%s (apt-get install %s)", lib->use, lib->package);
}

static void probe_backtrace(const struct layout *l)
{
    for (size_t i = 0; i < l->static_flags.count; i++) {
        const char *flag = l->static_flags.item[i];
        if (strstr(flag, "backtrace") == NULL) {
            continue;
        }
        if (flag[0] == '/' && !cli_is_file(flag)) {
            cli_report(PROBE_MISSING, "libbacktrace", "libgort.a was built with %s, which is gone "
                       "(apt-get install libbacktrace-dev, or build Gort again)", flag);
        } else {
            cli_report(PROBE_OK, "libbacktrace", "%s (file and line in traces)", flag);
        }
        return;
    }
    cli_report(PROBE_MISSING, "libbacktrace", "file and line in traces: libgort was built "
               "without it (apt-get install libgcc-12-dev or, from Debian 13 on, "
               "libbacktrace-dev; then build Gort again)");
}

static void probe_resolver(const struct layout *l, const struct compiler *cc)
{
    const struct library cares = {"c-ares", "libcares", "ares.h", "libc-ares-dev",
                                  "resolves names, without threads"};
    bool used = false;
    for (size_t i = 0; i < l->static_flags.count; i++) {
        used |= strcmp(l->static_flags.item[i], "-lcares") == 0;
    }
    if (!used) {
        cli_report(PROBE_MISSING, cares.name, "names are resolved by getaddrinfo, in threads: "
                   "libgort was built without c-ares (apt-get install %s, then build Gort again)",
                   cares.package);
    } else if (!found_library(&cares, cc)) {
        cli_report(PROBE_MISSING, cares.name, "libgort was built with it, and programs do not link "
                   "without it (apt-get install %s, or build Gort again)", cares.package);
    }
}

void cli_probe_libraries(const struct layout *l, const struct compiler *cc)
{
    cli_report_title("libraries");
    probe_backtrace(l);
    probe_resolver(l, cc);
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        probe_library(&libraries[i], cc);
    }
}

/* Builds and runs an empty program with a sanitizer. */
static void probe_sanitizer(const struct compiler *cc, const char *flag, const char *what,
                            const char *use)
{
    struct list build = {0};
    struct list trial = {0};
    char *out;
    char *temp = cli_cache_temp();
    char *source = cli_fmt("%s/empty.c", temp);
    char *program = cli_fmt("%s/empty", temp);
    cli_write(source, "int main(void) { return 0; }\n");
    cli_add_all(&build, &cc->words);
    cli_add(&build, flag);
    cli_add(&build, source);
    cli_add(&build, "-o");
    cli_add(&build, program);
    cli_add(&trial, program);
    if (cli_run_capture(&build, &out) != 0) {
        const char *package = cc->clang ? cli_fmt("libclang-rt-%d-dev", cc->major)
                                        : cli_fmt("libgcc-%d-dev", cc->major);
        cli_report(PROBE_MISSING, what, "%s (apt-get install %s)", use, package);
    } else if (cli_run_capture(&trial, &out) != 0) {
        cli_report(PROBE_NOTE, what, "builds, but does not start here: %s", first_line(out));
    } else {
        cli_report(PROBE_OK, what, "%s", use);
    }
    cli_cache_temp_drop();
}

void cli_probe_sanitizers(const struct compiler *cc)
{
    probe_sanitizer(cc, "-fsanitize=thread", "-race", "ThreadSanitizer");
    probe_sanitizer(cc, "-fsanitize=address,undefined", "-asan",
                    "AddressSanitizer, UndefinedBehaviorSanitizer");
}

static void probe_tool(const char *name, const char *package, const char *use)
{
    char *out;
    const char *const words[] = {name, "--version", NULL};
    char *path = cli_find_program(name);
    if (path == NULL) {
        cli_report(PROBE_MISSING, name, "%s (apt-get install %s)", use, package);
    } else if (capture(&out, words) != 0) {
        cli_report(PROBE_NOTE, name, "%s does not run: %s", path, first_line(out));
    } else {
        cli_report(PROBE_OK, name, "%s (%s)", first_line(out), use);
    }
}

void cli_probe_tools(void)
{
    cli_report_title("tools");
    probe_tool("valgrind", "valgrind", "gort run -valgrind");
    probe_tool("gdb", "gdb", "goroutines in a debugger");
    probe_tool("perf", "linux-perf", "profiles");
    probe_tool("pkg-config", "pkg-config", "finding libraries");
}
