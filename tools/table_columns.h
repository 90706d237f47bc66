/* Which column of a CSV file means what. */
#ifndef IMDIR_TOOLS_TABLE_COLUMNS_H
#define IMDIR_TOOLS_TABLE_COLUMNS_H

#include "lib/imdir.h"

/* Those that name the account come first, in the order in which the first that is filled counts. */
enum im_column {
    IM_COLUMN_DN,
    IM_COLUMN_GUID,
    IM_COLUMN_SID,
    IM_COLUMN_ACCOUNT,
    IM_COLUMN_SAM,
    IM_COLUMN_UID,
    IM_COLUMN_UPN,
    IM_COLUMN_MAIL,
    IM_COLUMN_NAMES, /* how many they are */
    IM_COLUMN_ADDRESS = IM_COLUMN_NAMES,
    IM_COLUMN_HOME,
    IM_COLUMN_DOMAIN,
    IM_COLUMN_RULE, /* of the findings of a check */
    IM_COLUMN_COUNT,
};

struct im_columns {
    size_t at[IM_COLUMN_COUNT]; /* position in the row from 1; 0 = there is none */
};

const char *im_column_name(enum im_column column);
const char *im_column_prefix(enum im_column column); /* forces the form of an identity: "dn:", or "" */

/* mappings: "account=EmployeeLogin". IM_E_USAGE and IM_E_INPUT say which columns there are. `name` is the file's, for messages.
 */
enum im_err im_columns_find(const struct im_row *header, const struct im_strings *mappings, const char *name,
                            struct im_columns *out, struct im_error *e);
/* The header with its cells trimmed as im_cell_text does, pieces in pool. */
enum im_err im_columns_trim(const struct im_row *header, struct im_pool *pool, struct im_row *out, struct im_error *e);
size_t im_columns_position(const struct im_row *trimmed, const char *name); /* from 1, letter case ignored; 0: there is none */
/* Without blanks (and U+00A0) at both ends, and without the apostrophe that keeps a spreadsheet from running a formula. In pool;
 * NULL: out of memory. */
const char *im_cell_text(const char *cell, struct im_pool *pool);

#endif
