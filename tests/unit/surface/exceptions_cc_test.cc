/* SPDX-License-Identifier: MIT */
/* C++ in goroutines: destructors on every way out, and exceptions whose bookkeeping, which the C++
 * runtime keeps for each thread, follows the goroutine when it parks and goes on elsewhere. */
#include "harness.h"
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <gort.h>
#include <stdexcept>
#include <string>

namespace {

std::string log_text;

struct note {
    const char *text;
    explicit note(const char *t) : text(t) {}
    note(const note &) = delete;
    note &operator=(const note &) = delete;
    ~note() { log_text += text; }
};

void mark(const char *s) { log_text += s; }

void leaf(void (*end)())
{
    note c("C");
    go_defer(mark, "B");
    note a("A");
    end();
    log_text += "never";
}
void outer(void (*end)())
{
    note e("E");
    go_defer(mark, "D");
    leaf(end);
    log_text += "never";
}
void exits() { go_exit(); }
void panics() { go_panic("here"); }

} // namespace

TEST(exceptions, exit_runs_destructors_and_deferred_calls_in_order)
{
    go_waitgroup wg = {};
    go_wg_go(&wg, outer, exits);
    go_wg_wait(&wg);
    EXPECT_EQ_STR(log_text.c_str(), "ABCDE");
}

TEST(exceptions, panic_runs_destructors_and_deferred_calls_in_order)
{
    go_panic_info info;
    EXPECT(!go_try(&info, outer, panics));
    EXPECT_EQ_STR(info.message, "here");
    EXPECT_EQ_STR(log_text.c_str(), "ABCDE");
}

namespace {
/* One processor is no lock: who computes for too long goes on beside the next. */
std::atomic<int> destroyed;

struct counted {
    counted() = default;
    counted(const counted &) = delete;
    counted &operator=(const counted &) = delete;
    ~counted() { ++destroyed; }
};

void end_goroutine(std::atomic<int> *ended)
{
    std::string kept(1000, 'x');
    counted c;
    ++*ended;
    go_exit();
}
} // namespace

TEST(exceptions, main_goes_on_after_others_have_been_unwound)
{
    go_waitgroup wg = {};
    std::atomic<int> ended{0};
    go_maxprocs(1);
    for (int i = 0; i < 100; i++) {
        go_wg_go(&wg, end_goroutine, &ended);
    }
    go_wg_wait(&wg);
    EXPECT_EQ_INT(ended, 100);
    EXPECT_EQ_INT(destroyed, 100);
}

/* ---- exceptions of the program's own ---- */

namespace {

/* Throws, catches, and parks again and again while the exception is being handled. */
void handle_slowly(int me)
{
    for (int round = 0; round < 20; round++) {
        try {
            try {
                throw me * 1000 + round;
            } catch (int v) {
                go_yield();
                EXPECT_EQ_INT(v, me * 1000 + round);
                go_sleep(10 * GO_US);
                throw; /* what is thrown again must be this goroutine's */
            }
        } catch (int v) {
            EXPECT_EQ_INT(v, me * 1000 + round);
        }
    }
}

} // namespace

TEST(exceptions, rethrown_after_parking_is_the_goroutines_own)
{
    go_waitgroup wg = {};
    go_maxprocs(4);
    for (int i = 0; i < 50; i++) {
        go_wg_go(&wg, handle_slowly, i);
    }
    go_wg_wait(&wg);
}

namespace {

void keep_current(int me)
{
    try {
        throw std::runtime_error(std::to_string(me));
    } catch (...) {
        std::exception_ptr before = std::current_exception();
        for (int i = 0; i < 10; i++) {
            go_yield();
            EXPECT(std::current_exception() == before);
        }
        try {
            std::rethrow_exception(before);
        } catch (const std::runtime_error &e) {
            EXPECT_EQ_STR(e.what(), std::to_string(me).c_str());
        }
    }
    EXPECT(std::current_exception() == nullptr);
}

/* Parks in a destructor while an exception is on its way. */
struct parks {
    int depth;
    explicit parks(int d) : depth(d) {}
    parks(const parks &) = delete;
    parks &operator=(const parks &) = delete;
    ~parks()
    {
        for (int i = 0; i < 5; i++) {
            go_yield();
            EXPECT_EQ_INT(std::uncaught_exceptions(), depth);
        }
    }
};

void park_while_unwinding()
{
    for (int i = 0; i < 10; i++) {
        try {
            parks p(1);
            throw i;
        } catch (int v) {
            EXPECT_EQ_INT(v, i);
        }
        parks calm(0);
    }
}

} // namespace

TEST(exceptions, current_exception_stays_with_the_goroutine)
{
    go_waitgroup wg = {};
    go_maxprocs(4);
    for (int i = 0; i < 50; i++) {
        go_wg_go(&wg, keep_current, i);
    }
    go_wg_wait(&wg);
}

TEST(exceptions, destructors_may_park_while_an_exception_is_on_its_way)
{
    go_waitgroup wg = {};
    go_maxprocs(4);
    for (int i = 0; i < 50; i++) {
        go_wg_go(&wg, park_while_unwinding);
    }
    go_wg_wait(&wg);
}

namespace {
void throws(int v) { throw v; }
void try_throws() { (void)go_try(nullptr, throws, 7); }
} // namespace

TEST(exceptions, pass_through_try)
{
    int caught = 0;
    try {
        try_throws();
    } catch (int v) {
        caught = v;
    }
    EXPECT_EQ_INT(caught, 7);
    /* And the try is gone: a panic goes to the next one. */
    EXPECT(!go_try(nullptr, panics));
}

namespace {
void panic_in_a_handler()
{
    try {
        throw 1;
    } catch (int) {
        go_panic("in a handler");
    }
}
} // namespace

TEST(exceptions, panic_in_a_handler_is_caught_by_try)
{
    for (int i = 0; i < 10; i++) {
        go_panic_info info;
        EXPECT(!go_try(&info, panic_in_a_handler));
        EXPECT_EQ_STR(info.message, "in a handler");
        EXPECT_EQ_INT(std::uncaught_exceptions(), 0);
        EXPECT(std::current_exception() == nullptr);
    }
}

namespace {
void swallow()
{
    try {
        go_exit();
    } catch (...) {
        log_text += "seen ";
        throw;
    }
}
} // namespace

TEST(exceptions, catch_all_sees_an_exit_and_passes_it_on)
{
    go_waitgroup wg = {};
    go_wg_go(&wg, swallow);
    go_wg_wait(&wg);
    EXPECT_EQ_STR(log_text.c_str(), "seen ");
}

DEATH_TEST(exceptions, uncaught_in_a_goroutine_terminates, DIED_BY(SIGABRT), "terminate called")
{
    go_spawn(throws, 7);
    (void)go_select_cases(nullptr, 0);
}
