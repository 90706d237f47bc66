/* CSV output (RFC 4180) for people who open it in a spreadsheet. */
#ifndef IMDIR_DATA_CSV_H
#define IMDIR_DATA_CSV_H

#include "lib/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends one row with \r\n-free line end "\n". NULL fields are empty. A field that a spreadsheet would run as a formula (leading
 * = + - @ tab CR) gets a leading apostrophe. */
void im_csv_row(struct im_buf *out, const char *const *fields, size_t count);

/* Appends one field, quoted where it has to be; `guards`: with the apostrophe where a spreadsheet would run it. NULL is empty. */
void im_csv_cell(struct im_buf *out, const char *field, char separator, bool guards);

#endif
