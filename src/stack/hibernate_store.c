/* SPDX-License-Identifier: MIT */
/* hibernate_store.c: where the images of hibernating stacks are kept, densely.
 *
 * Slabs of 64 KiB, each of one size of images; sizes go by 16 bytes, larger ones by larger steps.
 * An image is named by a number that never moves: the slab's and its place in it. A slab that is
 * empty gives its memory back to the kernel and waits for any other size.
 *
 * One thread adds and drops (the hibernator); any thread may read an image by its number, in a
 * signal handler too, as long as the hibernator knows that it is in use (hibernate.c, Z4). So there
 * is no lock in here.
 *
 *   R1  A slab is on its size's list exactly when it has room.         (goi_must in drop and add)
 *   R2  live of a slab is the number of its images.   (what_is_dropped_is_used_again)
 */
#include "base/assert.h"
#include "os/os.h"
#include "stack/hibernate.h"

#define SLAB_BYTES   ((size_t)65536)
#define REGION_SLABS 256u           /* reserved at a time: 16 MiB */
#define SLABS_MAX    (1u << 18)     /* 16 GiB */
#define PLACE_BITS   12

enum { GRANULE = 16, SMALL = 1024, STEP = 512, SMALL_SIZES = SMALL / GRANULE, SIZES = 128 };

struct slab {
    char *mem;                      /* NULL: never used */
    uint32_t next, prev;            /* slabs of the size with room, or free ones; 0: end */
    uint16_t free;                  /* place + 1 of the first that was dropped; 0: none */
    uint16_t fresh;                 /* places never used begin here */
    uint16_t live;
    uint16_t size;                  /* index, see bytes_of_size */
};

static struct slab *slabs;          /* SLABS_MAX of them, mapped as they are touched */
static uint32_t slabs_made = 1;     /* 0 stands for none */
static uint32_t slab_free;
static uint32_t with_room[SIZES];
static goi_a64 store_bytes;         /* [stat] of slabs in use */

static uint32_t size_of_bytes(size_t n)
{
    if (n <= SMALL) {
        return (uint32_t)((n + GRANULE - 1) / GRANULE);
    }
    return (uint32_t)(SMALL_SIZES + (n - SMALL + STEP - 1) / STEP);
}

static size_t bytes_of_size(uint32_t size)
{
    return size <= SMALL_SIZES ? (size_t)size * GRANULE
                               : SMALL + (size_t)(size - SMALL_SIZES) * STEP;
}

_Static_assert(SMALL_SIZES + (GOI_IMAGE_BYTES_MAX - SMALL + STEP - 1) / STEP < SIZES,
               "every image has a size");

static uint32_t places(const struct slab *s)
{
    return (uint32_t)(SLAB_BYTES / bytes_of_size(s->size));
}

static void link(uint32_t *list, uint32_t id)
{
    slabs[id].prev = 0;
    slabs[id].next = *list;
    if (*list != 0) {
        slabs[*list].prev = id;
    }
    *list = id;
}

static void unlink(uint32_t *list, uint32_t id)
{
    struct slab *s = &slabs[id];
    if (s->prev != 0) {
        slabs[s->prev].next = s->next;
    } else {
        goi_must(*list == id); /* R1 */
        *list = s->next;
    }
    if (s->next != 0) {
        slabs[s->next].prev = s->prev;
    }
    s->next = s->prev = 0;
}

/* Memory for more slabs. False: the system has none. */
static bool grow(void)
{
    if (slabs == NULL) {
        slabs = gop_pages_reserve(SLABS_MAX * sizeof *slabs, gop_page_size());
        if (slabs == NULL) {
            return false;
        }
    }
    if (slabs_made + REGION_SLABS > SLABS_MAX) {
        return false;
    }
    char *mem = gop_pages_reserve(REGION_SLABS * SLAB_BYTES, SLAB_BYTES);
    if (mem == NULL) {
        return false;
    }
    gop_pages_no_huge(mem, REGION_SLABS * SLAB_BYTES);
    for (uint32_t i = REGION_SLABS; i > 0; i--) {
        slabs[slabs_made + i - 1].mem = mem + (i - 1) * SLAB_BYTES;
        link(&slab_free, slabs_made + i - 1);
    }
    slabs_made += REGION_SLABS;
    return true;
}

static uint32_t slab_take(uint32_t size)
{
    if (slab_free == 0 && !grow()) {
        return 0;
    }
    uint32_t id = slab_free;
    unlink(&slab_free, id);
    slabs[id].free = slabs[id].fresh = slabs[id].live = 0;
    slabs[id].size = (uint16_t)size;
    link(&with_room[size], id);
    add_rlx(&store_bytes, SLAB_BYTES); /* [stat] */
    return id;
}

void *goi_store_at(uint32_t ref)
{
    const struct slab *s = &slabs[ref >> PLACE_BITS];
    return s->mem + (ref & ((1u << PLACE_BITS) - 1)) * bytes_of_size(s->size);
}

uint32_t goi_store_add(size_t bytes)
{
    goi_assert(bytes > 0 && bytes <= GOI_IMAGE_BYTES_MAX);
    uint32_t size = size_of_bytes(bytes);
    uint32_t id = with_room[size] != 0 ? with_room[size] : slab_take(size);
    if (id == 0) {
        return 0;
    }
    struct slab *s = &slabs[id];
    uint32_t place = s->fresh;
    if (s->free != 0) {
        place = s->free - 1u;
        s->free = *(uint16_t *)goi_store_at(id << PLACE_BITS | place);
    } else {
        s->fresh++;
    }
    s->live++;
    if (s->free == 0 && s->fresh == places(s)) {
        unlink(&with_room[size], id); /* R1 */
    }
    return id << PLACE_BITS | place;
}

void goi_store_drop(uint32_t ref)
{
    uint32_t id = ref >> PLACE_BITS, place = ref & ((1u << PLACE_BITS) - 1);
    struct slab *s = &slabs[id];
    goi_must(s->live > 0 && place < s->fresh); /* R2 */
    bool had_room = s->free != 0 || s->fresh < places(s);
    *(uint16_t *)goi_store_at(ref) = s->free;
    s->free = (uint16_t)(place + 1);
    s->live--;
    if (s->live == 0) {
        if (had_room) {
            unlink(&with_room[s->size], id);
        }
        (void)gop_pages_discard(s->mem, SLAB_BYTES);
        link(&slab_free, id);
        sub_rlx(&store_bytes, SLAB_BYTES); /* [stat] */
    } else if (!had_room) {
        link(&with_room[s->size], id); /* R1 */
    }
}

uint64_t goi_store_bytes(void) { return ld_rlx(&store_bytes); }
