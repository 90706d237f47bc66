#include "lib/model/chosen.h"

#include "lib/base/buf.h"
#include "lib/base/set.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"

#include <stdlib.h>
#include <string.h>

/* A record is a number, 7 bits a byte, and what it stands for: */
enum { GUID, WHOLE_DN, FIRST_PARENT }; /* 16 bytes; text and NUL; the same, below parent number - FIRST_PARENT */

enum { BLOCK_SIZE = 64 * 1024, MOST_NUMBER_BYTES = 10 };

struct block {
    struct block *next;
    size_t used, size;
    unsigned char bytes[];
};

struct im_chosen {
    bool by_guid;
    struct block *first, *last;
    struct im_set *parents; /* DNs; people stand in few places */
    size_t count;
    struct im_buf parent;
};

struct im_chosen *im_chosen_new(bool by_guid) {
    struct im_chosen *chosen = calloc(1, sizeof *chosen);
    if (!chosen)
        return NULL;
    chosen->by_guid = by_guid;
    chosen->parents = im_set_new();
    if (!chosen->parents)
        im_chosen_free(&chosen);
    return chosen;
}

void im_chosen_free(struct im_chosen **chosen) {
    if (!chosen || !*chosen)
        return;
    for (struct block *block = (*chosen)->first, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    im_set_free(&(*chosen)->parents);
    im_buf_free(&(*chosen)->parent);
    free(*chosen);
    *chosen = NULL;
}

size_t im_chosen_count(const struct im_chosen *chosen) {
    return chosen->count;
}

/* ---- writing ---- */

static unsigned char *room_for(struct im_chosen *chosen, size_t len) {
    struct block *block = chosen->last;
    if (!block || block->size - block->used < len) {
        size_t size = len > BLOCK_SIZE ? len : BLOCK_SIZE;
        block = malloc(sizeof *block + size);
        if (!block)
            return NULL;
        *block = (struct block){.size = size};
        *(chosen->last ? &chosen->last->next : &chosen->first) = block;
        chosen->last = block;
    }
    unsigned char *room = block->bytes + block->used;
    block->used += len;
    return room;
}

static enum im_err add_record(struct im_chosen *chosen, size_t number, const void *bytes, size_t len, struct im_error *e) {
    unsigned char head[MOST_NUMBER_BYTES];
    size_t head_len = 0;
    do {
        head[head_len] = (unsigned char)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
        head_len++;
        number >>= 7;
    } while (number);
    unsigned char *room = room_for(chosen, head_len + len);
    if (!room)
        return im_error_nomem(e);
    memcpy(room, head, head_len);
    memcpy(room + head_len, bytes, len);
    chosen->count++;
    return IM_OK;
}

static enum im_err add_dn(struct im_chosen *chosen, const char *dn, struct im_error *e) {
    size_t len = strlen(dn);
    im_buf_clear(&chosen->parent);
    bool has_parent = im_dn_parent(dn, &chosen->parent);
    if (chosen->parent.failed)
        return im_error_nomem(e);
    if (!has_parent || chosen->parent.len >= len)
        return add_record(chosen, WHOLE_DN, dn, len + 1, e);
    size_t number;
    enum im_err err = im_set_add(chosen->parents, chosen->parent.data, chosen->parent.len, &number, NULL, e);
    if (err != IM_OK)
        return err;
    /* "uid=x," as it stands: what is joined again is the DN as it was spelled. */
    size_t first = len - chosen->parent.len;
    char *piece = strndup(dn, first);
    err = piece ? add_record(chosen, FIRST_PARENT + number, piece, first + 1, e) : im_error_nomem(e);
    free(piece);
    return err;
}

enum im_err im_chosen_add(struct im_chosen *chosen, const struct im_entry *entry, struct im_error *e) {
    const struct berval *guid = chosen->by_guid ? im_entry_value(entry, "objectGUID") : NULL;
    if (guid && guid->bv_len == IM_GUID_BYTES_SIZE)
        return add_record(chosen, GUID, guid->bv_val, guid->bv_len, e);
    return add_dn(chosen, entry->dn, e);
}

/* ---- reading ---- */

static size_t read_number(const unsigned char **at) {
    size_t number = 0;
    unsigned shift = 0;
    do {
        number |= (size_t)(**at & 0x7f) << shift;
        shift += 7;
    } while (*(*at)++ & 0x80);
    return number;
}

static const char *guid_text(const unsigned char *at, struct im_pool *pool) {
    char text[IM_GUID_TEXT_SIZE];
    struct berval octets = {.bv_len = IM_GUID_BYTES_SIZE};
    memcpy(&octets.bv_val, &at, sizeof octets.bv_val);
    return im_guid_to_text(&octets, text) ? im_pool_strdup(pool, text) : NULL;
}

enum im_err im_chosen_next(const struct im_chosen *chosen, struct im_chosen_place *place, struct im_pool *pool,
                           struct im_identity *out, bool *is_end, struct im_error *e) {
    const struct block *block = place->block ? place->block : chosen->first;
    size_t offset = place->offset;
    if (block && offset == block->used) {
        block = block->next;
        offset = 0;
    }
    *is_end = !block;
    if (!block)
        return IM_OK;
    const unsigned char *at = block->bytes + offset;
    size_t number = read_number(&at);
    *out = (struct im_identity){.kind = number == GUID ? IM_ID_GUID : IM_ID_DN};
    if (number == GUID) {
        out->text = guid_text(at, pool);
        at += IM_GUID_BYTES_SIZE;
    } else {
        const char *parent = number >= FIRST_PARENT ? im_set_text(chosen->parents, number - FIRST_PARENT) : "";
        out->text = im_pool_printf(pool, "%s%s", (const char *)at, parent);
        at += strlen((const char *)at) + 1;
    }
    *place = (struct im_chosen_place){.block = block, .offset = (size_t)(at - block->bytes)};
    return out->text ? IM_OK : im_error_nomem(e);
}
