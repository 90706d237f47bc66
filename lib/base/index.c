#include "lib/base/index.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

/* Open addressing, probed one after another; hash 0 = free. At most three quarters are taken. */
struct im_index {
    struct im_index_item *slots;
    size_t slot_count; /* a power of two */
    size_t count;
};

struct im_index *im_index_new(void) {
    struct im_index *index = calloc(1, sizeof *index);
    if (!index)
        return NULL;
    index->slots = calloc(FIRST_SLOTS, sizeof *index->slots);
    index->slot_count = FIRST_SLOTS;
    if (!index->slots)
        im_index_free(&index);
    return index;
}

void im_index_free(struct im_index **index) {
    if (!index || !*index)
        return;
    free((*index)->slots);
    free(*index);
    *index = NULL;
}

/* Where it is, or where it would be put. */
static struct im_index_item *slot_of(struct im_index_item *slots, size_t count, uint64_t hash) {
    size_t at = (size_t)hash & (count - 1);
    while (slots[at].hash && slots[at].hash != hash)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

struct im_index_item *im_index_find(const struct im_index *index, uint64_t hash) {
    struct im_index_item *slot = slot_of(index->slots, index->slot_count, hash);
    return slot->hash ? slot : NULL;
}

/* Puts an item that was taken out where it belongs now. */
static void put_back(struct im_index *index, const struct im_index_item *item) {
    *slot_of(index->slots, index->slot_count, item->hash) = *item;
}

/* The items at the beginning that are there because there was no room at the end: up to the first free slot. */
static size_t count_wrapped(const struct im_index *index) {
    size_t count = 0;
    while (index->slots[count].hash)
        count++;
    return count;
}

/* Twice the slots in the same piece of memory, which for millions of items would otherwise be there one and a half times. Each
 * item goes into the slot where it is, one before it that has become free, or the new half: never behind one that is still to be
 * moved. Those that were wrapped around come last, from a list, as the new half wraps around to their place. */
static bool grow(struct im_index *index) {
    size_t before = index->slot_count;
    size_t wrapped = count_wrapped(index);
    struct im_index_item *list = malloc((wrapped + 1) * sizeof *list);
    struct im_index_item *slots = list ? reallocarray(index->slots, 2 * before, sizeof *slots) : NULL;
    if (!slots) {
        free(list);
        return false;
    }
    memset(slots + before, 0, before * sizeof *slots);
    memcpy(list, slots, wrapped * sizeof *slots);
    memset(slots, 0, wrapped * sizeof *slots);
    index->slots = slots;
    index->slot_count = 2 * before;
    for (size_t i = wrapped; i < before; i++) {
        struct im_index_item item = slots[i];
        slots[i] = (struct im_index_item){0};
        if (item.hash)
            put_back(index, &item);
    }
    for (size_t i = 0; i < wrapped; i++)
        put_back(index, &list[i]);
    free(list);
    return true;
}

struct im_index_item *im_index_put(struct im_index *index, uint64_t hash, bool *is_new) {
    struct im_index_item *slot = slot_of(index->slots, index->slot_count, hash);
    *is_new = !slot->hash;
    if (slot->hash)
        return slot;
    if ((index->count + 1) * 4 > index->slot_count * 3) {
        if (!grow(index))
            return NULL;
        slot = slot_of(index->slots, index->slot_count, hash);
    }
    index->count++;
    slot->hash = hash;
    return slot;
}

/* Those behind it that were put there because it was in their way move up. */
void im_index_remove(struct im_index *index, uint64_t hash) {
    size_t mask = index->slot_count - 1;
    struct im_index_item *slot = slot_of(index->slots, index->slot_count, hash);
    if (!slot->hash)
        return;
    size_t hole = (size_t)(slot - index->slots);
    *slot = (struct im_index_item){0};
    index->count--;
    for (size_t at = (hole + 1) & mask; index->slots[at].hash; at = (at + 1) & mask) {
        size_t home = (size_t)index->slots[at].hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        index->slots[hole] = index->slots[at];
        index->slots[at] = (struct im_index_item){0};
        hole = at;
    }
}

size_t im_index_count(const struct im_index *index) {
    return index->count;
}
