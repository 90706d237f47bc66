/* Distinguished names (RFC 4514), always parsed, never split at commas. */
#ifndef IMDIR_DATA_DN_H
#define IMDIR_DATA_DN_H

#include "lib/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* A canonical form for comparison only (never shown, never sent): parsed, types lower-case, values folded (im_text_fold), blanks
 * normalised. False: not a DN. */
bool im_dn_normalize(const char *dn, struct im_buf *out);
bool im_dn_is_valid(const char *dn);
bool im_dn_equal(const char *a, const char *b);                       /* false where one is not a DN */
bool im_dn_is_under(const char *dn, const char *base);                /* equal counts */
bool im_dn_parent(const char *dn, struct im_buf *out);                /* as spelled; false: no parent */
bool im_dn_first_value(const char *dn, struct im_buf *out);           /* value of the first RDN, unescaped: "Müller, Jörg" */
void im_dn_escape(const char *value, size_t len, struct im_buf *out); /* RFC 4514 section 2.4; UTF-8 stays readable */
/* A DN of a deleted object: an RDN value with a newline and "DEL:", or below CN=Deleted Objects (MS-ADTS 3.1.1.5.5). */
bool im_dn_is_deleted(const char *dn);

/* Splits Active Directory's extended form "<GUID=...>;<SID=...>;dn" (MS-ADTS 3.1.1.3.4.1.5). guid gets "<GUID=...>" or stays
 * empty, dn the rest; a plain DN gives itself. */
void im_dn_pieces(const struct berval *value, struct berval *guid, struct berval *dn); /* the same, as pieces of the value */
void im_dn_split_extended(const char *value, size_t len, struct im_buf *guid, struct im_buf *dn);

#endif
