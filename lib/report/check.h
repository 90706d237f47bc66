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
    bool is_partial;              /* not every rule was asked: that nothing stands against it is only so far true */
    const struct im_finding *why; /* why not: an error, or a rule that refuses enabling; NULL: nothing stands against it */
    const char *trouble;          /* not found, ambiguous, bad row: why nothing is known of this line; else NULL */
};

/* One slice or bar of a chart. */
struct im_check_share {
    const char *name;
    size_t count;
};

/* What the HTML report draws beside findings. JSON carries it along, so that --input can draw it again. */
struct im_check_picture {
    const struct im_check_share *homes; /* home servers, with their users */
    size_t home_count;
    const struct im_check_share *states; /* of the accounts: "enabled, nothing found", "not enabled", ... */
    size_t state_count;
};

struct im_check_summary {
    size_t accounts, enabled;            /* looked at; with IM attributes */
    size_t errors, warnings, infos;      /* without silenced ones, and without those that are gone */
    size_t silenced, fresh, known, gone; /* the last three with a baseline */
    size_t fresh_errors, fresh_warnings, fresh_infos;
    size_t troubles; /* selected lines of which nothing is known */
    bool has_baseline;
    bool lacks_accounts; /* nobody looked at them: there are no such numbers */
    double seconds;
    const struct im_check_picture *picture; /* NULL: there is nothing to draw */
};

/* Counts one finding that is reported: by its severity, silence and state. */
void im_check_count(struct im_check_summary *summary, const struct im_finding *finding);
/* Findings that count for the exit status, at this severity or above: with a baseline only new ones. */
size_t im_check_counted(const struct im_check_summary *summary, enum im_severity severity);
/* 0 OK, 1 warnings, 2 errors, 3 unknown: nothing is known of some selected line, and nothing worse is. */
int im_check_nagios_status(const struct im_check_summary *summary);

/* The `account` of a finding and of im_checked is the account's name as the directory has it; formats make it something that
 * --csv resolves to the same account. Rules are told apart by their address and live until the end; all else is borrowed for the
 * call. */
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
    void (*free)(void **state); /* where a run ends before `end`, or `end` fails. May be NULL */
};

/* Not for --output, but for --report: a page for a file of its own. */
extern const struct im_check_format im_check_html;
extern const struct im_check_format im_check_text, im_check_json, im_check_jsonl, im_check_csv, im_check_nagios,
    im_check_prometheus;

/* The formats of imcheck, for --output and --help. */
const struct im_check_format *const *im_check_formats(size_t *count);
const struct im_check_format *im_check_format(const char *name); /* NULL: there is none */

/* --list-rules and --explain, as text, json, jsonl or csv. IM_E_USAGE: another format. */
enum im_err im_report_rules(struct im_out *out, const char *format, struct im_error *e);
enum im_err im_report_rule(struct im_out *out, const char *format, const struct im_rule *rule, struct im_error *e);

#endif
