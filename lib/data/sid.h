/* Security identifiers (MS-DTYP 2.4.2): octets in the directory, S-1-... for people. */
#ifndef IMDIR_DATA_SID_H
#define IMDIR_DATA_SID_H

#include <lber.h>
#include <stdbool.h>

enum { IM_SID_TEXT_SIZE = 192, IM_SID_BYTES_SIZE = 68 };

#define IM_SID_SELF "S-1-5-10"

bool im_sid_to_text(const struct berval *octets, char out[static IM_SID_TEXT_SIZE]);               /* false: malformed */
bool im_sid_from_text(const char *text, unsigned char out[static IM_SID_BYTES_SIZE], size_t *len); /* false: malformed */

#endif
