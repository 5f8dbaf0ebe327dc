/* SPDX-License-Identifier: MIT */
/* chunk.h: the framing of chunked bodies, as a function over bytes. */
#ifndef GOI_HTTP_CHUNK_H
#define GOI_HTTP_CHUNK_H

#include <gort/base.h>

enum chunk_state {
    CHUNK_SIZE_FIRST,   /* the first digit of a size */
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER_FIRST, /* at the beginning of a line behind the last chunk */
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF,
    CHUNK_DONE,
};

struct chunk {
    uint8_t state;
    int64_t left;       /* of the chunk's data */
    uint32_t overhead;  /* bytes of extensions and trailers so far */
};

/* Consumes framing from the n bytes: how many, up to the next byte of data or to the end of the
 * body; -EPROTO when they are malformed. Then state is CHUNK_DATA, and `left` bytes of data follow;
 * or CHUNK_DONE; or all n are consumed and more is needed. Who takes data subtracts it from left
 * and, at 0, sets CHUNK_DATA_CR. */
ssize_t goi_chunk_parse(struct chunk *c, const char *s, size_t n);

#endif
