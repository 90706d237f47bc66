/* LDAP result codes and Active Directory's diagnostic texts, in words. Pure. */
#ifndef IMDIR_DIRECTORY_LDAP_ERROR_H
#define IMDIR_DIRECTORY_LDAP_ERROR_H

#include "lib/base/buf.h"

#include <stdbool.h>

const char *
im_ldap_code_name(int code);    /* "insufficientAccessRights" (RFC 4511 appendix A); "other" names get "code N"-free text */
bool im_ldap_is_busy(int code); /* busy or unavailable: it may be asked again */
/* A sentence part for people: the meaning of the first 8 hex digits (Win32 code) or of "data 52e" where the text has them, else
 * of the code; then what to do where that is known. */
void im_ldap_explain(int code, const char *diagnostic, struct im_buf *out);

#endif
