/* SPDX-License-Identifier: MIT */
/* The version that the program runs with. */
#include "harness.h"
#include <gort.h>

TEST(version, of_the_library_is_that_of_its_headers)
{
    EXPECT_EQ_STR(go_version(), GO_VERSION);
}
