/* SPDX-License-Identifier: MIT */
/* What hibernating stacks are written as, and where that is kept. */
#include "harness.h"
#include "stack/hibernate.h"
#include <stdlib.h>

static uint64_t state = 88172645463325252u;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static const uint64_t end = 0x7f12345ff000;

/* A word of each kind that stacks have, and of those between. */
static uint64_t word(uint64_t last)
{
    uint64_t code = (uint64_t)(uintptr_t)goi_image_encode;
    switch (next() % 12) {
    case 0:
    case 1:
        return 0;
    case 2:
        return next() % 256;
    case 3:
        return next() >> next() % 64;
    case 4:
        return end - next() % 70000;
    case 5:
        return end - (next() >> 32) - next() % 2;
    case 6:
        return code + next() % 0x2000000 - 0x1000000;
    case 7:
        return code + next() % 0x200000000 - 0x100000000;
    case 8:
        return last;
    case 9:
        return ~(uint64_t)0 - next() % 3;
    case 10:
        return (uint64_t)1 << next() % 64;
    default:
        return next();
    }
}

TEST(hibernate_image, any_words_come_back_as_they_were)
{
    static uint64_t words[GOI_IMAGE_WORDS_MAX], back[GOI_IMAGE_WORDS_MAX];
    static uint8_t image[GOI_IMAGE_BYTES_MAX];
    for (int i = 0; i < 2000; i++) {
        size_t n = next() % (i % 10 == 0 ? GOI_IMAGE_WORDS_MAX : 200) + 1;
        for (size_t k = 0; k < n; k++) {
            words[k] = word(k > 0 ? words[k - 1] : 0);
        }
        memset(back, 0xa5, sizeof back);
        size_t bytes = goi_image_encode(image, sizeof image, words, n, end);
        REQUIRE(bytes > 0);
        REQUIRE_EQ_INT(goi_image_words(image), n);
        goi_image_decode(image, back, end);
        REQUIRE(memcmp(words, back, n * 8) == 0);
    }
}

TEST(hibernate_image, zeros_cost_a_bit_each)
{
    uint64_t words[64] = {0};
    uint8_t image[64];
    EXPECT_EQ_UINT(goi_image_encode(image, sizeof image, words, 64, end), 2 + 8);
    words[5] = 7;
    EXPECT_EQ_UINT(goi_image_encode(image, sizeof image, words, 64, end), 2 + 8 + 1 + 1);
    words[5] = end - 4000;
    EXPECT_EQ_UINT(goi_image_encode(image, sizeof image, words, 64, end), 2 + 8 + 1 + 2);
}

TEST(hibernate_image, what_does_not_fit_is_refused)
{
    uint64_t words[100];
    uint8_t image[1100];
    for (size_t i = 0; i < 100; i++) {
        words[i] = next() | (uint64_t)1 << 63;
    }
    size_t bytes = goi_image_encode(image, sizeof image, words, 100, end);
    REQUIRE_INT(bytes, >, 800);
    for (size_t room = 0; room < bytes; room++) {
        memset(image, 0x5a, sizeof image);
        REQUIRE_EQ_INT(goi_image_encode(image, room, words, 100, end), 0);
        for (size_t i = room; i < sizeof image; i++) {
            REQUIRE(image[i] == 0x5a);
        }
    }
    EXPECT_EQ_UINT(goi_image_encode(image, bytes, words, 100, end), bytes);
}

struct kept { uint32_t ref; uint8_t tag; size_t bytes; };

static size_t size(void) { return next() % 8 == 0 ? next() % GOI_IMAGE_BYTES_MAX + 1
                                                  : next() % 600 + 1; }

static void add(struct kept *k)
{
    k->bytes = size();
    k->tag = (uint8_t)next();
    k->ref = goi_store_add(k->bytes);
    REQUIRE(k->ref != 0);
    memset(goi_store_at(k->ref), k->tag, k->bytes);
}

static void drop(struct kept *k)
{
    const uint8_t *at = goi_store_at(k->ref);
    size_t same = 0;
    while (same < k->bytes && at[same] == k->tag) {
        same++;
    }
    REQUIRE_EQ_INT(same, k->bytes);
    goi_store_drop(k->ref);
    k->ref = 0;
}

TEST(hibernate_store, what_is_dropped_is_used_again)
{
    enum { N = 3000 };
    static struct kept kept[N];
    uint64_t most = 0;
    for (int i = 0; i < 20000; i++) {
        struct kept *k = &kept[next() % N];
        if (k->ref != 0) {
            drop(k);
        } else {
            add(k);
        }
        most = goi_store_bytes() > most ? goi_store_bytes() : most;
    }
    EXPECT_UINT(most, <, (uint64_t)24 << 20); /* 1,500 live ones of 1,600 bytes, 93 sizes */
    for (int i = 0; i < N; i++) {
        if (kept[i].ref != 0) {
            drop(&kept[i]);
        }
    }
    EXPECT_EQ_UINT(goi_store_bytes(), 0);
}
