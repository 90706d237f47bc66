/* Where findings go: silenced, compared with a baseline, counted, and written in a format and perhaps as a page besides. */
#ifndef IMDIR_TOOLS_CHECK_OUTPUT_H
#define IMDIR_TOOLS_CHECK_OUTPUT_H

#include "tools/check.h"

struct im_check_output;

/* Before connecting: the format, --fail-on, --baseline and --report. IM_E_USAGE, IM_E_INPUT, IM_E_OUTPUT. */
enum im_err im_check_output_open(struct im_command *c, struct im_check_output **out);
void im_check_output_free(struct im_check_output **out);

/* Once the directory is known; info must outlive the output. */
enum im_err im_check_output_begin(struct im_check_output *o, const struct im_run_info *info, struct im_error *e);
enum im_err im_check_output_account(struct im_check_output *o, const struct im_checked *checked, struct im_error *e);
enum im_err im_check_output_finding(struct im_check_output *o, const struct im_finding *finding, struct im_error *e);
/* One person's sign-in, as text; other formats have no place for it. */
enum im_err im_check_output_steps(struct im_check_output *o, const char *account, const struct im_sign_in *steps,
                                  struct im_error *e);
/* Completes the report: what the baseline has and was not found again, and what became of each rule. census NULL: nobody looked
 * at accounts. */
enum im_err im_check_output_end(struct im_check_output *o, const struct im_rule_status *rules, size_t count,
                                const struct im_census *census, struct im_error *e);
/* --input: all of that, from an earlier result. */
enum im_err im_check_output_again(struct im_check_output *o, struct im_check_file *file, struct im_error *e);
/* The exit status that the findings call for, in the way of the format. */
int im_check_output_status(const struct im_check_output *o);

#endif
