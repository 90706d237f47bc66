/* Addresses and logical URLs that several accounts have, found in two passes: the first remembers a hash of each, the second
 * collects who has those that turned up twice. */
#ifndef IMDIR_ENGINE_DUPLICATES_H
#define IMDIR_ENGINE_DUPLICATES_H

#include "lib/model/account.h"
#include "lib/model/rule.h"

struct im_duplicates;

struct im_duplicates *im_duplicates_new(const struct im_profile *profile); /* NULL when out of memory */
void im_duplicates_free(struct im_duplicates **duplicates);

/* First pass, once for each account. Letter case, composition and closing slashes are ignored. */
enum im_err im_duplicates_meet(struct im_duplicates *d, const struct im_account *account, struct im_error *e);
bool im_duplicates_any(const struct im_duplicates *d); /* something may have turned up twice */
/* Second pass. is_judged: the account is to be told of; else it only counts as a holder. */
enum im_err im_duplicates_collect(struct im_duplicates *d, const struct im_account *account, bool is_judged, struct im_error *e);

/* Then: each account that shares something (its name, DN and GUID), with those that have it too (the first few of them). All
 * valid during the call. */
typedef enum im_err im_duplicate_fn(void *user, const struct im_account *who, const struct im_holder *others, size_t count,
                                    struct im_error *e);
enum im_err im_duplicates_each(const struct im_duplicates *d, im_duplicate_fn *fn, void *user, struct im_error *e);

#endif
