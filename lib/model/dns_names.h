/* The names of an organisation that DNS must know: from its accounts and servers. Pure. */
#ifndef IMDIR_MODEL_DNS_NAMES_H
#define IMDIR_MODEL_DNS_NAMES_H

#include "lib/model/census.h"
#include "lib/model/server.h"

/* Each is listed once, in lower case and as A-labels; what is no name is kept as it is. In pool. */
struct im_dns_names {
    struct im_strings mail_domains; /* of IM-enabled accounts */
    struct im_strings im_domains;   /* of accounts, of servers that list them, and the names of routers */
    struct im_strings hosts; /* names of servers, without port; no addresses, and no short names: those are another fault */
};

/* census and servers may be NULL: nothing is known of them. */
enum im_err im_dns_names(const struct im_census *census, const struct im_servers *servers, struct im_pool *pool,
                         struct im_dns_names *out, struct im_error *e);

bool im_strings_have(const struct im_strings *strings, const char *text); /* letter case ignored */

#endif
