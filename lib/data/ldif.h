/* LDIF (RFC 2849): a reader for entries that trusts nothing, and a writer of change records. */
#ifndef IMDIR_DATA_LDIF_H
#define IMDIR_DATA_LDIF_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/pool.h"
#include "lib/data/entry.h"
#include "lib/data/op.h"

#include <stdio.h>

/* Reads one content record after the other from a stream. Own reader because libldap's follows include: lines and file URLs. */
struct im_ldif_reader;

/* `name` is used in messages; `stream` is borrowed. */
enum im_err im_ldif_reader_new(FILE *stream, const char *name, struct im_ldif_reader **out, struct im_error *e);
/* *entry is NULL at the end; it lives in `pool`. Errors name file, line and column: broken base64, "include:", "attr:< url",
 * change records, NUL bytes, lines over 1 MiB, records over 64 MiB or with over 4096 attributes. What ldapsearch writes behind
 * the entries is passed over, but IM_E_TRUNCATED when it says that the search failed or hit a limit. */
enum im_err im_ldif_read(struct im_ldif_reader *r, struct im_pool *pool, struct im_entry **entry, struct im_error *e);
void im_ldif_reader_free(struct im_ldif_reader **r);

/* Appends; values that LDIF cannot hold plainly are base64; lines are folded at 76 columns. */
void im_ldif_write_value(struct im_buf *out, const char *attribute, const struct berval *value);
void im_ldif_write_change(struct im_buf *out, const struct im_change *change); /* a changetype: modify record and an empty line */

#endif
