/* Searches for people that were sent before it was their turn, so that they share a round trip with something else.
 *
 * They are made by the same function as later ones (im_resolve_begin), perhaps with less knowledge (no schema yet). A later
 * search takes an answer only where it asks the very same: a guess that was wrong costs nothing but itself. Answers age: they are
 * for a run that begins at once. */
#ifndef IMDIR_DIRECTORY_EARLY_H
#define IMDIR_DIRECTORY_EARLY_H

#include "lib/directory/lookup.h"

struct im_early {
    struct im_lookups *lookups; /* borrowed, as their pool */
    /* kept by the functions below */
    struct im_early_answer *answers; /* one for each of the lookups */
};

/* From now on the answers to `lookups`, which have a pool and are not sent yet, are kept. IM_E_NOMEM. */
enum im_err im_early_begin(struct im_early *early, struct im_lookups *lookups, struct im_error *e);
/* Those of `later` that ask the same are done, as if they had been answered now. Nothing happens where not all early ones were
 * answered. Once: what is asked after that is asked anew. */
enum im_err im_early_take(struct im_early *early, struct im_lookups *later, struct im_error *e);
void im_early_free(struct im_early *early);

#endif
