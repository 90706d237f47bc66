/* What the IM-enabled accounts of a directory say together: counted while they are read, small whatever their number. */
#ifndef IMDIR_MODEL_CENSUS_H
#define IMDIR_MODEL_CENSUS_H

#include "lib/model/rule.h"

/* One value of the home attribute. */
struct im_census_home {
    const char *dn; /* as the accounts name it */
    size_t users;
    enum im_target target;
    const struct im_server *server; /* known servers only; else NULL */
    const char *host;               /* of the physical URL of the first account there; NULL: none */
};

/* The right side of IM addresses, or of mail addresses. */
struct im_census_domain {
    const char *name; /* lower case */
    size_t users;
};

struct im_census {
    struct im_census_home *homes;
    size_t home_count;
    struct im_census_domain *im_domains;
    size_t im_domain_count;
    struct im_census_domain *mail_domains; /* of IM-enabled accounts */
    size_t mail_domain_count;
    size_t accounts; /* looked at */
    size_t enabled;
    bool is_whole; /* the whole directory was read: numbers of users are true. Else only selected accounts were */
};

#endif
