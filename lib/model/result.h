/* What became of one input line: the record that reports, rejects and journals are made of. */
#ifndef IMDIR_MODEL_RESULT_H
#define IMDIR_MODEL_RESULT_H

#include "lib/model/plan.h"
#include "lib/model/rule.h"

enum im_outcome {
    IM_CHANGED,
    IM_UNCHANGED,
    IM_REFUSED,
    IM_FAILED,
    IM_OUT_NOT_FOUND,
    IM_AMBIGUOUS,
    IM_CONFLICT,
    IM_NOT_ATTEMPTED,
    IM_OUTCOME_COUNT,
};

const char *im_outcome_name(enum im_outcome outcome); /* "not-found": for people, CSV and JSON values */
const char *im_outcome_key(enum im_outcome outcome);  /* "not_found": for keys of the summary */

struct im_result {
    const char *input, *source; /* as named; "joiners.txt:12", or NULL for arguments */
    const char *dn, *account;   /* NULL where not resolved */
    const char *ref;            /* "<GUID=...>" on Active Directory, else the DN; NULL where not resolved */
    enum im_outcome outcome;
    const char *reason;         /* rule id, or NULL */
    const char *message;        /* a sentence, or NULL */
    const char *address, *home; /* after the change (or as they would be); home is the server's name, else its DN */
    const struct im_plan_diff *diffs;
    size_t diff_count;
    const struct im_finding *findings; /* rules that fired: blocking ones of a refusal, lifted ones otherwise */
    size_t finding_count;
    int ldap_code; /* -1: none */
    const char *ldap_name, *ldap_diagnostic;
};

struct im_summary {
    size_t total, counts[IM_OUTCOME_COUNT];
    double seconds;
    const struct im_arrival *arrivals; /* of each replica, where they were waited for (lib/model/replica_facts.h) */
    size_t arrival_count;
};

/* What a report says of the run as a whole. */
struct im_run_info {
    const char *command, *version, *profile, *directory; /* directory: URI of the pinned server, or of the file */
    bool dry_run;
    int64_t started; /* seconds since 1970 */
};

#endif
