/* Where decoding looks. Internal to the decoding of accounts. */
#ifndef IMDIR_MODEL_ACCOUNT_READER_H
#define IMDIR_MODEL_ACCOUNT_READER_H

#include "lib/base/names.h"
#include "lib/model/account.h"

/* Attributes that every directory may have; their names are in account_names.c. */
enum im_at {
    IM_AT_CLASSES,
    IM_AT_GUID,
    IM_AT_UUID,
    IM_AT_SID,
    IM_AT_SID_HISTORY,
    IM_AT_UAC,
    IM_AT_PASSWORD_SET,
    IM_AT_LAST_LOGON,
    IM_AT_MASTER_SID,
    IM_AT_MAIL,
    IM_AT_UPN,
    IM_AT_GIVEN,
    IM_AT_SN,
    IM_AT_LOCKED_TIME,
    IM_AT_NS_LOCK,
    IM_AT_COMPUTED,
    IM_AT_LOCKOUT,
    IM_AT_EXPIRES,
    IM_AT_ADMIN_COUNT,
    IM_AT_PRIMARY_GROUP,
    IM_AT_RIGHTS,
    IM_AT_PROFILE, /* the first of the profile's own: its attributes, account names and alias sources, in its order */
};

enum { IM_AT_NONE = -1 };

/* A place in the list of what an entry has. A name may have several: that of an account is an alias as well. */
struct im_account_place {
    const char *name;
    int also; /* the next place of the same name, or IM_AT_NONE */
    int next; /* what stood behind it in an entry before: servers and exports keep to one order */
};

struct im_account_reader {
    const struct im_account_context *context;
    struct im_account_place *places; /* one more than there are: what stands behind the last one is what entries begin with */
    size_t count;
    struct im_names names; /* with the first place of each */
    size_t account_names_at, alias_sources_at;
    bool in_schema[IM_AT_PROFILE];
    size_t *rights_at; /* for each attribute of the profile: where the rights to an entry before named it */
};

#endif
