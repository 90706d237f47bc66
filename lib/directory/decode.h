/* From libldap's messages to entries. Internal to this room. */
#ifndef IMDIR_DIRECTORY_DECODE_H
#define IMDIR_DIRECTORY_DECODE_H

#include "lib/base/error.h"
#include "lib/base/pool.h"
#include "lib/data/entry.h"

#include <ldap.h>

/* An attribute of which the server gave only a part: "member;range=0-1499". */
struct im_range {
    size_t attr; /* index in the entry */
    size_t next; /* first value that is missing; 0 = complete */
};

enum { IM_MAX_RANGES = 16 };

struct im_ranges {
    struct im_range list[IM_MAX_RANGES];
    size_t count;
};

/* Names and values lie in the message, which is changed for that and decoded only once; the rest in pool: valid as long as both.
 * *ranges gets the incomplete attributes. */
enum im_err im_decode_entry(LDAP *ld, LDAPMessage *message, struct im_pool *pool, struct im_entry *out, struct im_ranges *ranges,
                            struct im_error *e);
/* The attributes of out->dn, from the elements of a PartialAttributeList (RFC 4511 section 4.5.2); the byte behind is writable.
 */
enum im_err im_decode_attributes(const struct berval *list, struct im_pool *pool, struct im_entry *out, struct im_ranges *ranges,
                                 struct im_error *e);

#endif
