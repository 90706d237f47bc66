/* Findings that are known and agreed: they are counted apart, with the reason, until their day has passed. Pure. */
#ifndef IMDIR_MODEL_SILENCE_H
#define IMDIR_MODEL_SILENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a record of a configuration stands, for messages of those who find later that it cannot be. */
struct im_config_place {
    const char *file;
    size_t line, column;
};

/* One record of `silence:`. It has an account or a subject. */
struct im_silence {
    const char *rule, *account, *subject, *reason; /* as written */
    const char *account_dn;                        /* where the account is a DN: im_dn_normalize of it */
    const char *account_name;                      /* where it is a name: folded */
    const char *subject_name;                      /* the subject, folded */
    int64_t until;                                 /* first second (UTC) of the last day on which it is silent; 0: no end */
    struct im_config_place place;
};

struct im_silences {
    struct im_silence *items;
    size_t count, cap;
};

/* The account of a finding, its DN and its subject; each may be NULL. */
struct im_silence_target {
    const char *rule, *account, *dn, *subject;
};

/* The first record that speaks of the finding and has not ended; NULL: it counts. DNs are compared parsed, names and subjects
 * folded. */
const struct im_silence *im_silence_match(const struct im_silences *silences, const struct im_silence_target *target,
                                          int64_t now);

#endif
