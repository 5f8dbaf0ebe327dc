/* SPDX-License-Identifier: MIT */
/* A member's panic in C++: destructors run, arguments are destroyed, the waiter gets it. */
#include "harness.h"
#include <gort.h>
#include <memory>

static int alive;

struct counted {
    counted() { alive++; }
    counted(const counted &) { alive++; }
    ~counted() { alive--; }
};

static int member(std::shared_ptr<counted> arg)
{
    counted local;
    EXPECT_EQ_INT(alive, 2);
    if (arg) {
        go_panic("from C++");
    }
    return 0;
}

static void run()
{
    go_group g = {};
    go_group_go(&g, member, std::make_shared<counted>());
    (void)!go_group_wait(&g);
}

TEST(group_panic, runs_destructors_and_reaches_the_waiter)
{
    go_panic_info info;
    EXPECT(!go_try(&info, run));
    EXPECT_CONTAINS(info.message, "from C++\n\ngoroutine ");
    EXPECT_EQ_INT(alive, 0);
}
