/* UTF-8 into the encoding that a file is in. */
#ifndef IMDIR_DATA_RECODE_H
#define IMDIR_DATA_RECODE_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

struct im_recode;

/* `encoding`: what iconv knows, UTF-8 too. IM_E_USAGE: nothing can be written in it. */
enum im_err im_recode_open(const char *encoding, struct im_recode **out, struct im_error *e);
/* The text in its new form; with a question mark where the encoding has no such character, or the text is no UTF-8. A buffer that
 * has failed stays so. */
void im_recode(struct im_recode *r, struct im_buf *text);
void im_recode_free(struct im_recode **r);

#endif
