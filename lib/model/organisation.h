/* The organisation as the directory describes it, beyond its accounts. Pure. */
#ifndef IMDIR_MODEL_ORGANISATION_H
#define IMDIR_MODEL_ORGANISATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Password policy of the domain that the accounts are in (MS-ADTS 6.1.1.4: attributes of the domain's object). */
struct im_policy {
    bool is_known;
    int64_t max_password_age_s; /* 0: passwords do not age */
    long min_password_length;
    bool stores_reversible; /* pwdProperties & 0x10 */
};

struct im_organisation {
    struct im_policy policy;
};

#endif
