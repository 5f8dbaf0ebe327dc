/* SPDX-License-Identifier: MIT */
/* The parsers behind GORTDEBUG and GORTTRACEBACK. How a user meets them: tests/death/knob_test.c */
#include "debug/knobs.h"
#include "harness.h"

static struct goi_knobs parsed(const char *text)
{
    struct goi_knobs k = {0};
    goi_knobs_parse(&k, text, -1);
    return k;
}

TEST(knobs, numbers)
{
    EXPECT_EQ_UINT(parsed("seed=0").seed, 0);
    EXPECT_EQ_UINT(parsed("seed=42").seed, 42);
    EXPECT_EQ_UINT(parsed("seed=18446744073709551615").seed, UINT64_MAX);
    EXPECT_EQ_UINT(parsed("seed=007").seed, 7);
}

TEST(knobs, durations_are_milliseconds_unless_they_say_otherwise)
{
    EXPECT_EQ_UINT(parsed("schedtrace=1").schedtrace, 1000000);
    EXPECT_EQ_UINT(parsed("schedtrace=1ms").schedtrace, 1000000);
    EXPECT_EQ_UINT(parsed("schedtrace=7us").schedtrace, 7000);
    EXPECT_EQ_UINT(parsed("schedtrace=7ns").schedtrace, 7);
    EXPECT_EQ_UINT(parsed("schedtrace=2s").schedtrace, 2000000000);
}

TEST(knobs, words_are_counted_from_one)
{
    static const char *const wrong[] = {"netdns=", "netdns", "netdns=lib", "netdns=libcc",
                                        "netdns=libc|cares", "netdns=|", "netdns=1"};
    EXPECT_EQ_UINT(parsed("netdns=libc").netdns, 1);
    EXPECT_EQ_UINT(parsed("netdns=cares,seed=1").netdns, 2);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        EXPECT_EQ_UINT(parsed(wrong[i]).netdns, 0);
    }
}

TEST(knobs, several_the_last_one_wins)
{
    struct goi_knobs k = parsed("seed=1,schedtrace=2,seed=3");
    EXPECT_EQ_UINT(k.seed, 3);
    EXPECT_EQ_UINT(k.schedtrace, 2000000);
    EXPECT_EQ_UINT(parsed(",,seed=5,,").seed, 5);
}

TEST(knobs, what_is_wrong_changes_nothing)
{
    static const char *const wrong[] = {
        "seed", "seed=", "seed=x", "seed=1x", "seed= 1", "seed=-1", "seed=+1", "seed=0x10",
        "seed=18446744073709551616", "seed=99999999999999999999", "sees=1", "see=1", "seed1=1",
        "=1", "=", "schedtrace=1m", "schedtrace=1 ms", "schedtrace=ms", "seed=1s"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct goi_knobs k = parsed(wrong[i]);
        if (k.seed != 0 || k.schedtrace != 0) {
            FAIL("'%s' was taken for something", wrong[i]);
        }
    }
    EXPECT_EQ_UINT(parsed("schedtrace=18446744073709551615s").schedtrace, 0); /* overflows */
    EXPECT_EQ_UINT(parsed("bad,seed=9,worse=1").seed, 9);
}

TEST(knobs, each_has_a_name_an_example_that_parses_and_a_text)
{
    EXPECT_UINT(goi_knob_count, >=, 2);
    for (size_t i = 0; i < goi_knob_count; i++) {
        const struct goi_knob *k = &goi_knob_table[i];
        EXPECT(strlen(k->name) > 0);
        EXPECT(strlen(k->example) > 0);
        EXPECT(strlen(k->text) > 10);
        EXPECT_UINT(k->offset, <, sizeof(struct goi_knobs));
    }
}

TEST(knobs, traceback_levels)
{
    static const struct { const char *text; enum goi_traceback level; } cases[] = {
        {"none", GOI_TRACEBACK_NONE},     {"0", GOI_TRACEBACK_NONE},
        {"", GOI_TRACEBACK_SINGLE},       {"single", GOI_TRACEBACK_SINGLE},
        {"all", GOI_TRACEBACK_ALL},       {"1", GOI_TRACEBACK_ALL},
        {"system", GOI_TRACEBACK_SYSTEM}, {"2", GOI_TRACEBACK_SYSTEM},
        {"crash", GOI_TRACEBACK_CRASH},   {"anything else", GOI_TRACEBACK_ALL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EXPECT_EQ_INT(goi_traceback_parse(cases[i].text), cases[i].level);
    }
}
