/* Searches about the directory itself that are sent side by side, each with its own taker. Internal to this room. */
#ifndef IMDIR_DIRECTORY_ASK_H
#define IMDIR_DIRECTORY_ASK_H

#include "lib/directory/lookup.h"

struct im_ask {
    struct im_search search;
    bool may_be_missing; /* as in struct im_lookup */
    im_entry_fn *take;
    void *user;
};

struct im_asks {
    struct im_directory *directory;
    struct im_pool *pool;    /* of texts; borrowed */
    struct im_lookups *also; /* of the caller, sent together with these; or NULL */
    bool is_paged;           /* also where few entries are expected: paged searches follow one another */
    struct {
        struct im_ask *items;
        size_t count, cap;
    } list;
};

enum im_err im_asks_add(struct im_asks *a, const struct im_ask *ask, struct im_error *e);
/* Sends all and waits for all; errors as im_lookup_all, and then `also` is not done either. Searches of `also` that a busy server
 * refused are left waiting. */
enum im_err im_asks_run(struct im_asks *a, struct im_error *e);
void im_asks_free(struct im_asks *a);

#endif
