/* Accounts that a condition selected, in order, kept in little memory: 17 bytes each on Active Directory, elsewhere the first
 * part of the DN and a number for the rest. Pure. */
#ifndef IMDIR_MODEL_CHOSEN_H
#define IMDIR_MODEL_CHOSEN_H

#include "lib/data/entry.h"
#include "lib/model/identity.h"

#include <stdbool.h>

struct im_chosen;

/* by_guid: what they are looked up by later. Only Active Directory finds a GUID fast, others may look through all entries. NULL
 * when out of memory. */
struct im_chosen *im_chosen_new(bool by_guid);
void im_chosen_free(struct im_chosen **chosen);

enum im_err im_chosen_add(struct im_chosen *chosen, const struct im_entry *entry, struct im_error *e);
size_t im_chosen_count(const struct im_chosen *chosen);

/* Where a walk through them is; all zero: before the first. */
struct im_chosen_place {
    const void *block;
    size_t offset;
};

/* The next one, as if somebody had named it; *is_end where there is none. Pieces in pool. */
enum im_err im_chosen_next(const struct im_chosen *chosen, struct im_chosen_place *place, struct im_pool *pool,
                           struct im_identity *out, bool *is_end, struct im_error *e);

#endif
