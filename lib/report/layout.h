/* Text for people: safe, aligned, and broken where a terminal ends. */
#ifndef IMDIR_REPORT_LAYOUT_H
#define IMDIR_REPORT_LAYOUT_H

#include "lib/base/buf.h"
#include "lib/report/report.h"

void im_layout_escape(struct im_buf *out, const char *s);
void im_layout_pad(struct im_buf *out, size_t have, size_t want); /* with blanks, to a column */
/* Appends s, which begins at `column`, broken at blanks on a terminal; further lines begin at `indent`. Elsewhere the text stays
 * on one line, for grep. */
void im_layout_wrap(const struct im_out *out, size_t column, size_t indent, const char *s, struct im_buf *text);
void im_layout_color(const struct im_out *out, const char *sgr, const char *s, struct im_buf *text); /* s as it is */
/* "12", "1,234,567" */
void im_layout_number(struct im_buf *out, size_t number);
/* "1 error", "2,000 errors" */
void im_layout_count(struct im_buf *out, size_t number, const char *noun);

#endif
