/* SPDX-License-Identifier: MIT */
/* hash.c: FNV-1a with 128 bits, which names what the cache holds.
 *
 * The hash has to tell apart what an honest user writes, not to withstand an attacker: the cache is
 * a directory that only its owner can write. A list is hashed with its length and a string with
 * its end, so that two sequences are equal only if their parts are.
 */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct hash cli_hash_begin(void)
{
    return (struct hash){.high = 0x6c62272e07bb0142, .low = 0x62b821756295c58d};
}

void cli_hash_bytes(struct hash *h, const void *p, size_t n)
{
    /* The prime is 2^88 + 0x13b. */
    const unsigned __int128 prime = (unsigned __int128)1 << 88 | 0x13b;
    const unsigned char *byte = p;
    unsigned __int128 state = (unsigned __int128)h->high << 64 | h->low;
    for (size_t i = 0; i < n; i++) {
        state = (state ^ byte[i]) * prime;
    }
    h->high = (uint64_t)(state >> 64);
    h->low = (uint64_t)state;
}

void cli_hash_string(struct hash *h, const char *s)
{
    cli_hash_bytes(h, s, strlen(s) + 1);
}

void cli_hash_list(struct hash *h, const struct list *l)
{
    uint64_t count = l->count;
    cli_hash_bytes(h, &count, sizeof count);
    for (size_t i = 0; i < l->count; i++) {
        cli_hash_string(h, l->item[i]);
    }
}

void cli_hash_identity(struct hash *h, const char *path)
{
    struct stat st;
    cli_hash_string(h, path);
    if (stat(path, &st) != 0) {
        cli_hash_string(h, "absent");
        return;
    }
    int64_t facts[] = {
        (int64_t)st.st_dev,          (int64_t)st.st_ino,           (int64_t)st.st_size,
        (int64_t)st.st_mtim.tv_sec,  (int64_t)st.st_mtim.tv_nsec,  (int64_t)st.st_mode,
    };
    cli_hash_bytes(h, facts, sizeof facts);
}

bool cli_hash_content(struct hash *h, const char *path)
{
    /* Read, not mapped: an editor that truncates the file meanwhile must not end in SIGBUS. */
    static char buf[64 << 10];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    cli_hash_string(h, path);
    uint64_t size = 0;
    ssize_t n = 1;
    while (n > 0) {
        n = read(fd, buf, sizeof buf);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        if (n > 0) {
            cli_hash_bytes(h, buf, (size_t)n);
            size += (uint64_t)n;
        }
    }
    close(fd);
    cli_hash_bytes(h, &size, sizeof size);
    return n == 0;
}

char *cli_hash_text(const struct hash *h)
{
    return cli_fmt("%016llx%016llx", (unsigned long long)h->high, (unsigned long long)h->low);
}
