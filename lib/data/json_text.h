/* JSON as text, piece by piece, for what is written by the ten thousand: the same as im_json_dump writes, at a tenth of its cost.
 * Who calls it sets the commas, but for those in front of members. */
#ifndef IMDIR_DATA_JSON_TEXT_H
#define IMDIR_DATA_JSON_TEXT_H

#include "lib/base/buf.h"

#include <lber.h>

void im_json_add_value(struct im_buf *out, const struct berval *value); /* as im_json_value */
void im_json_add_string(struct im_buf *out, const char *s);             /* as im_json_string; s is not NULL */

/* Members of an object whose brace is open: the comma is set where something stands before. */
void im_json_add_key(struct im_buf *out, const char *key);                       /* "key": with nothing to escape */
void im_json_add_member(struct im_buf *out, const char *key, const char *value); /* NULL: left out */
void im_json_add_values(struct im_buf *out, const char *key, const struct berval *values, size_t count); /* a list */
void im_json_add_count(struct im_buf *out, const char *key, size_t value);

#endif
