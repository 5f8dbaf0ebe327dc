/* SPDX-License-Identifier: MIT */
/* hash.h: hashes of keys. A product of 128 bits folded in half, the step of wyhash: each bit of the
 * key reaches every bit of the hash, also the upper ones, which index a table that doubles. The
 * seed comes from the process's own, so that nobody can choose keys that collide. */
#ifndef GOI_SYNC_HASH_H
#define GOI_SYNC_HASH_H
#include "base/base.h"
#include <string.h>

static inline uint64_t goi_hash_fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 p = (unsigned __int128)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t goi_hash_word(uint64_t key, uint64_t seed)
{
    return goi_hash_fold(key ^ seed, 0xe7037ed1a0b428dbu ^ (seed << 1));
}

static inline uint64_t goi_hash_read(const char *p, size_t n)
{
    uint64_t word = 0;
    memcpy(&word, p, n); /* n is a constant: one load */
    return word;
}

/* The last n < 8 bytes, each of them in the word at least once. No byte outside is read. */
static inline uint64_t goi_hash_tail(const char *p, size_t n)
{
    if (n >= 4) {
        return goi_hash_read(p, 4) << 32 | goi_hash_read(p + n - 4, 4);
    }
    if (n == 0) {
        return 0;
    }
    return (uint64_t)(uint8_t)p[0] << 16 | (uint64_t)(uint8_t)p[n / 2] << 8 | (uint8_t)p[n - 1];
}

/* The length is part of the hash, so that the ways to read a tail do not collide. */
static inline uint64_t goi_hash_bytes(const char *key, size_t n, uint64_t seed)
{
    uint64_t h = goi_hash_word(n, seed);
    for (; n >= 8; n -= 8, key += 8) {
        h = goi_hash_fold(h ^ goi_hash_read(key, 8), 0xa0761d6478bd642fu);
    }
    return goi_hash_fold(h ^ goi_hash_tail(key, n), 0x8ebc6af09c88c6e3u ^ seed);
}

#endif
