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

static inline uint64_t goi_hash_bytes(const char *key, size_t n, uint64_t seed)
{
    uint64_t h = seed ^ goi_hash_word(n, seed);
    for (; n > 8; n -= 8, key += 8) {
        uint64_t word;
        memcpy(&word, key, 8);
        h = goi_hash_fold(h ^ word, 0xa0761d6478bd642fu);
    }
    uint64_t last = 0;
    memcpy(&last, key, n);
    return goi_hash_fold(h ^ last, 0x8ebc6af09c88c6e3u ^ seed);
}

#endif
