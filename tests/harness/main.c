/* SPDX-License-Identifier: MIT */
/* main.c: the test program's main: options, the list of tests, the matrix of environments.
 *
 * Tests run one after another, in the order of their lines. The matrix (GOMAXPROCS x seeds) is
 * walked inside one program rather than by starting it many times, because each test has a process
 * of its own anyway and the environment can be set between the fork and the runtime's start.
 */
#include "internal.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static struct test *tests;
struct test_options test_options = {.repeat = 1, .scale = 1, .gdb = true};
struct test_shared *test_shared;

struct tally {
    int number;
    int count[3]; /* by outcome */
};

void test_register(struct test *t)
{
    struct test **at = &tests;
    while (*at != NULL && (*at)->line <= t->line) {
        at = &(*at)->next;
    }
    t->next = *at;
    *at = t;
}

uint64_t test_seed(void)
{
    return test_options.seed;
}

int test_scale(void)
{
    return test_options.scale;
}

bool test_under(const char *tool)
{
    const char *tools = getenv("GORT_TEST_TOOL");
    return tools != NULL && strstr(tools, tool) != NULL;
}

long test_iterations(long n)
{
    long few = n / test_options.scale;
    return few > 0 ? few : 1;
}

static bool is_traced(void)
{
    char line[256];
    int tracer = 0;
    FILE *f = fopen("/proc/self/status", "re");
    if (f == NULL) {
        return false;
    }
    while (fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "TracerPid: %d", &tracer) == 1) {
            break;
        }
    }
    fclose(f);
    return tracer != 0;
}

static uint64_t fresh_seed(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t x = (uint64_t)t.tv_nsec * 0x9E3779B97F4A7C15u ^ (uint64_t)getpid() << 20;
    x ^= x >> 32;
    return x & 0x7FFFFFFF; /* short enough to be typed again */
}

static uint64_t number_of(const char *what, const char *text)
{
    char *end = NULL;
    errno = 0;
    uint64_t n = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0') {
        fprintf(stderr, "%s: '%s' is not a number\n", what, text);
        exit(64);
    }
    return n;
}

static int small_of(const char *what, const char *text)
{
    uint64_t n = number_of(what, text);
    if (n > 1000000) {
        fprintf(stderr, "%s: %s is too large\n", what, text);
        exit(64);
    }
    return (int)n;
}

/* Each environment variable is a default for the option of the same name. */
static void read_environment(struct test_options *o)
{
    const char *v = getenv("GORT_TEST_SCALE");
    if (v != NULL) {
        int scale = small_of("GORT_TEST_SCALE", v);
        o->scale = scale > 0 ? scale : 1;
    }
    v = getenv("GORT_TEST_TIMEOUT");
    if (v != NULL) {
        o->timeout = small_of("GORT_TEST_TIMEOUT", v);
    }
    v = getenv("GORT_TEST_SEED");
    if (v != NULL) {
        o->seed = number_of("GORT_TEST_SEED", v);
        o->seed_given = true;
        o->seeds = 1;
    }
    v = getenv("GORT_TEST_SEEDS");
    if (v != NULL) {
        o->seeds = small_of("GORT_TEST_SEEDS", v);
    }
    v = getenv("GORT_TEST_GDB");
    if (v != NULL) {
        o->gdb = strcmp(v, "0") != 0;
    }
    o->procs = getenv("GORT_TEST_PROCS");
    o->filter = getenv("GORT_TEST_FILTER");
}

/* Is this the option `name`? A name that ends in = has a value, which begins behind it. */
static bool is_option(const char *arg, const char *name, const char **value)
{
    size_t n = strlen(name);
    *value = arg + n;
    return name[n - 1] == '=' ? strncmp(arg, name, n) == 0 : strcmp(arg, name) == 0;
}

static bool read_option(struct test_options *o, const char *arg)
{
    const char *value;
    if (is_option(arg, "--list", &value)) {
        o->list = true;
    } else if (is_option(arg, "--no-fork", &value)) {
        o->no_fork = true;
    } else if (is_option(arg, "--filter=", &value)) {
        o->filter = value;
    } else if (is_option(arg, "--procs=", &value)) {
        o->procs = value;
    } else if (is_option(arg, "--seed=", &value)) {
        o->seed = number_of("--seed", value);
        o->seed_given = true;
        o->seeds = o->seeds > 0 ? o->seeds : 1;
    } else if (is_option(arg, "--seeds=", &value)) {
        o->seeds = small_of("--seeds", value);
    } else if (is_option(arg, "--repeat=", &value)) {
        o->repeat = small_of("--repeat", value);
    } else if (is_option(arg, "--timeout=", &value)) {
        o->timeout = small_of("--timeout", value);
    } else {
        return false;
    }
    return true;
}

static bool is_selected(const struct test *t)
{
    char name[512];
    if (test_options.filter == NULL) {
        return true;
    }
    snprintf(name, sizeof name, "%s.%s", t->suite, t->name);
    return strstr(name, test_options.filter) != NULL;
}

/* Three hanging tests are enough to look at; the time of the others is better spent elsewhere. */
enum { HANGS_ENOUGH = 3 };

static void run_once(const struct test_case *c, struct tally *tally)
{
    if (test_options.no_fork) {
        test_run_here(c);
    }
    if (test_hung >= HANGS_ENOUGH) {
        printf("not ok %d - %s.%s was not run: %d tests before it did not end\n",
               ++tally->number, c->test->suite, c->test->name, test_hung);
        tally->count[TEST_FAILED]++;
        return;
    }
    tally->count[test_run_case(c, ++tally->number)]++;
}

static int seeds_of(const struct test *t)
{
    int seeds = test_options.seeds > 0 ? test_options.seeds : 1;
    return !test_options.seed_given && t->seeds > seeds ? t->seeds : seeds;
}

static void run_seeds(const struct test *t, int procs, struct tally *tally)
{
    bool seeded = test_options.seeds > 0 || t->seeds > 0;
    uint64_t first = test_options.seed;
    for (int i = 0; i < seeds_of(t); i++) {
        struct test_case c = {t, procs, first + (uint64_t)i, seeded};
        run_once(&c, tally);
    }
}

static void run_matrix(const struct test *t, struct tally *tally)
{
    if (test_options.procs == NULL || *test_options.procs == '\0') {
        run_seeds(t, 0, tally);
        return;
    }
    const char *at = test_options.procs;
    while (*at != '\0') {
        char *end;
        long n = strtol(at, &end, 10);
        if (end == at || n < 1 || (*end != ',' && *end != '\0')) {
            fprintf(stderr, "--procs: '%s' is not a list like 1,2,4\n", test_options.procs);
            exit(64);
        }
        run_seeds(t, (int)n, tally);
        at = *end == ',' ? end + 1 : end;
    }
}

static int count_cases(void)
{
    int selected = 0;
    for (const struct test *t = tests; t != NULL; t = t->next) {
        selected += is_selected(t) ? seeds_of(t) : 0;
    }
    int procs = 1;
    if (test_options.procs != NULL) {
        for (const char *p = test_options.procs; *p != '\0'; p++) {
            procs += *p == ',' ? 1 : 0;
        }
    }
    return selected * procs * test_options.repeat;
}

static void list_tests(void)
{
    for (const struct test *t = tests; t != NULL; t = t->next) {
        printf("%s.%s\n", t->suite, t->name);
    }
}

/* A shell that is not interactive starts what it puts into the background with SIGINT and SIGQUIT
 * ignored, and so would everything under test begin. */
static void plain_signals(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        signal(signals[i], SIG_DFL);
    }
}

int main(int argc, char **argv)
{
    struct tally tally = {0};
    const char *name = strrchr(argv[0], '/');
    name = name != NULL ? name + 1 : argv[0];
    plain_signals();
    test_options.seed = fresh_seed();
    read_environment(&test_options);
    for (int i = 1; i < argc; i++) {
        if (!read_option(&test_options, argv[i])) {
            fprintf(stderr, "%s: unknown option '%s' (see tests/harness/README.md)\n", name,
                    argv[i]);
            return 64;
        }
    }
    test_options.traced = is_traced();
    if (test_options.list) {
        list_tests();
        return 0;
    }
    int cases = count_cases();
    if (cases == 0) {
        fprintf(stderr, "%s: no test matches '%s'\n", name,
                test_options.filter != NULL ? test_options.filter : "");
        return 64;
    }
    test_shared = (struct test_shared *)mmap(NULL, sizeof *test_shared, PROT_READ | PROT_WRITE,
                                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (test_shared == MAP_FAILED) {
        perror("mmap");
        return 71;
    }
    printf("TAP version 13\n1..%d\n# seed %llu\n", cases, (unsigned long long)test_options.seed);
    fflush(stdout);
    for (int i = 0; i < test_options.repeat; i++) {
        for (const struct test *t = tests; t != NULL; t = t->next) {
            if (is_selected(t)) {
                run_matrix(t, &tally);
            }
        }
    }
    printf("# %s: %d passed, %d failed, %d skipped\n", name, tally.count[TEST_PASSED],
           tally.count[TEST_FAILED], tally.count[TEST_SKIPPED]);
    return tally.count[TEST_FAILED] == 0 ? 0 : 1;
}
