/* The state that is wanted for an account: what enabling would write, before it is judged. Pure. */
#ifndef IMDIR_MODEL_WANT_H
#define IMDIR_MODEL_WANT_H

#include "lib/model/account.h"
#include "lib/model/server.h"

enum im_action { IM_ENABLE, IM_DISABLE };

/* What the operator asked for. */
struct im_request {
    enum im_action action;
    const struct im_server *home; /* --home; NULL: not asked */
    bool home_auto;               /* --home auto */
    const char *domain;           /* --domain; NULL: not asked */
    const char *address;          /* --address template; NULL: not asked */
    bool keep_opaque;             /* --keep-acl */
    const char *const *allow;     /* rule ids lifted */
    size_t allow_count;
    /* configuration: fills gaps only */
    const char *default_home, *default_domain, *default_address;
};

struct im_want {
    bool enabled;
    const struct im_server *home; /* NULL: the account's live home is not in the list of servers, kept as it is */
    const char *home_dn, *home_host;
    const char *im_alias, *im_domain; /* left and right side of the address */
    const char *address, *logical_url, *physical_url;
    const char *const *values; /* wanted value of each profile attribute, in its order; NULL: none */
    const char *cannot_build;  /* why an address or URL cannot be built: the rule account-alias-unsafe says it; else NULL */
};

/* A valid address, known IM domain and live home of the account are kept; only request.home, .domain and .address change them.
 * IM_E_USAGE: home or domain is neither asked for nor clear (the message lists the choices). */
enum im_err im_want_build(const struct im_account_context *context, const struct im_account *account,
                          const struct im_request *request, const struct im_servers *servers, struct im_pool *pool,
                          struct im_want *out, struct im_error *e);

/* Same meaning: URLs without letter case and trailing slash, DNs parsed, addresses without letter case, others byte by byte. */
bool im_role_equal(enum im_role role, const char *a, const char *b);
/* http, no port, a host with a dot, the expected path, a plain alias. `why` gets the reason. */
bool im_url_is_well_formed(const char *url, enum im_role role, const char **why);
bool im_alias_is_safe(const char *alias); /* no blank / # % ? @ control or non-ASCII character, not empty */

#endif
