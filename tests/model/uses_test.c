/* SPDX-License-Identifier: MIT */
/* Every interleaving of uses.h: two who use an object again and again, and two who close it. */
#include "model/atomic.h"
#include "base/assert.h"
#include "netpoll/uses.h"

static goi_a32 uses;
static int inside, freed, closed, work;

static void use(void)
{
    EX_CHECK(freed == 0);
    inside++;
    ex_point(&work);
    EX_CHECK(freed == 0);
    work++;
    inside--;
}

static void release(void)
{
    EX_CHECK(inside == 0); /* U1 */
    EX_CHECK(freed == 0);
    freed++;
}

static void user(void)
{
    for (int i = 0; i < 2; i++) {
        bool over = closed > 0;
        if (!goi_uses_begin(&uses)) {
            return;
        }
        EX_CHECK(!over); /* U2 */
        use();
        if (goi_uses_end(&uses)) {
            release();
        }
    }
}

/* A closer is a user as well: the object must not be gone under his close. */
static void closer(void)
{
    if (!goi_uses_begin(&uses)) {
        return;
    }
    if (goi_uses_close(&uses)) {
        closed++;
        if (goi_uses_end(&uses)) { /* the owner's use */
            release();
        }
    }
    use();
    if (goi_uses_end(&uses)) {
        release();
    }
}

static void setup(void)
{
    memset(&uses, 0, sizeof(uses));
    uses.v = GOI_USES_ONE;
    inside = freed = closed = work = 0;
}

static void check(void)
{
    EX_CHECK(closed == 1);
    EX_CHECK(freed == 1);
    EX_CHECK(inside == 0);
}

TEST_LONG(uses, the_last_one_and_only_he_releases, 120)
{
    static const struct ex_program p = {.name = "uses",
                                        .setup = setup,
                                        .threads = {user, closer, closer},
                                        .check = check,
                                        .preemptions = 3,
                                        .store_buffers = true};
    EXPECT(ex_explore(&p));
}

/* Who closes as the owner has no use of his own, as go_watch_close has it. */
static void owner(void)
{
    EX_CHECK(goi_uses_close(&uses));
    closed++;
    if (goi_uses_end(&uses)) {
        release();
    }
}

TEST_LONG(uses, the_owner_closes_under_two_users, 120)
{
    static const struct ex_program p = {.name = "uses, owner",
                                        .setup = setup,
                                        .threads = {user, user, owner},
                                        .check = check,
                                        .preemptions = 3,
                                        .store_buffers = true};
    EXPECT(ex_explore(&p));
}
