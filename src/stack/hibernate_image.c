/* SPDX-License-Identifier: MIT */
/* hibernate_image.c: the live part of a parked goroutine's stack, in few bytes.
 *
 * Of the words of a parked stack (frames that wait, and the descriptor) more than half are zero,
 * and most others are small numbers, pointers into the same stack, or pointers into the program. So
 * an image is
 *
 *     u16     how many words
 *     bits    one for each word: it is not zero
 *     nibbles one for each word that is not zero: its code
 *     bytes   as the codes say
 *
 * with these codes: the word's lowest 1 to 8 bytes as they are; how far it lies below the end of
 * the stack's window, in 2 or 4 bytes; how far from a place in this library, in 3 or 4 bytes and
 * signed; the same as the last one that was not zero. No dictionary and no state between images:
 * they come and go one by one. About a microsecond for a hundred words, either way.
 *
 *   I1  Decoding what was encoded gives the same words.      (any_words_come_back_as_they_were)
 *   I2  Nothing is written past `room`.                      (what_does_not_fit_is_refused)
 *
 * Rejected: a general compressor (a dependency, and tens of microseconds for a page); the words of
 * a first goroutine as a template for the others like it (half the bytes again, but templates must
 * outlive their users, and a page-table entry costs as much).
 */
#include "base/assert.h"
#include "stack/hibernate.h"
#include <string.h>

enum {
    CODE_RAW = 0,                   /* + bytes - 1: 0 to 7 */
    CODE_BELOW_2 = 8,
    CODE_BELOW_4,
    CODE_NEAR_3,
    CODE_NEAR_4,
    CODE_SAME,
    CODES
};

static const uint8_t bytes_of[CODES] = {1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 3, 4, 0};

static uint64_t anchor(void) { return (uint64_t)(uintptr_t)goi_image_encode; }

static uint32_t raw_bytes(uint64_t w) { return (71 - (uint32_t)__builtin_clzll(w)) / 8; }

/* The shortest code for a word that is not zero, and the value it stores. */
static uint32_t code_of(uint64_t w, uint64_t end, uint64_t last, uint64_t *value)
{
    uint32_t raw = raw_bytes(w);
    uint64_t below = end - w, near = w - anchor();
    *value = w;
    if (w == last) {
        return CODE_SAME;
    }
    if (raw > 2 && below < (uint64_t)1 << 16) {
        *value = below;
        return CODE_BELOW_2;
    }
    if (raw > 3 && near + ((uint64_t)1 << 23) < (uint64_t)1 << 24) {
        *value = near;
        return CODE_NEAR_3;
    }
    if (raw > 4 && below < (uint64_t)1 << 32) {
        *value = below;
        return CODE_BELOW_4;
    }
    if (raw > 4 && near + ((uint64_t)1 << 31) < (uint64_t)1 << 32) {
        *value = near;
        return CODE_NEAR_4;
    }
    return CODE_RAW + raw - 1;
}

static uint64_t word_of(uint32_t code, uint64_t value, uint64_t end, uint64_t last)
{
    uint32_t shift = 64 - 8 * (uint32_t)bytes_of[code];
    switch (code) {
    case CODE_BELOW_2:
    case CODE_BELOW_4:
        return end - value;
    case CODE_NEAR_3:
    case CODE_NEAR_4: {
        /* Sign extension: what lies below this code is negative. */
        uint64_t sign = (uint64_t)1 << (63 - shift);
        return anchor() + ((value ^ sign) - sign);
    }
    case CODE_SAME:
        return last;
    default:
        return value;
    }
}

/* Little-endian, as all machines are that this runs on. */
static void put(uint8_t *to, uint64_t value, uint32_t n) { memcpy(to, &value, n); }

static uint64_t get(const uint8_t *from, uint32_t n)
{
    uint64_t value = 0;
    memcpy(&value, from, n);
    return value;
}

size_t goi_image_encode(uint8_t *out, size_t room, const uint64_t *words, size_t n, uintptr_t end)
{
    size_t used = 0, k = 0;
    size_t bits = 2, nibbles = bits + (n + 7) / 8;
    goi_assert(n <= GOI_IMAGE_WORDS_MAX);
    for (size_t i = 0; i < n; i++) {
        used += words[i] != 0;
    }
    size_t at = nibbles + (used + 1) / 2;
    if (at > room) {
        return 0;
    }
    memset(out, 0, at);
    put(out, n, 2);
    uint64_t last = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t value;
        if (words[i] == 0) {
            continue;
        }
        uint32_t code = code_of(words[i], end, last, &value);
        if (at + bytes_of[code] > room) {
            return 0; /* I2 */
        }
        out[bits + i / 8] = (uint8_t)(out[bits + i / 8] | 1u << i % 8);
        out[nibbles + k / 2] = (uint8_t)(out[nibbles + k / 2] | code << 4 * (k % 2));
        put(out + at, value, bytes_of[code]);
        at += bytes_of[code];
        last = words[i];
        k++;
    }
    return at;
}

size_t goi_image_words(const uint8_t *image) { return (size_t)get(image, 2); }

void goi_image_decode(const uint8_t *image, uint64_t *words, uintptr_t end)
{
    size_t n = goi_image_words(image), used = 0, k = 0;
    size_t bits = 2, nibbles = bits + (n + 7) / 8;
    for (size_t i = bits; i < nibbles; i++) {
        used += (size_t)__builtin_popcount(image[i]);
    }
    size_t at = nibbles + (used + 1) / 2;
    uint64_t last = 0;
    for (size_t i = 0; i < n; i++) {
        if ((image[bits + i / 8] >> i % 8 & 1) == 0) {
            words[i] = 0;
            continue;
        }
        uint32_t code = image[nibbles + k / 2] >> 4 * (k % 2) & 15;
        goi_must(code < CODES);
        last = words[i] = word_of(code, get(image + at, bytes_of[code]), end, last);
        at += bytes_of[code];
        k++;
    }
}
