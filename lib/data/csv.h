/* CSV output (RFC 4180) for people who open it in a spreadsheet. */
#ifndef IMDIR_DATA_CSV_H
#define IMDIR_DATA_CSV_H

#include "lib/base/buf.h"

#include <stddef.h>

/* Appends one row with \r\n-free line end "\n". NULL fields are empty. A field that a spreadsheet would run as a formula (leading
 * = + - @ tab CR) gets a leading apostrophe. */
void im_csv_row(struct im_buf *out, const char *const *fields, size_t count);

#endif
