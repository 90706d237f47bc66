/* From the way an operator names people to directory entries, in batches. */
#ifndef IMDIR_DIRECTORY_RESOLVE_H
#define IMDIR_DIRECTORY_RESOLVE_H

#include "lib/directory/lookup.h"
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
    /* The names of the base's domain, for DOMAIN\name; NULL: not known. See im_resolver_learn_domain. */
    const char *netbios, *dns;
};

/* Sets dns, and netbios unless it is known. Only needed where an identity is of the form DOMAIN\name. */
enum im_err im_resolver_learn_domain(struct im_resolver *r, struct im_pool *pool, struct im_error *e);

struct im_resolving;
/* Fills `lookups` with as few searches as possible (OR filters of at most IM_LOOKUP_TERMS). When they are done, im_resolve_end
 * tells what each identity names. Values that come back are compared with what was asked (folded) before they count as a match: a
 * server may match more loosely than we do. Entries are in pool, which must outlive both. */
enum im_err im_resolve_begin(const struct im_resolver *r, const struct im_identity *identities, size_t count,
                             struct im_pool *pool, struct im_lookups *lookups, struct im_resolving **out, struct im_error *e);
/* matches[i] goes with identities[i]; valid as long as the pool. */
const struct im_match *im_resolve_end(struct im_resolving *resolving);

/* Reads accounts again, by GUID or entryUUID where known, so that a rename is followed. entries[i] goes with accounts[i], and
 * stays NULL where it is gone. */
enum im_err im_reread_begin(const struct im_resolver *r, const struct im_account *const *accounts, size_t count,
                            struct im_pool *pool, const struct im_entry **entries, struct im_lookups *lookups,
                            struct im_error *e);

/* Others that hold the wanted address or logical URL: searched as written and in lower case and by alias, compared folded.
 * holders[i] goes with accounts[i] and wants[i]; an object never is its own holder. To be asked of r->gc where there is one. */
struct im_holders {
    struct im_holder *items;
    size_t count;
};
enum im_err im_holders_begin(const struct im_resolver *r, const struct im_account *const *accounts,
                             const struct im_want *const *wants, size_t count, struct im_pool *pool, struct im_holders *holders,
                             struct im_lookups *lookups, struct im_error *e);
/* Is there any account at all below the base, or without one in any domain? IM_E_INVISIBLE names base and identity where there is
 * none. */
enum im_err im_resolve_any(const struct im_resolver *r, struct im_error *e);

#endif
