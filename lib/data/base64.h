/* Base64 (RFC 4648 section 4). */
#ifndef IMDIR_DATA_BASE64_H
#define IMDIR_DATA_BASE64_H

#include "lib/base/buf.h"

#include <lber.h>

void im_base64_encode(const struct berval *value, struct im_buf *out); /* appends; no line ends */
/* Decodes len characters into out, which holds len / 4 * 3 bytes. False: *at is the offset of the first wrong character. */
bool im_base64_decode(const char *text, size_t len, char *out, size_t *out_len, size_t *at);

#endif
