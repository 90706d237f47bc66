#include "lib/base/names.h"

#include "lib/base/text.h"

bool im_names_make(struct im_names *names, size_t count, struct im_pool *pool) {
    size_t slots = 4;
    while (slots < count + count / 2)
        slots *= 2;
    *names = (struct im_names){.slots = im_pool_array(pool, slots, sizeof *names->slots), .slot_count = slots};
    return names->slots != NULL;
}

/* The slot that has the name, or the free one where it belongs. */
static struct im_name *slot_of(const struct im_names *names, const char *text, uint32_t hash) {
    size_t mask = names->slot_count - 1;
    size_t at = hash & mask;
    while (names->slots[at].text && !(names->slots[at].hash == hash && im_text_equal(names->slots[at].text, text)))
        at = (at + 1) & mask;
    return &names->slots[at];
}

const struct im_name *im_names_add(struct im_names *names, const char *text, uint32_t place) {
    uint32_t hash = im_text_hash(text);
    struct im_name *slot = slot_of(names, text, hash);
    if (!slot->text)
        *slot = (struct im_name){.text = text, .place = place, .hash = hash};
    return slot;
}

const struct im_name *im_names_find(const struct im_names *names, const char *text) {
    const struct im_name *slot = slot_of(names, text, im_text_hash(text));
    return slot->text ? slot : NULL;
}
