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

/* Where the bytes come from: fills up to `size` of them; *len is 0 at the end only. */
struct im_ldif_source {
    enum im_err (*read)(void *user, char *out, size_t size, size_t *len, struct im_error *e);
    void *user;
};

/* `name` is used in messages; it and the source are borrowed. */
enum im_err im_ldif_reader_open(const struct im_ldif_source *source, const char *name, struct im_ldif_reader **out,
                                struct im_error *e);
/* The same from a stream. */
enum im_err im_ldif_reader_new(FILE *stream, const char *name, struct im_ldif_reader **out, struct im_error *e);
/* Only these attributes are wanted, before the first entry is read: others are passed over, their values are not looked at.
 * Borrowed. */
void im_ldif_reader_want(struct im_ldif_reader *r, const char *const *names, size_t count);

/* *entry is NULL at the end; it is valid until the next call. Errors name file, line and column: broken base64, "include:",
 * "attr:< url", change records other than additions, NUL bytes, lines over 1 MiB, records over 64 MiB or with over 4096
 * attributes. What ldapsearch writes behind the entries is passed over, but IM_E_TRUNCATED when it says that the search failed or
 * hit a limit. */
enum im_err im_ldif_next(struct im_ldif_reader *r, const struct im_entry **entry, struct im_error *e);
/* Attribute i of that entry is the wanted name with this number. */
const size_t *im_ldif_wanted(const struct im_ldif_reader *r);
/* The first attribute of that entry of which only parts are there ("member;range=0-1499" without "member;range=1500-*"); NULL:
 * all are whole. */
const char *im_ldif_partial(const struct im_ldif_reader *r);
/* The names of attributes that were met so far, wanted or not, some perhaps twice; NULL past the last one. */
const char *im_ldif_name(const struct im_ldif_reader *r, size_t number);

/* As im_ldif_next, but the entry is copied into `pool`. */
enum im_err im_ldif_read(struct im_ldif_reader *r, struct im_pool *pool, struct im_entry **entry, struct im_error *e);
void im_ldif_reader_free(struct im_ldif_reader **r);

/* Appends; values that LDIF cannot hold plainly are base64; lines are folded at 76 columns. */
void im_ldif_write_value(struct im_buf *out, const char *attribute, const struct berval *value);
void im_ldif_write_change(struct im_buf *out, const struct im_change *change); /* a changetype: modify record and an empty line */

#endif
