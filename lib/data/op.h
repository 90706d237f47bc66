/* One LDAP modify: what is to be done to one entry, as plain data. */
#ifndef IMDIR_DATA_OP_H
#define IMDIR_DATA_OP_H

#include <lber.h>
#include <stddef.h>

enum im_op_kind { IM_OP_ADD, IM_OP_DELETE, IM_OP_REPLACE }; /* RFC 4511 section 4.6 */

struct im_op {
    enum im_op_kind kind;
    const char *attribute;
    const struct berval *values; /* IM_OP_DELETE without values removes the attribute */
    size_t count;
};

struct im_change {
    const char *dn; /* what it is sent to; may be <GUID=...> on Active Directory */
    const struct im_op *ops;
    size_t count;
    const char *assertion; /* a filter that must hold (RFC 4528), or NULL */
};

#endif
