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

/* Values and names may lie in the message, the rest in pool: valid as long as both. *ranges gets the incomplete attributes. */
enum im_err im_decode_entry(LDAP *ld, LDAPMessage *message, struct im_pool *pool, struct im_entry *out, struct im_range *ranges,
                            size_t *range_count, struct im_error *e);

enum { IM_MAX_RANGES = 16 };

#endif
