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
    /* Every attribute of the profile with a value before or after, and the class: before equals after where a value is kept. DNs
     * plain, of objectClass our own only. */
    const struct im_plan_diff *diffs;
    size_t diff_count;
    enum im_record_state state;
};

#endif
