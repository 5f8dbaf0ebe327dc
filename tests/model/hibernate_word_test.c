/* SPDX-License-Identifier: MIT */
/* Every interleaving of the steps in stack/hibernate_word.h: a hibernator that takes a page and
 * drops images, two who touch it, one of whom pins it. The page is a plain number: 0 is none. */
#include "model/atomic.h"
#include "stack/hibernate_word.h"

enum { IMAGES = 4 };

static goi_a64 word;
static int page, page_taken, restores;     /* what is in memory; who is at it */
static int image[IMAGES + 1];              /* contents by number; -1: dropped */
static int images;
static bool pinned;

static void setup(void)
{
    word.v = 0;
    page = 7;
    page_taken = restores = images = 0;
    pinned = false;
}

static void drop(void)
{
    uint32_t ref = goi_hib_reap(&word);
    if (ref != 0) {
        EX_CHECK(image[ref] > 0);
        image[ref] = -1; /* Z4 */
        ex_point(&image[ref]);
    }
}

static void hibernator(void)
{
    for (int i = 0; i < 2; i++) {
        drop();
        if (!goi_hib_claim(&word)) {
            continue;
        }
        page_taken++;
        EX_CHECK(page_taken == 1);
        EX_CHECK(!pinned); /* Z6 */
        uint32_t ref = (uint32_t)++images;
        image[ref] = page;
        ex_point(&page);
        EX_CHECK(!pinned);
        page = 0;
        page_taken--;
        goi_hib_store(&word, ref);
    }
    drop();
}

/* As the fault handler does it; what faults is an access to a page that is not there. */
static void bring_back(void)
{
    uint32_t ref;
    for (;;) { /* ends: each step of the others ends */
        uint64_t w = ld_acq(&word);
        if (goi_hib_present(w)) {
            return;
        }
        if (goi_hib_state(w) != GOI_HIB_STORED) {
            ex_spin();
        } else if (goi_hib_begin(&word, &ref)) {
            restores++;
            EX_CHECK(restores == 1); /* Z5 */
            EX_CHECK(page == 0);
            int contents = image[ref];
            ex_point(&image[ref]);
            EX_CHECK(contents > 0 && image[ref] == contents); /* Z4 */
            page = contents;
            restores--;
            goi_hib_end(&word, ref);
            return;
        }
    }
}

static void toucher(void)
{
    bring_back();
    bring_back();
}

static void pinner(void)
{
    while (!goi_hib_pin(&word)) {
        bring_back();
    }
    pinned = true;
    ex_point(&page);
    EX_CHECK(page == 7); /* Z6 */
    EX_CHECK(page_taken == 0);
    pinned = false;
    goi_hib_unpin(&word);
}

static void check(void)
{
    uint64_t w = word.v;
    EX_CHECK((w & GOI_HIB_PINS) == 0);
    EX_CHECK(goi_hib_present(w) ? page == 7 : image[goi_hib_ref(w)] == 7);
}

TEST(hibernate_word, contents_are_in_one_place_and_pins_hold)
{
    static const struct ex_program p = {.name = "hibernate_word",
                                        .setup = setup,
                                        .threads = {hibernator, toucher, pinner},
                                        .check = check,
                                        .preemptions = 3};
    EXPECT(ex_explore(&p));
}

TEST(hibernate_word, also_with_store_buffers)
{
    static const struct ex_program p = {.name = "hibernate_word with store buffers",
                                        .setup = setup,
                                        .threads = {hibernator, toucher, pinner},
                                        .check = check,
                                        .preemptions = 2,
                                        .store_buffers = true};
    EXPECT(ex_explore(&p));
}
