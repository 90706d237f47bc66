/* An earlier result of imcheck, read again from `-o json` or `-o jsonl`: for --input, and --baseline. The file is gone through as
 * a stream, twice: memory does not grow with its findings. */
#ifndef IMDIR_REPORT_CHECK_READ_H
#define IMDIR_REPORT_CHECK_READ_H

#include "lib/base/pool.h"
#include "lib/report/check.h"

struct im_check_file;

/* "-" is standard input. IM_E_INPUT names the line: no result of imcheck, or one that ends too soon. */
enum im_err im_check_file_open(const char *path, struct im_check_file **out, struct im_error *e);
void im_check_file_close(struct im_check_file **file);

/* Of the file; live as long as it. Rules that are not known here have a row made up from what the file says. The summary's
 * findings are counted anew. */
const struct im_run_info *im_check_file_info(const struct im_check_file *file);
const struct im_rule_status *im_check_file_rules(const struct im_check_file *file, size_t *count);
const struct im_check_summary *im_check_file_summary(const struct im_check_file *file);
bool im_check_file_is_whole(const struct im_check_file *file); /* all accounts were looked at, not some that were selected */

/* Called with each account and each finding in the order of the file, valid for the call; rules live as long as the file. NULL:
 * not of interest. */
struct im_check_visitor {
    enum im_err (*account)(void *user, const struct im_checked *checked, struct im_error *e);
    enum im_err (*finding)(void *user, const struct im_finding *finding, struct im_error *e);
    void *user;
};
enum im_err im_check_file_visit(struct im_check_file *file, const struct im_check_visitor *visitor, struct im_error *e);

/* What an earlier result found: some bytes for each finding. Two findings are the same where rule, account and subject are. An
 * account is the same where its GUID is, or, where one of the two findings has none, its DN, else its name. */
struct im_baseline;

enum im_err im_baseline_load(const char *path, struct im_baseline **out, struct im_error *e);
void im_baseline_free(struct im_baseline **baseline);
/* IM_FINDING_KNOWN or IM_FINDING_NEW; remembers that it is still there. */
enum im_err im_baseline_look(struct im_baseline *b, const struct im_finding *finding, enum im_finding_state *state,
                             struct im_error *e);

/* What was checked now: only what was looked for again can be gone. */
struct im_baseline_scope {
    const struct im_rule_status *rules; /* rules that were skipped tell nothing */
    size_t rule_count;
    bool is_whole; /* all accounts were looked at; else no finding about an account is called gone */
};
/* Gives each finding of the baseline that was not looked at, as IM_FINDING_GONE and once; after the last im_baseline_look. */
enum im_err im_baseline_gone(struct im_baseline *b, const struct im_baseline_scope *scope,
                             enum im_err (*give)(void *user, const struct im_finding *finding, struct im_error *e), void *user,
                             struct im_error *e);

#endif
