#include "lib/base/set.h"

#include "lib/base/hash.h"
#include "lib/base/pool.h"
#include "lib/base/vec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_SLOTS = 64,
    FEW = 8, /* are gone through: to compare them costs less than to hash what is looked for */
};

struct item {
    const char *bytes;
    uint32_t len, hash;
};

/* Open addressing; a slot is the number of an item + 1, 0 = free. At most half of them are taken. */
struct im_set {
    struct im_pool *pool;
    struct {
        struct item *items;
        size_t count, cap;
    } list;
    uint32_t *slots;
    size_t slot_count; /* a power of two */
    uint64_t seed[2];
};

static bool grow(struct im_set *set) {
    size_t count = set->slot_count ? set->slot_count * 2 : (size_t)FIRST_SLOTS;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    free(set->slots);
    set->slots = slots;
    set->slot_count = count;
    for (size_t n = 0; n < set->list.count; n++) {
        size_t i = set->list.items[n].hash & (count - 1);
        while (slots[i])
            i = (i + 1) & (count - 1);
        slots[i] = (uint32_t)n + 1;
    }
    return true;
}

struct im_set *im_set_new(void) {
    struct im_set *set = calloc(1, sizeof *set);
    if (!set)
        return NULL;
    set->pool = im_pool_new();
    im_hash_seed(set->seed);
    if (!set->pool || !grow(set))
        im_set_free(&set);
    return set;
}

void im_set_free(struct im_set **set) {
    if (!set || !*set)
        return;
    im_vec_free(&(*set)->list);
    im_pool_free(&(*set)->pool);
    free((*set)->slots);
    free(*set);
    *set = NULL;
}

static bool is_item(const struct item *item, const void *bytes, size_t len) {
    return item->len == len && (!len || memcmp(item->bytes, bytes, len) == 0);
}

/* The slot that holds it, or the free one where it belongs. */
static uint32_t *slot_of(const struct im_set *set, const void *bytes, size_t len, uint32_t hash) {
    for (size_t i = hash & (set->slot_count - 1);; i = (i + 1) & (set->slot_count - 1)) {
        uint32_t *slot = &set->slots[i];
        if (!*slot)
            return slot;
        const struct item *item = &set->list.items[*slot - 1];
        if (item->hash == hash && is_item(item, bytes, len))
            return slot;
    }
}

static enum im_err put(struct im_set *set, uint32_t *slot, const void *bytes, size_t len, uint32_t hash, struct im_error *e) {
    char *copy = len < UINT32_MAX && set->list.count < UINT32_MAX - 1 ? im_pool_strndup(set->pool, bytes, len) : NULL;
    struct item *item = copy ? im_vec_push(&set->list) : NULL;
    if (!item)
        return im_error_nomem(e);
    *item = (struct item){.bytes = copy, .len = (uint32_t)len, .hash = hash};
    *slot = (uint32_t)set->list.count;
    return IM_OK;
}

static bool find_in_few(const struct im_set *set, const void *bytes, size_t len, size_t *number) {
    for (size_t i = 0; i < set->list.count; i++) {
        if (is_item(&set->list.items[i], bytes, len)) {
            *number = i;
            return true;
        }
    }
    return false;
}

bool im_set_find(const struct im_set *set, const void *bytes, size_t len, size_t *number) {
    if (set->list.count <= FEW)
        return find_in_few(set, bytes, len, number);
    uint32_t slot = *slot_of(set, bytes, len, (uint32_t)im_hash(bytes, len, set->seed));
    if (slot)
        *number = slot - 1;
    return slot != 0;
}

bool im_set_has(const struct im_set *set, const void *bytes, size_t len) {
    return im_set_find(set, bytes, len, &(size_t){0});
}

static enum im_err add_hashed(struct im_set *set, const void *bytes, size_t len, size_t *number, bool *is_new,
                              struct im_error *e) {
    uint32_t hash = (uint32_t)im_hash(bytes, len, set->seed);
    if (2 * set->list.count >= set->slot_count && !grow(set))
        return im_error_nomem(e);
    uint32_t *slot = slot_of(set, bytes, len, hash);
    *is_new = !*slot;
    enum im_err err = *is_new ? put(set, slot, bytes, len, hash, e) : IM_OK;
    if (err == IM_OK)
        *number = *slot - 1;
    return err;
}

enum im_err im_set_add(struct im_set *set, const void *bytes, size_t len, size_t *number, bool *is_new, struct im_error *e) {
    size_t at;
    bool is_added = false;
    bool is_there = set->list.count <= FEW && find_in_few(set, bytes, len, &at);
    enum im_err err = is_there ? IM_OK : add_hashed(set, bytes, len, &at, &is_added, e);
    if (err == IM_OK && number)
        *number = at;
    if (err == IM_OK && is_new)
        *is_new = is_added;
    return err;
}

size_t im_set_count(const struct im_set *set) {
    return set->list.count;
}

const char *im_set_text(const struct im_set *set, size_t number) {
    return set->list.items[number].bytes;
}
