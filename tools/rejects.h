/* The file of --rejects: rows that were not done, as they were, with what became of them; made to be mended and given again. */
#ifndef IMDIR_TOOLS_REJECTS_H
#define IMDIR_TOOLS_REJECTS_H

#include "tools/output_file.h"
#include "tools/table.h"

struct im_rejects {
    struct im_output_file file;
    struct im_recode *recode; /* into the encoding of the table */
    char separator;
    size_t cells;           /* of the header */
    size_t outcome, reason; /* where these columns are, from 0; not less than `cells`: the header has none */
    size_t account;         /* where an account is named that has no row */
};

/* Written as the table is: the same options read both. path NULL: no file is wanted, and all calls do nothing. The file takes its
 * place when it is committed. */
enum im_err im_rejects_open(struct im_rejects *r, const char *path, const struct im_table_form *form, struct im_error *e);
/* Writes the row unless it was changed or needed no change. */
enum im_err im_rejects_add(struct im_rejects *r, const struct im_input *input, const struct im_result *result,
                           struct im_error *e);
enum im_err im_rejects_commit(struct im_rejects *r, struct im_error *e);
void im_rejects_discard(struct im_rejects *r); /* in the end; after a commit the file stays */

#endif
