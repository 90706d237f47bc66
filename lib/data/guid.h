/* objectGUID (mixed endian, MS-DTYP 2.3.4) and entryUUID (RFC 4530). */
#ifndef IMDIR_DATA_GUID_H
#define IMDIR_DATA_GUID_H

#include <lber.h>
#include <stdbool.h>

enum { IM_GUID_TEXT_SIZE = 37, IM_GUID_BYTES_SIZE = 16 };

bool im_guid_to_text(const struct berval *octets, char out[static IM_GUID_TEXT_SIZE]);  /* objectGUID octets; lower case */
bool im_guid_from_text(const char *text, unsigned char out[static IM_GUID_BYTES_SIZE]); /* with or without braces */

#endif
