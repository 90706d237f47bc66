/* JSON as a stream: one object at a time, so that memory does not grow with the number of accounts. Home of <jansson.h>. */
#ifndef IMDIR_DATA_JSON_H
#define IMDIR_DATA_JSON_H

#include "lib/base/buf.h"

#include <jansson.h>
#include <lber.h>

json_t *im_json_value(const struct berval *value); /* a string, or {"base64": "..."} where the bytes are not UTF-8 */
json_t *im_json_string(const char *s);             /* NULL gives NULL; broken UTF-8 as im_json_value */
/* Sets key where value is not NULL (taken); a missing value is left out, as the output shapes demand. */
void im_json_put(json_t *object, const char *key, json_t *value);
void im_json_dump(const json_t *value, struct im_buf *out); /* one line, no newline, keys in order of insertion */

#endif
