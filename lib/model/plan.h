/* A plan: the difference between what an account has and what is wanted, as one modify. Pure. */
#ifndef IMDIR_MODEL_PLAN_H
#define IMDIR_MODEL_PLAN_H

#include "lib/data/op.h"
#include "lib/model/want.h"

/* One attribute before and after, for reports and journals. Values as they are shown: DNs plain; of objectClass our own only. */
struct im_plan_diff {
    const char *attribute;
    const struct berval *before, *after;
    size_t before_count, after_count;
};

enum { IM_PLAN_STEPS = 2 };

struct im_plan {
    /* Usually one. Two where Active Directory has no static class: it refuses class and values in one modify. */
    struct im_change steps[IM_PLAN_STEPS];
    size_t step_count;         /* 0: nothing to do */
    struct im_change rollback; /* takes the first of two steps back; count 0 otherwise */
    const struct im_plan_diff *diffs;
    size_t diff_count;
};

/* Compare and swap: each old value is named by the modify. DN values are named by <GUID=...> where known. Values that
 * have no equality rule (OpenLDAP) are replaced under an assertion; `has_assertion` says whether the server offers it. It holds
 * every value that was read to be there still; for an attribute of many values it cannot say that there are no others.
 * A value that is kept while others change is taken away and given back in the same modify, so that it fails where somebody else
 * changed what the others were made from. IM_E_SCHEMA: the change cannot be made safely on this server, or at all. IM_E_INPUT:
 * want->cannot_build. A want of a part leaves the rest and the class alone, and holds the address that it was made from. Only the
 * profile's attributes and its class are touched; values that mean the same as the wanted ones are
 * left as they are spelled. */
enum im_err im_plan_make(const struct im_account_context *context, const struct im_account *account, const struct im_want *want,
                         bool keep_opaque, bool has_assertion, struct im_pool *pool, struct im_plan *out, struct im_error *e);

#endif
