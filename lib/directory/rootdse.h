/* What a server says about itself (RFC 4512 section 5.1; MS-ADTS 3.1.1.3.2), read once after the bind. */
#ifndef IMDIR_DIRECTORY_ROOTDSE_H
#define IMDIR_DIRECTORY_ROOTDSE_H

#include "lib/base/error.h"
#include "lib/base/pool.h"
#include "lib/data/entry.h"

#include <stdbool.h>

enum im_family { IM_FAMILY_OTHER, IM_FAMILY_AD, IM_FAMILY_SAMBA, IM_FAMILY_OPENLDAP, IM_FAMILY_389 };

struct im_rootdse {
    const struct im_entry *entry;
    enum im_family family;
    bool is_ad;              /* Active Directory or Samba AD */
    bool is_gc;              /* also a global catalog that is ready */
    bool is_offline;         /* no server, but an export of one (offline.h) */
    bool has_assumed_schema; /* which holds no definitions: they are assumed */
    const char *default_nc;  /* default naming context, or the only one; NULL: several, none is default */
    const char *root_domain_nc, *config_nc, *schema_nc; /* AD only, else NULL */
    const char *subschema;                              /* subschemaSubentry, or NULL */
    const char *config_context;                         /* OpenLDAP: cn=config, or NULL */
    const char *dns_host_name, *ds_service_name;        /* AD only, else NULL */
};

/* Decodes; pieces in pool. */
enum im_err im_rootdse_decode(const struct im_entry *entry, struct im_pool *pool, struct im_rootdse *out, struct im_error *e);
bool im_rootdse_has_control(const struct im_rootdse *r, const char *oid);
/* Do both come from one server, as far as it can be told: equal names where both have one, and equal naming contexts. */
bool im_rootdse_is_same_server(const struct im_rootdse *a, const struct im_rootdse *b);
const char *im_family_name(enum im_family family);
extern const char *const im_rootdse_attributes[]; /* what to ask for, NULL-terminated */

#endif
