#include "lib/base/hashes.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

/* Open addressing, probed one after another; 0 = free. At most four fifths are taken: the index of a million addresses is to be
 * small. */
struct im_hashes {
    uint64_t *slots;
    size_t slot_count; /* a power of two */
    size_t count;
};

struct im_hashes *im_hashes_new(void) {
    struct im_hashes *hashes = calloc(1, sizeof *hashes);
    if (!hashes)
        return NULL;
    hashes->slots = calloc(FIRST_SLOTS, sizeof *hashes->slots);
    hashes->slot_count = FIRST_SLOTS;
    if (!hashes->slots)
        im_hashes_free(&hashes);
    return hashes;
}

void im_hashes_free(struct im_hashes **hashes) {
    if (!hashes || !*hashes)
        return;
    free((*hashes)->slots);
    free(*hashes);
    *hashes = NULL;
}

/* 0 stands for a free slot, so that it shares the place of 1. */
static uint64_t stored(uint64_t hash) {
    return hash ? hash : 1;
}

static uint64_t *slot_of(uint64_t *slots, size_t count, uint64_t hash) {
    size_t at = (size_t)hash & (count - 1);
    while (slots[at] && slots[at] != hash)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static bool grow(struct im_hashes *hashes) {
    size_t count = hashes->slot_count * 2;
    uint64_t *slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < hashes->slot_count; i++) {
        if (hashes->slots[i])
            *slot_of(slots, count, hashes->slots[i]) = hashes->slots[i];
    }
    free(hashes->slots);
    hashes->slots = slots;
    hashes->slot_count = count;
    return true;
}

bool im_hashes_add(struct im_hashes *hashes, uint64_t hash, bool *is_new) {
    if (hashes->count >= hashes->slot_count / 5 * 4 && !grow(hashes))
        return false;
    uint64_t *slot = slot_of(hashes->slots, hashes->slot_count, stored(hash));
    *is_new = !*slot;
    hashes->count += *is_new;
    *slot = stored(hash);
    return true;
}

size_t im_hashes_count(const struct im_hashes *hashes) {
    return hashes->count;
}
