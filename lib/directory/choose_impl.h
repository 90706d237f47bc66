/* What choosing by filter and choosing by group share. Internal to this room. */
#ifndef IMDIR_DIRECTORY_CHOOSE_IMPL_H
#define IMDIR_DIRECTORY_CHOOSE_IMPL_H

#include "lib/base/set.h"
#include "lib/directory/choose.h"
#include "lib/directory/lookup.h"

enum im_nature { IM_NATURE_ACCOUNT, IM_NATURE_MACHINE, IM_NATURE_GROUP, IM_NATURE_OTHER };

struct im_choosing {
    const struct im_resolver *r;
    const struct im_condition *condition;
    struct im_pool *pool;
    struct im_set *seen; /* NULL: nobody can turn up twice */
    struct im_chosen *chosen;
    const char **attributes; /* that tell natures, members and who is the same */
};

enum im_nature im_choosing_nature(const struct im_choosing *c, const struct im_entry *entry);
/* Adds an account unless it is there. */
enum im_err im_choosing_add(struct im_choosing *c, const struct im_entry *entry, struct im_error *e);
/* What tells an entry from all others. *is_new: it was not in the set. */
enum im_err im_choosing_meet(const struct im_choosing *c, struct im_set *set, const struct im_entry *entry, bool *is_new,
                             struct im_error *e);
/* im_dn_is_under, which cannot tell "no" from running out of memory. */
enum im_err im_choosing_is_under(const char *dn, const char *base, bool *out, struct im_error *e);
/* "(&(condition)(...))" that only accounts match, in the pool; condition may be "". */
const char *im_choosing_filter(const struct im_choosing *c, const char *condition);
/* Adds the accounts below the base that match. */
enum im_err im_choosing_search(struct im_choosing *c, const char *filter, struct im_error *e);

enum im_err im_choose_members(struct im_choosing *c, struct im_error *e);

#endif
