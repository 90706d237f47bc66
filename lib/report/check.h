/* Reports of imcheck: one row a format, one file a format. Findings come one by one, as they are found. */
#ifndef IMDIR_REPORT_CHECK_H
#define IMDIR_REPORT_CHECK_H

#include "lib/model/rule.h"
#include "lib/report/report.h"

struct im_rule_status {
    const struct im_rule *rule;
    size_t findings;     /* silenced ones included */
    const char *skipped; /* why it could not be evaluated, at least in part; NULL: it was */
};

/* One account that was selected: can this person sign in? */
struct im_checked {
    const char *input, *source;   /* as named; "joiners.csv:12", or NULL */
    const char *account, *dn;     /* NULL: not found, or ambiguous */
    bool is_enabled;              /* has IM attributes now */
    const struct im_finding *why; /* why not: the worst finding at severity error; NULL: nothing stands against it */
    const char *trouble;          /* not found, ambiguous, bad row: why nothing is known of this line; else NULL */
};

struct im_check_summary {
    size_t accounts, enabled;            /* looked at; with IM attributes */
    size_t errors, warnings, infos;      /* without silenced ones, and without those that are gone */
    size_t silenced, fresh, known, gone; /* the last three with a baseline */
    size_t troubles;                     /* selected lines of which nothing is known */
    bool has_baseline;
    double seconds;
};

struct im_check_format {
    const char *name, *help;
    /* Each returns IM_E_OUTPUT when the stream cannot be written. *state is the format's own, NULL before begin, freed by end or
     * free. */
    enum im_err (*begin)(struct im_out *out, const struct im_run_info *info, void **state, struct im_error *e);
    /* Selected accounts only, before the account's findings. May be NULL. */
    enum im_err (*account)(struct im_out *out, void *state, const struct im_checked *checked, struct im_error *e);
    enum im_err (*finding)(struct im_out *out, void *state, const struct im_finding *finding, struct im_error *e);
    enum im_err (*end)(struct im_out *out, const struct im_run_info *info, void **state, const struct im_rule_status *rules,
                       size_t rule_count, const struct im_check_summary *summary, struct im_error *e);
    void (*free)(void **state); /* where a run ends before `end`. May be NULL */
};

const struct im_check_format *const *im_check_formats(size_t *count);
const struct im_check_format *im_check_format(const char *name); /* NULL: there is none */

#endif
