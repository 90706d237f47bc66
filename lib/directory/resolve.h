/* From the way an operator names people to directory entries, in batches. */
#ifndef IMDIR_DIRECTORY_RESOLVE_H
#define IMDIR_DIRECTORY_RESOLVE_H

#include "lib/directory/directory.h"
#include "lib/model/account.h"
#include "lib/model/identity.h"
#include "lib/model/rule.h"

struct im_match {
    const struct im_entry **entries; /* all objects that the identity names; in pool */
    size_t count;
    bool by_sid_history; /* a SID that only matched sIDHistory */
    const char *remark;  /* why nothing can match, where there is more to say than that; else NULL */
};

struct im_resolver {
    struct im_directory *directory;
    const struct im_account_context *context;
    const char *base;           /* where accounts are searched */
    const char *const *domains; /* the whole forest, for uniqueness; NULL-terminated */
    struct im_directory *gc;    /* asked for uniqueness instead, where the forest has several domains; or NULL */
};

/* Looks up `count` identities with as few searches as possible (OR filters of at most 50, pipelined). Values that come back are
 * compared with what was asked (folded) before they count as a match: a server may match more loosely than we do. matches[i] goes
 * with identities[i]. Any error or truncated result is an error of the whole call: "could not read" is never "does not exist". */
enum im_err im_resolve(const struct im_resolver *r, const struct im_identity *identities, size_t count, struct im_pool *pool,
                       struct im_match *matches, struct im_error *e);
/* Reads one account again, by GUID or entryUUID where known, so that a rename is followed. *out NULL: it is gone. */
enum im_err im_resolve_again(const struct im_resolver *r, const struct im_account *account, struct im_pool *pool,
                             const struct im_entry **out, struct im_error *e);
/* Others that hold the wanted address or logical URL: searched as written and in lower case and by alias, compared folded.
 * holders[i] goes with accounts[i] and wants[i]; an object never is its own holder. */
struct im_holders {
    struct im_holder *items;
    size_t count;
};
enum im_err im_resolve_holders(const struct im_resolver *r, const struct im_account *accounts, const struct im_want *wants,
                               size_t count, struct im_pool *pool, struct im_holders *holders, struct im_error *e);
/* Is there any account at all below the base? IM_E_INVISIBLE names base and identity where there is none. */
enum im_err im_resolve_any(const struct im_resolver *r, struct im_error *e);

#endif
