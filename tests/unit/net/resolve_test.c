/* SPDX-License-Identifier: MIT */
/* resolve_test.c: names: by c-ares from a name server of the test's, by libc, and who is asked. */
#include "dns_server.h"
#include "net/internal.h"
#include "net/resolve.h"
#include "net_test.h"
#include <dirent.h>
#include <fcntl.h>
#include <gort/short.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

/* ---- by c-ares */

static void start(struct dns_server *s, int timeout_ms)
{
    if (!goi_have_cares) {
        SKIP("built without c-ares");
    }
    dns_start(s, "127.0.0.1:0");
    goi_dns_instead = (struct goi_dns){timeout_ms, 3, s->address};
}

/* "a b c", in their order. */
static const char *text_of(const go_addrs *all)
{
    static char text[GO_ADDRS_MAX * 64];
    text[0] = '\0';
    for (size_t i = 0; i < all->count; i++) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%s", i > 0 ? " " : "");
        n = strlen(text);
        go_addr_format(&all->addr[i], text + n, sizeof text - n);
    }
    return text;
}

static bool has(const go_addrs *all, const char *address)
{
    char text[64];
    bool found = false;
    for (size_t i = 0; i < all->count; i++) {
        found |= strcmp(go_addr_format(&all->addr[i], text, sizeof text), address) == 0;
    }
    return found;
}

TEST(resolve, addresses_of_both_families)
{
    struct dns_server s;
    go_addrs all;
    start(&s, 5000);
    EXPECT_EQ_INT(go_lookup_host(NULL, "both.gort.test", &all), 0);
    EXPECT_EQ_UINT(all.count, 2);
    EXPECT(has(&all, "192.0.2.1:0"));
    EXPECT(has(&all, "[2001:db8::1]:0"));
    EXPECT_EQ_INT(go_lookup_host(NULL, "four.gort.test", &all), 0);
    EXPECT_EQ_STR(text_of(&all), "192.0.2.1:0");
    EXPECT_EQ_INT(go_lookup_host(NULL, "six.gort.test.", &all), 0);
    EXPECT_EQ_STR(text_of(&all), "[2001:db8::1]:0");
    EXPECT_EQ_INT(go_resolve(NULL, "tcp4", "both.gort.test:80", &all), 0);
    EXPECT_EQ_STR(text_of(&all), "192.0.2.1:80");
    EXPECT_EQ_INT(go_resolve(NULL, "tcp6", "both.gort.test:80", &all), 0);
    EXPECT_EQ_STR(text_of(&all), "[2001:db8::1]:80");
    EXPECT_EQ_INT(go_resolve(NULL, "tcp6", "four.gort.test:80", &all), -EHOSTUNREACH);
    EXPECT_EQ_INT(go_lookup_host(NULL, "many.gort.test", &all), 0);
    EXPECT_EQ_UINT(all.count, GO_ADDRS_MAX);
    EXPECT_EQ_INT(atomic_load(&s.by_tcp), 0);
    dns_stop(&s);
}

TEST(resolve, a_name_that_does_not_resolve_is_one_error)
{
    struct dns_server s;
    go_addrs all;
    static const char *const names[] = {"nobody.gort.test", "fail.gort.test", "a..b",
                                        "mute.gort.test"};
    start(&s, 30);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        all.count = 7;
        EXPECT_EQ_INT(go_lookup_host(NULL, names[i], &all), -EHOSTUNREACH);
        EXPECT_EQ_UINT(all.count, 0);
    }
    while (atomic_load(&s.muted) < 2) { /* it was asked again, and the server may be late, too */
        go_sleep(GO_MS);
    }
    dns_stop(&s);
    /* Nobody is there at all. */
    EXPECT_EQ_INT(go_lookup_host(NULL, "both.gort.test", &all), -EHOSTUNREACH);
}

TEST(resolve, literal_addresses_are_asked_of_nobody)
{
    struct dns_server s;
    go_addrs all;
    start(&s, 5000);
    EXPECT_EQ_INT(go_lookup_host(NULL, "192.0.2.7", &all), 0);
    EXPECT_EQ_INT(go_lookup_host(NULL, "2001:db8::7", &all), 0);
    EXPECT_EQ_INT(go_resolve(NULL, "tcp", "[::1]:80", &all), 0);
    EXPECT_EQ_INT(atomic_load(&s.by_udp), 0);
    dns_stop(&s);
}

TEST(resolve, an_answer_that_was_cut_off_comes_by_tcp)
{
    struct dns_server s;
    go_addrs all;
    start(&s, 5000);
    EXPECT_EQ_INT(go_lookup_host(NULL, "big.gort.test", &all), 0);
    EXPECT_EQ_UINT(all.count, 2);
    EXPECT_INT(atomic_load(&s.by_tcp), >=, 2);
    dns_stop(&s);
}

TEST(resolve, a_deadline_ends_it)
{
    struct dns_server s;
    go_addrs all;
    start(&s, 20000);
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 20 * GO_MS);
    EXPECT_EQ_INT(go_lookup_host(ctx, "mute.gort.test", &all), -ETIMEDOUT);
    EXPECT_EQ_INT(go_lookup_host(ctx, "both.gort.test", &all), -ETIMEDOUT);
    ctx_free(ctx);
    dns_stop(&s);
}

static void cancel_when_asked(struct dns_server *s, int questions, go_ctx *ctx)
{
    while (atomic_load(&s->muted) < questions) {
        go_sleep(100 * GO_US);
    }
    ctx_cancel(ctx);
}

TEST(resolve, a_cancelled_context_ends_it_in_the_middle)
{
    struct dns_server s;
    go_addrs all;
    go_conn *c;
    start(&s, 20000);
    for (int i = 0; i < 20; i++) {
        go_ctx *ctx = ctx_with_cancel(ctx_background());
        go_waitgroup wg = {0};
        wg_go(&wg, cancel_when_asked, &s, i + 1, ctx);
        int r = i % 2 == 0 ? go_lookup_host(ctx, "mute.gort.test", &all)
                           : go_dial(ctx, "tcp", "mute.gort.test:80", &c);
        EXPECT_EQ_INT(r, -ECANCELED);
        wg_wait(&wg);
        ctx_free(ctx);
    }
    dns_stop(&s);
}

/* ---- many at once */

enum { CROWD = 200 };

static void look_up(go_ctx *ctx, const char *name, int want)
{
    go_addrs all;
    EXPECT_EQ_INT(go_lookup_host(ctx, name, &all), want);
    EXPECT_EQ_UINT(all.count, want == 0 ? 2 : 0);
}

TEST(resolve, two_hundred_at_once)
{
    struct dns_server s;
    go_waitgroup wg = {0};
    start(&s, 5000); /* some questions may be lost, and are repeated then */
    for (int i = 0; i < CROWD; i++) {
        wg_go(&wg, look_up, NULL, i % 10 == 0 ? "big.gort.test" : "both.gort.test", 0);
    }
    wg_wait(&wg);
    dns_stop(&s);
}

static int threads(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    REQUIRE(d != NULL);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        n += e->d_name[0] != '.';
    }
    closedir(d);
    return n;
}

static void tick(atomic_int *ticks, atomic_bool *stop)
{
    while (!atomic_load(stop)) {
        go_sleep(GO_MS);
        atomic_fetch_add(ticks, 1);
    }
}

TEST(resolve, who_waits_for_an_answer_holds_no_thread)
{
    struct dns_server s;
    go_waitgroup wg = {0};
    go_waitgroup ticking = {0};
    atomic_int ticks = 0;
    atomic_bool stop = false;
    start(&s, 20000);
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    for (int i = 0; i < 4; i++) {
        wg_go(&ticking, tick, &ticks, &stop);
    }
    for (int i = 0; i < CROWD; i++) {
        wg_go(&wg, look_up, ctx, "mute.gort.test", -ECANCELED);
    }
    /* Of a burst some may be lost; what counts is that most wait at the same time. */
    while (atomic_load(&s.muted) < CROWD * 3 / 4) {
        go_sleep(GO_MS);
    }
    int before = atomic_load(&ticks);
    while (atomic_load(&ticks) < before + 100) {
        go_sleep(GO_MS);
    }
    EXPECT_INT(threads(), <, CROWD / 4);
    ctx_cancel(ctx);
    wg_wait(&wg);
    atomic_store(&stop, true);
    wg_wait(&ticking);
    ctx_free(ctx);
    dns_stop(&s);
}

/* ---- both */

/* A world in which both resolvers ask the test's server: own /etc, own loopback device. */
static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    REQUIRE_INT(fd, >=, 0);
    REQUIRE_EQ_INT(write(fd, text, strlen(text)), (long long)strlen(text));
    close(fd);
}

static bool replace(const char *dir, const char *name, const char *text)
{
    char from[128];
    char to[128];
    snprintf(from, sizeof from, "%s/%s", dir, name);
    snprintf(to, sizeof to, "/etc/%s", name);
    write_file(from, text);
    return mount(from, to, NULL, MS_BIND, NULL) == 0;
}

static void own_world(void)
{
    char dir[] = "/tmp/gort-resolve-XXXXXX";
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (test_under("qemu")) {
        SKIP("name spaces are the host's");
    }
    if (!goi_have_cares) {
        SKIP("built without c-ares");
    }
    if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mkdtemp(dir) == NULL ||
        mount("none", dir, "tmpfs", 0, NULL) != 0) {
        SKIP("no right to make name spaces: %s", strerror(errno));
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    close(fd);
    ok = ok && replace(dir, "resolv.conf", "nameserver 127.0.0.1\nsearch gort.test\n"
                                           "options timeout:10 attempts:3\n") &&
         replace(dir, "nsswitch.conf", "hosts: files dns\n") &&
         replace(dir, "hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.0.5 named alias\n"
                               "127.0.0.6 other.example\n");
    umount2(dir, MNT_DETACH);
    rmdir(dir);
    if (!ok) {
        SKIP("no right to replace files of /etc: %s", strerror(errno));
    }
}

TEST(resolve, libc_and_c_ares_find_the_same_in_the_same_order)
{
    static const struct { const char *name; int error; } names[] = {
        {"localhost", 0},       {"named", 0},           {"alias", 0},
        {"other.example", 0},   {"OTHER.example", 0},   {"both", 0},
        {"both.gort.test", 0},  {"both.gort.test.", 0}, {"four.gort.test", 0},
        {"six.gort.test", 0},   {"many.gort.test", 0},  {"big.gort.test", 0},
        {"a..b", -EHOSTUNREACH},            {"nobody.gort.test", -EHOSTUNREACH},
        {"fail.gort.test", -EHOSTUNREACH},  {"other.example.", -EHOSTUNREACH},
    };
    struct dns_server s;
    go_addrs libc;
    go_addrs cares;
    const struct goi_dns dns = {10000, 3, NULL};
    own_world();
    dns_start(&s, "127.0.0.1:53");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char first[GO_ADDRS_MAX * 64];
        int want = names[i].error;
        int by_libc = goi_resolve_libc(NULL, names[i].name, &libc);
        int by_cares = goi_resolve_cares(NULL, &dns, names[i].name, &cares);
        if (by_libc != want || by_cares != want) {
            FAIL("%s: %d by libc, %d by c-ares", names[i].name, by_libc, by_cares);
        } else if (want == 0) {
            strcpy(first, text_of(&libc));
            if (strcmp(first, text_of(&cares)) != 0) {
                FAIL("%s: %s by libc, %s by c-ares", names[i].name, first, text_of(&cares));
            }
        }
    }
    dns_stop(&s);
}

static void resolves_itself(const char *knob)
{
    go_addrs all;
    setenv("GORTDEBUG", knob, 1);
    REQUIRE_EQ_INT(go_lookup_host(NULL, "localhost", &all), 0);
    REQUIRE(all.count >= 1);
    EXPECT(has(&all, "127.0.0.1:0") || has(&all, "[::1]:0"));
    EXPECT_EQ_INT(go_lookup_host(NULL, "a..b", &all), -EHOSTUNREACH);
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    ctx_cancel(ctx);
    EXPECT_EQ_INT(go_lookup_host(ctx, "localhost", &all), -ECANCELED);
    ctx_free(ctx);
}

TEST(resolve, localhost_by_libc) { resolves_itself("netdns=libc"); }

TEST(resolve, localhost_by_c_ares_where_it_is) { resolves_itself("netdns=cares"); }

TEST(resolve, the_knob_keeps_c_ares_out)
{
    struct dns_server s;
    go_addrs all;
    setenv("GORTDEBUG", "netdns=libc", 1);
    start(&s, 5000);
    EXPECT_EQ_INT(go_lookup_host(NULL, "localhost", &all), 0);
    EXPECT_EQ_INT(go_lookup_host(NULL, "a..b", &all), -EHOSTUNREACH);
    EXPECT_EQ_INT(atomic_load(&s.by_udp), 0);
    dns_stop(&s);
}

/* ---- what files in /etc say */

static bool dns_only(const char *text, const char *name)
{
    FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    REQUIRE(f != NULL);
    bool only = goi_conf_dns_only(f, name, "me.example");
    fclose(f);
    return only;
}

TEST(resolve, names_that_only_a_module_of_libc_knows_are_left_to_libc)
{
    static const struct { const char *text, *name; bool only; } cases[] = {
        {"hosts: files dns\n", "a", true},
        {"hosts:files dns", "a", true},
        {"  Hosts:\tdns\tfiles # wins\n", "a", true},
        {"passwd: sss\n# hosts: sss\n", "a", true},
        {"hosts: files sss\n", "a.b", false},
        {"hosts: files resolve [!UNAVAIL=return] dns\n", "a.b", false},
        {"hosts: files mdns4_minimal [NOTFOUND=return] dns\n", "a.b", true},
        {"hosts: files mdns4_minimal [NOTFOUND=return] dns\n", "printer.local", false},
        {"hosts: files mdns4_minimal [NOTFOUND=return] dns\n", "Printer.LOCAL.", false},
        {"hosts: files [NOTFOUND=return] dns\n", "a.b", false},
        {"hosts: files dns [ ", "a.b", false},
        {"hosts: files dns myhostname\n", "a.b", true},
        {"hosts: files dns myhostname\n", "a", false},
        {"hosts: files dns myhostname\n", "ME.example", false},
        {"hosts: files dns myhostname\n", "x.localhost", false},
        {"hosts: files a_module_with_a_long_name dns\n", "a.b", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (dns_only(cases[i].text, cases[i].name) != cases[i].only) {
            FAIL("\"%s\": %s", cases[i].text, cases[i].name);
        }
    }
    EXPECT(goi_conf_dns_only(NULL, "a", ""));
}

TEST(resolve, the_times_of_resolv_conf)
{
    static const struct { const char *text, *environment; int ms, tries; } cases[] = {
        {"nameserver 127.0.0.1\n", NULL, 5000, 2},
        {"options timeout:1 attempts:4\n", NULL, 1000, 4},
        {"options ndots:2\toptions\noptions attempts:3\n", NULL, 5000, 3},
        {"optionstimeout:1\n#options timeout:1\n", NULL, 5000, 2},
        {"options timeout:0 attempts:-1\n", NULL, 1000, 1},
        {"options timeout:99999999999 attempts:77\n", NULL, 30000, 5},
        {"options timeout:7\n", "attempts:1 timeout:3", 3000, 1},
    };
    struct goi_dns dns;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *f = fmemopen((void *)(uintptr_t)cases[i].text, strlen(cases[i].text), "r");
        REQUIRE(f != NULL);
        goi_conf_times(f, cases[i].environment, &dns);
        fclose(f);
        if (dns.timeout_ms != cases[i].ms || dns.tries != cases[i].tries) {
            FAIL("\"%s\": %d ms, %d tries", cases[i].text, dns.timeout_ms, dns.tries);
        }
    }
    goi_conf_times(NULL, NULL, &dns);
    EXPECT_EQ_INT(dns.timeout_ms, 5000);
}
