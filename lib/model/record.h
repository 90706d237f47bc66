/* One account's change as a journal or a plan file tells it. Pure. */
#ifndef IMDIR_MODEL_RECORD_H
#define IMDIR_MODEL_RECORD_H

#include "lib/model/plan.h"

/* What is known of whether the change was made. */
enum im_record_state {
    IM_RECORD_PLANNED,  /* in a plan file */
    IM_RECORD_UNKNOWN,  /* it was about to be sent, and no answer is on record */
    IM_RECORD_WRITTEN,  /* the directory said so */
    IM_RECORD_NOT_MADE, /* the directory refused it, or it was never sent */
};

struct im_record {
    size_t id;                  /* within its file, from 1 */
    const char *dn, *account;   /* as they were; account may be NULL */
    const char *guid;           /* objectGUID or entryUUID as text: finds the entry after a rename; NULL: not known */
    const char *input, *source; /* of the line that asked for it; NULL where there is none */
    /* Every attribute of the profile that changes or has a value, and the class where it changes; before equals after where a
     * value is kept. Opaque values only where they change: the person may edit them. DNs plain, of objectClass our own only. */
    const struct im_plan_diff *diffs;
    size_t diff_count;
    enum im_record_state state;
};

/* What a journal keeps of a plan; pieces in pool or borrowed from the plan. Without dn, guid, input and source of the line: dn,
 * account and guid are the account's. */
enum im_err im_record_of_plan(const struct im_account_context *context, const struct im_account *account,
                              const struct im_plan *plan, struct im_pool *pool, struct im_record *out, struct im_error *e);

/* May a record change this attribute? `value` is one of objectClass, which only our own class is; else NULL. */
bool im_record_is_ours(const struct im_profile *profile, const char *attribute, const struct berval *value);

enum im_record_fit {
    IM_RECORD_FITS,     /* every value is as it was before: the change can be made */
    IM_RECORD_IS_THERE, /* every value is as it is to be */
    IM_RECORD_DIFFERS,  /* somebody changed `attribute` since */
};

/* Plans the record's change (or, with `undo`, takes it back) for the account as it is now. The plan is empty unless it fits.
 * IM_E_INPUT: the record has an attribute or a class that is none of the profile's. */
enum im_err im_plan_record(const struct im_account_context *context, const struct im_account *account,
                           const struct im_record *record, bool undo, bool has_assertion, struct im_pool *pool,
                           struct im_plan *out, enum im_record_fit *fit, const char **attribute, struct im_error *e);
/* The value that the record leads to, of the profile's attribute with this role; NULL: none. */
const char *im_record_target(const struct im_profile *profile, const struct im_record *record, bool undo, enum im_role role);

#endif
