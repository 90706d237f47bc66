/* What the formats share: getting bytes out, and noticing when that fails. */
#ifndef IMDIR_REPORT_WRITE_H
#define IMDIR_REPORT_WRITE_H

#include "lib/base/buf.h"
#include "lib/data/json.h"
#include "lib/report/report.h"

/* Writes the buffer and flushes where that is due, so that a full disk or a closed pipe is noticed soon. Empties the buffer and
 * frees it. IM_E_OUTPUT, IM_E_NOMEM (the buffer is incomplete). */
enum im_err im_report_write(struct im_out *out, struct im_buf *text, struct im_error *e);

/* The same as a further step: where `err` is an error already, the text is dropped and `err` returned. */
enum im_err im_report_write_after(enum im_err err, struct im_out *out, struct im_buf *text, struct im_error *e);

/* What an `account` cell holds: something that names the same account again when it is read back. In pool; NULL: out of memory.
 */
const char *im_report_account_cell(const struct im_result *result, struct im_pool *pool);
/* The same of an account's name and DN; without a name it is the DN, without both "". */
const char *im_report_name_cell(const char *account, const char *dn, struct im_pool *pool);

/* What a document says of the run before everything else; the caller's. */
json_t *im_report_head(const struct im_run_info *info);

#endif
