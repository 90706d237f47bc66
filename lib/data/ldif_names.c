#include "lib/data/ldif_names.h"

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"

#include <string.h>

enum { SLOTS = 4 * IM_LDIF_MAX_NAMES }; /* half full at most: a record may bring as many again */

static bool is_name(const char *name, size_t len) {
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && (i == 0 || !c || !strchr("-;._=*", c)))
            return false;
    }
    return len > 0;
}

static enum im_ldif_word word_of(const char *name) {
    static const struct {
        const char *name;
        enum im_ldif_word word;
    } words[] = {
        {"dn", IM_LDIF_DN},           {"version", IM_LDIF_VERSION}, {"include", IM_LDIF_INCLUDE}, {"changetype", IM_LDIF_CHANGE},
        {"control", IM_LDIF_CONTROL}, {"search", IM_LDIF_TRAILER},  {"result", IM_LDIF_TRAILER},  {"ref", IM_LDIF_TRAILER},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (im_text_equal(words[i].name, name))
            return words[i].word;
    }
    return IM_LDIF_ATTRIBUTE;
}

/* ";range=0-1499" is a part, ";range=1500-*" the last one (MS-ADTS 3.1.1.3.1.3.3). */
static void read_options(struct im_ldif_name *name) {
    for (const char *option = strchr(name->spelled, ';'); option; option = strchr(option + 1, ';')) {
        size_t len = strcspn(option + 1, ";");
        if (len < 6 || !im_text_equal_n(option + 1, 6, "range=", 6))
            continue;
        name->is_last = option[len] == '*';
        name->is_part = !name->is_last;
    }
}

static void read_wanted(const struct im_ldif_names *names, struct im_ldif_name *name) {
    name->is_wanted = !names->wanted;
    for (size_t i = 0; !name->is_wanted && i < names->wanted_count; i++) {
        name->is_wanted = im_text_equal(names->wanted[i], name->plain);
        name->wanted = i;
    }
}

static struct im_ldif_name *first_of(const struct im_ldif_names *names, struct im_ldif_name *name) {
    for (size_t i = 0; i < names->count; i++) {
        struct im_ldif_name *other = names->list[i];
        if (other->first == other && im_text_equal(other->plain, name->plain))
            return other;
    }
    return name;
}

static struct im_ldif_name *make(struct im_ldif_names *names, const char *text, size_t len, uint64_t hash) {
    struct im_ldif_name *name = im_pool_alloc(names->pool, sizeof *name);
    if (!name)
        return NULL;
    const char *option = memchr(text, ';', len);
    name->spelled = im_pool_strndup(names->pool, text, len);
    name->plain = option ? im_pool_strndup(names->pool, text, (size_t)(option - text)) : name->spelled;
    if (!name->spelled || !name->plain)
        return NULL;
    name->len = len;
    name->hash = hash;
    name->word = word_of(name->plain);
    read_options(name);
    read_wanted(names, name);
    name->first = first_of(names, name);
    return name;
}

static enum im_err prepare(struct im_ldif_names *names, struct im_error *e) {
    if (!names->pool) {
        names->pool = im_pool_new();
        im_hash_seed(names->key);
    }
    if (names->pool && !names->slots) {
        names->slots = im_pool_array(names->pool, SLOTS, sizeof(struct im_ldif_name *));
        names->slot_count = SLOTS;
    }
    return names->slots ? IM_OK : im_error_nomem(e);
}

static bool is_same(const struct im_ldif_name *name, const char *text, size_t len) {
    return name->len == len && memcmp(name->spelled, text, len) == 0;
}

static enum im_err keep(struct im_ldif_names *names, struct im_ldif_name **slot, struct im_ldif_name *name, struct im_error *e) {
    struct im_ldif_name **place = name ? im_vec_grow(&names->list, &names->count, &names->cap, sizeof *names->list) : NULL;
    if (!place)
        return im_error_nomem(e);
    *place = *slot = name;
    return IM_OK;
}

static void remember(struct im_ldif_names *names, struct im_ldif_name *name) {
    if (names->previous && name)
        names->previous->next = name;
    names->previous = name;
}

enum im_err im_ldif_names_find(struct im_ldif_names *names, const char *text, size_t len, struct im_ldif_name **out,
                               struct im_error *e) {
    enum im_err err = prepare(names, e);
    if (err != IM_OK)
        return err;
    uint64_t hash = im_hash(text, len, names->key);
    size_t at = hash & (names->slot_count - 1);
    while (names->slots[at] && !(names->slots[at]->hash == hash && is_same(names->slots[at], text, len)))
        at = (at + 1) & (names->slot_count - 1);
    *out = names->slots[at];
    if (!*out && is_name(text, len)) {
        err = keep(names, &names->slots[at], make(names, text, len, hash), e);
        *out = names->slots[at];
    }
    remember(names, *out);
    return err;
}

void im_ldif_names_trim(struct im_ldif_names *names) {
    if (names->count <= IM_LDIF_MAX_NAMES)
        return;
    im_pool_reset(names->pool);
    names->slots = NULL;
    names->count = 0;
    names->previous = NULL;
}

void im_ldif_names_free(struct im_ldif_names *names) {
    free(names->list);
    im_pool_free(&names->pool);
    *names = (struct im_ldif_names){.pool = NULL};
}
